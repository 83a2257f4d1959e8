// What only a Milvus server can show: writers that die or stall, and a restart; see with_milvus.py.
#include "errors.hpp"
#include "gallery/milvus_session.hpp"
#include "gallery/verbs.hpp"
#include "server/milvus_place.hpp"
#include "sosia/core/rng.hpp"

#include <chrono>
#include <csignal>
#include <thread>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sosia::gallery {
namespace {

using milvus::Birth;
using milvus::Client;
using milvus::Names;
using milvus::Session;
using milvus::State;
using milvus::TemplateRow;

Template make(std::string label, std::uint64_t index) {
  RandomStream random(3, "server", index);
  Template t;
  t.label = std::move(label);
  for (int i = 0; i < 8; ++i) t.vector.push_back(static_cast<float>(random.normal()));
  return t;
}

std::size_t count(Gallery& gallery, RunContext& run) {
  std::size_t rows = 0;
  gallery.scan(
      {},
      [&](const StoredTemplate&) {
        ++rows;
        return true;
      },
      run);
  return rows;
}

/// A session with the parts that a change is made of.
struct Writer {
  explicit Writer(const std::string& place, std::int64_t lease_ms)
      : address(parse_milvus_address(place)),
        names(address.collection),
        client(address),
        session(client, names, "hand-made writer", lease_ms) {}

  /// Sends the rows of a change, without making them count.
  State send(std::vector<std::int64_t> ids, RunContext& run) {
    State next = session.begin(run);
    const Birth birth = session.birth(next);
    std::vector<TemplateRow> rows;
    for (const std::int64_t id : ids) {
      TemplateRow row{.subject = 1000 + id, .enrolled_ms = 1, .birth = birth};
      static_cast<Template&>(row.value) = make("late", static_cast<std::uint64_t>(id));
      row.value.id = id;
      rows.push_back(row);
    }
    client.upsert(names.templates, milvus::to_rows(std::span<const TemplateRow>(rows)), run);
    next.generation = birth.generation;
    next.templates += static_cast<std::int64_t>(ids.size());
    return next;
  }

  MilvusAddress address;
  Names names;
  Client client;
  Session session;
};

TEST(MilvusServer, AWriterThatStallsIsCutOffAndToldSo) {
  const std::string place = fresh_milvus_place();
  RunContext run;
  create_milvus(parse_milvus_address(place), {.dimension = 8}, {.access = Access::write})
      ->add(std::vector{make("a", 1)}, "", run);
  Writer slow(place, 300'000);
  State change = slow.send({7, 8}, run);

  // To another machine whose clock is far ahead, the claim of the slow one is over: the same here
  // by a claim that says so.
  {
    Writer hurried(place, 60'000);
    EXPECT_EQ(error_of([&] { hurried.session.begin(run); }).code(), ErrorCode::conflict);
  }
  static constexpr std::string_view fields[] = {"id"};
  const auto claims =
      slow.client.query(slow.names.meta, "kind == 3", fields, milvus::Consistency::strong, run);
  auto documents = milvus::read_documents(slow.client.query(
      slow.names.meta, "kind == 3", milvus::document_columns(), milvus::Consistency::strong, run));
  ASSERT_EQ(documents.size(), 1u);
  Value body = parse_json(documents[0].body);
  body.set("expires_ms", 0);
  documents[0].body = to_json(body, -1);
  slow.client.upsert(slow.names.meta, milvus::to_rows(std::span(documents)), run);
  slow.client.erase(slow.names.meta, claims.integers("id"), run);

  auto second = open_milvus(parse_milvus_address(place), {.access = Access::write});
  second->add(std::vector{make("b", 2), make("c", 3)}, "", run);
  EXPECT_EQ(second->info().templates, 3u);

  // The slow one wakes up: rows that it sends now, with the generation that has passed meanwhile,
  // do not count, and its commit fails.
  std::vector<TemplateRow> late(1);
  static_cast<Template&>(late[0].value) = make("late", 9);
  late[0].value.id = 9;
  late[0].birth = {change.generation, change.session};
  slow.session.birth(change);
  late[0].birth.session = slow.session.birth(change).session;
  slow.client.upsert(slow.names.templates, milvus::to_rows(std::span<const TemplateRow>(late)),
                     run);
  EXPECT_EQ(error_of([&] { slow.session.commit(change, run); }).code(), ErrorCode::conflict);
  EXPECT_EQ(second->info().templates, 3u);
  EXPECT_EQ(count(*second, run), 3u);
  second->add(std::vector{make("d", 4)}, "", run);
  EXPECT_EQ(count(*second, run), 4u);
  EXPECT_TRUE(second->verify(run).empty());
}

TEST(MilvusServer, AWriterThatIsKilledLosesOnlyWhatItHadNotFinished) {
  const std::string place = fresh_milvus_place();
  RunContext run;
  create_milvus(parse_milvus_address(place), {.dimension = 8}, {.access = Access::write})
      ->add(std::vector{make("a", 1)}, "", run);
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {  // acknowledges a batch, sends half of the next, and waits for its end
    try {
      RunContext own;
      open_milvus(parse_milvus_address(place), {.access = Access::write})
          ->add(std::vector{make("b", 2)}, "", own);
      Writer writer(place, 600'000);
      writer.send({5, 6, 7}, own);
      (void)!::write(ready[1], "x", 1);
      ::pause();
    } catch (...) {
    }
    ::_exit(1);
  }
  ::close(ready[1]);
  char byte = 0;
  const bool sent = ::read(ready[0], &byte, 1) == 1;
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  ::close(ready[0]);
  ASSERT_TRUE(sent);
  // Its claim would last ten minutes, but its process is known to be gone.
  auto next = open_milvus(parse_milvus_address(place), {.access = Access::write});
  EXPECT_EQ(count(*next, run), 2u);
  next->add(std::vector{make("c", 3)}, "", run);
  EXPECT_EQ(count(*next, run), 3u);
  EXPECT_EQ(next->info().templates, 3u);
  EXPECT_TRUE(next->verify(run).empty());
}

TEST(MilvusServer, TheRightToWriteComesBackWhenItHasRunOut) {
  const std::string place = fresh_milvus_place("&lease=1");
  RunContext run;
  auto gallery =
      create_milvus(parse_milvus_address(place), {.dimension = 8}, {.access = Access::write});
  gallery->add(std::vector{make("a", 1)}, "", run);
  std::this_thread::sleep_for(std::chrono::milliseconds(1500));
  gallery->add(std::vector{make("b", 2)}, "", run);  // nobody wanted it meanwhile
  std::this_thread::sleep_for(std::chrono::milliseconds(1500));
  auto second =
      open_milvus(parse_milvus_address(place), {.access = Access::write, .who = "second"});
  // Both are in this process, so that only the clock can tell that the first one is over.
  second->add(std::vector{make("c", 3)}, "", run);
  EXPECT_EQ(count(*second, run), 3u);
  EXPECT_TRUE(second->verify(run).empty());
}

TEST(MilvusServer, ForeignCollectionsAreNotTouched) {
  const std::string place = fresh_milvus_place();
  const MilvusAddress address = parse_milvus_address(place);
  RunContext run;
  Client client(address);
  const Names names(address.collection);
  client.create_collection(names.templates, milvus::document_fields(), 1, "somebody's", run);
  EXPECT_EQ(error_of([&] { open_milvus(address, {}); }).code(), ErrorCode::not_found);
  EXPECT_EQ(
      error_of([&] { create_milvus(address, {.dimension = 8}, {.access = Access::write}); }).code(),
      ErrorCode::conflict);
  client.create_collection(names.meta, milvus::document_fields(), 1, "somebody's", run);
  EXPECT_EQ(error_of([&] { open_milvus(address, {}); }).code(), ErrorCode::corrupt_data);
  EXPECT_TRUE(client.has_collection(names.templates, run));
}

TEST(MilvusServer, DamagedRowsAreNoticed) {
  const std::string place = fresh_milvus_place();
  const MilvusAddress address = parse_milvus_address(place);
  RunContext run;
  auto gallery = create_milvus(address, {.dimension = 8}, {.access = Access::write});
  gallery->add(std::vector{make("a", 1), make("b", 2), make("c", 3)}, "", run);
  Client client(address);
  const Names names(address.collection);
  auto rows = milvus::read_templates(client.query(
      names.templates, "id == 1", milvus::template_columns(), milvus::Consistency::strong, run));
  std::string text = milvus::to_rows(std::span<const TemplateRow>(rows));
  const std::size_t vector = text.find("\"vector\":[");
  text[text.find_first_of("123456789", vector + 12)] = '0';
  client.erase(names.templates, std::vector<std::int64_t>{1}, run);
  client.upsert(names.templates, text, run);
  EXPECT_EQ(error_of([&] { count(*gallery, run); }).code(), ErrorCode::corrupt_data);
  EXPECT_FALSE(gallery->verify(run).empty());
  client.erase(names.templates, std::vector<std::int64_t>{1}, run);  // lost altogether
  EXPECT_EQ(error_of([&] { count(*gallery, run); }).code(), ErrorCode::corrupt_data);
  EXPECT_FALSE(gallery->verify(run).empty());
}

TEST(MilvusServer, ForgettingSaysWhatCannotBeProven) {
  const MilvusAddress address = parse_milvus_address(fresh_milvus_place());
  RunContext run;
  auto gallery = create_milvus(address, {.dimension = 8}, {.access = Access::write});
  gallery->add(std::vector{make("a", 1), make("b", 2)}, "", run);
  const ForgetReport report = gallery->forget("a", "", run);
  EXPECT_TRUE(report.files_scanned.empty());
  EXPECT_NE(report.note.find("cannot be seen"), std::string::npos) << report.note;
  // The verb passes it on, and does not claim what it has not seen.
  Settings settings;
  settings.set("gallery", address.text(), "test");
  settings.set("label", "b", "test");
  gallery.reset();  // it holds the right to write
  const Report shown = forget_verb().run(settings, run);
  EXPECT_NE(shown.verdict().find("not proven"), std::string::npos) << shown.verdict();
  ASSERT_EQ(shown.warnings().size(), 1u);
  EXPECT_NE(shown.warnings()[0].find("cannot be seen"), std::string::npos);
  EXPECT_EQ(error_of([&] {
              create_milvus(parse_milvus_address(fresh_milvus_place()),
                            {.dimension = 8, .encrypt = true}, {});
            }).code(),
            ErrorCode::unsupported);
}

TEST(ServerRestart, Write) {
  RunContext run;
  auto gallery = create_milvus(parse_milvus_address(milvus_place("restart")),
                               {.dimension = 8, .replace = true}, {.access = Access::write});
  std::vector<Template> batch;
  for (std::uint64_t i = 0; i < 200; ++i) batch.push_back(make("s" + std::to_string(i % 50), i));
  gallery->add(batch, "", run);
  gallery->forget("s7", "", run);
}

TEST(ServerRestart, Read) {
  RunContext run;
  // Loaded collections come back by themselves, a little after the server says that it is ready.
  auto gallery =
      open_milvus(parse_milvus_address(milvus_place("restart")), {.access = Access::write});
  EXPECT_EQ(gallery->info().templates, 196u);
  EXPECT_EQ(count(*gallery, run), 196u);
  EXPECT_TRUE(gallery->verify(run).empty());
  gallery->add(std::vector{make("s7", 500)}, "", run);
  EXPECT_EQ(count(*gallery, run), 197u);
}

}  // namespace
}  // namespace sosia::gallery

// Forgetting, retention, the audit table, encryption.

#include "gallery/byte_search.hpp"
#include "sosia/core/hash.hpp"
#include "store_support.hpp"

#include <algorithm>
#include <set>

namespace sosia::gallery {
namespace {

using namespace test;

constexpr std::size_t kDimension = 64;

/// Whether any 16 bytes of a template's stored vector lie in a file of the folder.
bool vector_in_files(const std::filesystem::path& folder, const Template& t, StoredType type) {
  double norm = 0;
  for (const float v : t.vector) norm += static_cast<double>(v) * v;
  std::vector<float> unit;
  for (const float v : t.vector) unit.push_back(static_cast<float>(v / std::sqrt(norm)));
  const auto packed = pack_vector(unit, type);
  const std::string_view bytes(reinterpret_cast<const char*>(packed.data()), packed.size());
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string text = file_text(entry.path().string());
    for (std::size_t at = 0; at + 16 <= bytes.size(); at += 16) {
      if (text.find(bytes.substr(at, 16)) != std::string::npos) return true;
    }
  }
  return false;
}

TEST(ByteSearch, FindsEveryPlaceAcrossBuffers) {
  const TemporaryFolder folder;
  std::string text(9'000'000, 'a');
  RandomStream random(1, "bytes");
  for (char& c : text) c = static_cast<char>(random.next_u32());
  const std::string first = "needle one, which is longer", second = "pin!";
  const std::vector<std::size_t> places = {0, 4'194'300, 4'194'304, 8'388'590,
                                           text.size() - first.size()};
  for (const std::size_t place : places) text.replace(place, first.size(), first);
  text.replace(1000, second.size(), second);
  write_file(folder.path() / "f", text);
  ByteSearch search;
  const std::size_t one = search.add(std::as_bytes(std::span(first)));
  const std::size_t two = search.add(std::as_bytes(std::span(second)));
  std::vector<std::size_t> found;
  std::size_t pins = 0;
  EXPECT_EQ(search.in_file(folder.path() / "f",
                           [&](std::size_t number, std::uint64_t at) {
                             if (number == one) found.push_back(at);
                             if (number == two) ++pins;
                           }),
            text.size());
  // Overlapping needles were written over each other: all that a naive search finds.
  std::vector<std::size_t> naive;
  for (std::size_t at = text.find(first); at != std::string::npos; at = text.find(first, at + 1)) {
    naive.push_back(at);
  }
  EXPECT_EQ(found, naive);
  EXPECT_EQ(pins, 1u);
}

TEST(Forget, LeavesNoByteInAnyFile) {
  for (const StoredType type : {StoredType::f16, StoredType::f32}) {
    const Place place({.type = type});
    RunContext run;
    auto gallery = place.write();
    const auto batch = make_templates(400, kDimension);
    gallery->add(batch, "", run);
    search(*gallery, batch[0].vector);
    // They are there before: the check can fail.
    ASSERT_TRUE(found_in_files(place.folder(), "subject-37"));
    ASSERT_TRUE(vector_in_files(place.folder(), batch[148], type));
    const ForgetReport report = gallery->forget("subject-37", "", run);
    EXPECT_EQ(report.templates, 4u);
    EXPECT_GE(report.files_scanned.size(), 2u);
    EXPECT_GT(report.bytes_scanned, 100'000u);
    EXPECT_GT(report.strings_searched, 30u);
    const auto check = [&] {
      EXPECT_FALSE(found_in_files(place.folder(), "subject-37"));
      EXPECT_FALSE(found_in_files(place.folder(), "photo-149.jpg"));
      EXPECT_FALSE(found_in_files(place.folder(), "remark about item 149"));
      for (std::size_t i = 148; i < 152; ++i) {
        EXPECT_FALSE(vector_in_files(place.folder(), batch[i], type)) << i;
      }
      EXPECT_TRUE(vector_in_files(place.folder(), batch[147], type));
    };
    check();
    for (const SearchResult& result : search(*gallery, batch[149].vector, 400).results) {
      EXPECT_EQ(result.templates.size(), 396u);
      for (const Match& match : result.templates) EXPECT_NE(match.label, "subject-37");
    }
    EXPECT_TRUE(gallery->verify(run).empty());
    gallery.reset();
    check();
    EXPECT_TRUE(place.read()->verify(run).empty());
    // Its numbers are not used again, and the subject can come back.
    gallery = place.write();
    gallery->add(std::span(batch).subspan(148, 1), "", run);
    EXPECT_EQ(search(*gallery, batch[148].vector, 1).results[0].templates[0].template_id, 400);
  }
}

TEST(Forget, NamesThatOthersShareStayWithThem) {
  const Place place;
  RunContext run;
  const auto gallery = place.write();
  // "subject-1" is a part of "subject-10" to "subject-19"; the cameras are everybody's.
  gallery->add(make_templates(100, kDimension), "", run);
  const ForgetReport report = gallery->forget("subject-1", "", run);
  EXPECT_EQ(report.templates, 4u);
  EXPECT_GT(report.strings_left_out, 0u);
  EXPECT_EQ(gallery->info().subjects, 24u);
}

TEST(Forget, UnknownSubjectsGetTheNearestName) {
  const Place place;
  RunContext run;
  const auto gallery = place.write();
  gallery->add(make_templates(40, kDimension), "", run);
  std::string message;
  EXPECT_EQ(error_of([&] { gallery->forget("subjct-7", "", run); }, &message),
            ErrorCode::not_found);
  EXPECT_NE(message.find("subject-7"), std::string::npos) << message;
  EXPECT_EQ(error_of([&] { gallery->forget("subject-7", "other", run); }), ErrorCode::not_found);
  EXPECT_EQ(gallery->info().templates, 40u);
}

TEST(Forget, TenantsAreApart) {
  const Place place;
  RunContext run;
  const auto gallery = place.write();
  auto batch = make_templates(8, kDimension);
  for (std::size_t i = 0; i < 8; ++i) {
    batch[i].label = "the same";
    batch[i].tenant = i < 4 ? "first tenant" : "second tenant";
  }
  gallery->add(batch, "", run);
  EXPECT_EQ(gallery->info().subjects, 2u);
  EXPECT_EQ(gallery->forget("the same", "first tenant", run).templates, 4u);
  EXPECT_FALSE(found_in_files(place.folder(), "first tenant"));
  EXPECT_EQ(search(*gallery, batch[5].vector, 9).results[0].templates.size(), 4u);
}

TEST(Forget, ByAgeTakesTheOldOnesAndTheSums) {
  const Place place({.max_templates = 4});
  RunContext run;
  const auto gallery = place.write();
  auto batch = make_templates(24, kDimension, 0, 8);  // 3 subjects, 8 templates each, 4 are kept
  for (std::size_t i = 0; i < batch.size(); ++i) {
    batch[i].time_ms = static_cast<std::int64_t>(i < 12 ? 1000 : 100'000);
  }
  gallery->add(batch, "", run);
  search(*gallery, batch[0].vector);
  const ForgetReport report = gallery->forget_before(50'000, run);
  EXPECT_GT(report.templates, 4u);
  RunContext scan_run;
  gallery->scan(
      {},
      [](const StoredTemplate& t) {
        EXPECT_EQ(t.time_ms, 100'000);
        return true;
      },
      scan_run);
  EXPECT_FALSE(found_in_files(place.folder(), "subject-0"));
  for (std::size_t i = 0; i < 12; ++i) {
    EXPECT_FALSE(vector_in_files(place.folder(), batch[i], StoredType::f16));
  }
  EXPECT_TRUE(gallery->verify(run).empty());
  EXPECT_EQ(gallery->forget_before(50'000, run).templates, 0u);
}

TEST(Forget, AKilledForgetIsFinishedByTheNextWriter) {
  const Place place;
  RunContext run;
  place.write()->add(make_templates(40, kDimension), "", run);
  search(*place.read(), random_vector(kDimension, 1));
  {
    // As if the process had died right after the commit.
    Store store(place.path(), Store::Access::write, {});
    Change change(store, "forget");
    const auto id = store.find_subject("", "subject-3");
    const SubjectRow subject = store.read_subject(*id);
    for (const TemplateRow& row : store.templates_of(*id)) change.remove(row);
    change.remove_subject(subject);
    change.state().erasing = true;
    change.commit();
  }
  EXPECT_FALSE(place.read()->verify(run).empty());
  ASSERT_TRUE(found_in_files(place.folder(), "subject-3"));
  place.write();
  EXPECT_FALSE(found_in_files(place.folder(), "subject-3"));
  EXPECT_TRUE(place.read()->verify(run).empty());
}

TEST(Forget, KeepsAnIndexRight) {
  if (!GraphIndex::available()) GTEST_SKIP() << "built without hnswlib";
  const Place place;
  RunContext run({.threads = 2});
  const auto gallery = place.write();
  const auto batch = make_templates(600, kDimension);
  gallery->add(batch, "", run);
  const auto compacted = gallery->compact(Gallery::IndexChoice::graph, 0.99, run);
  EXPECT_EQ(compacted.index, "graph");
  EXPECT_GT(compacted.recall, 0.9);
  SearchRequest request;
  request.mode = SearchMode::approximate;
  EXPECT_EQ(search(*gallery, batch[41].vector, 1, request).used, SearchMode::approximate);
  gallery->forget("subject-10", "", run);
  for (std::size_t i = 40; i < 44; ++i) {
    EXPECT_FALSE(vector_in_files(place.folder(), batch[i], StoredType::f16));
  }
  gallery->add(make_templates(20, kDimension, 600), "", run);
  for (const bool reopened : {false, true}) {
    const auto reader = reopened ? place.read() : nullptr;
    Gallery& searched = reopened ? *reader : *gallery;
    for (std::size_t i = 0; i < 620; i += 13) {
      const auto answer = search(searched, random_vector(kDimension, i), 3, request);
      EXPECT_EQ(answer.used, SearchMode::approximate) << answer.note;
      ASSERT_EQ(answer.results[0].templates.size(), 3u);
      if (i / 4 != 10) {
        EXPECT_EQ(answer.results[0].templates[0].template_id, static_cast<std::int64_t>(i));
      }
      for (const Match& match : answer.results[0].templates) EXPECT_NE(match.label, "subject-10");
    }
  }
  EXPECT_TRUE(gallery->verify(run).empty());
}

// --- audit ---

TEST(Audit, NamesSubjectsByAHashWhoseKeyDies) {
  const Place place;
  RunContext run;
  const auto gallery = place.write();
  gallery->add(make_templates(8, kDimension), "", run);
  gallery->add(make_templates(1, kDimension, 8), "", run);
  gallery->forget("subject-0", "", run);
  const auto entries = gallery->audit();
  ASSERT_EQ(entries.size(), 5u);  // create, two subjects, one subject, forget
  EXPECT_EQ(entries[0].subject, "");
  EXPECT_EQ(entries[1].subject.size(), 64u);
  EXPECT_EQ(entries[4].subject, entries[1].subject);
  EXPECT_NE(entries[1].subject, entries[2].subject);
  EXPECT_GT(entries[1].time_ms, 1'600'000'000'000);
  // Enrolled again, it is somebody else to the audit table.
  gallery->add(make_templates(1, kDimension), "", run);
  EXPECT_NE(gallery->audit()[5].subject, entries[1].subject);
}

// --- encryption ---

Secret secret_of_byte(std::uint8_t byte) {
  const TemporaryFolder folder;
  write_file(folder.path() / "key", std::string(32, static_cast<char>(byte)));
  return Secret::from_file((folder.path() / "key").string());
}

TEST(Encryption, NothingLiesInTheClear) {
  const Place place({.encrypt = true}, secret_of_byte(7));
  RunContext run;
  const auto batch = make_templates(80, kDimension);
  std::string message;
  {
    const auto gallery = place.write();
    gallery->add(batch, "", run);
    Calibration calibration;
    calibration.set = "the bank's set";
    calibration.impostor_tail = {0.5, 0.4};
    calibration.genuine_quantiles = {0.6, 0.9};
    calibration.genuine = 2;
    calibration.impostor = 2;
    calibration.subjects = 2;
    gallery->set_calibration(calibration, run);
    EXPECT_EQ(search(*gallery, batch[9].vector, 1).results[0].templates[0].template_id, 9);
    EXPECT_TRUE(gallery->verify(run).empty());
    for (const std::string text : {"subject-", "camera-", "photo-", "remark", "the bank's set"}) {
      EXPECT_FALSE(found_in_files(place.folder(), text)) << text;
    }
    for (const Template& t : batch) {
      EXPECT_FALSE(vector_in_files(place.folder(), t, StoredType::f16));
    }
    EXPECT_FALSE(std::filesystem::exists(place.cache()));
    EXPECT_EQ(gallery->calibration()->set, "the bank's set");
    EXPECT_EQ(gallery->forget("subject-4", "", run).templates, 4u);
    EXPECT_TRUE(gallery->verify(run).empty());
  }
  const auto gallery = place.read();
  EXPECT_EQ(gallery->info().templates, 76u);
  EXPECT_TRUE(gallery->info().encrypted);
  EXPECT_EQ(search(*gallery, batch[9].vector, 1).results[0].templates[0].label, "subject-2");
}

TEST(Encryption, RefusesNoKeyAndTheWrongOne) {
  const Place place({.encrypt = true}, secret_of_byte(7));
  std::string message;
  EXPECT_EQ(error_of([&] { open_gallery(place.path(), {}); }, &message),
            ErrorCode::invalid_argument);
  EXPECT_NE(message.find("SOSIA_GALLERY_KEY"), std::string::npos);
  EXPECT_EQ(error_of([&] { open_gallery(place.path(), {.secret = secret_of_byte(8)}); }, &message),
            ErrorCode::invalid_argument);
  EXPECT_NE(message.find("not this gallery's"), std::string::npos) << message;
}

TEST(Encryption, AMovedFieldIsNotTaken) {
  // Two rows change their vectors, with checksums set right by somebody who has no key.
  const Sealer sealer("id", secret_of_byte(7));
  const std::string text = "0123456789";
  const auto sealed = sealer.seal({"templates", "vector", 1}, std::as_bytes(std::span(text)));
  EXPECT_EQ(sealed.size(), text.size() + sealer.overhead());
  EXPECT_EQ(sealer.open({"templates", "vector", 1}, sealed).size(), text.size());
  EXPECT_EQ(error_of([&] { (void)sealer.open({"templates", "vector", 2}, sealed); }),
            ErrorCode::corrupt_data);
  EXPECT_EQ(error_of([&] { (void)sealer.open({"templates", "label", 1}, sealed); }),
            ErrorCode::corrupt_data);
  EXPECT_NE(sealed, sealer.seal({"templates", "vector", 1}, std::as_bytes(std::span(text))));
}

TEST(Encryption, KeysComeFromAFileOrTheEnvironment) {
  const TemporaryFolder folder;
  const auto path = (folder.path() / "key").string();
  write_file(path, std::string(64, 'a') + "\n");
  EXPECT_EQ(Secret::from_file(path).bytes().size(), 32u);
  EXPECT_EQ(Secret::from_file(path).bytes()[0], 0xaa);
  for (const std::string& bad :
       {std::string("short"), std::string(63, 'a'), std::string(64, 'g')}) {
    write_file(path, bad, Overwrite::replace);
    EXPECT_EQ(error_of([&] { (void)Secret::from_file(path); }), ErrorCode::invalid_argument);
  }
  EXPECT_EQ(error_of([&] { (void)Secret::from_file(path + "2"); }), ErrorCode::not_found);
  ::unsetenv("SOSIA_GALLERY_KEY");
  EXPECT_TRUE(Secret::from_environment().empty());
  ::setenv("SOSIA_GALLERY_KEY", std::string(64, '0').c_str(), 1);
  EXPECT_FALSE(Secret::from_environment().empty());
  ::setenv("SOSIA_GALLERY_KEY", "nonsense", 1);
  EXPECT_EQ(error_of([] { (void)Secret::from_environment(); }), ErrorCode::invalid_argument);
  ::unsetenv("SOSIA_GALLERY_KEY");
}

}  // namespace
}  // namespace sosia::gallery

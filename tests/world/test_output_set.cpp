// Folders of renders: refusals, the marker of an unfinished run, and order whatever the threads.

#include "sosia/core/error.hpp"
#include "sosia/core/files.hpp"
#include "world/output_set.hpp"
#include "world/producer.hpp"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

namespace sosia::world {
namespace {

namespace fs = std::filesystem;

const Value kSettings = Value::object({{"kind", "face"}, {"seed", 1}});

TEST(OutputSet, MarkerStandsUntilFinished) {
  const TemporaryFolder scratch;
  const fs::path folder = scratch.path() / "out";
  RunContext run;
  {
    OutputSet out(folder, kSettings);
    EXPECT_TRUE(fs::exists(folder / kUnfinishedMarker));
    out.write("a/b.txt", std::string_view("text"));
    out.append("lines", "one\n");
  }
  EXPECT_TRUE(fs::exists(folder / kUnfinishedMarker));  // broken off
  OutputSet again(folder, kSettings);
  EXPECT_TRUE(again.resumed());
  again.append("lines", "first\n");
  again.append("lines", "second\n");
  const std::string noted[] = {"lines"};
  again.finish(run, noted);
  EXPECT_FALSE(fs::exists(folder / kUnfinishedMarker));
  EXPECT_EQ(read_text(folder / "lines"), "first\nsecond\n");
  EXPECT_EQ(read_text(folder / "a/b.txt"), "text");
  EXPECT_EQ(run.outputs().size(), 1u);
}

TEST(OutputSet, RefusesWhatIsNotItsOwn) {
  const TemporaryFolder scratch;
  const auto code = [&](const fs::path& folder, const Value& settings) {
    try {
      OutputSet out(folder, settings);
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::internal;
  };
  write_file(scratch.path() / "file", "x");
  EXPECT_EQ(code(scratch.path(), kSettings), ErrorCode::conflict);
  EXPECT_EQ(code(scratch.path() / "file", kSettings), ErrorCode::conflict);
  {
    OutputSet out(scratch.path() / "run", kSettings);
  }
  EXPECT_EQ(code(scratch.path() / "run", Value::object({{"kind", "face"}, {"seed", 2}})),
            ErrorCode::conflict);
}

TEST(OutputSet, AFullDiskIsAnErrorThatLeavesTheMarker) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "/dev/full is not there";
  const TemporaryFolder scratch;
  OutputSet out(scratch.path() / "run", kSettings);
  fs::create_symlink("/dev/full", scratch.path() / "run" / "truth.jsonl");
  try {
    out.append("truth.jsonl", "line\n");
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::io);
    EXPECT_NE(error.message().find("No space left"), std::string::npos);
  }
  EXPECT_TRUE(fs::exists(scratch.path() / "run" / kUnfinishedMarker));
}

TEST(OutputSet, StreamsInOrderForAnyThreads) {
  for (const int threads : {1, 3}) {
    RunContext run({.threads = threads});
    std::string text;
    stream_in_order(
        run, "items", 1000, [](std::uint64_t i) { return std::to_string(i) + ","; },
        [&](std::uint64_t, std::string& part) { text += part; });
    std::string expected;
    for (int i = 0; i < 1000; ++i) expected += std::to_string(i) + ",";
    EXPECT_EQ(text, expected);
  }
}

TEST(Producer, SubjectsDoNotDependOnTheirNumber) {
  const auto few =
      make_face_producer({.seed = 4, .subjects = 2, .images_per_subject = 2, .size_px = 32});
  const auto many =
      make_face_producer({.seed = 4, .subjects = 900, .images_per_subject = 3, .size_px = 32});
  const SubjectItems a = few->subject(1), b = many->subject(1);
  EXPECT_EQ(a.folder, "00001");
  ASSERT_EQ(a.items.size(), 2u);
  EXPECT_EQ(a.items[1].truth, b.items[1].truth);
  EXPECT_TRUE(image::same_pixels(a.items[1].files[0].picture, b.items[1].files[0].picture));
}

TEST(Producer, AttacksComeBesideTheOriginal) {
  const auto producer =
      make_attack_producer({.seed = 4, .images_per_subject = 5, .size_px = 32, .parts = true});
  const SubjectItems subject = producer->subject(0);
  std::vector<std::string> kinds;
  for (const Item& item : subject.items) kinds.push_back(item.truth.at("kind").as_text());
  EXPECT_EQ(kinds, (std::vector<std::string>{"bona_fide", "print", "replay", "mask", "bona_fide"}));
  EXPECT_EQ(subject.items[0].csv_cells,
            (std::vector<std::string>{"00000/0000.png", "00000", "1", ""}));
  EXPECT_EQ(subject.items[2].csv_cells[3], "replay");
  EXPECT_TRUE(subject.items[2].files[1].aside);
}

}  // namespace
}  // namespace sosia::world

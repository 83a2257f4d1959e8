// Folders and single pictures as streams of frames.

#include "image/samples.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/files.hpp"
#include "sosia/image/frames.hpp"

#include <gtest/gtest.h>

namespace sosia::image {
namespace {

using namespace testing;

std::string file_name(const Frame& frame) {
  return std::filesystem::path(frame.source).filename().string();
}

TEST(Frames, FolderInNaturalOrder) {
  const TemporaryFolder folder;
  const Image picture = noise(6, 5, 3);
  for (const char* name : {"f10.png", "f9.png", "f1.png", "f09b.png", "a.png", ".hidden.png"}) {
    save(folder.path() / name, picture);
  }
  write_file(folder.path() / "f2 notes.txt", "no picture");
  write_file(folder.path() / "f3.bin", encode(picture, Format::png).bytes);  // content counts
  std::filesystem::create_directory(folder.path() / "f4.png");
  const auto source = frames(folder.path());
  EXPECT_EQ(source->frame_count(), 6);
  std::vector<std::string> names;
  while (const auto frame = source->next()) {
    EXPECT_EQ(frame->index, static_cast<std::int64_t>(names.size()));
    EXPECT_DOUBLE_EQ(frame->time_ms, 40.0 * static_cast<double>(names.size()));
    EXPECT_TRUE(same_pixels(frame->image, picture));
    names.push_back(file_name(*frame));
  }
  EXPECT_EQ(names, (std::vector<std::string>{"a.png", "f1.png", "f3.bin", "f9.png", "f09b.png",
                                             "f10.png"}));
  EXPECT_FALSE(source->next());
}

TEST(Frames, LongNumbersAndLeadingZeros) {
  const TemporaryFolder folder;
  const Image picture = noise(2, 2, 1);
  const std::vector<std::string> sorted{"1.png",
                                        "01.png",
                                        "2.png",
                                        "010.png",
                                        "99999999999999999999.png",
                                        "100000000000000000000.png"};
  for (const std::string& name : sorted) {
    save(folder.path() / name, picture);
  }
  std::vector<std::string> names;
  const auto source = frames(folder.path());
  while (const auto frame = source->next()) {
    names.push_back(file_name(*frame));
  }
  // "01" and "1" are the same number; plain order decides.
  EXPECT_EQ(names,
            (std::vector<std::string>{"01.png", "1.png", "2.png", "010.png",
                                      "99999999999999999999.png", "100000000000000000000.png"}));
}

TEST(Frames, BadPictureIsReportedAndPassed) {
  const TemporaryFolder folder;
  const ByteVector good = encode(noise(8, 8, 3), Format::png).bytes;
  write_file(folder.path() / "1.png", good);
  write_file(folder.path() / "2.png", std::span(good).first(good.size() / 2));
  write_file(folder.path() / "3.png", good);
  const auto source = frames(folder.path());
  EXPECT_EQ(source->next()->index, 0);
  try {
    source->next();
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::corrupt_data);
    EXPECT_NE(e.context().find("2.png"), std::string::npos);
  }
  EXPECT_EQ(source->next()->index, 2);
  EXPECT_FALSE(source->next());
}

TEST(Frames, StepSkipsAndOptionsReachTheDecoder) {
  const TemporaryFolder folder;
  for (int i = 0; i < 7; ++i) {
    save(folder.path() / (std::to_string(i) + ".png"), noise(16, 8, 3));
  }
  FramesOptions options;
  options.step = 3;
  options.folder_rate_hz = 10;
  options.decode.scale_denominator = 4;
  options.decode.channels = Channels::grey;
  const auto source = frames(folder.path(), options);
  std::vector<std::int64_t> indices;
  while (const auto frame = source->next()) {
    indices.push_back(frame->index);
    EXPECT_DOUBLE_EQ(frame->time_ms, 100.0 * static_cast<double>(frame->index));
    EXPECT_EQ(frame->image.extent(), (Extent{4, 2}));
    EXPECT_EQ(frame->image.channels(), 1);
  }
  EXPECT_EQ(indices, (std::vector<std::int64_t>{0, 3, 6}));
  EXPECT_EQ(source->frame_count(), 7);
}

TEST(Frames, SinglePictureIsOneFrame) {
  const TemporaryFolder folder;
  save(folder.path() / "one.jpg", gradient(20, 10, 3));
  const auto source = frames(folder.path() / "one.jpg");
  EXPECT_EQ(source->next()->image.extent(), (Extent{20, 10}));
  EXPECT_FALSE(source->next());
}

TEST(Frames, EmptyFolderHasNoFrames) {
  const TemporaryFolder folder;
  EXPECT_FALSE(frames(folder.path())->next());
}

TEST(Frames, RefusesBadRequests) {
  const TemporaryFolder folder;
  const auto code = [&](const std::filesystem::path& path, const FramesOptions& options) {
    try {
      frames(path, options);
    } catch (const Error& e) {
      return e.code();
    }
    return ErrorCode::internal;
  };
  EXPECT_EQ(code(folder.path() / "none", {}), ErrorCode::not_found);
  FramesOptions options;
  options.step = 0;
  EXPECT_EQ(code(folder.path(), options), ErrorCode::invalid_argument);
  options = {};
  options.folder_rate_hz = 0;
  EXPECT_EQ(code(folder.path(), options), ErrorCode::invalid_argument);
  options = {};
  options.decode.scale_denominator = 5;
  EXPECT_EQ(code(folder.path(), options), ErrorCode::invalid_argument);
  EXPECT_EQ(code("/dev/null", {}), ErrorCode::io);
}

}  // namespace
}  // namespace sosia::image

// Video files: a motion-JPEG AVI written here, read through FFmpeg; and the installation that has
// no video module.

#include "image/samples.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/files.hpp"
#include "sosia/image/frames.hpp"
#include "sosia/image/transform.hpp"

#include <cstdlib>

#include <gtest/gtest.h>

namespace sosia::image {
namespace {

using namespace testing;
namespace fs = std::filesystem;

/// "name", length, content, padded to an even length.
ByteVector chunk(std::string_view name, const ByteVector& content) {
  ByteVector out = to_bytes(name);
  append_le32(out, static_cast<std::uint32_t>(content.size()));
  append(out, content);
  if (content.size() % 2 != 0) {
    append_u8(out, {0});
  }
  return out;
}

ByteVector list(std::string_view kind, std::initializer_list<ByteVector> parts) {
  ByteVector content = to_bytes(kind);
  for (const ByteVector& part : parts) {
    append(content, part);
  }
  return chunk("LIST", content);
}

/// A motion-JPEG AVI (OpenDML AVI 1.0) of 20 frames a second.
ByteVector avi_of(const std::vector<ByteVector>& jpegs, Extent extent) {
  constexpr std::uint32_t kRate = 20;
  const auto count = static_cast<std::uint32_t>(jpegs.size());
  const auto width = static_cast<std::uint32_t>(extent.width_px);
  const auto height = static_cast<std::uint32_t>(extent.height_px);
  ByteVector main_header;
  for (const std::uint32_t v :
       {1'000'000 / kRate, 0U, 0U, 0x10U, count, 0U, 1U, 0U, width, height, 0U, 0U, 0U, 0U}) {
    append_le32(main_header, v);
  }
  ByteVector stream_header = to_bytes("vidsMJPG");
  for (const std::uint32_t v : {0U, 0U, 0U, 1U, kRate, 0U, count, 0U, 0xffffffffU, 0U, 0U, 0U}) {
    append_le32(stream_header, v);
  }
  ByteVector format;
  for (const std::uint32_t v : {40U, width, height, 1U | 24U << 16}) {
    append_le32(format, v);
  }
  append(format, "MJPG");
  for (const std::uint32_t v : {width * height * 3, 0U, 0U, 0U, 0U}) {
    append_le32(format, v);
  }
  ByteVector frames_content = to_bytes("movi");
  ByteVector index;
  for (const ByteVector& jpeg : jpegs) {
    append(index, "00dc");
    append_le32(index, 0x10);
    append_le32(index, static_cast<std::uint32_t>(frames_content.size()));
    append_le32(index, static_cast<std::uint32_t>(jpeg.size()));
    append(frames_content, chunk("00dc", jpeg));
  }
  ByteVector body = to_bytes("AVI ");
  append(body, list("hdrl", {chunk("avih", main_header),
                             list("strl", {chunk("strh", stream_header), chunk("strf", format)})}));
  append(body, chunk("LIST", frames_content));
  append(body, chunk("idx1", index));
  return chunk("RIFF", body);
}

/// Frames whose colours tell which is which.
Image numbered(int i) {
  Image picture = gradient(64, 48, 3);
  const MutableImageView square = picture.mutable_view().crop(16, 16, 16, 16);
  for (int y = 0; y < 16; ++y) {
    for (int x = 0; x < 16; ++x) {
      square.pixel(x, y)[0] = static_cast<std::uint8_t>(40 * i);
      square.pixel(x, y)[1] = square.pixel(x, y)[2] = 20;
    }
  }
  return picture;
}

ByteVector sample_avi(int count) {
  EncodeOptions options;
  options.quality = 98;
  options.subsampling = Subsampling::none_444;
  std::vector<ByteVector> jpegs;
  for (int i = 0; i < count; ++i) {
    jpegs.push_back(jpeg_of(numbered(i), options));
  }
  return avi_of(jpegs, {64, 48});
}

Error error_of(const fs::path& path, const FramesOptions& options = {}) {
  try {
    const auto source = frames(path, options);
    while (source->next()) {
    }
  } catch (const Error& e) {
    return e;
  }
  return Error(ErrorCode::internal, "nothing was thrown");
}

class Video : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!SOSIA_TEST_FFMPEG) {
      GTEST_SKIP() << "built without FFmpeg (SOSIA_WITH_FFMPEG)";
    }
  }
  fs::path written(const std::string& name, std::span<const std::byte> bytes) {
    write_file(folder_.path() / name, bytes, Overwrite::replace);
    return folder_.path() / name;
  }
  TemporaryFolder folder_;
};

TEST_F(Video, FramesComeInOrderWithTimes) {
  ASSERT_TRUE(video_available());
  const auto source = frames(written("a.avi", sample_avi(6)));
  EXPECT_EQ(source->frame_count(), std::nullopt);
  for (int i = 0; i < 6; ++i) {
    const auto frame = source->next();
    ASSERT_TRUE(frame) << i;
    EXPECT_EQ(frame->index, i);
    EXPECT_NEAR(frame->time_ms, 50.0 * i, 1e-6);
    // Observed 4: two conversions of colour and the loss of JPEG.
    EXPECT_LE(largest_difference(frame->image.view().crop(18, 18, 12, 12),
                                 numbered(i).view().crop(18, 18, 12, 12)),
              8)
        << i;
    EXPECT_EQ(frame->image.extent(), (Extent{64, 48}));
  }
  EXPECT_FALSE(source->next());
  EXPECT_FALSE(source->next());
}

TEST_F(Video, OptionsApply) {
  FramesOptions options;
  options.step = 2;
  options.decode.scale_denominator = 2;
  options.decode.channels = Channels::grey;
  options.decoder_threads = 2;
  const auto source = frames(written("a.avi", sample_avi(5)), options);
  std::vector<std::int64_t> indices;
  while (const auto frame = source->next()) {
    indices.push_back(frame->index);
    EXPECT_EQ(frame->image.extent(), (Extent{32, 24}));
    EXPECT_EQ(frame->image.channels(), 1);
    EXPECT_NEAR(frame->time_ms, 50.0 * static_cast<double>(frame->index), 1e-6);
  }
  EXPECT_EQ(indices, (std::vector<std::int64_t>{0, 2, 4}));
}

TEST_F(Video, DamagedFrameIsReportedAndPassed) {
  std::vector<ByteVector> jpegs;
  for (int i = 0; i < 4; ++i) {
    jpegs.push_back(jpeg_of(numbered(i)));
  }
  jpegs[2].resize(40);  // nothing but the beginning of a header
  const auto source = frames(written("b.avi", avi_of(jpegs, {64, 48})));
  std::vector<std::int64_t> good;
  int errors = 0;
  for (;;) {
    try {
      const auto frame = source->next();
      if (!frame) {
        break;
      }
      good.push_back(frame->index);
    } catch (const Error& e) {
      ++errors;
      EXPECT_EQ(e.code(), ErrorCode::corrupt_data) << e.what();
      EXPECT_NE(e.context().find("b.avi"), std::string::npos);
    }
  }
  EXPECT_EQ(errors, 1);
  EXPECT_EQ(good, (std::vector<std::int64_t>{0, 1, 3}));
}

TEST_F(Video, TruncationNeverGivesHalfAFrame) {
  const ByteVector whole = sample_avi(4);
  const fs::path path = folder_.path() / "cut.avi";
  for (std::size_t part = 0; part < 50; ++part) {
    written("cut.avi", std::span(whole).first(whole.size() * part / 50));
    try {
      const auto source = frames(path);
      while (const auto frame = source->next()) {
        EXPECT_LE(largest_difference(
                      frame->image.view().crop(18, 18, 12, 12),
                      numbered(static_cast<int>(frame->index)).view().crop(18, 18, 12, 12)),
                  8)
            << part << " " << frame->index;
        // The last rows are there too.
        EXPECT_LE(largest_difference(frame->image.view().crop(40, 34, 20, 14),
                                     numbered(0).view().crop(40, 34, 20, 14)),
                  12)
            << part;
      }
    } catch (const Error& e) {
      EXPECT_NE(e.code(), ErrorCode::internal) << e.what();
    }
  }
}

TEST_F(Video, CapIsKept) {
  FramesOptions options;
  options.decode.max_pixels = 64 * 48 - 1;
  const Error e = error_of(written("a.avi", sample_avi(2)), options);
  EXPECT_EQ(e.code(), ErrorCode::out_of_memory) << e.what();
}

TEST_F(Video, WhatIsNoVideoIsRefused) {
  const Error text = error_of(written("notes.txt", to_bytes("just some words\n")));
  EXPECT_TRUE(text.code() == ErrorCode::unsupported || text.code() == ErrorCode::corrupt_data)
      << text.what();
  const ByteVector scrambled = to_bytes(std::string(5000, 'x'));
  EXPECT_NE(error_of(written("x.mp4", scrambled)).code(), ErrorCode::internal);
}

TEST_F(Video, PlaylistsAreNotFollowed) {
  const fs::path target = written("a.avi", sample_avi(2));
  const std::string lists[] = {
      "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n" + target.string() + "\n#EXT-X-ENDLIST\n",
      "ffconcat version 1.0\nfile '" + target.string() + "'\n",
      "v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=video 9 RTP/AVP 26\n"};
  const char* names[] = {"list.m3u8", "list.ffconcat", "list.sdp"};
  for (int i = 0; i < 3; ++i) {
    const Error e = error_of(written(names[i], to_bytes(lists[i])));
    EXPECT_TRUE(e.code() == ErrorCode::unsupported || e.code() == ErrorCode::corrupt_data)
        << names[i] << ": " << e.what();
  }
}

/// Runs in a process of its own, in which sosia's libraries lie in a folder without the module.
TEST(VideoModule, DISABLED_IsMissing) {
  EXPECT_FALSE(video_available());
  const TemporaryFolder folder;
  write_file(folder.path() / "a.avi", sample_avi(1));
  const Error e = error_of(folder.path() / "a.avi");
  EXPECT_EQ(e.code(), ErrorCode::missing_feature) << e.what();
  EXPECT_NE(e.hint().find("libavformat-dev"), std::string::npos);
  EXPECT_NE(e.message().find("libsosia_image_video.so"), std::string::npos);
}

TEST(VideoModule, AbsenceIsAMissingFeature) {
  const TemporaryFolder folder;
  const fs::path libraries = fs::path(SOSIA_BINARY_DIR) / "lib" / "sosia";
  for (const char* name : {"libsosia_core.so", "libsosia_image.so"}) {
    fs::copy_file(libraries / name, folder.path() / name);
  }
  const std::string program = fs::read_symlink("/proc/self/exe").string();
  const std::string command = "LD_LIBRARY_PATH='" + folder.path().string() + "' '" + program +
                              "' --gtest_also_run_disabled_tests "
                              "--gtest_filter=VideoModule.DISABLED_IsMissing >'" +
                              (folder.path() / "log").string() + "' 2>&1";
  EXPECT_EQ(std::system(command.c_str()), 0) << read_text(folder.path() / "log");
}

}  // namespace
}  // namespace sosia::image

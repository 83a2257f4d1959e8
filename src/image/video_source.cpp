// The side of the video module's border that libsosia_image.so holds: turns what the module gives
// into frames and errors.

#include "image/video_source.hpp"

#include "image/codecs.hpp"
#include "image/video_abi.h"
#include "sosia/core/c_module.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/text.hpp"
#include "sosia/image/transform.hpp"

#include <fmt/format.h>

namespace sosia::image {
namespace fs = std::filesystem;
namespace {

constexpr const char* kModule = "libsosia_image_video.so";

/// The module, or null with the `reason` why there is none.
const SosiaVideoApi* module(std::string& reason) {
  static CModule<SosiaVideoApi> file(kModule, SOSIA_VIDEO_FACTORY, SOSIA_VIDEO_ABI);
  return file.open(reason);
}

Error as_error(const SosiaVideoError& error, const fs::path& path) {
  ErrorCode code = ErrorCode::internal;
  switch (error.code) {
    case SOSIA_VIDEO_CORRUPT:
      code = ErrorCode::corrupt_data;
      break;
    case SOSIA_VIDEO_UNSUPPORTED:
      code = ErrorCode::unsupported;
      break;
    case SOSIA_VIDEO_IO:
      code = ErrorCode::io;
      break;
    case SOSIA_VIDEO_MEMORY:
      code = ErrorCode::out_of_memory;
      break;
    default:
      break;
  }
  return Error(code, error.text, {}, path.string());
}

class VideoFile : public FrameSource {
 public:
  VideoFile(const SosiaVideoApi& api, const fs::path& path, const FramesOptions& options)
      : api_(api), path_(path), options_(options) {
    SosiaVideoError error{};
    reader_ = api_.open(path.c_str(), options.decode.max_pixels, options.decoder_threads, &error);
    if (reader_ == nullptr) {
      throw as_error(error, path);
    }
  }
  ~VideoFile() override { api_.close(reader_); }
  VideoFile(const VideoFile&) = delete;
  VideoFile& operator=(const VideoFile&) = delete;

  std::optional<Frame> next() override {
    const std::int64_t skip = passed_ == 0 ? 0 : options_.step - 1;
    SosiaVideoFrame raw{};
    SosiaVideoError error{};
    std::int64_t consumed = 0;
    const std::int32_t status = api_.next(reader_, skip, &raw, &consumed, &error);
    passed_ += consumed;
    if (status == 0) {
      return std::nullopt;
    }
    if (status < 0) {
      throw as_error(error, path_).add_context(fmt::format("frame {}", passed_ - 1));
    }
    Frame frame;
    frame.image = finished(
        {raw.data, raw.width_px, raw.height_px, 3, static_cast<std::ptrdiff_t>(raw.stride_bytes)},
        raw.quarter_turns);
    frame.index = passed_ - 1;
    frame.time_ms = raw.time_ms;
    frame.source = path_.string();
    return frame;
  }

  std::optional<std::int64_t> frame_count() const override { return std::nullopt; }

 private:
  /// Scale, rotation and channels as DecodeOptions asks.
  Image finished(ImageView frame, int quarter_turns) const {
    const Extent scaled = scaled_extent(frame.extent(), options_.decode.scale_denominator);
    Image image = resize(frame, scaled.width_px, scaled.height_px, Interpolation::area);
    if (options_.decode.apply_orientation && quarter_turns != 0) {
      image = rotate_90(image, quarter_turns);
    }
    switch (options_.decode.channels) {
      case Channels::grey:
        return convert(image, Conversion::to_grey);
      case Channels::rgba:
        return convert(image, Conversion::to_rgba);
      case Channels::as_stored:
      case Channels::rgb:
        break;
    }
    return image;
  }

  const SosiaVideoApi& api_;
  fs::path path_;
  FramesOptions options_;
  SosiaVideoReader* reader_ = nullptr;
  std::int64_t passed_ = 0;
};

}  // namespace

bool video_available() {
  std::string ignored;
  return module(ignored) != nullptr;
}

std::unique_ptr<FrameSource> open_video(const fs::path& path, const FramesOptions& options) {
  std::string reason;
  const SosiaVideoApi* api = module(reason);
  if (api == nullptr) {
    throw Error(ErrorCode::missing_feature,
                fmt::format("{} is no picture, and video files need the module {}, which cannot be "
                            "opened: {}",
                            quote(path.string(), 200), kModule, reason),
                "install libavformat-dev libavcodec-dev libavutil-dev libswscale-dev and build "
                "again with -DSOSIA_WITH_FFMPEG=ON");
  }
  return std::make_unique<VideoFile>(*api, path, options);
}

}  // namespace sosia::image

// The side of the video module's border that libsosia_image.so holds: finds the module beside
// itself, opens it once, and turns what it gives into frames and errors.

#include "image/video_source.hpp"

#include "image/codecs.hpp"
#include "image/video_abi.h"
#include "sosia/core/error.hpp"
#include "sosia/core/text.hpp"
#include "sosia/image/transform.hpp"

#include <mutex>

#include <dlfcn.h>
#include <fmt/format.h>

namespace sosia::image {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kModule = "libsosia_image_video.so";

/// The folder of the library that this code is in.
fs::path own_folder() {
  static const char anchor = 0;
  Dl_info info{};
  if (dladdr(&anchor, &info) == 0 || info.dli_fname == nullptr) {
    return {};
  }
  return fs::path(info.dli_fname).parent_path();
}

struct Module {
  const SosiaVideoApi* api = nullptr;
  std::string reason;  ///< why there is none
};

Module load_module() {
  const fs::path path = own_folder() / kModule;
  // Never closed: FFmpeg keeps threads and tables, and there is one module per process.
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    const char* reason = dlerror();
    return {nullptr, reason == nullptr ? "unknown reason" : reason};
  }
  using Factory = const SosiaVideoApi* (*)();
  const auto factory = reinterpret_cast<Factory>(dlsym(handle, SOSIA_VIDEO_FACTORY));
  const SosiaVideoApi* api = factory == nullptr ? nullptr : factory();
  if (api == nullptr || api->abi != SOSIA_VIDEO_ABI) {
    return {nullptr, "it belongs to another version of sosia"};
  }
  return {api, {}};
}

/// The module, opened at most once; an absent one is looked for again by the next call.
Module module() {
  static std::mutex mutex;
  static Module loaded;
  const std::lock_guard lock(mutex);
  if (loaded.api == nullptr) {
    loaded = load_module();
  }
  return loaded;
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
  return module().api != nullptr;
}

std::unique_ptr<FrameSource> open_video(const fs::path& path, const FramesOptions& options) {
  const Module video = module();
  if (video.api == nullptr) {
    throw Error(ErrorCode::missing_feature,
                fmt::format("{} is no picture, and video files need the module {}, which cannot be "
                            "opened: {}",
                            quote(path.string(), 200), kModule, video.reason),
                "install libavformat-dev libavcodec-dev libavutil-dev libswscale-dev and build "
                "again with -DSOSIA_WITH_FFMPEG=ON");
  }
  return std::make_unique<VideoFile>(*video.api, path, options);
}

}  // namespace sosia::image

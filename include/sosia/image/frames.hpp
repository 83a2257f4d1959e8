#pragma once
// Frames of a folder of pictures, of a single picture or of a video file, by one interface.
//
// Video needs the module libsosia_image_video.so (built where FFmpeg's development files are found,
// feature FFMPEG). It is opened on first use, so that nothing else pays for FFmpeg's libraries.

#include "sosia/image/decode.hpp"
#include "sosia/image/image.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace sosia::image {

struct Frame {
  Image image;
  std::int64_t index = 0;  ///< position in the source, counted from 0 before skipping
  double time_ms = 0;      ///< since the first frame; from the container for video
  std::string source;      ///< file that it came from
};

struct FramesOptions {
  /// Of every picture; for video max_pixels, apply_orientation (the rotation that phones store),
  /// scale_denominator and channels count.
  DecodeOptions decode;
  int step = 1;                ///< every n-th frame only, n >= 1
  double folder_rate_hz = 25;  ///< frames per second that a folder's pictures stand for, > 0
  int decoder_threads = 1;     ///< for video, 1 to 64
};

/// A stream of frames, pulled. Thread-safety: one thread per object.
class FrameSource {
 public:
  virtual ~FrameSource() = default;
  /// The next frame, or nothing at the end. Throws corrupt_data (or another Error, with the file in
  /// its context) for a frame that cannot be decoded; the source has then moved past it, and the
  /// next call goes on with the frame after it. Ends after an error that cannot be passed.
  virtual std::optional<Frame> next() = 0;
  /// How many frames there are before skipping, where that is known (folders: always).
  virtual std::optional<std::int64_t> frame_count() const = 0;
};

/// Opens `path`. A folder gives its pictures (not those of subfolders, not names that begin with a
/// dot), recognised by content, in natural order of their names (frame_9 before frame_10); files
/// that are no pictures are passed over. A picture file gives one frame. Any other file is opened
/// as video.
///
/// Video colours become RGB by the matrix and range that the stream declares (undeclared: BT.601
/// below 720 lines, else BT.709). Only local files and self-contained containers are opened:
/// playlists and network addresses are not followed.
///
/// Throws not_found or io for the path, invalid_argument for options, missing_feature (naming what
/// to install) for a video when the module is absent, unsupported or corrupt_data when FFmpeg
/// cannot open it, out_of_memory when its frames exceed max_pixels.
std::unique_ptr<FrameSource> frames(const std::filesystem::path& path,
                                    const FramesOptions& options = {});

/// Whether this installation can open video files; opens the module to find out.
bool video_available();

}  // namespace sosia::image

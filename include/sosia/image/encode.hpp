#pragma once
// From pictures to files and to bytes for reports.

#include "sosia/core/files.hpp"
#include "sosia/image/decode.hpp"
#include "sosia/image/image.hpp"

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace sosia::image {

/// An encoded picture and what it is: what core reports embed.
struct Encoded {
  std::vector<std::byte> bytes;
  std::string media_type;
};

/// How many luma pixels share one colour sample in JPEG.
enum class Subsampling { none_444, half_422, quarter_420 };

struct EncodeOptions {
  int quality = 90;                                    ///< JPEG and lossy WebP, 1 to 100
  Subsampling subsampling = Subsampling::quarter_420;  ///< JPEG; grey pictures have none
  bool progressive = false;                            ///< JPEG
  int compression = 6;                                 ///< PNG, 0 (fast) to 9 (small)
  bool lossless = false;                               ///< WebP
  /// What shows through where a format without alpha (JPEG, PNM) is given 4 channels.
  Colour background = kWhite;
};

/// Encodes as JPEG, PNG, WebP or PNM (P5 for grey, P6 otherwise). The same pixels and options give
/// the same bytes on every run (no time stamps, fixed filters); another version of a codec library
/// may give others. WebP has no grey: it becomes RGB. Throws invalid_argument for an invalid view
/// or option, unsupported for GIF and BMP and for sides beyond a format's limit (JPEG 65,535, WebP
/// 16,383).
Encoded encode(ImageView picture, Format format, const EncodeOptions& options = {});

/// The format that a file name's extension asks for: .jpg .jpeg .png .webp .pgm .ppm .pnm, any
/// case. Throws invalid_argument for others.
Format format_for_extension(const std::filesystem::path& path);

/// Encodes in the format of the extension and writes atomically. Throws as `encode` and AtomicFile.
void save(const std::filesystem::path& path, ImageView picture, const EncodeOptions& options = {},
          Overwrite overwrite = Overwrite::refuse);

}  // namespace sosia::image

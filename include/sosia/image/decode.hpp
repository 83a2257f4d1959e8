#pragma once
// From files to pictures. The format is told by content, never by a file's name. Input is treated
// as hostile: sizes come from the header and are capped before anything is allocated, and a file
// that is cut off or damaged is an error with the codec's reason, never half a picture.
//
// Formats: JPEG (libjpeg-turbo; baseline and progressive, 8 bit, grey, YCbCr, RGB, CMYK, YCCK), PNG
// (libpng; all depths and colour types, interlaced; of an APNG the default image), WebP (libwebp;
// lossy, lossless, first frame of an animation), GIF (giflib; first frame), BMP (uncompressed 1, 4,
// 8, 16, 24, 32 bit), PBM, PGM and PPM (P1 to P6). HEIC, AVIF, TIFF, JPEG 2000, JPEG XL and others
// are recognised and refused by name.

#include "sosia/image/image.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>

namespace sosia::image {

enum class Format { jpeg, png, webp, gif, bmp, pnm };

/// "JPEG", "PNG", ...
std::string_view format_name(Format format);
/// "image/jpeg", ...; PNM is "image/x-portable-anymap".
std::string_view media_type(Format format);

/// EXIF orientation (tag 0x0112), values as in the standard. The name says what makes the stored
/// picture upright; `decode` does it.
enum class Orientation {
  upright = 1,
  mirror = 2,  ///< swap left and right
  rotate_180 = 3,
  flip = 4,        ///< swap top and bottom
  transpose = 5,   ///< swap rows and columns
  rotate_90 = 6,   ///< a quarter turn clockwise
  transverse = 7,  ///< swap rows and columns along the other diagonal
  rotate_270 = 8   ///< a quarter turn anticlockwise
};

enum class ColourModel { grey, rgb, palette, cmyk };

/// What a header says.
struct ImageInfo {
  Format format = Format::jpeg;
  Extent extent;  ///< as stored, before orientation
  ColourModel colour_model = ColourModel::rgb;
  bool has_alpha = false;  ///< an alpha channel or a transparent palette entry or colour
  int bit_depth = 8;       ///< per channel (per index for palettes)
  Orientation orientation = Orientation::upright;  ///< from EXIF in JPEG, PNG or WebP
  int frames = 1;            ///< of an animation; more than the first is not decoded
  bool progressive = false;  ///< progressive JPEG or interlaced PNG or GIF

  /// As shown: sides swapped for the orientations 5 to 8.
  Extent upright_extent() const;
};

/// What the caller wants.
enum class Channels {
  as_stored,  ///< 1 for grey, 3 for colour, 4 where the file has alpha (grey with alpha too)
  grey,       ///< luma (ITU-R BT.601); alpha composited over `background`
  rgb,        ///< alpha composited over `background`
  rgba        ///< alpha kept, 255 where the file has none
};

struct DecodeOptions {
  /// Refuse pictures of more stored pixels than this (whatever the scale), from the header.
  std::int64_t max_pixels = 200'000'000;
  /// Shrink to ceil(side / n) on the way, n = 1, 2, 4 or 8: inside the inverse DCT for JPEG (fast,
  /// little memory), by area averaging for the others.
  int scale_denominator = 1;
  /// Turn and mirror the picture upright as EXIF says.
  bool apply_orientation = true;
  Channels channels = Channels::rgb;
  /// What shows through transparent pixels when alpha is not kept.
  Colour background = kWhite;
  /// Refuse JPEG files with more scans than this (1 to 500), or whose scans * pixels exceed 20 *
  /// max_pixels: every scan costs a pass over the picture, however few bytes it has.
  int max_progressive_scans = 100;
};

struct Decoded {
  Image image;
  ImageInfo info;                                          ///< of the file, before all options
  Orientation applied_orientation = Orientation::upright;  ///< what `image` was corrected for
};

/// Reads the header. `bytes` need not be the whole file: what decides the answer is mostly in the
/// first kilobytes; `frames` counts as far as `bytes` go. Throws unsupported for formats that sosia
/// does not read (by name where recognised) and for variants (12-bit or arithmetic JPEG,
/// run-length BMP); corrupt_data when the header is cut off or contradicts itself. Allocates
/// nothing that depends on the claimed extent.
ImageInfo probe(std::span<const std::byte> bytes);

/// The picture. 16-bit samples become round(v / 257), other depths round(v * 255 / maximum); CMYK
/// becomes RGB by (255 - C)(255 - K) / 255 without a profile, inverted samples where an Adobe
/// marker says so; palettes are looked up; grey from a colour JPEG is its stored luma. With alpha
/// kept and a scale, channels are averaged independently.
///
/// Throws as `probe`; corrupt_data with the codec's reason for a damaged or cut-off file;
/// out_of_memory when a cap is exceeded; invalid_argument for options out of range. Thread-safety:
/// any number of calls at once.
Decoded decode(std::span<const std::byte> bytes, const DecodeOptions& options = {});

/// The same for a file (at most kReadCapBytes). Errors carry the path; also not_found and io.
Decoded decode_file(const std::filesystem::path& path, const DecodeOptions& options = {});

/// `probe` of a file.
ImageInfo probe_file(const std::filesystem::path& path);

/// Whether the first bytes (16 are enough) are those of a format that `decode` reads.
bool looks_decodable(std::span<const std::byte> bytes);

}  // namespace sosia::image

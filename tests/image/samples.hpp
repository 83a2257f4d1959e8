#pragma once
// Pictures and files that the tests make for themselves.

#include "sosia/image/decode.hpp"
#include "sosia/image/encode.hpp"
#include "sosia/image/image.hpp"

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace sosia::image::testing {

using ByteVector = std::vector<std::byte>;

// Building files.
void append(ByteVector& out, std::string_view text);
void append(ByteVector& out, const ByteVector& bytes);
void append_u8(ByteVector& out, std::initializer_list<unsigned> values);
void append_le16(ByteVector& out, unsigned value);
void append_le32(ByteVector& out, std::uint32_t value);
void append_be32(ByteVector& out, std::uint32_t value);
ByteVector to_bytes(std::string_view text);

/// Every pixel and channel differs from its neighbours; no symmetry.
Image noise(int width_px, int height_px, int channels, unsigned seed = 1);
/// Slow gradients that JPEG keeps nearly exactly; no symmetry.
Image gradient(int width_px, int height_px, int channels);
/// The largest absolute difference of any channel; 256 when the shapes differ.
int largest_difference(ImageView a, ImageView b);

ByteVector jpeg_of(ImageView picture, const EncodeOptions& options = {});
/// A CMYK JPEG written by TurboJPEG, which marks it as Adobe does; `cmyk` has 4 channels.
ByteVector cmyk_jpeg_of(ImageView cmyk);
/// The file with an APP1 segment behind the start-of-image marker.
ByteVector with_exif(const ByteVector& jpeg, const ByteVector& exif);
/// "Exif\0\0" and a TIFF block that holds the orientation.
ByteVector exif_block(unsigned orientation, bool little_endian);
/// Offset of the first `marker` (the byte behind 0xff) of a JPEG; fails the test when absent.
std::size_t find_marker(const ByteVector& jpeg, unsigned marker);

/// A PNG with anything that libpng can write. `samples` are rows of packed or 8- or 16-bit (big
/// endian) samples as libpng takes them.
struct PngRecipe {
  int width_px = 0;
  int height_px = 0;
  int bit_depth = 8;
  int colour_type = 0;
  bool interlaced = false;
  std::vector<Colour> palette;               ///< alphas become tRNS
  std::vector<std::uint16_t> transparent{};  ///< grey, or red green blue: tRNS for no palette
};
ByteVector png_of(const PngRecipe& recipe, const ByteVector& samples);
/// The file with a chunk of that type and content, and a right CRC, behind the header chunk.
ByteVector with_png_chunk(const ByteVector& png, std::string_view type, const ByteVector& content);

struct GifRecipe {
  int screen_width_px = 0;
  int screen_height_px = 0;
  int x = 0;
  int y = 0;
  bool interlaced = false;
  int transparent_index = -1;
  int frames = 1;  ///< the same frame again
};
/// A GIF of a palette of 64 colours; `indices` is a grey picture with values below 64.
ByteVector gif_of(const GifRecipe& recipe, ImageView indices);
/// The colour of the palette of `gif_of`.
Colour gif_colour(unsigned index);

/// An animated WebP of one frame at (2, 4) on a canvas.
ByteVector animated_webp_of(ImageView frame, Extent canvas);
/// A still WebP in an extended container with an EXIF chunk.
ByteVector webp_with_exif(ImageView picture, const ByteVector& exif);

/// 16-bit bit-field layouts are red 5, green 6, blue 5.
enum class BmpKind { bits1, bits4, bits8, bits16, bits24, bits32, fields16, fields32_alpha };
/// BMP of a grey (1, 4, 8 bits: the palette is grey), RGB or RGBA picture.
ByteVector bmp_of(ImageView picture, BmpKind kind, bool top_down = false);

/// One small valid file of every kind that is read, by name.
struct Sample {
  std::string name;
  ByteVector bytes;
};
std::vector<Sample> all_samples();

}  // namespace sosia::image::testing

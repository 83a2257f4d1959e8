#pragma once
// What the targets of the image room share: decode with small caps, look at every pixel, and hold
// the reader to what its header promises. Used by the fuzz targets and by the test of kept inputs.

#include "sosia/core/error.hpp"
#include "sosia/image.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <vector>

namespace sosia::fuzz {

using Bytes = std::span<const std::byte>;

/// Ends the program in a fuzz target and fails a test.
inline void require(bool condition, const char* promise) {
  if (!condition) throw std::logic_error(promise);
}

/// Reads every byte, so that the sanitizers see what was left unwritten or freed.
inline void touch(image::ImageView picture) {
  static volatile unsigned sink = 0;
  unsigned sum = 0;
  for (int y = 0; y < picture.height_px; ++y) {
    for (int i = 0; i < picture.width_px * picture.channels; ++i) sum += picture.row(y)[i];
  }
  sink = sink + sum;
}

/// Runs `code`. A bad file is refused in a word about the file, never as a fault of the caller or
/// of the program.
template <class Code>
bool refused(Code&& code) {
  try {
    code();
    return false;
  } catch (const Error& error) {
    require(error.code() != ErrorCode::internal, "no file leads to an internal error");
    require(error.code() != ErrorCode::invalid_argument, "no file is an invalid argument");
    require(!error.message().empty(), "every error has a message");
    return true;
  }
}

inline void decode_as(Bytes bytes, image::Channels channels, int scale_denominator) {
  image::DecodeOptions options;
  options.max_pixels = 1 << 18;
  options.max_progressive_scans = 20;
  options.channels = channels;
  options.scale_denominator = scale_denominator;
  refused([&] {
    const image::Decoded decoded = image::decode(bytes, options);
    touch(decoded.image);
    const image::Extent full = decoded.info.upright_extent();
    const auto shrunk = [&](int side) {
      return (side + scale_denominator - 1) / scale_denominator;
    };
    require(decoded.image.extent() == image::Extent{shrunk(full.width_px), shrunk(full.height_px)},
            "the picture has the extent that its header promises");
    const image::ImageInfo info = image::probe(bytes);
    require(info.extent == decoded.info.extent && info.orientation == decoded.info.orientation,
            "probing and decoding read the same header");
  });
}

/// Any file.
inline void exercise_decode(Bytes bytes) {
  decode_as(bytes, image::Channels::as_stored, 1);
  decode_as(bytes, image::Channels::rgb, 2);
  decode_as(bytes, image::Channels::rgba, 4);
  decode_as(bytes, image::Channels::grey, 8);
  refused([&] { image::probe(bytes.first(bytes.size() / 2)); });
}

/// A small JPEG file of 8 x 8 pixels.
inline const std::vector<std::byte>& small_jpeg() {
  static const std::vector<std::byte> file =
      image::encode(image::Image(8, 8, 3, image::kWhite), image::Format::jpeg).bytes;
  return file;
}

/// small_jpeg() with `segments` behind its first marker.
inline std::vector<std::byte> jpeg_with(Bytes segments) {
  constexpr std::ptrdiff_t kStartOfImageBytes = 2;
  std::vector<std::byte> out = small_jpeg();
  out.insert(out.begin() + kStartOfImageBytes, segments.begin(), segments.end());
  return out;
}

/// An APP1 segment with "Exif\0\0" before `block`.
inline std::vector<std::byte> exif_segment(Bytes block) {
  const std::size_t length = 2 + 6 + block.size();
  std::vector<std::byte> out;
  for (const std::size_t v :
       {std::size_t{0xff}, std::size_t{0xe1}, length >> 8, length & 255, std::size_t{'E'},
        std::size_t{'x'}, std::size_t{'i'}, std::size_t{'f'}, std::size_t{0}, std::size_t{0}}) {
    out.push_back(static_cast<std::byte>(v));
  }
  out.insert(out.end(), block.begin(), block.end());
  return out;
}

/// Marker segments in front of a picture, and a TIFF block as EXIF holds it.
inline void exercise_jpeg_head(Bytes bytes) {
  exercise_decode(jpeg_with(bytes));
  constexpr std::size_t kMostInSegment = 65'000;
  if (bytes.size() > kMostInSegment) return;
  // Whatever the block holds, a sound file stays one, and it is turned as its header says.
  const bool unreadable = refused([&] {
    const image::Decoded decoded = image::decode(jpeg_with(exif_segment(bytes)));
    const int orientation = static_cast<int>(decoded.info.orientation);
    require(orientation >= 1 && orientation <= 8, "an orientation is 1 to 8");
    require(decoded.applied_orientation == decoded.info.orientation, "what EXIF says is applied");
  });
  require(!unreadable, "bad EXIF is no reason to refuse a picture");
}

}  // namespace sosia::fuzz

#pragma once
// Reading numbers out of untrusted bytes, and the two ways to report that they are bad.

#include "sosia/image/decode.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace sosia::image {

using Bytes = std::span<const std::byte>;

/// Whether `count` bytes from `offset` exist; never overflows.
inline bool has(Bytes bytes, std::size_t offset, std::size_t count) {
  return offset <= bytes.size() && count <= bytes.size() - offset;
}

// The loads below need has() to have been asked.
inline std::uint32_t u8(Bytes bytes, std::size_t offset) {
  return std::to_integer<std::uint32_t>(bytes[offset]);
}
inline std::uint32_t be16(Bytes bytes, std::size_t offset) {
  return u8(bytes, offset) << 8 | u8(bytes, offset + 1);
}
inline std::uint32_t le16(Bytes bytes, std::size_t offset) {
  return u8(bytes, offset + 1) << 8 | u8(bytes, offset);
}
inline std::uint32_t be32(Bytes bytes, std::size_t offset) {
  return be16(bytes, offset) << 16 | be16(bytes, offset + 2);
}
inline std::uint32_t le32(Bytes bytes, std::size_t offset) {
  return le16(bytes, offset + 2) << 16 | le16(bytes, offset);
}

/// Whether the bytes from `offset` on begin with `text`.
inline bool starts_with(Bytes bytes, std::size_t offset, std::string_view text) {
  if (!has(bytes, offset, text.size())) {
    return false;
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (u8(bytes, offset + i) != static_cast<unsigned char>(text[i])) {
      return false;
    }
  }
  return true;
}

inline const std::uint8_t* as_u8(Bytes bytes) {
  return reinterpret_cast<const std::uint8_t*>(bytes.data());
}

/// corrupt_data: "damaged PNG file: <reason>".
[[noreturn]] void throw_damaged(Format format, std::string_view reason);
/// corrupt_data: "the GIF file is cut off after 120 bytes: <what is missing>".
[[noreturn]] void throw_cut_off(Format format, Bytes bytes, std::string_view missing);
/// unsupported: "<what>".
[[noreturn]] void throw_unsupported(std::string what, std::string hint = {});

/// The orientation in a TIFF block as EXIF has it, with or without "Exif\0\0" in front. Bad or
/// absent EXIF means upright: it is no reason to refuse a picture.
Orientation exif_orientation(Bytes exif);

}  // namespace sosia::image

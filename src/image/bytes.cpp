#include "image/bytes.hpp"

#include "sosia/core/error.hpp"

#include <fmt/format.h>

namespace sosia::image {

void throw_damaged(Format format, std::string_view reason) {
  throw Error(ErrorCode::corrupt_data,
              fmt::format("damaged {} file: {}", format_name(format), reason),
              "the file was damaged or cut off on its way; get it again from its source");
}

void throw_cut_off(Format format, Bytes bytes, std::string_view missing) {
  throw Error(ErrorCode::corrupt_data,
              fmt::format("the {} file is cut off after {} bytes: {}", format_name(format),
                          bytes.size(), missing),
              "the file was damaged or cut off on its way; get it again from its source");
}

void throw_unsupported(std::string what, std::string hint) {
  throw Error(ErrorCode::unsupported, std::move(what), std::move(hint));
}

Orientation exif_orientation(Bytes exif) {
  if (starts_with(exif, 0, std::string_view("Exif\0\0", 6))) {
    exif = exif.subspan(6);
  }
  const bool little = starts_with(exif, 0, "II");
  if (!has(exif, 0, 8) || (!little && !starts_with(exif, 0, "MM"))) {
    return Orientation::upright;
  }
  const auto u16 = [&](std::size_t o) { return little ? le16(exif, o) : be16(exif, o); };
  const auto u32 = [&](std::size_t o) { return little ? le32(exif, o) : be32(exif, o); };
  constexpr std::uint32_t kTiffMark = 42;
  constexpr std::uint32_t kOrientationTag = 0x0112;
  constexpr std::uint32_t kShort = 3;
  const std::size_t directory = u32(4);
  if (u16(2) != kTiffMark || !has(exif, directory, 2)) {
    return Orientation::upright;
  }
  const std::uint32_t entries = u16(directory);
  for (std::uint32_t i = 0; i < entries; ++i) {
    const std::size_t entry = directory + 2 + std::size_t{12} * i;
    if (!has(exif, entry, 12)) {
      break;
    }
    if (u16(entry) == kOrientationTag && u16(entry + 2) == kShort) {
      const std::uint32_t value = u16(entry + 8);
      return value >= 1 && value <= 8 ? static_cast<Orientation>(value) : Orientation::upright;
    }
  }
  return Orientation::upright;
}

}  // namespace sosia::image

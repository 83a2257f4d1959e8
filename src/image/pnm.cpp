// PBM, PGM and PPM, plain (P1 to P3) and raw (P4 to P6). Reference: the Netpbm format pages.

#include "image/codecs.hpp"

#include <bit>
#include <vector>

#include <fmt/format.h>

namespace sosia::image {
namespace {

struct Header {
  int kind = 0;  ///< 1 to 6
  Extent extent;
  std::uint32_t most = 1;  ///< the largest sample value
  std::size_t pixel_offset = 0;

  bool bitmap() const { return kind == 1 || kind == 4; }
  int channels() const { return kind == 3 || kind == 6 ? 3 : 1; }
};

bool is_space(std::uint32_t c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}
bool is_digit(std::uint32_t c) {
  return c >= '0' && c <= '9';
}

/// Moves `at` over white space and comments.
void skip_space(Bytes bytes, std::size_t& at) {
  while (has(bytes, at, 1)) {
    if (u8(bytes, at) == '#') {
      while (has(bytes, at, 1) && u8(bytes, at) != '\n') {
        ++at;
      }
    } else if (is_space(u8(bytes, at))) {
      ++at;
    } else {
      return;
    }
  }
}

/// A decimal number up to `most`, after white space and comments.
std::uint32_t read_number(Bytes bytes, std::size_t& at, std::uint32_t most, std::string_view what) {
  skip_space(bytes, at);
  if (!has(bytes, at, 1)) {
    throw_cut_off(Format::pnm, bytes, fmt::format("{} is missing", what));
  }
  if (!is_digit(u8(bytes, at))) {
    throw_damaged(Format::pnm,
                  fmt::format("byte {} should begin {} but is 0x{:02x}", at, what, u8(bytes, at)));
  }
  std::uint64_t value = 0;
  while (has(bytes, at, 1) && is_digit(u8(bytes, at))) {
    value = value * 10 + (u8(bytes, at++) - '0');
    if (value > most) {
      throw_damaged(Format::pnm, fmt::format("{} is above {}", what, most));
    }
  }
  return static_cast<std::uint32_t>(value);
}

Header read_header(Bytes bytes) {
  Header out;
  out.kind = static_cast<int>(u8(bytes, 1) - '0');
  std::size_t at = 2;
  constexpr std::uint32_t kMostSide = 0x7fffffff;
  out.extent.width_px = static_cast<int>(read_number(bytes, at, kMostSide, "the width"));
  out.extent.height_px = static_cast<int>(read_number(bytes, at, kMostSide, "the height"));
  if (!out.bitmap()) {
    out.most = read_number(bytes, at, 65535, "the maximum");
  }
  if (out.extent.width_px == 0 || out.extent.height_px == 0 || out.most == 0) {
    throw_damaged(Format::pnm, fmt::format("its header claims {} x {} pixels with maximum {}",
                                           out.extent.width_px, out.extent.height_px, out.most));
  }
  // Exactly one white-space character separates the header from raw samples.
  if (has(bytes, at, 1) && !is_space(u8(bytes, at))) {
    throw_damaged(Format::pnm, fmt::format("byte {} should be white space", at));
  }
  out.pixel_offset = at + 1;
  return out;
}

/// round(v * 255 / most) for every v.
std::vector<std::uint8_t> scale_table(std::uint32_t most) {
  std::vector<std::uint8_t> table(most + 1);
  for (std::uint32_t v = 0; v <= most; ++v) {
    table[v] = static_cast<std::uint8_t>((v * 255 + most / 2) / most);
  }
  return table;
}

void read_plain(Bytes bytes, const Header& header, Image& image) {
  const std::vector<std::uint8_t> table = scale_table(header.most);
  std::size_t at = header.pixel_offset;
  const int samples = header.extent.width_px * header.channels();
  for (int y = 0; y < header.extent.height_px; ++y) {
    std::uint8_t* out = image.row(y);
    for (int i = 0; i < samples; ++i) {
      if (header.bitmap()) {
        // Bits need no space between them; 1 is black.
        skip_space(bytes, at);
        if (!has(bytes, at, 1)) {
          throw_cut_off(Format::pnm, bytes, fmt::format("row {} is missing", y));
        }
        const std::uint32_t digit = u8(bytes, at++);
        if (digit != '0' && digit != '1') {
          throw_damaged(Format::pnm, fmt::format("byte {} should be 0 or 1", at - 1));
        }
        out[i] = digit == '1' ? 0 : 255;
      } else {
        out[i] = table[read_number(bytes, at, header.most, "a sample")];
      }
    }
  }
}

void read_raw_row(const std::uint8_t* in, const Header& header,
                  const std::vector<std::uint8_t>& table, std::uint8_t* out) {
  const int samples = header.extent.width_px * header.channels();
  for (int i = 0; i < samples; ++i) {
    if (header.bitmap()) {
      out[i] = (in[i / 8] >> (7 - i % 8) & 1) != 0 ? 0 : 255;
      continue;
    }
    const std::uint32_t value =
        header.most > 255 ? static_cast<std::uint32_t>(in[2 * i]) << 8 | in[2 * i + 1] : in[i];
    if (value > header.most) {
      throw_damaged(Format::pnm,
                    fmt::format("a sample is {}; the maximum is {}", value, header.most));
    }
    out[i] = table[value];
  }
}

}  // namespace

ImageInfo probe_pnm(Bytes bytes) {
  const Header header = read_header(bytes);
  ImageInfo info;
  info.format = Format::pnm;
  info.extent = header.extent;
  info.colour_model = header.channels() == 3 ? ColourModel::rgb : ColourModel::grey;
  info.bit_depth = std::bit_width(header.most);
  return info;
}

Image read_pnm(Bytes bytes, const ImageInfo& info, const DecodeOptions&) {
  const Header header = read_header(bytes);
  const auto samples = static_cast<std::uint64_t>(info.extent.width_px) * header.channels();
  const std::uint64_t row_bytes = header.kind < 4     ? samples
                                  : header.kind == 4  ? (samples + 7) / 8
                                  : header.most > 255 ? samples * 2
                                                      : samples;
  const auto height = static_cast<std::uint64_t>(info.extent.height_px);
  // Plain samples take a byte each at the very least.
  if (!has(bytes, header.pixel_offset, row_bytes * height)) {
    throw_cut_off(Format::pnm, bytes,
                  fmt::format("its {} rows take {} bytes at least", height, row_bytes * height));
  }
  Image image =
      Image::for_overwrite(info.extent.width_px, info.extent.height_px, header.channels());
  if (header.kind < 4) {
    read_plain(bytes, header, image);
    return image;
  }
  const std::vector<std::uint8_t> table = scale_table(header.most);
  for (int y = 0; y < info.extent.height_px; ++y) {
    const std::uint8_t* in =
        as_u8(bytes) + header.pixel_offset + row_bytes * static_cast<std::uint64_t>(y);
    read_raw_row(in, header, table, image.row(y));
  }
  return image;
}

}  // namespace sosia::image

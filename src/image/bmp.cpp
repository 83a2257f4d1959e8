// BMP: uncompressed and bit-field pictures of 1, 4, 8, 16, 24 and 32 bits, all Windows headers and
// the first OS/2 one. Reference: Microsoft, "Bitmap Storage" and BITMAPV5HEADER.

#include "image/codecs.hpp"

#include <array>
#include <bit>
#include <vector>

#include <fmt/format.h>

namespace sosia::image {
namespace {

constexpr std::size_t kFileHeaderBytes = 14;
constexpr std::uint32_t kCoreHeaderBytes = 12;

struct Header {
  std::uint32_t header_bytes = 0;
  std::uint32_t pixel_offset = 0;
  Extent extent;
  bool top_down = false;
  int bits = 0;
  std::array<std::uint32_t, 4> masks{};  ///< red, green, blue, alpha; for 16 and 32 bits
  std::size_t palette_offset = 0;
  std::uint32_t palette_colours = 0;

  std::size_t palette_entry_bytes() const { return header_bytes == kCoreHeaderBytes ? 3 : 4; }
};

enum Compression : std::uint32_t {
  kPlain = 0,
  kRunLength8 = 1,
  kRunLength4 = 2,
  kBitFields = 3,
  kJpeg = 4,
  kPng = 5,
  kAlphaBitFields = 6
};

void check_compression(std::uint32_t compression, int bits) {
  if (compression == kRunLength8 || compression == kRunLength4) {
    throw_unsupported(fmt::format("BMP with run-length coding (RLE{}) is not supported",
                                  compression == kRunLength8 ? 8 : 4),
                      "save the picture as PNG");
  }
  if (compression == kJpeg || compression == kPng) {
    throw_unsupported(fmt::format("BMP with a {} inside is not supported",
                                  compression == kJpeg ? "JPEG" : "PNG"));
  }
  const bool fields = compression == kBitFields || compression == kAlphaBitFields;
  if ((compression != kPlain && !fields) || (fields && bits != 16 && bits != 32)) {
    throw_damaged(Format::bmp,
                  fmt::format("its header claims compression {} with {} bits", compression, bits));
  }
}

void check_masks(const Header& header) {
  std::uint32_t seen = 0;
  for (const std::uint32_t mask : header.masks) {
    const std::uint32_t run = mask == 0 ? 0 : mask >> std::countr_zero(mask);
    const bool contiguous = (run & (run + 1)) == 0;
    const bool fits = header.bits == 32 || mask <= 0xffff;
    if (!contiguous || !fits || (seen & mask) != 0) {
      throw_damaged(Format::bmp, fmt::format("its bit mask 0x{:08x} makes no sense", mask));
    }
    seen |= mask;
  }
}

/// Bit masks and what follows them; `compression` is known to fit.
void read_masks(Bytes bytes, std::uint32_t compression, Header& out) {
  if (out.bits != 16 && out.bits != 32) {
    return;
  }
  if (compression == kPlain) {
    out.masks = out.bits == 16 ? std::array<std::uint32_t, 4>{0x7c00, 0x03e0, 0x001f, 0}
                               : std::array<std::uint32_t, 4>{0xff0000, 0x00ff00, 0x0000ff, 0};
    return;
  }
  constexpr std::size_t kMaskOffset = 54;
  constexpr std::uint32_t kHeaderWithAlphaMask = 56;
  const bool alpha = out.header_bytes >= kHeaderWithAlphaMask || compression == kAlphaBitFields;
  const std::size_t count = alpha ? 4 : 3;
  if (!has(bytes, kMaskOffset, 4 * count)) {
    throw_cut_off(Format::bmp, bytes, "it ends inside the header");
  }
  for (std::size_t i = 0; i < count; ++i) {
    out.masks[i] = le32(bytes, kMaskOffset + 4 * i);
  }
  check_masks(out);
}

void read_extent(Bytes bytes, Header& out) {
  std::int64_t width = 0;
  std::int64_t height = 0;
  if (out.header_bytes == kCoreHeaderBytes) {
    width = le16(bytes, 18);
    height = le16(bytes, 20);
    out.bits = static_cast<int>(le16(bytes, 24));
  } else {
    width = static_cast<std::int32_t>(le32(bytes, 18));
    height = static_cast<std::int32_t>(le32(bytes, 22));
    out.bits = static_cast<int>(le16(bytes, 28));
  }
  out.top_down = height < 0;
  height = height < 0 ? -height : height;
  constexpr std::int64_t kMost = 0x7fffffff;
  if (width < 1 || height < 1 || height > kMost) {
    throw_damaged(Format::bmp, fmt::format("its header claims {} x {} pixels", width, height));
  }
  out.extent = {static_cast<int>(width), static_cast<int>(height)};
}

Header read_header(Bytes bytes) {
  if (!has(bytes, 0, kFileHeaderBytes + 4)) {
    throw_cut_off(Format::bmp, bytes, "it ends inside the header");
  }
  Header out;
  out.pixel_offset = le32(bytes, 10);
  out.header_bytes = le32(bytes, 14);
  bool known = false;
  for (const std::uint32_t size : {12U, 40U, 52U, 56U, 108U, 124U}) {
    known = known || out.header_bytes == size;
  }
  if (!known) {
    throw_unsupported(
        fmt::format("BMP with a header of {} bytes is not supported", out.header_bytes));
  }
  if (!has(bytes, kFileHeaderBytes, out.header_bytes)) {
    throw_cut_off(Format::bmp, bytes, "it ends inside the header");
  }
  read_extent(bytes, out);
  const bool core = out.header_bytes == kCoreHeaderBytes;
  const std::uint32_t compression = core ? std::uint32_t{kPlain} : le32(bytes, 30);
  check_compression(compression, out.bits);
  if (out.bits != 1 && out.bits != 4 && out.bits != 8 && out.bits != 16 && out.bits != 24 &&
      out.bits != 32) {
    throw_damaged(Format::bmp, fmt::format("its header claims {} bits per pixel", out.bits));
  }
  out.palette_offset = kFileHeaderBytes + out.header_bytes;
  if (out.pixel_offset < out.palette_offset) {
    throw_damaged(Format::bmp, fmt::format("its header claims that the pixels begin at byte {}",
                                           out.pixel_offset));
  }
  read_masks(bytes, compression, out);
  if (out.bits <= 8) {
    const std::uint32_t full = 1U << out.bits;
    const std::uint32_t claimed = core ? 0 : le32(bytes, 46);
    out.palette_colours = claimed == 0 || claimed > full ? full : claimed;
  }
  return out;
}

struct Rgb {
  std::uint8_t red, green, blue;
};

std::vector<Rgb> read_palette(Bytes bytes, const Header& header) {
  const std::size_t entry = header.palette_entry_bytes();
  if (!has(bytes, header.palette_offset, header.palette_colours * entry)) {
    throw_cut_off(Format::bmp, bytes, "it ends inside the palette");
  }
  std::vector<Rgb> palette;
  for (std::uint32_t i = 0; i < header.palette_colours; ++i) {
    const std::size_t at = header.palette_offset + i * entry;
    palette.push_back({static_cast<std::uint8_t>(u8(bytes, at + 2)),
                       static_cast<std::uint8_t>(u8(bytes, at + 1)),
                       static_cast<std::uint8_t>(u8(bytes, at))});
  }
  return palette;
}

void paint_palette_row(const std::uint8_t* in, const Header& header,
                       const std::vector<Rgb>& palette, std::uint8_t* out) {
  const int per_byte = 8 / header.bits;
  const unsigned mask = (1U << header.bits) - 1;
  for (int x = 0; x < header.extent.width_px; ++x, out += 3) {
    const int shift = 8 - header.bits * (x % per_byte + 1);
    const unsigned index = in[x / per_byte] >> shift & mask;
    if (index >= palette.size()) {
      throw_damaged(Format::bmp,
                    fmt::format("a pixel has the palette index {} of {}", index, palette.size()));
    }
    out[0] = palette[index].red;
    out[1] = palette[index].green;
    out[2] = palette[index].blue;
  }
}

/// One channel of a bit-field pixel as round(v * 255 / most).
struct Field {
  std::uint32_t mask = 0;
  int shift = 0;
  std::uint64_t most = 1;

  explicit Field(std::uint32_t m)
      : mask(m), shift(m == 0 ? 0 : std::countr_zero(m)), most(m == 0 ? 1 : m >> shift) {}
  std::uint8_t of(std::uint32_t pixel) const {
    const std::uint64_t value = (pixel & mask) >> shift;
    return static_cast<std::uint8_t>((value * 255 + most / 2) / most);
  }
};

void paint_field_row(const std::uint8_t* in, const Header& header,
                     const std::array<Field, 4>& fields, int channels, std::uint8_t* out) {
  const int step = header.bits / 8;
  for (int x = 0; x < header.extent.width_px; ++x, in += step, out += channels) {
    std::uint32_t pixel = in[0] | static_cast<std::uint32_t>(in[1]) << 8;
    if (step == 4) {
      pixel |= static_cast<std::uint32_t>(in[2]) << 16 | static_cast<std::uint32_t>(in[3]) << 24;
    }
    for (int c = 0; c < channels; ++c) {
      out[c] = fields[static_cast<std::size_t>(c)].of(pixel);
    }
  }
}

void paint_rgb_row(const std::uint8_t* in, int width_px, std::uint8_t* out) {
  for (int x = 0; x < width_px; ++x, in += 3, out += 3) {
    out[0] = in[2];
    out[1] = in[1];
    out[2] = in[0];
  }
}

}  // namespace

ImageInfo probe_bmp(Bytes bytes) {
  const Header header = read_header(bytes);
  ImageInfo info;
  info.format = Format::bmp;
  info.extent = header.extent;
  info.colour_model = header.bits <= 8 ? ColourModel::palette : ColourModel::rgb;
  info.has_alpha = header.masks[3] != 0;
  info.bit_depth = header.bits <= 8    ? header.bits
                   : header.bits == 24 ? 8
                                       : std::popcount(header.masks[0]);
  return info;
}

Image read_bmp(Bytes bytes, const ImageInfo& info, const DecodeOptions&) {
  const Header header = read_header(bytes);
  const auto width = static_cast<std::uint64_t>(header.extent.width_px);
  const auto height = static_cast<std::uint64_t>(header.extent.height_px);
  const auto bits = static_cast<std::uint64_t>(header.bits);
  const std::uint64_t row_bytes = (width * bits + 7) / 8;
  const std::uint64_t stride = (width * bits + 31) / 32 * 4;
  // The padding behind the last row is often left out.
  const std::uint64_t needed = stride * (height - 1) + row_bytes;
  if (!has(bytes, header.pixel_offset, needed)) {
    throw_cut_off(Format::bmp, bytes,
                  fmt::format("its pixels end at byte {}", header.pixel_offset + needed));
  }
  const std::vector<Rgb> palette = read_palette(bytes, header);
  const std::array<Field, 4> fields{Field(header.masks[0]), Field(header.masks[1]),
                                    Field(header.masks[2]), Field(header.masks[3])};
  const int channels = info.has_alpha ? 4 : 3;
  Image image = Image::for_overwrite(info.extent.width_px, info.extent.height_px, channels);
  for (int y = 0; y < info.extent.height_px; ++y) {
    const auto stored_row =
        static_cast<std::uint64_t>(header.top_down ? y : info.extent.height_px - 1 - y);
    const std::uint8_t* in = as_u8(bytes) + header.pixel_offset + stored_row * stride;
    if (header.bits <= 8) {
      paint_palette_row(in, header, palette, image.row(y));
    } else if (header.bits == 24) {
      paint_rgb_row(in, info.extent.width_px, image.row(y));
    } else {
      paint_field_row(in, header, fields, channels, image.row(y));
    }
  }
  return image;
}

}  // namespace sosia::image

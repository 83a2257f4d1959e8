// PNG through libpng with settings that the room never writes, BMP by hand, and the list of all
// samples.

#include "image/samples.hpp"

#include <csetjmp>
#include <span>
#include <stdexcept>

#include <fmt/format.h>
#include <png.h>

namespace sosia::image::testing {
namespace {

void write_bytes(png_structp png, png_bytep data, std::size_t size) {
  auto& out = *static_cast<ByteVector*>(png_get_io_ptr(png));
  const auto bytes = std::as_bytes(std::span(data, size));
  out.insert(out.end(), bytes.begin(), bytes.end());
}

[[noreturn]] void fail(png_structp, png_const_charp message) {
  throw std::runtime_error(message);
}

void set_transparency(png_structp png, png_infop info, const PngRecipe& recipe) {
  std::vector<png_color> palette;
  std::vector<png_byte> alphas;
  bool transparent = false;
  for (const Colour& colour : recipe.palette) {
    palette.push_back({colour.red, colour.green, colour.blue});
    alphas.push_back(colour.alpha);
    transparent = transparent || colour.alpha != 255;
  }
  if (!palette.empty()) {
    png_set_PLTE(png, info, palette.data(), static_cast<int>(palette.size()));
  }
  if (transparent) {
    png_set_tRNS(png, info, alphas.data(), static_cast<int>(alphas.size()), nullptr);
  }
  if (!recipe.transparent.empty()) {
    png_color_16 key{};
    key.gray = key.red = recipe.transparent[0];
    if (recipe.transparent.size() == 3) {
      key.green = recipe.transparent[1];
      key.blue = recipe.transparent[2];
    }
    png_set_tRNS(png, info, nullptr, 0, &key);
  }
}

}  // namespace

ByteVector png_of(const PngRecipe& recipe, const ByteVector& samples) {
  ByteVector out;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, fail, nullptr);
  png_infop info = png_create_info_struct(png);
  png_set_write_fn(png, &out, write_bytes, [](png_structp) {});
  png_set_IHDR(png, info, static_cast<png_uint_32>(recipe.width_px),
               static_cast<png_uint_32>(recipe.height_px), recipe.bit_depth, recipe.colour_type,
               recipe.interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  set_transparency(png, info, recipe);
  png_write_info(png, info);
  const std::size_t row_bytes = png_get_rowbytes(png, info);
  if (samples.size() != row_bytes * static_cast<std::size_t>(recipe.height_px)) {
    throw std::runtime_error("wrong number of sample bytes");
  }
  std::vector<png_bytep> rows;
  for (int y = 0; y < recipe.height_px; ++y) {
    rows.push_back(reinterpret_cast<png_bytep>(const_cast<std::byte*>(samples.data())) +
                   row_bytes * static_cast<std::size_t>(y));
  }
  png_write_image(png, rows.data());
  png_write_end(png, nullptr);
  png_destroy_write_struct(&png, &info);
  return out;
}

ByteVector with_png_chunk(const ByteVector& png, std::string_view type, const ByteVector& content) {
  constexpr std::ptrdiff_t kBehindHeader = 33;
  ByteVector out(png.begin(), png.begin() + kBehindHeader);
  append_be32(out, static_cast<std::uint32_t>(content.size()));
  ByteVector covered = to_bytes(type);
  append(covered, content);
  append(out, covered);
  // CRC-32 of ISO 3309, bit by bit.
  std::uint32_t crc = 0xffffffffU;
  for (const std::byte b : covered) {
    crc ^= std::to_integer<std::uint32_t>(b);
    for (int i = 0; i < 8; ++i) {
      crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xedb88320U : 0);
    }
  }
  append_be32(out, ~crc);
  out.insert(out.end(), png.begin() + kBehindHeader, png.end());
  return out;
}

namespace {

int bits_of(BmpKind kind) {
  switch (kind) {
    case BmpKind::bits1:
      return 1;
    case BmpKind::bits4:
      return 4;
    case BmpKind::bits8:
      return 8;
    case BmpKind::bits16:
    case BmpKind::fields16:
      return 16;
    case BmpKind::bits24:
      return 24;
    case BmpKind::bits32:
    case BmpKind::fields32_alpha:
      return 32;
  }
  return 0;
}

ByteVector bmp_row(const std::uint8_t* in, int width_px, BmpKind kind) {
  ByteVector row;
  const int bits = bits_of(kind);
  unsigned packed = 0;
  for (int x = 0; x < width_px; ++x) {
    if (bits <= 8) {
      packed = packed << bits | static_cast<unsigned>(in[x] >> (8 - bits));
      if ((x + 1) * bits % 8 == 0 || x + 1 == width_px) {
        const int filled = (x % (8 / bits) + 1) * bits;
        append_u8(row, {packed << (8 - filled) & 255});
        packed = 0;
      }
    } else if (kind == BmpKind::bits16) {
      append_le16(row, static_cast<unsigned>(in[3 * x] >> 3 << 10 | in[3 * x + 1] >> 3 << 5 |
                                             in[3 * x + 2] >> 3));
    } else if (kind == BmpKind::fields16) {
      append_le16(row, static_cast<unsigned>(in[3 * x] >> 3 << 11 | in[3 * x + 1] >> 2 << 5 |
                                             in[3 * x + 2] >> 3));
    } else if (kind == BmpKind::fields32_alpha) {
      append_u8(row, {in[4 * x + 2], in[4 * x + 1], in[4 * x], in[4 * x + 3]});
    } else {
      append_u8(row, {in[3 * x + 2], in[3 * x + 1], in[3 * x]});
      if (bits == 32) {
        append_u8(row, {0x5a});  // reserved, to be ignored
      }
    }
  }
  while (row.size() % 4 != 0) {
    append_u8(row, {0});
  }
  return row;
}

}  // namespace

ByteVector bmp_of(ImageView picture, BmpKind kind, bool top_down) {
  const int bits = bits_of(kind);
  const bool alpha = kind == BmpKind::fields32_alpha;
  const bool fields = alpha || kind == BmpKind::fields16;
  ByteVector header;
  append_le32(header, alpha ? 56 : 40);
  append_le32(header, static_cast<std::uint32_t>(picture.width_px));
  append_le32(header,
              static_cast<std::uint32_t>(top_down ? -picture.height_px : picture.height_px));
  append_le16(header, 1);
  append_le16(header, static_cast<unsigned>(bits));
  append_le32(header, fields ? 3 : 0);
  for (int i = 0; i < 5; ++i) {
    append_le32(header, 0);
  }
  if (fields) {
    for (const std::uint32_t mask : alpha ? std::vector<std::uint32_t>{0xff0000, 0xff00, 0xff}
                                          : std::vector<std::uint32_t>{0xf800, 0x07e0, 0x001f}) {
      append_le32(header, mask);
    }
    if (alpha) {
      append_le32(header, 0xff000000U);
    }
  }
  for (unsigned i = 0; bits <= 8 && i < 1U << bits; ++i) {
    const unsigned grey = i * 255 / ((1U << bits) - 1);
    append_u8(header, {grey, grey, grey, 0});
  }
  ByteVector out = to_bytes("BM");
  append_le32(out, 0);
  append_le32(out, 0);
  append_le32(out, static_cast<std::uint32_t>(14 + header.size()));
  append(out, header);
  for (int i = 0; i < picture.height_px; ++i) {
    const int y = top_down ? i : picture.height_px - 1 - i;
    append(out, bmp_row(picture.row(y), picture.width_px, kind));
  }
  return out;
}

namespace {

ByteVector sample_bytes(std::size_t count) {
  ByteVector out;
  for (std::size_t i = 0; i < count; ++i) {
    out.push_back(static_cast<std::byte>(i * 37 + i / 7));
  }
  return out;
}

void add_jpegs(std::vector<Sample>& out) {
  EncodeOptions progressive;
  progressive.progressive = true;
  out.push_back({"jpeg", jpeg_of(gradient(40, 30, 3))});
  out.push_back({"jpeg grey", jpeg_of(noise(33, 21, 1))});
  out.push_back({"jpeg progressive", jpeg_of(noise(40, 24, 3), progressive)});
  out.push_back({"jpeg cmyk", cmyk_jpeg_of(noise(24, 24, 4))});
  out.push_back({"jpeg exif", with_exif(jpeg_of(gradient(40, 24, 3)), exif_block(6, true))});
}

void add_pngs(std::vector<Sample>& out) {
  out.push_back({"png", encode(noise(20, 15, 3), Format::png).bytes});
  out.push_back({"png alpha", encode(noise(20, 15, 4), Format::png).bytes});
  PngRecipe deep{17, 12, 16, PNG_COLOR_TYPE_RGB, true, {}};
  out.push_back({"png 16 bit interlaced", png_of(deep, sample_bytes(17 * 12 * 6))});
  PngRecipe palette{30, 20, 2, PNG_COLOR_TYPE_PALETTE, false, {}};
  palette.palette = {{0, 0, 0, 0}, {255, 0, 0, 255}, {0, 255, 0, 128}, {0, 0, 255, 255}};
  out.push_back({"png palette", png_of(palette, sample_bytes(8 * 20))});
}

void add_pnms(std::vector<Sample>& out) {
  for (int kind = 1; kind <= 6; ++kind) {
    std::string text = fmt::format("P{}\n# made by a test\n16 12\n", kind);
    const int samples = 16 * 12 * (kind == 3 || kind == 6 ? 3 : 1);
    if (kind != 1 && kind != 4) {
      text += "200\n";
    }
    for (int i = 0; kind < 4 && i < samples; ++i) {
      text += fmt::format("{}{}", kind == 1 ? i % 3 % 2 : i % 201, i % 16 == 15 ? '\n' : ' ');
    }
    ByteVector bytes = to_bytes(text);
    for (int i = 0; kind >= 4 && i < (kind == 4 ? 2 * 12 : samples); ++i) {
      append_u8(bytes, {static_cast<unsigned>(i % 201)});
    }
    out.push_back({fmt::format("pnm P{}", kind), bytes});
  }
}

}  // namespace

std::vector<Sample> all_samples() {
  std::vector<Sample> out;
  add_jpegs(out);
  add_pngs(out);
  EncodeOptions lossless;
  lossless.lossless = true;
  out.push_back({"webp", encode(gradient(40, 30, 3), Format::webp).bytes});
  out.push_back({"webp alpha", encode(noise(24, 20, 4), Format::webp).bytes});
  out.push_back({"webp lossless", encode(noise(24, 20, 3), Format::webp, lossless).bytes});
  out.push_back({"webp animated", animated_webp_of(noise(20, 16, 4), {30, 24})});
  out.push_back({"webp exif", webp_with_exif(noise(20, 16, 3), exif_block(5, false))});
  Image indices = noise(24, 20, 1);
  for (int y = 0; y < 20; ++y) {
    for (int x = 0; x < 24; ++x) {
      indices.row(y)[x] &= 63;
    }
  }
  out.push_back({"gif", gif_of({24, 20}, indices)});
  out.push_back({"gif interlaced", gif_of({30, 30, 3, 5, true, 7, 3}, indices)});
  for (const auto& [name, kind] :
       {std::pair{"bmp 1", BmpKind::bits1}, std::pair{"bmp 4", BmpKind::bits4},
        std::pair{"bmp 8", BmpKind::bits8}}) {
    out.push_back({name, bmp_of(noise(45, 20, 1), kind)});
  }
  for (const auto& [name, kind] :
       {std::pair{"bmp 16", BmpKind::bits16}, std::pair{"bmp 24", BmpKind::bits24},
        std::pair{"bmp 32", BmpKind::bits32}, std::pair{"bmp fields", BmpKind::fields16}}) {
    out.push_back({name, bmp_of(noise(21, 20, 3), kind, true)});
  }
  out.push_back({"bmp alpha", bmp_of(noise(15, 20, 4), BmpKind::fields32_alpha)});
  add_pnms(out);
  return out;
}

}  // namespace sosia::image::testing

#include "image/samples.hpp"

#include <cstring>
#include <memory>
#include <random>
#include <span>
#include <stdexcept>

#include <gif_lib.h>
#include <gtest/gtest.h>
#include <turbojpeg.h>

namespace sosia::image::testing {

void append(ByteVector& out, std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  out.insert(out.end(), bytes.begin(), bytes.end());
}

void append(ByteVector& out, const ByteVector& bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

void append_u8(ByteVector& out, std::initializer_list<unsigned> values) {
  for (const unsigned value : values) {
    out.push_back(static_cast<std::byte>(value));
  }
}

void append_le16(ByteVector& out, unsigned value) {
  append_u8(out, {value & 255, value >> 8 & 255});
}

void append_le32(ByteVector& out, std::uint32_t value) {
  append_u8(out, {value & 255, value >> 8 & 255, value >> 16 & 255, value >> 24});
}

void append_be32(ByteVector& out, std::uint32_t value) {
  append_u8(out, {value >> 24, value >> 16 & 255, value >> 8 & 255, value & 255});
}

ByteVector to_bytes(std::string_view text) {
  ByteVector out;
  append(out, text);
  return out;
}

Image noise(int width_px, int height_px, int channels, unsigned seed) {
  Image image(width_px, height_px, channels);
  std::mt19937 random(seed);
  for (int y = 0; y < height_px; ++y) {
    for (int i = 0; i < width_px * channels; ++i) {
      image.row(y)[i] = static_cast<std::uint8_t>(random() & 255);
    }
  }
  return image;
}

Image gradient(int width_px, int height_px, int channels) {
  Image image(width_px, height_px, channels);
  for (int y = 0; y < height_px; ++y) {
    for (int x = 0; x < width_px; ++x) {
      const int across = 255 * x / std::max(width_px - 1, 1);
      const int down = 255 * y / std::max(height_px - 1, 1);
      const int values[4] = {across, down, (across + 2 * down) / 3, 255 - across / 2};
      for (int c = 0; c < channels; ++c) {
        image.pixel(x, y)[c] = static_cast<std::uint8_t>(values[c]);
      }
    }
  }
  return image;
}

int largest_difference(ImageView a, ImageView b) {
  if (a.extent() != b.extent() || a.channels != b.channels) {
    return 256;
  }
  int largest = 0;
  for (int y = 0; y < a.height_px; ++y) {
    for (int i = 0; i < a.width_px * a.channels; ++i) {
      largest = std::max(largest, std::abs(a.row(y)[i] - b.row(y)[i]));
    }
  }
  return largest;
}

ByteVector jpeg_of(ImageView picture, const EncodeOptions& options) {
  return encode(picture, Format::jpeg, options).bytes;
}

ByteVector cmyk_jpeg_of(ImageView cmyk) {
  const std::unique_ptr<void, int (*)(void*)> handle(tjInitCompress(), tjDestroy);
  unsigned char* raw = nullptr;
  unsigned long size = 0;
  const int status =
      tjCompress2(handle.get(), cmyk.data, cmyk.width_px, static_cast<int>(cmyk.stride_bytes),
                  cmyk.height_px, TJPF_CMYK, &raw, &size, TJSAMP_444, 100, 0);
  const std::unique_ptr<unsigned char, void (*)(unsigned char*)> owned(raw, tjFree);
  if (status != 0) {
    throw std::runtime_error(tjGetErrorStr2(handle.get()));
  }
  const auto bytes = std::as_bytes(std::span(raw, size));
  return {bytes.begin(), bytes.end()};
}

ByteVector with_exif(const ByteVector& jpeg, const ByteVector& exif) {
  ByteVector out(jpeg.begin(), jpeg.begin() + 2);
  const unsigned length = static_cast<unsigned>(exif.size()) + 2;
  append_u8(out, {0xff, 0xe1, length >> 8, length & 255});
  append(out, exif);
  out.insert(out.end(), jpeg.begin() + 2, jpeg.end());
  return out;
}

ByteVector exif_block(unsigned orientation, bool little_endian) {
  ByteVector out = to_bytes(std::string_view("Exif\0\0", 6));
  // A directory of two entries at offset 8: image width (a decoy), then the orientation.
  if (little_endian) {
    append(out, "II");
    append_u8(out, {42, 0, 8, 0, 0, 0, 2, 0});
    append_u8(out, {0x00, 0x01, 3, 0, 1, 0, 0, 0, 7, 0, 0, 0});
    append_u8(out, {0x12, 0x01, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0});
  } else {
    append(out, "MM");
    append_u8(out, {0, 42, 0, 0, 0, 8, 0, 2});
    append_u8(out, {0x01, 0x00, 0, 3, 0, 0, 0, 1, 0, 7, 0, 0});
    append_u8(out, {0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0});
  }
  append_u8(out, {0, 0, 0, 0});
  return out;
}

std::size_t find_marker(const ByteVector& jpeg, unsigned marker) {
  for (std::size_t i = 0; i + 1 < jpeg.size(); ++i) {
    if (jpeg[i] == std::byte{0xff} && jpeg[i + 1] == static_cast<std::byte>(marker)) {
      return i;
    }
  }
  throw std::runtime_error("marker not found");
}

Colour gif_colour(unsigned index) {
  return {static_cast<std::uint8_t>(index * 4), static_cast<std::uint8_t>(255 - index * 3),
          static_cast<std::uint8_t>(index * index % 256), 255};
}

namespace {

int write_gif(GifFileType* gif, const GifByteType* data, int size) {
  auto& out = *static_cast<ByteVector*>(gif->UserData);
  const auto bytes = std::as_bytes(std::span(data, static_cast<std::size_t>(size)));
  out.insert(out.end(), bytes.begin(), bytes.end());
  return size;
}

void write_gif_frame(GifFileType* gif, const GifRecipe& recipe, ImageView indices) {
  GraphicsControlBlock control{};
  control.TransparentColor = recipe.transparent_index;
  GifByteType extension[4];
  EGifGCBToExtension(&control, extension);
  EGifPutExtension(gif, GRAPHICS_EXT_FUNC_CODE, 4, extension);
  EGifPutImageDesc(gif, recipe.x, recipe.y, indices.width_px, indices.height_px, recipe.interlaced,
                   nullptr);
  std::vector<int> rows;
  if (recipe.interlaced) {
    const int passes[4][2] = {{0, 8}, {4, 8}, {2, 4}, {1, 2}};
    for (const auto& pass : passes) {
      for (int y = pass[0]; y < indices.height_px; y += pass[1]) {
        rows.push_back(y);
      }
    }
  } else {
    for (int y = 0; y < indices.height_px; ++y) {
      rows.push_back(y);
    }
  }
  for (const int y : rows) {
    EGifPutLine(gif, const_cast<GifByteType*>(indices.row(y)), indices.width_px);
  }
}

void append_chunk(ByteVector& out, std::string_view type, const ByteVector& content) {
  append(out, type);
  append_le32(out, static_cast<std::uint32_t>(content.size()));
  append(out, content);
  if (content.size() % 2 != 0) {
    append_u8(out, {0});
  }
}

void append_le24(ByteVector& out, unsigned value) {
  append_u8(out, {value & 255, value >> 8 & 255, value >> 16 & 255});
}

ByteVector riff_of(const ByteVector& chunks) {
  ByteVector out = to_bytes("RIFF");
  append_le32(out, static_cast<std::uint32_t>(chunks.size() + 4));
  append(out, "WEBP");
  append(out, chunks);
  return out;
}

ByteVector extended_header(unsigned flags, Extent canvas) {
  ByteVector out;
  append_u8(out, {flags, 0, 0, 0});
  append_le24(out, static_cast<unsigned>(canvas.width_px - 1));
  append_le24(out, static_cast<unsigned>(canvas.height_px - 1));
  return out;
}

/// The bitstream chunk of a lossless still WebP.
ByteVector bitstream_chunk(ImageView picture) {
  EncodeOptions options;
  options.lossless = true;
  const ByteVector still = encode(picture, Format::webp, options).bytes;
  return {still.begin() + 12, still.end()};
}

}  // namespace

ByteVector gif_of(const GifRecipe& recipe, ImageView indices) {
  ByteVector out;
  int error = 0;
  GifFileType* gif = EGifOpen(&out, write_gif, &error);
  ColorMapObject* palette = GifMakeMapObject(64, nullptr);
  for (unsigned i = 0; i < 64; ++i) {
    const Colour colour = gif_colour(i);
    palette->Colors[i] = {colour.red, colour.green, colour.blue};
  }
  EGifSetGifVersion(gif, true);
  EGifPutScreenDesc(gif, recipe.screen_width_px, recipe.screen_height_px, 6, 0, palette);
  for (int i = 0; i < recipe.frames; ++i) {
    write_gif_frame(gif, recipe, indices);
  }
  EGifCloseFile(gif, &error);
  GifFreeMapObject(palette);
  return out;
}

ByteVector animated_webp_of(ImageView frame, Extent canvas) {
  constexpr unsigned kAnimation = 0x02;
  constexpr unsigned kAlpha = 0x10;
  ByteVector chunks;
  append_chunk(chunks, "VP8X", extended_header(kAnimation | kAlpha, canvas));
  append_chunk(chunks, "ANIM", ByteVector(6));
  ByteVector content;
  append_le24(content, 2 / 2);
  append_le24(content, 4 / 2);
  append_le24(content, static_cast<unsigned>(frame.width_px - 1));
  append_le24(content, static_cast<unsigned>(frame.height_px - 1));
  append_le24(content, 100);
  append_u8(content, {0});
  append(content, bitstream_chunk(frame));
  append_chunk(chunks, "ANMF", content);
  return riff_of(chunks);
}

ByteVector webp_with_exif(ImageView picture, const ByteVector& exif) {
  constexpr unsigned kExif = 0x08;
  ByteVector chunks;
  append_chunk(chunks, "VP8X", extended_header(kExif, picture.extent()));
  append(chunks, bitstream_chunk(picture));
  append_chunk(chunks, "EXIF", exif);
  return riff_of(chunks);
}

}  // namespace sosia::image::testing

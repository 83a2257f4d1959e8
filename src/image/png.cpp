// PNG by libpng.
//
// libpng reports errors by longjmp. Every function that it may jump out of (the run_* ones) keeps
// nothing with a destructor on its stack: all memory is owned by the callers.

#include "image/codecs.hpp"
#include "sosia/core/error.hpp"

#include <algorithm>
#include <csetjmp>
#include <cstring>
#include <vector>

#include <fmt/format.h>
#include <png.h>

namespace sosia::image {
namespace {

constexpr std::size_t kSignatureBytes = 8;
constexpr std::size_t kFirstChunkBytes = 25;

/// What the callbacks of libpng need: plain data only.
struct Source {
  const std::uint8_t* data = nullptr;
  std::size_t size = 0;
  std::size_t position = 0;
  char reason[160] = "unknown error";
};

void on_error(png_structp png, png_const_charp message) {
  auto* source = static_cast<Source*>(png_get_error_ptr(png));
  std::strncpy(source->reason, message, sizeof source->reason - 1);
  source->reason[sizeof source->reason - 1] = '\0';
  png_longjmp(png, 1);
}

/// Warnings are about ancillary chunks (colour profiles, text) that we do not use.
void on_warning(png_structp, png_const_charp) {}

void on_read(png_structp png, png_bytep into, std::size_t count) {
  auto* source = static_cast<Source*>(png_get_io_ptr(png));
  if (count > source->size - source->position) {
    png_error(png, "the file ends early");
  }
  std::memcpy(into, source->data + source->position, count);
  source->position += count;
}

/// Owns libpng's two structures.
class Reader {
 public:
  explicit Reader(Source& source) {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, &source, on_error, on_warning);
    info_ = png_ == nullptr ? nullptr : png_create_info_struct(png_);
    if (info_ == nullptr) {
      png_destroy_read_struct(&png_, nullptr, nullptr);
      throw Error(ErrorCode::out_of_memory, "no memory to start libpng");
    }
    png_set_read_fn(png_, &source, on_read);
  }
  ~Reader() { png_destroy_read_struct(&png_, &info_, nullptr); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  png_structp png() const { return png_; }
  png_infop info() const { return info_; }

 private:
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
};

/// Reads up to the pixels and asks for 8-bit grey, RGB or RGBA. False on error.
bool run_header(png_structp png, png_infop info) {
  if (setjmp(png_jmpbuf(png)) != 0) {
    return false;
  }
  png_set_user_limits(png, kMaxSidePx, kMaxSidePx);
  png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, nullptr, 0);
  png_read_info(png, info);
  png_set_expand(png);    // palettes and small depths to 8 bits, tRNS to alpha
  png_set_scale_16(png);  // round(v / 257), where png_set_strip_16 would cut
  const int colour_type = png_get_color_type(png, info);
  const bool alpha =
      (colour_type & PNG_COLOR_MASK_ALPHA) != 0 || png_get_valid(png, info, PNG_INFO_tRNS) != 0;
  if (alpha) {
    png_set_gray_to_rgb(png);
  }
  png_set_interlace_handling(png);
  png_read_update_info(png, info);
  return true;
}

/// Reads all rows and the chunks behind them. False on error.
bool run_pixels(png_structp png, png_bytepp rows) {
  if (setjmp(png_jmpbuf(png)) != 0) {
    return false;
  }
  png_read_image(png, rows);
  png_read_end(png, nullptr);
  return true;
}

/// Calls `visit(type, content)` for every whole chunk until it returns false.
template <class Visit>
void for_each_chunk(Bytes bytes, Visit&& visit) {
  std::size_t at = kSignatureBytes;
  while (has(bytes, at, 12)) {
    const std::size_t length = be32(bytes, at);
    if (!has(bytes, at + 12, length) || !visit(at + 4, bytes.subspan(at + 8, length))) {
      return;
    }
    at += 12 + length;
  }
}

void check_header(std::uint32_t depth, std::uint32_t colour_type) {
  const auto one_of = [depth](std::initializer_list<std::uint32_t> depths) {
    return std::find(depths.begin(), depths.end(), depth) != depths.end();
  };
  const bool valid = colour_type == PNG_COLOR_TYPE_GRAY      ? one_of({1, 2, 4, 8, 16})
                     : colour_type == PNG_COLOR_TYPE_PALETTE ? one_of({1, 2, 4, 8})
                     : colour_type == PNG_COLOR_TYPE_RGB ||
                             colour_type == PNG_COLOR_TYPE_GRAY_ALPHA ||
                             colour_type == PNG_COLOR_TYPE_RGB_ALPHA
                         ? one_of({8, 16})
                         : false;
  if (!valid) {
    throw_damaged(Format::png, fmt::format("its header claims {} bits of the colour type {}", depth,
                                           colour_type));
  }
}

}  // namespace

ImageInfo probe_png(Bytes bytes) {
  if (!has(bytes, kSignatureBytes, kFirstChunkBytes)) {
    throw_cut_off(Format::png, bytes, "it ends inside the header");
  }
  if (!starts_with(bytes, kSignatureBytes + 4, "IHDR") || be32(bytes, kSignatureBytes) != 13) {
    throw_damaged(Format::png, "it does not begin with a header chunk");
  }
  const std::uint32_t width = be32(bytes, 16);
  const std::uint32_t height = be32(bytes, 20);
  constexpr std::uint32_t kMost = 0x7fffffff;
  if (width == 0 || height == 0 || width > kMost || height > kMost) {
    throw_damaged(Format::png, fmt::format("its header claims {} x {} pixels", width, height));
  }
  const std::uint32_t colour_type = u8(bytes, 25);
  check_header(u8(bytes, 24), colour_type);
  ImageInfo info;
  info.format = Format::png;
  info.extent = {static_cast<int>(width), static_cast<int>(height)};
  info.bit_depth = static_cast<int>(u8(bytes, 24));
  info.colour_model = (colour_type & PNG_COLOR_MASK_PALETTE) != 0 ? ColourModel::palette
                      : (colour_type & PNG_COLOR_MASK_COLOR) != 0 ? ColourModel::rgb
                                                                  : ColourModel::grey;
  info.has_alpha = (colour_type & PNG_COLOR_MASK_ALPHA) != 0;
  info.progressive = u8(bytes, 28) != 0;
  bool pixels_seen = false;
  for_each_chunk(bytes, [&](std::size_t type, Bytes content) {
    if (starts_with(bytes, type, "IDAT")) {
      pixels_seen = true;
    } else if (starts_with(bytes, type, "tRNS") && !pixels_seen) {
      info.has_alpha = true;
    } else if (starts_with(bytes, type, "acTL") && !pixels_seen && content.size() >= 8) {
      info.frames = static_cast<int>(std::clamp(be32(content, 0), 1U, kMost));
    } else if (starts_with(bytes, type, "eXIf")) {
      info.orientation = exif_orientation(content);
    }
    return !starts_with(bytes, type, "IEND");
  });
  return info;
}

Image read_png(Bytes bytes, const ImageInfo& info, const DecodeOptions&) {
  Source source{as_u8(bytes), bytes.size()};
  const Reader reader(source);
  if (!run_header(reader.png(), reader.info())) {
    throw_damaged(Format::png, source.reason);
  }
  const int channels = png_get_channels(reader.png(), reader.info());
  Image image = Image::for_overwrite(info.extent.width_px, info.extent.height_px, channels);
  const std::size_t row_bytes = png_get_rowbytes(reader.png(), reader.info());
  if (row_bytes != static_cast<std::size_t>(info.extent.width_px) * channels) {
    throw Error(ErrorCode::internal,
                fmt::format("libpng gives rows of {} bytes for {} pixels of {} "
                            "channels",
                            row_bytes, info.extent.width_px, channels));
  }
  std::vector<png_bytep> rows(static_cast<std::size_t>(info.extent.height_px));
  for (int y = 0; y < info.extent.height_px; ++y) {
    rows[static_cast<std::size_t>(y)] = image.row(y);
  }
  if (!run_pixels(reader.png(), rows.data())) {
    throw_damaged(Format::png, source.reason);
  }
  return image;
}

}  // namespace sosia::image

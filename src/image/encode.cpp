#include "sosia/image/encode.hpp"

#include "sosia/core/error.hpp"
#include "sosia/core/text.hpp"
#include "sosia/image/transform.hpp"

#include <csetjmp>
#include <cstring>
#include <memory>
#include <span>

#include <fmt/format.h>
#include <png.h>
#include <turbojpeg.h>
#include <webp/encode.h>

namespace sosia::image {
namespace {

std::vector<std::byte> copied(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  return {bytes.begin(), bytes.end()};
}

void require_range(std::string_view name, int value, int least, int most) {
  if (value < least || value > most) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("{} is {}; it must be {} to {}", name, value, least, most));
  }
}

void require_sides(ImageView picture, int most, Format format) {
  if (picture.width_px > most || picture.height_px > most) {
    throw Error(ErrorCode::unsupported,
                fmt::format("{} holds sides up to {}, the picture has {} x {} pixels",
                            format_name(format), most, picture.width_px, picture.height_px),
                "resize it, or save it as PNG");
  }
}

std::vector<std::byte> encode_jpeg(ImageView picture, const EncodeOptions& options) {
  require_range("quality", options.quality, 1, 100);
  require_sides(picture, 65'535, Format::jpeg);
  const std::unique_ptr<void, int (*)(void*)> handle(tjInitCompress(), tjDestroy);
  if (!handle) {
    throw Error(ErrorCode::out_of_memory, "no memory to start libjpeg-turbo");
  }
  const bool grey = picture.channels == 1;
  const int subsampling = grey                                           ? TJSAMP_GRAY
                          : options.subsampling == Subsampling::none_444 ? TJSAMP_444
                          : options.subsampling == Subsampling::half_422 ? TJSAMP_422
                                                                         : TJSAMP_420;
  unsigned char* raw = nullptr;
  unsigned long size = 0;
  const int status = tjCompress2(
      handle.get(), picture.data, picture.width_px, static_cast<int>(picture.stride_bytes),
      picture.height_px, grey ? TJPF_GRAY : TJPF_RGB, &raw, &size, subsampling, options.quality,
      TJFLAG_ACCURATEDCT | (options.progressive ? TJFLAG_PROGRESSIVE : 0));
  const std::unique_ptr<unsigned char, void (*)(unsigned char*)> owned(raw, tjFree);
  if (status != 0) {
    throw Error(ErrorCode::internal,
                fmt::format("libjpeg-turbo cannot encode a picture of {} x {} pixels: {}",
                            picture.width_px, picture.height_px, tjGetErrorStr2(handle.get())));
  }
  return copied(raw, size);
}

/// Where libpng writes to. It reports errors by longjmp, past the frames of its own code only: the
/// functions below keep nothing with a destructor on their stack while it runs.
struct PngSink {
  std::vector<std::byte>* bytes = nullptr;
  char reason[160] = "unknown error";
};

void on_png_error(png_structp png, png_const_charp message) {
  auto* sink = static_cast<PngSink*>(png_get_error_ptr(png));
  std::strncpy(sink->reason, message, sizeof sink->reason - 1);
  sink->reason[sizeof sink->reason - 1] = '\0';
  png_longjmp(png, 1);
}

bool append(PngSink& sink, const std::uint8_t* data, std::size_t size) noexcept {
  try {
    const auto bytes = std::as_bytes(std::span(data, size));
    sink.bytes->insert(sink.bytes->end(), bytes.begin(), bytes.end());
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }
}

void on_png_write(png_structp png, png_bytep data, std::size_t size) {
  if (!append(*static_cast<PngSink*>(png_get_io_ptr(png)), data, size)) {
    png_error(png, "out of memory");
  }
}

bool run_png(png_structp png, png_infop info, const ImageView* picture, int compression) {
  if (setjmp(png_jmpbuf(png)) != 0) {
    return false;
  }
  const int colour_type = picture->channels == 1   ? PNG_COLOR_TYPE_GRAY
                          : picture->channels == 3 ? PNG_COLOR_TYPE_RGB
                                                   : PNG_COLOR_TYPE_RGB_ALPHA;
  png_set_user_limits(png, kMaxSidePx, kMaxSidePx);
  png_set_IHDR(png, info, static_cast<png_uint_32>(picture->width_px),
               static_cast<png_uint_32>(picture->height_px), 8, colour_type, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_BASE, PNG_FILTER_TYPE_BASE);
  png_set_compression_level(png, compression);
  png_set_filter(png, PNG_FILTER_TYPE_BASE, PNG_ALL_FILTERS);
  png_write_info(png, info);
  for (int y = 0; y < picture->height_px; ++y) {
    png_write_row(png, picture->row(y));
  }
  png_write_end(png, info);
  return true;
}

std::vector<std::byte> encode_png(ImageView picture, const EncodeOptions& options) {
  require_range("compression", options.compression, 0, 9);
  std::vector<std::byte> bytes;
  PngSink sink{&bytes};
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &sink, on_png_error,
                                            [](png_structp, png_const_charp) {});
  png_infop info = png == nullptr ? nullptr : png_create_info_struct(png);
  bool written = false;
  if (info != nullptr) {
    png_set_write_fn(png, &sink, on_png_write, [](png_structp) {});
    written = run_png(png, info, &picture, options.compression);
  }
  png_destroy_write_struct(&png, &info);
  if (!written) {
    throw Error(ErrorCode::out_of_memory,
                fmt::format("libpng cannot encode a picture of {} x {} pixels: {}",
                            picture.width_px, picture.height_px, sink.reason));
  }
  return bytes;
}

std::vector<std::byte> encode_webp(ImageView picture, const EncodeOptions& options) {
  require_range("quality", options.quality, 1, 100);
  require_sides(picture, WEBP_MAX_DIMENSION, Format::webp);
  const Image coloured = picture.channels == 1 ? convert(picture, Conversion::to_rgb) : Image();
  if (picture.channels == 1) {
    picture = coloured;
  }
  const auto stride = static_cast<int>(picture.stride_bytes);
  const auto quality = static_cast<float>(options.quality);
  const bool alpha = picture.channels == 4;
  std::uint8_t* raw = nullptr;
  std::size_t size = 0;
  if (options.lossless) {
    size = (alpha ? WebPEncodeLosslessRGBA : WebPEncodeLosslessRGB)(
        picture.data, picture.width_px, picture.height_px, stride, &raw);
  } else {
    size = (alpha ? WebPEncodeRGBA : WebPEncodeRGB)(picture.data, picture.width_px,
                                                    picture.height_px, stride, quality, &raw);
  }
  const std::unique_ptr<std::uint8_t, void (*)(void*)> owned(raw, WebPFree);
  if (size == 0) {
    throw Error(ErrorCode::out_of_memory,
                fmt::format("libwebp cannot encode a picture of {} x {} pixels", picture.width_px,
                            picture.height_px));
  }
  return copied(raw, size);
}

std::vector<std::byte> encode_pnm(ImageView picture) {
  const std::string header = fmt::format("P{}\n{} {}\n255\n", picture.channels == 1 ? 5 : 6,
                                         picture.width_px, picture.height_px);
  const std::size_t row_bytes = static_cast<std::size_t>(picture.width_px) * picture.channels;
  std::vector<std::byte> bytes;
  bytes.reserve(header.size() + row_bytes * static_cast<std::size_t>(picture.height_px));
  const auto header_bytes = std::as_bytes(std::span(header));
  bytes.insert(bytes.end(), header_bytes.begin(), header_bytes.end());
  for (int y = 0; y < picture.height_px; ++y) {
    const auto row = std::as_bytes(std::span(picture.row(y), row_bytes));
    bytes.insert(bytes.end(), row.begin(), row.end());
  }
  return bytes;
}

}  // namespace

Encoded encode(ImageView picture, Format format, const EncodeOptions& options) {
  require_valid(picture, "encode");
  const bool opaque_only = format == Format::jpeg || format == Format::pnm;
  const Image flat =
      opaque_only && picture.channels == 4 ? flatten(picture, options.background) : Image();
  if (!flat.empty()) {
    picture = flat;
  }
  const std::string type(media_type(format));
  switch (format) {
    case Format::jpeg:
      return {encode_jpeg(picture, options), type};
    case Format::png:
      return {encode_png(picture, options), type};
    case Format::webp:
      return {encode_webp(picture, options), type};
    case Format::pnm:
      return {encode_pnm(picture), type};
    case Format::gif:
    case Format::bmp:
      break;
  }
  throw Error(ErrorCode::unsupported,
              fmt::format("{} files are read but not written", format_name(format)),
              "use JPEG, PNG, WebP or PNM");
}

Format format_for_extension(const std::filesystem::path& path) {
  const std::string extension = ascii_lower(path.extension().string());
  if (extension == ".jpg" || extension == ".jpeg") {
    return Format::jpeg;
  }
  if (extension == ".png") {
    return Format::png;
  }
  if (extension == ".webp") {
    return Format::webp;
  }
  if (extension == ".pgm" || extension == ".ppm" || extension == ".pnm") {
    return Format::pnm;
  }
  throw Error(ErrorCode::invalid_argument,
              fmt::format("the extension of {} names no picture format that is written",
                          quote(path.string())),
              "use .jpg, .png, .webp, .pgm or .ppm");
}

void save(const std::filesystem::path& path, ImageView picture, const EncodeOptions& options,
          Overwrite overwrite) {
  const Encoded encoded = encode(picture, format_for_extension(path), options);
  write_file(path, encoded.bytes, overwrite);
}

}  // namespace sosia::image

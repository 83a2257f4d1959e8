#include "sosia/image/decode.hpp"

#include "image/codecs.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/files.hpp"
#include "sosia/image/transform.hpp"

#include <array>
#include <optional>

#include <fmt/format.h>

namespace sosia::image {
namespace {

using namespace std::string_view_literals;

struct Codec {
  std::string_view name;
  std::string_view media_type;
  ImageInfo (*probe)(Bytes);
  Image (*read)(Bytes, const ImageInfo&, const DecodeOptions&);
};

/// In the order of Format.
constexpr std::array<Codec, 6> kCodecs{{
    {"JPEG", "image/jpeg", probe_jpeg, read_jpeg},
    {"PNG", "image/png", probe_png, read_png},
    {"WebP", "image/webp", probe_webp, read_webp},
    {"GIF", "image/gif", probe_gif, read_gif},
    {"BMP", "image/bmp", probe_bmp, read_bmp},
    {"PNM", "image/x-portable-anymap", probe_pnm, read_pnm},
}};

const Codec& codec(Format format) {
  return kCodecs[static_cast<std::size_t>(format)];
}

/// Two letters would also be found in texts ("BMW ..."); those have no zero bytes, while a BMP has
/// them in the reserved field at 6 and in the upper half of the pixel offset at 10.
bool begins_bmp(Bytes bytes) {
  return starts_with(bytes, 0, "BM") &&
         (!has(bytes, 6, 8) || le32(bytes, 6) == 0 || le16(bytes, 12) == 0);
}

/// "P1" to "P6", white space or a comment, and the width.
bool begins_pnm(Bytes bytes) {
  if (!has(bytes, 0, 3) || u8(bytes, 0) != 'P' || u8(bytes, 1) < '1' || u8(bytes, 1) > '6') {
    return false;
  }
  const auto separates = [&](std::size_t at) {
    const std::uint32_t c = u8(bytes, at);
    return c == ' ' || c == '#' || (c >= '\t' && c <= '\r');
  };
  if (!separates(2)) {
    return false;
  }
  const bool comment = u8(bytes, 2) == '#';
  return comment || !has(bytes, 3, 1) || separates(3) ||
         (u8(bytes, 3) >= '0' && u8(bytes, 3) <= '9');
}

std::optional<Format> detect(Bytes bytes) {
  if (starts_with(bytes, 0, "\xff\xd8\xff")) {
    return Format::jpeg;
  }
  if (starts_with(bytes, 0, "\x89PNG\r\n\x1a\n")) {
    return Format::png;
  }
  if (starts_with(bytes, 0, "RIFF") && starts_with(bytes, 8, "WEBP")) {
    return Format::webp;
  }
  if (starts_with(bytes, 0, "GIF87a") || starts_with(bytes, 0, "GIF89a")) {
    return Format::gif;
  }
  if (begins_bmp(bytes)) {
    return Format::bmp;
  }
  if (begins_pnm(bytes)) {
    return Format::pnm;
  }
  return std::nullopt;
}

struct Stranger {
  std::size_t offset;
  std::string_view magic;
  std::string_view name;
};

/// What people are likely to hand in, and we do not read. More specific rows first.
constexpr Stranger kStrangers[] = {
    {4, "ftypavif", "AVIF"},
    {4, "ftypavis", "AVIF"},
    {4, "ftyphei", "HEIC"},
    {4, "ftyphev", "HEIC"},
    {4, "ftypmif1", "HEIF"},
    {4, "ftypmsf1", "HEIF"},
    {4, "ftyp", "MP4 video"},
    {0, "\x1a\x45\xdf\xa3", "Matroska or WebM video"},
    {8, "AVI ", "AVI video"},
    {0, "II*\0"sv, "TIFF"},
    {0, "MM\0*"sv, "TIFF"},
    {0, "II+\0"sv, "BigTIFF"},
    {0, "MM\0+"sv, "BigTIFF"},
    {0, "\0\0\0\x0cjP  "sv, "JPEG 2000"},
    {0, "\xff\x4f\xff\x51", "JPEG 2000"},
    {0, "\0\0\0\x0cJXL "sv, "JPEG XL"},
    {0, "\xff\x0a", "JPEG XL"},
    {0, "P7\n", "PAM"},
    {0, "PF\n", "PFM"},
    {0, "Pf\n", "PFM"},
    {0, "\0\0\1\0"sv, "ICO"},
    {0, "8BPS", "Photoshop"},
    {0, "v/1\1", "OpenEXR"},
    {0, "qoif", "QOI"},
    {0, "%PDF", "PDF"},
    {0, "<svg", "SVG"},
    {0, "<?xml", "XML or SVG"},
    {0, "<html", "HTML"},
    {0, "<!DOCTYPE", "HTML"},
    {0, "PK\3\4", "ZIP"},
    {0, "\x1f\x8b", "gzip"},
};

[[noreturn]] void throw_not_a_picture(Bytes bytes) {
  constexpr std::string_view kHint = "JPEG, PNG, WebP, GIF, BMP and PNM are read; convert the file";
  if (bytes.empty()) {
    throw Error(ErrorCode::corrupt_data, "the picture file is empty");
  }
  for (const Stranger& stranger : kStrangers) {
    if (starts_with(bytes, stranger.offset, stranger.magic)) {
      throw_unsupported(fmt::format("{} files are not supported as pictures", stranger.name),
                        std::string(kHint));
    }
  }
  std::string first;
  for (std::size_t i = 0; i < std::min<std::size_t>(bytes.size(), 8); ++i) {
    first += fmt::format("{}{:02x}", i == 0 ? "" : " ", u8(bytes, i));
  }
  throw_unsupported(fmt::format("no picture format begins with the bytes {}", first),
                    std::string(kHint));
}

Format require_format(Bytes bytes) {
  const std::optional<Format> format = detect(bytes);
  if (!format) {
    throw_not_a_picture(bytes);
  }
  return *format;
}

void check_cap(const ImageInfo& info, std::int64_t max_pixels) {
  const std::int64_t pixels =
      static_cast<std::int64_t>(info.extent.width_px) * info.extent.height_px;
  if (pixels > max_pixels) {
    throw Error(
        ErrorCode::out_of_memory,
        fmt::format("the {} file claims {} x {} pixels; the limit is {}", format_name(info.format),
                    info.extent.width_px, info.extent.height_px, max_pixels),
        "raise max_pixels if the file is to be trusted");
  }
  if (info.extent.width_px > kMaxSidePx || info.extent.height_px > kMaxSidePx) {
    throw Error(ErrorCode::out_of_memory,
                fmt::format("the {} file claims {} x {} pixels; a side has at most {}",
                            format_name(info.format), info.extent.width_px, info.extent.height_px,
                            kMaxSidePx));
  }
}

Image with_channels(Image image, Channels wanted, Colour background) {
  switch (wanted) {
    case Channels::as_stored:
      return image;
    case Channels::grey:
      if (image.channels() == 4) {
        image = flatten(image, background);
      }
      return image.channels() == 1 ? std::move(image) : convert(image, Conversion::to_grey);
    case Channels::rgb:
      if (image.channels() == 4) {
        return flatten(image, background);
      }
      return image.channels() == 3 ? std::move(image) : convert(image, Conversion::to_rgb);
    case Channels::rgba:
      return image.channels() == 4 ? std::move(image) : convert(image, Conversion::to_rgba);
  }
  throw Error(ErrorCode::invalid_argument,
              fmt::format("no choice of channels has the number {}", static_cast<int>(wanted)));
}

}  // namespace

std::string_view format_name(Format format) {
  return codec(format).name;
}

std::string_view media_type(Format format) {
  return codec(format).media_type;
}

Extent ImageInfo::upright_extent() const {
  return static_cast<int>(orientation) >= static_cast<int>(Orientation::transpose)
             ? Extent{extent.height_px, extent.width_px}
             : extent;
}

Extent scaled_extent(Extent extent, int denominator) {
  const auto side = [denominator](int px) { return px / denominator + (px % denominator != 0); };
  return {side(extent.width_px), side(extent.height_px)};
}

void check_decode_options(const DecodeOptions& options) {
  const auto refuse = [](std::string message) {
    throw Error(ErrorCode::invalid_argument, std::move(message));
  };
  constexpr std::int64_t kMostPixels = std::int64_t{1} << 40;
  if (options.max_pixels < 1 || options.max_pixels > kMostPixels) {
    refuse(fmt::format("max_pixels is {}; it must be 1 to {}", options.max_pixels, kMostPixels));
  }
  const int n = options.scale_denominator;
  if (n != 1 && n != 2 && n != 4 && n != 8) {
    refuse(fmt::format("scale_denominator is {}; it must be 1, 2, 4 or 8", n));
  }
  if (options.max_progressive_scans < 1 || options.max_progressive_scans > 500) {
    refuse(fmt::format("max_progressive_scans is {}; it must be 1 to 500",
                       options.max_progressive_scans));
  }
}

bool looks_decodable(std::span<const std::byte> bytes) {
  return detect(bytes).has_value();
}

ImageInfo probe(std::span<const std::byte> bytes) {
  return codec(require_format(bytes)).probe(bytes);
}

Decoded decode(std::span<const std::byte> bytes, const DecodeOptions& options) {
  check_decode_options(options);
  const Codec& format = codec(require_format(bytes));
  Decoded result;
  result.info = format.probe(bytes);
  check_cap(result.info, options.max_pixels);
  result.image =
      with_channels(format.read(bytes, result.info, options), options.channels, options.background);
  const Extent scaled = scaled_extent(result.info.extent, options.scale_denominator);
  if (result.image.extent() != scaled) {
    result.image = resize(result.image, scaled.width_px, scaled.height_px, Interpolation::area);
  }
  if (options.apply_orientation && result.info.orientation != Orientation::upright) {
    result.image = apply_orientation(result.image, result.info.orientation);
    result.applied_orientation = result.info.orientation;
  }
  return result;
}

Decoded decode_file(const std::filesystem::path& path, const DecodeOptions& options) {
  const std::vector<std::byte> bytes = read_file(path);
  try {
    return decode(bytes, options);
  } catch (Error& e) {
    throw e.add_context(path.string());
  }
}

ImageInfo probe_file(const std::filesystem::path& path) {
  const std::vector<std::byte> bytes = read_file(path);
  try {
    return probe(bytes);
  } catch (Error& e) {
    throw e.add_context(path.string());
  }
}

}  // namespace sosia::image

// JPEG by TurboJPEG.

#include "image/codecs.hpp"
#include "image/jpeg_markers.hpp"
#include "sosia/core/error.hpp"

#include <memory>

#include <fmt/format.h>
#include <turbojpeg.h>

namespace sosia::image {
namespace {

struct Destroy {
  void operator()(void* handle) const { tjDestroy(handle); }
};
using Decompressor = std::unique_ptr<void, Destroy>;

Decompressor make_decompressor() {
  Decompressor handle(tjInitDecompress());
  if (!handle) {
    throw Error(ErrorCode::out_of_memory,
                "libjpeg-turbo could not start: " + std::string(tjGetErrorStr2(nullptr)));
  }
  return handle;
}

void check_scans(const JpegStructure& structure, const DecodeOptions& options) {
  const std::int64_t pixels =
      static_cast<std::int64_t>(structure.extent.width_px) * structure.extent.height_px;
  if (structure.scans > options.max_progressive_scans) {
    throw Error(ErrorCode::out_of_memory,
                fmt::format("the JPEG file has {} scans; the limit is {}", structure.scans,
                            options.max_progressive_scans),
                "raise max_progressive_scans if the file is to be trusted");
  }
  constexpr std::int64_t kPasses = 20;
  if (structure.scans > 1 && structure.scans * pixels > kPasses * options.max_pixels) {
    throw Error(ErrorCode::out_of_memory,
                fmt::format("the JPEG file has {} scans of {} pixels; the limit is {} in all",
                            structure.scans, pixels, kPasses * options.max_pixels),
                "raise max_pixels if the file is to be trusted");
  }
}

/// The library warns about scan parameters that sequential decoding ignores, and keeps the first
/// warning only: without this, it could hide one that matters.
std::vector<std::byte> with_scan_parameters_mended(Bytes bytes, const JpegStructure& structure) {
  std::vector<std::byte> mended(bytes.begin(), bytes.end());
  for (const std::size_t at : structure.odd_scan_parameters) {
    mended[at] = std::byte{0};
    mended[at + 1] = std::byte{63};
    mended[at + 2] = std::byte{0};
  }
  return mended;
}

/// Padding between the last block and the end marker harms nothing and some cameras write it.
bool harmless(std::string_view warning) {
  return warning.find("extraneous bytes before marker 0xd9") != std::string_view::npos;
}

/// The two readings of the header, ours and the library's, must agree, or the buffer would be only
/// partly written.
void cross_check(tjhandle handle, Bytes bytes, Extent extent) {
  Extent theirs;
  int subsampling = 0;
  int colour_space = 0;
  // The status is not looked at: unusual subsampling fails here and decodes all the same.
  tjDecompressHeader3(handle, as_u8(bytes), bytes.size(), &theirs.width_px, &theirs.height_px,
                      &subsampling, &colour_space);
  if (theirs != extent) {
    throw_damaged(Format::jpeg, tjGetErrorStr2(handle));
  }
}

Image decompress(Bytes bytes, Extent stored, Extent wanted, int pixel_format) {
  const Decompressor handle = make_decompressor();
  cross_check(handle.get(), bytes, stored);
  Image image = Image::for_overwrite(wanted.width_px, wanted.height_px, tjPixelSize[pixel_format]);
  const int status = tjDecompress2(handle.get(), as_u8(bytes), bytes.size(), image.row(0),
                                   wanted.width_px, static_cast<int>(image.stride_bytes()),
                                   wanted.height_px, pixel_format, TJFLAG_LIMITSCANS);
  if (status != 0) {
    const std::string reason = tjGetErrorStr2(handle.get());
    if (tjGetErrorCode(handle.get()) != TJERR_WARNING || !harmless(reason)) {
      throw_damaged(Format::jpeg, reason);
    }
  }
  return image;
}

/// R = (255 - C)(255 - K) / 255; an Adobe file stores 255 - C and 255 - K.
Image rgb_from_cmyk(const Image& cmyk, bool inverted) {
  Image rgb = Image::for_overwrite(cmyk.width_px(), cmyk.height_px(), 3);
  const unsigned flip = inverted ? 0U : 255U;
  for (int y = 0; y < cmyk.height_px(); ++y) {
    const std::uint8_t* in = cmyk.row(y);
    std::uint8_t* out = rgb.row(y);
    for (int x = 0; x < cmyk.width_px(); ++x, in += 4, out += 3) {
      const unsigned light = in[3] ^ flip;
      for (int c = 0; c < 3; ++c) {
        out[c] = static_cast<std::uint8_t>(((in[c] ^ flip) * light + 127U) / 255U);
      }
    }
  }
  return rgb;
}

int pixel_format_for(const ImageInfo& info, Channels channels) {
  if (info.colour_model == ColourModel::cmyk) {
    return TJPF_CMYK;
  }
  const bool grey = channels == Channels::grey ||
                    (channels == Channels::as_stored && info.colour_model == ColourModel::grey);
  return grey ? TJPF_GRAY : channels == Channels::rgba ? TJPF_RGBA : TJPF_RGB;
}

}  // namespace

ImageInfo probe_jpeg(Bytes bytes) {
  const JpegStructure structure = read_jpeg_structure(bytes, false);
  ImageInfo info;
  info.format = Format::jpeg;
  info.extent = structure.extent;
  info.colour_model = structure.components == 1   ? ColourModel::grey
                      : structure.components == 3 ? ColourModel::rgb
                                                  : ColourModel::cmyk;
  info.orientation = structure.orientation;
  info.progressive = structure.progressive;
  return info;
}

Image read_jpeg(Bytes bytes, const ImageInfo& info, const DecodeOptions& options) {
  const JpegStructure structure = read_jpeg_structure(bytes, true);
  if (!structure.complete) {
    throw_cut_off(Format::jpeg, bytes, "the end-of-image marker is missing");
  }
  check_scans(structure, options);
  std::vector<std::byte> mended;
  if (!structure.odd_scan_parameters.empty()) {
    mended = with_scan_parameters_mended(bytes, structure);
    bytes = mended;
  }
  const int pixel_format = pixel_format_for(info, options.channels);
  Image image = decompress(bytes, structure.extent,
                           scaled_extent(info.extent, options.scale_denominator), pixel_format);
  return pixel_format == TJPF_CMYK ? rgb_from_cmyk(image, structure.adobe) : std::move(image);
}

}  // namespace sosia::image

// WebP by libwebp and libwebpdemux.

#include "image/codecs.hpp"
#include "sosia/core/error.hpp"

#include <algorithm>
#include <memory>

#include <fmt/format.h>
#include <webp/decode.h>
#include <webp/demux.h>

namespace sosia::image {
namespace {

struct Delete {
  void operator()(WebPDemuxer* demuxer) const { WebPDemuxDelete(demuxer); }
};
using Demuxer = std::unique_ptr<WebPDemuxer, Delete>;

std::string_view reason(VP8StatusCode status) {
  switch (status) {
    case VP8_STATUS_OUT_OF_MEMORY:
      return "out of memory";
    case VP8_STATUS_BITSTREAM_ERROR:
      return "bitstream error";
    case VP8_STATUS_UNSUPPORTED_FEATURE:
      return "unsupported feature";
    case VP8_STATUS_SUSPENDED:
    case VP8_STATUS_NOT_ENOUGH_DATA:
      return "not enough data";
    default:
      return "invalid data";
  }
}

WebPBitstreamFeatures read_features(Bytes bytes) {
  WebPBitstreamFeatures features;
  const VP8StatusCode status = WebPGetFeatures(as_u8(bytes), bytes.size(), &features);
  if (status == VP8_STATUS_NOT_ENOUGH_DATA) {
    throw_cut_off(Format::webp, bytes, "it ends inside the header");
  }
  if (status != VP8_STATUS_OK) {
    throw_damaged(Format::webp, reason(status));
  }
  if (features.width < 1 || features.height < 1) {
    throw_damaged(Format::webp,
                  fmt::format("its header claims {} x {} pixels", features.width, features.height));
  }
  return features;
}

/// Decodes one still bitstream into `into`, whose extent and channels it must have.
void decode_still(Bytes bytes, MutableImageView into) {
  WebPDecoderConfig config;
  if (WebPInitDecoderConfig(&config) == 0) {
    throw Error(ErrorCode::internal, "libwebp's headers and library are of different versions");
  }
  config.output.colorspace = into.channels == 4 ? MODE_RGBA : MODE_RGB;
  config.output.width = into.width_px;
  config.output.height = into.height_px;
  config.output.is_external_memory = 1;
  config.output.u.RGBA.rgba = into.data;
  config.output.u.RGBA.stride = static_cast<int>(into.stride_bytes);
  config.output.u.RGBA.size =
      static_cast<std::size_t>(into.stride_bytes) * static_cast<std::size_t>(into.height_px - 1) +
      static_cast<std::size_t>(into.width_px) * into.channels;
  const VP8StatusCode status = WebPDecode(as_u8(bytes), bytes.size(), &config);
  WebPFreeDecBuffer(&config.output);
  if (status == VP8_STATUS_OUT_OF_MEMORY) {
    throw Error(ErrorCode::out_of_memory,
                fmt::format("no memory to decode a WebP picture of {} x {} pixels", into.width_px,
                            into.height_px));
  }
  if (status != VP8_STATUS_OK) {
    throw_damaged(Format::webp, reason(status));
  }
}

/// The first frame on a transparent canvas. (The background colour of the file is a hint that
/// browsers ignore.)
Image read_first_frame(Bytes bytes, Extent canvas) {
  const WebPData data{as_u8(bytes), bytes.size()};
  const Demuxer demuxer(WebPDemux(&data));
  WebPIterator frame;
  if (!demuxer || WebPDemuxGetFrame(demuxer.get(), 1, &frame) == 0) {
    throw_damaged(Format::webp, "its first frame cannot be found");
  }
  const std::unique_ptr<WebPIterator, void (*)(WebPIterator*)> release(
      &frame, [](WebPIterator* it) { WebPDemuxReleaseIterator(it); });
  const Bytes still = std::as_bytes(std::span(frame.fragment.bytes, frame.fragment.size));
  const WebPBitstreamFeatures features = read_features(still);
  const bool inside = frame.x_offset >= 0 && frame.y_offset >= 0 && frame.width > 0 &&
                      frame.height > 0 && frame.x_offset <= canvas.width_px - frame.width &&
                      frame.y_offset <= canvas.height_px - frame.height;
  if (!inside || features.width != frame.width || features.height != frame.height) {
    throw_damaged(Format::webp, "its first frame does not fit its canvas");
  }
  Image image(canvas.width_px, canvas.height_px, 4);
  decode_still(
      still, image.mutable_view().crop(frame.x_offset, frame.y_offset, frame.width, frame.height));
  return image;
}

}  // namespace

ImageInfo probe_webp(Bytes bytes) {
  const WebPBitstreamFeatures features = read_features(bytes);
  ImageInfo info;
  info.format = Format::webp;
  info.extent = {features.width, features.height};
  info.has_alpha = features.has_alpha != 0 || features.has_animation != 0;
  const WebPData data{as_u8(bytes), bytes.size()};
  WebPDemuxState state;
  const Demuxer demuxer(WebPDemuxPartial(&data, &state));
  if (demuxer) {
    info.frames = static_cast<int>(
        std::clamp(WebPDemuxGetI(demuxer.get(), WEBP_FF_FRAME_COUNT), 1U, 0x7fffffffU));
    WebPChunkIterator chunk;
    if (WebPDemuxGetChunk(demuxer.get(), "EXIF", 1, &chunk) != 0) {
      info.orientation =
          exif_orientation(std::as_bytes(std::span(chunk.chunk.bytes, chunk.chunk.size)));
      WebPDemuxReleaseChunkIterator(&chunk);
    }
  }
  return info;
}

Image read_webp(Bytes bytes, const ImageInfo& info, const DecodeOptions&) {
  // The decoder notices missing bytes only where it needs them; the container's size says it at
  // once.
  const std::uint64_t claimed = std::uint64_t{8} + le32(bytes, 4);
  if (claimed > bytes.size()) {
    throw_cut_off(Format::webp, bytes, fmt::format("its header says {}", claimed));
  }
  if (read_features(bytes).has_animation != 0) {
    return read_first_frame(bytes, info.extent);
  }
  Image image =
      Image::for_overwrite(info.extent.width_px, info.extent.height_px, info.has_alpha ? 4 : 3);
  decode_still(bytes, image.mutable_view());
  return image;
}

}  // namespace sosia::image

#include "sosia/image/planar.hpp"

#include "sosia/core/error.hpp"

#include <cmath>
#include <cstdint>

#include <fmt/format.h>

namespace sosia::image {
namespace {

void check(Extent extent, int channels, std::size_t numbers, const PlanarOptions& options,
           std::string_view doing) {
  if (channels != 1 && channels != 3) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("{}: {} channels; planes are made of 1 or 3", doing, channels),
                "convert or flatten the picture first");
  }
  const auto wanted = static_cast<std::size_t>(channels) * extent.height_px * extent.width_px;
  if (numbers != wanted) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("{}: {} numbers for {} planes of {} x {}, which are {}", doing, numbers,
                            channels, extent.width_px, extent.height_px, wanted));
  }
  for (int c = 0; c < channels; ++c) {
    if (!std::isfinite(options.mean[c]) || !std::isfinite(options.deviation[c]) ||
        options.deviation[c] == 0) {
      throw Error(ErrorCode::invalid_argument,
                  fmt::format("{}: channel {} has mean {} and deviation {}", doing, c,
                              options.mean[c], options.deviation[c]),
                  "means must be finite, deviations finite and not 0");
    }
  }
  if (!std::isfinite(options.scale) || options.scale == 0) {
    throw Error(
        ErrorCode::invalid_argument,
        fmt::format("{}: the scale is {}; it must be finite and not 0", doing, options.scale));
  }
}

/// The channel of an interleaved picture that plane `c` holds.
int source_channel(int c, int channels, ChannelOrder order) {
  return channels == 3 && order == ChannelOrder::bgr ? 2 - c : c;
}

}  // namespace

void to_planar(ImageView picture, std::span<float> out, const PlanarOptions& options) {
  require_valid(picture, "to_planar");
  check(picture.extent(), picture.channels, out.size(), options, "to_planar");
  float* write = out.data();
  for (int c = 0; c < picture.channels; ++c) {
    // A byte has 256 values: the table makes every result the correctly rounded one.
    std::array<float, 256> table;
    for (int v = 0; v < 256; ++v) {
      table[v] = static_cast<float>((v * options.scale - options.mean[c]) / options.deviation[c]);
    }
    const int source = source_channel(c, picture.channels, options.order);
    for (int y = 0; y < picture.height_px; ++y) {
      const std::uint8_t* read = picture.row(y) + source;
      for (int x = 0; x < picture.width_px; ++x, read += picture.channels) {
        *write++ = table[*read];
      }
    }
  }
}

Image from_planar(std::span<const float> planes, Extent extent, int channels,
                  const PlanarOptions& options) {
  if (extent.width_px < 1 || extent.height_px < 1 || extent.width_px > kMaxSidePx ||
      extent.height_px > kMaxSidePx) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("from_planar: no picture can have {} x {} pixels", extent.width_px,
                            extent.height_px));
  }
  check(extent, channels, planes.size(), options, "from_planar");
  Image image = Image::for_overwrite(extent.width_px, extent.height_px, channels);
  const float* read = planes.data();
  for (int c = 0; c < channels; ++c) {
    const int target = source_channel(c, channels, options.order);
    for (int y = 0; y < extent.height_px; ++y) {
      std::uint8_t* write = image.row(y) + target;
      for (int x = 0; x < extent.width_px; ++x, write += channels) {
        const double value =
            (static_cast<double>(*read++) * options.deviation[c] + options.mean[c]) / options.scale;
        // Written so that NaN fails both comparisons and becomes 0.
        *write = value >= 255 ? 255
                 : value > 0  ? static_cast<std::uint8_t>(std::nearbyint(value))
                              : 0;
      }
    }
  }
  return image;
}

}  // namespace sosia::image

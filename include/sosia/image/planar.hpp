#pragma once
// Between 8-bit interleaved pictures and the planar 32-bit floats that networks take and give.

#include "sosia/image/image.hpp"

#include <array>
#include <cstddef>
#include <span>

namespace sosia::image {

enum class ChannelOrder { rgb, bgr };

/// How a byte becomes a number: `(byte * scale - mean[c]) / deviation[c]`, where c counts the
/// *output* planes. The default maps 0..255 to 0..1; ArcFace's -1..1 is mean and deviation 0.5,
/// ImageNet's is mean {0.485, 0.456, 0.406} and deviation {0.229, 0.224, 0.225} in RGB order.
struct PlanarOptions {
  ChannelOrder order = ChannelOrder::rgb;
  double scale = 1.0 / 255.0;
  std::array<double, 3> mean{0, 0, 0};
  std::array<double, 3> deviation{1, 1, 1};  ///< none may be 0
};

/// Writes `picture` (1 or 3 channels) as planes: out[(c * height + y) * width + x], float32. For a
/// grey picture mean[0] and deviation[0] count. Each number is the double expression above rounded
/// once to float. Throws invalid_argument unless out.size() is channels * height * width.
void to_planar(ImageView picture, std::span<float> out, const PlanarOptions& options = {});

/// The inverse: byte = (value * deviation[c] + mean[c]) / scale, rounded half to even and clamped
/// to 0..255; NaN becomes 0. `planes` holds `channels` (1 or 3) planes of `extent`. Throws
/// invalid_argument when the sizes disagree.
Image from_planar(std::span<const float> planes, Extent extent, int channels,
                  const PlanarOptions& options = {});

}  // namespace sosia::image

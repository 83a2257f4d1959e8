#include "data/resample.hpp"

#include "data/vector_clones.hpp"
#include "sosia/core/error.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include <fmt/format.h>

namespace sosia::data {

namespace {

double bilinear(double x) {
  x = std::abs(x);
  return x < 1 ? 1 - x : 0;
}

double bicubic(double x) {
  constexpr double a = -0.5;
  x = std::abs(x);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

/// Which input pixels make an output pixel, and with which weights.
struct Taps {
  std::vector<int> first, count;
  std::vector<float> weights;  // `stride` for each output pixel
  std::size_t stride = 0;
};

/// Output pixel i of `out` looks at [begin, begin + length) of pixels 0 to size - 1.
Taps taps_of(int size, double begin, double length, int out, Kernel kernel) {
  const double step = length / out, spread = std::max(1.0, step);
  const double support = (kernel == Kernel::bilinear ? 1.0 : 2.0) * spread;
  Taps taps;
  taps.stride = static_cast<std::size_t>(std::ceil(support)) * 2 + 1;
  taps.weights.assign(taps.stride * static_cast<std::size_t>(out), 0.0f);
  std::vector<double> weights(taps.stride);
  for (int i = 0; i < out; ++i) {
    const double centre = begin + (i + 0.5) * step;
    const int first = std::max(0, static_cast<int>(centre - support + 0.5));
    const int end = std::min(size, static_cast<int>(centre + support + 0.5));
    double sum = 0;
    for (int x = first; x < end; ++x) {
      const double at = (x - centre + 0.5) / spread;
      const double weight = kernel == Kernel::bilinear ? bilinear(at) : bicubic(at);
      weights[static_cast<std::size_t>(x - first)] = weight;
      sum += weight;
    }
    float* mine = taps.weights.data() + static_cast<std::size_t>(i) * taps.stride;
    for (int x = 0; x < end - first; ++x) {
      mine[x] = static_cast<float>(weights[static_cast<std::size_t>(x)] / sum);
    }
    taps.first.push_back(first);
    taps.count.push_back(end - first);
  }
  return taps;
}

SOSIA_VECTOR_CLONES
void add_row(float* __restrict sum, const std::uint8_t* __restrict row, float weight,
             std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) sum[i] += weight * static_cast<float>(row[i]);
}

// Three channels in one vector of four; the fourth is the next pixel's red and is not used.
using Pixel = float __attribute__((vector_size(16)));

SOSIA_VECTOR_CLONES
void squeeze_row(const float* row, std::uint8_t* out, const int* first, const int* count,
                 const float* weights, std::size_t stride, int width) {
  for (int x = 0; x < width; ++x, weights += stride, out += 3) {
    Pixel sum{0.5f, 0.5f, 0.5f, 0};
    const float* at = row + 3 * first[x];
    for (int k = 0; k < count[x]; ++k, at += 3) {
      Pixel pixel;
      std::memcpy(&pixel, at, sizeof pixel);
      sum += weights[k] * pixel;
    }
    for (int c = 0; c < 3; ++c) {
      out[c] = static_cast<std::uint8_t>(std::min(255.0f, std::max(0.0f, sum[c])));
    }
  }
}

}  // namespace

image::Image resample(image::ImageView picture, const image::Box& area, image::Extent extent,
                      Kernel kernel) {
  const double right = area.x_px + area.width_px, bottom = area.y_px + area.height_px;
  if (!(area.width_px > 0 && area.height_px > 0 && area.x_px >= 0 && area.y_px >= 0 &&
        right <= picture.width_px && bottom <= picture.height_px)) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("an area of {} x {} at ({}, {}) is not inside a picture of {} x {}",
                            area.width_px, area.height_px, area.x_px, area.y_px, picture.width_px,
                            picture.height_px));
  }
  const int x0 = static_cast<int>(area.x_px), y0 = static_cast<int>(area.y_px);
  const image::ImageView part = picture.crop(x0, y0, static_cast<int>(std::ceil(right)) - x0,
                                             static_cast<int>(std::ceil(bottom)) - y0);
  const Taps across =
      taps_of(part.width_px, area.x_px - x0, area.width_px, extent.width_px, kernel);
  const Taps down =
      taps_of(part.height_px, area.y_px - y0, area.height_px, extent.height_px, kernel);
  image::Image out = image::Image::for_overwrite(extent.width_px, extent.height_px, 3);
  const auto values = static_cast<std::size_t>(part.width_px) * 3;
  std::vector<float> row(values + 1);  // one more: the last pixel is read as a vector of four
  for (int y = 0; y < extent.height_px; ++y) {
    const auto at = static_cast<std::size_t>(y);
    std::fill(row.begin(), row.end(), 0.0f);
    for (int k = 0; k < down.count[at]; ++k) {
      add_row(row.data(), part.row(down.first[at] + k),
              down.weights[at * down.stride + static_cast<std::size_t>(k)], values);
    }
    squeeze_row(row.data(), out.row(y), across.first.data(), across.count.data(),
                across.weights.data(), across.stride, extent.width_px);
  }
  return out;
}

}  // namespace sosia::data

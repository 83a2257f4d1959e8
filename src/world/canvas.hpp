#pragma once
// What the renderers draw on: red green blue as float, 0 black to 1 white (nominal: values beyond
// are kept until they are quantised), row-major and interleaved, origin at the top left, and the
// camera effects that turn a clean drawing into a picture that a sensor took.
//
// A canvas is reused from picture to picture so that streaming allocates nothing. All functions are
// deterministic to the bit (see exact_math.hpp). Thread-safety: one canvas per thread.

#include "sosia/image/image.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace sosia::world {

struct Rgb {
  float r = 0;
  float g = 0;
  float b = 0;

  friend constexpr Rgb operator+(Rgb a, Rgb c) { return {a.r + c.r, a.g + c.g, a.b + c.b}; }
  friend constexpr Rgb operator-(Rgb a, Rgb c) { return {a.r - c.r, a.g - c.g, a.b - c.b}; }
  friend constexpr Rgb operator*(Rgb a, Rgb c) { return {a.r * c.r, a.g * c.g, a.b * c.b}; }
  friend constexpr Rgb operator*(Rgb a, float s) { return {a.r * s, a.g * s, a.b * s}; }
  friend constexpr bool operator==(Rgb, Rgb) = default;
};

constexpr Rgb mix(Rgb a, Rgb b, float t) {
  return a + (b - a) * t;
}

constexpr float luma(Rgb c) {
  return 0.299f * c.r + 0.587f * c.g + 0.114f * c.b;
}

class Canvas {
 public:
  Canvas() = default;
  Canvas(int width_px, int height_px) { reset(width_px, height_px); }

  /// Sets the extent; the content is unspecified. Memory is kept when it suffices.
  void reset(int width_px, int height_px) {
    width_ = width_px;
    height_ = height_px;
    pixels_.resize(static_cast<std::size_t>(width_px) * static_cast<std::size_t>(height_px));
  }

  int width() const noexcept { return width_; }
  int height() const noexcept { return height_; }
  Rgb* row(int y) noexcept {
    return pixels_.data() + static_cast<std::size_t>(y) * static_cast<std::size_t>(width_);
  }
  const Rgb* row(int y) const noexcept {
    return pixels_.data() + static_cast<std::size_t>(y) * static_cast<std::size_t>(width_);
  }
  Rgb& at(int x, int y) noexcept { return row(y)[x]; }
  const Rgb& at(int x, int y) const noexcept { return row(y)[x]; }
  /// Covers a pixel with `colour` by `alpha` (0 to 1); outside is ignored.
  void blend(int x, int y, Rgb colour, float alpha) noexcept {
    if (x < 0 || y < 0 || x >= width_ || y >= height_) return;
    Rgb& p = at(x, y);
    p = mix(p, colour, alpha);
  }
  void fill(Rgb colour) { pixels_.assign(pixels_.size(), colour); }
  std::vector<Rgb>& pixels() noexcept { return pixels_; }
  const std::vector<Rgb>& pixels() const noexcept { return pixels_; }

  /// Bilinear sample at a place in pixels (the centre of the top left pixel is (0, 0)); outside is
  /// the nearest border pixel. The canvas must not be empty.
  Rgb sample(float x, float y) const noexcept;

 private:
  int width_ = 0, height_ = 0;
  std::vector<Rgb> pixels_;
};

/// 8 bits per channel, rounded to nearest, clamped. `out` must have the canvas' extent and 3
/// channels.
void quantise(const Canvas& canvas, image::MutableImageView out);
image::Image to_image(const Canvas& canvas);
/// From 8 bits; `picture` has 3 channels.
void load(Canvas& canvas, image::ImageView picture);

/// Gaussian blur, border replicated, kernel cut at 3 sigma; sigma below 0.15 px does nothing.
/// `scratch` is working memory.
void blur(Canvas& canvas, float sigma_px, std::vector<Rgb>& scratch);

/// `quantise` with a sensor's noise before it: independent, of a triangular distribution and
/// standard deviation `deviation` >= 0 in every channel; a pure function of `seed` and place.
void expose(const Canvas& canvas, float deviation, std::uint64_t seed, image::MutableImageView out);

/// value^gamma on [0, 1] through a table of 1024 steps (linear between; clamps to [0, 1]).
void apply_gamma(Canvas& canvas, double gamma);

/// out = matrix * in + offset; row-major.
void apply_matrix(Canvas& canvas, const std::array<float, 9>& matrix, Rgb offset = {});

/// Darkens by 1 - strength * r^2, where r is 1 in the corners.
void vignette(Canvas& canvas, float strength);

}  // namespace sosia::world

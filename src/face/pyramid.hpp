#pragma once
// One picture at several sizes, and square patches sampled from the size that fits.

#include "sosia/image/geometry.hpp"
#include "sosia/image/image.hpp"
#include "sosia/models/tensor.hpp"

#include <span>
#include <vector>

namespace sosia::face {

/// A picture and its scale against the original: pixels of `picture` per pixel of the original.
struct Level {
  image::ImageView picture = {};
  double scale_x = 1, scale_y = 1;
};

/// RGB pictures of falling size. The original is only looked at, and must outlive the pyramid.
class Pyramid {
 public:
  /// `picture` has three channels; `scales` fall. Sides are rounded up, at least 1 pixel.
  Pyramid(image::ImageView picture, std::span<const double> scales);

  /// As many as scales were given, in their order.
  std::span<const Level> levels() const noexcept { return levels_; }

  /// The smallest of the levels and the original in which `side_px` of the original has at least
  /// `wanted` pixels; the largest of them when none has.
  const Level& source_for(double side_px, int wanted) const noexcept;

 private:
  Level original_;
  std::vector<image::Image> pictures_;
  std::vector<Level> levels_;
};

/// A square of the original that becomes `size_px` x `size_px` numbers.
struct Square {
  double x_px = 0, y_px = 0, side_px = 0;
};

/// Writes row `row` of `batch` (n x 3 x size x size, RGB): bilinear samples at x + i * side / (size
/// - 1), as TensorFlow's crop_and_resize takes them, each (value - 127.5) / 128, 0 outside. The
/// level is `source_for(side, size)`, so that large squares are not sampled sparsely.
void sample_square(const Pyramid& pyramid, const Square& square, int size_px, models::Tensor& batch,
                   std::size_t row);

}  // namespace sosia::face

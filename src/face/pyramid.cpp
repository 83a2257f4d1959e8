#include "face/pyramid.hpp"

#include "sosia/image/transform.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace sosia::face {

Pyramid::Pyramid(image::ImageView picture, std::span<const double> scales)
    : original_{picture, 1, 1} {
  pictures_.reserve(scales.size());  // levels look at them
  for (const double scale : scales) {
    const auto side = [&](int px) { return std::max(1, static_cast<int>(std::ceil(px * scale))); };
    const int width = side(picture.width_px), height = side(picture.height_px);
    // Level from level, each from about twice its pixels; never from an enlarged picture.
    const image::ImageView source =
        pictures_.empty() || pictures_.back().width_px() > picture.width_px ? picture
                                                                            : pictures_.back();
    pictures_.push_back(
        image::resize(source, width, height,
                      scale > 1 ? image::Interpolation::bilinear : image::Interpolation::area));
    levels_.push_back({pictures_.back(), static_cast<double>(width) / picture.width_px,
                       static_cast<double>(height) / picture.height_px});
  }
}

const Level& Pyramid::source_for(double side_px, int wanted) const noexcept {
  const Level* best = &original_;
  for (const Level& level : levels_) {
    const double has = side_px * level.scale_x, best_has = side_px * best->scale_x;
    if (has >= wanted ? has < best_has || best_has < wanted : has > best_has) best = &level;
  }
  return *best;
}

void sample_square(const Pyramid& pyramid, const Square& square, int size_px, models::Tensor& batch,
                   std::size_t row) {
  const Level& level = pyramid.source_for(square.side_px, size_px);
  const image::ImageView picture = level.picture;
  const auto size = static_cast<std::size_t>(size_px);
  float* out = batch.values.data() + row * 3 * size * size;
  std::fill_n(out, 3 * size * size, 0.0F);
  const double step = square.side_px / (size_px - 1);
  for (std::size_t j = 0; j < size; ++j) {
    // Pixel areas of original and level are mapped onto each other.
    const double y = (square.y_px + static_cast<double>(j) * step + 0.5) * level.scale_y - 0.5;
    if (!(y >= 0) || y > picture.height_px - 1) continue;
    const int y0 = static_cast<int>(y), y1 = std::min(y0 + 1, picture.height_px - 1);
    const auto fy = static_cast<float>(y - y0);
    for (std::size_t i = 0; i < size; ++i) {
      const double x = (square.x_px + static_cast<double>(i) * step + 0.5) * level.scale_x - 0.5;
      if (!(x >= 0) || x > picture.width_px - 1) continue;
      const int x0 = static_cast<int>(x), x1 = std::min(x0 + 1, picture.width_px - 1);
      const auto fx = static_cast<float>(x - x0);
      const std::uint8_t *a = picture.pixel(x0, y0), *b = picture.pixel(x1, y0);
      const std::uint8_t *c = picture.pixel(x0, y1), *d = picture.pixel(x1, y1);
      for (std::size_t k = 0; k < 3; ++k) {
        const float top = static_cast<float>(a[k]) + fx * static_cast<float>(b[k] - a[k]);
        const float bottom = static_cast<float>(c[k]) + fx * static_cast<float>(d[k] - c[k]);
        out[(k * size + j) * size + i] = (top + fy * (bottom - top) - 127.5F) / 128.0F;
      }
    }
  }
}

}  // namespace sosia::face

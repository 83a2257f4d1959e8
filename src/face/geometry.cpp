#include "face/geometry.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

namespace sosia::face {

double shared_area(const image::Box& a, const image::Box& b, OverlapRule rule,
                   double pixel) noexcept {
  const double width =
      std::min(a.x_px + a.width_px, b.x_px + b.width_px) - std::max(a.x_px, b.x_px) + pixel;
  const double height =
      std::min(a.y_px + a.height_px, b.y_px + b.height_px) - std::max(a.y_px, b.y_px) + pixel;
  if (!(width > 0) || !(height > 0)) return 0;
  const double common = width * height;
  const double area_a = (a.width_px + pixel) * (a.height_px + pixel);
  const double area_b = (b.width_px + pixel) * (b.height_px + pixel);
  const double whole =
      rule == OverlapRule::over_union ? area_a + area_b - common : std::min(area_a, area_b);
  return whole > 0 ? common / whole : 0;
}

double overlap(const image::Box& a, const image::Box& b) noexcept {
  return shared_area(a, b, OverlapRule::over_union);
}

std::vector<std::size_t> suppress(std::span<const ScoredBox> boxes, double most, OverlapRule rule,
                                  double pixel) {
  std::vector<std::size_t> order(boxes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return boxes[a].score > boxes[b].score; });
  std::vector<std::size_t> kept;
  for (const std::size_t i : order) {
    const bool alone = std::none_of(kept.begin(), kept.end(), [&](std::size_t k) {
      return shared_area(boxes[k].box, boxes[i].box, rule, pixel) > most;
    });
    if (alone) kept.push_back(i);
  }
  return kept;
}

void suppress(std::vector<Detection>& faces, double most, OverlapRule rule, double pixel) {
  std::vector<ScoredBox> boxes;
  boxes.reserve(faces.size());
  for (const Detection& face : faces) boxes.push_back({face.box, face.score});
  std::vector<Detection> kept;
  for (const std::size_t i : suppress(boxes, most, rule, pixel)) kept.push_back(faces[i]);
  faces = std::move(kept);
}

bool finite(const image::Box& box) noexcept {
  return std::isfinite(box.x_px) && std::isfinite(box.y_px) && std::isfinite(box.width_px) &&
         std::isfinite(box.height_px);
}

bool finite(const Landmarks& points) noexcept {
  return std::all_of(points.begin(), points.end(), [](const image::Point& p) {
    return std::isfinite(p.x_px) && std::isfinite(p.y_px);
  });
}

}  // namespace sosia::face

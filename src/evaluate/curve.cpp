#include "evaluate/curve.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

namespace sosia::evaluate {

std::vector<RocPoint> accumulate_points(std::span<const double> genuine,
                                        std::span<const double> impostor) {
  constexpr double kNone = -std::numeric_limits<double>::infinity();
  std::size_t left_genuine = genuine.size();
  std::size_t left_impostor = impostor.size();
  std::vector<RocPoint> points(left_genuine + left_impostor + 1);
  points[0] = {std::numeric_limits<double>::infinity(), 0, 0};
  std::size_t last = 0;
  double next_genuine = left_genuine > 0 ? genuine[left_genuine - 1] : kNone;
  double next_impostor = left_impostor > 0 ? impostor[left_impostor - 1] : kNone;
  // One score per step without a branch on its class (which is a coin toss for the processor): a
  // score equal to the one before overwrites its point, a lower one opens the next.
  for (std::size_t step = left_genuine + left_impostor; step > 0; --step) {
    const bool take_genuine = next_genuine >= next_impostor && left_genuine > 0;
    const double score = take_genuine ? next_genuine : next_impostor;
    left_genuine -= take_genuine ? 1 : 0;
    left_impostor -= take_genuine ? 0 : 1;
    last += score != points[last].threshold ? 1 : 0;
    points[last] = {score, static_cast<std::uint32_t>(impostor.size() - left_impostor),
                    static_cast<std::uint32_t>(genuine.size() - left_genuine)};
    next_genuine = left_genuine > 0 ? genuine[left_genuine - 1] : kNone;
    next_impostor = left_impostor > 0 ? impostor[left_impostor - 1] : kNone;
  }
  points.resize(last + 1);
  return points;
}

namespace {

// Whether scikit-learn's roc_curve(drop_intermediate=True) keeps the point: it looks at second
// differences of the counts over the distinct scores, before it puts (0, 0) in front, so that the
// first, the second and the last point of ours always stay.
template <class Point>
bool kept_by_reduction(std::span<const Point> points, std::size_t i) {
  if (i <= 1 || i + 1 == points.size()) return true;
  const auto bend = [&](auto count) {
    return count(points[i + 1]) - count(points[i]) != count(points[i]) - count(points[i - 1]);
  };
  return bend([](const Point& p) { return p.false_accepts; }) ||
         bend([](const Point& p) { return p.true_accepts; });
}

// `above`: index of the first point with FAR > target, or the number of points. Returns the index
// of the nearest one among those that `keep` lets pass.
template <class Point, class Keep>
std::size_t nearest_point(std::span<const Point> points, std::size_t above, double impostor_total,
                          double target, Keep keep) {
  const auto distance = [&](std::size_t i) {
    return std::abs(points[i].false_accepts / impostor_total - target);
  };
  std::size_t below = above - 1;  // the first point has FAR 0 and is always kept
  while (!keep(below)) --below;
  while (above < points.size() && !keep(above)) ++above;
  if (above == points.size() || distance(below) < distance(above)) return below;
  // Of equal FAR the last kept point, which has the highest TAR.
  std::size_t best = above;
  for (std::size_t i = above + 1;
       i < points.size() && points[i].false_accepts == points[above].false_accepts; ++i) {
    if (keep(i)) best = i;
  }
  return best;
}

}  // namespace

template <class Point>
CurvePlace place_at(std::span<const Point> points, double impostor_total, double target,
                    AtRule rule) {
  const auto far = [&](const Point& p) { return p.false_accepts / impostor_total; };
  const auto first_above = std::partition_point(points.begin(), points.end(),
                                                [&](const Point& p) { return far(p) <= target; });
  const auto above = static_cast<std::size_t>(first_above - points.begin());
  const std::size_t below = above - 1;
  switch (rule) {
    case AtRule::nearest:
      return {
          nearest_point(points, above, impostor_total, target, [](std::size_t) { return true; }),
          0.0};
    case AtRule::nearest_reduced:
      return {nearest_point(points, above, impostor_total, target,
                            [&](std::size_t i) { return kept_by_reduction(points, i); }),
              0.0};
    case AtRule::interpolated:
      if (above == points.size()) break;
      return {below, (target - far(points[below])) / (far(points[above]) - far(points[below]))};
    case AtRule::not_above:
      break;
  }
  return {below, 0.0};
}

template CurvePlace place_at(std::span<const RocPoint>, double, double, AtRule);
template CurvePlace place_at(std::span<const WeightedPoint>, double, double, AtRule);

OperatingPoint operating_point(std::span<const RocPoint> points, double genuine_total,
                               double impostor_total, double target, AtRule rule) {
  const auto [index, share] = place_at(points, impostor_total, target, rule);
  const RocPoint& point = points[index];
  const double far = point.false_accepts / impostor_total;
  const double tar = point.true_accepts / genuine_total;
  if (share == 0.0) return {point.threshold, far, tar};
  const double next_tar = points[index + 1].true_accepts / genuine_total;
  return {point.threshold, target, tar + share * (next_tar - tar)};
}

}  // namespace sosia::evaluate

#pragma once
// The points of an accept/reject curve and the choice of an operating point on them; shared by the
// 1:1 curve (roc.hpp), its bootstrap replicates and the open-set 1:N curve (identification.hpp).

#include "sosia/evaluate/roc.hpp"

#include <cstddef>
#include <span>
#include <vector>

namespace sosia::evaluate {

/// One point per distinct score, highest threshold first, after the point (+inf, 0, 0). A point
/// counts the scores >= its threshold. Both lists ascending.
std::vector<RocPoint> accumulate_points(std::span<const double> genuine,
                                        std::span<const double> impostor);

/// A point of a curve whose comparisons carry whole weights; sums below 2^53 are exact.
struct WeightedPoint {
  double false_accepts;
  double true_accepts;
};

/// A place on a curve: point `index`, or `share` of the way from it to the next one.
struct CurvePlace {
  std::size_t index;
  double share;
};

/// Where `rule` reads a curve at a false accept rate of `target`. For `RocPoint` and
/// `WeightedPoint`.
template <class Point>
CurvePlace place_at(std::span<const Point> points, double impostor_total, double target,
                    AtRule rule);

/// The operating point for a false accept rate of `target`. The totals may exceed the counts of the
/// last point: comparisons that no threshold accepts.
OperatingPoint operating_point(std::span<const RocPoint> points, double genuine_total,
                               double impostor_total, double target, AtRule rule);

}  // namespace sosia::evaluate

#pragma once
// The points of an accept/reject curve and the choice of an operating point on them; shared by the
// 1:1 curve (roc.hpp) and the open-set 1:N curve (identification.hpp).

#include "sosia/evaluate/roc.hpp"

#include <span>
#include <vector>

namespace sosia::evaluate {

/// One point per distinct score, highest threshold first, after the point (+inf, 0, 0). A point
/// counts the scores >= its threshold. Both lists ascending.
std::vector<RocPoint> accumulate_points(std::span<const double> genuine,
                                        std::span<const double> impostor);

/// The operating point for a false accept rate of `target`. The totals may exceed the counts of the
/// last point: comparisons that no threshold accepts.
OperatingPoint operating_point(std::span<const RocPoint> points, double genuine_total,
                               double impostor_total, double target, AtRule rule);

}  // namespace sosia::evaluate

#pragma once
// Boxes and points of detectors: overlap, non-maximum suppression.

#include "sosia/face/face.hpp"

#include <cstddef>
#include <span>
#include <vector>

namespace sosia::face {

/// What two boxes share is divided by, see `suppress`.
enum class OverlapRule {
  over_union,    ///< intersection over union
  over_smaller,  ///< intersection over the smaller area: a box within another counts as the same
};

/// The share of `rule`. `pixel` is added to every side: 1 where boxes are named by their first and
/// last pixel (InsightFace's NMS), else 0. 0 when one has no area.
double shared_area(const image::Box& a, const image::Box& b, OverlapRule rule,
                   double pixel = 0) noexcept;

/// A box with its score, for suppression.
struct ScoredBox {
  image::Box box = {};
  double score = 0;
};

/// Greedy non-maximum suppression: indices of the boxes that stay, in falling order of score (equal
/// ones in the order of the list). A box goes when it shares more than `most` with one that stays.
std::vector<std::size_t> suppress(std::span<const ScoredBox> boxes, double most, OverlapRule rule,
                                  double pixel = 0);

/// The same for finished detections, which are left in falling order of score.
void suppress(std::vector<Detection>& faces, double most, OverlapRule rule, double pixel = 0);

bool finite(const image::Box& box) noexcept;
bool finite(const Landmarks& points) noexcept;

}  // namespace sosia::face

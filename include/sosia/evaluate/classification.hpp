#pragma once
// Precision, recall, F1 and average precision of a yes/no decision.

#include "sosia/evaluate/roc.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace sosia::evaluate {

/// Counts of a decision. 0/0 is 0, as scikit-learn's default zero_division.
struct Confusion {
  std::uint64_t true_positives = 0;
  std::uint64_t false_positives = 0;
  std::uint64_t true_negatives = 0;
  std::uint64_t false_negatives = 0;

  double precision() const;  ///< tp / (tp + fp)
  double recall() const;     ///< tp / (tp + fn)
  double f1() const;         ///< 2 tp / (2 tp + fp + fn)
  double accuracy() const;   ///< (tp + tn) / all
};

/// The decision score >= threshold.
Confusion confusion_at(const Roc& roc, double threshold);

struct PrecisionRecallPoint {
  double threshold;
  double precision;
  double recall;
  double f1;
};

/// One point per distinct score, threshold falling, from the highest score on (the point that
/// accepts nothing has no precision and is left out).
std::vector<PrecisionRecallPoint> precision_recall_curve(const Roc& roc);
/// The same for some of the curve's points (`Roc::thinned`), in their order.
std::vector<PrecisionRecallPoint> precision_recall_curve(const Roc& roc,
                                                         std::span<const RocPoint> points);

/// Sum over the points of (recall_k - recall_(k-1)) * precision_k, without interpolation; scores
/// that tie form one point. Equals scikit-learn's average_precision_score.
double average_precision(const Roc& roc);

/// The point with the highest F1; of equal ones the one with the highest threshold. A threshold
/// chosen on the same data that it is reported on is optimistic.
PrecisionRecallPoint best_f1(const Roc& roc);

}  // namespace sosia::evaluate

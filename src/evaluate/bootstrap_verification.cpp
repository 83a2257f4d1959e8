// The bootstrap of verification figures: comparisons are sorted once; a replicate gives every
// comparison a weight and reads AUC, EER and TAR@FAR off the weighted curve.

#include "evaluate/checks.hpp"
#include "evaluate/curve.hpp"
#include "evaluate/radix_sort.hpp"
#include "sosia/evaluate/confidence.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace sosia::evaluate {
namespace {

struct Comparison {
  SubjectPair subjects;
  bool genuine;
  bool last_of_tie;  // the next score is lower
};

// The curve of the comparisons repeated as often as they were drawn.
class WeightedCurve {
 public:
  WeightedCurve(std::span<const Comparison> falling, std::span<const std::uint32_t> draws) {
    WeightedPoint sum{0.0, 0.0};
    double weight_of_tie = 0.0;
    points_.reserve(falling.size() + 1);
    points_.push_back(sum);
    for (const Comparison& comparison : falling) {
      const auto weight = static_cast<double>(pair_weight(comparison.subjects, draws));
      (comparison.genuine ? sum.true_accepts : sum.false_accepts) += weight;
      weight_of_tie += weight;
      if (!comparison.last_of_tie) continue;
      // A score that nobody drew makes no point.
      if (weight_of_tie > 0.0) points_.push_back(sum);
      weight_of_tie = 0.0;
    }
  }

  bool defined() const {
    return points_.back().false_accepts > 0.0 && points_.back().true_accepts > 0.0;
  }

  double auc() const {
    double twice_area = 0.0;
    for (std::size_t i = 1; i < points_.size(); ++i) {
      twice_area += (points_[i].false_accepts - points_[i - 1].false_accepts) *
                    (points_[i].true_accepts + points_[i - 1].true_accepts);
    }
    return twice_area / 2.0 / points_.back().false_accepts / points_.back().true_accepts;
  }

  double eer() const {
    const auto crossing = std::partition_point(
        points_.begin(), points_.end(), [&](const WeightedPoint& p) { return gap(p) < 0.0; });
    const WeightedPoint& above = *crossing;
    const WeightedPoint& below = *(crossing - 1);
    const double share = -gap(below) / (gap(above) - gap(below));
    return far(below) + share * (far(above) - far(below));
  }

  double tar_at(double target, AtRule rule) const {
    const auto [index, share] = place_at(std::span<const WeightedPoint>(points_),
                                         points_.back().false_accepts, target, rule);
    const double below = points_[index].true_accepts;
    const double next = share > 0.0 ? points_[index + 1].true_accepts : below;
    return (below + share * (next - below)) / points_.back().true_accepts;
  }

 private:
  double far(const WeightedPoint& p) const {
    return p.false_accepts / points_.back().false_accepts;
  }
  // FAR - FRR: -1 at the first point, never falling, exactly 1 at the last.
  double gap(const WeightedPoint& p) const {
    return far(p) - (1.0 - p.true_accepts / points_.back().true_accepts);
  }

  std::vector<WeightedPoint> points_;
};

std::vector<Comparison> sort_falling(std::span<const double> scores,
                                     std::span<const std::uint8_t> labels,
                                     std::span<const SubjectPair> subjects) {
  const std::vector<std::uint32_t> order = stable_order(scores, true);
  std::vector<Comparison> falling(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    const std::uint32_t at = order[i];
    const bool last = i + 1 == order.size() || scores[order[i + 1]] != scores[at];
    falling[i] = {subjects[at], labels[at] == 1, last};
  }
  return falling;
}

}  // namespace

VerificationIntervals bootstrap_verification(std::span<const double> scores,
                                             std::span<const std::uint8_t> labels,
                                             std::span<const SubjectPair> subjects,
                                             const FarTargets& targets,
                                             const BootstrapOptions& options, RunContext& run) {
  require_same_size(scores.size(), "scores", labels.size(), "labels");
  require_same_size(scores.size(), "scores", subjects.size(), "subject pairs");
  require_finite(scores, "scores");
  require_binary(labels);
  for (double target : targets.rates) require_unit_interval(target, "target FAR");
  const bool any_genuine = std::find(labels.begin(), labels.end(), 1) != labels.end();
  const bool any_impostor = std::find(labels.begin(), labels.end(), 0) != labels.end();
  require_some(any_genuine ? 1 : 0, "genuine scores", "give at least one comparison with label 1");
  require_some(any_impostor ? 1 : 0, "impostor scores",
               "give at least one comparison with label 0");

  std::uint32_t most = 0;
  for (const SubjectPair& pair : subjects) most = std::max({most, pair.a, pair.b});
  const std::vector<Comparison> falling = sort_falling(scores, labels, subjects);
  const auto statistic = [&](std::span<const std::uint32_t> draws, std::span<double> figures) {
    const WeightedCurve curve(falling, draws);
    if (!curve.defined()) {
      std::fill(figures.begin(), figures.end(), std::numeric_limits<double>::quiet_NaN());
      return;
    }
    figures[0] = curve.auc();
    figures[1] = curve.eer();
    for (std::size_t i = 0; i < targets.rates.size(); ++i) {
      figures[2 + i] = curve.tar_at(targets.rates[i], targets.rule);
    }
  };
  std::vector<Interval> all =
      bootstrap_subjects(std::size_t{most} + 1, 2 + targets.rates.size(), statistic, options, run);
  VerificationIntervals intervals{std::move(all[0]), std::move(all[1]), {}};
  intervals.tar_at_far.assign(std::make_move_iterator(all.begin() + 2),
                              std::make_move_iterator(all.end()));
  return intervals;
}

}  // namespace sosia::evaluate

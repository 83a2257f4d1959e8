#include "sosia/evaluate/roc.hpp"

#include "evaluate/checks.hpp"
#include "evaluate/curve.hpp"
#include "evaluate/moments.hpp"
#include "evaluate/radix_sort.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <fmt/format.h>

namespace sosia::evaluate {
namespace {

// Twice the area is a sum of products of counts; with this many per class it fits 64 bits.
constexpr std::size_t kMostPerClass = (std::size_t{1} << 31) - 1;

void check_class(std::span<const double> scores, std::string_view name, int label) {
  require_some(scores.size(), fmt::format("{} scores", name),
               fmt::format("give at least one comparison with label {}", label));
  if (scores.size() > kMostPerClass) {
    refuse(fmt::format("{} {} scores are more than the limit of {}", scores.size(), name,
                       kMostPerClass),
           "evaluate a random part of them");
  }
  require_finite(scores, fmt::format("{} scores", name));
}

}  // namespace

ScoreSet split_scores(std::span<const double> scores, std::span<const std::uint8_t> labels) {
  require_same_size(scores.size(), "scores", labels.size(), "labels");
  require_binary(labels);
  const auto genuine = static_cast<std::size_t>(std::count(labels.begin(), labels.end(), 1));
  // Branch-free: labels come in random order, and a mispredicted branch costs more than a store.
  ScoreSet set{std::vector<double>(genuine + 1), std::vector<double>(scores.size() - genuine + 1)};
  double* ends[2] = {set.impostor.data(), set.genuine.data()};
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const std::uint8_t label = labels[i];
    *ends[0] = scores[i];
    *ends[1] = scores[i];
    ++ends[label];
  }
  set.genuine.pop_back();
  set.impostor.pop_back();
  return set;
}

std::string_view rule_name(AtRule rule) {
  switch (rule) {
    case AtRule::nearest:
      return "nearest";
    case AtRule::nearest_reduced:
      return "nearest_reduced";
    case AtRule::interpolated:
      return "interpolated";
    case AtRule::not_above:
      return "not_above";
  }
  return "unknown";
}

Roc::Roc(ScoreSet scores)
    : genuine_count_(scores.genuine.size()), impostor_count_(scores.impostor.size()) {
  check_class(scores.genuine, "genuine", 1);
  check_class(scores.impostor, "impostor", 0);
  sort_ascending(scores.genuine);
  sort_ascending(scores.impostor);
  points_ = accumulate_points(scores.genuine, scores.impostor);
}

Roc::Roc(std::span<const double> genuine, std::span<const double> impostor)
    : Roc(ScoreSet{{genuine.begin(), genuine.end()}, {impostor.begin(), impostor.end()}}) {}

double Roc::far(const RocPoint& point) const noexcept {
  return point.false_accepts / static_cast<double>(impostor_count_);
}

double Roc::tar(const RocPoint& point) const noexcept {
  return point.true_accepts / static_cast<double>(genuine_count_);
}

OperatingPoint Roc::at_threshold(double threshold) const {
  if (std::isnan(threshold)) refuse("the threshold is NaN");
  const auto below =
      std::partition_point(points_.begin(), points_.end(),
                           [&](const RocPoint& point) { return point.threshold >= threshold; });
  // Nothing lies above +infinity but the first point itself, which accepts nothing.
  const RocPoint& point = below == points_.begin() ? points_.front() : *(below - 1);
  return {threshold, far(point), tar(point)};
}

double Roc::auc() const {
  std::uint64_t twice_area = 0;
  for (std::size_t i = 1; i < points_.size(); ++i) {
    const std::uint64_t width = points_[i].false_accepts - points_[i - 1].false_accepts;
    const std::uint64_t heights =
        std::uint64_t{points_[i].true_accepts} + points_[i - 1].true_accepts;
    twice_area += width * heights;
  }
  return static_cast<double>(twice_area) / 2.0 / static_cast<double>(genuine_count_) /
         static_cast<double>(impostor_count_);
}

Eer Roc::eer(EerRule rule) const {
  // FAR - FRR times both counts: an integer, so that equal gaps are found equal. It rises strictly
  // along the points, from -(n m) to n m.
  const auto n = static_cast<std::int64_t>(genuine_count_);
  const auto m = static_cast<std::int64_t>(impostor_count_);
  const auto gap = [n, m](const RocPoint& point) {
    return point.false_accepts * n + point.true_accepts * m - n * m;
  };
  const auto crossing = std::partition_point(points_.begin(), points_.end(),
                                             [&](const RocPoint& p) { return gap(p) < 0; });
  const RocPoint& above = *crossing;
  const RocPoint& below = *(crossing - 1);
  if (rule == EerRule::nearest) {
    // Accepting nothing is as near only when all scores are equal; a score is of more use then.
    const bool lower_far = -gap(below) <= gap(above) && !std::isinf(below.threshold);
    const RocPoint& best = lower_far ? below : above;
    return {(far(best) + (1.0 - tar(best))) / 2.0, best.threshold};
  }
  if (gap(above) == 0) return {far(above), above.threshold};
  const double share =
      -static_cast<double>(gap(below)) / static_cast<double>(gap(above) - gap(below));
  const double rate = far(below) + share * (far(above) - far(below));
  if (std::isinf(below.threshold)) return {rate, above.threshold};
  return {rate, std::lerp(below.threshold, above.threshold, share)};
}

OperatingPoint Roc::at_far(double target, AtRule rule) const {
  require_unit_interval(target, "target FAR");
  return operating_point(points_, static_cast<double>(genuine_count_),
                         static_cast<double>(impostor_count_), target, rule);
}

double Roc::fnmr_at_fmr(double target, AtRule rule) const {
  return at_far(target, rule).frr();
}

std::vector<RocPoint> Roc::thinned(std::size_t most) const {
  if (most < 2) refuse(fmt::format("a curve needs at least 2 points, not {}", most));
  if (points_.size() <= most) return points_;
  // A point is taken when log FAR or TAR has moved by one step since the last one taken. Both run
  // over their range once, so that steps of 2 / most of the range give no more than `most` points.
  const double decades = std::log(static_cast<double>(impostor_count_));
  const double step = 2.0 / static_cast<double>(most - 2);
  const auto height = [&](const RocPoint& point) {
    const double log_far =
        decades > 0.0 ? std::log(std::max<double>(point.false_accepts, 1.0)) / decades : 0.0;
    return std::pair{log_far, tar(point)};
  };
  std::vector<RocPoint> kept{points_.front()};
  auto last = height(points_.front());
  for (std::size_t i = 1; i + 1 < points_.size(); ++i) {
    const auto here = height(points_[i]);
    if (here.first - last.first < step && here.second - last.second < step) continue;
    kept.push_back(points_[i]);
    last = here;
  }
  kept.push_back(points_.back());
  return kept;
}

std::vector<DetPoint> det_curve(const Roc& roc) {
  std::vector<DetPoint> curve;
  curve.reserve(roc.points().size());
  for (const RocPoint& point : roc.points()) {
    curve.push_back({point.threshold, roc.far(point), 1.0 - roc.tar(point)});
  }
  return curve;
}

Moments moments(std::span<const double> values) {
  const WideMoments wide = wide_moments(values);
  return {static_cast<double>(wide.mean), static_cast<double>(wide.variance)};
}

double fisher_ratio(std::span<const double> genuine, std::span<const double> impostor) {
  check_class(genuine, "genuine", 1);
  check_class(impostor, "impostor", 0);
  const WideMoments g = wide_moments(genuine);
  const WideMoments i = wide_moments(impostor);
  if (g.mean == i.mean) return 0.0;
  return static_cast<double>((g.mean - i.mean) * (g.mean - i.mean) / (g.variance + i.variance));
}

double d_prime(std::span<const double> genuine, std::span<const double> impostor) {
  return std::sqrt(2.0 * fisher_ratio(genuine, impostor));
}

}  // namespace sosia::evaluate

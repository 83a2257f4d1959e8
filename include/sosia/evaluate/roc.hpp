#pragma once
// Verification curves from two lists of scores: ROC, AUC, EER, DET, TAR@FAR.
//
// Decision rule everywhere in this room: a comparison is accepted when score >= threshold; higher
// means more alike. FAR (here the same as FMR: comparisons, no failures to acquire) is the share of
// impostor scores accepted, TAR the share of genuine scores accepted, FRR = FNMR = 1 - TAR.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace sosia::evaluate {

/// Scores of comparisons of the same subject (genuine) and of different subjects (impostor).
struct ScoreSet {
  std::vector<double> genuine;
  std::vector<double> impostor;
};

/// Sorts scores into classes by label (1 genuine, 0 impostor). Throws invalid_argument for lists of
/// different length and other labels.
ScoreSet split_scores(std::span<const double> scores, std::span<const std::uint8_t> labels);

/// A point of the curve: what is accepted at `threshold`.
struct RocPoint {
  double threshold;             ///< +infinity for the first point
  std::uint32_t false_accepts;  ///< impostor scores >= threshold
  std::uint32_t true_accepts;   ///< genuine scores >= threshold
};

/// How TAR is read off the curve at a target FAR.
///
/// Without ties between genuine and impostor scores, `interpolated` equals `not_above`; with few
/// impostors the nearest point can lie above the target, and the rules differ by whole points.
enum class AtRule {
  /// The point whose FAR is nearest to the target, of the whole curve; of two equally near the one
  /// with the higher FAR, of equal FAR the one with the highest TAR.
  nearest,
  /// The same on the curve without the points that lie on a straight line between their neighbours:
  /// the IJB-B/IJB-C evaluation of InsightFace, which calls scikit-learn's roc_curve with its
  /// default drop_intermediate, flips the arrays and takes the nearest FAR.
  nearest_reduced,
  /// Linear in FAR along the polyline of the curve, as numpy.interp(target, far, tar): between the
  /// last point with FAR <= target and the first with FAR > target.
  interpolated,
  /// The highest TAR among points with FAR <= target: FMR100, FMR1000 and "TAR at FAR <= 1e-6".
  not_above,
};

/// "nearest", "nearest_reduced", "interpolated", "not_above".
std::string_view rule_name(AtRule rule);

/// TAR and FAR at a threshold. `far` is the rate really reached, which a nearest or not_above rule
/// leaves off the target.
struct OperatingPoint {
  double threshold;  ///< +infinity when nothing is accepted; for `interpolated`, of the point below
  double far;
  double tar;
  double frr() const { return 1.0 - tar; }
};

/// How the equal error rate is read off a curve with finitely many points.
enum class EerRule {
  /// Where the polyline of the ROC crosses FAR = FRR: linear between the two neighbouring points.
  interpolated,
  /// At the point with the smallest |FAR - FRR|: the mean of FAR and FRR. Of two equal ones the one
  /// with the lower FAR, but never the point that accepts nothing.
  nearest,
};

struct Eer {
  double rate;
  double threshold;  ///< interpolated like the rate; of the nearest point otherwise
};

/// The ROC curve of two score lists. Everything is counted exactly in integers; rates are single
/// divisions of counts. Thread-safety: immutable after construction.
class Roc {
 public:
  /// Sorts both lists (radix sort, linear time) and merges them to one point per distinct score.
  /// 16 bytes per point, and while it runs twice the scores. Throws invalid_argument for an empty
  /// class, a score that is not finite, or more than 2^31 - 1 scores in a class.
  explicit Roc(ScoreSet scores);
  Roc(std::span<const double> genuine, std::span<const double> impostor);

  std::size_t genuine_count() const noexcept { return genuine_count_; }
  std::size_t impostor_count() const noexcept { return impostor_count_; }

  /// From (+inf, 0, 0) to (lowest score, all, all), thresholds strictly falling.
  std::span<const RocPoint> points() const noexcept { return points_; }
  double far(const RocPoint& point) const noexcept;
  double tar(const RocPoint& point) const noexcept;

  /// Share of impostor scores >= threshold, share of genuine scores >= threshold.
  OperatingPoint at_threshold(double threshold) const;

  /// Area under the curve = P(genuine > impostor) + P(tie) / 2 (Mann-Whitney U / (n m)).
  double auc() const;

  Eer eer(EerRule rule = EerRule::interpolated) const;

  /// The operating point for a target FAR in [0, 1]. Throws invalid_argument outside.
  OperatingPoint at_far(double target, AtRule rule = AtRule::nearest) const;

  /// FNMR at a target FMR: 1 - TAR of `at_far`. FMR100 is `fnmr_at_fmr(0.01)`.
  double fnmr_at_fmr(double target, AtRule rule = AtRule::not_above) const;

  /// At most `most` (>= 2) points for a plot, evenly spread over log FAR and over TAR; the first
  /// and the last point always. The curve itself when it is that short.
  std::vector<RocPoint> thinned(std::size_t most) const;

 private:
  std::vector<RocPoint> points_;
  std::size_t genuine_count_ = 0;
  std::size_t impostor_count_ = 0;
};

/// A point of the detection error trade-off curve.
struct DetPoint {
  double threshold;
  double fmr;
  double fnmr;
};

/// The DET curve at the points of `roc` (one per distinct score, +inf first).
std::vector<DetPoint> det_curve(const Roc& roc);

/// Mean and variance of a list (variance over n, not n - 1; NaN for an empty list).
struct Moments {
  double mean;
  double variance;
};
Moments moments(std::span<const double> values);

/// Fisher discriminant ratio (mu_g - mu_i)^2 / (var_g + var_i), variances over n. Infinite when
/// both variances are 0 and the means differ, 0 when the means are equal. Throws invalid_argument
/// for an empty class or a score that is not finite.
double fisher_ratio(std::span<const double> genuine, std::span<const double> impostor);

/// Decidability d' = |mu_g - mu_i| / sqrt((var_g + var_i) / 2) (Daugman): sqrt(2 Fisher ratio).
double d_prime(std::span<const double> genuine, std::span<const double> impostor);

}  // namespace sosia::evaluate

#pragma once
// How sure a figure is: Wilson intervals for one rate, the bootstrap over subjects for anything
// computed from comparisons, and the rule of 30 for claims about small error rates.

#include "sosia/core/report.hpp"
#include "sosia/core/run.hpp"
#include "sosia/evaluate/roc.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sosia::evaluate {

/// Wilson score interval (1927) of a binomial rate, without continuity correction. It assumes
/// independent trials: right for one comparison per subject, too narrow when subjects or photos
/// repeat. Throws invalid_argument for no trials, more successes than trials, or a level outside
/// (0, 1).
Interval wilson_interval(std::uint64_t successes, std::uint64_t trials, double level = 0.95);

/// The rule of 30 (Doddington et al., 2000): to claim an error rate r, 30 errors must be expected,
/// so that the true rate lies within 30 % of the observed one at 90 % confidence.
struct RuleOf30 {
  double rate;           ///< the error rate that is to be claimed
  std::uint64_t trials;  ///< comparisons at hand
  std::uint64_t needed;  ///< ceil(30 / rate)
  bool met;              ///< trials >= needed
  /// "FAR 1e-06 rests on 500 impostor comparisons; ...", or nothing when the rule is met.
  std::optional<std::string> warning(std::string_view what = "FAR",
                                     std::string_view trials_name = "impostor comparisons") const;
};

/// Throws invalid_argument for a rate outside (0, 1].
RuleOf30 rule_of_30(double rate, std::uint64_t trials);

/// The subjects of the two samples of a comparison, numbered from 0; equal for a genuine one.
struct SubjectPair {
  std::uint32_t a;
  std::uint32_t b;
};

/// The weight of a comparison in a bootstrap replicate in which subject s was drawn `draws[s]`
/// times: draws[a] for two samples of one subject, draws[a] * draws[b] for two subjects. A subject
/// is drawn with all its samples, so a genuine comparison appears as often as its subject, and an
/// impostor comparison once for every pair of copies; copies of one subject are never compared with
/// each other as impostors (the vertex bootstrap of Snijders and Borgatti, 1999, without its
/// self-pairs; for independent pairs it equals the ordinary cluster bootstrap).
inline std::uint64_t pair_weight(SubjectPair pair, std::span<const std::uint32_t> draws) {
  const std::uint64_t first = draws[pair.a];
  return pair.a == pair.b ? first : first * draws[pair.b];
}

struct BootstrapOptions {
  std::size_t replicates = 1000;
  double level = 0.95;  ///< of the percentile interval
};

/// A statistic of one replicate: `draws[s]` says how often subject s was drawn (the sum is the
/// number of subjects); writes one figure per output, NaN for a figure that this replicate does not
/// define (no impostor left). Called from several threads at once.
using ReplicateStatistic =
    std::function<void(std::span<const std::uint32_t> draws, std::span<double> figures)>;

/// The percentile bootstrap over subjects (Efron; Bolle, Ratha and Pankanti, 2004, on why pairs
/// must not be resampled one by one: they share subjects and are not independent).
///
/// Replicate r draws `subjects` subjects with replacement from stream (run's seed, "bootstrap", r),
/// so the result does not depend on threads. The interval runs between the (1 - level) / 2 and
/// (1 + level) / 2 quantiles of the defined replicates (linear between order statistics, as
/// numpy.quantile).
///
/// Returns one interval per figure; NaN ends when fewer than half of the replicates define it.
/// Throws invalid_argument for fewer than 2 subjects, fewer than 10 replicates, or a level outside
/// (0, 1); cancelled when the run was.
std::vector<Interval> bootstrap_subjects(std::size_t subjects, std::size_t figures,
                                         const ReplicateStatistic& statistic,
                                         const BootstrapOptions& options, RunContext& run);

/// False accept rates to read TAR at, and how.
struct FarTargets {
  std::span<const double> rates;
  AtRule rule = AtRule::not_above;
};

/// The verification figures that bootstrap together.
struct VerificationIntervals {
  Interval auc;
  Interval eer;
  std::vector<Interval> tar_at_far;  ///< in the order of the targets
};

/// Bootstrap over subjects of AUC, EER (interpolated) and TAR at each FAR target for labelled
/// comparisons. `subjects[i]` holds the subjects of comparison i, numbered from 0 without
/// gaps worth speaking of. A replicate costs one pass over the comparisons, sorted once.
/// Throws invalid_argument as `Roc` and `bootstrap_subjects`.
VerificationIntervals bootstrap_verification(std::span<const double> scores,
                                             std::span<const std::uint8_t> labels,
                                             std::span<const SubjectPair> subjects,
                                             const FarTargets& targets,
                                             const BootstrapOptions& options, RunContext& run);

/// The q quantile (0 to 1) of a list, linear between order statistics (numpy's default). Throws
/// invalid_argument for an empty list or NaN.
double quantile(std::vector<double> values, double q);

/// The standard normal distribution function and its inverse (relative error below 1e-14; p in
/// (0, 1), throws invalid_argument outside).
double normal_cdf(double x);
double normal_quantile(double p);

}  // namespace sosia::evaluate

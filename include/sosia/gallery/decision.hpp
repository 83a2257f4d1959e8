#pragma once
// From scores to accept, unknown or ambiguous, at a false positive identification rate that the
// calibration sample can support.

#include "sosia/core/report.hpp"
#include "sosia/gallery/template.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sosia::gallery {

/// "mean_top3", "maximum", "centroid".
std::string_view to_string(SubjectRule rule);

/// What was learned from genuine and impostor comparisons of known subjects. It belongs to one
/// kind of vectors (`model`) and one subject rule.
struct Calibration {
  std::string set = {};    ///< the data it was fitted on, for people
  std::string model = {};  ///< hash of the model that made the vectors; "" when unknown
  SubjectRule rule = SubjectRule::mean_top3;
  std::uint64_t genuine = 0;   ///< subject-level scores with the own subject
  std::uint64_t impostor = 0;  ///< with another subject
  std::uint64_t subjects = 0;
  /// log odds of genuine against impostor at equal priors: -(a * score + b), Platt's a and b with
  /// the sample's class ratio taken out.
  double a = 0, b = 0;
  /// The impostor scores that thresholds are read from: the highest ones, falling, complete down to
  /// the last.
  std::vector<double> impostor_tail = {};
  /// The probe that each score of `impostor_tail` belongs to, numbered from 0; empty when the
  /// sample does not say. A search fails once however many subjects it confuses, so how the false
  /// matches spread over probes decides the false positive identification rate.
  std::vector<std::uint32_t> tail_probes = {};
  /// The subject of each probe, numbered from 0: probes of one subject are not independent. Every
  /// probe was compared with `impostor` / `probe_subjects.size()` other subjects. Empty with
  /// `tail_probes`.
  std::vector<std::uint32_t> probe_subjects = {};
  /// Genuine scores at evenly spaced ranks (at most 1001), rising: the FNMR at any threshold.
  std::vector<double> genuine_quantiles = {};

  /// P(same) of one comparison at equal priors.
  double probability(double score) const;
  /// Share of genuine scores below the threshold, linear between the stored ranks.
  double fnmr(double threshold) const;
  /// Share of impostor scores at or above the threshold; below the stored tail, that of the tail.
  double fmr(double threshold) const;
};

/// Subject-level scores of comparisons whose truth is known.
struct ScoreSample {
  std::vector<double> genuine = {};
  std::vector<double> impostor = {};
  /// The probe of each impostor score, or empty when that is not known.
  std::vector<std::uint32_t> impostor_probes = {};
  /// The subject of each probe; as long as there are probes.
  std::vector<std::uint32_t> probe_subjects = {};
  std::uint64_t subjects = 0;  ///< of probes and gallery together
};

/// Fits a calibration to subject-level scores. Throws invalid_argument for an empty class, NaN,
/// fewer than 2 subjects, or lists that do not belong together.
Calibration fit_calibration(std::span<const double> genuine, std::span<const double> impostor,
                            std::uint64_t subjects);
Calibration fit_calibration(const ScoreSample& sample);

/// JSON with schema "sosia.calibration/1", and back. Throws corrupt_data naming the member.
Value to_value(const Calibration& calibration);
Calibration calibration_from_value(const Value& value);

/// The pairwise false match rate at which a search among `subjects` subjects has the wanted false
/// positive identification rate: 1 - (1 - fpir)^(1 / subjects), comparisons taken as independent.
/// Throws invalid_argument for a rate outside (0, 1); `subjects` 0 counts as 1.
double pairwise_rate(double max_fpir, std::uint64_t subjects);

/// How a sample of comparisons becomes the false positive identification rate of a search.
enum class FpirRule : std::uint8_t {
  /// The share of the sample's probes that have a false match among as many other subjects,
  /// averaged over all choices of these subjects. Beyond the size of the sample's own gallery it is
  /// carried on by 1 - (1 - FPIR)^(N / M), which is never too low for exchangeable subjects.
  per_probe,
  /// `pairwise_rate` with the pooled false match rate: right when all probes are equally easily
  /// mistaken, too strict when few probes make most of the false matches.
  independent,
};

/// An operating point for one gallery size.
struct OperatingPolicy {
  double max_fpir = 0;          ///< as wanted
  double pairwise_fmr = 0;      ///< needed for it, comparisons taken as independent
  double threshold = 0;         ///< accepted means score >= threshold
  double observed_fmr = 0;      ///< of the calibration sample at the threshold
  Interval fmr_interval = {};   ///< Wilson, of `observed_fmr`
  double expected_fpir = 0;     ///< by `rule`, among `subjects` subjects at the threshold
  Interval fpir_interval = {};  ///< Wilson, of `expected_fpir`, with `effective_trials`
  double effective_trials = 0;  ///< independent searches that the sample is worth
  FpirRule rule = FpirRule::per_probe;
  double fnmr = 0;  ///< of the calibration sample at the threshold
  std::uint64_t subjects = 0;
  double prior = 0.5;                      ///< that a probe's subject is enrolled
  std::vector<std::string> warnings = {};  ///< rule of 30, and others
};

/// The lowest threshold at which the upper end of the one-sided 95 % interval of the false positive
/// identification rate among `subjects` subjects is at most `max_fpir`: a rate that is promised,
/// not one that is met half of the time. A sample without probes is taken by the independent rule.
///
/// Throws unsupported when the sample cannot exclude a higher rate even above all its impostor
/// scores (about 3 / rate of them are needed: with none of n above, a rate below 3 / n cannot be
/// excluded at 95 %), with the smallest rate that it supports in the hint.
OperatingPolicy make_policy(const Calibration& calibration, double max_fpir, std::uint64_t subjects,
                            FpirRule rule = FpirRule::per_probe);

/// The smallest rate for which `make_policy` has an answer, in (0, 1].
double smallest_fpir(const Calibration& calibration, std::uint64_t subjects,
                     FpirRule rule = FpirRule::per_probe);

enum class Decision : std::uint8_t { accept, unknown, ambiguous };
std::string_view to_string(Decision decision);

/// The answer about one probe.
struct Verdict {
  Decision decision = Decision::unknown;
  std::string label = {};  ///< accepted, or best of the ambiguous; "" for unknown
  std::string tenant = {};
  double probability = 0;  ///< that the decision's subject is the probe's (unknown: that none is)
};

/// Decides by the best subjects of a result (scores falling).
///
/// P(subject i | scores) is proportional to prior / subjects * LR(score_i), "none of them" to
/// 1 - prior, LR from the calibration. Subjects beyond the candidate list share the prior of an own
/// subject that scores below the last candidate (the FNMR there), and never more than the last
/// candidate's ratio each. Below the threshold: unknown. Two or more subjects at or above it of
/// which the best is not `kAmbiguityRatio` times as probable as the second: ambiguous. Otherwise
/// accept.
Verdict decide(const Calibration& calibration, const OperatingPolicy& policy,
               std::span<const SubjectMatch> subjects);

inline constexpr double kAmbiguityRatio = 9;

}  // namespace sosia::gallery

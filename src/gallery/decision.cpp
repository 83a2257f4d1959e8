#include "sosia/gallery/decision.hpp"

#include "gallery/fpir_curve.hpp"
#include "sosia/core/error.hpp"
#include "sosia/evaluate/confidence.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

namespace sosia::gallery {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kOneSided = 0.95;

// The upper end of the one-sided 95 % interval of `rate` seen in `trials`. Above all scores of a
// sample: with none in n, rates from 1 - 0.05^(1/n) (about 3/n) on are excluded.
double upper_end(double rate, double trials) {
  if (rate <= 0) return -std::expm1(std::log1p(-kOneSided) / std::max(trials, 1.0));
  const auto n = static_cast<std::uint64_t>(std::max(1.0, std::floor(trials)));
  const auto hits = static_cast<std::uint64_t>(std::ceil(rate * static_cast<double>(n)));
  return evaluate::wilson_interval(std::min(hits, n), n, 2 * kOneSided - 1).high;
}

Interval two_sided(double rate, double trials) {
  const auto n = static_cast<std::uint64_t>(std::max(1.0, std::floor(trials)));
  const auto hits = static_cast<std::uint64_t>(std::lround(rate * static_cast<double>(n)));
  return evaluate::wilson_interval(std::min(hits, n), n);
}

void require_rate(double max_fpir) {
  if (!(max_fpir > 0 && max_fpir < 1)) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("max_fpir is {}; it must be between 0 and 1", max_fpir));
  }
}

// A rate that is not below `rate`, with few digits.
double rounded_up(double rate) {
  const double step = std::pow(10.0, std::floor(std::log10(rate)) - 1);
  return std::min(1.0, std::ceil(rate / step - 1e-9) * step);
}

void require_support(const Calibration& c, const FpirCurve& curve, double max_fpir,
                     std::uint64_t subjects) {
  const double least = curve.search_rate(upper_end(0, curve.zero_trials));
  if (least <= max_fpir) return;
  const std::string trials =
      curve.rule == FpirRule::independent
          ? fmt::format("{} impostor scores", c.impostor)
          : fmt::format("{} impostor scores of {} probes, worth {:.0f} independent searches,",
                        c.impostor, c.probe_subjects.size(), curve.zero_trials);
  throw Error(ErrorCode::unsupported,
              fmt::format("a false positive identification rate of {:g} among {} subjects cannot "
                          "be promised: {} cannot exclude a rate of {:.2g}",
                          max_fpir, subjects, trials, least),
              least < 1 ? fmt::format("ask for {:g} or more, or calibrate with more subjects",
                                      rounded_up(least))
                        : "calibrate with more subjects",
              c.set.empty() ? "calibration" : "calibration from " + c.set);
}

void add_warnings(OperatingPolicy& policy, const Calibration& c, const FpirCurve& curve,
                  bool at_end) {
  const bool per_probe = curve.rule == FpirRule::per_probe;
  const auto trials = static_cast<std::uint64_t>(policy.effective_trials);
  // Of as many subjects as the sample compared; two digits are enough for a sentence.
  const double rate = std::min(1.0, rounded_up(curve.trial_rate(policy.max_fpir)));
  if (const auto text = evaluate::rule_of_30(rate, trials)
                            .warning(per_probe ? "FPIR" : "FMR",
                                     per_probe ? "independent searches" : "impostor scores")) {
    policy.warnings.push_back(*text);
  }
  if (!per_probe) {
    policy.warnings.push_back(
        "the calibration does not say which comparisons belong to one probe, so they were taken as "
        "independent, which they are not when subjects repeat");
  }
  if (at_end) {
    policy.warnings.push_back(fmt::format(
        "the calibration keeps its {} highest impostor scores; the threshold is the lowest of them "
        "and stricter than the rate asks for",
        c.impostor_tail.size()));
  }
  if (c.a >= 0) {
    policy.warnings.push_back(
        "genuine scores are not higher than impostor scores in the calibration sample: "
        "probabilities mean nothing");
  }
}

}  // namespace

std::string_view to_string(SubjectRule rule) {
  switch (rule) {
    case SubjectRule::mean_top3:
      return "mean_top3";
    case SubjectRule::maximum:
      return "maximum";
    case SubjectRule::centroid:
      return "centroid";
  }
  return "";
}

std::string_view to_string(Decision decision) {
  switch (decision) {
    case Decision::accept:
      return "accept";
    case Decision::unknown:
      return "unknown";
    case Decision::ambiguous:
      return "ambiguous";
  }
  return "";
}

double smallest_fpir(const Calibration& calibration, std::uint64_t subjects, FpirRule rule) {
  const FpirCurve curve = fpir_curve(calibration, subjects, rule);
  return rounded_up(curve.search_rate(upper_end(0, curve.zero_trials)));
}

OperatingPolicy make_policy(const Calibration& c, double max_fpir, std::uint64_t subjects,
                            FpirRule rule) {
  require_rate(max_fpir);
  const FpirCurve curve = fpir_curve(c, subjects, rule);
  require_support(c, curve, max_fpir, subjects);
  const double wanted = curve.trial_rate(max_fpir);
  FpirPoint chosen{std::nextafter(c.impostor_tail.front(), kInfinity), 0, 0, curve.zero_trials};
  bool at_end = false;
  for (const FpirPoint& point : curve.points) {
    if (upper_end(point.rate, point.trials) > wanted) break;
    chosen = point;
    at_end = &point == &curve.points.back() && c.impostor_tail.size() < c.impostor;
  }
  OperatingPolicy policy;
  policy.max_fpir = max_fpir;
  policy.pairwise_fmr = pairwise_rate(max_fpir, subjects);
  policy.threshold = chosen.threshold;
  policy.observed_fmr = static_cast<double>(chosen.accepted) / static_cast<double>(c.impostor);
  policy.fmr_interval = evaluate::wilson_interval(chosen.accepted, c.impostor);
  policy.expected_fpir = curve.search_rate(chosen.rate);
  policy.fpir_interval = two_sided(chosen.rate, chosen.trials);
  policy.fpir_interval.low = curve.search_rate(policy.fpir_interval.low);
  policy.fpir_interval.high = curve.search_rate(policy.fpir_interval.high);
  policy.fpir_interval.method =
      fmt::format("Wilson, {:.0f} independent {}", chosen.trials,
                  curve.rule == FpirRule::per_probe ? "searches" : "comparisons");
  policy.effective_trials = chosen.trials;
  policy.rule = curve.rule;
  policy.fnmr = c.fnmr(chosen.threshold);
  policy.subjects = subjects;
  add_warnings(policy, c, curve, at_end);
  return policy;
}

Verdict decide(const Calibration& c, const OperatingPolicy& policy,
               std::span<const SubjectMatch> subjects) {
  Verdict verdict;
  if (subjects.empty()) {
    verdict.probability = policy.subjects == 0 ? 1 : 1 - policy.prior;
    return verdict;
  }
  const double n = static_cast<double>(std::max<std::uint64_t>(policy.subjects, subjects.size()));
  // Odds against "none of them" for each candidate, as logarithms: ratios overflow.
  const double log_prior = std::log(policy.prior / n);
  const auto log_odds = [&](double score) { return log_prior - (c.a * score + c.b); };
  const double none = std::log1p(-policy.prior);
  double top = none;
  for (const SubjectMatch& s : subjects) top = std::max(top, log_odds(s.score));
  double total = std::exp(none - top);
  for (const SubjectMatch& s : subjects) total += std::exp(log_odds(s.score) - top);
  // An own subject that is enrolled but not listed: (half a score is added to both sides, so that a
  // sample without low genuine scores does not exclude them)
  const double last = subjects.back().score;
  const double rest = (n - static_cast<double>(subjects.size())) / n;
  const double genuine = static_cast<double>(c.genuine);
  const double missed = (c.fnmr(last) * genuine + 0.5) / (genuine + 1);
  const double ratio_cap = std::exp(std::min(0.0, -(c.a * last + c.b)));
  total += policy.prior * rest * std::min(missed, ratio_cap) * std::exp(-top);
  const double best = std::exp(log_odds(subjects.front().score) - top) / total;
  if (subjects.front().score < policy.threshold) {
    verdict.probability = std::exp(none - top) / total;
    return verdict;
  }
  verdict.label = subjects.front().label;
  verdict.tenant = subjects.front().tenant;
  verdict.probability = best;
  verdict.decision = Decision::accept;
  if (subjects.size() > 1 && subjects[1].score >= policy.threshold) {
    const double log_ratio = log_odds(subjects[0].score) - log_odds(subjects[1].score);
    if (log_ratio < std::log(kAmbiguityRatio)) verdict.decision = Decision::ambiguous;
  }
  return verdict;
}

}  // namespace sosia::gallery

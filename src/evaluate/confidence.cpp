#include "sosia/evaluate/confidence.hpp"

#include "evaluate/checks.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <numbers>

#include <fmt/format.h>

namespace sosia::evaluate {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

void require_level(double level) {
  if (!(level > 0.0 && level < 1.0)) {
    refuse(fmt::format("the confidence level must lie between 0 and 1, not {}", level),
           "0.95 is usual");
  }
}

// Linear between order statistics of an ascending list.
double quantile_of_sorted(const std::vector<double>& sorted, double q) {
  const double position = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  if (below + 1 >= sorted.size()) return sorted.back();
  const double share = position - static_cast<double>(below);
  return sorted[below] + share * (sorted[below + 1] - sorted[below]);
}

}  // namespace

double normal_cdf(double x) {
  return 0.5 * std::erfc(-x / std::numbers::sqrt2);
}

double normal_quantile(double p) {
  if (!(p > 0.0 && p < 1.0)) {
    refuse(fmt::format("the normal quantile needs a probability in (0, 1), not {}", p));
  }
  if (p > 0.5) return -normal_quantile(1.0 - p);
  // Start: Abramowitz and Stegun 26.2.23 (error below 4.5e-4); each step of Halley's method on
  // cdf(x) = p triples the correct digits.
  const double t = std::sqrt(-2.0 * std::log(p));
  double x = -(t - (2.515517 + t * (0.802853 + t * 0.010328)) /
                       (1.0 + t * (1.432788 + t * (0.189269 + t * 0.001308))));
  for (int step = 0; step < 3; ++step) {
    const double density = std::exp(-0.5 * x * x) / std::sqrt(2.0 * std::numbers::pi);
    const double newton = (normal_cdf(x) - p) / density;
    x -= newton / (1.0 + 0.5 * x * newton);
  }
  return x;
}

double quantile(std::vector<double> values, double q) {
  require_some(values.size(), "values to take a quantile of");
  require_unit_interval(q, "quantile");
  if (std::any_of(values.begin(), values.end(), [](double v) { return std::isnan(v); })) {
    refuse("a list with NaN has no quantiles");
  }
  std::sort(values.begin(), values.end());
  return quantile_of_sorted(values, q);
}

Interval wilson_interval(std::uint64_t successes, std::uint64_t trials, double level) {
  require_some(trials, "trials");
  require_level(level);
  if (successes > trials) {
    refuse(fmt::format("{} successes are more than {} trials", successes, trials));
  }
  const auto n = static_cast<double>(trials);
  const double rate = static_cast<double>(successes) / n;
  const double z = normal_quantile((1.0 + level) / 2.0);
  const double z2n = z * z / n;
  const double centre = (rate + z2n / 2.0) / (1.0 + z2n);
  const double half = z / (1.0 + z2n) * std::sqrt(rate * (1.0 - rate) / n + z2n / (4.0 * n));
  // The ends are exactly 0 and 1 at the extremes; rounding must not move them.
  const double low = successes == 0 ? 0.0 : std::max(0.0, centre - half);
  const double high = successes == trials ? 1.0 : std::min(1.0, centre + half);
  return {low, high, level, fmt::format("Wilson, {} trials", trials)};
}

RuleOf30 rule_of_30(double rate, std::uint64_t trials) {
  if (!(rate > 0.0 && rate <= 1.0)) {
    refuse(fmt::format("the rule of 30 needs an error rate in (0, 1], not {}", rate));
  }
  // The quotient is rounded before the ceiling, so that 30 / 0.1 needs 300 and not 301.
  const double needed = std::ceil(30.0 / rate * (1.0 - 1e-12));
  const auto whole = static_cast<std::uint64_t>(std::min(needed, 9e18));
  return {rate, trials, whole, trials >= whole};
}

std::optional<std::string> RuleOf30::warning(std::string_view what,
                                             std::string_view trials_name) const {
  if (met) return std::nullopt;
  return fmt::format("{} {:g} rests on {} {} ({:.3g} expected errors); the rule of 30 asks for {}",
                     what, rate, trials, trials_name, rate * static_cast<double>(trials), needed);
}

std::vector<Interval> bootstrap_subjects(std::size_t subjects, std::size_t figures,
                                         const ReplicateStatistic& statistic,
                                         const BootstrapOptions& options, RunContext& run) {
  require_level(options.level);
  if (subjects < 2) {
    refuse(fmt::format("a bootstrap over subjects needs at least 2 subjects, not {}", subjects),
           "one subject says nothing about others");
  }
  if (options.replicates < 10) {
    refuse(fmt::format("{} bootstrap replicates are too few", options.replicates),
           "use at least 10; 1000 is usual");
  }
  std::vector<double> values(options.replicates * figures, kNan);
  std::atomic<std::uint64_t> done{0};
  run.parallel_for(0, options.replicates, 1, [&](std::size_t first, std::size_t last) {
    std::vector<std::uint32_t> draws(subjects);
    for (std::size_t replicate = first; replicate < last; ++replicate) {
      std::fill(draws.begin(), draws.end(), 0u);
      RandomStream stream = run.random("bootstrap", replicate);
      for (std::size_t i = 0; i < subjects; ++i) ++draws[stream.below(subjects)];
      statistic(draws, std::span(values).subspan(replicate * figures, figures));
      run.progress("bootstrap", ++done, options.replicates);
    }
  });
  std::vector<Interval> intervals;
  const std::string method =
      fmt::format("bootstrap over {} subjects, {} replicates", subjects, options.replicates);
  for (std::size_t figure = 0; figure < figures; ++figure) {
    std::vector<double> defined;
    for (std::size_t replicate = 0; replicate < options.replicates; ++replicate) {
      const double value = values[replicate * figures + figure];
      if (!std::isnan(value)) defined.push_back(value);
    }
    Interval interval{kNan, kNan, options.level, method};
    if (defined.size() * 2 >= options.replicates) {
      std::sort(defined.begin(), defined.end());
      interval.low = quantile_of_sorted(defined, (1.0 - options.level) / 2.0);
      interval.high = quantile_of_sorted(defined, (1.0 + options.level) / 2.0);
    }
    intervals.push_back(std::move(interval));
  }
  return intervals;
}

}  // namespace sosia::evaluate

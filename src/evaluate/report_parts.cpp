#include "sosia/evaluate/report_parts.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

namespace sosia::evaluate {

std::string rate_key(double rate) {
  const double exponent = std::round(-std::log10(rate));
  if (exponent >= 1.0 && exponent < 300.0) {
    const double power = std::pow(10.0, -exponent);
    if (std::abs(rate - power) <= 1e-12 * power) return fmt::format("1e-{:.0f}", exponent);
  }
  return fmt::format("{}", rate);
}

void require_distinct(Fields& f, std::string_view option, std::span<const double> rates) {
  std::vector<std::string> keys;
  for (double rate : rates) keys.push_back(rate_key(rate));
  std::sort(keys.begin(), keys.end());
  f.require(std::adjacent_find(keys.begin(), keys.end()) == keys.end(),
            fmt::format("{} names a rate twice", option));
}

void require_distinct(Fields& f, std::string_view option, std::span<const std::int64_t> ranks) {
  std::vector<std::int64_t> sorted(ranks.begin(), ranks.end());
  std::sort(sorted.begin(), sorted.end());
  f.require(std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end(),
            fmt::format("{} names a rank twice", option));
}

std::string percent(double rate) {
  return fmt::format("{:.4g} %", 100.0 * rate);
}

std::vector<std::pair<std::string, Value>> by_rate(std::span<const double> rates,
                                                   const std::function<double(double)>& figure) {
  std::vector<std::pair<std::string, Value>> items;
  for (double rate : rates) items.emplace_back(rate_key(rate), figure(rate));
  return items;
}

BootstrapOptions BootstrapFields::options() const {
  return {.replicates = static_cast<std::size_t>(replicates), .level = level};
}

void describe(Fields& f, BootstrapFields& o, const std::string& when) {
  f({.name = "replicates",
     .help = "bootstrap replicates " + when + ", 0 for none",
     .min = 0,
     .max = 1e6,
     .group = "confidence"},
    o.replicates);
  f({.name = "level",
     .help = "level of confidence intervals",
     .above = 0,
     .below = 1,
     .group = "confidence"},
    o.level);
  f.require(o.replicates == 0 || o.replicates >= 10, "replicates must be 0 or at least 10");
}

void describe_gate(Fields& f, std::string name, std::string help, std::optional<double>& bound) {
  f({.name = std::move(name), .help = std::move(help), .min = 0, .max = 1, .group = "gates"},
    bound);
}

void add_gate(Report& report, std::string_view name, double value, std::optional<double> bound,
              bool at_least) {
  if (!bound) return;
  // Written so that NaN fails either way.
  const bool passed = at_least ? value >= *bound : value <= *bound;
  report.gate(std::string(name), passed,
              fmt::format("{:.6g} against at {} {:g}", value, at_least ? "least" : "most", *bound));
}

void warn_rule_of_30(Report& report, std::span<const double> rates, std::size_t trials,
                     std::string_view rate_name, std::string_view trials_name) {
  std::vector<double> falling(rates.begin(), rates.end());
  std::sort(falling.begin(), falling.end(), std::greater<>());
  for (double rate : falling) {
    if (rate <= 0.0) continue;
    if (auto warning = rule_of_30(rate, trials).warning(rate_name, trials_name)) {
      report.warning(*warning + (rate == falling.back() ? "" : ", and more for smaller rates"));
      return;
    }
  }
}

Plot histogram_plot(std::string key, std::string title, std::string x_label,
                    std::span<const NamedScores> lists, std::size_t bins) {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (const NamedScores& list : lists) {
    for (double score : list.scores) {
      low = std::min(low, score);
      high = std::max(high, score);
    }
  }
  // Wider than a double, so that neither the largest nor the smallest scores overflow.
  const auto first = static_cast<long double>(low);
  const auto count = static_cast<long double>(bins);
  const long double width = high > low ? (high - first) / count : 1.0L;
  Plot plot{.key = std::move(key),
            .title = std::move(title),
            .x_label = std::move(x_label),
            .y_label = "share of the class"};
  for (const NamedScores& list : lists) {
    Series series{.name = list.name, .style = SeriesStyle::bars};
    std::vector<std::size_t> counts(bins, 0);
    for (double score : list.scores) {
      const auto bin = static_cast<std::size_t>((score - first) / width);
      ++counts[std::min(bin, bins - 1)];
    }
    for (std::size_t b = 0; b < bins; ++b) {
      series.x.push_back(static_cast<double>(first + (static_cast<long double>(b) + 0.5L) * width));
      series.y.push_back(static_cast<double>(counts[b]) /
                         static_cast<double>(std::max<std::size_t>(list.scores.size(), 1)));
    }
    plot.series.push_back(std::move(series));
  }
  return plot;
}

Series curve_series(std::string name, std::span<const RocPoint> points,
                    const std::function<std::pair<double, double>(const RocPoint&)>& at) {
  Series series{.name = std::move(name)};
  for (const RocPoint& point : points) {
    const auto [x, y] = at(point);
    series.x.push_back(x);
    series.y.push_back(y);
  }
  return series;
}

Plot roc_plot(const Roc& roc) {
  const auto points = roc.thinned(400);
  Plot plot{.key = "roc",
            .title = "ROC",
            .x_label = "FAR (false accept rate)",
            .y_label = "TAR (true accept rate)",
            .x_log = true};
  plot.series.push_back(curve_series(
      "score", points, [&](const RocPoint& p) { return std::pair{roc.far(p), roc.tar(p)}; }));
  // The line of a score that knows nothing, where the axis begins.
  const double least = 1.0 / static_cast<double>(roc.impostor_count());
  Series chance{.name = "chance", .style = SeriesStyle::dashed};
  for (int i = 0; i <= 40; ++i) chance.x.push_back(std::pow(least, 1.0 - i / 40.0));
  chance.y = chance.x;
  plot.series.push_back(std::move(chance));
  return plot;
}

Plot det_plot(const Roc& roc) {
  const auto points = roc.thinned(400);
  Plot plot{.key = "det",
            .title = "DET",
            .x_label = "FMR (false match rate)",
            .y_label = "FNMR (false non-match rate)",
            .x_log = true,
            .y_log = true};
  plot.series.push_back(curve_series(
      "score", points, [&](const RocPoint& p) { return std::pair{roc.far(p), 1.0 - roc.tar(p)}; }));
  return plot;
}

}  // namespace sosia::evaluate

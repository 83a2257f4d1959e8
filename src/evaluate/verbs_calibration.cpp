// `sosia evaluate calibration`: what a probability is worth, and how to make one from a score.

#include "evaluate/verb_parts.hpp"
#include "evaluate/verbs.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/text.hpp"
#include "sosia/evaluate/calibration.hpp"
#include "sosia/evaluate/confidence.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace sosia::evaluate {
namespace {

enum class Fit { none, isotonic, platt };

struct CalibrationOptions {
  std::string file;
  Fit fit = Fit::none;
  std::int64_t bins = 15;
  BootstrapFields bootstrap;
  std::optional<double> max_ece, max_brier;
};

void describe(Fields& f, CalibrationOptions& o) {
  f({.name = "file",
     .help = "CSV with columns probability,label (or score,label with fit) and optionally split, "
             "subject",
     .role = FieldRole::input_file,
     .positional = true,
     .required = true},
    o.file);
  f.choice({.name = "fit",
            .help = "first make probabilities from the column score (else probability): fitted on "
                    "the rows of split dev, judged on the others"},
           o.fit, {{"none", Fit::none}, {"isotonic", Fit::isotonic}, {"platt", Fit::platt}});
  f({.name = "bins", .help = "bins of the reliability diagram and the ECE", .min = 1, .max = 10000},
    o.bins);
  describe(f, o.bootstrap, "when there is a column subject");
  describe_gate(f, "max_ece", "fail above this ECE", o.max_ece);
  describe_gate(f, "max_brier", "fail above this Brier score", o.max_brier);
}

struct Samples {
  std::vector<double> values;
  std::vector<std::uint8_t> labels;
  std::vector<std::uint32_t> subjects;
};

struct CalibrationFile {
  Samples dev, test;
  Names subjects;  // of the test rows
};

CalibrationFile read_samples(const CalibrationOptions& o, RunContext& run) {
  formats::CsvReader reader(o.file);
  const std::size_t label = reader.column("label");
  const auto split = reader.find_column("split"), subject = reader.find_column("subject");
  std::optional<std::size_t> value;
  if (o.fit != Fit::none) value = reader.find_column("score");
  if (!value) value = reader.column("probability");
  CalibrationFile all;
  for_each_record(reader, run, [&] {
    const std::string part = split ? ascii_lower(trim(reader[*split])) : "test";
    if (part != "dev" && part != "test") reader.fail(*split, "is neither dev nor test");
    Samples& samples = part == "dev" ? all.dev : all.test;
    samples.values.push_back(reader.real(*value));
    if (o.fit == Fit::none && !(samples.values.back() >= 0.0 && samples.values.back() <= 1.0)) {
      reader.fail(*value, "is not a probability between 0 and 1");
    }
    samples.labels.push_back(reader.boolean(label) ? 1 : 0);
    if (!subject) return;
    const std::string_view name = name_field(reader, *subject);
    if (part == "test") samples.subjects.push_back(all.subjects.number(name));
  });
  if (all.test.values.empty()) {
    throw Error(ErrorCode::corrupt_data, "no row has the split test",
                "mark the rows to be evaluated with test", o.file);
  }
  return all;
}

Value numbers(const std::vector<double>& values) {
  return Value(Value::List(values.begin(), values.end()));
}

// Replaces the test scores by probabilities and describes the map.
void apply_fit(CalibrationFile& all, Fit kind, Report& report) {
  if (kind == Fit::none) return;
  const bool in_sample = all.dev.values.empty();
  const Samples& source = in_sample ? all.test : all.dev;
  if (in_sample) {
    report.warning(
        "the map was fitted on the rows that it is judged on, which is optimistic; mark the rows "
        "to "
        "fit on with split dev");
  }
  std::vector<double> probabilities;
  if (kind == Fit::isotonic) {
    const Isotonic map = fit_isotonic(source.values, source.labels);
    for (double v : all.test.values) probabilities.push_back(std::clamp(map(v), 0.0, 1.0));
    report.data(
        "calibrator",
        Value::object({{"kind", "isotonic"}, {"x", numbers(map.x())}, {"y", numbers(map.y())}}));
    report.text(fmt::format("Isotonic map with {} knots, fitted on {} rows.", map.x().size(),
                            source.values.size()));
  } else {
    const Platt map = fit_platt(source.values, source.labels);
    for (double v : all.test.values) probabilities.push_back(map(v));
    report.data("calibrator", Value::object({{"kind", "platt"}, {"a", map.a}, {"b", map.b}}));
    report.text(fmt::format("Platt map 1 / (1 + exp({:.6g} score + {:.6g})), fitted on {} rows.",
                            map.a, map.b, source.values.size()));
    if (!map.converged) report.warning("the Platt fit did not converge");
  }
  all.test.values = std::move(probabilities);
}

// Sums of one subject from which a replicate's figures are made.
struct SubjectSums {
  std::vector<double> bin_gap;  // per bin: sum of label - probability
  double squares = 0.0, log_losses = 0.0, count = 0.0;
};

// ECE, Brier score, log-loss over subjects.
std::vector<Interval> intervals_of(const CalibrationFile& all, const CalibrationOptions& o,
                                   std::span<const ReliabilityBin> bins, RunContext& run) {
  if (o.bootstrap.replicates == 0 || all.subjects.size() < 2) return {};
  std::vector<SubjectSums> sums(all.subjects.size());
  for (SubjectSums& s : sums) s.bin_gap.assign(bins.size(), 0.0);
  for (std::size_t i = 0; i < all.test.values.size(); ++i) {
    const double p = all.test.values[i];
    const std::span one(&all.test.values[i], 1);
    const std::span label(&all.test.labels[i], 1);
    SubjectSums& s = sums[all.test.subjects[i]];
    const auto bin = std::find_if(bins.begin(), bins.end() - 1,
                                  [&](const ReliabilityBin& b) { return p <= b.high; });
    s.bin_gap[static_cast<std::size_t>(bin - bins.begin())] += all.test.labels[i] - p;
    s.squares += brier_score(one, label);
    s.log_losses += log_loss(one, label);
    s.count += 1.0;
  }
  const auto statistic = [&](std::span<const std::uint32_t> draws, std::span<double> out) {
    SubjectSums total;
    total.bin_gap.assign(bins.size(), 0.0);
    for (std::size_t s = 0; s < sums.size(); ++s) {
      if (draws[s] == 0) continue;
      for (std::size_t b = 0; b < bins.size(); ++b) {
        total.bin_gap[b] += draws[s] * sums[s].bin_gap[b];
      }
      total.squares += draws[s] * sums[s].squares;
      total.log_losses += draws[s] * sums[s].log_losses;
      total.count += draws[s] * sums[s].count;
    }
    // count_b / n * |frequency_b - mean_b| = |sum of (label - probability) in b| / n
    out[0] = 0.0;
    for (double gap : total.bin_gap) out[0] += std::abs(gap) / total.count;
    out[1] = total.squares / total.count;
    out[2] = total.log_losses / total.count;
  };
  return bootstrap_subjects(sums.size(), 3, statistic, o.bootstrap.options(), run);
}

void add_reliability(Report& report, std::span<const ReliabilityBin> bins, double level) {
  Table& table = report.table("reliability", "Reliability",
                              {{"low", "above", ""},
                               {"high", "up to", ""},
                               {"count", "", ""},
                               {"mean_probability", "mean probability", ""},
                               {"frequency", "share of label 1", ""},
                               {"frequency_low", "from", ""},
                               {"frequency_high", "to", ""}},
                              "Wilson intervals: rows taken as independent");
  Plot plot{.key = "reliability",
            .title = "Reliability diagram",
            .x_label = "mean probability",
            .y_label = "share of label 1"};
  Series seen{.name = "observed", .style = SeriesStyle::points};
  for (const ReliabilityBin& bin : bins) {
    if (bin.count == 0) {
      table.add({bin.low, bin.high, bin.count, Value(), Value(), Value(), Value()});
      continue;
    }
    const double positives = std::round(bin.frequency * static_cast<double>(bin.count));
    const Interval i = wilson_interval(static_cast<std::uint64_t>(positives), bin.count, level);
    table.add({bin.low, bin.high, bin.count, bin.mean_probability, bin.frequency, i.low, i.high});
    seen.x.push_back(bin.mean_probability);
    seen.y.push_back(bin.frequency);
  }
  plot.series.push_back(std::move(seen));
  plot.series.push_back(
      {.name = "perfect", .x = {0.0, 1.0}, .y = {0.0, 1.0}, .style = SeriesStyle::dashed});
  report.plot(std::move(plot));
}

Report calibration(const CalibrationOptions& o, RunContext& run) {
  CalibrationFile all = read_samples(o, run);
  Report report("evaluate.calibration", "calibration: does a probability mean what it says?");
  if (o.fit == Fit::none && !all.dev.values.empty()) {
    report.warning("the rows of split dev are not used without --fit");
  }
  of_file(o.file, [&] { apply_fit(all, o.fit, report); });
  const auto& p = all.test.values;
  const auto& labels = all.test.labels;
  const auto bin_count = static_cast<std::size_t>(o.bins);
  const auto bins = reliability(p, labels, bin_count);
  const auto adaptive = reliability(p, labels, bin_count, BinRule::equal_count);
  const auto intervals = intervals_of(all, o, bins, run);
  const auto interval = [&](std::size_t i) {
    return intervals.empty() ? std::nullopt : std::optional(intervals[i]);
  };
  const double ece = expected_calibration_error(bins);
  const double brier = brier_score(p, labels);
  report.scalar({.key = "ece",
                 .label = "ECE",
                 .value = ece,
                 .interval = interval(0),
                 .note = fmt::format("{} bins of equal width, open below", o.bins)});
  report.scalar({.key = "brier", .label = "Brier score", .value = brier, .interval = interval(1)});
  report.scalar({.key = "log_loss",
                 .label = "log-loss",
                 .value = log_loss(p, labels),
                 .unit = "nats",
                 .interval = interval(2)});
  report.scalar("ece_adaptive", expected_calibration_error(adaptive), "ECE, adaptive",
                fmt::format("{} bins of equal count", o.bins));
  report.scalar("mce", maximum_calibration_error(bins), "MCE", "largest gap of a bin in use");
  const double rate = moments(std::vector<double>(labels.begin(), labels.end())).mean;
  report.scalar("base_rate", rate, "share of label 1");
  report.scalar("brier_of_base_rate", rate * (1.0 - rate), "Brier score of the base rate",
                "what always saying the base rate costs");
  report.scalar("count", p.size(), "rows judged");
  add_reliability(report, bins, o.bootstrap.level);
  std::vector<double> same, different;
  for (std::size_t i = 0; i < p.size(); ++i) (labels[i] == 1 ? same : different).push_back(p[i]);
  const NamedScores lists[] = {{"label 1", same}, {"label 0", different}};
  report.plot(histogram_plot("probabilities", "Probabilities", "probability", lists, 25));
  if (same.empty() || different.empty()) {
    report.warning(fmt::format("all labels are {}", different.empty() ? 1 : 0));
  }
  add_gate(report, "max_ece", ece, o.max_ece, false);
  add_gate(report, "max_brier", brier, o.max_brier, false);
  report.verdict(
      fmt::format("probabilities are off by {} on average (ECE); Brier score {:.4f} "
                  "against {:.4f} of the base rate, over {} rows",
                  percent(ece), brier, rate * (1.0 - rate), p.size()));
  return report;
}

}  // namespace

Verb calibration_verb() {
  return make_verb<CalibrationOptions>(
      {.noun = "evaluate",
       .name = "calibration",
       .summary = "reliability, ECE, Brier score and log-loss of probabilities",
       .details =
           "Columns: probability (of label 1), label. Optional: split (dev or test), subject (then "
           "intervals are a bootstrap over subjects). With --fit the column score is taken when "
           "there is one, a map is fitted on the dev rows and the test rows are judged; the map is "
           "in the JSON as calibrator.\n\n"
           "ECE is the mean over bins, weighted by count, of |share of label 1 - mean "
           "probability|; "
           "bins have equal width and hold low < p <= high (the first one 0 as well). log_loss is "
           "in nats, probabilities clipped at 2^-52. Isotonic is pool-adjacent-violators, Platt "
           "the "
           "method of Lin, Lin and Weng (2007).",
       .examples = {{"sosia evaluate calibration calibration.csv", "ECE, Brier, log-loss"},
                    {"sosia evaluate calibration calibration.csv --fit isotonic",
                     "after a monotone map"},
                    {"sosia evaluate calibration scores.csv --fit platt --bins 10",
                     "probabilities from scores"}}},
      calibration);
}

}  // namespace sosia::evaluate

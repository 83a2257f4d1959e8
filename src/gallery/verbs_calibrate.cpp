// `sosia gallery calibrate`: what a score means here.

#include "gallery/decision_parts.hpp"
#include "gallery/fpir_curve.hpp"
#include "gallery/verb_parts.hpp"
#include "gallery/verbs.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/text.hpp"
#include "sosia/evaluate/confidence.hpp"
#include "sosia/formats/csv.hpp"
#include "sosia/gallery/calibrate.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include <fmt/format.h>

namespace sosia::gallery {
namespace {

struct CalibrateVerbOptions {
  GalleryPlace place;
  std::string scores, vectors, labels, tenant, out, set_name;
  SubjectRule rule = SubjectRule::mean_top3;
  std::int64_t probes = 2000, templates = 131'072;
  std::vector<double> fpir = {0.1, 0.03, 0.01, 0.003, 0.001};
  FpirRule fpir_rule = FpirRule::per_probe;
  std::int64_t replicates = 1000;
};

void describe(Fields& f, CalibrateVerbOptions& o) {
  describe_place(f, o.place);
  f({.name = "scores",
     .help = "CSV with columns score,label (1 own subject, 0 another one) and optionally probe, "
             "subject: fit on these instead of the gallery",
     .role = FieldRole::input_file,
     .group = "sample"},
    o.scores);
  f({.name = "vectors",
     .help = "npy file of probes whose subjects are known: fit on their comparisons with the "
             "gallery",
     .role = FieldRole::input_file,
     .group = "sample"},
    o.vectors);
  f({.name = "labels",
     .help = "CSV with a column label, one row for each of the vectors",
     .role = FieldRole::input_file,
     .group = "sample"},
    o.labels);
  f({.name = "tenant", .help = "tenant of these labels", .group = "sample"}, o.tenant);
  f({.name = "probes",
     .help = "at most so many probes, drawn at random",
     .min = 2,
     .max = 1e6,
     .group = "sample"},
    o.probes);
  f({.name = "templates",
     .help = "of a larger gallery, about so many templates are compared: those of randomly drawn "
             "subjects",
     .min = 4,
     .max = 1e8,
     .group = "sample"},
    o.templates);
  f({.name = "set_name",
     .help = "name of the sample (default: the gallery, or the file)",
     .group = "sample"},
    o.set_name);
  f.choice({.name = "rule", .help = "how the templates of a subject become its score"}, o.rule,
           {{"mean_top3", SubjectRule::mean_top3},
            {"maximum", SubjectRule::maximum},
            {"centroid", SubjectRule::centroid}});
  f({.name = "fpir", .help = "rates of the table", .above = 0, .below = 1}, o.fpir);
  f.choice({.name = "fpir_rule", .help = "how comparisons become these rates"}, o.fpir_rule,
           {{"per_probe", FpirRule::per_probe}, {"independent", FpirRule::independent}});
  f({.name = "replicates",
     .help = "bootstrap replicates over subjects; 0 for none",
     .min = 0,
     .max = 1e6},
    o.replicates);
  f({.name = "out",
     .help = "also write the calibration to this JSON file, for gallery create --calibration",
     .role = FieldRole::output_file},
    o.out);
  f.require(o.scores.empty() || o.vectors.empty(), "--scores and --vectors exclude each other");
}

// Numbers texts from 0 in the order in which they come.
std::uint32_t number(std::unordered_map<std::string, std::uint32_t>& names, std::string_view name) {
  return names.try_emplace(std::string(name), static_cast<std::uint32_t>(names.size()))
      .first->second;
}

// Scores of a labelled file. Without a column subject every probe counts as a subject of its own.
CalibrationRun from_scores(const CalibrateVerbOptions& o, RunContext& run) {
  formats::CsvReader reader(o.scores);
  run.note_input(o.scores);
  const std::size_t score = reader.column("score"), label = reader.column("label");
  const auto probe = reader.find_column("probe"), subject = reader.find_column("subject");
  ScoreSample sample;
  std::unordered_map<std::string, std::uint32_t> probes, subjects;
  for (std::uint64_t row = 0; reader.next(); ++row) {
    if (row % 4096 == 0) run.progress("reading scores", row);
    const bool genuine = reader.boolean(label);
    (genuine ? sample.genuine : sample.impostor).push_back(reader.real(score));
    if (subject) number(subjects, trim(reader[*subject]));
    if (!probe || genuine) continue;
    const std::uint32_t p = number(probes, trim(reader[*probe]));
    sample.impostor_probes.push_back(p);
    if (p == sample.probe_subjects.size()) {
      sample.probe_subjects.push_back(subject ? number(subjects, trim(reader[*subject])) : p);
    }
  }
  // Subjects that have probes with impostor scores, numbered without gaps.
  std::unordered_map<std::uint32_t, std::uint32_t> dense;
  for (std::uint32_t& s : sample.probe_subjects) {
    s = dense.try_emplace(s, static_cast<std::uint32_t>(dense.size())).first->second;
  }
  sample.subjects = std::max<std::size_t>({2, subjects.size(), dense.size()});
  CalibrationRun out;
  try {
    out.calibration = fit_calibration(sample);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::invalid_argument) throw;
    throw Error(ErrorCode::corrupt_data, error.message(), error.hint(), o.scores);
  }
  out.calibration.rule = o.rule;
  out.calibration.set = o.scores;
  out.genuine = std::move(sample.genuine);
  out.impostor = std::move(sample.impostor);
  return out;
}

CalibrationRun from_gallery(Gallery& gallery, const CalibrateVerbOptions& o, RunContext& run) {
  const CalibrateOptions options{.rule = o.rule,
                                 .probes = static_cast<std::size_t>(o.probes),
                                 .templates = static_cast<std::size_t>(o.templates)};
  const GalleryInfo info = gallery.info();
  try {
    if (o.vectors.empty()) return calibrate_gallery(gallery, options, run);
    const std::vector<float> vectors = read_vectors(o.vectors, info.dimension, run);
    const std::size_t n = vectors.size() / info.dimension;
    return calibrate_probes(
        gallery,
        {.vectors = vectors, .labels = read_column(o.labels, "label", n, run), .tenant = o.tenant},
        options, run);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::invalid_argument) throw;
    throw Error(ErrorCode::unsupported, "the gallery cannot calibrate itself: " + error.message(),
                "enrol at least two subjects, one with two templates; or fit on a labelled file: "
                "--scores",
                info.place);
  }
}

// FPIR at each policy's threshold, resampling the subjects of the probes.
std::vector<Interval> bootstrap_fpir(const Calibration& c,
                                     std::span<const std::optional<OperatingPolicy>> policies,
                                     const CalibrateVerbOptions& o, std::uint64_t subjects,
                                     RunContext& run) {
  if (o.replicates == 0 || c.probe_subjects.empty()) return {};
  const std::size_t groups =
      *std::max_element(c.probe_subjects.begin(), c.probe_subjects.end()) + std::size_t{1};
  if (groups < 2) return {};
  std::vector<std::vector<double>> sums(policies.size(), std::vector<double>(groups, 0.0));
  std::vector<double> sizes(groups, 0.0);
  for (std::uint32_t s : c.probe_subjects) sizes[s] += 1;
  for (std::size_t i = 0; i < policies.size(); ++i) {
    if (!policies[i]) continue;
    const std::vector<double> rates = probe_rates(c, subjects, policies[i]->threshold);
    for (std::size_t p = 0; p < rates.size(); ++p) sums[i][c.probe_subjects[p]] += rates[p];
  }
  const FpirCurve curve = fpir_curve(c, subjects, FpirRule::per_probe);
  const auto statistic = [&](std::span<const std::uint32_t> draws, std::span<double> out) {
    for (std::size_t i = 0; i < sums.size(); ++i) {
      double hits = 0, count = 0;
      for (std::size_t s = 0; s < groups; ++s) {
        hits += draws[s] * sums[i][s];
        count += draws[s] * sizes[s];
      }
      out[i] = count > 0 ? curve.search_rate(std::min(1.0, hits / count)) : std::nan("");
    }
  };
  return evaluate::bootstrap_subjects(groups, sums.size(), statistic,
                                      {.replicates = static_cast<std::size_t>(o.replicates)}, run);
}

void add_points(Report& report, const Calibration& c, const CalibrateVerbOptions& o,
                std::uint64_t subjects, RunContext& run) {
  std::vector<std::optional<OperatingPolicy>> policies;
  for (double rate : o.fpir) {
    try {
      policies.push_back(make_policy(c, rate, subjects, o.fpir_rule));
    } catch (const Error& error) {
      if (error.code() != ErrorCode::unsupported) throw;
      policies.emplace_back();
    }
  }
  const std::vector<Interval> bootstrap = bootstrap_fpir(c, policies, o, subjects, run);
  Table& table = report.table(
      "operating_points", fmt::format("Thresholds for a search among {} subjects", subjects),
      {{"max_fpir", "wanted FPIR", ""},
       {"threshold", "", ""},
       {"pairwise_fmr", "pairwise FMR needed", ""},
       {"observed_fmr", "FMR there", ""},
       {"fmr_high", "up to", ""},
       {"expected_fpir", "FPIR expected", ""},
       {"fpir_low", "from", ""},
       {"fpir_high", "to", ""},
       {"fnmr", "FNMR there", ""}},
      bootstrap.empty()
          ? "Wilson intervals; rates without a threshold are not supported"
          : "FMR: Wilson, comparisons taken as independent; FPIR: " + bootstrap[0].method +
                "; rates without a threshold are not supported by the sample");
  for (std::size_t i = 0; i < policies.size(); ++i) {
    if (!policies[i]) {
      table.add({o.fpir[i], {}, pairwise_rate(o.fpir[i], subjects), {}, {}, {}, {}, {}, {}});
      continue;
    }
    const OperatingPolicy& p = *policies[i];
    const Interval& interval = bootstrap.empty() ? p.fpir_interval : bootstrap[i];
    table.add({p.max_fpir, p.threshold, p.pairwise_fmr, p.observed_fmr, p.fmr_interval.high,
               p.expected_fpir, interval.low, interval.high, p.fnmr});
  }
  for (const auto& policy : policies) {  // those of the laxest supported rate hold for all
    if (!policy) continue;
    for (const std::string& warning : policy->warnings) report.warning(warning);
    break;
  }
}

void add_plots(Report& report, const CalibrationRun& done) {
  const Calibration& c = done.calibration;
  double low = 2, high = -2;
  for (const auto* list : {&done.genuine, &done.impostor}) {
    for (double s : *list) low = std::min(low, s), high = std::max(high, s);
  }
  constexpr std::size_t kBins = 50;
  const double width = (high - low) / kBins;
  Plot plot{
      .key = "scores", .title = "Scores", .x_label = "score", .y_label = "share of its class"};
  for (const auto& [name, list] :
       {std::pair{"own subject", &done.genuine}, std::pair{"another subject", &done.impostor}}) {
    Series series{.name = name};
    series.y.assign(kBins, 0.0);
    for (std::size_t b = 0; b < kBins; ++b)
      series.x.push_back(low + (static_cast<double>(b) + 0.5) * width);
    for (double s : *list) {
      const auto bin = width > 0 ? static_cast<std::size_t>((s - low) / width) : 0;
      series.y[std::min(bin, kBins - 1)] += 1.0 / static_cast<double>(list->size());
    }
    plot.series.push_back(std::move(series));
  }
  report.plot(std::move(plot));
  Plot errors{.key = "errors",
              .title = "Errors of single comparisons",
              .x_label = "threshold",
              .y_label = "rate",
              .y_log = true};
  Series fmr{.name = "FMR"}, fnmr{.name = "FNMR"};
  for (std::size_t i = 0; i < c.impostor_tail.size(); ++i) {
    fmr.x.push_back(c.impostor_tail[i]);
    fmr.y.push_back(static_cast<double>(i + 1) / static_cast<double>(c.impostor));
  }
  for (double t : c.genuine_quantiles) {
    fnmr.x.push_back(t);
    fnmr.y.push_back(c.fnmr(t));
  }
  errors.series = {std::move(fmr), std::move(fnmr)};
  report.plot(std::move(errors));
}

// Impostor scores that look genuine are most often one person under two names.
void warn_of_duplicates(Report& report, const Calibration& c) {
  const double median = c.genuine_quantiles[c.genuine_quantiles.size() / 2];
  const auto count =
      static_cast<std::uint64_t>(std::lround(c.fmr(median) * static_cast<double>(c.impostor)));
  if (count == 0) return;
  report.warning(fmt::format(
      "{} impostor comparison{} at or above the median genuine score ({:.4g}): if a person is "
      "enrolled under two labels, thresholds come out too high; see sosia gallery dedupe",
      count, count == 1 ? " is" : "s are", median));
}

void add_sample(Report& report, const CalibrationRun& done, const CalibrateVerbOptions& o) {
  const Calibration& c = done.calibration;
  report.scalar("set", c.set, "sample");
  report.scalar("rule", to_string(c.rule), "subject rule");
  report.scalar("genuine", c.genuine, "genuine scores");
  report.scalar("impostor", c.impostor, "impostor scores");
  report.scalar("subjects", c.subjects);
  report.scalar("probes", c.probe_subjects.size(), "",
                c.probe_subjects.empty() ? "not known"
                : done.probes_enrolled > c.probe_subjects.size()
                    ? fmt::format("of {}, drawn with the run's seed", done.probes_enrolled)
                    : "all");
  if (done.subjects_used < done.subjects_enrolled) {
    report.text(fmt::format(
        "{} templates of {} randomly drawn subjects stand for the gallery's {} subjects. A larger "
        "gallery's rate is 1 - (1 - FPIR)^(N / M) of theirs.",
        done.templates_used, done.subjects_used, done.subjects_enrolled));
  }
  report.text(
      "Comparisons share probes and subjects and are not independent: Wilson intervals of the FMR "
      "are too narrow. FPIR counts probes, and its intervals take the probes of one subject "
      "together." +
      std::string(o.vectors.empty() && o.scores.empty()
                      ? " Genuine scores are a template against the other templates of its subject."
                      : ""));
  report.group("odds", "Log odds of the own subject, equal priors",
               {{"slope", -c.a}, {"offset", -c.b}}, "Platt's fit with the class ratio taken out");
}

// Whether the gallery's own calibration replaces `old`: not when it supports far less.
bool worth_storing(const Calibration& fitted, const std::optional<Calibration>& old,
                   const CalibrateVerbOptions& o, std::uint64_t subjects) {
  if (!old || !o.scores.empty() || old->set == fitted.set) return true;
  const double own = smallest_fpir(fitted, subjects, o.fpir_rule);
  return own <= 0.1 || own <= smallest_fpir(*old, subjects, o.fpir_rule);
}

void check(const CalibrateVerbOptions& o) {
  if (o.vectors.empty() != o.labels.empty()) {
    throw Error(ErrorCode::usage, "--vectors and --labels go together",
                "give both, or neither to calibrate on the gallery's own templates");
  }
  if (o.replicates > 0 && o.replicates < 10) {
    throw Error(ErrorCode::usage, fmt::format("--replicates: {} is too few", o.replicates),
                "give 0 or at least 10");
  }
}

Report calibrate(const CalibrateVerbOptions& o, RunContext& run) {
  check(o);
  const auto gallery = open_place(o.place, Access::write, "calibrate");
  const GalleryInfo info = gallery->info();
  Report report("gallery.calibrate", "calibrate: what does a score mean here?");
  const std::optional<Calibration> old = gallery->calibration();
  CalibrationRun done;
  try {
    done = o.scores.empty() ? from_gallery(*gallery, o, run) : from_scores(o, run);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::unsupported || !old) throw;
    report.warning(error.message());
    report.scalar("stored", false);
    report.verdict("the calibration from " + old->set + " stays in force");
    return report;
  }
  Calibration& c = done.calibration;
  c.model = info.model;
  if (!o.set_name.empty()) c.set = o.set_name;
  const std::uint64_t subjects = std::max<std::uint64_t>(info.subjects, 1);
  const double least = smallest_fpir(c, subjects, o.fpir_rule);
  const bool store = worth_storing(c, old, o, subjects);
  if (store) gallery->set_calibration(c, run);
  if (!o.out.empty()) run.write_output(o.out, to_json(to_value(c)) + "\n");
  report.scalar("stored", store, "in force now");
  report.scalar("smallest_fpir", least, "smallest FPIR that it supports",
                fmt::format("among {} subjects", subjects));
  add_sample(report, done, o);
  add_points(report, c, o, subjects, run);
  warn_of_duplicates(report, c);
  add_plots(report, done);
  if (!store) {
    report.warning(fmt::format(
        "the gallery is too small to calibrate itself: it supports no FPIR below {:g}; the "
        "calibration from {} stays in force",
        least, old->set));
  }
  report.verdict(
      fmt::format("{} genuine and {} impostor scores support an FPIR of {:g} or more "
                  "among {} subjects",
                  c.genuine, c.impostor, least, subjects));
  return report;
}

Report plan(const CalibrateVerbOptions& o, RunContext&) {
  check(o);
  const auto gallery = open_place(o.place, Access::read, "calibrate");
  const GalleryInfo info = gallery->info();
  Report report("gallery.calibrate.plan", "what calibrate would do");
  report.scalar("subjects", info.subjects);
  report.scalar("templates", info.templates);
  const auto probes = std::min<std::uint64_t>(info.templates, static_cast<std::uint64_t>(o.probes));
  const auto rows =
      std::min<std::uint64_t>(info.templates, static_cast<std::uint64_t>(o.templates));
  report.scalar("comparisons", o.scores.empty() ? Value(probes * rows) : Value(), "",
                "of templates, at most");
  report.verdict("would fit on " + (o.scores.empty() ? info.place : o.scores) +
                 ", store the calibration in the gallery" +
                 (o.out.empty() ? "" : " and write " + o.out));
  return report;
}

}  // namespace

Verb calibrate_verb() {
  return make_verb<CalibrateVerbOptions>(
      {.noun = "gallery",
       .name = "calibrate",
       .summary = "fit what scores mean, so that searches can decide",
       .details =
           "Fits on the gallery itself: a random template of every subject (then a second one, up "
           "to --probes) is compared with the other templates of its subject and with all other "
           "subjects, scored as a search would. Or on --vectors with --labels: probes that are "
           "compared with the gallery; a label that is not enrolled gives impostor scores only. Or "
           "on --scores: a CSV with score,label; a column probe says which comparisons belong to "
           "one search, a column subject whose it is.\n\n"
           "The calibration holds log odds (Platt), the highest impostor scores by probe, and the "
           "FNMR at every threshold. The threshold for a rate is the lowest at which the upper end "
           "of the rate's one-sided 95 % interval keeps it. Rates below about 3 / independent "
           "searches are refused; the rule of 30 warns before. --fpir-rule independent derives the "
           "pairwise rate as if comparisons were independent, which is too strict where few "
           "probes are easily mistaken for many.\n\n"
           "A gallery that supports no FPIR of 0.1 keeps the calibration it was created with. "
           "Reference: docs/decisions/0010.",
       .examples = {{"sosia gallery calibrate faces.sosia", "on the gallery's own templates"},
                    {"sosia gallery calibrate faces.sosia --out calibration.json --force",
                     "also as a record for gallery create --calibration"},
                    {"sosia gallery calibrate faces.sosia --scores scores.csv",
                     "on a labelled file"}}},
      calibrate, plan);
}

}  // namespace sosia::gallery

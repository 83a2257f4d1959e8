// `sosia evaluate demo`: measures simulated data whose right answers are known, beside controls
// that must fail. Everything shown is computed while it runs.

#include "evaluate/demo_worlds.hpp"
#include "evaluate/verb_parts.hpp"
#include "evaluate/verbs.hpp"
#include "sosia/evaluate/calibration.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include <fmt/format.h>

namespace sosia::evaluate {
namespace {

struct DemoOptions {
  std::string out = "demo";
  std::int64_t subjects = 200;
  std::int64_t replicates = 500;
};

void describe(Fields& f, DemoOptions& o) {
  f({.name = "out", .help = "folder for report.html", .role = FieldRole::output_folder}, o.out);
  f({.name = "subjects", .help = "simulated subjects", .min = 20, .max = 2000}, o.subjects);
  f({.name = "replicates", .help = "bootstrap replicates", .min = 10, .max = 100000}, o.replicates);
}

std::vector<Column> truth_columns() {
  return {{"figure", "", ""}, {"measured", "", ""},        {"low", "from", ""},
          {"high", "to", ""}, {"truth", "true value", ""}, {"inside", "", ""}};
}

// Counts how many intervals hold the true value.
struct Tally {
  int inside = 0, all = 0;
  void row(Table& table, const std::string& figure, double measured, const Interval& interval,
           double truth) {
    const bool holds = interval.low <= truth && truth <= interval.high;
    inside += holds ? 1 : 0;
    ++all;
    table.add({figure, measured, interval.low, interval.high, truth, holds});
  }
};

BootstrapOptions bootstrap_options(const DemoOptions& o) {
  return {.replicates = static_cast<std::size_t>(o.replicates)};
}

// Returns the AUC of the shuffled labels.
double show_verification(Report& report, const DemoOptions& o, Tally& tally, RunContext& run) {
  const ComparisonWorld world =
      make_comparisons(static_cast<std::uint32_t>(o.subjects), 10, 2.0, 0.3, run);
  const Roc roc(split_scores(world.scores, world.labels));
  const std::vector<double> fars{0.1, 0.01};
  const auto intervals = bootstrap_verification(world.scores, world.labels, world.subjects, {fars},
                                                bootstrap_options(o), run);
  report.text(fmt::format(
      "Verification. {} subjects, {} genuine and {} impostor scores, normal with means 2 and 0; 30 "
      "% "
      "of the variance belongs to the subjects, so that comparisons of one subject are alike.",
      o.subjects, roc.genuine_count(), roc.impostor_count()));
  Table& table = report.table("verification", "Verification against the closed form",
                              truth_columns(), intervals.auc.method);
  tally.row(table, "AUC", roc.auc(), intervals.auc, world.true_auc());
  tally.row(table, "EER", roc.eer().rate, intervals.eer, world.true_eer());
  for (std::size_t i = 0; i < fars.size(); ++i) {
    tally.row(table, "TAR at FAR " + rate_key(fars[i]), roc.at_far(fars[i], AtRule::not_above).tar,
              intervals.tar_at_far[i], world.true_tar(fars[i]));
  }
  std::vector<std::uint8_t> shuffled = world.labels;
  RandomStream stream = run.random("demo shuffle");
  stream.shuffle(std::span(shuffled));
  const double chance = Roc(split_scores(world.scores, shuffled)).auc();

  const ScoreSet set = split_scores(world.scores, world.labels);
  const NamedScores lists[] = {{"genuine", set.genuine}, {"impostor", set.impostor}};
  report.plot(histogram_plot("scores", "Simulated comparison scores", "score", lists));
  Plot plot = roc_plot(roc);
  Series truth{.name = "closed form", .style = SeriesStyle::dashed};
  for (double far : plot.series[1].x) {
    const bool inner = far > 0.0 && far < 1.0;
    truth.x.push_back(far);
    truth.y.push_back(inner ? world.true_tar(far) : far);
  }
  plot.series.push_back(std::move(truth));
  report.plot(std::move(plot));
  return chance;
}

void show_identification(Report& report, const DemoOptions& o, Tally& tally, RunContext& run) {
  const auto probes = static_cast<std::size_t>(o.subjects) * 10;
  const SearchWorld world =
      make_searches(probes, probes, static_cast<std::size_t>(o.subjects), 4.0, run);
  report.text(
      fmt::format("Identification. {} searches of enrolled and {} of unknown subjects in a gallery "
                  "of {}: others "
                  "score N(0, 1), the mate N(4, 1).",
                  probes, probes, o.subjects));
  Table& table = report.table("identification", "Open-set identification against the closed form",
                              truth_columns(), "Wilson intervals: searches are independent");
  const OpenSet curve(world.searches);
  const auto row = [&](const std::string& figure, double rate, double truth) {
    const auto found = static_cast<std::uint64_t>(std::llround(rate * static_cast<double>(probes)));
    tally.row(table, figure, rate, wilson_interval(found, probes), truth);
  };
  row("rank-1 rate", rank_rate(world.searches, 1), world.true_rank1());
  // At the true threshold, so that the interval of TPIR need not carry the threshold's error.
  row("TPIR at the true threshold of FPIR 1e-1",
      curve.at_threshold(world.separation - normal_quantile(world.true_tpir(0.1))).tar,
      world.true_tpir(0.1));
  Plot plot{.key = "tpir",
            .title = "Open-set identification",
            .x_label = "FPIR",
            .y_label = "TPIR",
            .x_log = true};
  plot.series.push_back(curve_series("searches", curve.points(), [&](const RocPoint& p) {
    return std::pair{curve.fpir(p), curve.tpir(p)};
  }));
  Series truth{.name = "closed form", .style = SeriesStyle::dashed};
  for (double fpir = 0.001; fpir < 0.95; fpir *= 1.2) {
    truth.x.push_back(fpir);
    truth.y.push_back(world.true_tpir(fpir));
  }
  plot.series.push_back(std::move(truth));
  report.plot(std::move(plot));
}

void show_retrieval(Report& report, RunContext& run) {
  constexpr std::size_t kSubjects = 100, kCameras = 4;
  const RetrievalWorld world = make_retrieval(kSubjects, kCameras, run);
  const RankingRule market{.ranks = 20};
  const RankingRule lax{.junk = JunkRule::none, .ranks = 20};
  const RankingScore fair = evaluate_ranking(world.distances, world.queries, world.gallery, market);
  const RankingScore all = evaluate_ranking(world.distances, world.queries, world.gallery, lax);
  std::vector<float> random = world.distances;
  RandomStream stream = run.random("demo random order");
  stream.shuffle(std::span(random));
  const RankingScore control = evaluate_ranking(random, world.queries, world.gallery, market);
  report.text(fmt::format(
      "Ranking. {} queries, {} gallery pictures by {} cameras. A camera shifts all its pictures: "
      "the nearest picture is of the query's own camera for {} of the queries (1 in {} if cameras "
      "left no trace). The Market-1501 rule leaves out the subject's pictures by that camera; "
      "without it mAP comes out {:.3f} {}.",
      world.queries.size(), world.gallery.size(), kCameras, percent(own_camera_share(world)),
      kCameras, std::abs(all.map - fair.map), all.map > fair.map ? "higher" : "lower"));
  Table& table = report.table(
      "ranking", "Ranked retrieval",
      {{"row", "", ""}, {"map", "mAP", ""}, {"rank1", "rank 1", ""}, {"minp", "mINP", ""}},
      fmt::format("a random order finds the subject at rank 1 with probability {:.4f}",
                  random_rank1(world, market)));
  table.add({"Market-1501 rule", fair.map, fair.cmc[0], fair.minp});
  table.add({"no camera rule", all.map, all.cmc[0], all.minp});
  table.add({"control: shuffled distances", control.map, control.cmc[0], control.minp});
  Plot plot{.key = "cmc", .title = "CMC", .x_label = "rank", .y_label = "share of queries"};
  for (const auto& [name, score] : {std::pair<std::string, const RankingScore&>{"Market", fair},
                                    {"no camera rule", all},
                                    {"shuffled", control}}) {
    Series series{.name = name};
    for (std::size_t r = 0; r < score.cmc.size(); ++r) {
      series.x.push_back(static_cast<double>(r + 1));
      series.y.push_back(score.cmc[r]);
    }
    plot.series.push_back(std::move(series));
  }
  report.plot(std::move(plot));
}

void show_calibration(Report& report, RunContext& run) {
  const ProbabilityWorld world = make_probabilities(20000, 3.0, run);
  const std::size_t half = world.labels.size() / 2;
  const std::span labels(world.labels);
  const std::span honest(world.honest), boastful(world.boastful);
  const Isotonic map = fit_isotonic(boastful.first(half), labels.first(half));
  std::vector<double> repaired;
  for (double p : boastful.subspan(half)) repaired.push_back(std::clamp(map(p), 0.0, 1.0));

  Table& table = report.table("calibration", "Calibration",
                              {{"row", "", ""},
                               {"ece", "ECE", ""},
                               {"truth", "true ECE", ""},
                               {"brier", "Brier", ""},
                               {"log_loss", "log-loss", "nats"}},
                              "second half of 20000 samples; the map was fitted on the first half");
  Plot plot{.key = "reliability",
            .title = "Reliability diagram",
            .x_label = "mean probability",
            .y_label = "share of label 1"};
  const auto show = [&](const std::string& name, std::span<const double> p, Value truth) {
    const auto bins = reliability(p, labels.subspan(half), 15);
    table.add({name, expected_calibration_error(bins), std::move(truth),
               brier_score(p, labels.subspan(half)), log_loss(p, labels.subspan(half))});
    Series series{.name = name};
    for (const ReliabilityBin& bin : bins) {
      if (bin.count == 0) continue;
      series.x.push_back(bin.mean_probability);
      series.y.push_back(bin.frequency);
    }
    plot.series.push_back(std::move(series));
  };
  show("calibrated", honest.subspan(half), 0.0);
  show("too sure (odds cubed)", boastful.subspan(half), world.true_boastful_ece());
  show("too sure, repaired by isotonic", repaired, Value());
  plot.series.push_back(
      {.name = "perfect", .x = {0.0, 1.0}, .y = {0.0, 1.0}, .style = SeriesStyle::dashed});
  report.plot(std::move(plot));
}

Report demo(const DemoOptions& o, RunContext& run) {
  Report report("evaluate.demo", "sosia evaluate demo: metrics against known truth");
  report.text(
      "Simulated data whose right answers are known, measured by the verbs' own code, beside "
      "controls that must fail. The seed is --seed.");
  Tally tally;
  const double chance = show_verification(report, o, tally, run);
  report.scalar("shuffled_auc", chance, "control: AUC with shuffled labels", "must be near 0.5");
  run.check_cancelled();
  show_identification(report, o, tally, run);
  run.check_cancelled();
  show_retrieval(report, run);
  show_calibration(report, run);
  const std::filesystem::path page = std::filesystem::path(o.out) / "report.html";
  report.scalar("page", page.string(), "drawn in");
  report.verdict(fmt::format(
      "{} of {} true values lie within their 95 % intervals; with shuffled labels AUC is {:.3f}",
      tally.inside, tally.all, chance));
  std::filesystem::create_directories(page.parent_path());
  run.write_output(page, render_html(report));
  return report;
}

Report plan(const DemoOptions& o, RunContext&) {
  Report report("plan", "dry run of `sosia evaluate demo`");
  report.scalar("page", (std::filesystem::path(o.out) / "report.html").string(), "would write");
  report.verdict("the options are valid; nothing was done");
  return report;
}

}  // namespace

Verb demo_verb() {
  return make_verb<DemoOptions>(
      {.noun = "evaluate",
       .name = "demo",
       .summary = "measure simulated data with known answers and draw the report",
       .details =
           "Simulates verification scores, gallery searches, a small ranked retrieval world and "
           "probabilities, measures them, and shows every figure beside its closed form and beside "
           "a "
           "control that must fail. Nothing is canned: another --seed gives other figures. Where "
           "the "
           "room of faces is not built, `sosia demo` is this verb.",
       .examples = {{"sosia evaluate demo --out metrics", "writes metrics/report.html"},
                    {"sosia evaluate demo --out metrics --subjects 50 --seed 7",
                     "a smaller world"}},
       .also = "demo"},
      demo, plan);
}

}  // namespace sosia::evaluate

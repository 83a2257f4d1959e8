// `sosia evaluate verification`: labelled comparison scores.

#include "evaluate/checks.hpp"
#include "evaluate/verb_parts.hpp"
#include "evaluate/verbs.hpp"
#include "sosia/core/error.hpp"
#include "sosia/evaluate/classification.hpp"
#include "sosia/evaluate/confidence.hpp"
#include "sosia/evaluate/curve_report.hpp"
#include "sosia/evaluate/verification.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

namespace sosia::evaluate {
namespace {

// How distances are made for the folds.
enum class FoldGrid { automatic, cosine, exact };

struct VerificationOptions {
  std::string file;
  std::vector<double> far{1e-1, 1e-2, 1e-3, 1e-4};
  AtRule rule = AtRule::nearest;
  std::optional<double> threshold;
  std::int64_t folds = 0;
  FoldGrid fold_grid = FoldGrid::automatic;
  double group_far = 0.01;
  BootstrapFields bootstrap;
  std::optional<double> min_auc, max_eer, min_tar;
  double gate_far = 1e-3;
};

void describe(Fields& f, VerificationOptions& o) {
  f({.name = "file",
     .help =
         "CSV with columns score,label and optionally group, fold, subject, subject_a, subject_b",
     .role = FieldRole::input_file,
     .positional = true,
     .required = true},
    o.file);
  describe_tar(f, o.far, o.rule);
  f({.name = "threshold", .help = "also report the decisions at this score"}, o.threshold);
  f({.name = "folds",
     .help = "cross-validated accuracy over this many runs of the file, 0 for none; a column fold "
             "names the folds itself",
     .min = 0,
     .max = 1000,
     .group = "folds"},
    o.folds);
  f.choice(
      {.name = "fold_grid",
       .help = "thresholds tried: the LFW grid on 2 - 2 cosine, or all between the scores; auto "
               "takes the grid for scores within -1 and 1",
       .group = "folds"},
      o.fold_grid,
      {{"auto", FoldGrid::automatic}, {"cosine", FoldGrid::cosine}, {"exact", FoldGrid::exact}});
  describe_group_far(f, o.group_far);
  describe(f, o.bootstrap, "when there are subject columns");
  describe_gate(f, "min_auc", "fail below this AUC", o.min_auc);
  describe_gate(f, "max_eer", "fail above this EER", o.max_eer);
  describe_gate(f, "min_tar", "fail below this TAR at the false accept rate gate_far", o.min_tar);
  f({.name = "gate_far",
     .help = "false accept rate of min_tar",
     .max = 1,
     .above = 0,
     .group = "gates"},
    o.gate_far);
  f.require(!o.far.empty(), "far needs at least one rate");
  require_distinct(f, "far", o.far);
  f.require(o.folds != 1, "a cross-validation needs at least 2 folds");
}

struct Comparisons {
  std::vector<double> scores;
  std::vector<std::uint8_t> labels;
  std::vector<std::uint32_t> groups, folds;
  std::vector<SubjectPair> subjects;
  Names group_names, fold_names, subject_names;
};

// Reads the subject columns of one record; a genuine comparison is of one subject.
class SubjectColumns {
 public:
  explicit SubjectColumns(const formats::CsvReader& reader)
      : one_(reader.find_column("subject")),
        a_(reader.find_column("subject_a")),
        b_(reader.find_column("subject_b")) {
    if (a_.has_value() != b_.has_value() || (one_ && a_)) {
      throw Error(ErrorCode::corrupt_data, "the subject columns are incomplete or contradictory",
                  "give subject_a and subject_b, or subject alone", reader.where());
    }
  }
  bool present() const { return one_ || a_; }
  SubjectPair read(const formats::CsvReader& reader, bool genuine, Names& names) const {
    if (one_) {
      const std::uint32_t subject = names.number(name_field(reader, *one_));
      return {subject, subject};
    }
    const SubjectPair pair{names.number(name_field(reader, *a_)),
                           names.number(name_field(reader, *b_))};
    if (genuine != (pair.a == pair.b)) {
      reader.fail(*b_, genuine ? "differs from subject_a, but the label is 1"
                               : "equals subject_a, but the label is 0");
    }
    return pair;
  }

 private:
  std::optional<std::size_t> one_, a_, b_;
};

Comparisons read_comparisons(const std::string& file, RunContext& run) {
  formats::CsvReader reader(file);
  const std::size_t score = reader.column("score"), label = reader.column("label");
  const auto group = reader.find_column("group"), fold = reader.find_column("fold");
  const SubjectColumns subjects(reader);
  Comparisons list;
  for_each_record(reader, run, [&] {
    list.scores.push_back(reader.real(score));
    list.labels.push_back(reader.boolean(label) ? 1 : 0);
    if (group) list.groups.push_back(list.group_names.number(name_field(reader, *group)));
    if (fold) list.folds.push_back(list.fold_names.number(name_field(reader, *fold)));
    if (subjects.present()) {
      list.subjects.push_back(subjects.read(reader, list.labels.back() == 1, list.subject_names));
    }
  });
  return list;
}

CurveIntervals intervals_of(const Comparisons& list, const Roc& roc, const VerificationOptions& o,
                            Report& report, RunContext& run) {
  if (list.subject_names.size() >= 2 && o.bootstrap.replicates > 0) {
    return curve_intervals(bootstrap_verification(list.scores, list.labels, list.subjects,
                                                  {o.far, o.rule}, o.bootstrap.options(), run));
  }
  if (list.subject_names.size() == 1) {
    report.warning("all comparisons are of one subject: nothing can be said about other subjects");
  }
  report.warning(fmt::format(
      "the intervals of TAR take comparisons as independent, which is too narrow when subjects "
      "repeat; {}",
      list.subjects.empty()
          ? "add the columns subject_a and subject_b for a bootstrap over subjects"
          : "a bootstrap needs two subjects and --replicates"));
  return curve_intervals(roc, {o.far, o.rule}, o.bootstrap.level);
}

void add_rates(Report& report, const Roc& roc, const VerificationOptions& o,
               const CurveIntervals& intervals) {
  add_tar_at_far(report, roc, {o.far, o.rule});
  report.group("fnmr_at_fmr", "FNMR at FMR",
               by_rate(o.far, [&](double fmr) { return roc.fnmr_at_fmr(fmr); }),
               "lowest FNMR with FMR not above the target (1e-2: FMR100, 1e-3: FMR1000)");
  add_operating_points(report, roc, {o.far, o.rule}, intervals.tar);
  Table& rules = report.table("tar_by_rule", "TAR by reading rule",
                              {{"target", "target FAR", ""},
                               {"nearest", "nearest point", ""},
                               {"nearest_reduced", "nearest, reduced curve", ""},
                               {"interpolated", "interpolated", ""},
                               {"not_above", "FAR not above", ""}});
  for (double far : o.far) {
    rules.add({far, roc.at_far(far, AtRule::nearest).tar,
               roc.at_far(far, AtRule::nearest_reduced).tar,
               roc.at_far(far, AtRule::interpolated).tar, roc.at_far(far, AtRule::not_above).tar});
  }
}

void add_decisions(Report& report, const Roc& roc, double threshold) {
  const Confusion c = confusion_at(roc, threshold);
  const OperatingPoint p = roc.at_threshold(threshold);
  report.group("at_threshold", fmt::format("Decisions at score >= {:g}", threshold),
               {{"threshold", threshold},
                {"fmr", p.far},
                {"fnmr", p.frr()},
                {"accuracy", c.accuracy()},
                {"precision", c.precision()},
                {"recall", c.recall()},
                {"f1", c.f1()}});
}

bool every_fold_has_both_classes(std::span<const std::uint8_t> labels,
                                 std::span<const std::uint32_t> folds) {
  std::vector<std::array<bool, 2>> seen(*std::max_element(folds.begin(), folds.end()) + 1);
  for (std::size_t i = 0; i < folds.size(); ++i) seen[folds[i]][labels[i]] = true;
  return std::all_of(seen.begin(), seen.end(), [](const auto& s) { return s[0] && s[1]; });
}

void add_val(Report& report, std::span<const double> distances, const Comparisons& list,
             std::span<const std::uint32_t> folds) {
  if (!every_fold_has_both_classes(list.labels, folds)) {
    report.warning(
        "there is no VAL over folds: a fold lacks genuine or impostor comparisons; the folds are "
        "runs of the file unless a column fold names them");
    return;
  }
  add_val(report, fold_val(distances, list.labels, folds, lfw_thresholds(0.001), 1e-3));
}

void add_folds(Report& report, const Comparisons& list, const VerificationOptions& o) {
  if (list.folds.empty() && o.folds == 0) return;
  const auto folds = list.folds.empty()
                         ? contiguous_folds(list.scores.size(), static_cast<std::size_t>(o.folds))
                         : list.folds;
  const bool unit = std::all_of(list.scores.begin(), list.scores.end(),
                                [](double s) { return s >= -1.0 && s <= 1.0; });
  if (o.fold_grid == FoldGrid::cosine && !unit) {
    refuse("the LFW grid needs cosines, but there are scores outside -1 and 1",
           "use --fold-grid exact");
  }
  const bool cosine =
      o.fold_grid == FoldGrid::cosine || (o.fold_grid == FoldGrid::automatic && unit);
  std::vector<double> distances(list.scores.size());
  std::transform(list.scores.begin(), list.scores.end(), distances.begin(),
                 [&](double s) { return cosine ? squared_distance(s) : -s; });
  const auto grid = cosine ? lfw_thresholds(0.01) : exact_thresholds(distances);
  const auto measure = [&] { return fold_accuracy(distances, list.labels, folds, grid); };
  const FoldAccuracy accuracy = list.folds.empty() ? measure() : of_file(o.file, measure);
  const std::string rule =
      cosine ? "LFW grid: 2 - 2 score < threshold, steps of 0.01 from 0 to 4, first best of the "
               "other folds"
             : "thresholds between all scores, first best of the other folds";
  report.scalar({.key = "fold_accuracy",
                 .label = "accuracy over folds",
                 .value = accuracy.mean,
                 .note = rule});
  report.scalar("fold_accuracy_std", accuracy.std, "spread of the accuracy over folds",
                "divided by the number of folds");
  Table& table = report.table("folds", "Folds",
                              {{"fold", "", ""}, {"accuracy", "", ""}, {"threshold", "", ""}});
  for (std::size_t i = 0; i < accuracy.accuracies.size(); ++i) {
    // Back from distance to score.
    const double t = accuracy.thresholds[i];
    const std::string name = list.folds.empty()
                                 ? std::to_string(i)
                                 : list.fold_names.name(static_cast<std::uint32_t>(i));
    table.add({name, accuracy.accuracies[i], cosine ? 1.0 - t / 2.0 : -t});
  }
  if (cosine) add_val(report, distances, list, folds);
}

Plot precision_recall_plot(const Roc& roc) {
  const std::vector<RocPoint> points = roc.thinned(400);
  Plot plot{.key = "precision_recall",
            .title = "Precision and F1",
            .x_label = "recall (TAR)",
            .y_label = "share"};
  Series precision{.name = "precision"}, f1{.name = "F1", .style = SeriesStyle::dashed};
  for (const PrecisionRecallPoint& p : precision_recall_curve(roc, points)) {
    precision.x.push_back(p.recall);
    precision.y.push_back(p.precision);
    f1.y.push_back(p.f1);
  }
  f1.x = precision.x;
  plot.series = {std::move(precision), std::move(f1)};
  return plot;
}

void add_groups(Report& report, const Comparisons& list, const Roc& roc,
                const VerificationOptions& o) {
  if (list.groups.empty()) return;
  const double shared = roc.at_far(o.group_far, AtRule::not_above).threshold;
  const auto rates = group_rates(list.scores, list.labels, list.groups, list.group_names.size(),
                                 shared, o.group_far);
  Table& table = report.table(
      "groups", "Groups",
      {{"group", "", ""},
       {"genuine", "", ""},
       {"impostor", "", ""},
       {"auc", "AUC", ""},
       {"eer", "EER", ""},
       {"fmr", "FMR, shared threshold", ""},
       {"fnmr", "FNMR, shared threshold", ""},
       {"tar", "TAR, own threshold", ""}},
      fmt::format("shared threshold {:.6g} (FMR of all not above {:g}); own threshold at the same "
                  "rate within the group",
                  shared, o.group_far));
  for (std::uint32_t g = 0; g < rates.size(); ++g) {
    const GroupRates& r = rates[g];
    table.add(
        {list.group_names.name(g), r.genuine, r.impostor, r.auc, r.eer, r.fmr, r.fnmr, r.tar});
    if (r.genuine == 0 || r.impostor == 0) {
      report.warning(fmt::format("group {} lacks {} comparisons; its figures are incomplete",
                                 list.group_names.name(g),
                                 r.genuine == 0 ? "genuine" : "impostor"));
    }
  }
  const GroupGap gap = group_gap(rates);
  report.group("group_gap", "Gap between groups",
               {{"fnmr_difference", gap.fnmr_difference},
                {"fmr_ratio", gap.fmr_ratio},
                {"eer_difference", gap.eer_difference},
                {"eer_std", gap.eer_std}},
               "FNMR and FMR at the shared threshold; EER of each group's own curve");
}

void add_summary(Report& report, const Roc& roc, const ScoreSet& set,
                 const CurveIntervals& intervals) {
  const Eer nearest = roc.eer(EerRule::nearest);
  add_auc_and_eer(report, roc, intervals);
  report.scalar("eer_threshold", roc.eer().threshold, "threshold of the EER");
  report.scalar("eer_nearest", nearest.rate, "EER, nearest point",
                "mean of FAR and FRR where they are closest");
  report.scalar("fisher_ratio", fisher_ratio(set.genuine, set.impostor), "Fisher ratio",
                "(mean difference)^2 / sum of variances");
  report.scalar("d_prime", d_prime(set.genuine, set.impostor), "d'");
  report.scalar("average_precision", average_precision(roc), "average precision",
                "no interpolation, as scikit-learn");
  const PrecisionRecallPoint best = best_f1(roc);
  report.scalar(
      "best_f1", best.f1, "best F1",
      fmt::format("at score >= {:.6g}, chosen on these data: optimistic", best.threshold));
  report.scalar("genuine", roc.genuine_count(), "genuine comparisons");
  report.scalar("impostor", roc.impostor_count(), "impostor comparisons");
}

Report verification(const VerificationOptions& o, RunContext& run) {
  const Comparisons list = read_comparisons(o.file, run);
  const ScoreSet set = split_scores(list.scores, list.labels);
  const Roc roc = of_file(o.file, [&] { return Roc(set); });
  Report report("evaluate.verification", "verification: is this the same one?");
  const CurveIntervals intervals = intervals_of(list, roc, o, report, run);
  add_summary(report, roc, set, intervals);
  add_rates(report, roc, o, intervals);
  if (o.threshold) add_decisions(report, roc, *o.threshold);
  add_folds(report, list, o);
  add_groups(report, list, roc, o);
  report.plot(roc_plot(roc));
  report.plot(det_plot(roc));
  report.plot(precision_recall_plot(roc));
  const NamedScores lists[] = {{"genuine", set.genuine}, {"impostor", set.impostor}};
  report.plot(histogram_plot("scores", "Scores", "score", lists));

  warn_rule_of_30(report, o.far, roc.impostor_count(), "FAR", "impostor comparisons");
  if (roc.auc() < 0.5) {
    report.warning("AUC below one half: are these distances? Higher scores must mean more alike");
  }
  add_gate(report, "min_auc", roc.auc(), o.min_auc);
  add_gate(report, "max_eer", roc.eer().rate, o.max_eer, false);
  add_gate(report, "min_tar", roc.at_far(o.gate_far, o.rule).tar, o.min_tar);
  const double last = o.far.back();
  report.verdict(
      fmt::format("AUC {:.4f}, EER {}, TAR {} at FAR {}, over {} genuine and {} impostor "
                  "comparisons",
                  roc.auc(), percent(roc.eer().rate), percent(roc.at_far(last, o.rule).tar),
                  rate_key(last), roc.genuine_count(), roc.impostor_count()));
  return report;
}

}  // namespace

Verb verification_verb() {
  return make_verb<VerificationOptions>(
      {.noun = "evaluate",
       .name = "verification",
       .summary = "ROC, AUC, EER, TAR@FAR and folds from labelled comparison scores",
       .details =
           "Columns: score (higher is more alike), label (1 same subject, 0 different). Optional: "
           "group (people to compare rates between), fold (names the folds of the accuracy), "
           "subject_a and subject_b (the subjects of the two samples; the same for label 1) or "
           "subject (one per comparison): with them the intervals are a bootstrap over "
           "subjects.\n\n"
           "A comparison is accepted when score >= threshold. AUC counts ties one half. EER is the "
           "interpolated crossing of FAR and FRR. TAR at a FAR: nearest takes the point of the "
           "curve "
           "whose FAR is nearest to the target, nearest_reduced does so as the IJB evaluation of "
           "InsightFace on scikit-learn's reduced curve, interpolated is linear in FAR along the "
           "curve, not_above takes the highest TAR with FAR not above the target.\n\n"
           "The rule of 30: a rate of 1e-3 needs 30000 comparisons.",
       .examples = {{"sosia evaluate verification scores.csv", "all figures"},
                    {"sosia evaluate verification scores.csv --folds 10 --far 0.01,0.001",
                     "LFW-style accuracy as well"},
                    {"sosia evaluate verification scores.csv --min-auc 0.8",
                     "exit status 5 when AUC is lower"}}},
      verification);
}

}  // namespace sosia::evaluate

#include "face/evaluate_report.hpp"

#include "sosia/core/text.hpp"
#include "sosia/evaluate/classification.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

namespace sosia::face {
namespace {

using evaluate::Roc;

const char* reason_of(PhotoState state) {
  switch (state) {
    case PhotoState::no_face:
      return "no face was found";
    case PhotoState::not_aligned:
      return "the points of its face are no face's";
    default:
      return "";
  }
}

void add_missing_table(Report& report, const Measured& m) {
  std::vector<const Error*> errors(m.set.photos.size(), nullptr);
  for (const EmbeddedSet::Unreadable& u : m.vectors.unreadable) errors[u.photo] = &u.error;
  Table& table =
      report.table("missing", "Photos without a vector", {{"photo", "", ""}, {"reason", "", ""}},
                   fmt::format("the first {}", kTableRows));
  for (std::uint32_t i = 0; i < m.set.photos.size() && table.rows.size() < kTableRows; ++i) {
    if (m.vectors.states[i] == PhotoState::found) continue;
    table.add({m.set.photos[i].name,
               errors[i] != nullptr ? errors[i]->message() : reason_of(m.vectors.states[i])});
  }
  const std::size_t all = m.set.photos.size() - m.vectors.count(PhotoState::found);
  if (table.rows.size() < all) table.note = fmt::format("the first {} of {}", kTableRows, all);
}

void add_decisions(Report& report, const Roc& roc, double threshold) {
  const evaluate::OperatingPoint p = roc.at_threshold(threshold);
  report.group("at_threshold", fmt::format("Decisions at score >= {:g}", threshold),
               {{"threshold", threshold},
                {"fmr", p.far},
                {"fnmr", p.frr()},
                {"accuracy", evaluate::confusion_at(roc, threshold).accuracy()}});
}

}  // namespace

void add_photos(Report& report, const Measured& m, const EvaluateVerbOptions& o) {
  const std::size_t photos = m.set.photos.size();
  const std::size_t found = m.vectors.count(PhotoState::found);
  const std::size_t unreadable = m.vectors.count(PhotoState::unreadable);
  const auto several = static_cast<std::size_t>(std::count_if(
      m.vectors.faces.begin(), m.vectors.faces.end(), [](std::uint32_t n) { return n > 1; }));
  report.scalar("photos", photos);
  report.scalar("subjects", m.set.subjects.empty() ? Value() : Value(m.set.subjects.size()), "",
                m.set.subjects_derived ? "pieced together from the pairs called the same" : "");
  report.scalar("found", found, "photos with a face");
  report.scalar("no_face", m.vectors.count(PhotoState::no_face), "photos without a face");
  report.scalar("not_aligned", m.vectors.count(PhotoState::not_aligned),
                "photos whose face could not be aligned");
  report.scalar("unreadable", unreadable, "photos that could not be read");
  report.scalar("several_faces", several, "photos with several faces",
                "the one nearest to the middle counts, of those of half the largest area or more");
  report.scalar({.key = "failure_to_acquire",
                 .label = "failure to acquire",
                 .value = static_cast<double>(photos - found) / static_cast<double>(photos),
                 .interval = evaluate::wilson_interval(photos - found, photos, o.bootstrap.level),
                 .note = "share of photos without a vector"});
  report.scalar("from_cache", m.vectors.from_cache, "photos whose vectors were in the cache");
  double norms = 0;
  for (const float norm : m.vectors.norms) norms += norm;
  report.scalar("xnorm", found == 0 ? Value() : Value(norms / static_cast<double>(found)),
                "mean length of embeddings", "before it is made 1");
  const std::uint64_t lost = m.pairs.genuine_missing + m.pairs.impostor_missing;
  report.group("missing_pairs", "Comparisons with a photo without a vector",
               {{"genuine", m.pairs.genuine_missing}, {"impostor", m.pairs.impostor_missing}},
               o.missing == MissingRule::exclude ? "left out of all figures"
                                                 : "scored -1: rejected at every threshold");
  add_missing_table(report, m);
  if (photos > found) {
    report.warning(fmt::format("{} of {} photos gave no vector; {} comparisons with them were {}",
                               photos - found, photos, lost,
                               o.missing == MissingRule::exclude
                                   ? "left out (--missing reject counts them)"
                                   : "scored as rejections"));
  }
  for (const std::string& warning : m.set.warnings) report.warning(warning);
  for (const std::string& warning : m.vectors.warnings) report.warning(warning);
}

CurveFigures curve_figures(const Measured& m, const EvaluateVerbOptions& o, Report& report,
                           RunContext& run) {
  const Comparisons& p = m.pairs;
  CurveFigures out{Roc(evaluate::split_scores(p.scores, p.labels))};
  if (p.subject_count >= 2 && o.bootstrap.replicates > 0) {
    out.intervals = evaluate::curve_intervals(evaluate::bootstrap_verification(
        p.scores, p.labels, p.subjects, {o.far, o.rule}, o.bootstrap.options(), run));
    return out;
  }
  report.warning(
      "the intervals of TAR take comparisons as independent, which is too narrow when subjects "
      "repeat; a bootstrap needs two subjects and --replicates");
  out.intervals = evaluate::curve_intervals(out.roc, {o.far, o.rule}, o.bootstrap.level);
  return out;
}

void add_curve(Report& report, const Measured& m, const CurveFigures& curve,
               const EvaluateVerbOptions& o) {
  const Roc& roc = curve.roc;
  evaluate::add_auc_and_eer(report, roc, curve.intervals);
  report.scalar("eer_threshold", roc.eer().threshold, "threshold of the EER",
                "chosen on these data: optimistic elsewhere");
  evaluate::add_tar_at_far(report, roc, {o.far, o.rule});
  evaluate::add_operating_points(report, roc, {o.far, o.rule}, curve.intervals.tar);
  if (o.threshold) add_decisions(report, roc, *o.threshold);
  const evaluate::ScoreSet scores = evaluate::split_scores(m.pairs.scores, m.pairs.labels);
  report.scalar("fisher_ratio", evaluate::fisher_ratio(scores.genuine, scores.impostor),
                "Fisher ratio", "(mean difference)^2 / sum of variances");
  report.scalar("d_prime", evaluate::d_prime(scores.genuine, scores.impostor), "d'");
  report.scalar("genuine", roc.genuine_count(), "genuine comparisons");
  report.scalar("impostor", roc.impostor_count(), "impostor comparisons",
                roc.impostor_count() < m.pairs.impostor_total
                    ? fmt::format("drawn from {}", m.pairs.impostor_total)
                    : "");
  evaluate::warn_rule_of_30(report, o.far, roc.impostor_count(), "FAR", "impostor comparisons");
  report.plot(evaluate::roc_plot(roc));
  report.plot(evaluate::det_plot(roc));
  const evaluate::NamedScores lists[] = {{"genuine", scores.genuine},
                                         {"impostor", scores.impostor}};
  report.plot(evaluate::histogram_plot("scores", "Scores", "cosine", lists));
}

std::optional<double> add_folds(Report& report, const Measured& m, bool mirror_sum) {
  const auto figures = fold_figures(m.pairs);
  if (!figures) {
    if (m.set.listed) {
      report.warning(
          "there is no accuracy over folds: the list is too short, or a fold has no pair with "
          "faces");
    }
    return std::nullopt;
  }
  const evaluate::FoldAccuracy& a = figures->accuracy;
  report.scalar({.key = "accuracy",
                 .label = "accuracy over folds",
                 .value = a.mean,
                 .note = "2 - 2 score < threshold, steps of 0.01 from 0 to 4, first best of the "
                         "other folds"});
  report.scalar("accuracy_std", a.std, "spread of the accuracy over folds",
                "divided by the number of folds");
  if (!mirror_sum) {
    report.warning(
        "the LFW protocol adds the mirrored face (--mirror sum); the accuracy here is without");
  }
  Table& table = report.table("folds", "Folds",
                              {{"fold", "", ""}, {"accuracy", "", ""}, {"threshold", "", ""}},
                              "thresholds as cosine");
  for (std::size_t i = 0; i < a.accuracies.size(); ++i) {
    table.add({i, a.accuracies[i], 1.0 - a.thresholds[i] / 2.0});
  }
  if (figures->val) evaluate::add_val(report, *figures->val);
  return a.mean;
}

}  // namespace sosia::face

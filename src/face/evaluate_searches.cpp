// 1:N figures and groups in the report of `sosia face evaluate`.

#include "face/evaluate_report.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

namespace sosia::face {
namespace {

using evaluate::OpenSet;
using evaluate::Search;

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

std::span<const Search> mated_of(const SetSearches& all) {
  return std::span(all.searches).first(all.mated_count);
}

/// The rank-1 rate when subjects are drawn anew, from sums per subject.
std::optional<Interval> rank1_interval(const SetSearches& all, const EvaluateVerbOptions& o,
                                       RunContext& run) {
  if (all.subject_count < 2 || o.bootstrap.replicates == 0) return std::nullopt;
  std::vector<double> counts(all.subject_count), hits(all.subject_count);
  for (std::size_t i = 0; i < all.mated_count; ++i) {
    counts[all.subjects[i]] += 1;
    hits[all.subjects[i]] += all.searches[i].mate_rank == 1 ? 1 : 0;
  }
  const auto statistic = [&](std::span<const std::uint32_t> draws, std::span<double> out) {
    double count = 0, sum = 0;
    for (std::size_t s = 0; s < draws.size(); ++s) {
      count += draws[s] * counts[s];
      sum += draws[s] * hits[s];
    }
    out[0] = count > 0 ? sum / count : kUndefined;
  };
  return evaluate::bootstrap_subjects(all.subject_count, 1, statistic, o.bootstrap.options(), run)
      .front();
}

/// TPIR at each FPIR when subjects are drawn anew.
std::vector<Interval> tpir_intervals(const SetSearches& all, const EvaluateVerbOptions& o,
                                     RunContext& run) {
  if (all.subject_count < 2 || o.bootstrap.replicates == 0) return {};
  const auto statistic = [&](std::span<const std::uint32_t> draws, std::span<double> out) {
    std::vector<Search> drawn;
    drawn.reserve(all.searches.size());
    bool mated = false, other = false;
    for (std::size_t i = 0; i < all.searches.size(); ++i) {
      const std::uint32_t times = draws[all.subjects[i]];
      drawn.insert(drawn.end(), times, all.searches[i]);
      if (times > 0) (all.searches[i].mated ? mated : other) = true;
    }
    std::fill(out.begin(), out.end(), kUndefined);
    if (!mated || !other) return;
    const OpenSet curve(drawn, 1);
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = curve.at_fpir(o.fpir[i]).tar;
  };
  return evaluate::bootstrap_subjects(all.subject_count, o.fpir.size(), statistic,
                                      o.bootstrap.options(), run);
}

void add_ranks(Report& report, const SetSearches& all, const EvaluateVerbOptions& o) {
  std::vector<std::pair<std::string, Value>> rates;
  for (const std::int64_t rank : o.ranks) {
    rates.emplace_back(std::to_string(rank),
                       evaluate::rank_rate(mated_of(all), static_cast<std::size_t>(rank)));
  }
  report.group("rank_rates", "Rank-k rates", std::move(rates),
               "closed set: every photo against all others; a subject scores by its nearest photo");
  Plot cmc{.key = "cmc", .title = "CMC", .x_label = "rank", .y_label = "share of searches"};
  Series series{.name = "searches"};
  for (std::size_t rank = 1; rank <= 20; ++rank) {
    series.x.push_back(static_cast<double>(rank));
    series.y.push_back(evaluate::rank_rate(mated_of(all), rank));
  }
  cmc.series.push_back(std::move(series));
  report.plot(std::move(cmc));
}

void add_open_set(Report& report, const SetSearches& all, const EvaluateVerbOptions& o,
                  RunContext& run) {
  const OpenSet curve(all.searches, 1);
  const std::vector<Interval> intervals = tpir_intervals(all, o, run);
  const char* note =
      "the same searches with the own subject taken out are those of strangers; "
      "rule: not_above, mate at rank 1";
  report.group("tpir_at_fpir", "TPIR at FPIR",
               evaluate::by_rate(o.fpir, [&](double f) { return curve.at_fpir(f).tar; }), note);
  report.group("fnir_at_fpir", "FNIR at FPIR",
               evaluate::by_rate(o.fpir, [&](double f) { return curve.at_fpir(f).frr(); }), note);
  Table& table = report.table("open_set", "Open-set identification",
                              {{"target", "target FPIR", ""},
                               {"threshold", "", ""},
                               {"fpir", "FPIR reached", ""},
                               {"fnir", "FNIR", ""},
                               {"fnir_low", "FNIR from", ""},
                               {"fnir_high", "FNIR to", ""}},
                              intervals.empty() ? "" : intervals.front().method);
  for (std::size_t i = 0; i < o.fpir.size(); ++i) {
    const evaluate::OperatingPoint p = curve.at_fpir(o.fpir[i]);
    table.add({o.fpir[i], p.threshold, p.far, p.frr(),
               intervals.empty() ? Value() : Value(1 - intervals[i].high),
               intervals.empty() ? Value() : Value(1 - intervals[i].low)});
  }
  evaluate::warn_rule_of_30(report, o.fpir, curve.non_mated_count(), "FPIR", "non-mated searches");
  Plot det{.key = "open_set_det",
           .title = "DET of identification",
           .x_label = "FPIR",
           .y_label = "FNIR",
           .x_log = true,
           .y_log = true};
  det.series.push_back(evaluate::curve_series(
      "searches", curve.points(),
      [&](const evaluate::RocPoint& p) { return std::pair{curve.fpir(p), 1.0 - curve.tpir(p)}; }));
  report.plot(std::move(det));
}

/// Comparisons within groups alone.
struct GroupedPairs {
  std::vector<double> scores;
  std::vector<std::uint8_t> labels;
  std::vector<std::uint32_t> groups;
  std::vector<evaluate::SubjectPair> subjects;
};

GroupedPairs grouped(const Comparisons& p) {
  GroupedPairs out;
  for (std::size_t i = 0; i < p.size(); ++i) {
    if (p.groups[i] == kNobody) continue;
    out.scores.push_back(p.scores[i]);
    out.labels.push_back(p.labels[i]);
    out.groups.push_back(p.groups[i]);
    if (!p.subjects.empty()) out.subjects.push_back(p.subjects[i]);
  }
  return out;
}

/// FNMR of each group, FMR of each group, then the difference of FNMR: at the shared threshold,
/// subjects drawn anew.
std::vector<Interval> group_intervals(const GroupedPairs& p, std::size_t groups,
                                      std::size_t subjects, double threshold,
                                      const EvaluateVerbOptions& o, RunContext& run) {
  if (subjects < 2 || o.bootstrap.replicates == 0) return {};
  const auto statistic = [&](std::span<const std::uint32_t> draws, std::span<double> out) {
    std::vector<double> wrong(2 * groups), all(2 * groups);
    for (std::size_t i = 0; i < p.scores.size(); ++i) {
      const auto weight = static_cast<double>(evaluate::pair_weight(p.subjects[i], draws));
      const bool accepted = p.scores[i] >= threshold, genuine = p.labels[i] == 1;
      const std::size_t at = p.groups[i] + (genuine ? 0 : groups);
      all[at] += weight;
      if (accepted != genuine) wrong[at] += weight;
    }
    double low = 2, high = -1;
    std::size_t defined = 0;
    for (std::size_t g = 0; g < 2 * groups; ++g) {
      out[g] = all[g] > 0 ? wrong[g] / all[g] : kUndefined;
      if (g >= groups || !(all[g] > 0)) continue;
      low = std::min(low, out[g]), high = std::max(high, out[g]), ++defined;
    }
    out[2 * groups] = defined >= 2 ? high - low : kUndefined;
  };
  return evaluate::bootstrap_subjects(subjects, 2 * groups + 1, statistic, o.bootstrap.options(),
                                      run);
}

/// Rank-1 rate of the probes of each group.
std::vector<double> group_rank1(const Measured& m) {
  std::vector<double> hits(m.set.groups.size()), counts(m.set.groups.size());
  if (m.searches) {
    for (std::size_t i = 0; i < m.searches->mated_count; ++i) {
      const std::uint32_t g = m.set.photos[m.searches->probes[i]].group;
      if (g == kNobody) continue;
      counts[g] += 1;
      hits[g] += m.searches->searches[i].mate_rank == 1 ? 1 : 0;
    }
  }
  for (std::size_t g = 0; g < hits.size(); ++g) {
    hits[g] = counts[g] > 0 ? hits[g] / counts[g] : kUndefined;
  }
  return hits;
}

std::vector<double> group_failures(const Measured& m) {
  std::vector<double> lost(m.set.groups.size()), counts(m.set.groups.size());
  for (std::size_t i = 0; i < m.set.photos.size(); ++i) {
    const std::uint32_t g = m.set.photos[i].group;
    if (g == kNobody) continue;
    counts[g] += 1;
    lost[g] += m.vectors.states[i] == PhotoState::found ? 0 : 1;
  }
  for (std::size_t g = 0; g < lost.size(); ++g) {
    lost[g] = counts[g] > 0 ? lost[g] / counts[g] : kUndefined;
  }
  return lost;
}

struct Spread {
  double mean = kUndefined, std = kUndefined, difference = kUndefined;
};
Spread spread_of(std::vector<double> values) {
  std::erase_if(values, [](double v) { return std::isnan(v); });
  if (values.size() < 2) return {};
  const evaluate::Moments moments = evaluate::moments(values);
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  return {moments.mean, std::sqrt(moments.variance), *high - *low};
}

}  // namespace

std::optional<double> add_rank1(Report& report, const Measured& m, const EvaluateVerbOptions& o,
                                RunContext& run) {
  Scalar scalar{.key = "rank1", .label = "rank-1 rate"};
  if (!m.searches) {
    scalar.note = "the set names no subject with two photos, so there are no searches";
    report.scalar(std::move(scalar));
    return std::nullopt;
  }
  const double rate = evaluate::rank_rate(mated_of(*m.searches), 1);
  scalar.value = rate;
  scalar.note = fmt::format("{} photos, each against the {} others", m.searches->mated_count,
                            m.searches->gallery_photos - 1);
  scalar.interval = rank1_interval(*m.searches, o, run);
  report.scalar(std::move(scalar));
  return rate;
}

void add_searches(Report& report, const Measured& m, const EvaluateVerbOptions& o,
                  RunContext& run) {
  if (!m.searches) return;
  add_ranks(report, *m.searches, o);
  if (m.searches->searches.size() > m.searches->mated_count) {
    add_open_set(report, *m.searches, o, run);
  }
}

void add_groups(Report& report, const Measured& m, const evaluate::Roc& roc,
                const EvaluateVerbOptions& o, RunContext& run) {
  const std::size_t count = m.set.groups.size();
  if (count == 0) return;
  const double shared = roc.at_far(o.group_far, evaluate::AtRule::not_above).threshold;
  const GroupedPairs p = grouped(m.pairs);
  const auto rates =
      evaluate::group_rates(p.scores, p.labels, p.groups, count, shared, o.group_far);
  const std::vector<Interval> intervals =
      group_intervals(p, count, p.subjects.empty() ? 0 : m.pairs.subject_count, shared, o, run);
  const std::vector<double> rank1 = group_rank1(m), failures = group_failures(m);
  std::vector<double> accuracies(count, kUndefined);
  Table& table = report.table(
      "groups", "Groups",
      {{"group", "", ""},
       {"genuine", "", ""},
       {"impostor", "", ""},
       {"fmr", "FMR", ""},
       {"fnmr", "FNMR", ""},
       {"fnmr_low", "from", ""},
       {"fnmr_high", "to", ""},
       {"eer", "EER", ""},
       {"auc", "AUC", ""},
       {"tar", "TAR, own threshold", ""},
       {"rank1", "rank-1", ""},
       {"accuracy", "", ""},
       {"failure_to_acquire", "no vector", ""}},
      fmt::format("comparisons within a group; FMR and FNMR at the threshold {:.6g} shared by all "
                  "(FMR of all comparisons not above {:g})",
                  shared, o.group_far));
  for (std::uint32_t g = 0; g < count; ++g) {
    if (const auto folds = fold_figures(m.pairs, g)) accuracies[g] = folds->accuracy.mean;
    const evaluate::GroupRates& r = rates[g];
    table.add({m.set.groups[g], r.genuine, r.impostor, r.fmr, r.fnmr,
               intervals.empty() ? Value() : Value(intervals[g].low),
               intervals.empty() ? Value() : Value(intervals[g].high), r.eer, r.auc, r.tar,
               rank1[g], accuracies[g], failures[g]});
    if (r.genuine == 0 || r.impostor == 0) {
      report.warning(fmt::format("group {} lacks {} comparisons; its figures are incomplete",
                                 m.set.groups[g], r.genuine == 0 ? "genuine" : "impostor"));
    }
  }
  const evaluate::GroupGap gap = evaluate::group_gap(rates);
  const Spread accuracy = spread_of(accuracies), rank = spread_of(rank1);
  const bool known = !intervals.empty();
  report.group("group_gap", "Gap between groups",
               {{"fnmr_difference", gap.fnmr_difference},
                {"fnmr_difference_low", known ? Value(intervals.back().low) : Value()},
                {"fnmr_difference_high", known ? Value(intervals.back().high) : Value()},
                {"fmr_ratio", gap.fmr_ratio},
                {"eer_difference", gap.eer_difference},
                {"eer_std", gap.eer_std},
                {"rank1_difference", rank.difference},
                {"accuracy_mean", accuracy.mean},
                {"accuracy_std", accuracy.std},
                {"failure_to_acquire_difference", spread_of(failures).difference}},
               known ? "FNMR and FMR at the shared threshold; " + intervals.back().method
                     : "FNMR and FMR at the shared threshold");
  report.text(fmt::format("Comparisons across groups ({} of {}) are in no group's figures.",
                          m.pairs.size() - p.scores.size(), m.pairs.size()));
}

}  // namespace sosia::face

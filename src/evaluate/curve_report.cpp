#include "sosia/evaluate/curve_report.hpp"

#include "sosia/evaluate/report_parts.hpp"

#include <cmath>
#include <cstdint>
#include <utility>

#include <fmt/format.h>

namespace sosia::evaluate {

void describe_tar(Fields& f, std::vector<double>& far, AtRule& rule, const std::string& group) {
  f({.name = "far",
     .help = "false accept rates to report TAR at",
     .max = 1,
     .above = 0,
     .group = group},
    far);
  f.choice({.name = "rule",
            .help = "how TAR is read off the curve at a false accept rate",
            .group = group},
           rule,
           {{"nearest", AtRule::nearest},
            {"nearest_reduced", AtRule::nearest_reduced},
            {"interpolated", AtRule::interpolated},
            {"not_above", AtRule::not_above}});
}

void describe_group_far(Fields& f, double& rate, const std::string& group) {
  f({.name = "group_far",
     .help = "false accept rate of all comparisons that sets the threshold shared by the groups",
     .max = 1,
     .above = 0,
     .group = group},
    rate);
}

CurveIntervals curve_intervals(VerificationIntervals intervals) {
  return {std::move(intervals.auc), std::move(intervals.eer), std::move(intervals.tar_at_far)};
}

CurveIntervals curve_intervals(const Roc& roc, const FarTargets& targets, double level) {
  CurveIntervals out;
  for (const double target : targets.rates) {
    const auto genuine = static_cast<double>(roc.genuine_count());
    const double accepted = std::round(roc.at_far(target, targets.rule).tar * genuine);
    out.tar.push_back(
        wilson_interval(static_cast<std::uint64_t>(accepted), roc.genuine_count(), level));
  }
  return out;
}

void add_auc_and_eer(Report& report, const Roc& roc, const CurveIntervals& intervals) {
  report.scalar({.key = "auc",
                 .label = "AUC",
                 .value = roc.auc(),
                 .interval = intervals.auc,
                 .note = "P(genuine > impostor) + P(tie) / 2"});
  report.scalar({.key = "eer",
                 .label = "EER",
                 .value = roc.eer().rate,
                 .interval = intervals.eer,
                 .note = "interpolated crossing of FAR and FRR"});
}

void add_tar_at_far(Report& report, const Roc& roc, const FarTargets& targets) {
  report.group(
      "tar_at_far", "TAR at FAR",
      by_rate(targets.rates, [&](double far) { return roc.at_far(far, targets.rule).tar; }),
      fmt::format("rule: {}", rule_name(targets.rule)));
}

void add_operating_points(Report& report, const Roc& roc, const FarTargets& targets,
                          std::span<const Interval> tar) {
  Table& points = report.table(
      "operating_points", "Operating points",
      {{"target", "target FAR", ""},
       {"threshold", "", ""},
       {"far", "FAR reached", ""},
       {"tar", "TAR", ""},
       {"tar_low", "TAR from", ""},
       {"tar_high", "TAR to", ""}},
      fmt::format("rule: {}; intervals: {}", rule_name(targets.rule), tar.front().method));
  for (std::size_t i = 0; i < targets.rates.size(); ++i) {
    const OperatingPoint p = roc.at_far(targets.rates[i], targets.rule);
    points.add({targets.rates[i], p.threshold, p.far, p.tar, tar[i].low, tar[i].high});
  }
}

void add_val(Report& report, const FoldVal& val) {
  report.group("val_at_far", "VAL at FAR 1e-3 over folds",
               {{"val", val.val_mean}, {"val_std", val.val_std}, {"far", val.far_mean}},
               "threshold interpolated on the other folds, steps of 0.001");
}

}  // namespace sosia::evaluate

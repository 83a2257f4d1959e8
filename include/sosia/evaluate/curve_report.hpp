#pragma once
// The part of a verification report that is read off the curve, for verbs of several rooms.
// Thread-safety: free functions on values.

#include "sosia/core/fields.hpp"
#include "sosia/core/report.hpp"
#include "sosia/evaluate/confidence.hpp"
#include "sosia/evaluate/roc.hpp"
#include "sosia/evaluate/verification.hpp"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace sosia::evaluate {

/// `--far` and `--rule`: where and how TAR is read off the curve.
void describe_tar(Fields& f, std::vector<double>& far, AtRule& rule, const std::string& group = {});
/// `--group-far`: the rate of the threshold that groups share.
void describe_group_far(Fields& f, double& rate, const std::string& group = {});

/// Intervals of what is read off a curve; `auc` and `eer` are known from a bootstrap alone.
struct CurveIntervals {
  std::optional<Interval> auc = {}, eer = {};
  std::vector<Interval> tar = {};  ///< in the order of the targets
};

/// By the bootstrap over subjects.
CurveIntervals curve_intervals(VerificationIntervals intervals);
/// Wilson's of TAR, which takes comparisons as independent.
CurveIntervals curve_intervals(const Roc& roc, const FarTargets& targets, double level);

/// AUC and EER with their intervals.
void add_auc_and_eer(Report& report, const Roc& roc, const CurveIntervals& intervals);
/// TAR by target.
void add_tar_at_far(Report& report, const Roc& roc, const FarTargets& targets);
/// Threshold, FAR reached and TAR of each target, as a table.
void add_operating_points(Report& report, const Roc& roc, const FarTargets& targets,
                          std::span<const Interval> tar);
/// VAL at FAR 1e-3 by `fold_val`.
void add_val(Report& report, const FoldVal& val);

}  // namespace sosia::evaluate

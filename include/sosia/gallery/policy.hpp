#pragma once
// The operating point of a verb: from the calibration in force to a policy, and how it is shown.

#include "sosia/core/report.hpp"
#include "sosia/gallery/decision.hpp"
#include "sosia/gallery/gallery.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace sosia::gallery {

/// The rate that is asked for when the user names none.
inline constexpr double kDefaultFpir = 0.01;

/// A calibration that fits the question, with a policy; or why there is none.
struct PolicyChoice {
  std::optional<Calibration> calibration = {};
  std::optional<OperatingPolicy> policy = {};
  std::string why_none = {};
};

/// The policy for `max_fpir` (`kDefaultFpir` when not given) from the calibration in force in the
/// gallery that `info` is of. A calibration for another rule or other vectors gives none. A rate
/// that the sample cannot support gives none either, but throws when the user asked for it.
PolicyChoice choose_policy(std::optional<Calibration> calibration, const GalleryInfo& info,
                           std::optional<SubjectRule> rule, std::optional<double> max_fpir,
                           std::uint64_t subjects, FpirRule fpir);

/// Threshold, rates, intervals and the set that they come from, as scalars; warnings.
void add_policy(Report& report, const Calibration& calibration, const OperatingPolicy& policy);

/// The threshold of the pooled impostor scores at a rate of single comparisons. Throws
/// invalid_argument for a gallery without calibration, else as `make_policy`.
OperatingPolicy pairwise_policy(Gallery& gallery, double max_fmr);

}  // namespace sosia::gallery

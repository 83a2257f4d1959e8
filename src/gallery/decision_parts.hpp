#pragma once
// What the verbs that search, compare and group share: probes from files, the calibration in force
// and the threshold that it gives, and how these are shown.

#include "sosia/core/report.hpp"
#include "sosia/core/run.hpp"
#include "sosia/gallery/gallery.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace sosia::gallery {

/// The rate that is asked for when the user names none.
inline constexpr double kDefaultFpir = 0.01;

/// Vectors of a .npy file, n x dimension (one row may come as a flat array). Throws corrupt_data
/// for another shape or dimension, and for a row with NaN, infinities or only zeros, which it
/// names.
std::vector<float> read_vectors(const std::string& file, std::size_t dimension, RunContext& run);

/// One column of a CSV file, one row for each vector. Throws corrupt_data when the number differs.
std::vector<std::string> read_column(const std::string& file, const std::string& column,
                                     std::size_t rows, RunContext& run);

/// A calibration that fits the question, with a policy; or why there is none.
struct PolicyChoice {
  std::optional<Calibration> calibration = {};
  std::optional<OperatingPolicy> policy = {};
  std::string why_none = {};
};

/// The policy for `max_fpir` (`kDefaultFpir` when not given) from the calibration in force. A
/// calibration for another rule or other vectors gives none. A rate that the sample cannot support
/// gives none either, but throws when the user asked for it.
PolicyChoice choose_policy(Gallery& gallery, std::optional<SubjectRule> rule,
                           std::optional<double> max_fpir, std::uint64_t subjects, FpirRule fpir);

/// Threshold, rates, intervals and the set that they come from, as scalars; warnings.
void add_policy(Report& report, const Calibration& calibration, const OperatingPolicy& policy);

/// The threshold of the pooled impostor scores at a rate of single comparisons.
OperatingPolicy pairwise_policy(Gallery& gallery, double max_fmr);

}  // namespace sosia::gallery

#pragma once
// The false positive identification rate of a search among N subjects at the thresholds of a
// calibration sample, and how many independent searches the sample is worth.

#include "sosia/gallery/decision.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace sosia::gallery {

/// The rate when every score of the tail down to `threshold` is accepted.
struct FpirPoint {
  double threshold = 0;
  std::size_t accepted = 0;  ///< impostor scores of the sample
  double rate = 0;           ///< of the trials below: per search, or per comparison
  double trials = 0;         ///< independent trials that the rate rests on
};

/// One point per distinct score of the tail, threshold falling. Rates are of searches among
/// min(N, M) subjects (`per_probe`, M = compared subjects per probe) or of single comparisons
/// (`independent`).
struct FpirCurve {
  FpirRule rule = FpirRule::per_probe;
  double zero_trials = 0;  ///< as `trials`, above all impostor scores
  /// The rate of a search among N subjects is 1 - (1 - rate)^exponent.
  double exponent = 1;
  std::vector<FpirPoint> points = {};

  double search_rate(double rate) const;
  double trial_rate(double search_rate) const;
};

/// `rule` becomes independent when the sample does not know its probes.
FpirCurve fpir_curve(const Calibration& calibration, std::uint64_t subjects, FpirRule rule);

/// P(a probe has a false match), by probe: among `subjects` (at most M) of the compared ones, at a
/// threshold. For the bootstrap over subjects.
std::vector<double> probe_rates(const Calibration& calibration, std::uint64_t subjects,
                                double threshold);

}  // namespace sosia::gallery

#pragma once
// The arms of the claim on one fold: what is trained, and how well people are told apart that were
// never seen.

#include "face/methods/barlow_twins/pictures.hpp"

#include <string>
#include <vector>

namespace sosia::face::barlow_twins {

inline constexpr int kWidthPx = 28, kHeightPx = 32;

/// Budget of every trained arm.
struct Budget {
  std::int64_t steps = 400;
  std::int64_t batch = 96;
};

struct Figures {
  double rank1 =
      0;  ///< distorted probes whose most alike clean enrolment picture is of their subject
  double eer = 0;             ///< of all comparisons of a probe with an enrolment picture
  double effective_rank = 0;  ///< of the probes' embeddings
};

/// In the order of `arm_names`.
struct ArmFigures {
  Figures pixels, pca, untrained, full, invariance, redundancy, supervised;
};

/// All arms: the same network, seed, pictures, distortions and budget. The first picture of each
/// test subject is enrolled as it is; of every other one four distorted copies are searched.
ArmFigures run_arms(const Fold& fold, const Budget& budget, std::uint64_t seed, RunContext& run);

}  // namespace sosia::face::barlow_twins

#pragma once
// Shared by the tests of the metrics.

#include "errors.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/rng.hpp"

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace sosia::evaluate {

inline constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
inline constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Labelled scores with plenty of ties: genuine ones shifted up by 1, rounded to `digits` steps per
/// unit (0: not rounded).
struct LabelledScores {
  std::vector<double> scores;
  std::vector<std::uint8_t> labels;
};

inline LabelledScores random_scores(std::uint64_t seed, std::size_t count, double steps) {
  RandomStream stream(seed, "test scores");
  LabelledScores list;
  for (std::size_t i = 0; i < count; ++i) {
    // The first two fix one of each class.
    const auto label = static_cast<std::uint8_t>(i < 2 ? i : stream.below(3) == 0);
    double score = stream.normal() + label;
    if (steps > 0) score = static_cast<double>(static_cast<long>(score * steps)) / steps;
    list.scores.push_back(score);
    list.labels.push_back(label);
  }
  return list;
}

}  // namespace sosia::evaluate

#pragma once
// Mean and variance with the exponents of a long double, so that the squares of the largest finite
// scores do not overflow and those of the smallest do not vanish.

#include <limits>
#include <span>

namespace sosia::evaluate {

/// As `Moments`: the variance over n, NaN for an empty list.
struct WideMoments {
  long double mean;
  long double variance;
};

inline WideMoments wide_moments(std::span<const double> values) {
  constexpr auto kNan = std::numeric_limits<long double>::quiet_NaN();
  if (values.empty()) return {kNan, kNan};
  const auto count = static_cast<long double>(values.size());
  long double sum = 0.0L;
  for (double value : values) sum += value;
  const long double mean = sum / count;
  long double squares = 0.0L;
  for (double value : values) squares += (value - mean) * (value - mean);
  return {mean, squares / count};
}

}  // namespace sosia::evaluate

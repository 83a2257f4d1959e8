#include "evaluate/checks.hpp"

#include "sosia/core/error.hpp"

#include <cmath>

#include <fmt/format.h>

namespace sosia::evaluate {

void refuse(std::string message, std::string hint) {
  throw Error(ErrorCode::invalid_argument, std::move(message), std::move(hint));
}

void require_finite(std::span<const double> values, std::string_view what) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!std::isfinite(values[i])) {
      refuse(fmt::format("{} must be finite, but number {} is {}", what, i, values[i]),
             "leave the failed comparisons out, or give them the lowest score of the matcher");
    }
  }
}

void require_some(std::size_t count, std::string_view what, std::string_view hint) {
  if (count == 0) refuse(fmt::format("there are no {}", what), std::string(hint));
}

void require_same_size(std::size_t a, std::string_view what_a, std::size_t b,
                       std::string_view what_b) {
  if (a != b) {
    refuse(fmt::format("{} {} but {} {}; they must be as many", a, what_a, b, what_b));
  }
}

void require_binary(std::span<const std::uint8_t> labels) {
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] > 1) {
      refuse(fmt::format("labels must be 0 or 1, but number {} is {}", i, labels[i]));
    }
  }
}

void require_unit_interval(double value, std::string_view what) {
  if (!(value >= 0.0 && value <= 1.0)) {
    refuse(fmt::format("the {} must lie between 0 and 1, not {}", what, value));
  }
}

void require_unit_interval(std::span<const double> values, std::string_view what) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!(values[i] >= 0.0 && values[i] <= 1.0)) {
      refuse(fmt::format("{} must lie between 0 and 1, but number {} is {}", what, i, values[i]));
    }
  }
}

}  // namespace sosia::evaluate

#pragma once
// Refusals shared by all metrics: what is wrong, at which index, and what to do about it.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace sosia::evaluate {

/// Throws invalid_argument.
[[noreturn]] void refuse(std::string message, std::string hint = {});

/// Refuses NaN and infinities, naming the first offending index. `what` is a plural noun
/// ("genuine scores").
void require_finite(std::span<const double> values, std::string_view what);

/// Refuses an empty list.
void require_some(std::size_t count, std::string_view what, std::string_view hint = {});

/// Refuses lists of different length.
void require_same_size(std::size_t a, std::string_view what_a, std::size_t b,
                       std::string_view what_b);

/// Refuses labels other than 0 and 1.
void require_binary(std::span<const std::uint8_t> labels);

/// Refuses values outside [0, 1] (NaN included).
void require_unit_interval(double value, std::string_view what);
void require_unit_interval(std::span<const double> values, std::string_view what);

}  // namespace sosia::evaluate

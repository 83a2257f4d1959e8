#pragma once
// The ground truth as JSON: what every render writes beside its pixels, one object a line.

#include "sosia/core/value.hpp"

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace sosia::world {

/// `value` rounded to a multiple of 10^-`digits` (0 to 9), halves away from zero: parameters and
/// coordinates print short, and the same on every machine. |value| < 1e9.
double rounded(double value, int digits = 4);

/// [rounded, ...]
Value numbers(std::span<const double> values, int digits = 4);
Value numbers(std::initializer_list<double> values, int digits = 4);

/// One line of truth.jsonl, newline included.
std::string truth_line(const Value& truth);

/// Lower-case hexadecimal xxh3 of an 8-bit picture's pixels (rows without padding): what golden
/// tests pin and `truth` carries as "pixels".
std::string pixel_hash(const std::uint8_t* data, int width_px, int height_px, int channels,
                       std::ptrdiff_t stride_bytes);

}  // namespace sosia::world

#pragma once
// What the verbs of this room share: which gallery and key (place.hpp), times as text.

#include "sosia/core/fields.hpp"
#include "sosia/core/report.hpp"
#include "sosia/core/run.hpp"
#include "sosia/gallery/place.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sosia::gallery {

/// Milliseconds since 1970-01-01 UTC of "2024-05-01", "2024-05-01T12:30:00.5Z",
/// "2024-05-01 12:30:00+02:00" (without a zone: UTC), or of a number: seconds below 1e11, else
/// milliseconds. Nothing for other texts.
std::optional<std::int64_t> parse_time(std::string_view text);
/// The time that an option gives; nothing when `text` is empty. Throws usage for other texts.
/// `flag`:
/// "--before".
std::optional<std::int64_t> time_option(const char* flag, const std::string& text);
/// "2024-05-01T12:30:00.500Z", without the fraction when it is 0.
std::string format_time(std::int64_t time_ms);

}  // namespace sosia::gallery

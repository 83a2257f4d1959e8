#include "gallery/verb_parts.hpp"

#include "sosia/core/text.hpp"

#include <chrono>
#include <cmath>

#include <fmt/format.h>

namespace sosia::gallery {
namespace {

/// Digits at the front of `text`, taken off; nothing when there are not exactly `count`.
std::optional<int> take_number(std::string_view& text, std::size_t count) {
  if (text.size() < count) return std::nullopt;
  int value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return value;
}

bool take(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text[0]) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<std::int64_t> take_clock(std::string_view& text) {
  const auto hour = take_number(text, 2);
  if (!hour || *hour > 23 || !take(text, ":")) return std::nullopt;
  const auto minute = take_number(text, 2);
  if (!minute || *minute > 59) return std::nullopt;
  std::int64_t ms = (std::int64_t{*hour} * 60 + *minute) * 60'000;
  if (!take(text, ":")) return ms;
  const auto second = take_number(text, 2);
  if (!second || *second > 60) return std::nullopt;
  ms += std::int64_t{*second} * 1000;
  if (!take(text, ".,")) return ms;
  std::size_t digits = 0;
  for (int scale = 100; !text.empty() && text[0] >= '0' && text[0] <= '9'; ++digits, scale /= 10) {
    ms += std::int64_t{scale} * (text[0] - '0');
    text.remove_prefix(1);
  }
  return digits == 0 ? std::nullopt : std::optional(ms);
}

/// The offset of a zone in milliseconds; UTC when there is none.
std::optional<std::int64_t> take_zone(std::string_view& text) {
  if (text.empty() || take(text, "Zz")) return 0;
  const std::int64_t sign = text[0] == '-' ? -1 : 1;
  if (!take(text, "+-")) return std::nullopt;
  const auto hour = take_number(text, 2);
  if (!hour || *hour > 23) return std::nullopt;
  take(text, ":");
  int minute = 0;
  if (!text.empty()) {
    const auto given = take_number(text, 2);
    if (!given || *given > 59) return std::nullopt;
    minute = *given;
  }
  return sign * (std::int64_t{*hour} * 60 + minute) * 60'000;
}

std::optional<std::int64_t> number_time(std::string_view text) {
  double value = 0;
  if (!parse_real(text, value) || !std::isfinite(value) || std::abs(value) > 8e15) {
    return std::nullopt;
  }
  constexpr double kLastSecond = 1e11;
  return static_cast<std::int64_t>(
      std::llround(std::abs(value) < kLastSecond ? value * 1000 : value));
}

}  // namespace

std::optional<std::int64_t> parse_time(std::string_view text) {
  text = trim(text);
  if (const auto number = number_time(text)) return number;
  const auto year = take_number(text, 4);
  if (!year || !take(text, "-")) return std::nullopt;
  const auto month = take_number(text, 2);
  if (!month || !take(text, "-")) return std::nullopt;
  const auto day = take_number(text, 2);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date(std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day)));
  if (!date.ok()) return std::nullopt;
  const std::int64_t ms =
      std::int64_t{std::chrono::sys_days(date).time_since_epoch().count()} * 86'400'000;
  if (text.empty()) return ms;
  if (!take(text, "Tt ")) return std::nullopt;
  const auto clock = take_clock(text);
  if (!clock) return std::nullopt;
  const auto zone = take_zone(text);
  if (!zone || !text.empty()) return std::nullopt;
  return ms + *clock - *zone;
}

std::optional<std::int64_t> time_option(const char* flag, const std::string& text) {
  if (text.empty()) return std::nullopt;
  const auto time = parse_time(text);
  if (!time) {
    throw Error(ErrorCode::usage, fmt::format("{}: {} is no time", flag, quote(text)),
                "write 2024-05-01 or 2024-05-01T12:00:00Z");
  }
  return time;
}

std::string format_time(std::int64_t time_ms) {
  const std::chrono::sys_time<std::chrono::milliseconds> time{std::chrono::milliseconds(time_ms)};
  const auto days = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(days);
  const std::int64_t ms = (time - days).count();
  std::string text =
      fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                  ms / 3'600'000, ms / 60'000 % 60, ms / 1000 % 60);
  if (ms % 1000 != 0) text += fmt::format(".{:03}", ms % 1000);
  return text + "Z";
}

}  // namespace sosia::gallery

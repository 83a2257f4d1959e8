#pragma once
// Small text helpers shared by messages, options and reports.

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sosia {

/// Edit distance with adjacent transpositions (optimal string alignment), case-sensitive.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// The candidates closest to `name` (at most `most`), nearest first; only those within a third of
/// the longer length, and dashes and underscores count as equal. Empty when nothing is near.
std::vector<std::string> nearest_names(std::string_view name,
                                       std::span<const std::string> candidates,
                                       std::size_t most = 3);

/// "did you mean a or b?" from `nearest_names`, or "" when nothing is near.
std::string did_you_mean(std::string_view name, std::span<const std::string> candidates);

/// "a, b and c" ("a, b or c" with `last` = "or").
std::string enumerate(std::span<const std::string> items, std::string_view last = "and");

/// `text` broken at spaces, and a word that is longer than a line at its commas, to lines that hold
/// at most `width` columns of it; every line but the first begins with `indent` spaces more.
std::string wrap_text(std::string_view text, std::size_t width, std::size_t indent = 0);

/// Columns that `text` takes in a terminal (East Asian wide = 2, combining = 0); invalid UTF-8
/// counts one per byte.
std::size_t display_width(std::string_view text);

/// `text` in double quotes, with control characters, quotes and invalid UTF-8 made visible, cut to
/// `most` bytes: safe to show in an error message whatever the input was.
std::string quote(std::string_view text, std::size_t most = 80);

/// Decodes the code point at `text[i]`, i < text.size(); returns its length in bytes, or 0 when it
/// is not well-formed (`out` is left alone then).
std::size_t decode_utf8(std::string_view text, std::size_t i, char32_t& out) noexcept;

/// Writes a code point below 0x110000 as UTF-8 (at most four bytes); returns how many.
inline std::size_t encode_utf8(char32_t point, char* out) noexcept {
  const std::size_t length = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  constexpr char32_t kLeads[] = {0, 0, 0xc0, 0xe0, 0xf0};
  for (std::size_t k = length; k-- > 1; point >>= 6)
    out[k] = static_cast<char>(0x80 | (point & 0x3f));
  out[0] = static_cast<char>(kLeads[length] | point);
  return length;
}

/// Whether `text` is well-formed UTF-8 (no overlong forms, no surrogates).
bool valid_utf8(std::string_view text);

/// ASCII-only lower case; locale-independent.
std::string ascii_lower(std::string_view text);

std::string_view trim(std::string_view text);
std::vector<std::string_view> split(std::string_view text, char separator);

/// Locale-independent number parsing of the whole text; false when it is not one number or does not
/// fit. `parse_real` accepts "inf" and "nan" spellings as numbers: callers decide what to refuse.
bool parse_integer(std::string_view text, long long& out);
bool parse_real(std::string_view text, double& out);

}  // namespace sosia

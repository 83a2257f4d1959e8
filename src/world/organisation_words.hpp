#pragma once
// The word lists behind organisations, and the letters that take them to other scripts.

#include <span>
#include <string_view>

namespace sosia::world::words {

/// One legal form in the spellings that registers and people use.
struct LegalForm {
  std::string_view usual;    ///< as registered
  std::string_view variant;  ///< dots and capitals otherwise
  std::string_view spelt;    ///< in full
  std::string_view native;   ///< in the country's own script, or empty
};

struct Country {
  std::string_view code;
  std::span<const std::string_view> trades;         ///< in its language, Latin letters
  std::span<const std::string_view> native_trades;  ///< in its own script, or empty
  std::span<const std::string_view> starts, ends;   ///< of coined words
  std::span<const LegalForm> forms;
  std::span<const std::string_view> cities;
};

struct Replacement {
  std::string_view from, to;
};

std::span<const Country> countries();
/// The trades in English, in the order of every country's list.
std::span<const std::string_view> english_trades();
/// Latin letter groups and their letters in the country's script, longest first; empty where the
/// script is Latin.
std::span<const Replacement> script_of(std::string_view country);
std::span<const Replacement> native_cities();
/// Letters with marks and how they are written without.
std::span<const Replacement> ascii_letters();

}  // namespace sosia::world::words

#pragma once
// The word lists behind person records.

#include <span>
#include <string_view>

namespace sosia::world::words {

/// A word and its short form, or a city and the beginning of its postcodes.
struct Named {
  std::string_view name, brief;
};

struct Region {
  std::string_view code;  ///< ISO 3166-1 alpha-2
  std::span<const Named> given;
  std::span<const std::string_view> starts, ends;  ///< of family names
  std::span<const std::string_view> streets;
  std::span<const Named> kinds;  ///< of streets
  std::span<const Named> cities;
  /// Beginning of phone numbers; kept free for fiction where the country has such a range.
  std::string_view phone;
};

std::span<const Region> regions();

}  // namespace sosia::world::words

#pragma once
// The cards of src/models/cards, as the build put them into this library.

#include <span>
#include <string_view>

namespace sosia::models {

struct BuiltInCard {
  std::string_view file;
  std::string_view toml;
};

/// Sorted by file name.
std::span<const BuiltInCard> built_in_texts();

}  // namespace sosia::models

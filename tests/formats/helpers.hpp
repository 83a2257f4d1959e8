#pragma once
// What the tests of this room share.

#include "errors.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/files.hpp"

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace sosia::formats {

inline std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

inline bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// A file of the shared data, or nothing.
inline std::optional<std::filesystem::path> shared_data(const std::string& name) {
  const char* root = std::getenv("SOSIA_DATA");
  const std::filesystem::path path =
      (root != nullptr ? std::filesystem::path(root)
                       : std::filesystem::path(SOSIA_SOURCE_DIR) / ".." / "shared" / "data") /
      name;
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return std::nullopt;
  return path;
}

}  // namespace sosia::formats

#pragma once
// What tests of several rooms share.

#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sosia {

inline std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

inline bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// A file or folder of the shared data ($SOSIA_DATA, else beside the project), or nothing.
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

}  // namespace sosia

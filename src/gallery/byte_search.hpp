#pragma once
// Looks for many byte strings at once in files and memory: how a gallery proves that what it has
// forgotten is gone.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace sosia::gallery {

/// A set of byte strings of at least `kLeast` bytes.
class ByteSearch {
 public:
  static constexpr std::size_t kLeast = 4;

  /// The number of the string; strings that are there already keep theirs. Throws invalid_argument
  /// for a shorter one.
  std::size_t add(std::span<const std::byte> pattern);
  std::size_t size() const noexcept { return patterns_.size(); }
  const std::string& pattern(std::size_t number) const { return patterns_[number]; }
  /// A dropped string is not found any more.
  void drop(std::size_t number) { dropped_[number] = true; }
  bool dropped(std::size_t number) const { return dropped_[number]; }

  /// Calls `found` for every occurrence with the string's number and its place.
  void in_memory(std::span<const std::byte> bytes,
                 const std::function<void(std::size_t, std::uint64_t)>& found) const;
  /// The same in a file; the number of bytes that were searched. Throws not_found or io.
  std::uint64_t in_file(const std::filesystem::path& path,
                        const std::function<void(std::size_t, std::uint64_t)>& found) const;

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  std::vector<std::string> patterns_;
  std::vector<bool> dropped_;
  std::unordered_map<std::string, std::size_t, Hash, std::equal_to<>> numbers_;
  std::unordered_map<std::uint32_t, std::vector<std::size_t>> by_start_;
  /// One bit for each hash of a start: most places of a file are passed over here. It grows with
  /// the number of starts, so that it lies in the fastest memory when they are few.
  std::vector<std::uint64_t> filter_ = std::vector<std::uint64_t>(std::size_t{1} << 10, 0);
  unsigned filter_shift_ = 16;
  std::size_t longest_ = 0;

  void mark(std::uint32_t start);
};

}  // namespace sosia::gallery

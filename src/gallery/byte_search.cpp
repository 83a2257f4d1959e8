#include "gallery/byte_search.hpp"

#include "gallery/bytes.hpp"
#include "gallery/system.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/files.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <unistd.h>

namespace sosia::gallery {

namespace {

std::uint32_t start_of(const std::byte* at) {
  std::uint32_t value = 0;
  std::memcpy(&value, at, sizeof value);
  return value;
}

/// The highest bits of a hash of a start.
std::uint32_t filter_bit(std::uint32_t start, unsigned shift) {
  return (start * 2654435761u) >> shift;
}

}  // namespace

std::size_t ByteSearch::add(std::span<const std::byte> pattern) {
  if (pattern.size() < kLeast) {
    throw Error(ErrorCode::invalid_argument, "too few bytes to be searched for");
  }
  const auto known = numbers_.find(as_text(pattern));
  if (known != numbers_.end()) return known->second;
  const std::size_t number = patterns_.size();
  patterns_.emplace_back(as_text(pattern));
  dropped_.push_back(false);
  numbers_.emplace(patterns_.back(), number);
  const std::uint32_t start = start_of(pattern.data());
  by_start_[start].push_back(number);
  constexpr unsigned kLeastShift = 8;
  if (by_start_.size() * 64 > filter_.size() * 64 && filter_shift_ > kLeastShift) {
    filter_shift_ -= 4;
    filter_.assign(filter_.size() * 16, 0);
    for (const auto& [known_start, numbers] : by_start_) mark(known_start);
  }
  mark(start);
  longest_ = std::max(longest_, pattern.size());
  return number;
}

void ByteSearch::mark(std::uint32_t start) {
  const std::uint32_t bit = filter_bit(start, filter_shift_);
  filter_[bit / 64] |= std::uint64_t{1} << (bit % 64);
}

void ByteSearch::in_memory(std::span<const std::byte> bytes,
                           const std::function<void(std::size_t, std::uint64_t)>& found) const {
  if (patterns_.empty() || bytes.size() < kLeast) return;
  const std::byte* data = bytes.data();
  for (std::size_t i = 0; i + kLeast <= bytes.size(); ++i) {
    const std::uint32_t start = start_of(data + i);
    const std::uint32_t bit = filter_bit(start, filter_shift_);
    if (((filter_[bit / 64] >> (bit % 64)) & 1) == 0) continue;
    const auto at = by_start_.find(start);
    if (at == by_start_.end()) continue;
    for (const std::size_t number : at->second) {
      const std::string& pattern = patterns_[number];
      if (!dropped_[number] && pattern.size() <= bytes.size() - i &&
          std::memcmp(data + i, pattern.data(), pattern.size()) == 0) {
        found(number, i);
      }
    }
  }
}

std::uint64_t ByteSearch::in_file(
    const std::filesystem::path& path,
    const std::function<void(std::size_t, std::uint64_t)>& found) const {
  const FileHandle file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) throw system_error("read", path, errno);
  // Read rather than mapped: a file that shrinks under a map would end the program.
  std::vector<std::byte> buffer((std::size_t{4} << 20) + longest_);
  std::size_t kept = 0;
  std::uint64_t total = 0;
  for (;;) {
    const ssize_t n = ::read(file.get(), buffer.data() + kept, buffer.size() - kept);
    if (n < 0) {
      if (errno == EINTR) continue;
      throw system_error("read", path, errno);
    }
    const std::size_t filled = kept + static_cast<std::size_t>(n);
    const std::uint64_t offset = total - kept;
    const std::size_t keep =
        n == 0 ? 0 : std::min(filled, longest_ == 0 ? std::size_t{0} : longest_ - 1);
    // What starts in the kept end is found with the next buffer.
    in_memory(std::span(buffer).first(filled), [&](std::size_t number, std::uint64_t at) {
      if (n == 0 || at < filled - keep) found(number, offset + at);
    });
    if (n == 0) return total;
    total += static_cast<std::uint64_t>(n);
    std::memmove(buffer.data(), buffer.data() + filled - keep, keep);
    kept = keep;
  }
}

}  // namespace sosia::gallery

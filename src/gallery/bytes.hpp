#pragma once
// Little-endian bytes: what checksums are taken over and what cache files are made of.

#include "sosia/core/hash.hpp"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sosia::gallery {

static_assert(std::endian::native == std::endian::little, "files are little-endian");

inline std::span<const std::byte> as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text));
}
inline std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Appends numbers and sized byte strings, so that different fields never give the same bytes.
class ByteWriter {
 public:
  ByteWriter& number(std::uint64_t value) {
    const std::size_t at = bytes_.size();
    bytes_.resize(at + sizeof value);
    std::memcpy(bytes_.data() + at, &value, sizeof value);
    return *this;
  }
  ByteWriter& number(std::int64_t value) { return number(static_cast<std::uint64_t>(value)); }
  ByteWriter& number(double value) { return number(std::bit_cast<std::uint64_t>(value)); }
  template <class T>
  ByteWriter& number(const std::optional<T>& value) {
    number(std::uint64_t{value.has_value()});
    return value ? number(*value) : *this;
  }
  ByteWriter& bytes(std::span<const std::byte> value) {
    number(std::uint64_t{value.size()});
    bytes_.insert(bytes_.end(), value.begin(), value.end());
    return *this;
  }
  ByteWriter& text(std::string_view value) { return bytes(as_bytes(value)); }
  void clear() { bytes_.clear(); }
  std::span<const std::byte> view() const { return bytes_; }
  std::uint64_t hash() const { return xxh3_64(bytes_); }

 private:
  std::vector<std::byte> bytes_;
};

/// Bytes aligned to 64, as rows of a search matrix must be.
class AlignedBytes {
 public:
  AlignedBytes() = default;
  /// `size` bytes, not set. Throws std::bad_alloc.
  explicit AlignedBytes(std::size_t size) : size_(size) {
    if (size == 0) return;
    data_.reset(static_cast<std::byte*>(std::aligned_alloc(64, (size + 63) / 64 * 64)));
    if (!data_) throw std::bad_alloc();
  }
  std::byte* data() noexcept { return data_.get(); }
  const std::byte* data() const noexcept { return data_.get(); }
  std::size_t size() const noexcept { return size_; }
  std::span<const std::byte> view() const noexcept { return {data_.get(), size_}; }

 private:
  struct Free {
    void operator()(std::byte* p) const noexcept { std::free(p); }
  };
  std::unique_ptr<std::byte, Free> data_;
  std::size_t size_ = 0;
};

}  // namespace sosia::gallery

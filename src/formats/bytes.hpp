#pragma once
// Checked reading of little-endian binary data, and the errors that all readers of this room throw.

#include "sosia/core/error.hpp"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace sosia::formats {

static_assert(std::endian::native == std::endian::little,
              "the readers of this room take numbers from memory as they are in files");

[[noreturn]] inline void fail_corrupt(std::string_view origin, std::string message,
                                      std::string hint = {}) {
  throw Error(ErrorCode::corrupt_data, std::move(message), std::move(hint), std::string(origin));
}

[[noreturn]] inline void fail_unsupported(std::string_view origin, std::string message,
                                          std::string hint = {}) {
  throw Error(ErrorCode::unsupported, std::move(message), std::move(hint), std::string(origin));
}

[[noreturn]] inline void fail_cap(std::string_view origin, std::string message,
                                  std::string hint = {}) {
  throw Error(ErrorCode::out_of_memory, std::move(message), std::move(hint), std::string(origin));
}

/// a * b, or false when it does not fit in 63 bits (so that it is a valid signed size as well).
inline bool multiply_sizes(std::size_t a, std::size_t b, std::size_t& out) {
  return !__builtin_mul_overflow(a, b, &out) &&
         out <= static_cast<std::size_t>(std::numeric_limits<std::int64_t>::max());
}

inline bool add_sizes(std::size_t a, std::size_t b, std::size_t& out) {
  return !__builtin_add_overflow(a, b, &out) &&
         out <= static_cast<std::size_t>(std::numeric_limits<std::int64_t>::max());
}

template <class T>
T load_le(const std::byte* at) {
  T value;
  std::memcpy(&value, at, sizeof(T));
  return value;
}

template <class T>
void append_le(std::string& out, T value) {
  char raw[sizeof(T)];
  std::memcpy(raw, &value, sizeof(T));
  out.append(raw, sizeof(T));
}

inline std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

inline std::span<const std::byte> as_byte_span(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

/// A position in a buffer that cannot leave it.
class ByteCursor {
 public:
  ByteCursor(std::span<const std::byte> bytes, std::string_view origin)
      : bytes_(bytes), origin_(origin) {}

  std::size_t position() const { return position_; }
  std::size_t remaining() const { return bytes_.size() - position_; }
  std::string_view origin() const { return origin_; }
  std::span<const std::byte> rest() const { return bytes_.subspan(position_); }

  /// The next `n` bytes. `what` names them in the error ("the header").
  std::span<const std::byte> take(std::uint64_t n, std::string_view what) {
    if (n > remaining()) {
      fail_corrupt(origin_,
                   std::string(what) + " should take " + std::to_string(n) + " bytes at offset " +
                       std::to_string(position_) + ", but only " + std::to_string(remaining()) +
                       " are left",
                   "the file is damaged or was cut short");
    }
    const auto part = bytes_.subspan(position_, static_cast<std::size_t>(n));
    position_ += part.size();
    return part;
  }

  template <class T>
  T read(std::string_view what) {
    return load_le<T>(take(sizeof(T), what).data());
  }

  void seek(std::size_t position) {
    position_ = position < bytes_.size() ? position : bytes_.size();
  }

 private:
  std::span<const std::byte> bytes_;
  std::string_view origin_;
  std::size_t position_ = 0;
};

}  // namespace sosia::formats

#pragma once
// Encryption at rest: fields sealed with XChaCha20-Poly1305 by keys that are derived from the
// gallery's secret. Without a secret all of it is the identity.

#include "sosia/gallery/gallery.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sosia::gallery {

using Key = std::array<std::uint8_t, 32>;

/// Bytes from the system's generator.
Key random_key();
std::vector<std::byte> random_bytes(std::size_t size);

/// BLAKE2b of `bytes` with `key`, `size` bytes (16 to 64).
std::vector<std::byte> keyed_hash(std::span<const std::uint8_t> key,
                                  std::span<const std::byte> bytes, std::size_t size);

/// Where a sealed field belongs: part of what is authenticated, so that fields cannot be moved.
struct FieldPlace {
  std::string_view table = {};
  std::string_view column = {};
  std::int64_t row = 0;
};

/// Seals and opens fields, and hashes subjects for look-up. Thread-safety: const members may be
/// called from any thread.
class Sealer {
 public:
  /// Of a gallery in the clear: fields stay as they are. `gallery_id` keys the look-up hash.
  explicit Sealer(std::string_view gallery_id);
  /// Of an encrypted gallery.
  Sealer(std::string_view gallery_id, const Secret& secret);
  Sealer(const Sealer&) = default;
  Sealer& operator=(const Sealer&) = default;
  ~Sealer();

  bool encrypts() const noexcept { return encrypts_; }
  /// Nonce, ciphertext and tag; in the clear a copy.
  std::vector<std::byte> seal(const FieldPlace& place, std::span<const std::byte> plain) const;
  /// Throws corrupt_data when the bytes were altered, moved, or sealed with another key.
  std::vector<std::byte> open(const FieldPlace& place, std::span<const std::byte> sealed) const;
  /// Bytes that sealing adds.
  std::size_t overhead() const noexcept;
  /// 16 bytes that find a subject without showing it.
  std::vector<std::byte> lookup(std::string_view tenant, std::string_view label) const;

 private:
  bool encrypts_ = false;
  Key seal_key_{};
  Key lookup_key_{};
};

}  // namespace sosia::gallery

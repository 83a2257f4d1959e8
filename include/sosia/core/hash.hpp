#pragma once
// Checksums and digests. SHA-256 for identity (models, inputs), xxh3 for fast tables and caches,
// CRC32C for records inside files.

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace sosia {

using Sha256Digest = std::array<std::uint8_t, 32>;

/// Streaming SHA-256 (FIPS 180-4) by libsodium. Thread-safety: none; one object per thread.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  void update(std::span<const std::byte> bytes);
  /// The digest of everything so far. The object must not be used afterwards.
  Sha256Digest finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// SHA-256 of a text or buffer, as 64 lower-case hexadecimal digits.
std::string sha256_hex(std::span<const std::byte> bytes);
std::string sha256_hex(std::string_view text);

/// SHA-256 of a file's content, streamed. Throws not_found or io.
std::string sha256_file(const std::filesystem::path& path);

/// Lower-case hexadecimal of any bytes.
std::string to_hex(std::span<const std::uint8_t> bytes);

/// XXH3, 64 bits. Not cryptographic.
std::uint64_t xxh3_64(std::span<const std::byte> bytes, std::uint64_t seed = 0);
std::uint64_t xxh3_64(std::string_view text, std::uint64_t seed = 0);

/// CRC-32C (Castagnoli, reflected polynomial 0x82f63b78), continuing from `crc`. Start with 0.
/// Uses the SSE4.2 instruction where the processor has it; same result everywhere.
std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t crc = 0);

}  // namespace sosia

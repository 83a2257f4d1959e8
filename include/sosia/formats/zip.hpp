#pragma once
// ZIP archives (PKWARE APPNOTE 6.3.x) as npz files and PyTorch checkpoints use them: stored and
// deflated entries, ZIP64. No encryption, no spanning, nothing is ever extracted to disk.

#include "sosia/core/files.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sosia::formats {

/// One file of an archive.
struct ZipEntry {
  std::string name;  ///< as stored; may be any bytes, never used as a path here
  std::uint64_t compressed_bytes = 0;
  std::uint64_t bytes = 0;  ///< after decompression
  std::uint32_t crc32 = 0;
  std::uint16_t method = 0;       ///< 0 stored, 8 deflated
  std::uint64_t data_offset = 0;  ///< where the (compressed) content starts in the archive
};

/// Random access to the entries of an archive.
///
/// Checked at opening: all offsets and sizes, no two entries share bytes of the file (the trick of
/// most zip bombs), names are unique, no entry claims to expand beyond what deflate can (1032
/// times). Throws corrupt_data or unsupported (encryption, other methods, several disks).
/// Thread-safety: const members may be called concurrently.
class ZipReader {
 public:
  /// Decompressing more than this at once is refused: 8 GiB.
  static constexpr std::uint64_t kDefaultCapBytes = std::uint64_t{8} << 30;

  /// Maps the file. Throws not_found and io besides.
  explicit ZipReader(const std::filesystem::path& path, std::uint64_t cap_bytes = kDefaultCapBytes);
  /// Reads from a buffer that outlives the reader; `origin` names it in errors.
  ZipReader(std::span<const std::byte> bytes, std::string origin,
            std::uint64_t cap_bytes = kDefaultCapBytes);

  /// In the order of the central directory.
  const std::vector<ZipEntry>& entries() const noexcept { return entries_; }
  /// nullptr when there is no such entry.
  const ZipEntry* find(std::string_view name) const noexcept;

  /// The content, decompressed, its CRC-32 checked. Throws corrupt_data, or out_of_memory above the
  /// cap.
  std::vector<std::byte> read(const ZipEntry& entry) const;
  /// The content of a stored entry in place (no copy, CRC not checked). Throws unsupported when the
  /// entry is compressed.
  std::span<const std::byte> stored_view(const ZipEntry& entry) const;

 private:
  void parse();
  void check_overlaps() const;

  std::optional<MappedFile> mapped_;
  std::span<const std::byte> bytes_;
  std::string origin_;
  std::uint64_t cap_bytes_ = 0;
  std::vector<ZipEntry> entries_;
  std::vector<std::uint32_t> by_name_;  // indices into entries_, sorted by name
};

/// Writes an archive entry by entry. Same input, same bytes: time stamps are 1980-01-01. Entries of
/// 4 GiB or more, and more than 65,535 of them, are refused (unsupported).
class ZipWriter {
 public:
  /// Receives the bytes of the archive in order.
  using Sink = std::function<void(std::span<const std::byte>)>;
  explicit ZipWriter(Sink sink);

  void add(std::string_view name, std::span<const std::byte> content, bool deflate = false);
  /// Writes the central directory. Call once, last.
  void finish();

 private:
  Sink sink_;
  std::string directory_;
  std::uint64_t offset_ = 0;
  std::size_t count_ = 0;
};

}  // namespace sosia::formats

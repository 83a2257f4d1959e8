#pragma once
// The cache file beside a gallery: one block as it lies in memory, behind a header, with a checksum
// for every 4 MiB. It holds nothing that the store does not; whoever finds it damaged or of another
// gallery makes it anew.
//
//   0      header, 4096 bytes, see CacheHead; the rest zero
//   4096   columns (block.hpp), each at a multiple of 64
//   ...    checksums: one xxh3 for every kCachePiece bytes between the header and here

#include "gallery/block.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sosia::gallery {

inline constexpr std::size_t kCacheHeaderBytes = 4096;
inline constexpr std::size_t kCachePiece = std::size_t{1} << 22;
inline constexpr std::uint32_t kCacheVersion = 1;

/// What the header says of the content.
struct CacheHead {
  std::string gallery = {};  ///< id, 32 hexadecimal digits
  std::uint64_t generation = 0;
  std::int64_t next_template = 0, next_subject = 0;
  std::size_t dimension = 0;
  StoredType type = StoredType::f16;
};

/// A cache that was read.
struct Cache {
  CacheHead head = {};
  std::shared_ptr<const Block> block = {};
};

/// Where a column lies in a cache file, for overwriting and for tests.
struct ColumnPlace {
  std::uint64_t offset = 0, bytes = 0;
};

enum class CacheChecks : std::uint8_t {
  all,
  structure,  ///< no checksums: for the fuzzer, which cannot make them
};

/// A cache in memory; `owner` keeps `bytes` alive, which are aligned to 64. Throws corrupt_data, or
/// unsupported for another version.
Cache parse_cache(std::span<const std::byte> bytes, std::shared_ptr<const void> owner,
                  CacheChecks checks = CacheChecks::all);
/// Maps a cache file. Throws as `parse_cache`, and not_found or io.
Cache open_cache(const std::filesystem::path& path);

/// The parts of a file whose checksums are wrong, for `verify`: "rows", "labels", ... Empty when
/// all is well. Throws corrupt_data when the header cannot be read.
std::vector<std::string> damaged_parts(std::span<const std::byte> bytes);

/// The places of all columns. Throws corrupt_data.
std::array<ColumnPlace, kColumns> column_places(std::span<const std::byte> bytes);

/// Writes a cache file row by row; it appears whole or not at all.
class CacheWriter {
 public:
  CacheWriter(const std::filesystem::path& path, CacheHead head);
  ~CacheWriter();
  /// `vector` is in the stored type, with or without padding.
  void add(const BlockRow& row, std::span<const std::byte> vector);
  void add_hole(std::int64_t id);
  ColumnBuilder& columns() { return columns_; }
  void finish(const std::function<BlockSubject(std::int64_t)>& subject);

 private:
  struct Output;
  CacheHead head_;
  std::size_t stride_;
  ColumnBuilder columns_;
  std::vector<std::byte> row_;
  std::unique_ptr<Output> output_;
};

std::string_view column_name(Column column);

}  // namespace sosia::gallery

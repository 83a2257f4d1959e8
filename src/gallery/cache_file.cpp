#include "gallery/cache_file.hpp"

#include "gallery/system.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/hash.hpp"

#include <algorithm>
#include <cstring>
#include <optional>

namespace sosia::gallery {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kMagic = "SOSIACAC";

/// The header as it lies in the file; all of it little-endian, without gaps.
struct RawHead {
  char magic[8];
  std::uint32_t version;
  std::uint32_t type;
  char gallery[32];
  std::uint64_t generation;
  std::int64_t next_template, next_subject;
  std::uint64_t dimension;
  ColumnPlace columns[kColumns];
  ColumnPlace hashes;
  std::uint64_t hashes_hash;
  std::uint64_t head_hash;  ///< of everything before
};
static_assert(sizeof(RawHead) == 8 + 4 + 4 + 32 + 4 * 8 + (kColumns + 1) * 16 + 16);
static_assert(sizeof(RawHead) <= kCacheHeaderBytes);

std::uint64_t hash_of_head(const RawHead& head) {
  return xxh3_64(std::as_bytes(std::span(&head, 1)).first(offsetof(RawHead, head_hash)));
}

[[noreturn]] void damaged(std::string message) {
  throw Error(ErrorCode::corrupt_data, std::move(message),
              "delete the cache file: it is made anew from the gallery");
}

RawHead read_head(std::span<const std::byte> bytes, CacheChecks checks) {
  RawHead head;
  if (bytes.size() < kCacheHeaderBytes) damaged("the cache is shorter than its header");
  std::memcpy(&head, bytes.data(), sizeof head);
  if (std::string_view(head.magic, sizeof head.magic) != kMagic) damaged("this is no cache file");
  if (head.version != kCacheVersion) {
    throw Error(ErrorCode::unsupported, "the cache has version " + std::to_string(head.version) +
                                            "; this sosia reads version " +
                                            std::to_string(kCacheVersion));
  }
  if (checks == CacheChecks::all && head.head_hash != hash_of_head(head)) {
    damaged("the checksum of the cache's header is wrong");
  }
  if (head.type > 1 || head.dimension == 0 || head.dimension > 65536) {
    damaged("the cache's header holds nonsense");
  }
  std::uint64_t last = kCacheHeaderBytes;
  const auto place = [&](const ColumnPlace& column) {
    if (column.offset % 64 != 0 || column.offset < last || column.offset > bytes.size() ||
        column.bytes > bytes.size() - column.offset) {
      damaged("a column leads outside of the cache");
    }
    last = column.offset + column.bytes;
  };
  for (const ColumnPlace& column : head.columns) place(column);
  place(head.hashes);
  if (last != bytes.size()) damaged("the cache is longer or shorter than its header says");
  return head;
}

std::size_t pieces(std::uint64_t data_bytes) {
  return static_cast<std::size_t>((data_bytes + kCachePiece - 1) / kCachePiece);
}

/// The pieces of the data whose checksums are wrong.
std::vector<std::size_t> wrong_pieces(const RawHead& head, std::span<const std::byte> bytes,
                                      bool first_only) {
  const auto hashes = bytes.subspan(head.hashes.offset, head.hashes.bytes);
  const auto data = bytes.subspan(kCacheHeaderBytes, head.hashes.offset - kCacheHeaderBytes);
  if (hashes.size() != pieces(data.size()) * sizeof(std::uint64_t) ||
      xxh3_64(hashes) != head.hashes_hash) {
    damaged("the checksums of the cache are damaged themselves");
  }
  std::vector<std::size_t> wrong;
  for (std::size_t i = 0; i * kCachePiece < data.size(); ++i) {
    const std::size_t size = std::min(kCachePiece, data.size() - i * kCachePiece);
    std::uint64_t expected = 0;
    std::memcpy(&expected, hashes.data() + i * sizeof expected, sizeof expected);
    if (xxh3_64(data.subspan(i * kCachePiece, size)) != expected) {
      wrong.push_back(i);
      if (first_only) break;
    }
  }
  return wrong;
}

bool all_zero(std::span<const std::byte> bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; });
}

}  // namespace

Cache parse_cache(std::span<const std::byte> bytes, std::shared_ptr<const void> owner,
                  CacheChecks checks) {
  const RawHead head = read_head(bytes, checks);
  if (checks == CacheChecks::all) {
    if (!all_zero(bytes.subspan(sizeof head, kCacheHeaderBytes - sizeof head))) {
      damaged("the rest of the cache's header is not empty");
    }
    const auto wrong = wrong_pieces(head, bytes, true);
    if (!wrong.empty()) {
      damaged("a checksum of the cache is wrong, behind byte " +
              std::to_string(kCacheHeaderBytes + wrong[0] * kCachePiece));
    }
  }
  ColumnViews views;
  for (std::size_t i = 0; i < kColumns; ++i) {
    views[i] = bytes.subspan(head.columns[i].offset, head.columns[i].bytes);
  }
  Cache cache;
  cache.head.gallery.assign(head.gallery, sizeof head.gallery);
  cache.head.generation = head.generation;
  cache.head.next_template = head.next_template;
  cache.head.next_subject = head.next_subject;
  cache.head.dimension = head.dimension;
  cache.head.type = head.type == 0 ? StoredType::f16 : StoredType::f32;
  cache.block =
      std::make_shared<const Block>(cache.head.dimension, cache.head.type, views, std::move(owner));
  return cache;
}

Cache open_cache(const fs::path& path) {
  auto file = std::make_shared<MappedFile>(path);
  return parse_cache(file->bytes(), file);
}

std::vector<std::string> damaged_parts(std::span<const std::byte> bytes) {
  const RawHead head = read_head(bytes, CacheChecks::all);
  std::vector<std::string> parts;
  if (!all_zero(bytes.subspan(sizeof head, kCacheHeaderBytes - sizeof head))) {
    parts.emplace_back("header");
  }
  const auto wrong = wrong_pieces(head, bytes, false);
  for (std::size_t i = 0; i < kColumns; ++i) {
    const std::uint64_t first = head.columns[i].offset, end = first + head.columns[i].bytes;
    const bool hit = std::any_of(wrong.begin(), wrong.end(), [&](std::size_t piece) {
      const std::uint64_t from = kCacheHeaderBytes + piece * kCachePiece;
      return from < end && first < from + kCachePiece;
    });
    if (hit && end > first) parts.emplace_back(column_name(static_cast<Column>(i)));
  }
  return parts;
}

std::array<ColumnPlace, kColumns> column_places(std::span<const std::byte> bytes) {
  const RawHead head = read_head(bytes, CacheChecks::structure);
  std::array<ColumnPlace, kColumns> places;
  std::copy(std::begin(head.columns), std::end(head.columns), places.begin());
  return places;
}

std::string_view column_name(Column column) {
  static constexpr std::array<std::string_view, kColumns> kNames = {
      "rows",
      "ids",
      "subjects",
      "cameras",
      "times",
      "checksums",
      "subject ids",
      "subject checksums",
      "subject tenants",
      "subject row starts",
      "subject rows",
      "label starts",
      "labels",
      "tenant starts",
      "tenants",
      "camera starts",
      "camera names",
      "centroid subjects",
      "centroid counts",
      "centroid checksums",
      "centroid sums",
  };
  return kNames[static_cast<std::size_t>(column)];
}

// --- writing ---

/// Bytes on their way to the file, hashed piece by piece.
struct CacheWriter::Output {
  explicit Output(const fs::path& path) : file(path, Overwrite::replace) {
    buffer.reserve(kCachePiece);
    file.write(std::span<const std::byte>(std::vector<std::byte>(kCacheHeaderBytes)));
  }

  void write(std::span<const std::byte> bytes) {
    while (!bytes.empty()) {
      const std::size_t step = std::min(bytes.size(), kCachePiece - buffer.size());
      buffer.insert(buffer.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(step));
      bytes = bytes.subspan(step);
      offset += step;
      if (buffer.size() == kCachePiece) flush_piece();
    }
  }
  void flush_piece() {
    if (buffer.empty()) return;
    hashes.push_back(xxh3_64(buffer));
    file.write(std::span<const std::byte>(buffer));
    buffer.clear();
  }
  void align() {
    static constexpr std::array<std::byte, 64> kZeros{};
    write(std::span(kZeros).first((64 - offset % 64) % 64));
  }

  AtomicFile file;
  std::vector<std::byte> buffer;
  std::vector<std::uint64_t> hashes;
  std::uint64_t offset = kCacheHeaderBytes;
};

CacheWriter::CacheWriter(const fs::path& path, CacheHead head)
    : head_(std::move(head)),
      stride_(row_stride_bytes(head_.dimension, head_.type)),
      columns_(head_.dimension),
      row_(stride_),
      output_(std::make_unique<Output>(path)) {}

CacheWriter::~CacheWriter() = default;

void CacheWriter::add(const BlockRow& row, std::span<const std::byte> vector) {
  const std::size_t used = std::min(vector.size(), stride_);
  std::memcpy(row_.data(), vector.data(), used);
  std::memset(row_.data() + used, 0, stride_ - used);
  output_->write(row_);
  columns_.add(row);
}

void CacheWriter::add_hole(std::int64_t id) {
  std::memset(row_.data(), 0, stride_);
  output_->write(row_);
  columns_.add_hole(id);
}

void CacheWriter::finish(const std::function<BlockSubject(std::int64_t)>& subject) {
  RawHead head{};
  std::memcpy(head.magic, kMagic.data(), kMagic.size());
  head.version = kCacheVersion;
  head.type = head_.type == StoredType::f16 ? 0 : 1;
  std::memcpy(head.gallery, head_.gallery.data(),
              std::min(head_.gallery.size(), sizeof head.gallery));
  head.generation = head_.generation;
  head.next_template = head_.next_template;
  head.next_subject = head_.next_subject;
  head.dimension = head_.dimension;
  head.columns[0] = {kCacheHeaderBytes, output_->offset - kCacheHeaderBytes};
  const auto columns = columns_.finish(subject);
  for (std::size_t i = 1; i < kColumns; ++i) {
    output_->align();
    head.columns[i] = {output_->offset, columns[i].size()};
    output_->write(columns[i]);
  }
  output_->align();
  output_->flush_piece();
  const auto hashes = std::as_bytes(std::span<const std::uint64_t>(output_->hashes));
  head.hashes = {output_->offset, hashes.size()};
  head.hashes_hash = xxh3_64(hashes);
  head.head_hash = hash_of_head(head);
  output_->file.write(hashes);
  const fs::path temporary = output_->file.temporary_path();
  write_at(open_in_place(temporary), 0, std::as_bytes(std::span(&head, 1)), temporary);
  output_->file.commit();
}

}  // namespace sosia::gallery

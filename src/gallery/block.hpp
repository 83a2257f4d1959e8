#pragma once
// A block: rows of the search matrix with what is needed to filter, group and name them. It is a
// view of columns that lie in a mapped cache file or in memory; it never changes.

#include "gallery/bytes.hpp"
#include "gallery/matrix.hpp"
#include "sosia/core/files.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace sosia::gallery {

/// The columns of a block, in the order of the cache file. `n` rows, `s` subjects, `c` centroids.
enum class Column : std::uint32_t {
  rows,                ///< n x stride bytes
  ids,                 ///< n x i64: template ids, rising; ~id where a row was removed
  subjects,            ///< n x u32: number of the row's subject in this block
  cameras,             ///< n x u32: number of the row's camera in this block
  times,               ///< n x i64: milliseconds, kNoTime
  checksums,           ///< n x u64: of the store's rows
  subject_ids,         ///< s x i64, rising
  subject_checksums,   ///< s x u64
  subject_tenants,     ///< s x u32: number of the tenant
  subject_row_starts,  ///< (s + 1) x u32: where the subject's rows start in subject_rows
  subject_rows,        ///< rows that are no holes, by subject, rising
  label_starts,        ///< (s + 1) x u64
  labels,              ///< bytes
  tenant_starts,       ///< (tenants + 1) x u64
  tenants,             ///< bytes
  camera_starts,       ///< (cameras + 1) x u64
  cameras_text,        ///< bytes
  centroid_subjects,   ///< c x u32: number of the subject, rising
  centroid_counts,     ///< c x i64
  centroid_checksums,  ///< c x u64
  centroid_sums,       ///< c x dimension x f32
  count,
};
inline constexpr std::size_t kColumns = static_cast<std::size_t>(Column::count);

/// A removed row that keeps its place, because an index numbers the rows, has ~id for its id.
constexpr bool is_hole(std::int64_t id) {
  return id < 0;
}
constexpr std::int64_t original_id(std::int64_t id) {
  return id < 0 ? ~id : id;
}
/// xxh3 of the ids of rows, the same whether they were removed or not.
std::uint64_t hash_of_ids(std::span<const std::int64_t> ids);

inline constexpr std::uint32_t kNoSubject = 0xffffffff;
inline constexpr std::int64_t kNoTime = INT64_MIN;

using ColumnViews = std::array<std::span<const std::byte>, kColumns>;

/// Texts one behind the other with the places where they start.
struct TextTable {
  std::span<const std::uint64_t> starts = {};
  std::span<const std::byte> bytes = {};
  std::size_t size() const { return starts.empty() ? 0 : starts.size() - 1; }
  std::string_view operator[](std::size_t i) const {
    return as_text(bytes.subspan(starts[i], starts[i + 1] - starts[i]));
  }
};

/// Owner of columns in memory.
struct OwnedColumns {
  AlignedBytes rows = {};
  std::array<std::vector<std::byte>, kColumns> others = {};  ///< all but `rows`
};

class Block {
 public:
  /// Takes columns that lie in `file` or `owned` (or elsewhere, for tests) and checks that they fit
  /// together: no number in them leads outside. Throws corrupt_data.
  Block(std::size_t dimension, StoredType type, const ColumnViews& columns,
        std::shared_ptr<const void> owner);

  Rows rows() const { return rows_; }
  std::size_t size() const { return ids.size(); }
  /// Rows that are no holes.
  std::size_t live() const { return subject_rows.size(); }
  /// The row of a template.
  std::optional<std::uint32_t> find_row(std::int64_t id) const;
  /// Number of a subject by its id in the store.
  std::optional<std::uint32_t> find_subject(std::int64_t id) const;
  std::span<const std::uint32_t> rows_of(std::uint32_t subject) const {
    const std::uint32_t first = subject_row_starts[subject];
    return subject_rows.subspan(first, subject_row_starts[subject + 1] - first);
  }
  std::string_view label(std::uint32_t subject) const { return labels[subject]; }
  std::string_view tenant(std::uint32_t subject) const { return tenants[subject_tenants[subject]]; }
  /// Index in the centroid columns.
  std::optional<std::size_t> find_centroid(std::uint32_t subject) const;
  std::span<const float> centroid_sum(std::size_t index) const {
    return centroid_sums.subspan(index * rows_.dimension, rows_.dimension);
  }
  /// The int8 codes of the rows, made on first use. Thread-safe.
  const Prefilter& prefilter(RunContext& run) const;

  std::span<const std::int64_t> ids;
  std::span<const std::uint32_t> subjects, cameras;
  std::span<const std::int64_t> times;
  std::span<const std::uint64_t> checksums;
  std::span<const std::int64_t> subject_ids;
  std::span<const std::uint64_t> subject_checksums;
  std::span<const std::uint32_t> subject_tenants, subject_row_starts, subject_rows;
  TextTable labels, tenants, camera_names;
  std::span<const std::uint32_t> centroid_subjects;
  std::span<const std::int64_t> centroid_counts;
  std::span<const std::uint64_t> centroid_checksums;
  std::span<const float> centroid_sums;

 private:
  void check_rows() const;
  void check_subjects() const;
  void check_texts(const TextTable& table, std::string_view what) const;

  Rows rows_;
  std::shared_ptr<const void> owner_;
  mutable std::mutex prefilter_mutex_;
  mutable std::optional<Prefilter> prefilter_;
};

/// What a block knows of one row.
struct BlockRow {
  std::int64_t id = 0;
  std::int64_t subject = 0;  ///< id in the store
  std::string_view camera = {};
  std::int64_t time_ms = kNoTime;
  std::uint64_t checksum = 0;
};

/// What a block knows of one subject.
struct BlockSubject {
  std::string tenant = {}, label = {};
  std::uint64_t checksum = 0;
};

/// Collects the columns of a block but for its rows, which may be too many for the memory.
class ColumnBuilder {
 public:
  explicit ColumnBuilder(std::size_t dimension) : dimension_(dimension) {}

  void reserve(std::size_t rows);
  /// Rows come with rising ids.
  void add(const BlockRow& row);
  /// The place of a row that was removed.
  void add_hole(std::int64_t id);
  void add_centroid(std::int64_t subject, std::span<const float> sum, std::int64_t count,
                    std::uint64_t checksum);
  std::size_t size() const { return ids_.size(); }
  /// Ids of the subjects of all rows, rising.
  std::vector<std::int64_t> subject_ids() const;
  /// The columns. `subject` is called once for each subject, in order of id. Call once.
  std::array<std::vector<std::byte>, kColumns> finish(
      const std::function<BlockSubject(std::int64_t)>& subject);

 private:
  std::size_t dimension_;
  std::vector<std::int64_t> ids_, row_subjects_, times_;
  std::vector<std::uint32_t> cameras_;
  std::vector<std::uint64_t> checksums_;
  std::vector<std::string> camera_names_;
  std::unordered_map<std::string, std::uint32_t> camera_numbers_;
  std::vector<std::int64_t> centroid_subjects_, centroid_counts_;
  std::vector<std::uint64_t> centroid_checksums_;
  std::vector<float> centroid_sums_;
};

/// Makes a block in memory.
class BlockBuilder {
 public:
  BlockBuilder(std::size_t dimension, StoredType type, std::size_t expected_rows);
  /// `vector` is in the stored type, with or without padding.
  void add(const BlockRow& row, std::span<const std::byte> vector);
  ColumnBuilder& columns() { return columns_; }
  std::shared_ptr<const Block> finish(const std::function<BlockSubject(std::int64_t)>& subject);

 private:
  std::size_t dimension_;
  StoredType type_;
  std::size_t stride_;
  AlignedBytes rows_;
  ColumnBuilder columns_;
};

}  // namespace sosia::gallery

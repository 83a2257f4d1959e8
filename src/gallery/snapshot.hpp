#pragma once
// What a gallery held at one generation, in memory: a large block (the cache) and small ones for
// what came after it, with the rows that were removed since. Never changes; searches share it.

#include "gallery/block.hpp"
#include "gallery/cache_file.hpp"
#include "gallery/store.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sosia::gallery {

/// A block and which of its rows still count.
struct Part {
  std::shared_ptr<const Block> block = {};
  std::shared_ptr<const RowMask> alive = {};  ///< null: all
  std::size_t live = 0;
  bool counts(std::size_t row) const { return !alive || alive->test(row); }
};

struct Snapshot {
  std::string gallery = {};
  std::uint64_t generation = 0;
  std::int64_t next_template = 0, next_subject = 0;
  std::vector<Part> parts = {};  ///< ids of a part are above all ids of the part before
  Tally templates = {}, subjects = {}, centroids = {};
  /// Centroids that changed after the first part was made.
  std::map<std::int64_t, std::shared_ptr<const CentroidRow>> changed_centroids = {};

  /// Rows outside of the first part, and removed ones.
  std::size_t loose() const;
  /// Whether counts and digests are the store's.
  bool matches(const State& state) const;
  /// What was given up for others of a subject; nullptr sum when nothing was.
  struct Centroid {
    std::span<const float> sum = {};
    std::int64_t count = 0;
  };
  Centroid dropped_sum(std::int64_t subject) const;
  /// The subject has a row that counts.
  bool subject_alive(std::int64_t subject) const;
};

/// How many loose rows a snapshot may have before the cache is made anew.
std::size_t loose_limit(std::size_t base_rows);

/// The snapshot of one block.
std::shared_ptr<const Snapshot> snapshot_of(const Cache& cache);

/// `base` brought up to `state` by reading only what changed since. Null when that cannot be done
/// or does not add up, or would leave too many loose rows. To be called inside a transaction.
std::shared_ptr<const Snapshot> extend(const Snapshot& base, Store& store, const State& state);

/// Reads the whole store into one block in memory. Throws corrupt_data when counts or digests are
/// not the state's. To be called inside a transaction.
Cache read_store(Store& store, const State& state);

/// The same into a cache file. `layout` are the ids of the rows of an older cache whose places
/// shall be kept, removed ones among them; empty: rows stand close.
void write_store(Store& store, const State& state, const std::filesystem::path& path,
                 std::span<const std::int64_t> layout);

}  // namespace sosia::gallery

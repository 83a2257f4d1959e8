// Compaction of the local gallery, and the graph index.

#include "gallery/bytes.hpp"
#include "gallery/local_gallery.hpp"
#include "sosia/core/hash.hpp"
#include "sosia/core/value.hpp"

#include <algorithm>

namespace sosia::gallery {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kMeasuredK[] = {1, 10, 100};
constexpr std::int64_t kLockTimeoutMs = 600'000;

std::uint64_t total_bytes(const GalleryPaths& paths) {
  std::uint64_t total = 0;
  for (const fs::path& path : paths.existing()) {
    std::error_code failed;
    const auto bytes = fs::file_size(path, failed);
    if (!failed) total += bytes;
  }
  return total;
}

}  // namespace

Gallery::Compacted LocalGallery::compact(IndexChoice choice, double recall, RunContext& run) {
  run.check_cancelled();
  const std::lock_guard lock(write_mutex_);
  Store& store = writer();
  const LockFile cache_lock = LockFile::wait(paths_.cache_lock, options_.who, kLockTimeoutMs);
  Compacted result;
  result.bytes_before = total_bytes(paths_);
  for (const fs::path& path : paths_.left_over()) wipe_file(path);
  {
    // Without the old index the new cache needs no holes.
    Change change(store, options_.who.empty() ? "compact" : options_.who);
    store.write_index(std::nullopt);
    change.audit(nullptr, "");
    change.commit();
  }
  wipe_file(paths_.index);
  run.progress("rewriting the file", 0, 1);
  // SQLite's own rewriting, not a new file under the old name: it is atomic through the journal and
  // safe for readers of other processes, which keep their connections.
  vacuum();
  std::shared_ptr<const Snapshot> snapshot;
  {
    const std::lock_guard read_lock(read_mutex_);
    const std::vector<std::int64_t> close = {};
    snapshot = rebuild(&close);
    seen_version_ = -1;
    remember(snapshot);
  }
  const auto& block = snapshot->parts[0].block;
  const bool graph =
      choice == IndexChoice::graph || (choice == IndexChoice::automatic &&
                                       GraphIndex::available() && block->size() >= kGraphLeastRows);
  result.index = "none";
  if (graph && block->size() > 0 && !store.fixed().encrypted && options_.write_cache) {
    GraphIndex index = GraphIndex::build(block->rows(), {}, run);
    IndexRow row;
    row.rows = static_cast<std::int64_t>(block->size());
    row.ids_hash = hash_of_ids(block->ids);
    for (const std::size_t k : kMeasuredK) {
      if (k <= block->size()) index.measure(block->rows(), k, run);
    }
    for (const auto& measured : index.measured()) {
      if (measured.k != std::min<std::size_t>(10, block->size())) continue;
      row.recall_probes = static_cast<std::int64_t>(measured.probes);
      row.recall = measured.recall;
      if (measured.recall >= recall) break;
    }
    AtomicFile file(paths_.index, Overwrite::replace);
    index.save(file.temporary_path().string());
    file.commit();
    row.file_hash = xxh3_64(MappedFile(paths_.index).bytes());
    sqlite::Transaction transaction(store.connection(), sqlite::Transaction::Kind::write);
    store.write_index(row);
    transaction.commit();
    checkpoint();
    result.recall = row.recall;
    result.recall_probes = static_cast<std::size_t>(row.recall_probes);
    result.index = "graph";
    const std::lock_guard read_lock(read_mutex_);
    index_tried_ = false;
  }
  result.bytes_after = total_bytes(paths_);
  return result;
}

}  // namespace sosia::gallery

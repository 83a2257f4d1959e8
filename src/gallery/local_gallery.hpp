#pragma once
// The engine on this machine: a store, its cache and its index.

#include "gallery/change.hpp"
#include "gallery/matrix.hpp"
#include "gallery/snapshot.hpp"
#include "gallery/system.hpp"
#include "sosia/gallery/gallery.hpp"

#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sosia::gallery {

/// A graph index is built and used from so many templates on; below, a scan is as fast.
inline constexpr std::size_t kGraphLeastRows = 50'000;

/// The files of a gallery.
struct GalleryPaths {
  explicit GalleryPaths(const std::string& place);
  std::filesystem::path store, journal, journal_index, cache, index, lock, cache_lock;
  /// Those that exist and may hold enrolled bytes, left-over temporary files included.
  std::vector<std::filesystem::path> existing() const;
  /// Temporary files that a killed process left behind.
  std::vector<std::filesystem::path> left_over() const;
};

/// Vector in the stored type, without padding, to floats; and back.
void unpack_vector(std::span<const std::byte> stored, StoredType type, std::span<float> out);
std::vector<std::byte> pack_vector(std::span<const float> unit, StoredType type);

/// A graph index and the cache rows that it belongs to.
struct LoadedIndex {
  std::shared_ptr<const Block> block = {};
  std::shared_ptr<const GraphIndex> graph = {};
  IndexRow row = {};
};

class LocalGallery final : public Gallery {
 public:
  LocalGallery(const std::string& place, const OpenOptions& options);
  ~LocalGallery() override;

  GalleryInfo info() override;
  AddReport add(std::span<const Template> batch, const std::string& model,
                RunContext& run) override;
  SearchAnswer search(const SearchRequest& request, RunContext& run) override;
  void scan(const Filter& filter, const std::function<bool(const StoredTemplate&)>& each,
            RunContext& run) override;
  ForgetReport forget(std::string_view label, std::string_view tenant, RunContext& run) override;
  ForgetReport forget_before(std::int64_t before_ms, RunContext& run) override;
  std::vector<Damage> verify(RunContext& run) override;
  Compacted compact(IndexChoice index, double recall, RunContext& run) override;
  std::optional<Calibration> calibration() override;
  void set_calibration(const Calibration& calibration, RunContext& run) override;
  std::vector<AuditEntry> audit() override;

 private:
  /// The writer's connection. Throws conflict when the gallery was opened for reading.
  Store& writer();
  /// The state of the last acknowledged change, in memory.
  std::shared_ptr<const Snapshot> refresh();
  std::shared_ptr<const Snapshot> first_snapshot(Store& store, const State& state);
  /// Makes block and cache anew. A caller that gives the layout holds the cache's lock.
  std::shared_ptr<const Snapshot> rebuild(const std::vector<std::int64_t>* layout);
  std::shared_ptr<const Snapshot> rebuild_file(Store& store,
                                               const std::vector<std::int64_t>& layout);
  std::shared_ptr<const Snapshot> rebuild_memory(Store& store);
  /// Ids of the cache's rows that an index numbers; empty without one.
  std::vector<std::int64_t> layout_of_index(Store& store);
  void remember(std::shared_ptr<const Snapshot> snapshot);
  /// The index when it fits the snapshot, else null. Loads it on first use.
  std::shared_ptr<const LoadedIndex> index_for(const Snapshot& snapshot);

  AddReport add_rows(std::span<const Template> batch, const std::string& model, RunContext& run);
  SearchAnswer search_in(const Snapshot& snapshot, const SearchRequest& request,
                         std::span<const float> probes, RunContext& run);

  struct Forgotten;
  ForgetReport finish_erasing(Forgotten& forgotten, RunContext& run);
  void erase_in_index(const Forgotten& forgotten);
  std::shared_ptr<const Snapshot> replace_cache(const Forgotten& forgotten);
  void leave_out_shared(Forgotten& forgotten, const Snapshot& snapshot);
  void prove_gone(Forgotten& forgotten, ForgetReport& report, RunContext& run);
  void checkpoint();
  void vacuum();
  void complete_erasure();

  void verify_store(std::vector<Damage>& found, RunContext& run);
  void verify_cache(std::vector<Damage>& found, RunContext& run);
  void verify_index(std::vector<Damage>& found);

  GalleryPaths paths_;
  OpenOptions options_;
  std::optional<LockFile> lock_;

  std::mutex write_mutex_;
  std::unique_ptr<Store> writer_;

  std::mutex read_mutex_;
  std::unique_ptr<Store> reader_;
  std::optional<FileIdentity> identity_;
  std::int64_t seen_version_ = -1;
  std::shared_ptr<const Snapshot> snapshot_;
  std::shared_ptr<const LoadedIndex> index_;
  bool index_tried_ = false;
  std::string note_;
};

}  // namespace sosia::gallery

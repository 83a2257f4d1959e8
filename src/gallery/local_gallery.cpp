#include "gallery/local_gallery.hpp"

#include "gallery/bytes.hpp"
#include "gallery/filter.hpp"
#include "sosia/core/hash.hpp"
#include "sosia/core/report.hpp"
#include "sosia/core/text.hpp"
#include "sosia/core/value.hpp"
#include "sosia/formats/array.hpp"

#include <algorithm>
#include <cstring>
#include <map>

namespace sosia::gallery {

namespace fs = std::filesystem;

GalleryPaths::GalleryPaths(const std::string& place) {
  // Through symbolic links, so that one gallery has one lock and one cache.
  std::error_code failed;
  store = fs::weakly_canonical(fs::absolute(place), failed);
  if (failed) store = fs::absolute(place);
  const auto beside = [&](const char* suffix) { return fs::path(store.string() + suffix); };
  journal = beside("-wal");
  journal_index = beside("-shm");
  cache = beside(".cache");
  index = beside(".index");
  lock = beside(".lock");
  cache_lock = beside(".cache.lock");
}

std::vector<fs::path> GalleryPaths::left_over() const {
  std::vector<fs::path> files;
  std::error_code failed;
  const std::string name = store.filename().string();
  for (const auto& entry : fs::directory_iterator(store.parent_path(), failed)) {
    const std::string other = entry.path().filename().string();
    for (const char* suffix : {".cache", ".index"}) {
      if (other.starts_with("." + name + suffix + ".tmp-")) files.push_back(entry.path());
    }
  }
  return files;
}

std::vector<fs::path> GalleryPaths::existing() const {
  std::vector<fs::path> files;
  std::error_code failed;
  for (const fs::path* path : {&store, &journal, &journal_index, &cache, &index}) {
    if (fs::is_regular_file(*path, failed)) files.push_back(*path);
  }
  for (const fs::path& path : left_over()) files.push_back(path);
  return files;
}

void unpack_vector(std::span<const std::byte> stored, StoredType type, std::span<float> out) {
  if (type == StoredType::f32) {
    std::memcpy(out.data(), stored.data(), out.size() * sizeof(float));
    return;
  }
  for (std::size_t i = 0; i < out.size(); ++i) {
    std::uint16_t half = 0;
    std::memcpy(&half, stored.data() + 2 * i, sizeof half);
    out[i] = formats::half_to_float(half);
  }
}

std::vector<std::byte> pack_vector(std::span<const float> unit, StoredType type) {
  const std::size_t stride = row_stride_bytes(unit.size(), type);
  AlignedBytes row(stride);
  store_row(unit, type, row.data());
  const std::size_t used = unit.size() * (type == StoredType::f16 ? 2 : 4);
  return {row.data(), row.data() + used};
}

LocalGallery::LocalGallery(const std::string& place, const OpenOptions& options)
    : paths_(place), options_(options) {
  // Whether it is a gallery at all comes first: a lock beside a foreign file helps nobody.
  reader_ = std::make_unique<Store>(paths_.store, Store::Access::read, options.secret);
  identity_ = file_identity(paths_.store);
  if (options.access == Access::write) {
    lock_.emplace(LockFile::acquire(paths_.lock, options.who));
    writer_ = std::make_unique<Store>(paths_.store, Store::Access::write, options.secret);
    sqlite::Transaction transaction(writer_->connection(), sqlite::Transaction::Kind::read);
    const bool unfinished = writer_->read_state().erasing;
    transaction.commit();
    if (unfinished) complete_erasure();
  } else {
    sqlite::Transaction transaction(reader_->connection(), sqlite::Transaction::Kind::read);
    (void)reader_->read_state();
    transaction.commit();
  }
}

LocalGallery::~LocalGallery() {
  if (!writer_) return;
  try {
    // So that the one file is all there is to copy.
    writer_->connection().execute("PRAGMA busy_timeout=0; PRAGMA wal_checkpoint(TRUNCATE)");
  } catch (...) {
    // A reader is in the way, or the disk is full: the journal keeps what it holds.
  }
}

Store& LocalGallery::writer() {
  if (!writer_) {
    throw Error(ErrorCode::invalid_argument, "the gallery was opened for reading only");
  }
  return *writer_;
}

GalleryInfo LocalGallery::info() {
  GalleryInfo info;
  std::shared_ptr<const Snapshot> snapshot;
  {
    const std::lock_guard lock(read_mutex_);
    sqlite::Transaction transaction(reader_->connection(), sqlite::Transaction::Kind::read);
    const State state = reader_->read_state();
    const auto index = reader_->read_index();
    transaction.commit();
    const FixedInfo& fixed = reader_->fixed();
    info = {.place = paths_.store.string(),
            .engine = "file",
            .id = fixed.id,
            .dimension = fixed.dimension,
            .type = fixed.type,
            .model = state.model,
            .max_templates = fixed.max_templates,
            .min_quality = fixed.min_quality,
            .encrypted = fixed.encrypted,
            .subjects = state.subjects.rows,
            .templates = state.templates.rows,
            .generation = state.generation};
    info.index = "none";
    std::error_code failed;
    if (index && fs::exists(paths_.index, failed)) {
      info.index = "graph over " + std::to_string(index->rows) + " templates, measured recall " +
                   format_figure(Value(index->recall));
    }
  }
  for (const fs::path& path : paths_.existing()) {
    std::error_code failed;
    const auto bytes = fs::file_size(path, failed);
    if (!failed) info.bytes += bytes;
  }
  return info;
}

// --- the snapshot ---

void LocalGallery::remember(std::shared_ptr<const Snapshot> snapshot) {
  if (!snapshot_ || snapshot_->parts.empty() ||
      snapshot->parts[0].block != snapshot_->parts[0].block) {
    index_.reset();
    index_tried_ = false;
  }
  snapshot_ = std::move(snapshot);
}

std::shared_ptr<const Snapshot> LocalGallery::refresh() {
  const std::lock_guard lock(read_mutex_);
  if (file_identity(paths_.store) != identity_) {
    throw Error(ErrorCode::conflict, "the gallery was replaced by another file", "open it again",
                paths_.store.string());
  }
  const std::int64_t version = reader_->data_version();
  if (snapshot_ && version == seen_version_) return snapshot_;
  {
    sqlite::Transaction transaction(reader_->connection(), sqlite::Transaction::Kind::read);
    const State state = reader_->read_state();
    std::shared_ptr<const Snapshot> next = snapshot_;
    if (!next) {
      next = first_snapshot(*reader_, state);
    } else if (next->generation != state.generation) {
      next = extend(*next, *reader_, state);
    }
    transaction.commit();
    if (next) {
      remember(next);
      seen_version_ = version;
      return snapshot_;
    }
  }
  remember(rebuild(nullptr));
  seen_version_ = version;
  return snapshot_;
}

std::shared_ptr<const Snapshot> LocalGallery::first_snapshot(Store& store, const State& state) {
  std::error_code failed;
  if (store.fixed().encrypted || !fs::exists(paths_.cache, failed)) return nullptr;
  try {
    const Cache cache = open_cache(paths_.cache);
    if (cache.head.gallery != store.fixed().id || cache.head.dimension != store.fixed().dimension ||
        cache.head.type != store.fixed().type) {
      return nullptr;
    }
    auto snapshot = snapshot_of(cache);
    if (snapshot->matches(state)) return snapshot;
    return extend(*snapshot, store, state);
  } catch (const Error& error) {
    // The store itself may be what is damaged; the rebuild that follows finds out.
    note_ = "the cache was not used: " + error.message();
    return nullptr;
  }
}

std::shared_ptr<const Snapshot> LocalGallery::rebuild(const std::vector<std::int64_t>* layout) {
  const bool locked = layout != nullptr;
  Store& store = *reader_;
  const bool may_write = options_.write_cache && !store.fixed().encrypted;
  if (!may_write) return rebuild_memory(store);
  // Whoever writes the cache holds its lock from before it reads the store until the file is in
  // place: so nobody brings back rows that a forget has removed meanwhile.
  const std::optional<LockFile> lock =
      locked ? std::nullopt : LockFile::try_acquire(paths_.cache_lock, options_.who);
  if (!locked && !lock) return rebuild_memory(store);
  try {
    return rebuild_file(store, locked ? *layout : layout_of_index(store));
  } catch (const Error& error) {
    if (error.code() != ErrorCode::io && error.code() != ErrorCode::not_found) throw;
    note_ = "the cache could not be written: " + error.message();
  }
  return rebuild_memory(store);
}

std::vector<std::int64_t> LocalGallery::layout_of_index(Store& store) {
  // An index numbers the rows of the cache. While there is one, forgotten rows leave holes, so that
  // the numbers stay right.
  std::error_code failed;
  const auto row = store.read_index();
  if (!row || !fs::exists(paths_.index, failed) || !fs::exists(paths_.cache, failed)) return {};
  try {
    const Cache cache = open_cache(paths_.cache);
    if (cache.head.gallery != store.fixed().id ||
        cache.block->size() < static_cast<std::size_t>(row->rows)) {
      return {};
    }
    std::vector<std::int64_t> layout;
    for (const std::int64_t id : cache.block->ids.first(static_cast<std::size_t>(row->rows))) {
      layout.push_back(original_id(id));
    }
    return layout;
  } catch (const Error&) {
    return {};
  }
}

std::shared_ptr<const Snapshot> LocalGallery::rebuild_file(
    Store& store, const std::vector<std::int64_t>& layout) {
  {
    sqlite::Transaction transaction(store.connection(), sqlite::Transaction::Kind::read);
    const State state = store.read_state();
    write_store(store, state, paths_.cache, layout);
    transaction.commit();
  }
  return snapshot_of(open_cache(paths_.cache));
}

std::shared_ptr<const Snapshot> LocalGallery::rebuild_memory(Store& store) {
  sqlite::Transaction transaction(store.connection(), sqlite::Transaction::Kind::read);
  const State state = store.read_state();
  const Cache cache = read_store(store, state);
  transaction.commit();
  return snapshot_of(cache);
}

std::shared_ptr<const LoadedIndex> LocalGallery::index_for(const Snapshot& snapshot) {
  const std::lock_guard lock(read_mutex_);
  if (snapshot.parts.empty()) return nullptr;
  const auto& block = snapshot.parts[0].block;
  if (index_ && index_->block == block) return index_;
  if (index_tried_ || !snapshot_ || snapshot_->parts[0].block != block) return nullptr;
  index_tried_ = true;
  std::error_code failed;
  if (reader_->fixed().encrypted || !fs::exists(paths_.index, failed)) return nullptr;
  sqlite::Transaction transaction(reader_->connection(), sqlite::Transaction::Kind::read);
  const auto row = reader_->read_index();
  transaction.commit();
  if (!row || row->rows < 1 || static_cast<std::size_t>(row->rows) > block->size()) return nullptr;
  const auto ids = block->ids.first(static_cast<std::size_t>(row->rows));
  if (hash_of_ids(ids) != row->ids_hash) return nullptr;
  try {
    const MappedFile file(paths_.index);
    if (xxh3_64(file.bytes()) != row->file_hash) {
      note_ = "the index is damaged and was not used";
      return nullptr;
    }
    Rows rows = block->rows();
    rows.count = ids.size();
    auto loaded = std::make_shared<LoadedIndex>();
    loaded->block = block;
    loaded->graph =
        std::make_shared<const GraphIndex>(GraphIndex::load(paths_.index.string(), rows));
    loaded->row = *row;
    index_ = loaded;
  } catch (const Error& error) {
    note_ = "the index was not used: " + error.message();
  }
  return index_;
}

// --- small members ---

std::optional<Calibration> LocalGallery::calibration() {
  const std::lock_guard lock(read_mutex_);
  sqlite::Transaction transaction(reader_->connection(), sqlite::Transaction::Kind::read);
  auto calibration = reader_->read_calibration(1);
  if (!calibration) calibration = reader_->read_calibration(0);
  transaction.commit();
  return calibration;
}

void LocalGallery::set_calibration(const Calibration& calibration, RunContext& run) {
  run.check_cancelled();
  const std::lock_guard lock(write_mutex_);
  Change change(writer(), options_.who.empty() ? "calibrate" : options_.who);
  change.store().write_calibration(1, calibration);
  change.audit(nullptr, "calibration of " + std::to_string(calibration.genuine) + " genuine and " +
                            std::to_string(calibration.impostor) + " impostor scores");
  change.commit();
}

std::vector<AuditEntry> LocalGallery::audit() {
  const std::lock_guard lock(read_mutex_);
  sqlite::Transaction transaction(reader_->connection(), sqlite::Transaction::Kind::read);
  const State state = reader_->read_state();
  Tally tally;
  auto entries = reader_->read_audit(tally);
  transaction.commit();
  if (tally != state.audit) {
    throw Error(ErrorCode::corrupt_data, "the audit table has lost or gained entries",
                "restore the file from a copy", paths_.store.string());
  }
  return entries;
}

void LocalGallery::scan(const Filter& filter,
                        const std::function<bool(const StoredTemplate&)>& each, RunContext& run) {
  // A connection of its own: searches go on meanwhile.
  Store store(paths_.store, Store::Access::read, options_.secret);
  sqlite::Transaction transaction(store.connection(), sqlite::Transaction::Kind::read);
  const State state = store.read_state();
  const FilterSets sets(filter);
  std::map<std::int64_t, SubjectRow> subjects;
  Tally tally;
  bool stopped = false;
  store.for_each_template(0, [&](const TemplateRow& row) {
    if (tally.rows % 256 == 0) run.check_cancelled();
    tally.add(row.checksum);
    auto known = subjects.find(row.subject);
    if (known == subjects.end()) {
      known = subjects.emplace(row.subject, store.read_subject(row.subject)).first;
    }
    if (!sets.subject(known->second.tenant, known->second.label) || !sets.camera(row.camera) ||
        !sets.time(row.time_ms)) {
      return true;
    }
    StoredTemplate out;
    out.id = row.id;
    out.label = known->second.label;
    out.tenant = known->second.tenant;
    out.vector.resize(store.fixed().dimension);
    unpack_vector(row.vector, store.fixed().type, out.vector);
    out.quality = row.quality;
    out.time_ms = row.time_ms;
    out.camera = row.camera;
    out.origin = row.origin;
    if (!row.metadata.empty()) out.metadata = parse_json(row.metadata, "metadata");
    stopped = !each(out);
    return !stopped;
  });
  if (!stopped && tally != state.templates) {
    throw Error(ErrorCode::corrupt_data, "the gallery has lost or gained templates",
                "`sosia gallery verify` lists all damage", paths_.store.string());
  }
  transaction.commit();
}

}  // namespace sosia::gallery

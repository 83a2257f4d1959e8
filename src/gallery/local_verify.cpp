// Verification of the local gallery: every row, the whole file's structure, cache and index.

#include "gallery/bytes.hpp"
#include "gallery/local_gallery.hpp"
#include "sosia/core/hash.hpp"

#include <cstring>

#include <fmt/format.h>

namespace sosia::gallery {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kMostDamages = 1000;

class Damages {
 public:
  Damages(std::vector<Damage>& found, std::string file) : found_(found), file_(std::move(file)) {}
  void add(std::string what) {
    if (found_.size() < kMostDamages) found_.push_back({file_, std::move(what)});
  }
  /// Runs a check; what it throws about the data is a damage.
  template <class Check>
  bool run(Check check) {
    try {
      check();
      return true;
    } catch (const Error& error) {
      if (error.code() == ErrorCode::cancelled || error.code() == ErrorCode::out_of_memory) throw;
      add(error.message());
      return false;
    }
  }

 private:
  std::vector<Damage>& found_;
  std::string file_;
};

void compare(Damages& damages, const Tally& found, const Tally& counted, std::string_view what) {
  if (found.rows != counted.rows) {
    damages.add(
        fmt::format("{} {} are there, but {} were counted", found.rows, what, counted.rows));
  } else if (found.digest != counted.digest) {
    damages.add(fmt::format("the {} are not those that were counted", what));
  }
}

}  // namespace

std::vector<Damage> LocalGallery::verify(RunContext& run) {
  std::vector<Damage> found;
  verify_store(found, run);
  verify_cache(found, run);
  verify_index(found);
  return found;
}

void LocalGallery::verify_store(std::vector<Damage>& found, RunContext& run) {
  Damages damages(found, paths_.store.string());
  Store store(paths_.store, Store::Access::read, options_.secret);
  sqlite::Transaction transaction(store.connection(), sqlite::Transaction::Kind::read);
  damages.run([&] {
    sqlite::Statement row = store.connection().prepare("PRAGMA integrity_check(100)");
    while (row.step()) {
      if (row.text(0) != "ok") damages.add(std::string(row.text(0)));
    }
  });
  damages.run([&] {
    sqlite::Statement row = store.connection().prepare("PRAGMA foreign_key_check");
    if (row.step()) damages.add("a template is of a subject that is not there");
  });
  State state;
  if (!damages.run([&] { state = store.read_state(); })) return;
  Tally templates, subjects, centroids, audit;
  // One row after another by its id, so that one damaged row does not hide the next.
  const auto each_id = [&](const char* sql, const std::function<void(std::int64_t)>& check) {
    damages.run([&] {
      sqlite::Statement row = store.connection().prepare(sql);
      std::uint64_t done = 0;
      while (row.step()) {
        const std::int64_t id = row.integer(0);
        if (done++ % 256 == 0) run.progress("verifying", done, state.templates.rows);
        damages.run([&] { check(id); });
      }
    });
  };
  each_id("SELECT id FROM templates ORDER BY id",
          [&](std::int64_t id) { templates.add(store.read_template(id).checksum); });
  each_id("SELECT id FROM subjects ORDER BY id",
          [&](std::int64_t id) { subjects.add(store.read_subject(id).checksum); });
  each_id("SELECT subject FROM centroids ORDER BY subject",
          [&](std::int64_t id) { centroids.add(store.read_centroid(id)->checksum); });
  compare(damages, templates, state.templates, "templates");
  compare(damages, subjects, state.subjects, "subjects");
  compare(damages, centroids, state.centroids, "centroids");
  damages.run([&] { compare(damages, store.tally_removals(), state.removals, "removals"); });
  damages.run([&] {
    (void)store.read_audit(audit);
    compare(damages, audit, state.audit, "audit entries");
  });
  damages.run([&] { (void)store.read_calibration(0); });
  damages.run([&] { (void)store.read_calibration(1); });
  if (state.erasing) damages.add("a forget was not finished; the next writer finishes it");
}

void LocalGallery::verify_cache(std::vector<Damage>& found, RunContext& run) {
  Damages damages(found, paths_.cache.string());
  std::error_code failed;
  if (!fs::exists(paths_.cache, failed)) return;
  Store store(paths_.store, Store::Access::read, options_.secret);
  if (store.fixed().encrypted) {
    damages.add("a cache in the clear lies beside an encrypted gallery");
    return;
  }
  Cache cache;
  const bool read = damages.run([&] {
    const auto file = std::make_shared<MappedFile>(paths_.cache);
    for (const std::string& part : damaged_parts(file->bytes())) {
      damages.add("a checksum is wrong: " + part);
    }
    cache = parse_cache(file->bytes(), file);
  });
  if (!read) return;
  sqlite::Transaction transaction(store.connection(), sqlite::Transaction::Kind::read);
  State state;
  try {
    state = store.read_state();
  } catch (const Error&) {
    return;  // said of the store already
  }
  if (cache.head.gallery != store.fixed().id) {
    damages.add("the cache is another gallery's");
    return;
  }
  if (cache.head.generation > state.generation) {
    damages.add(
        fmt::format("the cache knows generation {}, the gallery only {}: changes were lost "
                    "(a journal was removed, or an older copy restored)",
                    cache.head.generation, state.generation));
    return;
  }
  // Rows of the cache against those of the store, both in order of id.
  const Block& block = *cache.block;
  std::size_t row = 0, shared = 0;
  damages.run([&] {
    store.for_each_template(0, [&](const TemplateRow& stored) {
      if (row % 256 == 0) run.progress("comparing the cache", row, block.size());
      while (row < block.size() && (is_hole(block.ids[row]) || block.ids[row] < stored.id)) ++row;
      if (row == block.size()) return false;
      if (block.ids[row] != stored.id) return true;
      ++shared;
      const BlockSubject subject{std::string(block.tenant(block.subjects[row])),
                                 std::string(block.label(block.subjects[row])), 0};
      const SubjectRow owner = store.read_subject(stored.subject);
      if (block.checksums[row] != stored.checksum ||
          std::memcmp(block.rows().row(row), stored.vector.data(), stored.vector.size()) != 0 ||
          subject.label != owner.label || subject.tenant != owner.tenant ||
          block.camera_names[block.cameras[row]] != stored.camera ||
          block.times[row] != stored.time_ms.value_or(kNoTime)) {
        damages.add(fmt::format("row {} is not what template {} is", row, stored.id));
      }
      return true;
    });
  });
  if (cache.head.generation == state.generation && shared != state.templates.rows) {
    damages.add(fmt::format("the cache holds {} of {} templates", shared, state.templates.rows));
  }
}

void LocalGallery::verify_index(std::vector<Damage>& found) {
  Damages damages(found, paths_.index.string());
  std::error_code failed;
  if (!fs::exists(paths_.index, failed)) return;
  damages.run([&] {
    Store store(paths_.store, Store::Access::read, options_.secret);
    sqlite::Transaction transaction(store.connection(), sqlite::Transaction::Kind::read);
    const auto row = store.read_index();
    transaction.commit();
    if (!row) {
      damages.add("the gallery knows nothing of this index");
    } else if (xxh3_64(MappedFile(paths_.index).bytes()) != row->file_hash) {
      damages.add("the checksum of the index is wrong");
    }
  });
}

}  // namespace sosia::gallery

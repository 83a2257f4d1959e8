// Making and opening galleries of either engine.

#include "gallery/local_gallery.hpp"
#include "gallery/milvus.hpp"
#include "sosia/core/text.hpp"

#include <fmt/format.h>

namespace sosia::gallery {

namespace fs = std::filesystem;

namespace {

void check_options(const CreateOptions& options, const OpenOptions& open) {
  const auto refuse = [](std::string message, std::string hint = {}) {
    throw Error(ErrorCode::invalid_argument, std::move(message), std::move(hint));
  };
  if (options.dimension < 1 || options.dimension > 65536) {
    refuse(fmt::format("dimension is {}; it must be 1 to 65536", options.dimension));
  }
  if (options.max_templates < 1 || options.max_templates > 1024) {
    refuse(fmt::format("max_templates is {}; it must be 1 to 1024", options.max_templates));
  }
  if (!(options.min_quality >= 0 && options.min_quality <= 1)) {
    refuse(fmt::format("min_quality is {}; it must be in [0, 1]", options.min_quality));
  }
  if (options.encrypt && open.secret.empty()) {
    refuse("an encrypted gallery needs a key",
           "make one: head -c 32 /dev/urandom > key; then --key-file key, or set "
           "SOSIA_GALLERY_KEY");
  }
  if (!options.encrypt && !open.secret.empty()) {
    refuse("a key is given, but the gallery is not to be encrypted", "add --encrypt");
  }
}

void remove_files(const GalleryPaths& paths) {
  for (const fs::path& path : {paths.journal, paths.journal_index, paths.cache, paths.index}) {
    std::error_code ignored;
    fs::remove(path, ignored);
  }
}

/// Writes a whole new gallery at `path`, first state and given calibration included.
void make_store(const fs::path& path, const CreateOptions& options, const OpenOptions& open) {
  Store::create(path, options, open.secret);
  Store store(path, Store::Access::write, open.secret);
  {
    sqlite::Transaction transaction(store.connection(), sqlite::Transaction::Kind::write);
    State state;
    state.model = options.model;
    store.write_state(state);
    if (options.calibration) store.write_calibration(0, *options.calibration);
    transaction.commit();
  }
  Change change(store, open.who.empty() ? "create" : open.who);
  change.audit(nullptr, fmt::format("dimension {}", options.dimension));
  change.commit();
  store.connection().execute("PRAGMA wal_checkpoint(TRUNCATE)");
}

void create_local(const std::string& place, const CreateOptions& options, const OpenOptions& open) {
  const GalleryPaths paths(place);
  std::error_code failed;
  if (!fs::is_directory(paths.store.parent_path(), failed)) {
    throw Error(ErrorCode::not_found,
                "the folder " + quote(paths.store.parent_path().string(), 200) + " does not exist",
                "make it first");
  }
  const LockFile lock = LockFile::acquire(paths.lock, open.who);
  if (fs::exists(paths.store, failed) && !options.replace) {
    throw Error(ErrorCode::conflict, quote(place, 200) + " exists already",
                "choose another name, or overwrite it with --force");
  }
  // Made under another name and renamed: a gallery is there whole or not at all.
  const fs::path fresh =
      paths.store.parent_path() / ("." + paths.store.filename().string() + ".new");
  const auto clear = [&] {
    for (const char* suffix : {"", "-wal", "-shm", "-journal"}) {
      std::error_code ignored;
      fs::remove(fresh.string() + suffix, ignored);
    }
  };
  clear();
  try {
    make_store(fresh, options, open);
    remove_files(paths);
    fs::rename(fresh, paths.store, failed);
    if (failed) throw system_error("write", paths.store, failed.value());
  } catch (...) {
    clear();
    throw;
  }
  clear();
}

}  // namespace

std::unique_ptr<Gallery> create_gallery(const std::string& place, const CreateOptions& options,
                                        const OpenOptions& open) {
  check_options(options, open);
  if (is_milvus_place(place)) return create_milvus(parse_milvus_address(place), options, open);
  create_local(place, options, open);
  return std::make_unique<LocalGallery>(place, open);
}

std::unique_ptr<Gallery> open_gallery(const std::string& place, const OpenOptions& open) {
  if (is_milvus_place(place)) return open_milvus(parse_milvus_address(place), open);
  return std::make_unique<LocalGallery>(place, open);
}

}  // namespace sosia::gallery

// Forgetting: rows, journal, cache and index, and the proof that the bytes are gone.

#include "gallery/byte_search.hpp"
#include "gallery/bytes.hpp"
#include "gallery/local_gallery.hpp"
#include "sosia/core/hash.hpp"
#include "sosia/core/text.hpp"

#include <algorithm>
#include <chrono>
#include <set>
#include <thread>

#include <fmt/format.h>

namespace sosia::gallery {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kChunk = 16;            ///< bytes of a vector that are searched as one
constexpr std::size_t kMostChunks = 1 << 20;  ///< above it an even share of the chunks is searched
constexpr std::size_t kTextPiece = 48;        ///< a long text may be cut by the file's pages
constexpr std::size_t kSureBytes = 8;         ///< a shorter text may stand in numbers by chance
constexpr std::int64_t kLockTimeoutMs = 600'000;
constexpr int kCheckpointAttempts = 3;  // each waits for readers as long as SQLite does: 10 s

bool uniform(std::span<const std::byte> bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [&](std::byte b) { return b == bytes[0]; });
}

}  // namespace

/// What is being forgotten, as bytes to look for.
struct LocalGallery::Forgotten {
  std::set<std::int64_t> templates = {};
  ByteSearch chunks = {};  ///< of vectors and of sealed fields
  ByteSearch texts = {};
  std::size_t chunk_step = kChunk;
  std::uint64_t left_out = 0;

  void add_vector(std::span<const std::byte> bytes) {
    if (bytes.size() < kChunk) {
      if (bytes.size() >= kSureBytes && !uniform(bytes)) {
        chunks.add(bytes);
      } else {
        ++left_out;
      }
      return;
    }
    for (std::size_t at = 0; at + kChunk <= bytes.size(); at += chunk_step) {
      const auto chunk = bytes.subspan(at, kChunk);
      if (uniform(chunk)) {
        ++left_out;
      } else {
        chunks.add(chunk);
      }
    }
  }
  void add_text(std::string_view text) {
    if (text.empty()) return;
    if (text.size() < ByteSearch::kLeast) {
      ++left_out;
      return;
    }
    const std::size_t pieces = (text.size() + kTextPiece - 1) / kTextPiece;
    for (std::size_t i = 0; i < pieces; ++i) {
      // The last piece reaches back, so that none is too short.
      const std::size_t at =
          std::min(i * kTextPiece, text.size() - std::min(text.size(), kTextPiece));
      texts.add(as_bytes(text.substr(at, kTextPiece)));
    }
  }
  void add(const Store::StoredBytes& stored, bool sealed) {
    add_vector(stored.vector);
    for (const auto& text : stored.texts) {
      if (text.empty()) continue;
      if (sealed) {
        add_vector(text);
      } else {
        add_text(as_text(text));
      }
    }
  }
};

namespace {

/// The subject's own fields. In an encrypted gallery the texts in the clear as well: they should
/// never have been in a file.
template <class Forgotten>
void forget_subject(Forgotten& forgotten, Store& store, const SubjectRow& subject) {
  forgotten.add(store.stored_subject(subject.id), store.sealer().encrypts());
  forgotten.chunks.add(store.sealer().lookup(subject.tenant, subject.label));
  if (store.sealer().encrypts()) forgotten.add_text(subject.label);
}

}  // namespace

// --- the store's part ---

ForgetReport LocalGallery::forget(std::string_view label, std::string_view tenant,
                                  RunContext& run) {
  run.check_cancelled();
  const std::lock_guard lock(write_mutex_);
  Store& store = writer();
  const LockFile cache_lock = LockFile::wait(paths_.cache_lock, options_.who, kLockTimeoutMs);
  Forgotten forgotten;
  {
    Change change(store, options_.who.empty() ? "forget" : options_.who);
    const auto id = store.find_subject(tenant, label);
    if (!id) {
      std::vector<std::string> labels;
      store.for_each_subject([&](const SubjectRow& row) {
        if (row.tenant == tenant) labels.push_back(row.label);
        return true;
      });
      throw Error(ErrorCode::not_found,
                  "the gallery has no subject " + quote(label) +
                      (tenant.empty() ? std::string() : " of tenant " + quote(tenant)),
                  did_you_mean(label, labels));
    }
    const SubjectRow subject = store.read_subject(*id);
    for (const TemplateRow& row : store.templates_of(*id)) {
      forgotten.add(store.stored_template(row.id), store.sealer().encrypts());
      forgotten.templates.insert(row.id);
      change.remove(row);
    }
    forget_subject(forgotten, store, subject);
    change.audit(&subject, fmt::format("{} templates", forgotten.templates.size()));
    change.remove_subject(subject);
    change.state().erasing = true;
    change.commit();
  }
  return finish_erasing(forgotten, run);
}

ForgetReport LocalGallery::forget_before(std::int64_t before_ms, RunContext& run) {
  run.check_cancelled();
  const std::lock_guard lock(write_mutex_);
  Store& store = writer();
  const LockFile cache_lock = LockFile::wait(paths_.cache_lock, options_.who, kLockTimeoutMs);
  Forgotten forgotten;
  {
    Change change(store, options_.who.empty() ? "forget" : options_.who);
    const auto old = store.templates_before(before_ms);
    const std::size_t each = std::max<std::size_t>(store.fixed().vector_bytes() / kChunk, 1);
    forgotten.chunk_step *= std::max<std::size_t>(1, old.size() * each / kMostChunks);
    std::set<std::int64_t> subjects;
    for (const std::int64_t id : old) {
      run.check_cancelled();
      const TemplateRow row = store.read_template(id);
      forgotten.add(store.stored_template(id), store.sealer().encrypts());
      forgotten.templates.insert(id);
      subjects.insert(row.subject);
      change.remove(row);
    }
    // What was given up long ago is in a sum, out of which it cannot be taken: the sum goes.
    for (const CentroidRow& row : store.centroids_before(before_ms)) {
      CentroidRow empty;
      empty.subject = row.subject;
      empty.sum.resize(row.sum.size(), 0.0f);
      forgotten.add_vector(std::as_bytes(std::span<const float>(row.sum)));
      change.write_centroid(empty);
    }
    for (const std::int64_t id : subjects) {
      const SubjectRow subject = store.read_subject(id);
      change.audit(&subject, "by age");
      if (store.count_templates_of(id) > 0) continue;
      forget_subject(forgotten, store, subject);
      change.remove_subject(subject);
    }
    if (forgotten.templates.empty() && forgotten.chunks.size() == 0) return {};
    change.state().erasing = true;
    change.commit();
  }
  return finish_erasing(forgotten, run);
}

void LocalGallery::checkpoint() {
  for (int attempt = 0; attempt < kCheckpointAttempts; ++attempt) {
    sqlite::Statement row = writer().connection().prepare("PRAGMA wal_checkpoint(TRUNCATE)");
    if (row.step() && row.integer(0) == 0) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  throw Error(ErrorCode::conflict,
              "a reader holds the gallery, so that its journal cannot be emptied",
              "end the reader and run this again: the next writer finishes what was begun",
              paths_.store.string());
}

void LocalGallery::vacuum() {
  writer().connection().execute("VACUUM");
  checkpoint();
}

// --- cache and index ---

namespace {

/// Overwrites rows and names in a cache that is about to be replaced. Names first: a reader that
/// still has the file mapped takes a name of zeros as the sign to search again.
void zero_in_cache(const fs::path& path, const std::set<std::int64_t>& templates) {
  const MappedFile file(path);
  const auto places = column_places(file.bytes());
  const Cache cache = parse_cache(file.bytes(), nullptr);
  const Block& block = *cache.block;
  const FileHandle handle = open_in_place(path);
  const auto place = [&](Column column) { return places[static_cast<std::size_t>(column)].offset; };
  std::vector<std::uint32_t> rows;
  std::set<std::uint32_t> subjects;
  for (const std::int64_t id : templates) {
    const auto row = block.find_row(id);
    if (!row) continue;
    rows.push_back(*row);
    subjects.insert(block.subjects[*row]);
  }
  const std::set<std::uint32_t> gone(rows.begin(), rows.end());
  for (const std::uint32_t subject : subjects) {
    const auto own = block.rows_of(subject);
    if (!std::all_of(own.begin(), own.end(), [&](auto row) { return gone.contains(row); })) {
      continue;
    }
    const std::uint64_t start = block.labels.starts[subject];
    zero_at(handle, place(Column::labels) + start, block.labels.starts[subject + 1] - start, path);
    if (const auto index = block.find_centroid(subject)) {
      const std::uint64_t bytes = block.rows().dimension * sizeof(float);
      zero_at(handle, place(Column::centroid_sums) + *index * bytes, bytes, path);
    }
  }
  for (const std::uint32_t row : rows) {
    const std::uint64_t stride = block.rows().stride_bytes;
    zero_at(handle, place(Column::rows) + row * stride, stride, path);
  }
  flush(handle, path);
}

}  // namespace

void LocalGallery::erase_in_index(const Forgotten& forgotten) {
  Store& store = writer();
  const auto row = store.read_index();
  std::error_code failed;
  if (!fs::exists(paths_.index, failed)) return;
  const auto drop = [&] {
    wipe_file(paths_.index);
    sqlite::Transaction transaction(store.connection(), sqlite::Transaction::Kind::write);
    store.write_index(std::nullopt);
    transaction.commit();
  };
  if (!row || !fs::exists(paths_.cache, failed)) return drop();
  try {
    const Cache cache = open_cache(paths_.cache);
    const auto count = static_cast<std::size_t>(row->rows);
    if (count > cache.block->size() ||
        hash_of_ids(cache.block->ids.first(count)) != row->ids_hash) {
      return drop();
    }
    std::vector<std::uint32_t> rows;
    for (std::uint32_t i = 0; i < count; ++i) {
      if (forgotten.templates.contains(original_id(cache.block->ids[i]))) rows.push_back(i);
    }
    if (rows.empty()) return;
    Rows view = cache.block->rows();
    view.count = count;
    GraphIndex graph = GraphIndex::load(paths_.index.string(), view);
    graph.erase(rows);
    const FileHandle old = open_in_place(paths_.index);
    const std::uint64_t old_bytes = fs::file_size(paths_.index);
    AtomicFile file(paths_.index, Overwrite::replace);
    graph.save(file.temporary_path().string());
    file.commit();
    zero_at(old, 0, old_bytes, paths_.index);
    flush(old, paths_.index);
    IndexRow changed = *row;
    changed.file_hash = xxh3_64(MappedFile(paths_.index).bytes());
    sqlite::Transaction transaction(store.connection(), sqlite::Transaction::Kind::write);
    store.write_index(changed);
    transaction.commit();
  } catch (const Error& error) {
    if (error.code() == ErrorCode::cancelled) throw;
    drop();
  }
}

// --- the proof ---

namespace {

/// Where bytes were found that should be gone.
struct Traces {
  std::set<std::size_t> chunks = {}, texts = {};
  fs::path file = {};
  bool none() const { return chunks.empty() && texts.empty(); }
};

Traces look(const ByteSearch& chunks, const ByteSearch& texts, const std::vector<fs::path>& files,
            ForgetReport& report, RunContext& run) {
  Traces traces;
  report.files_scanned.clear();
  report.bytes_scanned = 0;
  for (const fs::path& path : files) {
    run.check_cancelled();
    try {
      const auto note = [&](std::set<std::size_t>& found) {
        return [&found, &traces, &path](std::size_t number, std::uint64_t) {
          found.insert(number);
          traces.file = path;
        };
      };
      report.bytes_scanned += chunks.in_file(path, note(traces.chunks));
      texts.in_file(path, note(traces.texts));
      report.files_scanned.push_back(path.string());
    } catch (const Error& error) {
      // The journal goes when the last connection closes.
      if (error.code() != ErrorCode::not_found) throw;
    }
  }
  return traces;
}

}  // namespace

std::shared_ptr<const Snapshot> LocalGallery::replace_cache(const Forgotten& forgotten) {
  const std::vector<std::int64_t> layout = layout_of_index(writer());  // while the cache is whole
  std::error_code failed;
  if (fs::exists(paths_.cache, failed)) {
    try {
      zero_in_cache(paths_.cache, forgotten.templates);
    } catch (const Error& error) {
      if (error.code() == ErrorCode::io) throw;
      wipe_file(paths_.cache);  // it cannot be read, but it may hold the rows
    }
  }
  for (const fs::path& path : paths_.left_over()) wipe_file(path);
  const std::lock_guard lock(read_mutex_);
  const auto before = file_identity(paths_.cache);
  auto snapshot = rebuild(&layout);
  seen_version_ = -1;
  remember(snapshot);
  // A cache that could not be made anew must not stay.
  if (before && file_identity(paths_.cache) == before) wipe_file(paths_.cache);
  return snapshot;
}

void LocalGallery::leave_out_shared(Forgotten& forgotten, const Snapshot& snapshot) {
  for (const Part& part : snapshot.parts) {
    const Rows rows = part.block->rows();
    forgotten.chunks.in_memory({rows.data, rows.count * rows.stride_bytes},
                               [&](std::size_t number, std::uint64_t) {
                                 if (forgotten.chunks.dropped(number)) return;
                                 forgotten.chunks.drop(number);
                                 ++forgotten.left_out;
                               });
  }
}

void LocalGallery::prove_gone(Forgotten& forgotten, ForgetReport& report, RunContext& run) {
  Store& store = writer();
  const auto look_again = [&] {
    return look(forgotten.chunks, forgotten.texts, paths_.existing(), report, run);
  };
  const auto leave_out = [&](std::size_t number) {
    forgotten.texts.drop(number);
    ++forgotten.left_out;
  };
  Traces traces = look_again();
  if (!traces.texts.empty()) {
    for (const std::size_t number : traces.texts) {
      const bool shared =
          !store.fixed().encrypted && store.text_remains(forgotten.texts.pattern(number));
      if (shared) leave_out(number);
    }
    traces = look_again();
  }
  if (traces.none()) return;
  // Moving rows between pages may leave copies in the unused part of a page: a file that is written
  // anew has none.
  vacuum();
  traces = look_again();
  for (const std::size_t number : traces.texts) {
    // Nothing but remaining rows is in the files now: what is so short stands in their numbers.
    if (forgotten.texts.pattern(number).size() < kSureBytes) leave_out(number);
  }
  if (!traces.texts.empty()) traces = look_again();
  if (traces.none()) return;
  throw Error(ErrorCode::internal,
              "bytes of what was forgotten are still in " + quote(traces.file.string(), 200),
              "the rows are removed; delete this file if it is the cache or the index, and run "
              "`sosia gallery compact`");
}

ForgetReport LocalGallery::finish_erasing(Forgotten& forgotten, RunContext& run) {
  Store& store = writer();
  ForgetReport report;
  report.templates = forgotten.templates.size();
  run.progress("erasing", 0, 3);
  checkpoint();
  erase_in_index(forgotten);
  run.progress("erasing", 1, 3);
  const auto snapshot = replace_cache(forgotten);
  run.progress("erasing", 2, 3);
  // Bytes that remaining rows have as well would be found, and rightly. Sealed ones are random.
  if (!store.fixed().encrypted) leave_out_shared(forgotten, *snapshot);
  prove_gone(forgotten, report, run);
  report.strings_searched = forgotten.chunks.size() + forgotten.texts.size();
  report.strings_left_out = forgotten.left_out;
  sqlite::Transaction transaction(store.connection(), sqlite::Transaction::Kind::write);
  State state = store.read_state();
  state.erasing = false;
  store.write_state(state);
  transaction.commit();
  checkpoint();
  run.progress("erasing", 3, 3);
  return report;
}

void LocalGallery::complete_erasure() {
  const LockFile cache_lock = LockFile::wait(paths_.cache_lock, options_.who, kLockTimeoutMs);
  Store& store = writer();
  // Which rows they were is not known any more: everything that may hold them is made anew.
  vacuum();
  wipe_file(paths_.cache);
  wipe_file(paths_.index);
  for (const fs::path& path : paths_.left_over()) wipe_file(path);
  sqlite::Transaction transaction(store.connection(), sqlite::Transaction::Kind::write);
  store.write_index(std::nullopt);
  State state = store.read_state();
  state.erasing = false;
  store.write_state(state);
  transaction.commit();
  checkpoint();
}

}  // namespace sosia::gallery

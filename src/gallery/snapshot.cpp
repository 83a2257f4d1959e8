#include "gallery/snapshot.hpp"

#include "sosia/core/error.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace sosia::gallery {

namespace {

BlockRow block_row(const TemplateRow& row) {
  return {row.id, row.subject, row.camera, row.time_ms.value_or(kNoTime), row.checksum};
}

BlockSubject block_subject(const SubjectRow& row) {
  return {row.tenant, row.label, row.checksum};
}

std::size_t mask_words(std::size_t rows) {
  return (rows + 63) / 64;
}

/// All rows but holes.
std::shared_ptr<RowMask> full_mask(const Block& block) {
  auto mask = std::make_shared<RowMask>();
  mask->words.assign(std::max<std::size_t>(mask_words(block.size()), 1), 0);
  for (const std::uint32_t row : block.subject_rows) {
    mask->words[row / 64] |= std::uint64_t{1} << (row % 64);
  }
  return mask;
}

Part part_of(std::shared_ptr<const Block> block) {
  Part part;
  part.live = block->live();
  if (part.live != block->size()) part.alive = full_mask(*block);
  part.block = std::move(block);
  return part;
}

/// Compares what was read with what was counted.
void check_tally(const Tally& found, const Tally& counted, std::string_view what) {
  if (found == counted) return;
  const std::string_view hint =
      "`sosia gallery verify` lists all damage; restore the file from a copy";
  if (found.rows != counted.rows) {
    throw Error(ErrorCode::corrupt_data,
                fmt::format("{} {} are there, but {} were counted", found.rows, what, counted.rows),
                std::string(hint));
  }
  throw Error(ErrorCode::corrupt_data, fmt::format("the {} are not those that were counted", what),
              std::string(hint));
}

/// The two latest blocks as one, without the rows that were removed.
Part merge(const Part& a, const Part& b) {
  const Rows rows = a.block->rows();
  BlockBuilder builder(rows.dimension, rows.type, a.live + b.live);
  for (const Part* part : {&a, &b}) {
    const Block& block = *part->block;
    for (std::size_t row = 0; row < block.size(); ++row) {
      if (is_hole(block.ids[row]) || !part->counts(row)) continue;
      builder.add({block.ids[row], block.subject_ids[block.subjects[row]],
                   block.camera_names[block.cameras[row]], block.times[row], block.checksums[row]},
                  {block.rows().row(row), rows.stride_bytes});
    }
  }
  const auto subject = [&](std::int64_t id) {
    for (const Part* part : {&a, &b}) {
      if (const auto at = part->block->find_subject(id)) {
        return BlockSubject{std::string(part->block->tenant(*at)),
                            std::string(part->block->label(*at)),
                            part->block->subject_checksums[*at]};
      }
    }
    throw Error(ErrorCode::internal, "a subject of a row is in neither block");
  };
  return part_of(builder.finish(subject));
}

}  // namespace

std::size_t Snapshot::loose() const {
  std::size_t count = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    count += i == 0 ? parts[i].block->live() - parts[i].live : parts[i].block->size();
  }
  return count;
}

bool Snapshot::matches(const State& state) const {
  return generation == state.generation && templates == state.templates &&
         subjects == state.subjects && centroids == state.centroids;
}

Snapshot::Centroid Snapshot::dropped_sum(std::int64_t subject) const {
  if (const auto at = changed_centroids.find(subject); at != changed_centroids.end()) {
    return {at->second->sum, at->second->count};
  }
  if (parts.empty()) return {};
  const Block& base = *parts[0].block;
  const auto number = base.find_subject(subject);
  if (!number) return {};
  const auto index = base.find_centroid(*number);
  if (!index) return {};
  return {base.centroid_sum(*index), base.centroid_counts[*index]};
}

bool Snapshot::subject_alive(std::int64_t subject) const {
  return std::any_of(parts.begin(), parts.end(), [&](const Part& part) {
    const auto number = part.block->find_subject(subject);
    if (!number) return false;
    const auto rows = part.block->rows_of(*number);
    return std::any_of(rows.begin(), rows.end(),
                       [&](std::uint32_t row) { return part.counts(row); });
  });
}

std::size_t loose_limit(std::size_t base_rows) {
  return std::max<std::size_t>(4096, base_rows / 20);
}

std::shared_ptr<const Snapshot> snapshot_of(const Cache& cache) {
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->gallery = cache.head.gallery;
  snapshot->generation = cache.head.generation;
  snapshot->next_template = cache.head.next_template;
  snapshot->next_subject = cache.head.next_subject;
  const Block& block = *cache.block;
  for (const std::uint32_t row : block.subject_rows) snapshot->templates.add(block.checksums[row]);
  for (const std::uint64_t checksum : block.subject_checksums) snapshot->subjects.add(checksum);
  for (const std::uint64_t checksum : block.centroid_checksums) snapshot->centroids.add(checksum);
  snapshot->parts.push_back(part_of(cache.block));
  return snapshot;
}

namespace {

/// Marks removed rows; false when one of them is unknown. Collects their subjects.
bool remove_rows(Snapshot& snapshot, std::span<const std::int64_t> removed,
                 std::set<std::int64_t>& touched) {
  std::vector<std::shared_ptr<RowMask>> masks(snapshot.parts.size());
  for (const std::int64_t id : removed) {
    if (id >= snapshot.next_template) continue;  // came and went
    bool known = false;
    for (std::size_t i = 0; i < snapshot.parts.size() && !known; ++i) {
      Part& part = snapshot.parts[i];
      const auto row = part.block->find_row(id);
      if (!row || !part.counts(*row)) continue;
      if (!masks[i]) {
        masks[i] = part.alive ? std::make_shared<RowMask>(*part.alive) : full_mask(*part.block);
        part.alive = masks[i];
      }
      masks[i]->words[*row / 64] &= ~(std::uint64_t{1} << (*row % 64));
      --part.live;
      snapshot.templates.remove(part.block->checksums[*row]);
      touched.insert(part.block->subject_ids[part.block->subjects[*row]]);
      known = true;
    }
    if (!known) return false;
  }
  return true;
}

/// Takes subjects that have no row any more out of the tallies.
void retire_subjects(Snapshot& snapshot, const std::set<std::int64_t>& touched) {
  for (const std::int64_t id : touched) {
    if (snapshot.subject_alive(id)) continue;
    for (const Part& part : snapshot.parts) {
      const auto number = part.block->find_subject(id);
      if (!number) continue;
      snapshot.subjects.remove(part.block->subject_checksums[*number]);
      break;
    }
    const auto changed = snapshot.changed_centroids.find(id);
    if (changed != snapshot.changed_centroids.end()) {
      snapshot.centroids.remove(changed->second->checksum);
      snapshot.changed_centroids.erase(changed);
      continue;
    }
    const Block& base = *snapshot.parts[0].block;
    if (const auto number = base.find_subject(id)) {
      if (const auto index = base.find_centroid(*number)) {
        snapshot.centroids.remove(base.centroid_checksums[*index]);
      }
    }
  }
}

void change_centroids(Snapshot& snapshot, Store& store, std::uint64_t after) {
  const Block& base = *snapshot.parts[0].block;
  store.for_each_centroid(static_cast<std::int64_t>(after), [&](const CentroidRow& row) {
    auto& slot = snapshot.changed_centroids[row.subject];
    if (slot) {
      snapshot.centroids.remove(slot->checksum);
    } else if (const auto number = base.find_subject(row.subject)) {
      if (const auto index = base.find_centroid(*number)) {
        snapshot.centroids.remove(base.centroid_checksums[*index]);
      }
    }
    slot = std::make_shared<const CentroidRow>(row);
    snapshot.centroids.add(row.checksum);
  });
}

/// Reads the rows that came since as a new part.
void add_rows(Snapshot& snapshot, Store& store, const State& state) {
  const FixedInfo& fixed = store.fixed();
  BlockBuilder builder(fixed.dimension, fixed.type,
                       static_cast<std::size_t>(state.next_template - snapshot.next_template));
  store.for_each_template(snapshot.next_template, [&](const TemplateRow& row) {
    snapshot.templates.add(row.checksum);
    builder.add(block_row(row), row.vector);
    return true;
  });
  if (builder.columns().size() == 0) return;
  const auto block =
      builder.finish([&](std::int64_t id) { return block_subject(store.read_subject(id)); });
  for (std::size_t i = 0; i < block->subject_ids.size(); ++i) {
    if (block->subject_ids[i] >= snapshot.next_subject) {
      snapshot.subjects.add(block->subject_checksums[i]);
    }
  }
  snapshot.parts.push_back(part_of(block));
}

}  // namespace

std::shared_ptr<const Snapshot> extend(const Snapshot& base, Store& store, const State& state) {
  if (base.parts.empty() || base.generation > state.generation ||
      base.next_template > state.next_template) {
    return nullptr;
  }
  const auto fresh = static_cast<std::uint64_t>(state.next_template - base.next_template);
  const std::size_t limit = loose_limit(base.parts[0].block->size());
  if (base.loose() + fresh > limit) return nullptr;
  const auto removed = store.removed_after(base.generation);
  if (base.loose() + fresh + removed.size() > limit) return nullptr;
  auto next = std::make_shared<Snapshot>(base);
  std::set<std::int64_t> touched;
  if (!remove_rows(*next, removed, touched)) return nullptr;
  add_rows(*next, store, state);
  retire_subjects(*next, touched);
  change_centroids(*next, store, base.generation);
  next->generation = state.generation;
  next->next_template = state.next_template;
  next->next_subject = state.next_subject;
  if (!next->matches(state)) return nullptr;
  // As in a binary counter: a row is copied a logarithmic number of times.
  while (next->parts.size() > 2 &&
         2 * next->parts.back().live >= next->parts[next->parts.size() - 2].live) {
    Part merged = merge(next->parts[next->parts.size() - 2], next->parts.back());
    next->parts.pop_back();
    next->parts.back() = std::move(merged);
  }
  return next;
}

namespace {

CacheHead head_of(const Store& store, const State& state) {
  return {store.fixed().id,   state.generation,        state.next_template,
          state.next_subject, store.fixed().dimension, store.fixed().type};
}

/// Feeds all rows to `add` and the rest to `columns`; returns what names the subjects.
std::function<BlockSubject(std::int64_t)> read_rows(
    Store& store, const State& state, ColumnBuilder& columns,
    const std::function<void(const TemplateRow&)>& add) {
  Tally templates, subjects, centroids;
  columns.reserve(state.templates.rows);
  store.for_each_template(0, [&](const TemplateRow& row) {
    templates.add(row.checksum);
    add(row);
    return true;
  });
  check_tally(templates, state.templates, "templates");
  auto known = std::make_shared<std::map<std::int64_t, BlockSubject>>();
  store.for_each_subject([&](const SubjectRow& row) {
    subjects.add(row.checksum);
    known->emplace_hint(known->end(), row.id, block_subject(row));
    return true;
  });
  check_tally(subjects, state.subjects, "subjects");
  store.for_each_centroid(-1, [&](const CentroidRow& row) {
    centroids.add(row.checksum);
    columns.add_centroid(row.subject, row.sum, row.count, row.checksum);
  });
  check_tally(centroids, state.centroids, "centroids");
  return [known](std::int64_t id) {
    const auto found = known->find(id);
    if (found == known->end()) {
      throw Error(ErrorCode::corrupt_data, fmt::format("subject {} is missing", id),
                  "restore the file from a copy");
    }
    return found->second;
  };
}

}  // namespace

Cache read_store(Store& store, const State& state) {
  const FixedInfo& fixed = store.fixed();
  BlockBuilder builder(fixed.dimension, fixed.type, state.templates.rows);
  const auto subject = read_rows(store, state, builder.columns(), [&](const TemplateRow& row) {
    builder.add(block_row(row), row.vector);
  });
  return {head_of(store, state), builder.finish(subject)};
}

void write_store(Store& store, const State& state, const std::filesystem::path& path,
                 std::span<const std::int64_t> layout) {
  CacheWriter writer(path, head_of(store, state));
  std::size_t place = 0;
  const auto subject = read_rows(store, state, writer.columns(), [&](const TemplateRow& row) {
    // Rows that the old cache had and the store has not are holes now; those that it had not come
    // at the end, because ids only rise.
    for (; place < layout.size() && layout[place] < row.id; ++place) {
      writer.add_hole(layout[place]);
    }
    writer.add(block_row(row), row.vector);
    if (place < layout.size() && layout[place] == row.id) ++place;
  });
  for (; place < layout.size(); ++place) writer.add_hole(layout[place]);
  writer.finish(subject);
}

}  // namespace sosia::gallery

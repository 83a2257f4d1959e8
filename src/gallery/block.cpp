#include "gallery/block.hpp"

#include "sosia/core/error.hpp"

#include <algorithm>
#include <cstring>

namespace sosia::gallery {

namespace {

[[noreturn]] void misfit(std::string_view what) {
  throw Error(ErrorCode::corrupt_data, "the columns do not fit together: " + std::string(what));
}

template <class T>
std::span<const T> typed(const ColumnViews& columns, Column column, std::size_t expected,
                         std::string_view what) {
  const auto bytes = columns[static_cast<std::size_t>(column)];
  if (bytes.size() / sizeof(T) != expected || bytes.size() % sizeof(T) != 0) misfit(what);
  if (reinterpret_cast<std::uintptr_t>(bytes.data()) % alignof(T) != 0) misfit(what);
  return {reinterpret_cast<const T*>(bytes.data()), expected};
}

template <class T>
std::size_t items(const ColumnViews& columns, Column column) {
  return columns[static_cast<std::size_t>(column)].size() / sizeof(T);
}

TextTable texts(const ColumnViews& columns, Column starts, Column bytes, std::string_view what) {
  return {typed<std::uint64_t>(columns, starts, items<std::uint64_t>(columns, starts), what),
          columns[static_cast<std::size_t>(bytes)]};
}

}  // namespace

Block::Block(std::size_t dimension, StoredType type, const ColumnViews& columns,
             std::shared_ptr<const void> owner)
    : owner_(std::move(owner)) {
  const std::size_t n = items<std::int64_t>(columns, Column::ids);
  const std::size_t s = items<std::int64_t>(columns, Column::subject_ids);
  const std::size_t c = items<std::int64_t>(columns, Column::centroid_counts);
  const std::size_t stride = row_stride_bytes(dimension, type);
  const auto row_bytes = columns[static_cast<std::size_t>(Column::rows)];
  if (n >= 0xffffffffu || row_bytes.size() / stride != n || row_bytes.size() % stride != 0 ||
      reinterpret_cast<std::uintptr_t>(row_bytes.data()) % 64 != 0) {
    misfit("rows");
  }
  rows_ = {row_bytes.data(), n, dimension, type, stride};
  ids = typed<std::int64_t>(columns, Column::ids, n, "ids");
  subjects = typed<std::uint32_t>(columns, Column::subjects, n, "subjects");
  cameras = typed<std::uint32_t>(columns, Column::cameras, n, "cameras");
  times = typed<std::int64_t>(columns, Column::times, n, "times");
  checksums = typed<std::uint64_t>(columns, Column::checksums, n, "checksums");
  subject_ids = typed<std::int64_t>(columns, Column::subject_ids, s, "subject ids");
  subject_checksums =
      typed<std::uint64_t>(columns, Column::subject_checksums, s, "subject checksums");
  subject_tenants = typed<std::uint32_t>(columns, Column::subject_tenants, s, "tenants");
  subject_row_starts =
      typed<std::uint32_t>(columns, Column::subject_row_starts, s + 1, "starts of subjects");
  subject_rows =
      typed<std::uint32_t>(columns, Column::subject_rows,
                           items<std::uint32_t>(columns, Column::subject_rows), "rows of subjects");
  labels = texts(columns, Column::label_starts, Column::labels, "labels");
  tenants = texts(columns, Column::tenant_starts, Column::tenants, "tenants");
  camera_names = texts(columns, Column::camera_starts, Column::cameras_text, "cameras");
  centroid_subjects = typed<std::uint32_t>(columns, Column::centroid_subjects, c, "centroids");
  centroid_counts = typed<std::int64_t>(columns, Column::centroid_counts, c, "centroids");
  centroid_checksums = typed<std::uint64_t>(columns, Column::centroid_checksums, c, "centroids");
  centroid_sums = typed<float>(columns, Column::centroid_sums, c * dimension, "centroids");
  check_texts(labels, "labels");
  check_texts(tenants, "tenants");
  check_texts(camera_names, "cameras");
  check_rows();
  check_subjects();
}

void Block::check_texts(const TextTable& table, std::string_view what) const {
  if (table.starts.empty()) misfit(what);
  for (std::size_t i = 0; i + 1 < table.starts.size(); ++i) {
    if (table.starts[i] > table.starts[i + 1]) misfit(what);
  }
  if (table.starts.front() != 0 || table.starts.back() != table.bytes.size()) misfit(what);
}

void Block::check_rows() const {
  std::int64_t last = -1;
  std::size_t live = 0;
  for (std::size_t row = 0; row < ids.size(); ++row) {
    if (original_id(ids[row]) <= last) misfit("row " + std::to_string(row));
    last = original_id(ids[row]);
    if (is_hole(ids[row])) {
      if (subjects[row] != kNoSubject) misfit("holes");
      continue;
    }
    if (subjects[row] >= subject_ids.size() || cameras[row] >= camera_names.size()) {
      misfit("row " + std::to_string(row));
    }
    ++live;
  }
  if (live != subject_rows.size()) misfit("rows of subjects");
}

void Block::check_subjects() const {
  const std::size_t s = subject_ids.size();
  if (labels.size() != s || subject_row_starts[0] != 0 ||
      subject_row_starts[s] != subject_rows.size()) {
    misfit("subjects");
  }
  for (std::uint32_t i = 0; i < s; ++i) {
    if ((i > 0 && subject_ids[i] <= subject_ids[i - 1]) ||
        subject_row_starts[i] >= subject_row_starts[i + 1] ||
        subject_tenants[i] >= tenants.size()) {
      misfit("subject " + std::to_string(i));
    }
  }
  for (std::uint32_t i = 0; i < s; ++i) {
    if (subject_row_starts[i + 1] > subject_rows.size()) misfit("starts of subjects");
    const auto own = rows_of(i);
    for (std::size_t j = 0; j < own.size(); ++j) {
      if (own[j] >= ids.size() || subjects[own[j]] != i || (j > 0 && own[j] <= own[j - 1])) {
        misfit("rows of subject " + std::to_string(i));
      }
    }
  }
  for (std::size_t i = 0; i < centroid_subjects.size(); ++i) {
    if (centroid_subjects[i] >= s || (i > 0 && centroid_subjects[i] <= centroid_subjects[i - 1])) {
      misfit("centroids");
    }
  }
}

std::optional<std::uint32_t> Block::find_row(std::int64_t id) const {
  const auto at = std::lower_bound(
      ids.begin(), ids.end(), id,
      [](std::int64_t row, std::int64_t wanted) { return original_id(row) < wanted; });
  if (at == ids.end() || *at != id) return std::nullopt;
  return static_cast<std::uint32_t>(at - ids.begin());
}

std::optional<std::uint32_t> Block::find_subject(std::int64_t id) const {
  const auto at = std::lower_bound(subject_ids.begin(), subject_ids.end(), id);
  if (at == subject_ids.end() || *at != id) return std::nullopt;
  return static_cast<std::uint32_t>(at - subject_ids.begin());
}

std::optional<std::size_t> Block::find_centroid(std::uint32_t subject) const {
  const auto at = std::lower_bound(centroid_subjects.begin(), centroid_subjects.end(), subject);
  if (at == centroid_subjects.end() || *at != subject) return std::nullopt;
  return static_cast<std::size_t>(at - centroid_subjects.begin());
}

const Prefilter& Block::prefilter(RunContext& run) const {
  const std::lock_guard lock(prefilter_mutex_);
  if (!prefilter_) prefilter_.emplace(Prefilter::build(rows_, run));
  return *prefilter_;
}

// --- building ---

namespace {

constexpr std::int64_t kNoId = -1;

}  // namespace

std::uint64_t hash_of_ids(std::span<const std::int64_t> ids) {
  std::vector<std::int64_t> originals;
  originals.reserve(ids.size());
  for (const std::int64_t id : ids) originals.push_back(original_id(id));
  return xxh3_64(std::as_bytes(std::span<const std::int64_t>(originals)));
}

void ColumnBuilder::reserve(std::size_t rows) {
  ids_.reserve(rows);
  row_subjects_.reserve(rows);
  times_.reserve(rows);
  cameras_.reserve(rows);
  checksums_.reserve(rows);
}

void ColumnBuilder::add(const BlockRow& row) {
  ids_.push_back(row.id);
  row_subjects_.push_back(row.subject);
  times_.push_back(row.time_ms);
  checksums_.push_back(row.checksum);
  const std::string camera(row.camera);
  const auto [at, fresh] =
      camera_numbers_.try_emplace(camera, static_cast<std::uint32_t>(camera_names_.size()));
  if (fresh) camera_names_.push_back(camera);
  cameras_.push_back(at->second);
}

void ColumnBuilder::add_hole(std::int64_t id) {
  ids_.push_back(~id);
  row_subjects_.push_back(kNoId);
  times_.push_back(kNoTime);
  checksums_.push_back(0);
  cameras_.push_back(0);
}

void ColumnBuilder::add_centroid(std::int64_t subject, std::span<const float> sum,
                                 std::int64_t count, std::uint64_t checksum) {
  centroid_subjects_.push_back(subject);
  centroid_counts_.push_back(count);
  centroid_checksums_.push_back(checksum);
  centroid_sums_.insert(centroid_sums_.end(), sum.begin(), sum.end());
}

std::vector<std::int64_t> ColumnBuilder::subject_ids() const {
  std::vector<std::int64_t> distinct;
  distinct.reserve(row_subjects_.size());
  for (const std::int64_t id : row_subjects_) {
    if (id != kNoId) distinct.push_back(id);
  }
  std::sort(distinct.begin(), distinct.end());
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  return distinct;
}

namespace {

template <class T>
std::vector<std::byte> column_bytes(const std::vector<T>& values) {
  std::vector<std::byte> bytes(values.size() * sizeof(T));
  if (!bytes.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

/// Texts with their starts.
class TextColumn {
 public:
  void add(std::string_view text) {
    const auto view = as_bytes(text);
    bytes.insert(bytes.end(), view.begin(), view.end());
    starts.push_back(bytes.size());
  }
  std::vector<std::uint64_t> starts = {0};
  std::vector<std::byte> bytes;
};

}  // namespace

std::array<std::vector<std::byte>, kColumns> ColumnBuilder::finish(
    const std::function<BlockSubject(std::int64_t)>& subject) {
  std::array<std::vector<std::byte>, kColumns> out;
  const auto put = [&](Column column, std::vector<std::byte> bytes) {
    out[static_cast<std::size_t>(column)] = std::move(bytes);
  };
  const std::vector<std::int64_t> distinct = subject_ids();
  const auto number_of = [&](std::int64_t id) {
    return static_cast<std::uint32_t>(std::lower_bound(distinct.begin(), distinct.end(), id) -
                                      distinct.begin());
  };
  std::vector<std::uint32_t> subjects(ids_.size()), starts(distinct.size() + 1, 0);
  for (std::size_t row = 0; row < ids_.size(); ++row) {
    subjects[row] = row_subjects_[row] == kNoId ? kNoSubject : number_of(row_subjects_[row]);
    if (subjects[row] != kNoSubject) ++starts[subjects[row] + 1];
  }
  for (std::size_t i = 0; i < distinct.size(); ++i) starts[i + 1] += starts[i];
  std::vector<std::uint32_t> rows(starts.back()), next(starts.begin(), starts.end() - 1);
  for (std::size_t row = 0; row < ids_.size(); ++row) {
    if (subjects[row] != kNoSubject) rows[next[subjects[row]]++] = static_cast<std::uint32_t>(row);
  }
  put(Column::subjects, column_bytes(subjects));
  put(Column::subject_row_starts, column_bytes(starts));
  put(Column::subject_rows, column_bytes(rows));

  TextColumn labels, tenants, cameras;
  std::unordered_map<std::string, std::uint32_t> tenant_numbers;
  std::vector<std::uint32_t> subject_tenants;
  std::vector<std::uint64_t> subject_checksums;
  for (const std::int64_t id : distinct) {
    const BlockSubject known = subject(id);
    labels.add(known.label);
    const auto [at, fresh] =
        tenant_numbers.try_emplace(known.tenant, static_cast<std::uint32_t>(tenant_numbers.size()));
    if (fresh) tenants.add(known.tenant);
    subject_tenants.push_back(at->second);
    subject_checksums.push_back(known.checksum);
  }
  for (const std::string& name : camera_names_) cameras.add(name);
  put(Column::ids, column_bytes(ids_));
  put(Column::times, column_bytes(times_));
  put(Column::cameras, column_bytes(cameras_));
  put(Column::checksums, column_bytes(checksums_));
  put(Column::subject_ids, column_bytes(distinct));
  put(Column::subject_tenants, column_bytes(subject_tenants));
  put(Column::subject_checksums, column_bytes(subject_checksums));
  put(Column::label_starts, column_bytes(labels.starts));
  put(Column::labels, std::move(labels.bytes));
  put(Column::tenant_starts, column_bytes(tenants.starts));
  put(Column::tenants, std::move(tenants.bytes));
  put(Column::camera_starts, column_bytes(cameras.starts));
  put(Column::cameras_text, std::move(cameras.bytes));

  // Centroids of subjects that have no row here are of no use.
  std::vector<std::uint32_t> centroid_subjects;
  std::vector<std::int64_t> counts;
  std::vector<std::uint64_t> checksums;
  std::vector<float> sums;
  for (std::size_t i = 0; i < centroid_subjects_.size(); ++i) {
    if (!std::binary_search(distinct.begin(), distinct.end(), centroid_subjects_[i])) continue;
    centroid_subjects.push_back(number_of(centroid_subjects_[i]));
    counts.push_back(centroid_counts_[i]);
    checksums.push_back(centroid_checksums_[i]);
    const auto first = centroid_sums_.begin() + static_cast<std::ptrdiff_t>(i * dimension_);
    sums.insert(sums.end(), first, first + static_cast<std::ptrdiff_t>(dimension_));
  }
  put(Column::centroid_subjects, column_bytes(centroid_subjects));
  put(Column::centroid_counts, column_bytes(counts));
  put(Column::centroid_checksums, column_bytes(checksums));
  put(Column::centroid_sums, column_bytes(sums));
  return out;
}

BlockBuilder::BlockBuilder(std::size_t dimension, StoredType type, std::size_t expected_rows)
    : dimension_(dimension),
      type_(type),
      stride_(row_stride_bytes(dimension, type)),
      rows_(std::max<std::size_t>(expected_rows, 1) * stride_),
      columns_(dimension) {
  columns_.reserve(expected_rows);
}

void BlockBuilder::add(const BlockRow& row, std::span<const std::byte> vector) {
  const std::size_t at = columns_.size() * stride_;
  if (at + stride_ > rows_.size()) {
    AlignedBytes larger(2 * rows_.size());
    std::memcpy(larger.data(), rows_.data(), at);
    rows_ = std::move(larger);
  }
  const std::size_t used = std::min(vector.size(), stride_);
  std::memcpy(rows_.data() + at, vector.data(), used);
  std::memset(rows_.data() + at + used, 0, stride_ - used);
  columns_.add(row);
}

std::shared_ptr<const Block> BlockBuilder::finish(
    const std::function<BlockSubject(std::int64_t)>& subject) {
  auto owner = std::make_shared<OwnedColumns>();
  const std::size_t n = columns_.size();
  owner->others = columns_.finish(subject);
  owner->rows = std::move(rows_);
  ColumnViews views;
  for (std::size_t i = 0; i < kColumns; ++i) views[i] = owner->others[i];
  views[static_cast<std::size_t>(Column::rows)] = owner->rows.view().first(n * stride_);
  return std::make_shared<const Block>(dimension_, type_, views, owner);
}

}  // namespace sosia::gallery

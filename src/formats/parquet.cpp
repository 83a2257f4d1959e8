// The side of the Parquet module's border that libsosia_formats.so holds: turns what the module
// gives into columns and errors.

#include "sosia/formats/parquet.hpp"

#include "formats/parquet_abi.h"
#include "sosia/core/c_module.hpp"
#include "sosia/core/text.hpp"

#include <algorithm>
#include <limits>
#include <set>

namespace sosia::formats {
namespace fs = std::filesystem;
namespace {

constexpr const char* kModule = "libsosia_formats_parquet.so";

/// The module, or null with the `reason` why there is none.
const SosiaParquetApi* module(std::string& reason) {
  static CModule<SosiaParquetApi> file(kModule, SOSIA_PARQUET_FACTORY, SOSIA_PARQUET_ABI);
  return file.open(reason);
}

const SosiaParquetApi& require_module() {
  std::string reason;
  const SosiaParquetApi* api = module(reason);
  if (api == nullptr) {
    throw Error(ErrorCode::missing_feature,
                std::string("Parquet files need the module ") + kModule +
                    ", which cannot be opened: " + reason,
                "run `make setup` (it installs pyarrow, which brings Arrow) and build again with "
                "-DSOSIA_WITH_ARROW=ON; or use CSV, JSONL or npy files");
  }
  return *api;
}

Error as_error(const SosiaParquetError& error, const fs::path& path) {
  ErrorCode code = ErrorCode::internal;
  switch (error.code) {
    case SOSIA_PARQUET_CORRUPT:
      code = ErrorCode::corrupt_data;
      break;
    case SOSIA_PARQUET_UNSUPPORTED:
      code = ErrorCode::unsupported;
      break;
    case SOSIA_PARQUET_IO:
      code = ErrorCode::io;
      break;
    case SOSIA_PARQUET_MEMORY:
      code = ErrorCode::out_of_memory;
      break;
    case SOSIA_PARQUET_ARGUMENT:
      code = ErrorCode::invalid_argument;
      break;
    default:
      break;
  }
  // Arrow's messages may show pieces of the file.
  std::string text = quote(error.text, 400);
  return Error(code, "Arrow says: " + text, {}, path.string());
}

ParquetType type_of(std::int32_t type) {
  switch (type) {
    case SOSIA_PARQUET_TEXT:
      return ParquetType::text;
    case SOSIA_PARQUET_INTEGER:
      return ParquetType::integer;
    case SOSIA_PARQUET_TIME:
      return ParquetType::time;
    case SOSIA_PARQUET_REAL:
      return ParquetType::real;
    case SOSIA_PARQUET_FLOATS:
      return ParquetType::floats;
    default:
      return ParquetType::other;
  }
}

std::int32_t raw_type(ParquetType type) {
  switch (type) {
    case ParquetType::text:
      return SOSIA_PARQUET_TEXT;
    case ParquetType::integer:
      return SOSIA_PARQUET_INTEGER;
    case ParquetType::time:
      return SOSIA_PARQUET_TIME;
    case ParquetType::real:
      return SOSIA_PARQUET_REAL;
    case ParquetType::floats:
      return SOSIA_PARQUET_FLOATS;
    case ParquetType::other:
      break;
  }
  return SOSIA_PARQUET_OTHER;
}

[[noreturn]] void refuse(const fs::path& path, std::string message) {
  throw Error(ErrorCode::invalid_argument, std::move(message), {}, path.string());
}

}  // namespace

std::string_view parquet_type_name(ParquetType type) {
  switch (type) {
    case ParquetType::text:
      return "text";
    case ParquetType::integer:
      return "integer";
    case ParquetType::time:
      return "time";
    case ParquetType::real:
      return "real";
    case ParquetType::floats:
      return "vector";
    case ParquetType::other:
      break;
  }
  return "other";
}

bool parquet_available() {
  std::string ignored;
  return module(ignored) != nullptr;
}

// --- reading ---

struct ParquetReader::Impl {
  const SosiaParquetApi& api = require_module();
  fs::path path;
  SosiaParquetReader* reader = nullptr;
  std::vector<ParquetColumn> all, selected;
  std::vector<SosiaParquetArray> arrays;
  std::uint64_t rows = 0, read = 0;

  explicit Impl(fs::path p) : path(std::move(p)) {}
  ~Impl() {
    if (reader != nullptr) api.close_reader(reader);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void list_columns() {
    const SosiaParquetColumn* raw = nullptr;
    const std::int64_t count = api.columns(reader, &raw);
    for (std::int64_t i = 0; i < count; ++i) {
      all.push_back({raw[i].name, type_of(raw[i].type), static_cast<std::size_t>(raw[i].width),
                     raw[i].stored});
    }
  }
  std::int64_t find(const std::string& name) const;
  void select(const std::vector<std::string>& names);
  void take(std::size_t index, std::size_t count, ParquetBatch::Column& out) const;
};

std::int64_t ParquetReader::Impl::find(const std::string& name) const {
  std::vector<std::string> names;
  std::int64_t found = -1;
  for (std::size_t i = 0; i < all.size(); ++i) {
    names.push_back(all[i].name);
    if (all[i].name != name) continue;
    if (found >= 0) {
      throw Error(ErrorCode::corrupt_data, "two columns have the name " + quote(name), {},
                  path.string());
    }
    found = static_cast<std::int64_t>(i);
  }
  if (found < 0) {
    const std::string near = did_you_mean(name, names);
    throw Error(ErrorCode::not_found, "there is no column " + quote(name),
                near.empty() ? "the file has " + quote(enumerate(names), 400) : near,
                path.string());
  }
  return found;
}

void ParquetReader::Impl::select(const std::vector<std::string>& names) {
  std::vector<std::int64_t> wanted;
  if (names.empty()) {
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (all[i].type != ParquetType::other) wanted.push_back(static_cast<std::int64_t>(i));
    }
  }
  for (const std::string& name : names) {
    const std::int64_t column = find(name);
    if (all[static_cast<std::size_t>(column)].type == ParquetType::other) {
      throw Error(ErrorCode::unsupported,
                  "column " + quote(name) + " is of type " +
                      quote(all[static_cast<std::size_t>(column)].stored, 120),
                  "text, numbers, times and lists of numbers are read", path.string());
    }
    if (std::find(wanted.begin(), wanted.end(), column) != wanted.end()) {
      refuse(path, "column " + quote(name) + " is asked for twice");
    }
    wanted.push_back(column);
  }
  for (const std::int64_t column : wanted) {
    selected.push_back(all[static_cast<std::size_t>(column)]);
  }
  arrays.resize(selected.size());
  SosiaParquetError error{};
  if (api.select(reader, wanted.data(), static_cast<std::int64_t>(wanted.size()), &error) < 0) {
    throw as_error(error, path);
  }
}

void ParquetReader::Impl::take(std::size_t index, std::size_t count,
                               ParquetBatch::Column& out) const {
  const SosiaParquetArray& from = arrays[index];
  const ParquetColumn& column = selected[index];
  out = {};
  if (from.present != nullptr &&
      std::find(from.present, from.present + count, 0) != from.present + count) {
    out.present.assign(from.present, from.present + count);
  }
  switch (column.type) {
    case ParquetType::text:
      for (std::size_t i = 0; i < count; ++i) {
        out.texts.emplace_back(from.text + from.offsets[i], from.text + from.offsets[i + 1]);
        if (!valid_utf8(out.texts.back())) {
          throw Error(ErrorCode::corrupt_data,
                      "column " + quote(column.name) +
                          " holds text that is not UTF-8: " + quote(out.texts.back()),
                      {}, path.string());
        }
      }
      break;
    case ParquetType::integer:
    case ParquetType::time:
      out.integers.assign(from.integers, from.integers + count);
      break;
    case ParquetType::real:
      out.reals.assign(from.reals, from.reals + count);
      break;
    case ParquetType::floats:
      out.floats.assign(from.floats, from.floats + count * static_cast<std::size_t>(from.width));
      break;
    case ParquetType::other:
      break;
  }
}

ParquetReader::ParquetReader(const fs::path& path, const ParquetReadOptions& options)
    : impl_(std::make_unique<Impl>(path)) {
  if (options.batch_rows == 0 || options.max_bytes == 0 ||
      options.max_bytes > std::numeric_limits<std::int64_t>::max()) {
    refuse(path, "batch_rows and max_bytes must be positive");
  }
  // The system's own words for what cannot be opened.
  std::error_code failed;
  if (!fs::exists(path, failed)) {
    throw Error(ErrorCode::not_found, quote(path.string(), 200) + " does not exist");
  }
  if (!fs::is_regular_file(path, failed)) {
    throw Error(ErrorCode::io, quote(path.string(), 200) + " is no file");
  }
  SosiaParquetError error{};
  impl_->reader = impl_->api.open(path.c_str(), static_cast<std::int64_t>(options.batch_rows),
                                  static_cast<std::int64_t>(options.max_bytes), &error);
  if (impl_->reader == nullptr) throw as_error(error, path);
  impl_->rows = static_cast<std::uint64_t>(impl_->api.rows(impl_->reader));
  impl_->list_columns();
  impl_->select(options.columns);
}

ParquetReader::~ParquetReader() = default;
ParquetReader::ParquetReader(ParquetReader&&) noexcept = default;
ParquetReader& ParquetReader::operator=(ParquetReader&&) noexcept = default;

const std::vector<ParquetColumn>& ParquetReader::columns() const noexcept {
  return impl_->selected;
}

const std::vector<ParquetColumn>& ParquetReader::file_columns() const noexcept {
  return impl_->all;
}

std::optional<std::size_t> ParquetReader::find_column(std::string_view name) const {
  for (std::size_t i = 0; i < impl_->selected.size(); ++i) {
    if (impl_->selected[i].name == name) return i;
  }
  return std::nullopt;
}

std::uint64_t ParquetReader::rows() const noexcept {
  return impl_->rows;
}

bool ParquetReader::next(ParquetBatch& batch) {
  batch.rows = 0;
  batch.columns.resize(impl_->selected.size());
  if (impl_->selected.empty()) return false;
  SosiaParquetError error{};
  const std::int64_t count = impl_->api.next(impl_->reader, impl_->arrays.data(), &error);
  if (count < 0) throw as_error(error, impl_->path);
  if (count == 0) {
    if (impl_->read != impl_->rows) {
      throw Error(ErrorCode::corrupt_data,
                  "the file announces " + std::to_string(impl_->rows) + " rows, but has " +
                      std::to_string(impl_->read),
                  {}, impl_->path.string());
    }
    return false;
  }
  batch.rows = static_cast<std::size_t>(count);
  for (std::size_t i = 0; i < impl_->selected.size(); ++i) {
    ParquetColumn& column = impl_->selected[i];
    impl_->take(i, batch.rows, batch.columns[i]);
    if (column.type != ParquetType::floats) continue;
    const auto width = static_cast<std::size_t>(impl_->arrays[i].width);
    const auto& present = batch.columns[i].present;
    const bool empty =
        !present.empty() && std::find(present.begin(), present.end(), 1) == present.end();
    if (empty) {  // no row tells the width
      batch.columns[i].floats.assign(batch.rows * column.width, 0.0f);
      continue;
    }
    if (column.width == 0) column.width = width;
    if (width != column.width || width == 0) {
      throw Error(ErrorCode::corrupt_data,
                  "column " + quote(column.name) + " holds vectors of " +
                      std::to_string(column.width) + " and of " + std::to_string(width) +
                      " elements",
                  {}, impl_->path.string());
    }
  }
  impl_->read += batch.rows;
  return true;
}

// --- writing ---

struct ParquetWriter::Impl {
  const SosiaParquetApi& api = require_module();
  std::vector<ParquetColumn> columns;
  AtomicFile file;
  SosiaParquetWriter* writer = nullptr;

  Impl(const fs::path& path, std::vector<ParquetColumn> c, Overwrite overwrite)
      : columns(std::move(c)), file(path, overwrite) {}
  ~Impl() {
    if (writer != nullptr) api.close_writer(writer);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
};

ParquetWriter::ParquetWriter(const fs::path& path, std::vector<ParquetColumn> columns,
                             const ParquetWriteOptions& options) {
  std::set<std::string> names;
  for (const ParquetColumn& column : columns) {
    if (column.name.empty() || !valid_utf8(column.name)) {
      refuse(path, quote(column.name) + " is no name of a column");
    }
    if (!names.insert(column.name).second) {
      refuse(path, "two columns have the name " + quote(column.name));
    }
    if (column.type == ParquetType::other) {
      refuse(path, "column " + quote(column.name) + " has no type that can be written");
    }
    if (column.type == ParquetType::floats &&
        (column.width == 0 || column.width > std::numeric_limits<std::int32_t>::max())) {
      refuse(path, "column " + quote(column.name) + " has vectors of " +
                       std::to_string(column.width) + " elements");
    }
  }
  if (columns.empty()) refuse(path, "a table without columns");
  impl_ = std::make_unique<Impl>(path, std::move(columns), options.overwrite);
  std::vector<SosiaParquetColumn> raw;
  for (const ParquetColumn& column : impl_->columns) {
    raw.push_back({column.name.c_str(), raw_type(column.type),
                   static_cast<std::int64_t>(column.width), nullptr});
  }
  SosiaParquetError error{};
  impl_->writer =
      impl_->api.create(impl_->file.temporary_path().c_str(), raw.data(),
                        static_cast<std::int64_t>(raw.size()), options.compress ? 1 : 0, &error);
  if (impl_->writer == nullptr) throw as_error(error, path);
}

ParquetWriter::~ParquetWriter() = default;
ParquetWriter::ParquetWriter(ParquetWriter&&) noexcept = default;
ParquetWriter& ParquetWriter::operator=(ParquetWriter&&) noexcept = default;

void ParquetWriter::write(const ParquetBatch& batch) {
  const fs::path& path = impl_->file.temporary_path();
  if (batch.columns.size() != impl_->columns.size()) {
    refuse(path, "a batch of " + std::to_string(batch.columns.size()) + " columns for a table of " +
                     std::to_string(impl_->columns.size()));
  }
  std::vector<SosiaParquetArray> arrays;
  std::vector<std::vector<std::int64_t>> offsets(batch.columns.size());
  std::vector<std::string> texts(batch.columns.size());
  for (std::size_t c = 0; c < batch.columns.size(); ++c) {
    const ParquetBatch::Column& from = batch.columns[c];
    const ParquetColumn& column = impl_->columns[c];
    const std::size_t values =
        column.type == ParquetType::text ? from.texts.size()
        : column.type == ParquetType::integer || column.type == ParquetType::time
            ? from.integers.size()
        : column.type == ParquetType::real ? from.reals.size()
                                           : from.floats.size();
    const std::size_t each = column.type == ParquetType::floats ? column.width : 1;
    if (values != batch.rows * each ||
        (!from.present.empty() && from.present.size() != batch.rows)) {
      refuse(path, "column " + quote(column.name) + " has " + std::to_string(values) +
                       " values for " + std::to_string(batch.rows) + " rows");
    }
    if (column.type == ParquetType::text) {
      offsets[c].push_back(0);
      for (const std::string& text : from.texts) {
        if (!valid_utf8(text)) {
          refuse(path, "column " + quote(column.name) + ": " + quote(text) + " is not UTF-8");
        }
        texts[c] += text;
        offsets[c].push_back(static_cast<std::int64_t>(texts[c].size()));
      }
    }
    arrays.push_back({from.present.empty() ? nullptr : from.present.data(), offsets[c].data(),
                      texts[c].data(), from.integers.data(), from.reals.data(), from.floats.data(),
                      static_cast<std::int64_t>(column.width)});
  }
  SosiaParquetError error{};
  if (impl_->api.write(impl_->writer, arrays.data(), static_cast<std::int64_t>(batch.rows),
                       &error) < 0) {
    throw as_error(error, path);
  }
}

void ParquetWriter::commit() {
  SosiaParquetError error{};
  if (impl_->api.finish(impl_->writer, &error) < 0) {
    throw as_error(error, impl_->file.temporary_path());
  }
  impl_->file.commit();
}

}  // namespace sosia::formats

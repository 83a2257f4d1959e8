#include "sosia/gallery/sink.hpp"

#include "gallery/parquet_rows.hpp"
#include "gallery/system.hpp"
#include "gallery/verb_parts.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/text.hpp"
#include "sosia/core/value.hpp"
#include "sosia/formats/csv.hpp"
#include "sosia/formats/npy.hpp"

#include <array>
#include <span>

#include <fmt/format.h>

namespace sosia::gallery {

namespace fs = std::filesystem;

namespace {

class JsonlSink final : public TemplateSink {
 public:
  JsonlSink(const std::string& path, Overwrite overwrite) : path_(path), file_(path, overwrite) {}
  void add(const StoredTemplate& t) override {
    Value line = Value::object({{"template", t.id}, {"label", t.label}});
    if (!t.tenant.empty()) line.set("tenant", t.tenant);
    if (!t.camera.empty()) line.set("camera", t.camera);
    if (t.time_ms) line.set("time", format_time(*t.time_ms));
    if (t.quality) line.set("quality", *t.quality);
    if (!t.origin.empty()) line.set("origin", t.origin);
    if (!t.metadata.is_null()) line.set("metadata", t.metadata);
    Value::List numbers;
    numbers.reserve(t.vector.size());
    for (const float v : t.vector) numbers.emplace_back(v);
    line.set("vector", Value(std::move(numbers)));
    file_.write(to_json(line, -1) + "\n");
  }
  std::vector<fs::path> finish() override {
    file_.commit();
    return {path_};
  }

 private:
  fs::path path_;
  AtomicFile file_;
};

class ParquetSink final : public TemplateSink {
 public:
  ParquetSink(const std::string& path, std::size_t dimension, Overwrite overwrite)
      : path_(path), table_(path, dimension, overwrite) {}
  void add(const StoredTemplate& t) override { table_.add(t); }
  std::vector<fs::path> finish() override {
    table_.finish();
    return {path_};
  }

 private:
  fs::path path_;
  ParquetTemplates table_;
};

/// Everything but the vector, row by row.
constexpr std::array<const char*, 8> kColumns = {"template", "label",   "tenant", "camera",
                                                 "time",     "quality", "origin", "metadata"};

std::vector<std::string> csv_header(std::size_t numbers) {
  std::vector<std::string> header(kColumns.begin(), kColumns.end());
  for (std::size_t i = 0; i < numbers; ++i) header.push_back("v" + std::to_string(i));
  return header;
}

void write_columns(formats::CsvWriter& csv, const StoredTemplate& t) {
  csv.field(t.id).field(t.label).field(t.tenant).field(t.camera);
  csv.field(t.time_ms ? format_time(*t.time_ms) : std::string());
  if (t.quality) {
    csv.field(*t.quality);
  } else {
    csv.field("");
  }
  csv.field(t.origin).field(t.metadata.is_null() ? std::string() : to_json(t.metadata, -1));
}

class CsvSink final : public TemplateSink {
 public:
  CsvSink(const std::string& path, std::size_t dimension, Overwrite overwrite)
      : path_(path), csv_(path, csv_header(dimension), {.overwrite = overwrite}) {}
  void add(const StoredTemplate& t) override {
    write_columns(csv_, t);
    for (const float v : t.vector) csv_.field(fmt::format("{}", v));
    csv_.end_record();
  }
  std::vector<fs::path> finish() override {
    csv_.commit();
    return {path_};
  }

 private:
  fs::path path_;
  formats::CsvWriter csv_;
};

class NpyCsvSink final : public TemplateSink {
 public:
  NpyCsvSink(const std::string& path, std::size_t dimension, Overwrite overwrite)
      : path_(path),
        labels_(fs::path(path).replace_extension(".csv")),
        dimension_(dimension),
        rows_(path, overwrite),
        csv_(labels_, csv_header(0), {.overwrite = overwrite}) {
    rows_.write(head(0));
  }
  void add(const StoredTemplate& t) override {
    rows_.write(std::as_bytes(std::span<const float>(t.vector)));
    write_columns(csv_, t);
    csv_.end_record();
    ++count_;
  }
  std::vector<fs::path> finish() override {
    // The number of rows is known now; the head has room for any.
    rewrite_head();
    rows_.commit();
    csv_.commit();
    return {path_, labels_};
  }

 private:
  static constexpr std::size_t kHeadBytes = 128;

  std::string head(std::size_t rows) const {
    std::string text = fmt::format(
        "{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}), }}", rows, dimension_);
    const std::size_t space = kHeadBytes - 10;
    text += std::string(space - 1 - text.size(), ' ') + "\n";
    return std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(space) + '\0' + text;
  }
  void rewrite_head();

  fs::path path_, labels_;
  std::size_t dimension_;
  AtomicFile rows_;
  formats::CsvWriter csv_;
  std::size_t count_ = 0;
};

void NpyCsvSink::rewrite_head() {
  const fs::path temporary = rows_.temporary_path();
  const std::string text = head(count_);
  write_at(open_in_place(temporary), 0, std::as_bytes(std::span(text)), temporary);
}

class NpzCsvSink final : public TemplateSink {
 public:
  NpzCsvSink(const std::string& path, std::size_t dimension, Overwrite overwrite)
      : path_(path),
        labels_(fs::path(path).replace_extension(".csv")),
        dimension_(dimension),
        overwrite_(overwrite),
        csv_(labels_, csv_header(0), {.overwrite = overwrite}) {
    check_writable(path_, overwrite);
  }
  void add(const StoredTemplate& t) override {
    vectors_.insert(vectors_.end(), t.vector.begin(), t.vector.end());
    write_columns(csv_, t);
    csv_.end_record();
  }
  std::vector<fs::path> finish() override {
    formats::NamedArrays arrays;
    const std::size_t rows = dimension_ == 0 ? 0 : vectors_.size() / dimension_;
    arrays.emplace_back("vectors",
                        formats::array_view(std::span<const float>(vectors_), {rows, dimension_}));
    formats::write_npz(path_, arrays, false, overwrite_);
    csv_.commit();
    return {path_, labels_};
  }

 private:
  fs::path path_, labels_;
  std::size_t dimension_;
  Overwrite overwrite_;
  formats::CsvWriter csv_;
  std::vector<float> vectors_;
};

}  // namespace

std::unique_ptr<TemplateSink> open_template_sink(const std::string& path, std::size_t dimension,
                                                 Overwrite overwrite) {
  const std::string ending = ascii_lower(fs::path(path).extension().string());
  if (ending == ".jsonl" || ending == ".ndjson") {
    return std::make_unique<JsonlSink>(path, overwrite);
  }
  if (ending == ".parquet") return std::make_unique<ParquetSink>(path, dimension, overwrite);
  if (ending == ".npy") return std::make_unique<NpyCsvSink>(path, dimension, overwrite);
  if (ending == ".npz") return std::make_unique<NpzCsvSink>(path, dimension, overwrite);
  if (ending == ".csv") return std::make_unique<CsvSink>(path, dimension, overwrite);
  throw Error(ErrorCode::usage, quote(path, 200) + " is of no kind that can be written",
              "name it .jsonl, .parquet, .npy, .npz or .csv");
}

}  // namespace sosia::gallery

#include "gallery/row_source.hpp"

#include "gallery/bytes.hpp"
#include "gallery/parquet_rows.hpp"
#include "gallery/verb_parts.hpp"
#include "sosia/core/text.hpp"
#include "sosia/formats/csv.hpp"
#include "sosia/formats/npy.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <unordered_set>

#include <fmt/format.h>

namespace sosia::gallery {

namespace fs = std::filesystem;

namespace {

/// One MB of text is refused as a label, row by row, not as a file.
formats::CsvOptions csv_options() {
  formats::CsvOptions options;
  options.max_field_bytes = std::size_t{16} << 20;
  options.max_record_bytes = std::size_t{64} << 20;
  return options;
}

constexpr std::array<std::string_view, 8> kColumns = {"label",  "camera", "time",     "quality",
                                                      "tenant", "origin", "metadata", "template"};

// --- npy and csv ---

/// The rows of a .npy file as floats, some at a time.
class VectorRows {
 public:
  explicit VectorRows(const std::string& path) : path_(path) {
    try {
      mapped_.emplace(path);
      view_ = mapped_->view();
    } catch (const Error& error) {
      // Fortran order or big-endian: as a copy.
      if (error.code() != ErrorCode::unsupported) throw;
      owned_ = formats::read_npy(path);
      view_ = owned_.view();
    }
    if (view_.shape.size() != 2 || view_.shape[1] == 0) {
      throw Error(
          ErrorCode::corrupt_data,
          "the array has shape " + formats::shape_text(view_.shape) + "; vectors are n x dimension",
          {}, path);
    }
    if (view_.dtype == formats::DType::c64) {
      throw Error(ErrorCode::unsupported, "the vectors are complex", {}, path);
    }
  }
  std::size_t count() const { return view_.shape[0]; }
  std::size_t dimension() const { return view_.shape[1]; }

  void read(std::size_t row, std::vector<float>& out) {
    constexpr std::size_t kBlock = 256;
    if (block_.empty() || row < first_ || row >= first_ + block_.size() / dimension()) {
      first_ = row;
      const std::size_t rows = std::min(kBlock, count() - row);
      const std::size_t bytes = dimension() * formats::item_size(view_.dtype);
      block_ = formats::to_f32(
          {view_.dtype, {rows, dimension()}, view_.bytes.subspan(row * bytes, rows * bytes)});
    }
    const auto begin = block_.begin() + static_cast<std::ptrdiff_t>((row - first_) * dimension());
    out.assign(begin, begin + static_cast<std::ptrdiff_t>(dimension()));
  }

 private:
  std::string path_;
  std::optional<formats::NpyFile> mapped_;
  formats::Array owned_;
  formats::ArrayView view_;
  std::vector<float> block_;
  std::size_t first_ = 0;
};

class NpyCsvSource final : public RowSource {
 public:
  NpyCsvSource(const std::string& vectors, const std::string& labels)
      : vectors_(vectors), reader_(labels, csv_options()) {
    for (std::size_t i = 0; i < kColumns.size(); ++i) {
      if (i == 0) {
        columns_[i] = reader_.column(kColumns[i]);
      } else {
        columns_[i] = reader_.find_column(kColumns[i]);
      }
    }
    for (const std::string& name : reader_.header()) {
      const std::string lower = ascii_lower(name);
      if (std::find(kColumns.begin(), kColumns.end(), lower) == kColumns.end()) {
        warnings_.push_back(labels + ": the column " + quote(name) + " is not used");
      }
    }
    // Labels that are one off would name every subject wrongly: counted before anything is done.
    formats::CsvReader counter(labels, csv_options());
    std::size_t rows = 0;
    while (counter.next()) ++rows;
    if (rows != vectors_.count()) {
      throw Error(ErrorCode::corrupt_data,
                  fmt::format("{} rows of labels for {} vectors", rows, vectors_.count()),
                  "both files need one row for each template, in the same order", labels);
    }
  }

  bool next(SourceRow& out) override {
    if (!reader_.next()) return false;
    out = SourceRow();
    out.where = reader_.where();
    Template& t = out.content;
    t.label = field(0);
    t.camera = field(1);
    t.tenant = field(4);
    t.origin = field(5);
    try {
      if (const auto text = trim(field(2)); !text.empty()) {
        t.time_ms = parse_time(text);
        if (!t.time_ms) out.problem = "the time " + quote(text) + " is no time";
      }
      if (!trim(field(3)).empty()) t.quality = reader_.real(*columns_[3]);
      if (const auto text = trim(field(6)); !text.empty())
        t.metadata = parse_json(text, "metadata");
      if (!trim(field(7)).empty()) out.number = reader_.integer(*columns_[7]);
    } catch (const Error& error) {
      out.problem = error.message();
    }
    vectors_.read(row_++, t.vector);
    return true;
  }
  std::uint64_t total() const override { return vectors_.count(); }
  std::size_t dimension() const override { return vectors_.dimension(); }
  std::vector<std::string> warnings() const override { return warnings_; }

 private:
  std::string_view field(std::size_t column) const {
    return columns_[column] ? reader_[*columns_[column]] : std::string_view();
  }

  VectorRows vectors_;
  formats::CsvReader reader_;
  std::array<std::optional<std::size_t>, kColumns.size()> columns_;
  std::vector<std::string> warnings_;
  std::size_t row_ = 0;
};

// --- JSON lines ---

constexpr std::size_t kMaxLineBytes = std::size_t{16} << 20;

void fill_from_json(const Value& line, SourceRow& out) {
  Template& t = out.content;
  const auto text = [&](std::string_view key, std::string& into) {
    if (const Value* value = line.find(key); value != nullptr && !value->is_null()) {
      into = value->as_text();
    }
  };
  t.label = line.at("label").as_text();
  text("camera", t.camera);
  text("tenant", t.tenant);
  text("origin", t.origin);
  if (const Value* time = line.find("time"); time != nullptr && !time->is_null()) {
    t.time_ms = parse_time(time->is_text() ? time->as_text() : to_json(*time, -1));
    if (!t.time_ms) out.problem = "the time " + quote(to_json(*time, -1)) + " is no time";
  }
  if (const Value* quality = line.find("quality"); quality != nullptr && !quality->is_null()) {
    t.quality = quality->as_real();
  }
  if (const Value* metadata = line.find("metadata")) t.metadata = *metadata;
  if (const Value* number = line.find("template"); number != nullptr && !number->is_null()) {
    out.number = number->as_integer();
  }
  const Value::List& numbers = line.at("vector").as_list();
  t.vector.reserve(numbers.size());
  for (const Value& number : numbers) t.vector.push_back(static_cast<float>(number.as_real()));
}

class JsonlSource final : public RowSource {
 public:
  explicit JsonlSource(const std::string& path) : file_(path), origin_(path) {
    bytes_ = file_->bytes();
  }
  JsonlSource(std::span<const std::byte> bytes, std::string origin)
      : bytes_(bytes), origin_(std::move(origin)) {}

  bool next(SourceRow& out) override {
    std::string_view line;
    do {
      if (at_ == bytes_.size()) return false;
      const auto rest = as_text(bytes_.subspan(at_));
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      line = rest.substr(0, end);
      at_ += std::min(end + 1, rest.size());
      ++number_;
    } while (trim(line).empty());
    out = SourceRow();
    out.where = origin_ + ": line " + std::to_string(number_);
    if (line.size() > kMaxLineBytes) {
      out.problem =
          fmt::format("the line has {} bytes; at most {} are read", line.size(), kMaxLineBytes);
      return true;
    }
    try {
      fill_from_json(parse_json(line, origin_), out);
    } catch (const Error& error) {
      out.problem = error.message();
    }
    return true;
  }

 private:
  std::optional<MappedFile> file_;
  std::span<const std::byte> bytes_;
  std::string origin_;
  std::size_t at_ = 0;
  std::uint64_t number_ = 0;
};

/// Passes rows on, but for a second row of the same number.
class DistinctSource final : public RowSource {
 public:
  explicit DistinctSource(std::unique_ptr<RowSource> source) : source_(std::move(source)) {}
  bool next(SourceRow& out) override {
    if (!source_->next(out)) return false;
    if (out.number && !seen_.insert(*out.number).second && out.problem.empty()) {
      out.problem = fmt::format("template {} stands twice in the file", *out.number);
    }
    return true;
  }
  std::uint64_t total() const override { return source_->total(); }
  std::size_t dimension() const override { return source_->dimension(); }
  std::vector<std::string> warnings() const override { return source_->warnings(); }

 private:
  std::unique_ptr<RowSource> source_;
  std::unordered_set<std::int64_t> seen_;
};

}  // namespace

std::unique_ptr<RowSource> distinct_rows(std::unique_ptr<RowSource> source) {
  return std::make_unique<DistinctSource>(std::move(source));
}

std::unique_ptr<RowSource> open_npy_csv(const std::string& vectors, const std::string& labels) {
  return distinct_rows(std::make_unique<NpyCsvSource>(vectors, labels));
}

std::unique_ptr<RowSource> open_jsonl(const std::string& path) {
  return distinct_rows(std::make_unique<JsonlSource>(path));
}

std::unique_ptr<RowSource> open_jsonl(std::span<const std::byte> bytes, std::string origin) {
  return distinct_rows(std::make_unique<JsonlSource>(bytes, std::move(origin)));
}

std::unique_ptr<RowSource> open_rows(const std::string& path) {
  const std::string ending = ascii_lower(fs::path(path).extension().string());
  if (ending == ".jsonl" || ending == ".ndjson") return open_jsonl(path);
  if (ending == ".parquet") return open_parquet(path);
  if (ending == ".npy")
    return open_npy_csv(path, fs::path(path).replace_extension(".csv").string());
  throw Error(
      ErrorCode::unsupported, quote(path, 200) + " is of no kind that can be imported",
      "give a .jsonl or .parquet file, or a .npy file with its labels in a .csv of the same name");
}

}  // namespace sosia::gallery

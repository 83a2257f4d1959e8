#include "gallery/parquet_rows.hpp"

#include "gallery/verb_parts.hpp"
#include "sosia/core/text.hpp"
#include "sosia/formats/parquet.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace sosia::gallery {
namespace {

using formats::ParquetBatch;
using formats::ParquetColumn;
using formats::ParquetReader;
using formats::ParquetType;

/// In the order in which they are written.
enum Column : std::size_t {
  kTemplate,
  kLabel,
  kTenant,
  kCamera,
  kTime,
  kQuality,
  kOrigin,
  kMetadata,
  kVector,
  kCount
};
constexpr std::array<std::string_view, kCount> kNames = {
    "template", "label", "tenant", "camera", "time", "quality", "origin", "metadata", "vector"};
constexpr std::size_t kBatchRows = 1024;

ParquetType written_type(std::size_t column) {
  switch (column) {
    case kTemplate:
      return ParquetType::integer;
    case kTime:
      return ParquetType::time;
    case kQuality:
      return ParquetType::real;
    case kVector:
      return ParquetType::floats;
    default:
      return ParquetType::text;
  }
}

bool readable(std::size_t column, ParquetType type) {
  if (column == kTime) return type != ParquetType::floats && type != ParquetType::other;
  if (column == kQuality) return type == ParquetType::real || type == ParquetType::integer;
  return type == written_type(column);
}

class ParquetSource final : public RowSource {
 public:
  explicit ParquetSource(const std::string& path)
      : path_(path), reader_(path, {.batch_rows = kBatchRows}) {
    for (std::size_t i = 0; i < kNames.size(); ++i) {
      at_[i] = reader_.find_column(kNames[i]);
      if (!at_[i] && (i == kLabel || i == kVector)) {
        throw Error(ErrorCode::corrupt_data,
                    fmt::format("the table has no column {} that can be read", kNames[i]),
                    "it needs label (text) and vector (lists of numbers)", path);
      }
      if (at_[i] && !readable(i, reader_.columns()[*at_[i]].type)) {
        throw Error(ErrorCode::corrupt_data,
                    fmt::format("column {} is of type {}", kNames[i],
                                quote(reader_.columns()[*at_[i]].stored)),
                    fmt::format("it should be {}", parquet_type_name(written_type(i))), path);
      }
    }
    for (const ParquetColumn& column : reader_.file_columns()) {
      if (std::find(kNames.begin(), kNames.end(), column.name) == kNames.end()) {
        warnings_.push_back(path + ": the column " + quote(column.name) + " is not used");
      }
    }
  }

  bool next(SourceRow& out) override {
    while (row_ == batch_.rows) {
      row_ = 0;
      if (!reader_.next(batch_)) return false;
    }
    out = SourceRow();
    out.where = fmt::format("{}: row {}", path_, number_++);
    fill(out);
    ++row_;
    return true;
  }
  std::uint64_t total() const override { return reader_.rows(); }
  /// Each row may lack its vector: known only with the first one.
  std::vector<std::string> warnings() const override { return warnings_; }

 private:
  const ParquetBatch::Column* value(std::size_t column) const {
    if (!at_[column] || !batch_.columns[*at_[column]].has(row_)) return nullptr;
    return &batch_.columns[*at_[column]];
  }
  std::string text(std::size_t column) const {
    const auto* found = value(column);
    return found == nullptr ? std::string() : found->texts[row_];
  }
  ParquetType type(std::size_t column) const { return reader_.columns()[*at_[column]].type; }

  void fill_time(SourceRow& out) const {
    const auto* found = value(kTime);
    if (found == nullptr) return;
    std::string shown;
    switch (type(kTime)) {
      case ParquetType::time:
        out.content.time_ms = found->integers[row_];
        return;
      case ParquetType::text:
        shown = found->texts[row_];
        break;
      case ParquetType::real:
        shown = fmt::format("{}", found->reals[row_]);
        break;
      default:
        shown = std::to_string(found->integers[row_]);
    }
    if (trim(shown).empty()) return;
    out.content.time_ms = parse_time(trim(shown));
    if (!out.content.time_ms) out.problem = "the time " + quote(shown) + " is no time";
  }

  void fill(SourceRow& out) const {
    Template& t = out.content;
    t.label = text(kLabel);
    t.tenant = text(kTenant);
    t.camera = text(kCamera);
    t.origin = text(kOrigin);
    try {
      fill_time(out);
      if (const auto* quality = value(kQuality)) {
        t.quality = type(kQuality) == ParquetType::real
                        ? quality->reals[row_]
                        : static_cast<double>(quality->integers[row_]);
      }
      if (const std::string json = text(kMetadata); !trim(json).empty()) {
        t.metadata = parse_json(json, "metadata");
      }
    } catch (const Error& error) {
      out.problem = error.message();
    }
    if (const auto* number = value(kTemplate)) out.number = number->integers[row_];
    const std::size_t width = reader_.columns()[*at_[kVector]].width;
    if (const auto* vector = value(kVector)) {
      const auto begin = vector->floats.begin() + static_cast<std::ptrdiff_t>(row_ * width);
      t.vector.assign(begin, begin + static_cast<std::ptrdiff_t>(width));
    } else if (out.problem.empty()) {
      out.problem = "the vector is missing";
    }
  }

  std::string path_;
  ParquetReader reader_;
  std::array<std::optional<std::size_t>, kCount> at_;
  std::vector<std::string> warnings_;
  ParquetBatch batch_;
  std::size_t row_ = 0;
  std::uint64_t number_ = 0;
};

}  // namespace

std::unique_ptr<RowSource> open_parquet(const std::string& path) {
  return distinct_rows(std::make_unique<ParquetSource>(path));
}

struct ParquetTemplates::Impl {
  formats::ParquetWriter writer;
  ParquetBatch batch;

  static std::vector<ParquetColumn> columns(std::size_t dimension) {
    std::vector<ParquetColumn> out;
    for (std::size_t i = 0; i < kNames.size(); ++i) {
      out.push_back({.name = std::string(kNames[i]),
                     .type = written_type(i),
                     .width = i == kVector ? dimension : 0});
    }
    return out;
  }
  void begin() {
    batch = {};
    batch.columns.resize(kCount);
  }
};

ParquetTemplates::ParquetTemplates(const std::string& path, std::size_t dimension,
                                   Overwrite overwrite)
    : impl_(std::make_unique<Impl>(Impl{
          formats::ParquetWriter(path, Impl::columns(dimension), {.overwrite = overwrite}), {}})) {
  impl_->begin();
}

ParquetTemplates::~ParquetTemplates() = default;

void ParquetTemplates::add(const StoredTemplate& t) {
  auto& columns = impl_->batch.columns;
  const auto put_text = [&](std::size_t column, const std::string& text) {
    columns[column].texts.push_back(text);
    columns[column].present.push_back(text.empty() ? 0 : 1);
  };
  columns[kTemplate].integers.push_back(t.id);
  put_text(kLabel, t.label);
  put_text(kTenant, t.tenant);
  put_text(kCamera, t.camera);
  columns[kTime].integers.push_back(t.time_ms.value_or(0));
  columns[kTime].present.push_back(t.time_ms ? 1 : 0);
  columns[kQuality].reals.push_back(t.quality.value_or(0));
  columns[kQuality].present.push_back(t.quality ? 1 : 0);
  put_text(kOrigin, t.origin);
  put_text(kMetadata, t.metadata.is_null() ? std::string() : to_json(t.metadata, -1));
  columns[kVector].floats.insert(columns[kVector].floats.end(), t.vector.begin(), t.vector.end());
  if (++impl_->batch.rows == kBatchRows) {
    impl_->writer.write(impl_->batch);
    impl_->begin();
  }
}

void ParquetTemplates::finish() {
  if (impl_->batch.rows > 0) impl_->writer.write(impl_->batch);
  impl_->writer.commit();
}

}  // namespace sosia::gallery

#include "sosia/core/report.hpp"

#include "core/report_parts.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/text.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

namespace sosia {

namespace {

constexpr std::array<std::string_view, 7> kReservedKeys{
    "schema", "intervals", "plots", "pictures", "gates", "verdict", "warnings"};

[[noreturn]] void refuse(std::string message) {
  throw Error(ErrorCode::internal, std::move(message),
              "this is a bug in the verb that built the report");
}

void refuse_duplicates(std::string_view what, const std::string& owner,
                       std::vector<std::string> keys) {
  std::sort(keys.begin(), keys.end());
  const auto twice = std::adjacent_find(keys.begin(), keys.end());
  if (twice != keys.end()) {
    refuse(fmt::format("{} {}: the key {} appears twice", what, quote(owner), quote(*twice)));
  }
}

std::string row_length_message(const Table& table, std::size_t row, std::size_t cells) {
  return fmt::format("table {}: row {} has {} cells for {} columns", quote(table.key), row, cells,
                     table.columns.size());
}

/// "1.235e-05" -> "1.235e-5", "2.500e+07" -> "2.5e7"
std::string short_scientific(double v) {
  const std::string text = fmt::format("{:.3e}", v);
  const std::size_t e = text.find('e');
  std::string mantissa = text.substr(0, e);
  while (mantissa.ends_with('0')) mantissa.pop_back();
  if (mantissa.ends_with('.')) mantissa.pop_back();
  long long exponent = 0;
  parse_integer(std::string_view(text).substr(e + 1), exponent);
  return fmt::format("{}e{}", mantissa, exponent);
}

std::string format_real(double v) {
  if (std::isnan(v)) return "-";
  if (std::isinf(v)) return v > 0 ? "inf" : "-inf";
  const double size = std::abs(v);
  if (size == 0) return "0";
  if (size < 1e-4 || size >= 1e7) return short_scientific(v);
  if (v == std::trunc(v)) return fmt::format("{:.0f}", v);
  if (size >= 1000) return fmt::format("{:.0f}", v);
  std::string text = fmt::format("{:.4g}", v);
  // A figure that rounding made whole keeps its zeros: 0.99996 is "1.000", not a perfect "1".
  if (text.find('.') == std::string::npos && text.size() < 4 + (v < 0)) {
    text = fmt::format("{:#.4g}", v);
  }
  return text;
}

}  // namespace

void Table::add(std::vector<Value> row) {
  if (row.size() != columns.size()) refuse(row_length_message(*this, rows.size(), row.size()));
  rows.push_back(std::move(row));
}

Report::Report(std::string name, std::string title, int schema_version)
    : name_(std::move(name)), title_(std::move(title)), schema_version_(schema_version) {}

void Report::claim_key(std::string_view space, const std::string& key) {
  if (key.empty()) refuse("a part of the report " + quote(name_) + " has an empty key");
  const bool is_member = space.empty();
  if (is_member &&
      std::find(kReservedKeys.begin(), kReservedKeys.end(), key) != kReservedKeys.end()) {
    refuse("report " + quote(name_) + ": the key " + quote(key) + " is reserved");
  }
  std::string claimed = is_member ? key : std::string(space) + '\n' + key;
  if (std::find(keys_.begin(), keys_.end(), claimed) != keys_.end()) {
    refuse("report " + quote(name_) + ": the key " + quote(key) + " appears twice");
  }
  keys_.push_back(std::move(claimed));
}

Report& Report::scalar(Scalar scalar) {
  claim_key("", scalar.key);
  parts_.push_back({Kind::scalar, scalars_.size()});
  scalars_.push_back(std::move(scalar));
  return *this;
}

Report& Report::scalar(std::string key, Value value, std::string label, std::string note) {
  return scalar(
      Scalar{std::move(key), std::move(label), std::move(value), "", {}, std::move(note)});
}

Report& Report::group(std::string key, std::string label,
                      std::vector<std::pair<std::string, Value>> items, std::string note) {
  std::vector<std::string> keys;
  for (const auto& [item, value] : items) keys.push_back(item);
  refuse_duplicates("group", key, std::move(keys));
  claim_key("", key);
  parts_.push_back({Kind::group, groups_.size()});
  groups_.push_back({std::move(key), std::move(label), std::move(items), std::move(note)});
  return *this;
}

Table& Report::table(std::string key, std::string title, std::vector<Column> columns,
                     std::string note) {
  std::vector<std::string> keys;
  for (const Column& column : columns) keys.push_back(column.key);
  refuse_duplicates("table", key, std::move(keys));
  claim_key("", key);
  parts_.push_back({Kind::table, tables_.size()});
  return tables_.emplace_back(
      Table{std::move(key), std::move(title), std::move(columns), {}, std::move(note)});
}

Plot& Report::plot(Plot plot) {
  claim_key("plots", plot.key);
  parts_.push_back({Kind::plot, plots_.size()});
  return plots_.emplace_back(std::move(plot));
}

Report& Report::pictures(PictureRow row) {
  for (const Picture& picture : row.pictures) {
    if (picture.media_type != "image/png" && picture.media_type != "image/jpeg") {
      refuse("pictures " + quote(row.key) + ": the media type " + quote(picture.media_type) +
             " is neither image/png nor image/jpeg");
    }
  }
  claim_key("pictures", row.key);
  parts_.push_back({Kind::pictures, picture_rows_.size()});
  picture_rows_.push_back(std::move(row));
  return *this;
}

Report& Report::data(std::string key, Value value) {
  claim_key("", key);
  parts_.push_back({Kind::data, data_.size()});
  data_.emplace_back(std::move(key), std::move(value));
  return *this;
}

Report& Report::text(std::string paragraph) {
  parts_.push_back({Kind::text, texts_.size()});
  texts_.push_back(std::move(paragraph));
  return *this;
}

Report& Report::warning(std::string sentence) {
  warnings_.push_back(std::move(sentence));
  return *this;
}

Report& Report::verdict(std::string sentence) {
  verdict_ = std::move(sentence);
  return *this;
}

Report& Report::gate(std::string name, bool passed, std::string detail) {
  gates_.push_back({std::move(name), passed, std::move(detail)});
  return *this;
}

bool Report::gates_passed() const noexcept {
  return std::all_of(gates_.begin(), gates_.end(), [](const Gate& gate) { return gate.passed; });
}

std::string format_figure(const Value& value) {
  switch (value.type()) {
    case Value::Type::null:
      return "-";
    case Value::Type::boolean:
      return value.as_boolean() ? "yes" : "no";
    case Value::Type::integer:
      return fmt::format("{}", value.as_integer());
    case Value::Type::real:
      return format_real(value.as_real());
    case Value::Type::text:
      return value.as_text();
    case Value::Type::list: {
      std::string text;
      for (const Value& item : value.as_list()) {
        if (!text.empty()) text += ", ";
        text += item.is_list() || item.is_object() ? to_json(item, -1) : format_figure(item);
      }
      return text.empty() ? "-" : text;
    }
    case Value::Type::object:
      return to_json(value, -1);
  }
  return "-";
}

namespace report {

void check_shapes(const Report& report) {
  for (const Table& table : report.tables()) {
    for (std::size_t i = 0; i < table.rows.size(); ++i) {
      if (table.rows[i].size() != table.columns.size()) {
        refuse(row_length_message(table, i, table.rows[i].size()));
      }
    }
  }
  for (const Plot& plot : report.plots()) {
    for (const Series& series : plot.series) {
      if (series.x.size() != series.y.size()) {
        refuse(fmt::format("plot {}: series {} has {} x for {} y", quote(plot.key),
                           quote(series.name), series.x.size(), series.y.size()));
      }
    }
  }
}

const std::string& label_of(const std::string& key, const std::string& label) {
  return label.empty() ? key : label;
}

std::string interval_text(const Interval& interval) {
  return fmt::format("[{}, {}]", format_figure(interval.low), format_figure(interval.high));
}

std::vector<std::string> interval_notes(const std::vector<const Scalar*>& scalars) {
  std::vector<std::string> notes;
  bool all_same = true;
  const auto describe = [](const Interval& interval) {
    const std::string level = format_figure(interval.level * 100) + "%";
    return interval.method.empty() ? level : level + ", " + interval.method;
  };
  for (const Scalar* scalar : scalars) {
    if (!scalar->interval) continue;
    notes.push_back(describe(*scalar->interval));
    all_same = all_same && notes.back() == notes.front();
  }
  if (notes.empty()) return {};
  if (all_same) return {"intervals: " + notes.front()};
  notes.clear();
  for (const Scalar* scalar : scalars) {
    if (!scalar->interval) continue;
    notes.push_back("interval of " + label_of(scalar->key, scalar->label) + ": " +
                    describe(*scalar->interval));
  }
  return notes;
}

bool is_numeric_column(const Table& table, std::size_t column) {
  bool any = false;
  for (const std::vector<Value>& row : table.rows) {
    if (row[column].is_number()) {
      any = true;
    } else if (!row[column].is_null()) {
      return false;
    }
  }
  return any;
}

Glyph glyph_at(std::string_view text, std::size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  if (lead < 0x80) return {text.substr(at, 1), lead, true};
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  const std::string_view bytes = text.substr(at, length);
  if (!valid_utf8(bytes)) return {text.substr(at, 1), lead, false};
  char32_t point = lead & (0x7fu >> length);
  for (const char byte : bytes.substr(1)) {
    point = (point << 6) | (static_cast<unsigned char>(byte) & 0x3fu);
  }
  return {bytes, point, true};
}

bool is_control(char32_t point) {
  return point < 0x20 || (point >= 0x7f && point <= 0x9f) || point == 0x2028 || point == 0x2029 ||
         (point >= 0x202a && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069);
}

}  // namespace report

}  // namespace sosia

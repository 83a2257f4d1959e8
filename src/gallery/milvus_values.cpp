// Columns of Milvus' answers, and literals of its expressions.

#include "gallery/milvus_client.hpp"
#include "sosia/core/text.hpp"

#include <charconv>

#include <fmt/format.h>

namespace sosia::gallery::milvus {
namespace {

/// The list under {"Field": {"Scalars": {"Data": {"LongData": {"data": [...]}}}}}, or nullptr.
/// protobuf's JSON leaves empty lists out.
const Value* inner_list(const Value& data, std::string_view kind) {
  const Value* typed = data.find(kind);
  const Value* list = typed == nullptr ? nullptr : typed->find("data");
  return list != nullptr && list->is_list() ? list : nullptr;
}

const Value* path(const Value* value, std::initializer_list<std::string_view> keys) {
  for (const std::string_view key : keys) {
    value = value == nullptr ? nullptr : value->find(key);
  }
  return value;
}

}  // namespace

Columns::Columns(const Value& fields_data) {
  bool first = true;
  for (const Value& field : fields_data.as_list()) {
    Column column;
    std::size_t rows = 0;
    if (const Value* data = path(&field, {"Field", "Scalars", "Data"})) {
      if (const Value* list = inner_list(*data, "LongData")) {
        for (const Value& v : list->as_list()) column.integers.push_back(v.as_integer());
      } else if (const Value* reals = inner_list(*data, "DoubleData")) {
        for (const Value& v : reals->as_list()) column.reals.push_back(v.as_real());
      } else if (const Value* texts = inner_list(*data, "StringData")) {
        for (const Value& v : texts->as_list()) column.texts.push_back(v.as_text());
      } else if (const Value* flags = inner_list(*data, "BoolData")) {
        for (const Value& v : flags->as_list()) column.integers.push_back(v.as_boolean() ? 1 : 0);
      }
      rows = column.integers.size() + column.reals.size() + column.texts.size();
    } else if (const Value* vectors = path(&field, {"Field", "Vectors"})) {
      column.dimension = static_cast<std::size_t>(vectors->at("dim").as_integer());
      if (const Value* list = path(vectors, {"Data", "FloatVector", "data"})) {
        column.floats.reserve(list->as_list().size());
        for (const Value& v : list->as_list()) {
          column.floats.push_back(static_cast<float>(v.as_real()));
        }
      }
      if (column.dimension == 0 || column.floats.size() % column.dimension != 0) {
        throw Error(ErrorCode::corrupt_data, "the Milvus server sent half a vector");
      }
      rows = column.floats.size() / column.dimension;
    }
    const std::string name = field.at("field_name").as_text();
    if (!first && rows != size_) {
      throw Error(ErrorCode::corrupt_data,
                  fmt::format("the Milvus server sent {} values of {} and {} of others", rows,
                              quote(name), size_));
    }
    first = false;
    size_ = rows;
    columns_[name] = std::move(column);
  }
}

const Columns::Column& Columns::find(const std::string& name) const {
  const auto found = columns_.find(name);
  if (found == columns_.end()) {
    throw Error(ErrorCode::corrupt_data,
                fmt::format("the Milvus server left out the field {}", quote(name)));
  }
  return found->second;
}

namespace {

[[noreturn]] void other_kind(const std::string& name) {
  throw Error(ErrorCode::corrupt_data,
              fmt::format("the Milvus server sent {} in another type than asked for", quote(name)));
}

}  // namespace

const std::vector<std::int64_t>& Columns::integers(const std::string& name) const {
  const Column& column = find(name);
  if (column.integers.size() != size_) other_kind(name);
  return column.integers;
}

const std::vector<double>& Columns::reals(const std::string& name) const {
  const Column& column = find(name);
  if (column.reals.size() != size_) other_kind(name);
  return column.reals;
}

const std::vector<std::string>& Columns::texts(const std::string& name) const {
  const Column& column = find(name);
  if (column.texts.size() != size_) other_kind(name);
  return column.texts;
}

bool Columns::boolean(const std::string& name, std::size_t row) const {
  return integers(name).at(row) != 0;
}

std::span<const float> Columns::vector(const std::string& name, std::size_t row) const {
  const Column& column = find(name);
  if (column.dimension == 0 || (row + 1) * column.dimension > column.floats.size()) {
    other_kind(name);
  }
  return std::span(column.floats).subspan(row * column.dimension, column.dimension);
}

std::string literal(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

std::string literal(std::span<const std::int64_t> numbers) {
  std::string out = "[";
  for (const std::int64_t number : numbers) {
    if (out.size() > 1) out += ',';
    out += std::to_string(number);
  }
  return out + "]";
}

std::string literal(std::span<const std::string> texts) {
  std::string out = "[";
  for (const std::string& text : texts) {
    if (out.size() > 1) out += ',';
    out += literal(text);
  }
  return out + "]";
}

void append_vector(std::string& out, std::span<const float> vector) {
  char buffer[32];
  out += '[';
  for (std::size_t i = 0; i < vector.size(); ++i) {
    if (i > 0) out += ',';
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, vector[i]);
    out.append(buffer, end.ptr);
  }
  out += ']';
}

}  // namespace sosia::gallery::milvus

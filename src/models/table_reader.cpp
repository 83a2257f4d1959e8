#include "models/table_reader.hpp"

#include "sosia/core/error.hpp"
#include "sosia/core/text.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace sosia::models {

TableReader::TableReader(const Value& table, std::string path)
    : table_(table), path_(std::move(path)) {
  if (!table.is_object()) {
    throw Error(ErrorCode::corrupt_data, fmt::format("{} must be a table", path_));
  }
}

std::string TableReader::path_of(std::string_view key) const {
  return path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key);
}

const Value* TableReader::take(std::string_view key) {
  known_.emplace_back(key);
  return table_.find(key);
}

void TableReader::refuse_type(std::string_view key, std::string_view wanted,
                              const Value& value) const {
  throw Error(ErrorCode::corrupt_data, fmt::format("{} must be {}, but is of type {}", path_of(key),
                                                   wanted, type_name(value.type())));
}

void TableReader::refuse_choice(std::string_view key, const std::string& word,
                                const std::vector<std::string>& names) const {
  const std::string near = did_you_mean(word, names);
  throw Error(
      ErrorCode::corrupt_data,
      fmt::format("{} cannot be {}: it is {}", path_of(key), quote(word), enumerate(names, "or")),
      near);
}

void TableReader::text(std::string_view key, std::string& member) {
  const Value* value = take(key);
  if (value == nullptr) return;
  if (!value->is_text()) refuse_type(key, "text", *value);
  member = value->as_text();
}

void TableReader::word(std::string_view key, std::string& member,
                       const std::vector<std::string>& names) {
  text(key, member);
  if (!member.empty() && std::find(names.begin(), names.end(), member) == names.end()) {
    refuse_choice(key, member, names);
  }
}

void TableReader::required_text(std::string_view key, std::string& member) {
  text(key, member);
  if (!has(key)) {
    throw Error(ErrorCode::corrupt_data, fmt::format("the key {} is missing", path_of(key)));
  }
}

void TableReader::flag(std::string_view key, bool& member) {
  const Value* value = take(key);
  if (value == nullptr) return;
  if (value->type() != Value::Type::boolean) refuse_type(key, "true or false", *value);
  member = value->as_boolean();
}

double TableReader::checked(const Value& value, std::string_view key, double low,
                            double high) const {
  if (!value.is_number()) refuse_type(key, "a number", value);
  const double number = value.as_real();
  if (!std::isfinite(number) || number < low || number > high) {
    throw Error(ErrorCode::corrupt_data, fmt::format("{} is {}, but must be from {} to {}",
                                                     path_of(key), number, low, high));
  }
  return number;
}

void TableReader::number(std::string_view key, double& member, double low, double high) {
  const Value* value = take(key);
  if (value != nullptr) member = checked(*value, key, low, high);
}

void TableReader::integer(std::string_view key, std::int64_t& member, std::int64_t low,
                          std::int64_t high) {
  const Value* value = take(key);
  if (value == nullptr) return;
  if (value->type() != Value::Type::integer) refuse_type(key, "an integer", *value);
  checked(*value, key, static_cast<double>(low), static_cast<double>(high));
  member = value->as_integer();
}

void TableReader::texts(std::string_view key, std::vector<std::string>& member) {
  const Value* value = take(key);
  if (value == nullptr) return;
  if (!value->is_list()) refuse_type(key, "a list of texts", *value);
  member.clear();
  for (const Value& item : value->as_list()) {
    if (!item.is_text()) refuse_type(key, "a list of texts", item);
    member.push_back(item.as_text());
  }
}

void TableReader::integers(std::string_view key, std::vector<std::int64_t>& member,
                           std::int64_t low, std::int64_t high) {
  const Value* value = take(key);
  if (value == nullptr) return;
  if (!value->is_list()) refuse_type(key, "a list of integers", *value);
  member.clear();
  for (const Value& item : value->as_list()) {
    if (item.type() != Value::Type::integer) refuse_type(key, "a list of integers", item);
    checked(item, key, static_cast<double>(low), static_cast<double>(high));
    member.push_back(item.as_integer());
  }
}

void TableReader::triple(std::string_view key, std::array<double, 3>& member) {
  const Value* value = take(key);
  if (value == nullptr) return;
  constexpr double kMost = 1e6;
  if (value->is_number()) {
    member.fill(checked(*value, key, -kMost, kMost));
    return;
  }
  if (!value->is_list() || value->as_list().size() != 3) {
    refuse_type(key, "a number or a list of three", *value);
  }
  for (std::size_t i = 0; i < 3; ++i) {
    member[i] = checked(value->as_list()[i], key, -kMost, kMost);
  }
}

const Value* TableReader::table(std::string_view key) {
  return take(key);
}

void TableReader::finish() const {
  for (const auto& [key, value] : table_.as_object()) {
    if (std::find(known_.begin(), known_.end(), key) != known_.end()) continue;
    const std::string near = did_you_mean(key, known_);
    throw Error(ErrorCode::corrupt_data, fmt::format("unknown key {}", quote(path_of(key))),
                near.empty() ? fmt::format("keys here are {}", enumerate(known_)) : near);
  }
}

}  // namespace sosia::models

#include "sosia/core/value.hpp"

#include "sosia/core/error.hpp"
#include "sosia/core/text.hpp"

#include <limits>

namespace sosia {

namespace {

[[noreturn]] void wrong_type(std::string_view wanted, const Value& value) {
  throw Error(ErrorCode::corrupt_data, "expected " + std::string(wanted) + ", found " +
                                           std::string(type_name(value.type())));
}

}  // namespace

Value::Value(unsigned long v) {
  if (v <= static_cast<unsigned long>(std::numeric_limits<std::int64_t>::max())) {
    data_ = static_cast<std::int64_t>(v);
  } else {
    data_ = static_cast<double>(v);
  }
}

Value Value::object(std::initializer_list<Member> members) {
  Value value;
  value.data_ = Object(members);
  return value;
}

bool Value::as_boolean() const {
  if (const bool* v = std::get_if<bool>(&data_)) return *v;
  wrong_type("a boolean", *this);
}

std::int64_t Value::as_integer() const {
  if (const std::int64_t* v = std::get_if<std::int64_t>(&data_)) return *v;
  wrong_type("an integer", *this);
}

double Value::as_real() const {
  if (const double* v = std::get_if<double>(&data_)) return *v;
  if (const std::int64_t* v = std::get_if<std::int64_t>(&data_)) return static_cast<double>(*v);
  wrong_type("a number", *this);
}

const std::string& Value::as_text() const& {
  if (const std::string* v = std::get_if<std::string>(&data_)) return *v;
  wrong_type("text", *this);
}

std::string Value::as_text() && {
  if (std::string* v = std::get_if<std::string>(&data_)) return std::move(*v);
  wrong_type("text", *this);
}

const Value::List& Value::as_list() const& {
  if (const List* v = std::get_if<List>(&data_)) return *v;
  wrong_type("a list", *this);
}

Value::List& Value::as_list() & {
  if (List* v = std::get_if<List>(&data_)) return *v;
  wrong_type("a list", *this);
}

Value::List Value::as_list() && {
  return std::move(as_list());
}

const Value::Object& Value::as_object() const& {
  if (const Object* v = std::get_if<Object>(&data_)) return *v;
  wrong_type("an object", *this);
}

Value::Object Value::as_object() && {
  if (Object* v = std::get_if<Object>(&data_)) return std::move(*v);
  wrong_type("an object", *this);
}

const Value* Value::find(std::string_view key) const noexcept {
  const Object* members = std::get_if<Object>(&data_);
  if (members == nullptr) return nullptr;
  for (const Member& member : *members) {
    if (member.first == key) return &member.second;
  }
  return nullptr;
}

Value* Value::find(std::string_view key) noexcept {
  return const_cast<Value*>(static_cast<const Value*>(this)->find(key));
}

const Value& Value::at(std::string_view key) const& {
  if (const Value* value = find(key)) return *value;
  throw Error(ErrorCode::corrupt_data, "the key " + quote(key) + " is missing");
}

Value Value::at(std::string_view key) && {
  if (Value* value = find(key)) return std::move(*value);
  throw Error(ErrorCode::corrupt_data, "the key " + quote(key) + " is missing");
}

Value& Value::set(std::string_view key, Value value) {
  if (is_null()) data_ = Object{};
  if (!is_object()) wrong_type("an object", *this);
  if (Value* present = find(key)) return *present = std::move(value);
  return std::get<Object>(data_).emplace_back(std::string(key), std::move(value)).second;
}

Value& Value::push(Value value) {
  if (is_null()) data_ = List{};
  return as_list().emplace_back(std::move(value));
}

std::string_view type_name(Value::Type type) {
  switch (type) {
    case Value::Type::null:
      return "null";
    case Value::Type::boolean:
      return "a boolean";
    case Value::Type::integer:
      return "an integer";
    case Value::Type::real:
      return "a real number";
    case Value::Type::text:
      return "text";
    case Value::Type::list:
      return "a list";
    case Value::Type::object:
      return "an object";
  }
  return "nothing";
}

}  // namespace sosia

// TOML 1.0 through toml++.

#include "sosia/core/error.hpp"
#include "sosia/core/text.hpp"
#include "sosia/core/value.hpp"

#include <cmath>
#include <sstream>

namespace {

/// A precondition within toml++ that a text broke.
struct BrokenPrecondition {};
[[noreturn]] void broken_precondition() {
  throw BrokenPrecondition();
}

}  // namespace

// toml++ asserts, and without assertions assumes, what a hostile text can break: a control
// character where a key begins is enough. Its assertions therefore stay, in every build, and throw.
#define TOML_EXCEPTIONS 1
#define TOML_ENABLE_FORMATTERS 1
#define TOML_ASSERT(condition) ((condition) ? void() : broken_precondition())
#pragma push_macro("NDEBUG")
#undef NDEBUG
#include <toml++/toml.h>
#pragma pop_macro("NDEBUG")

namespace sosia {

namespace {

template <class T>
std::string printed(const T& date_or_time) {
  std::ostringstream out;
  out << date_or_time;
  return out.str();
}

Value from_library(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table: {
      Value object = Value::object();
      for (const auto& [key, member] : *node.as_table())
        object.set(key.str(), from_library(member));
      return object;
    }
    case toml::node_type::array: {
      Value list = Value::list();
      for (const toml::node& item : *node.as_array()) list.push(from_library(item));
      return list;
    }
    case toml::node_type::string:
      return node.as_string()->get();
    case toml::node_type::integer:
      return node.as_integer()->get();
    case toml::node_type::floating_point:
      return node.as_floating_point()->get();
    case toml::node_type::boolean:
      return node.as_boolean()->get();
    case toml::node_type::date:
      return printed(node.as_date()->get());
    case toml::node_type::time:
      return printed(node.as_time()->get());
    case toml::node_type::date_time:
      return printed(node.as_date_time()->get());
    case toml::node_type::none:
      break;
  }
  return {};
}

toml::array to_library_array(const Value& list);

toml::table to_library_table(const Value& object) {
  toml::table table;
  for (const auto& [key, member] : object.as_object()) {
    switch (member.type()) {
      case Value::Type::null:
        break;
      case Value::Type::boolean:
        table.insert(key, member.as_boolean());
        break;
      case Value::Type::integer:
        table.insert(key, member.as_integer());
        break;
      case Value::Type::real:
        table.insert(key, member.as_real());
        break;
      case Value::Type::text:
        table.insert(key, member.as_text());
        break;
      case Value::Type::list:
        table.insert(key, to_library_array(member));
        break;
      case Value::Type::object:
        table.insert(key, to_library_table(member));
        break;
    }
  }
  return table;
}

toml::array to_library_array(const Value& list) {
  toml::array array;
  for (const Value& item : list.as_list()) {
    switch (item.type()) {
      case Value::Type::null:
        throw Error(ErrorCode::invalid_argument, "TOML has no null inside a list");
      case Value::Type::boolean:
        array.push_back(item.as_boolean());
        break;
      case Value::Type::integer:
        array.push_back(item.as_integer());
        break;
      case Value::Type::real:
        array.push_back(item.as_real());
        break;
      case Value::Type::text:
        array.push_back(item.as_text());
        break;
      case Value::Type::list:
        array.push_back(to_library_array(item));
        break;
      case Value::Type::object:
        array.push_back(to_library_table(item));
        break;
    }
  }
  return array;
}

}  // namespace

Value parse_toml(std::string_view text, std::string_view origin) {
  try {
    return from_library(toml::parse(text, std::string(origin)));
  } catch (const toml::parse_error& error) {
    const auto& at = error.source().begin;
    throw Error(ErrorCode::corrupt_data,
                "not valid TOML: " + quote(std::string(error.description()), 200), "",
                std::string(origin) + ": line " + std::to_string(at.line) + ", column " +
                    std::to_string(at.column));
  } catch (const BrokenPrecondition&) {
    throw Error(ErrorCode::corrupt_data,
                "not valid TOML: a key or value begins with what cannot be one", "",
                std::string(origin));
  }
}

std::string to_toml(const Value& value) {
  if (!value.is_object()) {
    throw Error(ErrorCode::invalid_argument, "only an object can be printed as a TOML document");
  }
  std::ostringstream out;
  out << to_library_table(value) << '\n';
  return out.str();
}

std::string to_toml_inline(const Value& value) {
  std::ostringstream out;
  // A one-member table prints as `v = <value>` (or as an inline table), which is what we cut.
  if (value.is_object()) {
    toml::table table = to_library_table(value);
    table.is_inline(true);
    out << table;
    return out.str();
  }
  if (value.is_null()) return "\"\"";
  toml::array array = to_library_array(Value::list({value}));
  for (const toml::node& node : array) node.visit([&](const auto& n) { out << n; });
  return out.str();
}

}  // namespace sosia

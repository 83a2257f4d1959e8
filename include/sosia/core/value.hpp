#pragma once
// A JSON-like value, and the text forms it comes from and goes to. Parsing and printing are done by
// nlohmann-json and toml++ behind this header; no library type crosses it.

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace sosia {

/// null, boolean, 64-bit integer, double, UTF-8 text, list, or object with its keys in the order of
/// insertion. A plain value: copies are deep, no sharing. Thread-safety: as `std::vector`.
class Value {
 public:
  using List = std::vector<Value>;
  using Member = std::pair<std::string, Value>;
  using Object = std::vector<Member>;
  enum class Type { null, boolean, integer, real, text, list, object };

  Value() = default;
  Value(std::nullptr_t) {}
  Value(bool v) : data_(v) {}
  Value(int v) : data_(static_cast<std::int64_t>(v)) {}
  Value(unsigned v) : data_(static_cast<std::int64_t>(v)) {}
  Value(long v) : data_(static_cast<std::int64_t>(v)) {}
  Value(long long v) : data_(static_cast<std::int64_t>(v)) {}
  /// Above 2^63 - 1 the value becomes a double.
  Value(unsigned long v);
  Value(unsigned long long v) : Value(static_cast<unsigned long>(v)) {}
  Value(double v) : data_(v) {}
  Value(float v) : data_(static_cast<double>(v)) {}
  Value(std::string v) : data_(std::move(v)) {}
  Value(std::string_view v) : data_(std::string(v)) {}
  Value(const char* v) : data_(std::string(v)) {}
  Value(List v) : data_(std::move(v)) {}
  static Value list(std::initializer_list<Value> items = {}) { return Value(List(items)); }
  static Value object(std::initializer_list<Member> members = {});

  Type type() const noexcept { return static_cast<Type>(data_.index()); }
  bool is_null() const noexcept { return type() == Type::null; }
  bool is_list() const noexcept { return type() == Type::list; }
  bool is_object() const noexcept { return type() == Type::object; }
  bool is_text() const noexcept { return type() == Type::text; }
  /// integer or real
  bool is_number() const noexcept { return type() == Type::integer || type() == Type::real; }

  /// Typed access. Throw corrupt_data naming the wanted and the present type; `as_real` accepts
  /// integers. What a temporary holds is given by value, so that a loop over
  /// `parse_json(text).at("rows").as_list()` does not read what is gone.
  bool as_boolean() const;
  std::int64_t as_integer() const;
  double as_real() const;
  const std::string& as_text() const&;
  std::string as_text() &&;
  const List& as_list() const&;
  List& as_list() &;
  List as_list() &&;
  const Object& as_object() const&;
  Object as_object() &&;

  /// Member of an object, or nullptr when absent or when this is no object.
  const Value* find(std::string_view key) const noexcept;
  Value* find(std::string_view key) noexcept;
  /// Member of an object. Throws corrupt_data when absent.
  const Value& at(std::string_view key) const&;
  Value at(std::string_view key) &&;
  /// Sets a member, keeping its place when present; null turns into an object first. Returns the
  /// stored value.
  Value& set(std::string_view key, Value value);
  /// Appends to a list; null turns into a list first.
  Value& push(Value value);

  friend bool operator==(const Value&, const Value&) = default;

 private:
  std::variant<std::monostate, bool, std::int64_t, double, std::string, List, Object> data_;
};

/// "integer", "text", ... for messages.
std::string_view type_name(Value::Type type);

/// Parses one JSON document (RFC 8259, UTF-8, nothing after it). Refuses duplicate keys, nesting
/// deeper than 200 and lone surrogates. Throws corrupt_data with line, column and path; `origin`
/// (usually a file name) becomes the context.
Value parse_json(std::string_view text, std::string_view origin = "JSON");

/// Prints JSON: shortest round-trip numbers, NaN and infinities as null, invalid UTF-8 replaced by
/// U+FFFD. `indent` < 0 prints one line.
std::string to_json(const Value& value, int indent = 2);

/// Parses TOML 1.0; dates and times become text. Throws corrupt_data with line and column.
Value parse_toml(std::string_view text, std::string_view origin = "TOML");

/// Prints an object as TOML (null members are left out). Throws invalid_argument when the top is
/// not an object.
std::string to_toml(const Value& value);

/// One value as a TOML right-hand side: `0.5`, `"text"`, `[1, 2]`.
std::string to_toml_inline(const Value& value);

}  // namespace sosia

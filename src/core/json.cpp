// JSON through nlohmann-json: its SAX parser builds our values (and lets us refuse duplicate keys,
// which its DOM would silently overwrite); its serialiser prints them.

#include "sosia/core/error.hpp"
#include "sosia/core/text.hpp"
#include "sosia/core/value.hpp"

#include <cmath>

#include <nlohmann/json.hpp>

namespace sosia {

namespace {

constexpr std::size_t kMaxDepth = 200;

std::string position_of(std::string_view text, std::size_t byte) {
  const std::string_view before = text.substr(0, std::min(byte, text.size()));
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const std::size_t last = before.rfind('\n');
  const std::size_t column = last == std::string_view::npos ? byte : byte - last - 1;
  return "line " + std::to_string(line) + ", column " +
         std::to_string(std::max<std::size_t>(column, 1));
}

class Builder : public nlohmann::json_sax<nlohmann::json> {
 public:
  Builder(std::string_view text, std::string_view origin) : text_(text), origin_(origin) {}

  Value take() { return std::move(root_); }

  bool null() override { return add(Value()); }
  bool boolean(bool v) override { return add(Value(v)); }
  bool number_integer(number_integer_t v) override { return add(Value(v)); }
  bool number_unsigned(number_unsigned_t v) override { return add(Value(v)); }
  bool number_float(number_float_t v, const string_t& spelling) override {
    if (!std::isfinite(v)) fail("the number " + quote(spelling) + " does not fit a double");
    return add(Value(v));
  }
  bool string(string_t& v) override { return add(Value(std::move(v))); }
  bool binary(binary_t&) override { return false; }

  bool start_object(std::size_t) override { return open(Value::object()); }
  bool start_array(std::size_t) override { return open(Value::list()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& v) override {
    if (stack_.back()->find(v) != nullptr) fail("the key " + quote(v) + " appears twice");
    key_ = std::move(v);
    return true;
  }

  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception& error) override {
    // The library's sentence starts with its own identifier and position: keep what follows.
    std::string reason = error.what();
    const std::size_t colon = reason.find(": ");
    if (colon != std::string::npos) reason = reason.substr(colon + 2);
    throw Error(ErrorCode::corrupt_data, "not valid JSON: " + quote(reason, 200), "",
                std::string(origin_) + ": " + position_of(text_, position));
  }

 private:
  [[noreturn]] void fail(const std::string& message) const {
    throw Error(ErrorCode::corrupt_data, message, "",
                path_.empty() ? std::string(origin_) : std::string(origin_) + ": " + path());
  }

  std::string path() const {
    std::string text;
    for (const std::string& part : path_) {
      if (!text.empty() && !part.starts_with('[')) text += '.';
      text += part;
    }
    return text;
  }

  Value* place(Value value) {
    if (stack_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    Value& parent = *stack_.back();
    return parent.is_list() ? &parent.push(std::move(value)) : &parent.set(key_, std::move(value));
  }

  bool add(Value value) {
    place(std::move(value));
    return true;
  }

  bool open(Value container) {
    if (stack_.size() >= kMaxDepth) {
      fail("nested deeper than " + std::to_string(kMaxDepth) + " levels");
    }
    const bool in_list = !stack_.empty() && stack_.back()->is_list();
    if (!stack_.empty()) {
      path_.push_back(in_list ? '[' + std::to_string(stack_.back()->as_list().size()) + ']'
                              : quote(key_));
    }
    stack_.push_back(place(std::move(container)));
    return true;
  }

  bool close() {
    stack_.pop_back();
    if (!path_.empty()) path_.pop_back();
    return true;
  }

  std::string_view text_;
  std::string_view origin_;
  Value root_;
  // Pointers stay valid: a container grows only while it is the innermost open one.
  std::vector<Value*> stack_;
  std::vector<std::string> path_;
  std::string key_;
};

nlohmann::ordered_json to_library(const Value& value) {
  switch (value.type()) {
    case Value::Type::null:
      return nullptr;
    case Value::Type::boolean:
      return value.as_boolean();
    case Value::Type::integer:
      return value.as_integer();
    case Value::Type::real:
      return std::isfinite(value.as_real()) ? nlohmann::ordered_json(value.as_real())
                                            : nlohmann::ordered_json(nullptr);
    case Value::Type::text:
      return value.as_text();
    case Value::Type::list: {
      nlohmann::ordered_json list = nlohmann::ordered_json::array();
      for (const Value& item : value.as_list()) list.push_back(to_library(item));
      return list;
    }
    case Value::Type::object: {
      nlohmann::ordered_json object = nlohmann::ordered_json::object();
      // emplace_back on the underlying vector: our keys are unique already, and operator[] of
      // ordered_json would search all earlier ones.
      auto& members = object.get_ref<nlohmann::ordered_json::object_t&>();
      for (const auto& [key, member] : value.as_object()) {
        members.emplace_back(key, to_library(member));
      }
      return object;
    }
  }
  return nullptr;
}

}  // namespace

Value parse_json(std::string_view text, std::string_view origin) {
  Builder builder(text, origin);
  nlohmann::json::sax_parse(text.begin(), text.end(), &builder);
  return builder.take();
}

std::string to_json(const Value& value, int indent) {
  return to_library(value).dump(indent, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace sosia

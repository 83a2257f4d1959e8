#include "sosia/llm/json_schema.hpp"

#include "sosia/core/error.hpp"
#include "sosia/core/text.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <vector>

#include <fmt/format.h>

namespace sosia::llm {

namespace {

constexpr std::array<std::string_view, 10> kAnnotations{
    "title", "description", "default",    "examples", "$schema",
    "$id",   "$comment",    "deprecated", "readOnly", "writeOnly"};
constexpr std::int64_t kMostRepetitions = 1000;

constexpr std::string_view kBasics =
    // Of white space only what people write: a model must not go on with blanks for ever.
    "ws ::= \"\" | \" \" | \"\\n\" [ \\t]{0,20}\n"
    "char ::= [^\"\\\\\\x7F\\x00-\\x1F] | \"\\\\\" ([\"\\\\/bfnrt] | \"u\" [0-9a-fA-F]{4})\n"
    "string ::= \"\\\"\" char* \"\\\"\"\n"
    "integer ::= \"-\"? (\"0\" | [1-9] [0-9]{0,15})\n"
    "number ::= integer (\".\" [0-9]{1,16})? ([eE] [-+]? [0-9]{1,3})?\n"
    "boolean ::= \"true\" | \"false\"\n"
    "null ::= \"null\"\n"
    "value ::= object | array | string | number | boolean | null\n"
    "object ::= \"{\" ws (string \":\" ws value (\",\" ws string \":\" ws value)*)? ws \"}\"\n"
    "array ::= \"[\" ws (value (\",\" ws value)*)? ws \"]\"\n";

/// A text as a terminal.
std::string literal(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        out += c;
    }
  }
  return out + "\"";
}

class Converter {
 public:
  explicit Converter(const Value& root) : root_(root) {}

  std::string convert() {
    // The start refers to a rule of its own, so that `$ref: "#"` has one to name.
    const std::string start = reference("#");
    std::string out = "root ::= " + start + "\n";
    for (const auto& [name, body] : rules_) out += name + " ::= " + body + "\n";
    return out + std::string(kBasics);
  }

 private:
  [[noreturn]] static void refuse(std::string_view what, const std::string& place) {
    throw Error(ErrorCode::unsupported,
                fmt::format("{} is not among what a schema may hold here", quote(what)),
                "see json_schema.hpp for what is understood, or give a grammar", place);
  }

  std::string new_rule(std::string body) {
    std::string name = fmt::format("r{}", next_++);
    rules_.emplace_back(name, std::move(body));
    return name;
  }

  /// The rule of what a reference names; a rule that is being made is only named.
  std::string reference(const std::string& path) {
    if (const auto known = references_.find(path); known != references_.end()) return known->second;
    const Value* target = &root_;
    if (path != "#") {
      if (!path.starts_with("#/$defs/") && !path.starts_with("#/definitions/"))
        refuse(path, "$ref");
      for (const std::string_view part : split(std::string_view(path).substr(2), '/')) {
        target = target->find(part);
        if (target == nullptr) {
          throw Error(ErrorCode::corrupt_data, "the reference " + quote(path) + " leads nowhere");
        }
      }
    }
    const std::string name = fmt::format("r{}", next_++);
    references_.emplace(path, name);
    const std::string body = visit(*target, path);
    rules_.emplace_back(name, body);
    return name;
  }

  /// An expression for `schema`.
  std::string visit(const Value& schema, const std::string& place) {
    if (++depth_ > 100) refuse("a nesting of more than 100", place);
    std::string out;
    if (schema.type() == Value::Type::boolean && schema.as_boolean()) {
      out = "value";
    } else if (!schema.is_object()) {
      throw Error(ErrorCode::corrupt_data, "a schema is an object", "", place);
    } else {
      out = visit_object(schema, place);
    }
    --depth_;
    return out;
  }

  std::string visit_object(const Value& schema, const std::string& place) {
    if (const Value* ref = schema.find("$ref")) {
      only(schema, {"$ref", "$defs", "definitions"}, place);
      return reference(ref->as_text());
    }
    if (const Value* value = schema.find("const")) {
      only(schema, {"const", "type"}, place);
      return literal(to_json(*value, -1));
    }
    if (const Value* values = schema.find("enum")) {
      only(schema, {"enum", "type"}, place);
      std::vector<std::string> options;
      for (const Value& v : values->as_list()) options.push_back(literal(to_json(v, -1)));
      if (options.empty()) throw Error(ErrorCode::corrupt_data, "an enum is empty", "", place);
      return alternatives(options);
    }
    for (const char* key : {"anyOf", "oneOf"}) {
      if (const Value* parts = schema.find(key)) {
        only(schema, {key, "$defs", "definitions"}, place);
        std::vector<std::string> options;
        std::size_t i = 0;
        for (const Value& part : parts->as_list()) {
          options.push_back(visit(part, fmt::format("{}/{}/{}", place, key, i++)));
        }
        if (options.empty()) throw Error(ErrorCode::corrupt_data, "a union is empty", "", place);
        return alternatives(options);
      }
    }
    const Value* type = schema.find("type");
    if (type == nullptr) {
      if (schema.find("properties") != nullptr) return object(schema, place);
      if (schema.find("items") != nullptr) return array(schema, place);
      only(schema, {"$defs", "definitions"}, place);
      return "value";
    }
    if (!type->is_list()) return typed(type->as_text(), schema, place);
    std::vector<std::string> options;
    for (const Value& t : type->as_list()) options.push_back(typed(t.as_text(), schema, place));
    if (options.empty())
      throw Error(ErrorCode::corrupt_data, "a list of types is empty", "", place);
    return alternatives(options);
  }

  std::string typed(const std::string& type, const Value& schema, const std::string& place) {
    if (type == "object") return object(schema, place);
    if (type == "array") return array(schema, place);
    if (type == "string") return text(schema, place);
    if (type == "number" || type == "integer" || type == "boolean" || type == "null") {
      // Of a list of types, members that belong to another one are checked there.
      if (!schema.at("type").is_list()) only(schema, {"type", "$defs", "definitions"}, place);
      return type;
    }
    refuse(type, place + "/type");
  }

  std::string text(const Value& schema, const std::string& place) {
    only(schema,
         {"type", "minLength", "maxLength", "$defs", "definitions", "properties", "required",
          "additionalProperties", "items", "minItems", "maxItems"},
         place);
    const auto least = number(schema, "minLength", place),
               most = number(schema, "maxLength", place);
    if (!least && !most) return "string";
    return "\"\\\"\" char" + range(least.value_or(0), most, place) + " \"\\\"\"";
  }

  std::string array(const Value& schema, const std::string& place) {
    only(schema,
         {"type", "items", "minItems", "maxItems", "$defs", "definitions", "minLength", "maxLength",
          "properties", "required", "additionalProperties"},
         place);
    const Value* items = schema.find("items");
    const std::string item = items == nullptr ? "value" : new_rule(visit(*items, place + "/items"));
    const std::int64_t least = number(schema, "minItems", place).value_or(0);
    const auto most = number(schema, "maxItems", place);
    if (most && *most < least)
      throw Error(ErrorCode::corrupt_data, "maxItems is below minItems", "", place);
    if (most && *most == 0) return "\"[\" ws \"]\"";
    std::optional<std::int64_t> rest;
    if (most) rest = *most - 1;
    const std::string some = item + " (\",\" ws " + item + ")" +
                             range(std::max<std::int64_t>(least - 1, 0), rest, place);
    return "\"[\" ws " + (least == 0 ? "(" + some + ")?" : some) + " ws \"]\"";
  }

  std::string object(const Value& schema, const std::string& place) {
    only(schema,
         {"type", "properties", "required", "additionalProperties", "$defs", "definitions",
          "minLength", "maxLength", "items", "minItems", "maxItems"},
         place);
    const Value* more = schema.find("additionalProperties");
    const Value* properties = schema.find("properties");
    if (properties == nullptr || properties->as_object().empty()) {
      if (more == nullptr || (more->type() == Value::Type::boolean && more->as_boolean())) {
        return "object";
      }
      if (more->type() == Value::Type::boolean) return "\"{\" ws \"}\"";
      refuse("additionalProperties", place);
    }
    if (more != nullptr && !(more->type() == Value::Type::boolean && !more->as_boolean())) {
      refuse("additionalProperties", place);
    }
    std::vector<std::string> required;
    if (const Value* names = schema.find("required")) {
      for (const Value& name : names->as_list()) required.push_back(name.as_text());
    }
    struct Member {
      std::string rule;
      bool required;
    };
    std::vector<Member> members;
    for (const auto& [name, part] : properties->as_object()) {
      const bool must = std::erase(required, name) > 0;
      members.push_back({new_rule(literal(to_json(Value(name), -1)) + " \":\" ws " +
                                  visit(part, place + "/properties/" + name)),
                         must});
    }
    if (!required.empty()) {
      throw Error(ErrorCode::corrupt_data,
                  "required names " + quote(required.front()) + ", which is no property", "",
                  place);
    }
    // tail[i]: what may follow when something stands before; members keep their order.
    std::vector<std::string> tails(members.size() + 1);
    for (std::size_t i = members.size(); i-- > 0;) {
      const std::string here = "(\",\" ws " + members[i].rule + ")";
      const std::string body = here + (members[i].required ? "" : "?") +
                               (tails[i + 1].empty() ? "" : " " + tails[i + 1]);
      tails[i] = new_rule(body);
    }
    std::vector<std::string> options;
    for (std::size_t i = 0; i < members.size(); ++i) {
      options.push_back(members[i].rule + (tails[i + 1].empty() ? "" : " " + tails[i + 1]));
      if (members[i].required) break;
      if (i + 1 == members.size()) options.emplace_back("\"\"");
    }
    return "\"{\" ws " + alternatives(options) + " ws \"}\"";
  }

  static std::string alternatives(const std::vector<std::string>& options) {
    std::string out = "(";
    for (const std::string& option : options) out += (out.size() > 1 ? " | " : "") + option;
    return out + ")";
  }

  static std::string range(std::int64_t least, std::optional<std::int64_t> most,
                           const std::string& place) {
    if (least > kMostRepetitions || most.value_or(0) > kMostRepetitions) {
      refuse("a length above 1000", place);
    }
    if (most && *most < least) {
      throw Error(ErrorCode::corrupt_data, "a greatest length is below the least", "", place);
    }
    return most ? fmt::format("{{{},{}}}", least, *most) : fmt::format("{{{},}}", least);
  }

  static std::optional<std::int64_t> number(const Value& schema, const char* key,
                                            const std::string& place) {
    const Value* value = schema.find(key);
    if (value == nullptr) return std::nullopt;
    const std::int64_t n = value->as_integer();
    if (n < 0) throw Error(ErrorCode::corrupt_data, fmt::format("{} is negative", key), "", place);
    return n;
  }

  /// Refuses members other than these and annotations.
  static void only(const Value& schema, std::initializer_list<std::string_view> allowed,
                   const std::string& place) {
    for (const auto& [key, value] : schema.as_object()) {
      const bool known =
          std::find(allowed.begin(), allowed.end(), key) != allowed.end() ||
          std::find(kAnnotations.begin(), kAnnotations.end(), key) != kAnnotations.end();
      if (!known) refuse(key, place);
    }
  }

  const Value& root_;
  std::map<std::string, std::string> references_;
  std::vector<std::pair<std::string, std::string>> rules_;
  int next_ = 0;
  int depth_ = 0;
};

}  // namespace

std::string json_schema_to_gbnf(const Value& schema) {
  return Converter(schema).convert();
}

}  // namespace sosia::llm

// Schemas as grammars: what they accept is checked by a small matcher of our own for GBNF.

#include "errors.hpp"
#include "sosia/llm/json_schema.hpp"

#include <map>
#include <memory>
#include <set>

#include <gtest/gtest.h>

namespace sosia::llm {
namespace {

/// Matches by sets of end positions; for the constructs that the converter writes.
class Matcher {
 public:
  explicit Matcher(const std::string& grammar) {
    std::size_t at = 0;
    while (at < grammar.size()) {
      const std::size_t end = grammar.find('\n', at);
      const std::string line = grammar.substr(at, end - at);
      const std::size_t sign = line.find(" ::= ");
      rules_[line.substr(0, sign)] = line.substr(sign + 5);
      at = end + 1;
    }
  }

  bool accepts(const std::string& text) {
    text_ = &text;
    memo_.clear();
    return rule("root", 0).contains(text.size());
  }

 private:
  using Ends = std::set<std::size_t>;

  Ends rule(const std::string& name, std::size_t from) {
    const auto key = std::make_pair(name, from);
    if (const auto known = memo_.find(key); known != memo_.end()) return known->second;
    const auto body = rules_.find(name);
    if (body == rules_.end()) {
      ADD_FAILURE() << "no rule " << name;
      return {};
    }
    std::size_t at = 0;
    const Ends ends = alternatives(body->second, at, {from});
    EXPECT_EQ(at, body->second.size()) << name << ": " << body->second.substr(at);
    return memo_[key] = ends;
  }

  static void blanks(const std::string& s, std::size_t& at) {
    while (at < s.size() && s[at] == ' ') ++at;
  }

  Ends alternatives(const std::string& s, std::size_t& at, const Ends& from) {
    Ends all = sequence(s, at, from);
    while (at < s.size() && s[at] == '|') {
      ++at;
      const Ends more = sequence(s, at, from);
      all.insert(more.begin(), more.end());
    }
    return all;
  }

  Ends sequence(const std::string& s, std::size_t& at, Ends from) {
    blanks(s, at);
    while (at < s.size() && s[at] != '|' && s[at] != ')') {
      const std::size_t begin = at;
      item(s, at, {});  // to find its end
      const std::size_t end = at;
      std::size_t least = 1, most = 1;
      repetition(s, at, least, most);
      Ends result;
      Ends now = from;
      for (std::size_t n = 0; !now.empty() && n <= most; ++n) {
        if (n >= least) {
          const std::size_t before = result.size();
          result.insert(now.begin(), now.end());
          if (n > least && result.size() == before) break;
        }
        std::size_t again = begin;
        now = item(s, again, now);
        EXPECT_EQ(again, end);
      }
      from = result;
      blanks(s, at);
    }
    return from;
  }

  static void repetition(const std::string& s, std::size_t& at, std::size_t& least,
                         std::size_t& most) {
    if (at >= s.size()) return;
    if (s[at] == '?')
      least = 0, ++at;
    else if (s[at] == '*')
      least = 0, most = 1000, ++at;
    else if (s[at] == '{') {
      const std::size_t comma = s.find(',', at), close = s.find('}', at);
      if (comma < close) {
        least = std::stoul(s.substr(at + 1, comma - at - 1));
        most = close == comma + 1 ? 1000 : std::stoul(s.substr(comma + 1, close - comma - 1));
      } else {
        least = most = std::stoul(s.substr(at + 1, close - at - 1));
      }
      at = close + 1;
    }
  }

  Ends item(const std::string& s, std::size_t& at, const Ends& from) {
    Ends ends;
    if (s[at] == '(') {
      ++at;
      ends = alternatives(s, at, from);
      EXPECT_EQ(s[at], ')');
      ++at;
    } else if (s[at] == '"') {
      std::string wanted;
      for (++at; s[at] != '"'; ++at) wanted += character(s, at);
      ++at;
      for (const std::size_t p : from) {
        if (text_->compare(p, wanted.size(), wanted) == 0) ends.insert(p + wanted.size());
      }
    } else if (s[at] == '[') {
      ++at;
      const bool negated = s[at] == '^';
      if (negated) ++at;
      std::set<char> set;
      while (s[at] != ']') {
        const char low = character(s, at);
        ++at;
        char high = low;
        if (s[at] == '-' && s[at + 1] != ']') {
          ++at;
          high = character(s, at);
          ++at;
        }
        for (int c = low; c <= high; ++c) set.insert(static_cast<char>(c));
      }
      ++at;
      for (const std::size_t p : from) {
        if (p < text_->size() && set.contains((*text_)[p]) != negated) ends.insert(p + 1);
      }
    } else {
      std::string name;
      while (at < s.size() && (std::isalnum(static_cast<unsigned char>(s[at])) != 0)) {
        name += s[at++];
      }
      EXPECT_FALSE(name.empty()) << s.substr(at);
      if (name.empty()) ++at;
      for (const std::size_t p : from) {
        const Ends more = rule(name, p);
        ends.insert(more.begin(), more.end());
      }
    }
    return ends;
  }

  /// The character at `at`, which moves to its last one where it is escaped.
  static char character(const std::string& s, std::size_t& at) {
    if (s[at] != '\\') return s[at];
    switch (s[++at]) {
      case 'n':
        return '\n';
      case 't':
        return '\t';
      case 'r':
        return '\r';
      case 'x': {
        const char c = static_cast<char>(std::stoi(s.substr(at + 1, 2), nullptr, 16));
        at += 2;
        return c;
      }
      default:
        return s[at];
    }
  }

  std::map<std::string, std::string> rules_;
  std::map<std::pair<std::string, std::size_t>, Ends> memo_;
  const std::string* text_ = nullptr;
};

void check(const char* schema, const std::vector<std::string>& good,
           const std::vector<std::string>& bad) {
  Matcher matcher(json_schema_to_gbnf(parse_json(schema)));
  for (const std::string& text : good) EXPECT_TRUE(matcher.accepts(text)) << schema << " " << text;
  for (const std::string& text : bad) EXPECT_FALSE(matcher.accepts(text)) << schema << " " << text;
}

TEST(JsonSchema, Types) {
  check(R"({"type": "integer"})", {"0", "-12", "907"}, {"1.5", "01", "", "\"1\"", "true"});
  check(R"({"type": "number"})", {"0", "-1.5", "2e10", "3.0E-2"}, {".5", "1.", "nan"});
  check(R"({"type": "boolean"})", {"true", "false"}, {"True", "0"});
  check(R"({"type": ["string", "null"]})", {"null", "\"\"", "\"a\\n\\u00e9\""}, {"a", "\"a", "1"});
  check(R"({"type": "string", "minLength": 2, "maxLength": 3})", {"\"ab\"", "\"abc\""},
        {"\"a\"", "\"abcd\""});
  check(R"({})", {"1", "{\"a\": [1, {}]}", "[]"}, {"{a: 1}", "[1,]"});
  check(R"({"enum": ["red", 5, null]})", {"\"red\"", "5", "null"}, {"red", "6"});
  check(R"({"const": {"a": 1}})", {"{\"a\":1}"}, {"{}", "1"});
}

TEST(JsonSchema, Objects) {
  const char* schema = R"({"type": "object", "properties": {"a": {"type": "integer"},
    "b": {"type": "string"}, "c": {"type": "boolean"}}, "required": ["b"],
    "additionalProperties": false})";
  check(schema,
        {R"({"b": "x"})", R"({"a": 1, "b": "x"})", R"({"b":"x","c":true})",
         R"({"a": 1, "b": "", "c": false})"},
        {"{}", R"({"a": 1})", R"({"c": true, "b": "x"})", R"({"b": "x", "d": 1})", R"({"b": "x",})",
         R"({"b": 1})", R"({"a": 1 "b": "x"})"});
  check(R"({"properties": {"a": {"type": "null"}, "b": {"type": "null"}}})",
        {"{}", R"({"a": null})", R"({"b": null})", R"({"a": null, "b": null})"},
        {R"({"b": null, "a": null})"});
  check(R"({"type": "object"})", {"{}", R"({"x": [1], "y": {}})"}, {"[]"});
  check(R"({"type": "object", "additionalProperties": false})", {"{}", "{ }"}, {R"({"a": 1})"});
}

TEST(JsonSchema, ArraysUnionsReferences) {
  check(R"({"type": "array", "items": {"type": "integer"}, "minItems": 1, "maxItems": 3})",
        {"[1]", "[1, 2]", "[1,2,3]"}, {"[]", "[1, 2, 3, 4]", "[\"a\"]"});
  check(R"({"type": "array", "maxItems": 0})", {"[]"}, {"[1]"});
  check(R"({"anyOf": [{"type": "integer"}, {"type": "array", "items": {"type": "null"}}]})",
        {"4", "[null]", "[]"}, {"\"4\"", "[4]"});
  // A tree that contains itself.
  check(R"({"$ref": "#/$defs/node", "$defs": {"node": {"type": "object",
          "properties": {"v": {"type": "integer"}, "kids": {"type": "array",
          "items": {"$ref": "#/$defs/node"}}}, "required": ["v"]}}})",
        {R"({"v": 1})", R"({"v": 1, "kids": [{"v": 2, "kids": []}, {"v": 3}]})"},
        {R"({"kids": []})", R"({"v": 1, "kids": [2]})"});
}

TEST(JsonSchema, RefusesByName) {
  const auto refused = [](const char* schema, const char* name) {
    expect_refused([&] { json_schema_to_gbnf(parse_json(schema)); }, name, ErrorCode::unsupported);
  };
  refused(R"({"type": "string", "pattern": "a+"})", "pattern");
  refused(R"({"type": "string", "format": "date"})", "format");
  refused(R"({"type": "integer", "minimum": 3})", "minimum");
  refused(R"({"type": "object", "properties": {"a": {"type": "array", "uniqueItems": true}}})",
          "#/properties/a");
  refused(R"({"allOf": []})", "allOf");
  refused(R"({"not": {}})", "not");
  refused(R"({"type": "file"})", "file");
  refused(R"({"$ref": "other.json"})", "other.json");
  refused(R"({"properties": {"a": {}}, "additionalProperties": {"type": "null"}})",
          "additionalProperties");
  const auto corrupt = [](const char* schema, const char* what) {
    expect_refused([&] { json_schema_to_gbnf(parse_json(schema)); }, what, ErrorCode::corrupt_data);
  };
  corrupt(R"([])", "object");
  corrupt(R"({"$ref": "#/$defs/x"})", "nowhere");
  corrupt(R"({"properties": {"a": {}}, "required": ["b"]})", "b");
  corrupt(R"({"type": "array", "minItems": 3, "maxItems": 2})", "maxItems");
  corrupt(R"({"enum": []})", "empty");
}

}  // namespace
}  // namespace sosia::llm

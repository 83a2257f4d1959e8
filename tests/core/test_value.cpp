#include "sosia/core/error.hpp"
#include "sosia/core/value.hpp"

#include <cmath>
#include <limits>
#include <string>
#include <type_traits>

#include <gtest/gtest.h>

namespace sosia {
namespace {

std::string message_of(std::string_view json) {
  try {
    (void)parse_json(json, "f.json");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::corrupt_data);
    return error.message() + " | " + error.context();
  }
  return "accepted";
}

TEST(Json, RoundTripKeepsOrderTypesAndNumbers) {
  const std::string text = R"({"b":1,"a":[true,null,-2.5,"\u00e9\n"],"big":9007199254740993})";
  const Value value = parse_json(text);
  EXPECT_EQ(value.as_object()[0].first, "b");
  EXPECT_EQ(value.at("big").as_integer(), 9007199254740993);
  EXPECT_EQ(parse_json(to_json(value)), value);
  EXPECT_EQ(to_json(parse_json("0.1"), -1), "0.1");
}

TEST(Json, NonFiniteNumbersBecomeNullAndBadUtf8IsReplaced) {
  EXPECT_EQ(to_json(Value(std::nan("")), -1), "null");
  EXPECT_EQ(to_json(Value(std::numeric_limits<double>::infinity()), -1), "null");
  EXPECT_EQ(to_json(Value("a\xff"), -1), "\"a\xef\xbf\xbd\"");
}

TEST(Json, RefusesWithPlaceAndReason) {
  EXPECT_NE(message_of("{\"a\":1,\"a\":2}").find("appears twice"), std::string::npos);
  EXPECT_NE(message_of("{\"x\":{\"a\":1,\"a\":2}}").find("x"), std::string::npos);
  EXPECT_NE(message_of("{\n \"a\": }").find("line 2"), std::string::npos);
  EXPECT_NE(message_of("[1] 2").find("f.json"), std::string::npos);
  EXPECT_NE(message_of("").find("not valid JSON"), std::string::npos);
  EXPECT_NE(message_of("\"\\ud800\"").find("not valid JSON"), std::string::npos);
  EXPECT_NE(message_of("1e999").find("f.json"), std::string::npos);
}

TEST(Json, DeepNestingIsRefusedNotOverflowed) {
  EXPECT_NE(message_of(std::string(100000, '[')).find("nested deeper"), std::string::npos);
  const std::string fine = std::string(150, '[') + std::string(150, ']');
  EXPECT_EQ(to_json(parse_json(fine), -1), fine);
}

TEST(Toml, ParsesAndPrints) {
  const Value value = parse_toml("a = 1\n[t]\nx = 0.5\nlist = [\"u\", \"v\"]\nd = 2020-01-02\n");
  EXPECT_EQ(value.at("t").at("x").as_real(), 0.5);
  EXPECT_EQ(value.at("t").at("d").as_text(), "2020-01-02");
  EXPECT_EQ(parse_toml(to_toml(value)), value);
  EXPECT_EQ(to_toml_inline(Value(0.5)), "0.5");
  EXPECT_EQ(parse_toml("v = " + to_toml_inline(Value("a\"b"))).at("v").as_text(), "a\"b");
  EXPECT_EQ(parse_toml("v = " + to_toml_inline(Value::list({1, 2}))).at("v"), Value::list({1, 2}));
}

TEST(Toml, RefusesDuplicatesWithALine) {
  try {
    (void)parse_toml("a = 1\na = 2\n", "f.toml");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::corrupt_data);
    EXPECT_NE(error.context().find("f.toml: line 2"), std::string::npos) << error.context();
  }
}

TEST(Toml, ControlCharactersWhereAKeyBegins) {
  for (const char* text : {"[\x1d\x1d]\n", "[a.\x1d]\n", "\x01 = 1\n", "a = {\x1d = 1}\n"}) {
    try {
      (void)parse_toml(text, "f.toml");
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::corrupt_data) << error.render();
    }
  }
}

TEST(Value, TypedAccessNamesBothTypes) {
  try {
    (void)Value("x").as_integer();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "expected an integer, found text");
  }
  EXPECT_EQ(Value(3).as_real(), 3.0);
  EXPECT_EQ(Value(~0ul).type(), Value::Type::real);
}

TEST(Value, WhatATemporaryHoldsOutlivesIt) {
  const auto parsed = [] {
    return parse_json(R"({"rows": [{"name": "a long enough text, kept"}]})");
  };
  // The range of the loop is a list of its own, not a part of what parsed() returned.
  for (const Value& row : parsed().at("rows").as_list()) {
    EXPECT_EQ(row.at("name").as_text(), "a long enough text, kept");
  }
  static_assert(std::is_same_v<decltype(parsed().as_object()), Value::Object>);
  static_assert(std::is_same_v<decltype(parsed().as_text()), std::string>);
}

TEST(Value, SetKeepsThePlaceAndPushTurnsNullIntoAList) {
  Value object = Value::object({{"a", 1}, {"b", 2}});
  object.set("a", 3);
  EXPECT_EQ(to_json(object, -1), R"({"a":3,"b":2})");
  Value list;
  list.push(1);
  EXPECT_TRUE(list.is_list());
  EXPECT_THROW(list.set("a", 1), Error);
}

}  // namespace
}  // namespace sosia

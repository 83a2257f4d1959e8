// Text that comes in pieces: stop strings across pieces, whole characters for the listener.

#include "llm/text_stream.hpp"
#include "sosia/core/rng.hpp"
#include "sosia/core/text.hpp"

#include <gtest/gtest.h>

namespace sosia::llm {
namespace {

struct Heard {
  std::string text;
  bool open = true;
  bool whole = true;  ///< every part was well-formed
};

Heard hear(const std::string& text, const std::vector<std::size_t>& cuts,
           const std::vector<std::string>& stop, std::string* final = nullptr) {
  Heard heard;
  TextStream stream(stop, [&](std::string_view part) {
    heard.whole = heard.whole && valid_utf8(part);
    heard.text += part;
  });
  std::size_t at = 0;
  for (const std::size_t cut : cuts) {
    heard.open = stream.add(std::string_view(text).substr(at, cut - at));
    at = cut;
    if (!heard.open) break;
  }
  const std::string all = stream.finish();
  if (final != nullptr) *final = all;
  return heard;
}

TEST(TextStream, EveryCutGivesTheSame) {
  const std::string text = "caf\xc3\xa9 \xe4\xba\xba \xf0\x9f\x98\x80 one two STOP three";
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    RandomStream random(seed, "cuts");
    std::vector<std::size_t> cuts;
    for (std::size_t at = 0; at < text.size();) {
      at = std::min(text.size(), at + 1 + random.below(6));
      cuts.push_back(at);
    }
    std::string final;
    const Heard heard = hear(text, cuts, {"STOP", "never", "two S3"}, &final);
    EXPECT_FALSE(heard.open);
    EXPECT_EQ(final, text.substr(0, text.find("STOP")));
    EXPECT_EQ(heard.text, final);
    EXPECT_TRUE(heard.whole);
    const Heard open = hear(text, cuts, {}, &final);
    EXPECT_EQ(final, text);
    EXPECT_EQ(open.text, text);
    EXPECT_TRUE(open.whole);
  }
}

TEST(TextStream, WhatLooksLikeAStopStringIsHeldBack) {
  std::string heard;
  TextStream stream({"abc"}, [&](std::string_view part) { heard += part; });
  stream.add("xab");
  EXPECT_EQ(heard, "x");
  stream.add("abd");  // no stop after all
  EXPECT_EQ(heard, "xababd");
  EXPECT_TRUE(stream.add("bcab"));
  EXPECT_FALSE(stream.add("c"));
  EXPECT_EQ(stream.finish(), "xababdbc");
  EXPECT_EQ(heard, "xababdbc");
}

TEST(TextStream, BrokenBytesDoNotBlock) {
  std::string heard;
  TextStream stream({}, [&](std::string_view part) { heard += part; });
  stream.add("a\xff\xfe\xfd-and more text");
  EXPECT_TRUE(heard.size() > 10) << heard;
  stream.finish();
  EXPECT_EQ(heard, "a\xff\xfe\xfd-and more text");
}

}  // namespace
}  // namespace sosia::llm

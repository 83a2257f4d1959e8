#include "sosia/core/text.hpp"

#include <gtest/gtest.h>

namespace sosia {
namespace {

TEST(Text, EditDistanceCountsATranspositionAsOne) {
  EXPECT_EQ(edit_distance("", "abc"), 3u);
  EXPECT_EQ(edit_distance("abc", "abc"), 0u);
  EXPECT_EQ(edit_distance("thershold", "threshold"), 1u);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
}

TEST(Text, NearestNamesSuggestOnlyWhatIsNear) {
  const std::vector<std::string> names{"threads", "seed", "max_fpir"};
  EXPECT_EQ(did_you_mean("thread", names), "did you mean threads?");
  EXPECT_EQ(did_you_mean("max-fpri", names), "did you mean max_fpir?");
  EXPECT_EQ(did_you_mean("zzzzzz", names), "");
  EXPECT_EQ(did_you_mean(std::string(10000, 'a'), names), "");
}

TEST(Text, QuoteMakesHostileTextHarmless) {
  EXPECT_EQ(quote("a\"b\n\x1b[31m\xff"), "\"a\\\"b\\n\\x1b[31m\\xff\"");
  EXPECT_LT(quote(std::string(1000, 'x')).size(), 100u);
}

TEST(Text, Utf8Validity) {
  EXPECT_TRUE(valid_utf8("h\xc3\xa9\xe8\xa5\xbf\xf0\x9f\x98\x80"));
  EXPECT_FALSE(valid_utf8("\xc0\xaf"));          // overlong
  EXPECT_FALSE(valid_utf8("\xed\xa0\x80"));      // surrogate
  EXPECT_FALSE(valid_utf8("\xf4\x90\x80\x80"));  // beyond U+10FFFF
  EXPECT_FALSE(valid_utf8("\xe8\xa5"));          // cut
}

TEST(Text, DisplayWidth) {
  EXPECT_EQ(display_width("abc"), 3u);
  EXPECT_EQ(display_width("\xe8\xa5\xbf"), 2u);  // wide
  EXPECT_EQ(display_width("e\xcc\x81"), 1u);     // combining
}

TEST(Text, WrapKeepsTheWidthAndIndents) {
  EXPECT_EQ(wrap_text("aa bb cc dd", 5, 2), "aa bb\n  cc dd");
  EXPECT_EQ(wrap_text("longerthanwidth x", 5), "longerthanwidth\nx");
  EXPECT_EQ(wrap_text("a bb,ccc,d,e f", 6, 2), "a bb,\n  ccc,d,\n  e f");
  EXPECT_EQ(wrap_text("abc,", 2), "abc,");
}

TEST(Text, NumbersAreParsedWhole) {
  long long i = 0;
  EXPECT_TRUE(parse_integer("+42", i));
  EXPECT_EQ(i, 42);
  EXPECT_FALSE(parse_integer("4x", i));
  EXPECT_FALSE(parse_integer("", i));
  EXPECT_FALSE(parse_integer("99999999999999999999", i));
  double d = 0;
  EXPECT_TRUE(parse_real("-1e-3", d));
  EXPECT_EQ(d, -1e-3);
  EXPECT_FALSE(parse_real("1,5", d));
}

TEST(Text, EnumerateReadsLikeASentence) {
  const std::vector<std::string> three{"a", "b", "c"};
  EXPECT_EQ(enumerate(three, "or"), "a, b or c");
  EXPECT_EQ(enumerate(std::span(three).first(1)), "a");
}

}  // namespace
}  // namespace sosia

// The tokenizer, on a small vocabulary. tests/python/test_text_encoder.py compares it with
// huggingface's on many scripts.

#include "models/support.hpp"

namespace sosia::models {
namespace {

using Words = std::vector<std::string>;

const char* const kVocabulary =
    "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nthe\nun\n##aff\n##able\ncafe\n,\n.\n!\na\n##b\nmuller\n"
    "\xE4\xB8\xAD\n\xE5\x9B\xBD\n\xCF\x83\n\xE1\x84\x80\n##\xE1\x85\xA1\n-\n$\nab\n";

const WordPieceTokenizer& tokenizer() {
  static const WordPieceTokenizer kTokenizer(kVocabulary);
  return kTokenizer;
}

TEST(WordPiece, LongestMatchFirst) {
  EXPECT_EQ(tokenizer().tokens("unaffable"), (Words{"un", "##aff", "##able"}));
  EXPECT_EQ(tokenizer().tokens("The unaffable."), (Words{"the", "un", "##aff", "##able", "."}));
  EXPECT_EQ(tokenizer().tokens("abb"), (Words{"ab", "##b"}));
  EXPECT_EQ(tokenizer().tokens("unx the"), (Words{"[UNK]", "the"}));  // unknown as a whole
}

TEST(WordPiece, CaseAndAccents) {
  EXPECT_EQ(tokenizer().tokens("CAF\xC3\x89"), Words{"cafe"});   // one code point
  EXPECT_EQ(tokenizer().tokens("Cafe\xCC\x81"), Words{"cafe"});  // a combining accent
  EXPECT_EQ(tokenizer().tokens("M\xC3\xBCller"), Words{"muller"});
  EXPECT_EQ(tokenizer().tokens("\xCE\xA3"), Words{"\xCF\x83"});  // capital sigma
  EXPECT_EQ(tokenizer().tokens("\xEA\xB0\x80"), (Words{"\xE1\x84\x80", "##\xE1\x85\xA1"}));
}

TEST(WordPiece, SpacesPunctuationAndIdeographs) {
  EXPECT_EQ(tokenizer().tokens("the,the!"), (Words{"the", ",", "the", "!"}));
  EXPECT_EQ(tokenizer().tokens("a\xE4\xB8\xAD\xE5\x9B\xBD"
                               "a"),
            (Words{"a", "\xE4\xB8\xAD", "\xE5\x9B\xBD", "a"}));
  EXPECT_EQ(tokenizer().tokens("a\xC2\xA0"
                               "a\xE3\x80\x80"
                               "a\t\n\ra"),
            (Words{"a", "a", "a", "a"}));
  EXPECT_EQ(tokenizer().tokens("a-$a"), (Words{"a", "-", "$", "a"}));
  EXPECT_TRUE(tokenizer().tokens("").empty());
  EXPECT_TRUE(tokenizer().tokens(" \n ").empty());
}

TEST(WordPiece, ControlCharactersAndBrokenBytesVanish) {
  const std::string text(
      "t\0h\x01"
      "e\xE2\x80\x8B",
      8);  // NUL, a control, ZERO WIDTH SPACE
  EXPECT_EQ(tokenizer().tokens(text), Words{"the"});
  EXPECT_EQ(tokenizer().tokens("t\xFFh\xC3"
                               "e\xED\xA0\x80"),
            Words{"the"});
  EXPECT_EQ(tokenizer().tokens("the\xE4\xB8"), Words{"the"});  // cut off
  EXPECT_EQ(tokenizer().tokens("\xC0\xAF\xF5\x80\x80\x80the"), Words{"the"});
}

TEST(WordPiece, SpecialTokensStandAsWritten) {
  EXPECT_EQ(tokenizer().tokens("a[SEP]a"), (Words{"a", "[SEP]", "a"}));
  EXPECT_EQ(tokenizer().tokens("[sep]").size(), 3u);
}

TEST(WordPiece, LongWordsAreUnknown) {
  EXPECT_EQ(tokenizer().tokens("a" + std::string(99, 'b')).size(), 100u - 1);  // "ab", then ##b
  EXPECT_EQ(tokenizer().tokens("a" + std::string(100, 'b')), Words{"[UNK]"});
}

TEST(WordPiece, EndsAndCutting) {
  EXPECT_EQ(tokenizer().encode("the"), (std::vector<std::int32_t>{2, 5, 3}));
  EXPECT_EQ(tokenizer().encode(""), (std::vector<std::int32_t>{2, 3}));
  EXPECT_EQ(tokenizer().encode("the the the the", 4), (std::vector<std::int32_t>{2, 5, 5, 3}));
  EXPECT_EQ(tokenizer().encode("unaffable", 3), (std::vector<std::int32_t>{2, 6, 3}));
  EXPECT_EQ(error_of([] { tokenizer().encode("a", 1); }).code(), ErrorCode::invalid_argument);
}

TEST(WordPiece, BadVocabularies) {
  EXPECT_EQ(error_of([] { WordPieceTokenizer("[PAD]\n[UNK]\n[CLS]\n"); }).code(),
            ErrorCode::corrupt_data);
  const Error twice =
      error_of([] { WordPieceTokenizer("[PAD]\n[UNK]\n[CLS]\n[SEP]\nx\nx\n", "v.txt"); });
  EXPECT_TRUE(contains(twice.context(), "line 6")) << twice.render();
}

}  // namespace
}  // namespace sosia::models

// Texts of earlier requests: what is kept under a cap, and what a request finds.

#include "llm/past_texts.hpp"
#include "llm/request_index.hpp"
#include "support.hpp"

#include <gtest/gtest.h>

namespace sosia::llm {
namespace {

using test::random_tokens;

bool holds(const RecentTexts& texts, std::span<const Token> text) {
  bool found = false;
  texts.for_each([&](std::span<const Token> t, std::uint64_t) {
    found = found || (t.size() == text.size() && std::equal(t.begin(), t.end(), text.begin()));
  });
  return found;
}

TEST(RecentTexts, DropsWhatWasUsedLeastRecently) {
  constexpr std::uint64_t kCap = 64 * 1000;  // 1000 tokens
  RecentTexts texts(kCap);
  std::uint64_t clock = 0;
  std::vector<std::vector<Token>> all;
  for (std::uint64_t i = 0; i < 9; ++i) {
    all.push_back(random_tokens(100, 1'000'000, 1, i));
    texts.learn(all.back(), ++clock);
  }
  texts.touch(50, ++clock);  // within the first
  for (std::uint64_t i = 9; i < 12; ++i) {
    all.push_back(random_tokens(100, 1'000'000, 1, i));
    texts.learn(all.back(), ++clock);
    EXPECT_LE(texts.table().size(), 1000u);
  }
  EXPECT_TRUE(holds(texts, all[0]));
  EXPECT_FALSE(holds(texts, all[1]));
  EXPECT_TRUE(holds(texts, all[11]));
  EXPECT_LE(texts.footprint().bytes, kCap + 4096);
}

TEST(RecentTexts, ATextLargerThanAllRoomLeavesItsEnd) {
  RecentTexts texts(64 * 100);
  const auto text = random_tokens(1000, 1000, 1);
  texts.learn(text, 1);
  EXPECT_TRUE(holds(texts, std::span(text).last(99)));
  RecentTexts none(10);
  none.learn(text, 1);
  EXPECT_EQ(none.footprint().tokens, 0u);
}

TEST(RecentTexts, StaysWithinItsCap) {
  constexpr std::uint64_t kCap = 1 << 20;
  RecentTexts texts(kCap);
  std::uint64_t most = 0;
  for (std::uint64_t i = 0; i < 400; ++i) {
    texts.learn(random_tokens(20 + i, 5000, 2, i), i + 1);
    most = std::max(most, texts.footprint().bytes);
  }
  EXPECT_LE(most, kCap);
  EXPECT_GT(texts.footprint().tokens, 8000u);  // at least half of the 16,384 that fit
}

const Candidate* child_of(const CandidateTree& tree, std::int32_t parent, Token token) {
  for (const Candidate& c : tree.nodes) {
    if (c.parent == parent && c.token == token) return &c;
  }
  return nullptr;
}

TEST(RequestIndex, NoLagAndSourcesAreTold) {
  RequestIndex index(std::make_shared<HeapTexts>(1 << 20));
  index.learn(std::vector<Token>{50, 51, 52, 53});
  index.begin(std::vector<Token>{1, 2, 3, 4, 9});
  index.append(std::vector<Token>{1, 2});
  CandidateTree tree;
  index.retrieve({}, tree);
  const Candidate* three = child_of(tree, -1, 3);
  ASSERT_NE(three, nullptr);
  EXPECT_EQ(three->source, Source::prompt);
  EXPECT_EQ(three->match_length, 2);
  EXPECT_EQ(three->origin, 0u);
  // What was generated a moment ago can be found at once.
  index.append(std::vector<Token>{7, 8, 1, 2});
  index.retrieve({}, tree);
  const Candidate* seven = child_of(tree, -1, 7);
  ASSERT_NE(seven, nullptr);
  EXPECT_EQ(seven->source, Source::output);
  three = child_of(tree, -1, 3);
  ASSERT_NE(three, nullptr);
  EXPECT_FLOAT_EQ(three->share + seven->share, 1.0f);
  // Earlier texts.
  index.append(std::vector<Token>{50, 51});
  index.retrieve({}, tree);
  const Candidate* past = child_of(tree, -1, 52);
  ASSERT_NE(past, nullptr);
  EXPECT_EQ(past->source, Source::past);
  EXPECT_NE(past->origin, 0u);
  ASSERT_EQ(tree.nodes.size(), 2u);
  EXPECT_EQ(tree.nodes[1].token, 53);
  EXPECT_EQ(tree.nodes[1].parent, 0);
}

TEST(RequestIndex, AnOutputIsRememberedWithTheEndOfItsPrompt) {
  const auto past = std::make_shared<HeapTexts>(1 << 20);
  RequestIndex index(past, 3);
  index.begin(std::vector<Token>{10, 11, 12, 13});
  index.append(std::vector<Token>{20, 21});
  index.end();
  index.begin(std::vector<Token>{11, 12, 13});
  CandidateTree tree;
  index.retrieve({}, tree);
  ASSERT_NE(child_of(tree, -1, 20), nullptr);
  // But not the prompt of the request before.
  index.begin(std::vector<Token>{10});
  index.retrieve({}, tree);
  EXPECT_EQ(child_of(tree, -1, 11), nullptr);
}

TEST(RequestIndex, LimitsHold) {
  RequestIndex index(nullptr);
  index.begin(test::phrased_tokens(5000, 1));
  CandidateTree tree;
  index.retrieve({.max_nodes = 20, .max_depth = 5}, tree);
  EXPECT_LE(tree.nodes.size(), 20u);
  for (const Candidate& c : tree.nodes) EXPECT_LE(c.depth, 5u);
  for (std::size_t i = 0; i < tree.nodes.size(); ++i) {
    EXPECT_LT(tree.nodes[i].parent, static_cast<std::int32_t>(i));
  }
}

}  // namespace
}  // namespace sosia::llm

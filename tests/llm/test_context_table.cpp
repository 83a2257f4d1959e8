// The hash chains beside a search that looks at every position.

#include "llm/context_table.hpp"
#include "support.hpp"

#include <algorithm>
#include <map>

#include <gtest/gtest.h>

namespace sosia::llm {
namespace {

using test::random_tokens;

/// Every earlier place where the end of `context` occurs, by position of the token that follows.
std::map<std::uint32_t, std::size_t> naive(std::span<const Token> log,
                                           std::span<const Token> context) {
  std::map<std::uint32_t, std::size_t> found;
  for (std::size_t position = 0; position + 1 < log.size(); ++position) {
    std::size_t n = 0;
    while (n < kMaxMatch && n <= position && n < context.size() && log[position - n] != kNoToken &&
           log[position - n] == context[context.size() - 1 - n]) {
      ++n;
    }
    if (n > 0 && log[position + 1] != kNoToken) {
      found[static_cast<std::uint32_t>(position + 1)] = n;
    }
  }
  return found;
}

constexpr std::size_t kAll = 1 << 20;

void compare(const ContextTable& table, std::span<const Token> context) {
  std::vector<Occurrence> found;
  find_occurrences(table.view(), context, kAll, kAll, found);
  auto expected = naive(table.log(), context);
  std::size_t level = kLevelCount;
  for (const Occurrence& o : found) {
    ASSERT_TRUE(expected.contains(o.next));
    EXPECT_EQ(expected[o.next], o.match_length);
    expected.erase(o.next);  // so a second time would fail
    const auto at = static_cast<std::size_t>(
        std::upper_bound(kLevels.begin(), kLevels.end(), o.match_length) - kLevels.begin());
    EXPECT_LE(at, level) << "longest levels first";
    level = at;
  }
  EXPECT_TRUE(expected.empty()) << expected.size() << " were not found";
}

TEST(ContextTable, FindsWhatAScanFinds) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    ContextTable table;
    std::vector<Token> context;
    // Alphabets from 2 to 30 tokens: chains of all lengths; the table grows on the way.
    for (std::uint64_t text = 0; text < 6; ++text) {
      for (const Token t : random_tokens(150, 2 + seed + seed / 2, seed, text)) table.append(t);
      if (text < 5) table.close();
    }
    const auto log = table.log();
    for (std::size_t length : {1u, 2u, 3u, 9u, 40u}) compare(table, log.last(length));
    compare(table, random_tokens(20, 2 + seed, seed, 99));
  }
}

TEST(ContextTable, LongRepeatsAreMeasured) {
  ContextTable table;
  const auto phrase = random_tokens(60, 500, 3);
  for (const Token t : phrase) table.append(t);
  table.close();
  for (const Token t : std::span(phrase).first(50)) table.append(t);
  std::vector<Occurrence> found;
  find_occurrences(table.view(), table.log().last(40), 4, 64, found);
  ASSERT_FALSE(found.empty());
  EXPECT_EQ(found[0].next, 50u);
  EXPECT_EQ(found[0].match_length, kMaxMatch);
  EXPECT_EQ(table.log()[found[0].next], phrase[50]);
}

TEST(ContextTable, TextsDoNotRunIntoEachOther) {
  ContextTable table;
  for (const Token t : {1, 2}) table.append(t);
  table.close();
  for (const Token t : {3, 1, 2}) table.append(t);
  std::vector<Occurrence> found;
  const std::vector<Token> context{1, 2};
  // The first text ends behind its 2: nothing follows.
  find_occurrences(table.view(), context, 8, 64, found);
  EXPECT_TRUE(found.empty());
  // No match goes through the boundary.
  table.append(4);
  const std::vector<Token> across{1, 2, 3};
  find_occurrences(table.view(), across, 8, 64, found);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].match_length, 1u);
}

TEST(ContextTable, ErasedTextsAreNotFound) {
  ContextTable table;
  const auto first = random_tokens(100, 5, 1), second = random_tokens(100, 5, 2);
  for (const Token t : first) table.append(t);
  table.close();
  for (const Token t : second) table.append(t);
  table.close();
  table.erase(0, 101);
  std::vector<Occurrence> found;
  find_occurrences(table.view(), std::span(first).last(3), kAll, kAll, found);
  for (const Occurrence& o : found) EXPECT_GT(o.next, 101u);
  compare(table, std::span(second).first(50));
}

TEST(ContextTable, WorkIsBounded) {
  ContextTable table;
  for (int i = 0; i < 100'000; ++i) table.append(7);  // every chain holds everything
  std::vector<Occurrence> found;
  find_occurrences(table.view(), table.log().last(32), 16, 48, found);
  EXPECT_LE(found.size(), 16u);
  EXPECT_FALSE(found.empty());
}

TEST(ContextTable, AtMost64BytesAToken) {
  ContextTable table;
  double worst = 0;
  const auto tokens = random_tokens(300'000, 40'000, 5);
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    table.append(tokens[i]);
    if (i >= 50'000) {
      worst = std::max(worst, static_cast<double>(table.bytes()) / static_cast<double>(i + 1));
    }
  }
  // Observed: 63.6 directly behind a growth of the buckets.
  EXPECT_LE(worst, 64);
}

TEST(ContextTable, DamagedArraysDoNotLeadAstray) {
  // As in a mapped file that somebody changed: positions beyond the end, chains that go in circles.
  const auto log = random_tokens(300, 3, 9);
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    RandomStream random(seed, "damage");
    std::vector<std::uint32_t> older(300), heads(64);
    for (auto& x : older) x = static_cast<std::uint32_t>(random.below(400));
    for (auto& x : heads) x = static_cast<std::uint32_t>(random.below(400));
    ContextView view;
    view.log = log;
    view.older.fill(older);
    view.heads.fill(heads);
    std::vector<Occurrence> found;
    find_occurrences(view, std::span(log).last(20), kAll, kAll, found);
    for (const Occurrence& o : found) EXPECT_LT(o.next, log.size());
  }
}

}  // namespace
}  // namespace sosia::llm

// The paper's trie beside counts of all substrings.

#include "llm/trie_index.hpp"
#include "support.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <gtest/gtest.h>

namespace sosia::llm {
namespace {

using test::random_tokens;
using Path = std::vector<Token>;

Path path_of(const CandidateTree& tree, std::size_t node) {
  Path path;
  for (auto i = static_cast<std::int32_t>(node); i >= 0;
       i = tree.nodes[static_cast<std::size_t>(i)].parent) {
    path.insert(path.begin(), tree.nodes[static_cast<std::size_t>(i)].token);
  }
  return path;
}

/// How often each path follows `query` in `text`.
std::map<Path, int> continuations(const std::vector<Token>& text, const Path& query,
                                  std::size_t depth) {
  std::map<Path, int> counts;
  for (std::size_t i = 0; i + query.size() < text.size(); ++i) {
    if (!std::equal(query.begin(), query.end(), text.begin() + static_cast<std::ptrdiff_t>(i))) {
      continue;
    }
    Path path;
    for (std::size_t k = i + query.size(); k < text.size() && path.size() < depth; ++k) {
      path.push_back(text[k]);
      ++counts[path];
    }
  }
  return counts;
}

TEST(Trie, HoldsAllContinuations) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const auto text = random_tokens(120, 4, seed);
    TrieOptions options;
    options.decoding_length = 100'000;
    options.branch_length = 6;
    TrieIndex trie(options);
    trie.learn(text);
    const auto query = random_tokens(2, 4, seed, 7);
    trie.begin(query);
    CandidateTree tree;
    trie.retrieve({.max_nodes = 100'000, .max_depth = 6}, tree);
    auto expected = continuations(text, query, 6);
    for (std::size_t i = 0; i < tree.nodes.size(); ++i) {
      // The prompt itself, two tokens, adds no continuation of the query.
      const auto found = expected.find(path_of(tree, i));
      ASSERT_NE(found, expected.end());
      EXPECT_EQ(tree.nodes[i].support, static_cast<std::uint32_t>(found->second));
      expected.erase(found);
    }
    EXPECT_TRUE(expected.empty());
  }
}

TEST(Trie, OutputIsFoundOnlyABranchLater) {
  TrieOptions options;
  options.branch_length = 3;
  TrieIndex trie(options);
  trie.begin({});
  CandidateTree tree;
  const Path output{1, 2, 3, 4, 5, 6, 1};
  std::size_t first = 0;
  for (std::size_t i = 0; i < output.size(); ++i) {
    trie.append(std::span(output).subspan(i, 1));
    trie.retrieve({}, tree);
    if (!tree.nodes.empty() && first == 0) first = i;
  }
  ASSERT_EQ(first, 6u);  // the text repeats; its beginning has been inserted by now
  EXPECT_EQ(tree.nodes[0].token, 2);
  trie.end();
  trie.begin(Path{5});
  trie.retrieve({}, tree);
  ASSERT_FALSE(tree.nodes.empty());
  EXPECT_EQ(tree.nodes[0].token, 6);
}

TEST(Trie, BacksOffToAShorterQuery) {
  TrieIndex trie(TrieOptions{});
  trie.learn(Path{8, 2, 3});
  trie.begin(Path{1, 2});
  CandidateTree tree;
  trie.retrieve({}, tree);
  ASSERT_EQ(tree.nodes.size(), 1u);
  EXPECT_EQ(tree.nodes[0].token, 3);
  EXPECT_EQ(tree.nodes[0].match_length, 1);
}

TEST(Trie, PromptCountsEndWithTheRequest) {
  TrieIndex trie(TrieOptions{});
  const Path prompt{1, 2, 3, 1};
  CandidateTree tree;
  trie.begin(prompt);
  trie.retrieve({}, tree);
  ASSERT_FALSE(tree.nodes.empty());
  EXPECT_EQ(tree.nodes[0].source, Source::prompt);
  trie.end();
  trie.begin(Path{2});
  trie.retrieve({}, tree);
  EXPECT_TRUE(tree.nodes.empty());
}

TEST(Trie, PromptOutranksPastAndBothKeepTheirShare) {
  TrieOptions options;
  options.decoding_length = 5;  // four drafted tokens
  options.branch_length = 2;
  TrieIndex trie(options);
  // Past: 1 is followed by one of eight tokens, each three times. Prompt: by 100 and 101, once
  // each.
  for (Token t = 10; t < 18; ++t) {
    for (int k = 0; k < 3; ++k) trie.learn(Path{1, t});
  }
  trie.begin(Path{1, 100, 1, 101, 1});
  CandidateTree tree;
  trie.retrieve({}, tree);
  ASSERT_EQ(tree.nodes.size(), 4u);
  std::set<Token> tokens;
  for (const Candidate& c : tree.nodes) tokens.insert(c.token);
  // The published code would drop the prompt's tokens here; half of the budget is the past's.
  EXPECT_TRUE(tokens.contains(100) || tokens.contains(101));
  EXPECT_EQ(std::count_if(tokens.begin(), tokens.end(), [](Token t) { return t < 18 && t >= 10; }),
            2);
}

TEST(Trie, OneFollowsTheBestBranch) {
  TrieOptions options;
  options.method = TrieOptions::Method::one;
  TrieIndex trie(options);
  for (int i = 0; i < 3; ++i) trie.learn(Path{1, 2, 3, 4});
  trie.learn(Path{1, 5, 6});
  trie.begin(Path{9, 1});
  CandidateTree tree;
  trie.retrieve({}, tree);
  ASSERT_EQ(tree.nodes.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(tree.nodes[i].parent, static_cast<std::int32_t>(i) - 1);
    EXPECT_EQ(tree.nodes[i].token, static_cast<Token>(i + 2));
  }
}

TEST(Trie, StopWordsAskNothingAlone) {
  TrieOptions options;
  options.stop_words = {7};
  TrieIndex trie(options);
  trie.learn(Path{7, 2});
  trie.begin(Path{1, 7});
  CandidateTree tree;
  trie.retrieve({}, tree);
  EXPECT_TRUE(tree.nodes.empty());
}

TEST(Trie, SqueezeHalvesAndBoundsMemory) {
  TrieOptions options;
  options.branch_length = 4;
  options.max_output_node = 20;
  options.squeeze_after = 5;
  TrieIndex trie(options);
  for (std::uint64_t i = 0; i < 200; ++i) {
    trie.learn(random_tokens(50, 8, 1, i));
    trie.begin(random_tokens(10, 8, 2, i));
    trie.end();
  }
  // 8 trees; at most what two requests add on top of the nodes that a squeeze leaves.
  EXPECT_LT(trie.nodes(), 8u * 400u);
  // What is frequent survives.
  TrieIndex frequent(options);
  for (int i = 0; i < 64; ++i) frequent.learn(Path{1, 2, 3});
  for (std::uint64_t i = 0; i < 30; ++i) frequent.learn(random_tokens(60, 6, 3, i));
  frequent.begin(Path{1, 2});
  CandidateTree tree;
  frequent.retrieve({}, tree);
  ASSERT_FALSE(tree.nodes.empty());
}

TEST(Trie, BudgetAndParentsHold) {
  for (const auto method : {TrieOptions::Method::hier, TrieOptions::Method::par}) {
    TrieOptions options;
    options.method = method;
    options.decoding_length = 17;
    TrieIndex trie(options);
    for (std::uint64_t i = 0; i < 20; ++i) trie.learn(random_tokens(200, 5, 4, i));
    trie.begin(random_tokens(50, 5, 5));
    CandidateTree tree;
    trie.retrieve({}, tree);
    EXPECT_LE(tree.nodes.size(), 16u);
    EXPECT_GE(tree.nodes.size(), method == TrieOptions::Method::hier ? 16u : 8u);
    std::set<Path> paths;
    for (std::size_t i = 0; i < tree.nodes.size(); ++i) {
      EXPECT_LT(tree.nodes[i].parent, static_cast<std::int32_t>(i));
      EXPECT_TRUE(paths.insert(path_of(tree, i)).second);
    }
  }
}

}  // namespace
}  // namespace sosia::llm

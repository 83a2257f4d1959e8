// The choice of drafts beside an enumeration of all trees; learning of costs and acceptance.

#include "errors.hpp"
#include "sosia/llm/policy.hpp"
#include "support.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace sosia::llm {
namespace {

/// A random tree of candidates of one source whose shares and matches differ.
CandidateTree random_tree(std::size_t count, std::uint64_t seed) {
  RandomStream random(seed, "tree");
  CandidateTree tree;
  for (std::size_t i = 0; i < count; ++i) {
    Candidate c;
    c.token = static_cast<Token>(i);
    const auto parent = random.below(i + 1);
    c.parent = static_cast<std::int32_t>(parent) - 1;
    c.depth = static_cast<std::uint16_t>(
        parent == 0 ? 1 : tree.nodes[static_cast<std::size_t>(parent - 1)].depth + 1);
    c.match_length = static_cast<std::uint16_t>(1 + random.below(12));
    c.share = static_cast<float>(random.uniform());
    c.support = static_cast<std::uint32_t>(1 + random.below(5));
    tree.nodes.push_back(c);
  }
  return tree;
}

/// The best gain of any set of nodes that holds every node's parent and has an allowed size.
double best_gain(const CandidateTree& tree, const AcceptanceModel& model, const StepCost& cost,
                 std::size_t leaves) {
  const std::size_t count = tree.nodes.size();
  double best = 1;
  for (std::uint32_t set = 1; set < (1u << count); ++set) {
    double tokens = 1;
    std::vector<double> q(count, 0);
    std::vector<bool> inner(count, false);
    bool closed = true;
    for (std::size_t i = 0; i < count && closed; ++i) {
      if (!(set >> i & 1)) continue;
      const std::int32_t p = tree.nodes[i].parent;
      closed = p < 0 || (set >> p & 1);
      if (p >= 0) inner[static_cast<std::size_t>(p)] = true;
      q[i] = (p < 0 ? 1 : q[static_cast<std::size_t>(p)]) * model.probability(tree.nodes[i]);
      tokens += q[i];
    }
    const auto n = static_cast<std::size_t>(__builtin_popcount(set)) + 1;
    std::size_t ends = 0;
    for (std::size_t i = 0; i < count; ++i) ends += (set >> i & 1) && !inner[i];
    if (!closed || ends > leaves || std::find(kShapes.begin(), kShapes.end(), n) == kShapes.end()) {
      continue;
    }
    best = std::max(best, tokens * cost.ms(1, 0) / cost.ms(n, 0));
  }
  return best;
}

TEST(Policy, FindsTheBestTree) {
  const StepCost cost({{0, {{1, 1}, {2, 1.1}, {4, 1.3}, {8, 1.9}, {16, 4}}}});
  int drafted = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const CandidateTree tree = random_tree(11, seed);
    DraftPolicy policy({.max_leaves = 11, .margin = 1}, cost);
    const Draft draft = policy.choose(tree, 0, 63);
    EXPECT_NEAR(draft.expected_gain, best_gain(tree, policy.acceptance(), cost, 11), 1e-9) << seed;
    drafted += !draft.nodes.empty();
    for (std::size_t i = 0; i < draft.nodes.size(); ++i) {
      EXPECT_LT(draft.nodes[i].parent, static_cast<std::int32_t>(i));
      EXPECT_EQ(draft.nodes[i].depth,
                draft.nodes[i].parent < 0
                    ? 1
                    : draft.nodes[static_cast<std::size_t>(draft.nodes[i].parent)].depth + 1);
    }
  }
  EXPECT_GT(drafted, 20);
}

TEST(Policy, LeavesAndRoomAreKept) {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const CandidateTree tree = random_tree(60, seed);
    for (const std::size_t leaves : {1u, 2u, 4u}) {
      DraftPolicy policy({.max_leaves = leaves}, StepCost::flat());
      const Draft draft = policy.choose(tree, 0, 11);
      EXPECT_LE(draft.nodes.size(), 11u);
      EXPECT_LE(draft.leaves(), leaves);
      EXPECT_EQ(draft.is_chain(), draft.nodes.empty() || draft.leaves() == 1);
    }
    DraftPolicy policy({}, StepCost::flat());
    EXPECT_TRUE(policy.choose(tree, 0, 0).nodes.empty());
  }
}

TEST(Policy, NothingIsDraftedWhereItCannotPay) {
  // Every further token at full price.
  const StepCost dear({{0, {{1, 1}, {64, 64}}}});
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    DraftPolicy policy({}, dear);
    EXPECT_TRUE(policy.choose(random_tree(40, seed), 0, 63).nodes.empty());
  }
  // A cliff behind 8 is not jumped, but a valley behind it is found.
  CandidateTree chain;
  for (int i = 0; i < 40; ++i) {
    Candidate c;
    c.token = i;
    c.parent = i - 1;
    c.depth = static_cast<std::uint16_t>(i + 1);
    c.match_length = 32;
    c.share = 1;
    c.support = 5;
    chain.nodes.push_back(c);
  }
  DraftPolicy cliff({}, StepCost({{0, {{1, 1}, {8, 1.7}, {12, 12}, {64, 64}}}}));
  EXPECT_EQ(cliff.choose(chain, 0, 63).nodes.size(), 7u);
  DraftPolicy valley({}, StepCost({{0, {{1, 1}, {8, 8}, {12, 10}, {16, 3}, {64, 64}}}}));
  EXPECT_EQ(valley.choose(chain, 0, 63).nodes.size(), 15u);
}

TEST(Policy, LearnsAcceptance) {
  AcceptanceModel model;
  Candidate good, bad;
  good.match_length = bad.match_length = 4;
  good.share = bad.share = 1;
  good.source = Source::prompt;
  bad.source = Source::past;
  RandomStream random(1, "outcomes");
  for (int i = 0; i < 500; ++i) {
    const bool yes = random.uniform() < 0.9, no = random.uniform() < 0.1;
    model.observe(good, yes);
    model.observe(bad, no);
  }
  EXPECT_NEAR(model.probability(good), 0.9, 0.07);
  EXPECT_NEAR(model.probability(bad), 0.1, 0.07);
  EXPECT_EQ(model.brier().second, 1000u);
  EXPECT_LT(model.brier().first, 0.15);
}

TEST(Policy, DraftsStopWhenTheyFailAndComeBack) {
  CandidateTree tree;
  Candidate c;
  c.token = 5;
  c.match_length = 8;
  c.share = 1;
  tree.nodes.push_back(c);
  DraftPolicy policy({}, StepCost({{0, {{1, 1}, {2, 1.3}, {4, 2.2}}}}));
  const std::vector<Token> wrong{6}, right{5, 6};
  ASSERT_FALSE(policy.choose(tree, 0, 8).nodes.empty());
  int wasted = 0;
  for (int i = 0; i < 300; ++i) {
    const Draft draft = policy.choose(tree, 0, 8);
    wasted += !draft.nodes.empty();
    policy.learn(tree, draft, wrong, 0, draft.nodes.empty() ? 1 : 1.3);
  }
  EXPECT_LT(wasted, 30);  // observed: 8
  // The text changes. Nothing is drafted at first, yet the outcomes are seen.
  int used = 0;
  for (int i = 0; i < 300; ++i) {
    const Draft draft = policy.choose(tree, 0, 8);
    used += !draft.nodes.empty();
    policy.learn(tree, draft, draft.nodes.empty() ? std::span(right).first(1) : std::span(right), 0,
                 draft.nodes.empty() ? 1 : 1.3);
  }
  EXPECT_GT(used, 100);
}

TEST(StepCost, FollowsLoadAndShape) {
  StepCost cost({{0, {{1, 10}, {2, 12}, {4, 16}, {8, 30}}}, {1000, {{1, 20}, {2, 24}}}});
  EXPECT_DOUBLE_EQ(cost.ms(1, 100), 10);
  EXPECT_DOUBLE_EQ(cost.ms(1, 900), 20);
  EXPECT_DOUBLE_EQ(cost.ms(3, 0), 14);
  EXPECT_DOUBLE_EQ(cost.ms(16, 0), 58);
  // Everything takes twice as long: the ratios stay.
  for (int i = 0; i < 300; ++i) {
    cost.observe(1, 0, 20);
    cost.observe(4, 0, 32);
  }
  EXPECT_NEAR(cost.ms(1, 0), 20, 1);
  EXPECT_NEAR(cost.ms(8, 0) / cost.ms(1, 0), 3, 0.3);
  // One shape alone is slower than its profile.
  for (int i = 0; i < 600; ++i) {
    cost.observe(1, 0, 20);
    cost.observe(4, 0, 64);
  }
  EXPECT_NEAR(cost.ms(4, 0) / cost.ms(1, 0), 3.2, 0.4);
  cost.observe(1, 0, -1);
  EXPECT_GT(cost.ms(1, 0), 0);
}

TEST(StepCost, RefusesWhatIsNoProfile) {
  expect_refused([] { StepCost({}); }, "needs a curve");
  expect_refused([] { StepCost({{0, {{2, 1}}}}); }, "n = 1");
  expect_refused([] { StepCost({{0, {{1, 1}, {1, 2}}}}); }, "ascending");
  expect_refused([] { StepCost({{0, {{1, 0}}}}); }, "positive");
  expect_refused([] { StepCost({{0, {{1, std::nan("")}}}}); }, "positive");
}

}  // namespace
}  // namespace sosia::llm

// Recorded streams through index and policy, under t(n) of several machines.

#include "errors.hpp"
#include "sosia/llm/replay.hpp"
#include "support.hpp"

#include <gtest/gtest.h>

namespace sosia::llm {
namespace {

using test::phrased_tokens;
using test::random_tokens;

std::vector<Recording> templated(std::uint64_t seed, std::size_t count) {
  std::vector<Recording> all;
  for (std::uint64_t i = 0; i < count; ++i) {
    all.push_back({phrased_tokens(60, seed, 2 * i), phrased_tokens(200, seed, 2 * i + 1), "t"});
  }
  return all;
}

TEST(Replay, EveryTokenIsEmittedOnce) {
  for (const auto index : {LookaheadOptions::Index::context, LookaheadOptions::Index::trie}) {
    const auto recordings = templated(1, 10);
    LookaheadOptions options;
    options.index = index;
    Lookahead lookahead(options, StepCost::flat());
    const ReplayResult result = replay(lookahead, StepCost::flat(), recordings);
    EXPECT_EQ(result.stats.tokens, 2000u);
    EXPECT_EQ(result.stats.requests, 10u);
    EXPECT_EQ(result.stats.accepted + result.stats.steps, result.stats.tokens);
    std::uint64_t drafted = 0, accepted = 0;
    for (std::size_t s = 0; s < kSources; ++s) {
      drafted += result.stats.drafted_by[s];
      accepted += result.stats.accepted_by[s];
    }
    EXPECT_EQ(drafted, result.stats.drafted);
    EXPECT_EQ(accepted, result.stats.accepted);
    EXPECT_GT(result.stats.tokens_per_step(), 2);
  }
}

TEST(Replay, NeverMuchSlowerThanPlain) {
  // Random text: nothing can be predicted. Modelled time includes what learning costs.
  std::vector<Recording> noise;
  for (std::uint64_t i = 0; i < 10; ++i) {
    noise.push_back({random_tokens(100, 50, 3, 2 * i), random_tokens(300, 50, 3, 2 * i + 1), ""});
  }
  for (const std::string& name : published_curves()) {
    Lookahead lookahead({}, published_curve(name));
    const ReplayResult result = replay(lookahead, published_curve(name), noise);
    EXPECT_GE(result.ratio(), 0.97) << name;  // observed: at least 0.99
  }
}

TEST(Replay, TreesAreChosenByTheCurve) {
  const auto recordings = templated(2, 30);
  std::vector<double> nodes, ratios;
  for (const char* name : {"cpu2-q4k", "cpu2-q4_1", "cpu2-amx-q8", "flat"}) {
    Lookahead lookahead({}, published_curve(name));
    const ReplayResult result = replay(lookahead, published_curve(name), recordings);
    nodes.push_back(result.mean_nodes);
    ratios.push_back(result.ratio());
    EXPECT_GE(result.ratio(), 1.0) << name;
  }
  // The flatter the curve, the larger the trees and the gain.
  EXPECT_TRUE(std::is_sorted(nodes.begin(), nodes.end())) << testing::PrintToString(nodes);
  EXPECT_TRUE(std::is_sorted(ratios.begin(), ratios.end())) << testing::PrintToString(ratios);
}

TEST(Replay, AWrongProfileIsCorrected) {
  // The policy is told that drafts are free; they are not. It must come back above the floor.
  const auto recordings = templated(4, 60);
  const StepCost truth = published_curve("cpu2-q4k");
  Lookahead lookahead({}, StepCost::flat());
  replay(lookahead, truth, std::span(recordings).first(30));
  const ReplayResult later = replay(lookahead, truth, std::span(recordings).subspan(30));
  EXPECT_GE(later.ratio(), 0.97);
}

TEST(Replay, RepeatedRequestsReachTheLengthOfDrafts) {
  auto recordings = templated(5, 5);
  const auto once = recordings;
  recordings.insert(recordings.end(), once.begin(), once.end());
  Lookahead lookahead({}, StepCost::flat());
  replay(lookahead, StepCost::flat(), once);
  const ReplayResult again = replay(lookahead, StepCost::flat(), once);
  EXPECT_GT(again.stats.tokens_per_step(), 10);
}

TEST(Lookahead, SwitchedOffDraftsNothing) {
  LookaheadOptions options;
  options.policy.enabled = false;
  Lookahead lookahead(options, StepCost::flat());
  const auto recordings = templated(1, 3);
  const ReplayResult result = replay(lookahead, StepCost::flat(), recordings);
  EXPECT_EQ(result.stats.drafted, 0u);
  EXPECT_EQ(result.stats.steps, result.stats.tokens);
}

TEST(Lookahead, ARequestThatIsNotRememberedLeavesNothing) {
  Lookahead lookahead({}, StepCost::flat());
  const auto recordings = templated(1, 1);
  replay(lookahead, StepCost::flat(), recordings, false);
  EXPECT_EQ(lookahead.footprint().tokens, 0u);
}

TEST(Replay, UnknownCurve) {
  expect_refused([] { published_curve("h100"); }, "numa-moe", ErrorCode::not_found);
}

}  // namespace
}  // namespace sosia::llm

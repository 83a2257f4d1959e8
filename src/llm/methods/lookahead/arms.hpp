#pragma once
// What is compared: tokens per step of one set of recorded answers under different drafting.

#include "sosia/core/rng.hpp"
#include "sosia/llm/replay.hpp"

#include <vector>

namespace sosia::llm::lookahead {

/// Greedy answers with their prompts: those that warm the memory, those that are tested.
struct Answers {
  std::vector<Recording> warm = {}, test = {};
};

/// Tokens per step of each arm, on a device where a step costs the same whatever it verifies, as
/// the paper's servers nearly are.
struct Arms {
  double lookahead = 0;      ///< several branches, warm memory
  double trie = 0;           ///< the same with the paper's trie, 64 tokens a step, branches of 12
  double single_branch = 0;  ///< warm memory, one branch
  double prompt_only = 0;    ///< nothing but the request's own text
  double shuffled = 0;       ///< the memory's tokens in random order: the control
  double oracle = 0;         ///< every draft of 63 tokens is right
};

Arms measure_arms(const Answers& answers, RandomStream shuffle);

}  // namespace sosia::llm::lookahead

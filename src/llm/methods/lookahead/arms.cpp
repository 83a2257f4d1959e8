// Reference: Zhao et al., "Lookahead: an inference acceleration framework for large language model
// with lossless generation accuracy", KDD 2024, arXiv 2312.12728.

#include "llm/methods/lookahead/arms.hpp"

namespace sosia::llm::lookahead {

namespace {

constexpr std::size_t kLeaves = 32;

double tokens_per_step(const LookaheadOptions& options, const std::vector<Recording>& warm,
                       const std::vector<Recording>& test) {
  const StepCost cost = StepCost::flat();
  Lookahead lookahead(options, cost);
  replay(lookahead, cost, warm);
  // Outputs of the test are not remembered, so that the memory alone makes the difference.
  return replay(lookahead, cost, test, false).stats.tokens_per_step();
}

}  // namespace

Arms measure_arms(const Answers& answers, RandomStream shuffle) {
  Arms arms;
  LookaheadOptions options;
  options.policy.max_leaves = kLeaves;
  arms.lookahead = tokens_per_step(options, answers.warm, answers.test);

  LookaheadOptions trie = options;
  trie.index = LookaheadOptions::Index::trie;
  trie.policy.max_leaves = 63;
  arms.trie = tokens_per_step(trie, answers.warm, answers.test);

  LookaheadOptions single = options;
  single.policy.max_leaves = 1;
  arms.single_branch = tokens_per_step(single, answers.warm, answers.test);

  LookaheadOptions own = options;
  own.memory_bytes = 0;
  arms.prompt_only = tokens_per_step(own, answers.warm, answers.test);

  std::vector<Recording> shuffled = answers.warm;
  for (Recording& r : shuffled) {
    shuffle.shuffle(std::span(r.prompt));
    shuffle.shuffle(std::span(r.output));
  }
  arms.shuffled = tokens_per_step(options, shuffled, answers.test);

  std::size_t tokens = 0, steps = 0;
  for (const Recording& r : answers.test) {
    tokens += r.output.size();
    steps += (r.output.size() + kShapes.back() - 1) / kShapes.back();
  }
  arms.oracle = steps == 0 ? 0 : static_cast<double>(tokens) / static_cast<double>(steps);
  return arms;
}

}  // namespace sosia::llm::lookahead

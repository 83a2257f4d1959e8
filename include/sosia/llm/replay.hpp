#pragma once
// Policies without a model: recorded outputs go through index and policy, a draft is accepted where
// the recording agrees with it. What a model would verify is known, so the tokens per step are
// those of greedy decoding; the time is that of a given t(n).

#include "sosia/llm/lookahead.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace sosia::llm {

/// A request and the answer that was recorded for it.
struct Recording {
  std::vector<Token> prompt = {}, output = {};
  std::string task = {};
};

struct ReplayResult {
  LookaheadStats stats = {};
  double plain_ms = 0;    ///< modelled time of one token a step
  double replay_ms = 0;   ///< modelled time of the steps that were taken, retrieval not included
  double mean_nodes = 0;  ///< drafted nodes of a step
  double ratio() const { return replay_ms > 0 ? plain_ms / replay_ms : 0; }
};

/// Replays the recordings in order with `drafter`, which is told the modelled times; each output is
/// remembered afterwards unless `remember` is false. `truth`: the costs that time is counted with.
/// The first token of an output comes with the prompt, as in the engine. Of `stats` the counts are
/// filled, and by the second form everything that a Lookahead counts.
ReplayResult replay(Drafter& drafter, const StepCost& truth, std::span<const Recording> recordings,
                    bool remember = true);
ReplayResult replay(Lookahead& lookahead, const StepCost& truth,
                    std::span<const Recording> recordings, bool remember = true);

/// t(n) of other machines, relative to t(1) = 1, from measurements that were published or made
/// before: "flat", "a100-q4", "gpu-34b-q8", "numa-moe", "cpu2-q4k", "cpu2-q4_1", "cpu2-amx-q8".
/// Beyond the last point they go on along the last slope. Throws not_found for other names.
StepCost published_curve(std::string_view name);
std::vector<std::string> published_curves();

}  // namespace sosia::llm

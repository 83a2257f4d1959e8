#include "sosia/llm/replay.hpp"

#include "sosia/core/error.hpp"
#include "sosia/core/text.hpp"

#include <algorithm>

namespace sosia::llm {

namespace {

struct Curve {
  const char* name;
  std::vector<std::pair<std::size_t, double>> points;
};

/// Section 5.5 of the notes on the paper names the sources.
const std::vector<Curve>& curves() {
  static const std::vector<Curve> all{
      // Roofline of 16-bit weights on a server GPU: flat to n* ~ 153.
      {"flat", {{1, 1}, {64, 1}}},
      // Roofline of an A100 with 4.5-bit weights: n* ~ 43, proportional from there on.
      {"a100-q4", {{1, 1}, {43, 1}, {64, 1.488}}},
      // llama.cpp #5625, 34B Q8_0: t(n) = n / (tokens per s) * 34.7. The cliff behind 8 is real;
      // beyond
      // 9 it is proportional for want of figures.
      {"gpu-34b-q8",
       {{1, 1},
        {2, 1.07},
        {3, 1.12},
        {4, 1.28},
        {5, 1.28},
        {6, 1.54},
        {7, 1.61},
        {8, 1.73},
        {9, 3.88},
        {64, 27.6}}},
      // llama.cpp #17034, DeepSeek-R1 on a NUMA machine.
      {"numa-moe", {{1, 1}, {2, 1.21}, {4, 1.63}, {8, 2.56}, {16, 4.3}, {32, 7.8}, {64, 14.6}}},
      // Llama-3.2-1B shapes, Q4_K repacked, two threads; n = 16 is cheaper than 12.
      {"cpu2-q4k",
       {{1, 1},
        {2, 2.04},
        {3, 2.69},
        {4, 3.46},
        {5, 4.03},
        {8, 6.53},
        {12, 10.2},
        {16, 8.48},
        {32, 13.0}}},
      // SmolLM2-135M Q4_1, two threads.
      {"cpu2-q4_1", {{1, 1}, {2, 1.19}, {4, 1.76}, {8, 2.95}, {16, 5.14}, {32, 9.67}}},
      // Gemma-3-270M Q8_0 with AMX, two threads.
      {"cpu2-amx-q8", {{1, 1}, {2, 1.33}, {4, 1.45}, {8, 1.95}, {16, 2.41}, {32, 4.23}}}};
  return all;
}

/// The nodes of the draft that `rest` runs along.
std::size_t accepted_nodes(const Draft& draft, std::span<const Token> rest) {
  std::int32_t at = -1;
  std::size_t count = 0;
  for (const Token token : rest) {
    std::int32_t below = -1;
    for (std::size_t i = static_cast<std::size_t>(at + 1); i < draft.nodes.size(); ++i) {
      if (draft.nodes[i].parent == at && draft.nodes[i].token == token) {
        below = static_cast<std::int32_t>(i);
        break;
      }
    }
    if (below < 0) break;
    at = below;
    ++count;
  }
  return count;
}

}  // namespace

ReplayResult replay(Drafter& drafter, const StepCost& truth, std::span<const Recording> recordings,
                    bool remember) {
  ReplayResult result;
  LookaheadStats& stats = result.stats;
  for (const Recording& r : recordings) {
    if (r.output.empty()) continue;
    drafter.begin(r.prompt);
    ++stats.requests;
    // The first token comes with the prompt, in the engine too.
    drafter.append(std::span(r.output).first(1));
    stats.tokens += r.output.size();
    std::size_t at = 1;
    while (at < r.output.size()) {
      const std::span rest = std::span(r.output).subspan(at);
      const std::size_t context = r.prompt.size() + at;
      // The last token is always the model's own.
      const Draft& draft = drafter.propose(rest.size() - 1);
      const std::size_t accepted = std::min(accepted_nodes(draft, rest), rest.size() - 1);
      const double ms = truth.ms(draft.nodes.size() + 1, context);
      ++stats.steps;
      stats.drafted_steps += draft.nodes.empty() ? 0 : 1;
      stats.drafted += draft.nodes.size();
      stats.accepted += accepted;
      result.replay_ms += ms;
      for (std::size_t k = 0; k <= accepted; ++k) result.plain_ms += truth.ms(1, context + k);
      drafter.accept(rest.first(accepted + 1), ms, !draft.nodes.empty());
      at += accepted + 1;
    }
    drafter.end(remember);
  }
  if (stats.steps > 0) {
    result.mean_nodes = static_cast<double>(stats.drafted) / static_cast<double>(stats.steps);
  }
  return result;
}

ReplayResult replay(Lookahead& lookahead, const StepCost& truth,
                    std::span<const Recording> recordings, bool remember) {
  lookahead.reset_stats();
  ReplayResult result = replay(static_cast<Drafter&>(lookahead), truth, recordings, remember);
  result.stats = lookahead.stats();
  return result;
}

StepCost published_curve(std::string_view name) {
  for (const Curve& curve : curves()) {
    if (curve.name == name) return StepCost({{0, curve.points}});
  }
  const std::vector<std::string> names = published_curves();
  throw Error(ErrorCode::not_found, "no curve of step costs is called " + quote(name),
              "there are " + enumerate(names));
}

std::vector<std::string> published_curves() {
  std::vector<std::string> names;
  for (const Curve& curve : curves()) names.emplace_back(curve.name);
  return names;
}

}  // namespace sosia::llm

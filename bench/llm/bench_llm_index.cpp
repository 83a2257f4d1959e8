// Processor time of one step's drafting (retrieve, choose, learn, insert) at a given number of
// indexed tokens, and bytes per token, for the context index and the paper's trie in turn. Checked
// first: both emit every token of the recordings, and the context index finds what a scan of the
// log finds.

#include "llm/context_table.hpp"
#include "sosia/llm/replay.hpp"
#include "support.hpp"

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include <fmt/format.h>

namespace {

using namespace sosia::llm;

double thread_us() {
  std::timespec t{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return 1e6 * static_cast<double>(t.tv_sec) + 1e-3 * static_cast<double>(t.tv_nsec);
}

bool finds_what_a_scan_finds(const std::vector<Token>& log) {
  ContextTable table;
  for (const Token t : log) table.append(t);
  const std::span context = std::span(log).last(2);
  std::size_t expected = 0;
  for (std::size_t i = 1; i + 1 < log.size(); ++i) {
    expected += log[i] == context[1] && log[i - 1] == context[0];
  }
  std::vector<Occurrence> found;
  find_occurrences(table.view(), context, log.size(), 4 * log.size(), found);
  return static_cast<std::size_t>(std::count_if(found.begin(), found.end(), [](const auto& o) {
           return o.match_length >= 2;
         })) == expected;
}

struct Row {
  double step_us = 0, worst_us = 0, learn_us = 0, bytes = 0, tokens_per_step = 0;
};

Row measure(LookaheadOptions::Index index, std::size_t tokens, std::uint64_t round) {
  LookaheadOptions options;
  options.index = index;
  options.memory_bytes = std::uint64_t{1} << 30;
  const StepCost truth = published_curve("cpu2-q4_1");
  Lookahead lookahead(options, truth);
  constexpr std::size_t kText = 400;
  Row row;
  double start = thread_us();
  for (std::size_t i = 0; i * kText < tokens; ++i) {
    lookahead.learn(test::phrased_tokens(kText, 1, i, 2000));
  }
  row.learn_us = (thread_us() - start) / static_cast<double>(tokens);
  const IndexFootprint size = lookahead.footprint();
  row.bytes = static_cast<double>(size.bytes) / static_cast<double>(size.tokens);
  std::uint64_t steps = 0, emitted = 0;
  double spent = 0;
  for (std::uint64_t r = 0; r < 20; ++r) {
    const auto prompt = test::phrased_tokens(500, 1, 1'000'000 + 2 * r + 100 * round, 2000);
    const auto output = test::phrased_tokens(400, 1, 1'000'001 + 2 * r + 100 * round, 2000);
    lookahead.begin(prompt);
    for (std::size_t at = 0; at < output.size();) {
      start = thread_us();
      const Draft& draft = lookahead.propose(output.size() - at - 1);
      std::size_t n = 1;
      std::int32_t node = -1;
      for (std::size_t i = 0; i < draft.nodes.size(); ++i) {
        if (draft.nodes[i].parent == node && draft.nodes[i].token == output[at + n - 1]) {
          node = static_cast<std::int32_t>(i);
          ++n;
        }
      }
      lookahead.accept(std::span(output).subspan(at, n), truth.ms(draft.nodes.size() + 1, 0));
      const double us = thread_us() - start;
      spent += us;
      row.worst_us = std::max(row.worst_us, us);
      at += n;
      ++steps;
      emitted += n;
    }
    lookahead.end();
  }
  if (emitted != 20 * 400) std::exit(1);
  row.step_us = spent / static_cast<double>(steps);
  row.tokens_per_step = static_cast<double>(emitted) / static_cast<double>(steps);
  return row;
}

}  // namespace

int main() {
  if (!finds_what_a_scan_finds(test::phrased_tokens(20'000, 3))) {
    fmt::print(stderr, "the context index misses occurrences\n");
    return 1;
  }
  fmt::print("{:<8} {:>10} {:>9} {:>9} {:>9} {:>9} {:>12}\n", "index", "tokens", "us/step",
             "worst us", "us/learn", "bytes", "tokens/step");
  for (const std::size_t tokens : {10'000u, 100'000u, 1'000'000u}) {
    for (std::uint64_t round = 0; round < 2; ++round) {
      for (const auto index : {LookaheadOptions::Index::context, LookaheadOptions::Index::trie}) {
        if (index == LookaheadOptions::Index::trie && round > 0) continue;  // minutes
        const Row r = measure(index, tokens, round);
        fmt::print("{:<8} {:>10} {:>9.2f} {:>9.1f} {:>9.3f} {:>9.1f} {:>12.2f}\n",
                   index == LookaheadOptions::Index::trie ? "trie" : "context", tokens, r.step_us,
                   r.worst_us, r.learn_us, r.bytes, r.tokens_per_step);
      }
    }
  }
  return 0;
}

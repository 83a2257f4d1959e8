// `sosia llm replay`.

#include "llm/jsonl.hpp"
#include "llm/verb_parts.hpp"
#include "llm/verbs.hpp"
#include "sosia/core/error.hpp"
#include "sosia/llm/replay.hpp"

#include <map>

#include <fmt/format.h>

namespace sosia::llm {

namespace {

struct ReplayVerbOptions {
  std::string recording;
  std::vector<std::string> curves;
  std::string warm;
  DraftPlace drafting;
  bool remember = true;
};

void describe(Fields& f, ReplayVerbOptions& o) {
  f({.name = "recording",
     .help = "JSON lines with `tokens`, and `prompt_tokens` and `task` where known",
     .role = FieldRole::input_file,
     .positional = true,
     .required = true},
    o.recording);
  f({.name = "curves", .help = "costs of steps by name (default: all that were published)"},
    o.curves);
  f({.name = "warm", .help = "recordings to remember first", .role = FieldRole::input_file},
    o.warm);
  f({.name = "remember", .help = "remember every output for the ones after it"}, o.remember);
  describe_drafting(f, o.drafting);
}

std::vector<Recording> read_recordings(const std::string& path, RunContext& run) {
  std::vector<Recording> recordings;
  for (JsonLine& line : read_json_lines(path, run)) {
    if (line.tokens.empty()) {
      throw Error(ErrorCode::corrupt_data, "the line has no tokens",
                  "`sosia llm bench --record FILE` writes them",
                  fmt::format("{}: line {}", path, line.number));
    }
    recordings.push_back(
        {std::move(line.prompt_tokens), std::move(line.tokens), std::move(line.task)});
  }
  return recordings;
}

Report replay_recording(const ReplayVerbOptions& o, RunContext& run) {
  const std::vector<Recording> all = read_recordings(o.recording, run);
  const std::vector<Recording> warm =
      o.warm.empty() ? std::vector<Recording>() : read_recordings(o.warm, run);
  std::map<std::string, std::vector<Recording>> tasks;
  for (const Recording& r : all) tasks[r.task.empty() ? "all" : r.task].push_back(r);
  Report report("llm.replay", "recorded outputs through index and policy");
  report.scalar("recordings", all.size());
  report.scalar("warm_recordings", warm.size());
  Table& table = report.table("rows", "Modelled",
                              {{"task", "", ""},
                               {"curve", "", ""},
                               {"tokens", "", ""},
                               {"tokens_per_step", "", ""},
                               {"drafted_per_step", "", ""},
                               {"accepted_share", "", ""},
                               {"ratio", "modelled speed over plain", ""},
                               {"index_us", "drafting of a step", "us"}},
                              "No model runs: what costs what is taken from the curve.");
  const std::vector<std::string> curves = o.curves.empty() ? published_curves() : o.curves;
  double least = 1e9;
  for (const auto& [task, recordings] : tasks) {
    for (const std::string& name : curves) {
      run.check_cancelled();
      const StepCost cost = published_curve(name);
      Lookahead lookahead(lookahead_options(o.drafting, {}), cost);
      replay(lookahead, cost, warm);
      const ReplayResult result = replay(lookahead, cost, recordings, o.remember);
      const LookaheadStats& s = result.stats;
      const auto steps = static_cast<double>(std::max<std::uint64_t>(s.steps, 1));
      table.add({task, name, s.tokens, s.tokens_per_step(), result.mean_nodes,
                 s.drafted == 0
                     ? Value()
                     : Value(static_cast<double>(s.accepted) / static_cast<double>(s.drafted)),
                 result.ratio(), s.index_us / steps});
      least = std::min(least, result.ratio());
    }
  }
  if (!all.empty()) {
    report.verdict(fmt::format("the least of the modelled ratios is {:.3f}", least));
  }
  return report;
}

}  // namespace

Report replay_report(const std::string& recording, const std::string& warm,
                     const DraftPlace& drafting, RunContext& run) {
  ReplayVerbOptions o;
  o.recording = recording;
  o.warm = warm;
  o.drafting = drafting;
  return replay_recording(o, run);
}

Verb replay_verb() {
  return make_verb<ReplayVerbOptions>(
      {.noun = "llm",
       .name = "replay",
       .summary = "run recorded outputs through lookahead, without a model",
       .details =
           "A draft is accepted where the recording agrees with it, as greedy decoding would. "
           "Times are modelled with what steps cost on other machines, so that it can be seen "
           "which trees would be chosen there: a flat curve is a server GPU with 16-bit weights, "
           "the others were published or measured. Recordings come from `llm bench --record`, or "
           "from `llm generate --json` (members `tokens` and `prompt_tokens` of a line each).",
       .examples = {{"sosia llm replay recorded.jsonl", "all curves"},
                    {"sosia llm replay recorded.jsonl --curves flat --index trie --json",
                     "the paper's trie on an ideal device"}}},
      replay_recording);
}

}  // namespace sosia::llm

// `sosia llm bench`.

#include "llm/jsonl.hpp"
#include "llm/past_texts.hpp"
#include "llm/verb_parts.hpp"
#include "llm/verbs.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/value.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

namespace sosia::llm {

namespace {

struct BenchVerbOptions {
  ModelPlace model;
  DraftPlace drafting;
  std::string prompts;
  std::string replay;
  std::string warm;
  std::string record;
  std::int64_t max_tokens = 128;
  std::int64_t most = 0;
  std::int64_t rounds = 1;
  double temperature = 0;
  bool raw = false;
  bool remember = true;
  std::string memory;
  std::string tenant;
};

void describe(Fields& f, BenchVerbOptions& o) {
  f({.name = "prompts",
     .help = "JSON lines with `prompt`, and `task` where there are several",
     .role = FieldRole::input_file},
    o.prompts);
  f({.name = "replay",
     .help = "instead: recorded answers, without a model (as `llm replay` does)",
     .role = FieldRole::input_file},
    o.replay);
  f({.name = "max_tokens", .help = "of every answer", .unit = "tokens", .min = 2, .max = 1e6},
    o.max_tokens);
  describe_model(f, o.model);
  f({.name = "warm",
     .help = "JSON lines with `text` or `tokens` that are remembered first",
     .role = FieldRole::input_file},
    o.warm);
  f({.name = "record",
     .help = "write prompts and answers as tokens, for `llm replay` and --warm",
     .role = FieldRole::output_file},
    o.record);
  f({.name = "most", .help = "prompts of a task (0: all)", .min = 0, .max = 1e9}, o.most);
  f({.name = "rounds",
     .help = "each prompt is answered this often by both, in turn; the least times count",
     .min = 1,
     .max = 100},
    o.rounds);
  f({.name = "temperature", .help = "0: always the most probable token", .min = 0, .max = 100},
    o.temperature);
  f({.name = "raw", .help = "take prompts as they are, without the chat template"}, o.raw);
  f({.name = "remember",
     .help = "answers are remembered for the prompts of the task behind them",
     .group = "drafting"},
    o.remember);
  f({.name = "memory",
     .help = "memory file to draft from; it is not changed",
     .role = FieldRole::input_file,
     .group = "drafting"},
    o.memory);
  f({.name = "tenant", .help = "whose texts of the memory", .group = "drafting"}, o.tenant);
  describe_drafting(f, o.drafting);
}

/// One task's figures, both ways.
struct TaskResult {
  std::uint64_t prompts = 0, equal = 0, plain_tokens = 0, tokens = 0;
  double plain_ms = 0, ms = 0;
  LookaheadStats stats = {};

  double plain_rate() const { return 1000 * static_cast<double>(plain_tokens) / plain_ms; }
  double rate() const { return 1000 * static_cast<double>(tokens) / ms; }
  double ratio() const { return rate() / plain_rate(); }
};

class Bench {
 public:
  Bench(const BenchVerbOptions& o, RunContext& run)
      : o_(o),
        run_(run),
        options_(engine_options(o.model, o.drafting, run)),
        open_(open_model(options_, false, run)) {
    if (!o.warm.empty()) warm_ = tokens_of_warm();
  }

  TaskResult task(const std::vector<JsonLine>& lines, std::string& record);
  const Engine& engine() const { return *open_.engine; }
  const EngineOptions& options() const { return options_; }

 private:
  std::vector<std::vector<Token>> tokens_of_warm() {
    std::vector<std::vector<Token>> texts;
    for (const JsonLine& line : read_json_lines(o_.warm, run_)) {
      std::vector<Token> tokens = line.prompt_tokens;
      // As the memory keeps them: the end of the prompt goes in front.
      if (tokens.size() > 24) tokens.erase(tokens.begin(), tokens.end() - 24);
      const auto text =
          !line.tokens.empty() ? line.tokens : open_.engine->tokenize(line.text, false);
      tokens.insert(tokens.end(), text.begin(), text.end());
      texts.push_back(std::move(tokens));
    }
    return texts;
  }
  std::vector<Token> tokens_of(const JsonLine& line) const {
    if (!line.prompt_tokens.empty()) return line.prompt_tokens;
    if (o_.raw || !open_.engine->info().has_chat_template) {
      return open_.engine->tokenize(line.prompt, o_.raw);
    }
    const ChatMessage message{"user", line.prompt};
    return open_.engine->tokenize(open_.engine->apply_chat(std::span(&message, 1)), true);
  }

  const BenchVerbOptions& o_;
  RunContext& run_;
  EngineOptions options_;
  OpenModel open_;
  std::vector<std::vector<Token>> warm_;
};

TaskResult Bench::task(const std::vector<JsonLine>& lines, std::string& record) {
  std::shared_ptr<PastTexts> past;
  if (!o_.memory.empty()) {
    past = Memory::open_for(o_.memory, open_.engine->info().key)->texts(o_.tenant);
  }
  Lookahead lookahead(lookahead_options(o_.drafting, o_.model), open_.cost, past);
  for (const auto& text : warm_) lookahead.learn(text);
  GenerateOptions g;
  g.max_tokens = static_cast<std::size_t>(o_.max_tokens);
  g.sampling.temperature = o_.temperature;
  g.sampling.seed = static_cast<std::uint32_t>(run_.seed());
  g.use_cache = false;  // both compute the prompt anew
  TaskResult result;
  std::uint64_t done = 0;
  for (const JsonLine& line : lines) {
    run_.progress("prompts", done++, lines.size());
    const std::vector<Token> prompt = tokens_of(line);
    if (prompt.size() + g.max_tokens >= open_.engine->context()) continue;
    Generation plain, ours;
    double plain_ms = 0, ms = 0;
    for (std::int64_t round = 0; round < o_.rounds; ++round) {
      // In turn, and who begins changes: a machine that slows down slows both.
      for (int k = 0; k < 2; ++k) {
        const bool drafting = (static_cast<std::int64_t>(done) + round + k) % 2 == 0;
        g.remember = o_.remember && round + 1 == o_.rounds;
        Generation out = open_.engine->generate(prompt, g, drafting ? &lookahead : nullptr);
        double& least = drafting ? ms : plain_ms;
        least = round == 0 ? out.decode_ms : std::min(least, out.decode_ms);
        (drafting ? ours : plain) = std::move(out);
      }
    }
    ++result.prompts;
    result.equal += plain.tokens == ours.tokens;
    result.plain_tokens += plain.tokens.size();
    result.tokens += ours.tokens.size();
    result.plain_ms += plain_ms;
    result.ms += ms;
    if (!o_.record.empty()) {
      Value prompt_tokens = Value::list(), tokens = Value::list();
      for (const Token t : prompt) prompt_tokens.push(t);
      for (const Token t : plain.tokens) tokens.push(t);
      record += to_json(Value::object({{"task", line.task},
                                       {"prompt_tokens", std::move(prompt_tokens)},
                                       {"tokens", std::move(tokens)},
                                       {"text", plain.text}}),
                        -1) +
                "\n";
    }
  }
  result.stats = lookahead.stats();
  return result;
}

void need_prompts(const BenchVerbOptions& o) {
  if (o.prompts.empty() == o.replay.empty()) {
    throw Error(ErrorCode::usage,
                o.replay.empty() ? "there are no prompts" : "there are prompts and a recording",
                "give a file with prompts, or --replay");
  }
}

Report bench(const BenchVerbOptions& o, RunContext& run) {
  need_prompts(o);
  if (!o.replay.empty()) return replay_report(o.replay, o.warm, o.drafting, run);
  Bench bench(o, run);
  std::map<std::string, std::vector<JsonLine>> tasks;
  for (JsonLine& line : read_json_lines(o.prompts, run)) {
    if (line.prompt.empty() && line.prompt_tokens.empty()) {
      throw Error(ErrorCode::corrupt_data, "the line has no prompt", "",
                  fmt::format("{}: line {}", o.prompts, line.number));
    }
    auto& lines = tasks[line.task.empty() ? "all" : line.task];
    if (o.most == 0 || lines.size() < static_cast<std::size_t>(o.most)) {
      lines.push_back(std::move(line));
    }
  }
  Report report("llm.bench", "lookahead beside plain decoding");
  add_model(report, bench.engine(), bench.options());
  report.scalar("memory", o.warm.empty() && o.memory.empty() ? "fresh" : "warm");
  Value by_task = Value::object();
  Table& table = report.table("rows", "Tasks",
                              {{"task", "", ""},
                               {"prompts", "", ""},
                               {"plain_tokens_per_s", "plain", "tokens/s"},
                               {"lookahead_tokens_per_s", "lookahead", "tokens/s"},
                               {"ratio", "", ""},
                               {"tokens_per_step", "", ""},
                               {"drafted_per_step", "", ""},
                               {"index_us", "drafting of a step", "us"},
                               {"equal", "same answers", ""}},
                              "One process, in turn; times are of decoding, prompts not included.");
  std::string record;
  for (const auto& [task, lines] : tasks) {
    const TaskResult r = bench.task(lines, record);
    if (r.prompts == 0) {
      report.warning("no prompt of " + task + " fits the context");
      continue;
    }
    const auto steps = static_cast<double>(std::max<std::uint64_t>(r.stats.steps, 1));
    const double per_step = r.stats.tokens_per_step();
    table.add({task, r.prompts, r.plain_rate(), r.rate(), r.ratio(), per_step,
               static_cast<double>(r.stats.drafted) / steps, r.stats.index_us / steps,
               static_cast<double>(r.equal) / static_cast<double>(r.prompts)});
    by_task.set(task, Value::object({{"plain_tokens_per_s", r.plain_rate()},
                                     {"lookahead_tokens_per_s", r.rate()},
                                     {"ratio", r.ratio()},
                                     {"tokens_per_step", per_step}}));
  }
  report.data("tasks", std::move(by_task));
  if (!o.record.empty()) run.write_output(o.record, record);
  return report;
}

/// What would be answered.
Report plan_bench(const BenchVerbOptions& o, RunContext& run) {
  need_prompts(o);
  Report report("llm.bench", "lookahead beside plain decoding, dry run");
  if (!o.replay.empty()) {
    report.scalar("recordings", read_json_lines(o.replay, run).size());
    report.verdict("nothing was run");
    return report;
  }
  report.scalar("prompts", read_json_lines(o.prompts, run).size());
  report.scalar("model", find_model(o.model.model).string());
  report.verdict("nothing was run");
  return report;
}

}  // namespace

Verb bench_verb() {
  return make_verb<BenchVerbOptions>(
      {.noun = "llm",
       .name = "bench",
       .summary = "measure lookahead beside plain decoding on prompts of your own",
       .details =
           "Every prompt is answered with and without lookahead in one process, in turn. The ratio "
           "is of tokens per second over the task; tokens per step do not depend on the machine. "
           "`same answers` below 1 comes from near ties (see `llm generate`), with a temperature "
           "also from nothing else, as both use the same random numbers. A task begins with an "
           "empty memory, or with what --warm or --memory hold.",
       .examples =
           {{"sosia llm bench --prompts prompts.jsonl --max-tokens 16", "fresh memory"},
            {"sosia llm bench --prompts prompts.jsonl --max-tokens 16 --warm answers.jsonl --json",
             "warm memory, for scripts"}}},
      bench, plan_bench);
}

}  // namespace sosia::llm

// `sosia llm generate`.

#include "llm/past_texts.hpp"
#include "llm/verb_parts.hpp"
#include "llm/verbs.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/files.hpp"
#include "sosia/core/value.hpp"
#include "sosia/llm/json_schema.hpp"

#include <limits>

#include <fmt/format.h>

namespace sosia::llm {

namespace {

struct GenerateVerbOptions {
  ModelPlace model;
  DraftPlace drafting;
  std::string prompt;
  std::string prompt_file;
  std::string system;
  bool raw = false;
  std::int64_t max_tokens = 128;
  double temperature = 0;
  std::int64_t top_k = 0;
  double top_p = 1;
  double min_p = 0;
  double repeat_penalty = 1;
  double frequency_penalty = 0, presence_penalty = 0;
  std::vector<std::string> stop;
  std::string grammar_file;
  std::string json_schema;
  bool ignore_end = false;
  bool lookahead = true;
  std::string memory;
  std::string tenant;
  bool remember = true;
};

void describe_sampling(Fields& f, GenerateVerbOptions& o) {
  f({.name = "temperature", .help = "0: always the most probable token", .min = 0, .max = 100},
    o.temperature);
  f({.name = "top_k",
     .help = "sample from so many tokens (0: all)",
     .min = 0,
     .max = 1e9,
     .group = "sampling"},
    o.top_k);
  f({.name = "top_p",
     .help = "sample from the tokens that hold this share",
     .max = 1,
     .above = 0,
     .group = "sampling"},
    o.top_p);
  f({.name = "min_p",
     .help = "leave out tokens below this share of the most probable one",
     .min = 0,
     .max = 1,
     .group = "sampling"},
    o.min_p);
  f({.name = "repeat_penalty",
     .help = "divides logits of recent tokens (1: no)",
     .max = 100,
     .above = 0,
     .group = "sampling"},
    o.repeat_penalty);
  f({.name = "frequency_penalty",
     .help = "taken off logits for every recent occurrence",
     .min = -100,
     .max = 100,
     .group = "sampling"},
    o.frequency_penalty);
  f({.name = "presence_penalty",
     .help = "taken off logits of tokens that occurred recently",
     .min = -100,
     .max = 100,
     .group = "sampling"},
    o.presence_penalty);
  f({.name = "grammar_file",
     .help = "GBNF that the answer must follow; its rule `root` is the start",
     .role = FieldRole::input_file,
     .group = "sampling"},
    o.grammar_file);
  f({.name = "json_schema",
     .help = "JSON Schema that the answer must satisfy; a documented part of it is understood",
     .role = FieldRole::input_file,
     .group = "sampling"},
    o.json_schema);
}

void describe(Fields& f, GenerateVerbOptions& o) {
  f({.name = "prompt", .help = "what to continue or answer", .positional = true}, o.prompt);
  f({.name = "prompt_file",
     .help = "instead: a file with the prompt",
     .role = FieldRole::input_file},
    o.prompt_file);
  f({.name = "max_tokens", .help = "at most this many", .unit = "tokens", .min = 1, .max = 1e7},
    o.max_tokens);
  describe_model(f, o.model);
  describe_sampling(f, o);
  f({.name = "raw", .help = "take the prompt as it is, without the model's chat template"}, o.raw);
  f({.name = "system", .help = "instructions before the prompt", .group = "prompt"}, o.system);
  f({.name = "stop", .help = "the answer ends before any of these texts", .group = "prompt"},
    o.stop);
  f({.name = "ignore_end", .help = "go on behind the end of the answer", .group = "prompt"},
    o.ignore_end);
  f({.name = "lookahead", .help = "draft tokens from text seen before"}, o.lookahead);
  f({.name = "memory", .help = "memory file to draft from and to add the answer to"}, o.memory);
  f({.name = "tenant",
     .help = "whose texts of the memory; no other's are looked at",
     .group = "drafting"},
    o.tenant);
  f({.name = "remember", .help = "add the answer to the memory", .group = "drafting"}, o.remember);
  describe_drafting(f, o.drafting);
}

std::string prompt_of(const GenerateVerbOptions& o, RunContext& run) {
  if (o.prompt.empty() == o.prompt_file.empty()) {
    throw Error(ErrorCode::usage, o.prompt.empty() ? "there is no prompt" : "there are two prompts",
                "give a text, or --prompt-file");
  }
  if (o.prompt_file.empty()) return o.prompt;
  run.note_input(o.prompt_file);
  return read_text(o.prompt_file, std::uint64_t{1} << 26);
}

std::vector<Token> tokens_of(const GenerateVerbOptions& o, const std::string& prompt,
                             const Engine& engine) {
  if (o.raw || !engine.info().has_chat_template) return engine.tokenize(prompt, o.raw);
  engine.tokenize(prompt, false);  // refuses what is no UTF-8
  std::vector<ChatMessage> messages;
  if (!o.system.empty()) messages.push_back({"system", o.system});
  messages.push_back({"user", prompt});
  return engine.tokenize(engine.apply_chat(messages), true);
}

GenerateOptions generate_options(const GenerateVerbOptions& o, RunContext& run) {
  GenerateOptions g;
  g.sampling.temperature = o.temperature;
  g.sampling.top_k = static_cast<int>(o.top_k);
  g.sampling.top_p = o.top_p;
  g.sampling.min_p = o.min_p;
  g.sampling.repeat_penalty = o.repeat_penalty;
  g.sampling.frequency_penalty = o.frequency_penalty;
  g.sampling.presence_penalty = o.presence_penalty;
  g.sampling.seed = static_cast<std::uint32_t>(run.seed());
  if (!o.grammar_file.empty()) {
    run.note_input(o.grammar_file);
    g.sampling.grammar = read_text(o.grammar_file, std::uint64_t{1} << 22);
    if (g.sampling.grammar.empty()) {
      throw Error(ErrorCode::invalid_argument, "the grammar is empty", "", o.grammar_file);
    }
  }
  if (!o.json_schema.empty()) {
    if (!o.grammar_file.empty()) {
      throw Error(ErrorCode::usage, "there are a grammar and a schema", "give one of them");
    }
    run.note_input(o.json_schema);
    g.sampling.grammar = json_schema_to_gbnf(
        parse_json(read_text(o.json_schema, std::uint64_t{1} << 22), o.json_schema));
  }
  g.max_tokens = static_cast<std::size_t>(o.max_tokens);
  g.stop = o.stop;
  g.ignore_end = o.ignore_end;
  g.remember = o.remember;
  g.on_text = [&run](std::string_view text) { run.verdict_part(text); };
  g.is_cancelled = [&run] { return run.cancelled(); };
  return g;
}

void add_steps(Report& report, const Engine& engine, const Generation& out) {
  Table& table = report.table("drafts", "Steps",
                              {{"text", "emitted", ""},
                               {"emitted", "tokens", ""},
                               {"drafted", "", ""},
                               {"accepted", "", ""},
                               {"source", "", ""},
                               {"rejected", "drafted in vain", ""},
                               {"ms", "", "ms"}},
                              "A step emits the accepted tokens and one of the model's own.");
  for (const TracedStep& step : out.trace) {
    std::vector<Token> rejected;
    std::uint64_t accepted = 0;
    std::string source;
    for (const TracedNode& node : step.nodes) {
      if (!node.accepted) rejected.push_back(node.token);
      accepted += node.accepted;
      const auto name = to_string(node.source);
      if (source.find(name) == std::string::npos) {
        source += (source.empty() ? "" : ", ") + std::string(name);
      }
    }
    table.add({engine.detokenize(step.emitted), step.emitted.size(), step.nodes.size(), accepted,
               source, engine.detokenize(rejected), step.ms});
  }
}

Report report_of(const GenerateVerbOptions& o, const EngineOptions& options, const Engine& engine,
                 const Generation& out, const LookaheadStats& stats) {
  Report report("llm.generate", "text by " + engine.info().name);
  report.data("text", out.text);
  Value tokens = Value::list();
  for (const Token token : out.tokens) tokens.push(token);
  report.data("tokens", std::move(tokens));
  report.scalar("finish", to_string(out.finish), "ended by");
  report.scalar("prompt_tokens", out.prompt_tokens);
  report.scalar("generated_tokens", out.tokens.size());
  report.scalar("steps", out.steps);
  report.scalar("drafted", out.drafted, "drafted tokens");
  report.scalar("accepted", out.accepted, "accepted tokens");
  report.scalar("tokens_per_step", out.tokens_per_step());
  report.scalar({.key = "tokens_per_s", .value = out.tokens_per_s(), .unit = "1/s"});
  report.scalar({.key = "prefill_ms", .label = "prompt", .value = out.prefill_ms, .unit = "ms"});
  report.scalar("lookahead", o.lookahead);
  add_model(report, engine, options);
  if (o.lookahead) {
    report.scalar(
        {.key = "index_us",
         .label = "drafting of a step",
         .value = stats.steps == 0 ? 0 : stats.index_us / static_cast<double>(stats.steps),
         .unit = "us"});
    add_lookahead_tables(report, stats);
    add_steps(report, engine, out);
    if (!engine.info().can_roll_back) {
      report.warning("this model's state cannot be taken back, so nothing is drafted");
    }
  }
  report.verdict(out.text);
  return report;
}

Report generate(const GenerateVerbOptions& o, RunContext& run) {
  const std::string prompt = prompt_of(o, run);
  const GenerateOptions generate_with = generate_options(o, run);
  const EngineOptions options = engine_options(o.model, o.drafting, run);
  OpenModel open;
  open.engine = open_engine(options);
  run.note_input(options.model);
  const std::vector<Token> tokens = tokens_of(o, prompt, *open.engine);
  if (!o.lookahead) {
    const Generation out = open.engine->generate(tokens, generate_with, nullptr);
    return report_of(o, options, *open.engine, out, {});
  }
  open.cost = load_profile(*open.engine, options, false, [&](std::size_t done, std::size_t total) {
    run.progress("measuring steps", done, total);
  });
  std::shared_ptr<PastTexts> past;
  if (!o.memory.empty()) {
    const auto access = o.remember ? MemoryAccess::write : MemoryAccess::read;
    past = Memory::open_for(o.memory, open.engine->info().key, {.access = access})->texts(o.tenant);
    if (o.remember) {
      run.note_output(o.memory);
    } else {
      run.note_input(o.memory);
    }
  }
  Lookahead lookahead(lookahead_options(o.drafting, o.model), open.cost, past);
  const Generation out = open.engine->generate(tokens, generate_with, &lookahead);
  return report_of(o, options, *open.engine, out, lookahead.stats());
}

}  // namespace

Verb generate_verb() {
  return make_verb<GenerateVerbOptions>(
      {.noun = "llm",
       .name = "generate",
       .summary = "continue a text or answer a question, several tokens a step",
       .details =
           "A GGUF model runs on the CPU by libllama. Lookahead drafts what may come next from the "
           "prompt, the answer so far and earlier answers (--memory), and verifies it in one step; "
           "how much is drafted follows from what a step of n tokens costs on this machine, which "
           "is measured at the first run and kept in the user's cache folder.\n\n"
           "The draft never decides: every token is chosen from the model's own distribution. "
           "Steps of several tokens round differently from steps of one, so a near tie may fall "
           "the other way; --margin decides ties within so much by steps of one token, --exact "
           "looks for a configuration in which all steps agree to the last bit and refuses where "
           "there is none. --exact --no-lookahead is plain decoding in that configuration.\n\n"
           "--json-schema takes object, array, string, number, integer, boolean, null, enum, "
           "const, "
           "anyOf and references within the file, and refuses what else a schema can say by "
           "name.\n\n"
           "The prompt is put into the model's chat template unless --raw is given. On a terminal "
           "the text comes as it is made. Ctrl-C ends it (status 130); what came until then is "
           "reported and remembered.",
       .examples = {{"sosia llm generate 'What is a face?' --max-tokens 24", "an answer"},
                    {"sosia llm generate 'one two three one two' --raw --max-tokens 12 --json",
                     "a continuation, for scripts"}}},
      generate);
}

}  // namespace sosia::llm

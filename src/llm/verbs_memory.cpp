// `sosia llm memory`.

#include "llm/jsonl.hpp"
#include "llm/verb_parts.hpp"
#include "llm/verbs.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/text.hpp"
#include "sosia/core/value.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace sosia::llm {
namespace fs = std::filesystem;

namespace {

enum class Action : std::uint8_t { build, stats, merge, prune, export_ };

struct MemoryVerbOptions {
  Action action = Action::stats;
  std::string file;
  std::vector<std::string> inputs;
  std::string model;
  std::string tokenizer, model_name;
  std::string tenant;
  bool corpus = false;
  std::int64_t cap_mib = static_cast<std::int64_t>(kMemoryCapBytes >> 20);
  std::vector<std::string> forget;
  std::string out;
};

void describe(Fields& f, MemoryVerbOptions& o) {
  f.choice({.name = "action",
            .help = "build (make or add to), merge, prune, export or stats",
            .positional = true,
            .required = true},
           o.action,
           {{"build", Action::build},
            {"merge", Action::merge},
            {"prune", Action::prune},
            {"export", Action::export_},
            {"stats", Action::stats}});
  f({.name = "file", .help = "the memory", .positional = true, .required = true}, o.file);
  f({.name = "inputs",
     .help = "build: JSON lines with `text` or `tokens`; merge: memories",
     .role = FieldRole::input,
     .positional = true},
    o.inputs);
  f({.name = "model",
     .help = "build: GGUF file whose tokens and name count (default: the one of set-up)",
     .role = FieldRole::input_file},
    o.model);
  f({.name = "tenant", .help = "build: whose texts these are"}, o.tenant);
  f({.name = "corpus", .help = "build: they are no earlier answers"}, o.corpus);
  f({.name = "cap_mib",
     .help = "bytes of the index, at most 64 a token; the least recently used texts go",
     .unit = "MiB",
     .min = 0,
     .max = 1 << 20},
    o.cap_mib);
  f({.name = "forget", .help = "prune: tenants whose texts go altogether"}, o.forget);
  f({.name = "out", .help = "export: JSON lines", .role = FieldRole::output_file}, o.out);
  f({.name = "tokenizer",
     .help = "build from tokens: hash of the vocabulary, instead of a model",
     .group = "without a model"},
    o.tokenizer);
  f({.name = "model_name",
     .help = "build from tokens: what the texts are of, instead of a model",
     .group = "without a model"},
    o.model_name);
}

MemoryOptions options_of(const MemoryVerbOptions& o) {
  return {.access = MemoryAccess::write, .cap_bytes = static_cast<std::uint64_t>(o.cap_mib) << 20};
}

void need_inputs(const MemoryVerbOptions& o, const char* what) {
  if (o.inputs.empty()) {
    throw Error(ErrorCode::usage, fmt::format("there is nothing to {}", what),
                "name files behind the memory");
  }
}

std::uint64_t build(const MemoryVerbOptions& o, RunContext& run) {
  need_inputs(o, "build from");
  std::vector<JsonLine> lines;
  for (const fs::path& path : expand_paths(o.inputs)) {
    auto more = read_json_lines(path, run);
    std::move(more.begin(), more.end(), std::back_inserter(lines));
  }
  const bool texts =
      std::any_of(lines.begin(), lines.end(), [](const JsonLine& l) { return l.tokens.empty(); });
  std::unique_ptr<Engine> engine;
  MemoryKey key{o.tokenizer, o.model_name};
  if (texts || o.tokenizer.empty()) {
    EngineOptions options;
    options.model = find_model(o.model);
    options.context = 512;
    options.self_test = false;  // nothing is computed
    engine = open_engine(options);
    key = engine->info().key;
  }
  const auto memory = Memory::open_for(o.file, key, options_of(o));
  std::uint64_t added = 0;
  for (const JsonLine& line : lines) {
    run.progress("texts", added, lines.size());
    const std::vector<Token> tokens =
        !line.tokens.empty() ? line.tokens : engine->tokenize(line.text, false);
    const bool corpus = o.corpus || line.source == "corpus";
    memory->learn(line.tenant.empty() ? o.tenant : line.tenant, tokens,
                  corpus ? Source::corpus : Source::past);
    ++added;
  }
  memory->compact();
  run.note_output(o.file);
  return added;
}

std::uint64_t export_texts(const MemoryVerbOptions& o, RunContext& run) {
  if (o.out.empty()) {
    throw Error(ErrorCode::usage, "export needs a file to write to", "--out texts.jsonl");
  }
  std::string lines;
  std::uint64_t count = 0;
  Memory::open(o.file)->for_each([&](const MemoryText& text) {
    Value tokens = Value::list();
    for (const Token t : text.tokens) tokens.push(t);
    lines += to_json(Value::object({{"tenant", text.tenant},
                                    {"source", to_string(text.source)},
                                    {"tokens", std::move(tokens)}}),
                     -1) +
             "\n";
    ++count;
  });
  run.write_output(o.out, lines);
  return count;
}

std::uint64_t change(const MemoryVerbOptions& o, RunContext& run) {
  switch (o.action) {
    case Action::build:
      return build(o, run);
    case Action::export_:
      return export_texts(o, run);
    case Action::merge: {
      need_inputs(o, "merge");
      const auto memory = Memory::open(o.file, options_of(o));
      for (const std::string& path : o.inputs) memory->merge(*Memory::open(path));
      run.note_output(o.file);
      return o.inputs.size();
    }
    case Action::prune: {
      const MemoryOptions options = options_of(o);
      Memory::open(o.file, options)->prune(options.cap_bytes, o.forget);
      run.note_output(o.file);
      return o.forget.size();
    }
    case Action::stats:
      return 0;
  }
  return 0;
}

Report report_of(const MemoryVerbOptions& o, std::uint64_t changed) {
  const MemoryStats stats = Memory::open(o.file)->stats();
  Report report("llm.memory", "a memory of texts");
  report.scalar("file", o.file);
  report.scalar("tokenizer", stats.key.tokenizer, "hash of the vocabulary");
  report.scalar("model", stats.key.model);
  report.scalar("tokens", stats.tokens());
  report.scalar({.key = "file_bytes", .value = stats.file_bytes, .unit = "bytes"});
  report.scalar({.key = "indexed_bytes", .value = stats.indexed_bytes, .unit = "bytes"});
  report.scalar({.key = "journal_bytes", .value = stats.journal_bytes, .unit = "bytes"});
  report.scalar("generation", stats.generation, "written anew");
  if (o.action == Action::build) report.scalar("added", changed, "texts added");
  if (o.action == Action::export_) report.scalar("exported", changed, "texts exported");
  Table& table = report.table("tenants", "Tenants",
                              {{"tenant", "", ""},
                               {"past_texts", "earlier answers", ""},
                               {"past_tokens", "their tokens", ""},
                               {"corpus_texts", "imported texts", ""},
                               {"corpus_tokens", "their tokens", ""}});
  for (const TenantStats& t : stats.tenants) {
    table.add({t.tenant, t.past_texts, t.past_tokens, t.corpus_texts, t.corpus_tokens});
  }
  report.verdict(fmt::format("{} holds {} tokens of {} tenant{}", o.file, stats.tokens(),
                             stats.tenants.size(), stats.tenants.size() == 1 ? "" : "s"));
  return report;
}

Report memory(const MemoryVerbOptions& o, RunContext& run) {
  const std::uint64_t changed = change(o, run);
  return report_of(o, changed);
}

/// What is there and what would be read; nothing is written.
Report plan_memory(const MemoryVerbOptions& o, RunContext& run) {
  Report report("llm.memory", "a memory of texts, dry run");
  report.scalar("file", o.file);
  std::error_code ignored;
  report.scalar("exists", fs::exists(o.file, ignored));
  std::uint64_t lines = 0;
  if (o.action == Action::build) {
    for (const fs::path& path : expand_paths(o.inputs)) lines += read_json_lines(path, run).size();
    report.scalar("texts", lines, "texts to be added");
  }
  report.verdict("nothing was changed");
  return report;
}

}  // namespace

Verb memory_verb() {
  return make_verb<MemoryVerbOptions>(
      {.noun = "llm",
       .name = "memory",
       .summary = "build, look at and tidy the memory that answers are drafted from",
       .details =
           "A memory belongs to a model: `llm generate --memory` refuses one of another model or "
           "vocabulary. Tenants are kept apart; nothing is ever drafted from another tenant's "
           "text. Several processes can read while one writes; what was written survives a "
           "kill.\n\n"
           "build takes JSON lines: `text` (which the model's tokenizer reads) or `tokens`, and "
           "`tenant` and `source` (past or corpus) where they differ from the options. merge adds "
           "the texts of other memories of the model, prune drops what was used least recently, "
           "export writes lines that build reads.",
       .examples = {{"sosia llm memory build new.memory recorded.jsonl --tokenizer 0123 "
                     "--model-name mine",
                     "from recorded tokens"},
                    {"sosia llm memory stats texts.memory", "what is in it"}}},
      memory, plan_memory);
}

}  // namespace sosia::llm

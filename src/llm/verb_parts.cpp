#include "llm/verb_parts.hpp"

#include <algorithm>

namespace sosia::llm {

void describe_model(Fields& f, ModelPlace& o) {
  f({.name = "model",
     .help = "GGUF file (default: the one that set-up installs)",
     .role = FieldRole::input_file},
    o.model);
  f({.name = "context",
     .help = "cells of the context (0: what the model was trained for, at most 4096)",
     .unit = "tokens",
     .min = 0,
     .max = 1 << 20},
    o.context);
  f({.name = "exact", .help = "the bits of decoding one token at a time, or a refusal"}, o.exact);
  f({.name = "margin",
     .help = "decide near ties of logits, nearer than this, by a step of one token (0: no)",
     .min = 0,
     .max = 10,
     .group = "drafting"},
    o.margin);
}

void describe_drafting(Fields& f, DraftPlace& o) {
  f.choice(
      {.name = "index",
       .help = "how drafts are found: chains over contexts, or the paper's trie",
       .group = "drafting"},
      o.index,
      {{"context", LookaheadOptions::Index::context}, {"trie", LookaheadOptions::Index::trie}});
  f({.name = "max_leaves", .help = "branches of a draft", .min = 1, .max = 64, .group = "drafting"},
    o.max_leaves);
  f({.name = "max_draft",
     .help = "drafted tokens of a step",
     .unit = "tokens",
     .min = 0,
     .max = 63,
     .group = "drafting"},
    o.max_draft);
}

EngineOptions engine_options(const ModelPlace& model, const DraftPlace& drafting,
                             const RunContext& run) {
  require_engine();  // before the model is looked for: set-up brings both
  EngineOptions options;
  options.model = find_model(model.model);
  options.threads = run.threads();
  options.context = static_cast<std::size_t>(model.context);
  options.tier = model.exact ? Tier::exact : model.margin > 0 ? Tier::margin : Tier::distribution;
  if (model.margin > 0) options.margin = model.margin;
  options.max_leaves = static_cast<std::size_t>(drafting.max_leaves);
  return options;
}

LookaheadOptions lookahead_options(const DraftPlace& drafting, const ModelPlace& model) {
  LookaheadOptions options;
  options.index = drafting.index;
  // Cells of branches lie elsewhere than those of a chain, and sums are taken in their order.
  options.policy.max_leaves = model.exact ? 1 : static_cast<std::size_t>(drafting.max_leaves);
  options.policy.max_nodes = static_cast<std::size_t>(drafting.max_draft);
  return options;
}

OpenModel open_model(const EngineOptions& options, bool fresh_profile, RunContext& run) {
  OpenModel open;
  run.note_input(options.model);
  open.engine = open_engine(options);
  open.cost = load_profile(
      *open.engine, options, fresh_profile,
      [&](std::size_t done, std::size_t total) { run.progress("measuring steps", done, total); });
  return open;
}

void add_model(Report& report, const Engine& engine, const EngineOptions& options) {
  const ModelInfo& info = engine.info();
  report.scalar("model", info.name);
  report.scalar("model_description", info.description, "kind");
  report.scalar("engine", "libllama " + info.engine);
  report.scalar("backend", info.backend, "CPU kernels");
  report.scalar("threads", options.threads);
  report.scalar("context", engine.context(), "cells");
  report.scalar("tier", to_string(options.tier), "exactness");
  if (!info.exactness.empty()) report.scalar("configuration", info.exactness);
}

void add_lookahead_tables(Report& report, const LookaheadStats& stats) {
  Table& sources = report.table("sources", "Drafts by source",
                                {{"source", "", ""},
                                 {"drafted", "", "tokens"},
                                 {"accepted", "", "tokens"},
                                 {"share", "accepted share", ""}});
  const auto share = [](std::uint64_t part, std::uint64_t whole) {
    return whole == 0 ? Value() : Value(static_cast<double>(part) / static_cast<double>(whole));
  };
  for (std::size_t s = 0; s < kSources; ++s) {
    if (stats.drafted_by[s] == 0) continue;
    sources.add({to_string(static_cast<Source>(s)), stats.drafted_by[s], stats.accepted_by[s],
                 share(stats.accepted_by[s], stats.drafted_by[s])});
  }
  Table& positions = report.table("positions", "Drafts by position",
                                  {{"position", "", ""},
                                   {"drafted", "", "tokens"},
                                   {"accepted", "", "tokens"},
                                   {"share", "accepted share", ""}});
  for (std::size_t d = 0; d < std::min<std::size_t>(stats.drafted_at.size(), 16); ++d) {
    positions.add({d + 1, stats.drafted_at[d], stats.accepted_at[d],
                   share(stats.accepted_at[d], stats.drafted_at[d])});
  }
}

}  // namespace sosia::llm

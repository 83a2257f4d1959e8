#pragma once
// What the verbs of this room share: which model, how it is opened, and the figures of lookahead.

#include "sosia/core/fields.hpp"
#include "sosia/core/report.hpp"
#include "sosia/core/run.hpp"
#include "sosia/llm/engine.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace sosia::llm {

/// The options that say which model, and in which configuration.
struct ModelPlace {
  std::string model = {};
  std::int64_t context = 0;
  bool exact = false;
  double margin = 0;
};
void describe_model(Fields& f, ModelPlace& o);

/// The options of drafting.
struct DraftPlace {
  LookaheadOptions::Index index = LookaheadOptions::Index::context;
  std::int64_t max_leaves = 8;
  std::int64_t max_draft = 63;
};
void describe_drafting(Fields& f, DraftPlace& o);

EngineOptions engine_options(const ModelPlace& model, const DraftPlace& drafting,
                             const RunContext& run);
LookaheadOptions lookahead_options(const DraftPlace& drafting, const ModelPlace& model);

/// The engine and t(n), measured with progress where it is not known yet.
struct OpenModel {
  std::unique_ptr<Engine> engine;
  StepCost cost = StepCost::flat();
};
OpenModel open_model(const EngineOptions& options, bool fresh_profile, RunContext& run);

/// The report of `llm replay` with all curves.
Report replay_report(const std::string& recording, const std::string& warm,
                     const DraftPlace& drafting, RunContext& run);

/// Scalars and tables: drafted and accepted tokens by source and by position.
void add_lookahead_tables(Report& report, const LookaheadStats& stats);
void add_model(Report& report, const Engine& engine, const EngineOptions& options);

}  // namespace sosia::llm

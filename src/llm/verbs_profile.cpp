// `sosia llm profile`.

#include "llm/verb_parts.hpp"
#include "llm/verbs.hpp"

#include <fmt/format.h>

namespace sosia::llm {

namespace {

struct ProfileVerbOptions {
  ModelPlace model;
  bool fresh = false;
};

void describe(Fields& f, ProfileVerbOptions& o) {
  describe_model(f, o.model);
  f({.name = "fresh", .help = "measure again, even where the machine's figures are known"},
    o.fresh);
}

Report profile(const ProfileVerbOptions& o, RunContext& run) {
  const EngineOptions options = engine_options(o.model, {}, run);
  const OpenModel open = open_model(options, o.fresh, run);
  Report report("llm.profile", "what a step of n tokens costs");
  add_model(report, *open.engine, options);
  Table& table =
      report.table("steps", "Steps",
                   {{"context", "", "tokens"},
                    {"n", "tokens of the step", ""},
                    {"ms", "", "ms"},
                    {"ratio", "t(n) / t(1)", ""},
                    {"ceiling", "n t(1) / t(n)", ""}},
                   "The least of several rounds; the ceiling is what perfect drafts gain.");
  Plot plot{.key = "t_n",
            .title = "Cost of a step",
            .x_label = "tokens of the step",
            .y_label = "t(n) / t(1)"};
  double best = 1;
  for (const CostCurve& curve : open.cost.curves()) {
    Series series{.name = fmt::format("{} tokens of context", curve.context)};
    const double single = curve.points.front().second;
    for (const auto& [n, ms] : curve.points) {
      const double ceiling = static_cast<double>(n) * single / ms;
      best = std::max(best, ceiling);
      table.add({curve.context, n, ms, ms / single, ceiling});
      series.x.push_back(static_cast<double>(n));
      series.y.push_back(ms / single);
    }
    plot.series.push_back(std::move(series));
  }
  report.plot(std::move(plot));
  report.verdict(
      fmt::format("drafts that are always right make this model at most {:.2f} times as "
                  "fast here",
                  best));
  return report;
}

}  // namespace

Verb profile_verb() {
  return make_verb<ProfileVerbOptions>(
      {.noun = "llm",
       .name = "profile",
       .summary = "measure what a step of n tokens costs",
       .details =
           "The figures decide how much `llm generate` drafts. They are kept in the user's cache "
           "folder for this model, number of threads and kind of processor; --fresh measures "
           "again, for example when the machine was busy the first time.",
       .examples = {{"sosia llm profile", "the default model"},
                    {"sosia llm profile --threads 1 --context 512 --json", "for scripts"}}},
      profile);
}

}  // namespace sosia::llm

#pragma once
// A verb is what a person asks for: `evaluate ranking`, `face identify`. It is one function and one
// options struct, declared once; every front-end is made from the declaration.

#include "sosia/core/report.hpp"
#include "sosia/core/run.hpp"
#include "sosia/core/settings.hpp"

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace sosia {

/// A command that help shows and a test runs. It starts with "sosia" and may name the input files
/// that tests/cli/fixtures.py generates (scores.csv, ranking.csv, ...).
struct Example {
  std::string command = {};
  std::string explains = {};
};

struct VerbInfo {
  std::string noun = {};               ///< the room, or "" for a verb of one word
  std::string name = {};               ///< "ranking"
  std::string summary = {};            ///< one line, lower case, no full stop
  std::string details = {};            ///< paragraphs for --help: input columns, rules, references
  std::vector<Example> examples = {};  ///< two or more
  /// A path of one word that the verb answers to as well, where no room that is built has a verb of
  /// that path ("" for none).
  std::string also = {};
  /// Whether `--set name=value` is for a recipe that the verb reads itself, from
  /// `RunContext::given()`, rather than for its own options.
  bool sets_recipe = false;
  /// "noun name" or "name"
  std::string path() const { return noun.empty() ? name : noun + " " + name; }
};

/// A verb with its types erased. Copyable; cheap to call. Thread-safety: const members may be
/// called from any thread.
class Verb {
 public:
  using Run = std::function<Report(const Settings&, RunContext&)>;
  using Canonical = std::function<Value(const Settings&)>;

  Verb(VerbInfo info, Schema schema, Run run, Run plan, Canonical canonical)
      : info_(std::move(info)),
        schema_(std::move(schema)),
        run_(std::move(run)),
        plan_(std::move(plan)),
        canonical_(std::move(canonical)) {}

  const VerbInfo& info() const noexcept { return info_; }
  const Schema& schema() const noexcept { return schema_; }
  /// Decodes `settings` (throws usage with all problems) and runs.
  Report run(const Settings& settings, RunContext& context) const {
    return run_(settings, context);
  }
  /// Whether a dry run of its own exists; see `plan`.
  bool has_plan() const noexcept { return static_cast<bool>(plan_); }
  /// What `run` would do (inputs found, memory, outputs), without doing it.
  Report plan(const Settings& settings, RunContext& context) const {
    return plan_(settings, context);
  }
  /// Decodes and encodes again: all options with their effective values.
  Value effective(const Settings& settings) const { return canonical_(settings); }

 private:
  VerbInfo info_;
  Schema schema_;
  Run run_;
  Run plan_;
  Canonical canonical_;
};

/// Makes a verb of `Report run(const Options&, RunContext&)`. `plan`, of the same type, is the dry
/// run of a verb that writes or trains.
template <class Options>
Verb make_verb(VerbInfo info, Report (*run)(const Options&, RunContext&),
               Report (*plan)(const Options&, RunContext&) = nullptr) {
  Options defaults;
  Schema schema = schema_of([&](Fields& f) { describe(f, defaults); });
  Verb::Run run_erased = [run](const Settings& settings, RunContext& context) {
    return run(decode<Options>(settings), context);
  };
  Verb::Run plan_erased;
  if (plan != nullptr) {
    plan_erased = [plan](const Settings& settings, RunContext& context) {
      return plan(decode<Options>(settings), context);
    };
  }
  return Verb(std::move(info), std::move(schema), std::move(run_erased), std::move(plan_erased),
              [](const Settings& settings) { return encode(decode<Options>(settings)); });
}

}  // namespace sosia

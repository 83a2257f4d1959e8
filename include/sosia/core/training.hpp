#pragma once
// A training: how one method, or one kind of recipe, is trained. It stands beside the claim of a
// method in the registry; `sosia train RECIPE.toml` reads `method` from the recipe and opens the
// module that declares a training of that name.

#include "sosia/core/report.hpp"
#include "sosia/core/run.hpp"
#include "sosia/core/settings.hpp"

#include <filesystem>
#include <functional>
#include <string>
#include <utility>

namespace sosia {

struct TrainingInfo {
  std::string method = {};  ///< what a recipe gives as `method`; the folder's name for a method
  std::string room = {};
  std::string title = {};  ///< what is trained, in one sentence
};

/// What surrounds a recipe.
struct TrainingRequest {
  std::filesystem::path out = {};  ///< folder of the run; "" for a plan without one
  bool resume = false;             ///< go on from the last checkpoint in `out`
  std::string origin = {};         ///< the recipe's file, for messages
  Value recipe = {};  ///< all keys with their effective values, `method` and `title` first
};

/// A training with its recipe type erased. Copyable. Thread-safety: const members may be called
/// from any thread.
class Training {
 public:
  using Run = std::function<Report(const Settings&, const TrainingRequest&, RunContext&)>;
  using Canonical = std::function<Value(const Settings&)>;

  Training(TrainingInfo info, Schema schema, Run run, Run plan, Canonical canonical)
      : info_(std::move(info)),
        schema_(std::move(schema)),
        run_(std::move(run)),
        plan_(std::move(plan)),
        canonical_(std::move(canonical)) {}

  const TrainingInfo& info() const noexcept { return info_; }
  /// Keys that a recipe may have, besides `method` and `title`.
  const Schema& schema() const noexcept { return schema_; }
  /// Decodes `recipe` (throws usage with all problems) and trains.
  Report run(const Settings& recipe, const TrainingRequest& request, RunContext& context) const {
    return run_(recipe, request, context);
  }
  /// What `run` would do: parameters, memory, steps, time. Writes nothing.
  Report plan(const Settings& recipe, const TrainingRequest& request, RunContext& context) const {
    return plan_(recipe, request, context);
  }
  /// Decodes and encodes again: all keys with their effective values.
  Value effective(const Settings& recipe) const { return canonical_(recipe); }

 private:
  TrainingInfo info_;
  Schema schema_;
  Run run_;
  Run plan_;
  Canonical canonical_;
};

/// Makes a training of `Report run(const Recipe&, const TrainingRequest&, RunContext&)` and a plan
/// of the same type.
template <class Recipe>
Training make_training(TrainingInfo info,
                       Report (*run)(const Recipe&, const TrainingRequest&, RunContext&),
                       Report (*plan)(const Recipe&, const TrainingRequest&, RunContext&)) {
  Recipe defaults;
  Schema schema = schema_of([&](Fields& f) { describe(f, defaults); });
  const auto erase = [](auto function) -> Training::Run {
    return [function](const Settings& recipe, const TrainingRequest& request, RunContext& context) {
      return function(decode<Recipe>(recipe), request, context);
    };
  };
  return Training(std::move(info), std::move(schema), erase(run), erase(plan),
                  [](const Settings& recipe) { return encode(decode<Recipe>(recipe)); });
}

}  // namespace sosia

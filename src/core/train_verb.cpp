// The verb `train`: reads a recipe, opens the module that trains what it names.

#include "core/builtin.hpp"
#include "sosia/core/config.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/text.hpp"

#include <algorithm>

namespace sosia {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t kRecipeCapBytes = 4 << 20;

struct TrainOptions {
  std::string recipe_file;
  std::string out;
  bool resume = false;
  bool list = false;
};
void describe(Fields& f, TrainOptions& o) {
  f({.name = "recipe_file",
     .help = "recipe in TOML, or the name of one that --list shows; --set changes its keys",
     .positional = true},
    o.recipe_file);
  f({.name = "out",
     .help = "folder for weights, card, log and checkpoints; must not hold another run",
     .role = FieldRole::output_folder},
    o.out);
  f({.name = "resume",
     .help = "go on from the last checkpoint in --out; the recipe is the one that lies there"},
    o.resume);
  f({.name = "list", .help = "list the recipes that came with sosia, and what can be trained"},
    o.list);
}

Report list_recipes(const Catalogue& catalogue) {
  Report report("train.list", "recipes, and what can be trained");
  Table& recipes = report.table("recipes", "Recipes",
                                {{"recipe", "", ""}, {"method", "", ""}, {"title", "", ""}},
                                "`sosia train NAME --out RUN`; a file of your own may stand in "
                                "place of the name");
  const std::vector<RecipeEntry> entries = catalogue.recipes();
  for (const RecipeEntry& entry : entries) recipes.add({entry.name, entry.method, entry.title});
  Table& methods = report.table("methods", "What a recipe may give as method",
                                {{"method", "", ""}, {"room", "", ""}, {"title", "", ""}});
  for (const TrainingEntry& entry : catalogue.trainings()) {
    methods.add({entry.info.method, entry.info.room, entry.info.title});
  }
  report.verdict(std::to_string(entries.size()) + " recipes, " +
                 std::to_string(catalogue.trainings().size()) +
                 " methods that this build can train");
  return report;
}

void check_out(const TrainOptions& options) {
  if (!options.out.empty()) return;
  throw Error(ErrorCode::usage, "--out is needed: the folder of the run",
              options.resume ? "`--out RUN`, as when it was started"
                             : "`--out RUN`; with --dry-run nothing is written");
}

/// The file that was meant: a path, or the name of an installed recipe.
fs::path find_recipe(const Catalogue& catalogue, const TrainOptions& options) {
  if (options.recipe_file.empty()) {
    const fs::path kept = fs::path(options.out) / "recipe.toml";
    std::error_code failed;
    if (options.resume && fs::is_regular_file(kept, failed)) return kept;
    if (options.resume) {
      throw Error(ErrorCode::not_found, "there is no run to resume in " + quote(options.out, 200),
                  "a run that was started with --out has recipe.toml there");
    }
    throw Error(ErrorCode::usage, "there is no recipe",
                "`sosia train --list` shows those that came with sosia");
  }
  std::error_code failed;
  if (fs::exists(options.recipe_file, failed)) return options.recipe_file;
  std::vector<std::string> names;
  for (const RecipeEntry& entry : catalogue.recipes()) {
    if (entry.name == options.recipe_file) return entry.file;
    names.push_back(entry.name);
  }
  const std::string near = did_you_mean(options.recipe_file, names);
  throw Error(ErrorCode::not_found,
              "there is no recipe " + quote(options.recipe_file, 200) +
                  ", neither a file nor one that came with sosia",
              near.empty() ? "`sosia train --list` shows those that came with sosia" : near);
}

const TrainingEntry& find_training(const Catalogue& catalogue, const std::string& method,
                                   const std::string& origin) {
  std::vector<std::string> names;
  for (const TrainingEntry& entry : catalogue.trainings()) {
    if (entry.info.method == method) return entry;
    names.push_back(entry.info.method);
  }
  for (const Paper& paper : catalogue.papers()) {
    if (paper.method == method) {
      throw Error(ErrorCode::missing_feature,
                  "this build cannot train " + method + ": the method is " + paper.state,
                  "`sosia train --list` lists what it can train", origin);
    }
  }
  const std::string near = did_you_mean(method, names);
  throw Error(ErrorCode::usage, "there is no method " + quote(method),
              near.empty() ? "`sosia train --list` lists what can be trained" : near, origin);
}

/// A recipe as it was read, and who trains it.
struct OpenRecipe {
  const Training& training;
  Settings settings;
  TrainingRequest request;
};

OpenRecipe open_recipe(const Catalogue& catalogue, const TrainOptions& options,
                       RunContext& context) {
  const fs::path file = find_recipe(catalogue, options);
  const std::string origin = file.string();
  const Value root = parse_toml(read_text(file, kRecipeCapBytes), origin);
  const Value* method = root.find("method");
  if (method == nullptr || !method->is_text()) {
    throw Error(ErrorCode::usage, "the recipe does not say what it trains",
                "its first line is method = \"...\"; `sosia train --list` lists the methods",
                origin);
  }
  const TrainingEntry& entry = find_training(catalogue, method->as_text(), origin);
  OpenRecipe open{catalogue.load_training(entry), {}, {}};
  Value effective = Value::object({{"method", *method}});
  if (const Value* title = root.find("title")) effective.set("title", title->as_text());
  Value keys = Value::object();
  for (const auto& [key, member] : root.as_object()) {
    if (key != "method" && key != "title") keys.set(key, member);
  }
  open.settings.set_all(keys, origin);
  apply_assignments(entry.schema, context.given(), open.settings);
  const Value complete = open.training.effective(open.settings);
  for (const auto& [key, member] : complete.as_object()) effective.set(key, member);
  open.request = {.out = options.out,
                  .resume = options.resume,
                  .origin = origin,
                  .recipe = std::move(effective)};
  context.note_input(file);
  return open;
}

Report train(const Catalogue& catalogue, const TrainOptions& options, RunContext& context) {
  if (options.list) return list_recipes(catalogue);
  check_out(options);
  const OpenRecipe open = open_recipe(catalogue, options, context);
  return open.training.run(open.settings, open.request, context);
}

Report plan_train(const Catalogue& catalogue, const TrainOptions& options, RunContext& context) {
  if (options.list) return list_recipes(catalogue);
  if (options.resume) check_out(options);
  const OpenRecipe open = open_recipe(catalogue, options, context);
  return open.training.plan(open.settings, open.request, context);
}

}  // namespace

Verb train_verb(const Catalogue& catalogue) {
  const Catalogue* c = &catalogue;
  return bound_verb<TrainOptions>(
      {.noun = "",
       .name = "train",
       .summary = "train a network by a recipe",
       .details =
           "A recipe is a TOML file; its first line, method = \"...\", says what trains it. --set "
           "name=value changes one of its keys and may be repeated. The run's folder gets "
           "model.safetensors with its card model.toml, recipe.toml with all keys, log.csv, "
           "manifest.json and checkpoint/. An interrupted run (Ctrl-C, a crash, a full disk) goes "
           "on with --resume as if it had not been. --dry-run says how many parameters, how much "
           "memory, how many steps and, from a measured step, how long. Several processes: "
           "mpirun -n 2 sosia train ...",
       .examples = {{"sosia train --list", "recipes that came with sosia"},
                    {"sosia train --list --json", "the same for scripts"}},
       .sets_recipe = true},
      [c](const TrainOptions& o, RunContext& run) { return train(*c, o, run); },
      [c](const TrainOptions& o, RunContext& run) { return plan_train(*c, o, run); });
}

}  // namespace sosia

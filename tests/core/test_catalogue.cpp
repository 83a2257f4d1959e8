#include "common.hpp"
#include "errors.hpp"
#include "sosia/core/catalogue.hpp"
#include "sosia/core/files.hpp"
#include "sosia/core/registry.hpp"

#include <string>

#include <gtest/gtest.h>

namespace sosia {
namespace {

struct NoOptions {};
void describe(Fields&, NoOptions&) {}
Report nothing(const NoOptions&, RunContext&) {
  return Report("nothing", "nothing");
}

Verb verb_of(const std::string& noun, const std::string& name, const std::string& also) {
  const std::string command = "sosia " + (noun.empty() ? name : noun + " " + name);
  return make_verb<NoOptions>({.noun = noun,
                               .name = name,
                               .summary = "does nothing",
                               .examples = {{command + " --quiet", "one"}, {command, "two"}},
                               .also = also},
                              nothing);
}

void write_index(const TemporaryFolder& folder, const std::string& module, Verb verb) {
  Registry registry;
  registry.add(std::move(verb));
  write_file(folder.path() / (module + ".verbs.json"), to_json(registry_to_index(registry)));
}

TEST(Catalogue, AVerbAnswersToItsSecondPathWhereNobodyHasIt) {
  const TemporaryFolder folder;
  write_index(folder, "metrics", verb_of("metrics", "show", "demo"));
  const Catalogue catalogue(folder.path());
  ASSERT_NE(catalogue.find_verb("metrics show"), nullptr);
  const VerbEntry* stand_in = catalogue.find_verb("demo");
  ASSERT_NE(stand_in, nullptr);
  EXPECT_EQ(stand_in->module, "metrics");
  EXPECT_EQ(stand_in->target, "metrics show");
  EXPECT_EQ(stand_in->info.examples[0].command, "sosia demo --quiet");
  EXPECT_EQ(stand_in->info.examples[1].command, "sosia demo");
}

TEST(Catalogue, AVerbOfThatPathComesFirst) {
  const TemporaryFolder folder;
  write_index(folder, "metrics", verb_of("metrics", "show", "demo"));
  write_index(folder, "pictures", verb_of("", "demo", ""));
  const Catalogue catalogue(folder.path());
  ASSERT_NE(catalogue.find_verb("demo"), nullptr);
  EXPECT_EQ(catalogue.find_verb("demo")->module, "pictures");
  EXPECT_EQ(catalogue.verbs().size(), 2u);
}

struct ToyRecipe {
  std::int64_t steps = 10;
};
void describe(Fields& f, ToyRecipe& o) {
  f({.name = "steps", .help = "how many", .min = 1}, o.steps);
}
Report toy_run(const ToyRecipe& recipe, const TrainingRequest& request, RunContext&) {
  Report report("toy", "toy");
  report.scalar("steps", recipe.steps);
  report.scalar("out", request.out.string());
  return report;
}
Training toy_training(const std::string& method) {
  return make_training<ToyRecipe>({.method = method, .room = "toys", .title = "a toy"}, toy_run,
                                  toy_run);
}

TEST(Training, DecodesItsRecipeAndNamesTheNearestKey) {
  const Training toy = toy_training("toy");
  RunContext run;
  Settings recipe;
  recipe.set("steps", 3, "toy.toml");
  EXPECT_EQ(toy.run(recipe, {.out = "here"}, run).scalars().at(0).value, Value(3));
  EXPECT_EQ(toy.effective({}).at("steps"), Value(10));
  recipe.set("stebs", 3, "toy.toml");
  const Error error = error_of([&] { toy.run(recipe, {}, run); });
  EXPECT_EQ(error.code(), ErrorCode::usage);
  EXPECT_NE((error.message() + error.hint()).find("steps"), std::string::npos) << error.message();
}

TEST(Training, StandsInTheIndexOfItsModule) {
  const TemporaryFolder folder;
  Registry registry;
  registry.add(toy_training("toy"));
  EXPECT_EQ(code_of([&] { registry.add(toy_training("toy")); }), ErrorCode::internal);
  EXPECT_EQ(code_of([&] { registry.add(toy_training("")); }), ErrorCode::internal);
  write_file(folder.path() / "toys.verbs.json", to_json(registry_to_index(registry)));
  const Catalogue catalogue(folder.path());
  ASSERT_EQ(catalogue.trainings().size(), 1u);
  EXPECT_EQ(catalogue.trainings()[0].info.method, "toy");
  EXPECT_EQ(catalogue.trainings()[0].schema.at(0).path, "steps");
  EXPECT_EQ(catalogue.trainings()[0].module, "toys");
}

TEST(Training, RecipesLieBesideTheModules) {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder.path() / "recipes" / "toy");
  write_file(folder.path() / "recipes" / "toy" / "small.toml", "method = 'toy'\ntitle = 'small'");
  write_file(folder.path() / "recipes" / "toy" / "bad.toml", "method = ");
  const std::vector<RecipeEntry> recipes = Catalogue(folder.path()).recipes();
  ASSERT_EQ(recipes.size(), 2u);
  EXPECT_EQ(recipes[0].name, "bad");
  EXPECT_FALSE(recipes[0].title.empty());
  EXPECT_EQ(recipes[1].name, "small");
  EXPECT_EQ(recipes[1].method, "toy");
  EXPECT_EQ(recipes[1].title, "small");
}

}  // namespace
}  // namespace sosia

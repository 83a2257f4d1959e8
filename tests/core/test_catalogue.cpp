#include "common.hpp"
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

}  // namespace
}  // namespace sosia

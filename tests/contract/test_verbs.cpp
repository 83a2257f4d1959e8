// What every verb and claim owes to its users, checked over all that is registered.

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "cli/arguments.hpp"
#include "sosia/core/execute.hpp"
#include "sosia/core/text.hpp"

namespace sosia {
namespace {

Catalogue& catalogue() {
  static Catalogue instance = [] {
    Catalogue c(std::filesystem::path(SOSIA_BINARY_DIR) / "lib" / "sosia");
    return c;
  }();
  static const bool added = (add_builtin_verbs(instance), true);
  (void)added;
  return instance;
}

class EveryVerb : public ::testing::TestWithParam<std::string> {
 protected:
  const VerbEntry& entry() const { return *catalogue().find_verb(GetParam()); }
  const Verb& verb() const { return catalogue().load_verb(entry()); }
};

std::vector<std::string> paths() {
  std::vector<std::string> names;
  for (const VerbEntry& verb : catalogue().verbs()) names.push_back(verb.info.path());
  return names;
}

/// A valid text for an option, other than its default where there is a choice.
std::string sample_text(const FieldSpec& spec) {
  const Field& f = spec.field;
  if (!f.choices.empty()) return f.choices.back();
  switch (spec.type) {
    case FieldType::boolean:
      return "";
    case FieldType::integer:
    case FieldType::integer_list: {
      const double low = f.min.value_or(f.above ? *f.above + 1 : 0);
      const double high = f.max.value_or(f.below ? *f.below - 1 : low + 1);
      return std::to_string(static_cast<long long>(std::min(low + 1, high)));
    }
    case FieldType::real:
    case FieldType::real_list: {
      const double low = f.min.value_or(f.above.value_or(0));
      const double high = f.max.value_or(f.below.value_or(low + 1));
      return to_json(Value(low + (high - low) / 2), -1);
    }
    default:
      return "sample";
  }
}

/// Settings in which every option that is required has a value.
Settings required_only(const Schema& schema) {
  Settings settings;
  for (const FieldSpec& spec : schema) {
    if (spec.field.required) settings.set(spec.path, value_from_text(spec, {sample_text(spec)}), "test");
  }
  return settings;
}

TEST(Catalogue, IndexIsReadWithoutProblems) {
  for (const std::string& problem : catalogue().problems()) ADD_FAILURE() << problem;
  EXPECT_FALSE(catalogue().verbs().empty());
}

TEST(Catalogue, PapersAreTheThirtyMethodsOfTwentyNineSystems) {
  std::set<std::string> methods, systems;
  for (const Paper& paper : catalogue().papers()) {
    EXPECT_TRUE(methods.insert(paper.method).second) << paper.method;
    systems.insert(paper.system);
    EXPECT_FALSE(paper.title.empty()) << paper.method;
  }
  EXPECT_EQ(methods.size(), 30u);
  EXPECT_EQ(systems.size(), 29u);
}

TEST_P(EveryVerb, HasHelpAndExamplesOfItsOwn) {
  EXPECT_FALSE(entry().info.summary.empty());
  EXPECT_GE(entry().info.examples.size(), 2u);
  for (const Example& example : entry().info.examples) {
    EXPECT_TRUE(example.command.starts_with("sosia " + GetParam())) << example.command;
    EXPECT_FALSE(example.explains.empty());
  }
}

TEST_P(EveryVerb, IndexAgreesWithTheModule) {
  EXPECT_EQ(schema_to_value(entry().schema), schema_to_value(verb().schema()));
  EXPECT_EQ(entry().info.summary, verb().info().summary);
}

TEST_P(EveryVerb, OptionsDoNotCollideWithTheCommonOnes) {
  for (const FieldSpec& spec : entry().schema) {
    for (const FieldSpec& common : common_schema()) EXPECT_NE(spec.path, common.path);
  }
}

TEST_P(EveryVerb, DefaultsAreValidAndDecodeUndoesEncode) {
  const Value effective = verb().effective(required_only(entry().schema));
  Settings again;
  again.set_all(effective, "test");
  EXPECT_EQ(verb().effective(again), effective);
}

TEST_P(EveryVerb, CommandLineAndJsonBuildTheSameOptions) {
  std::vector<std::string> words;
  Settings json;
  for (const FieldSpec& spec : entry().schema) {
    const std::string text = sample_text(spec);
    if (spec.type == FieldType::boolean) {
      const bool flipped = spec.default_value != Value(true);
      words.push_back(flipped ? spec.flag() : "--no-" + spec.flag().substr(2));
      json.set(spec.path, flipped, "JSON");
      continue;
    }
    if (!spec.field.positional) words.push_back(spec.flag());
    words.push_back(text);
    json.set(spec.path, value_from_text(spec, {text}), "JSON");
  }
  const Settings typed = cli::parse_arguments(entry(), words);
  Value from_typed, from_json;
  try {
    from_json = verb().effective(json);
  } catch (const Error&) {
    GTEST_SKIP() << "the sampled values do not go together; " << GetParam()
                 << " is covered by its own tests";
  }
  EXPECT_EQ(verb().effective(typed), from_json);
}

TEST_P(EveryVerb, ABadOptionGivesASentence) {
  Settings settings = required_only(entry().schema);
  settings.set("no_such_option_anywhere", 1, "test");
  try {
    (void)verb().effective(settings);
    FAIL() << "accepted an unknown option";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::usage);
    EXPECT_NE(error.message().find("no_such_option_anywhere"), std::string::npos);
  }
}

INSTANTIATE_TEST_SUITE_P(Contract, EveryVerb, ::testing::ValuesIn(paths()),
                         [](const auto& param) {
                           std::string name = param.param;
                           std::replace(name.begin(), name.end(), ' ', '_');
                           return name;
                         });

TEST(EveryClaim, HasARuleAndACard) {
  for (const ClaimEntry& claim : catalogue().claims()) {
    EXPECT_FALSE(claim.rule.empty()) << claim.method;
    bool carded = false;
    for (const Paper& paper : catalogue().papers()) {
      carded |= paper.method == claim.method && paper.state != "planned";
    }
    EXPECT_TRUE(carded) << claim.method;
    EXPECT_EQ(catalogue().load_claim(claim).method, claim.method);
  }
}

}  // namespace
}  // namespace sosia

// What every verb and claim owes to its users, checked over all that is registered.

#include "cli/arguments.hpp"
#include "sosia/core/execute.hpp"
#include "sosia/core/text.hpp"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

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

/// A valid text for an option, other than its default where there is a choice: near the default,
/// because conditions between options hold there.
std::string sample_text(const FieldSpec& spec, int step = 1) {
  const Field& f = spec.field;
  if (!f.choices.empty()) return f.choices.back();
  const Value& given = spec.default_value;
  const Value& first = given.is_list() && !given.as_list().empty() ? given.as_list()[0] : given;
  switch (spec.type) {
    case FieldType::boolean:
      return "";
    case FieldType::integer:
    case FieldType::integer_list: {
      const double low = f.min.value_or(f.above ? *f.above + 1 : 0);
      const double start = first.is_number() ? first.as_real() : low;
      const double high = f.max.value_or(f.below ? *f.below - 1 : start + step);
      return std::to_string(
          static_cast<long long>(start + step <= high ? start + step : start - step));
    }
    case FieldType::real:
    case FieldType::real_list: {
      const double low = f.min.value_or(f.above.value_or(0));
      const double start = first.is_number() ? first.as_real() : low;
      const double high = f.max.value_or(f.below.value_or(start + 1));
      return to_json(Value(start < high ? start + (high - start) / 2 : (low + high) / 2), -1);
    }
    default:
      return "sample";
  }
}

/// Settings in which every option that is required has a value.
Settings required_only(const Schema& schema) {
  Settings settings;
  for (const FieldSpec& spec : schema) {
    if (spec.field.required)
      settings.set(spec.path, value_from_text(spec, {sample_text(spec)}), "test");
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

struct Spelled {
  std::vector<std::string> words;
  Settings json;
};

/// `tried` and all that is required, spelled for the command line and for JSON.
Spelled spell(const Schema& schema, const FieldSpec& tried, int step) {
  Spelled out;
  for (const FieldSpec& spec : schema) {
    if (&spec != &tried && !spec.field.required) continue;
    const std::string text = sample_text(spec, step);
    if (spec.type == FieldType::boolean) {
      const bool flipped = spec.default_value != Value(true);
      out.words.push_back(flipped ? spec.flag() : "--no-" + spec.flag().substr(2));
      out.json.set(spec.path, flipped, "JSON");
      continue;
    }
    if (!spec.field.positional) out.words.push_back(spec.flag());
    out.words.push_back(text);
    out.json.set(spec.path, value_from_text(spec, {text}), "JSON");
  }
  return out;
}

TEST_P(EveryVerb, CommandLineAndJsonBuildTheSameOptions) {
  // One option at a time, because some exclude each other.
  for (const FieldSpec& tried : entry().schema) {
    Spelled spelled = spell(entry().schema, tried, 1);
    Value from_json;
    try {
      from_json = verb().effective(spelled.json);
    } catch (const Error&) {  // a condition such as "0 or at least 2"
      spelled = spell(entry().schema, tried, 2);
      from_json = verb().effective(spelled.json);
    }
    EXPECT_EQ(verb().effective(cli::parse_arguments(entry(), spelled.words)), from_json)
        << tried.path;
  }
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

INSTANTIATE_TEST_SUITE_P(Contract, EveryVerb, ::testing::ValuesIn(paths()), [](const auto& param) {
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

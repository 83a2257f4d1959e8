#include "sosia/core/config.hpp"
#include "sosia/core/files.hpp"
#include "sosia/core/settings.hpp"

#include <string>

#include <gtest/gtest.h>

namespace sosia {
namespace {

enum class Rule { nearest, interpolated };

struct Inner {
  int min_size_px = 24;
};
void describe(Fields& f, Inner& o) {
  f({.name = "min_size_px", .help = "smallest face", .unit = "px", .min = 1, .max = 1000},
    o.min_size_px);
}

struct Options {
  std::vector<std::string> images;
  double max_fpir = 0.01;
  bool flip = true;
  std::optional<double> threshold;
  std::vector<double> far = {0.1, 0.01};
  Rule rule = Rule::nearest;
  Inner detector;
  double low = 0, high = 1;
};
void describe(Fields& f, Options& o) {
  f({.name = "images",
     .help = "photos",
     .role = FieldRole::input,
     .positional = true,
     .required = true},
    o.images);
  f({.name = "max_fpir", .help = "rate", .max = 1, .above = 0}, o.max_fpir);
  f({.name = "flip", .help = "flip"}, o.flip);
  f({.name = "threshold", .help = "threshold"}, o.threshold);
  f({.name = "far", .help = "rates", .min = 0}, o.far);
  f.choice({.name = "rule", .help = "rule"}, o.rule,
           {{"nearest", Rule::nearest}, {"interpolated", Rule::interpolated}});
  f.section("detector", o.detector);
  f({.name = "low", .help = "low"}, o.low);
  f({.name = "high", .help = "high"}, o.high);
  f.require(o.low <= o.high, "low must not exceed high");
}

std::string problems_of(const std::string& json) {
  try {
    (void)decode<Options>(parse_json(json));
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::usage);
    return error.message();
  }
  return "accepted";
}

TEST(Settings, EncodeThenDecodeIsTheIdentity) {
  Options options;
  options.images = {"a.jpg", "b.jpg"};
  options.threshold = 0.25;
  options.rule = Rule::interpolated;
  options.detector.min_size_px = 32;
  const Value value = encode(options);
  EXPECT_EQ(value.at("detector").at("min_size_px").as_integer(), 32);
  EXPECT_EQ(value.at("rule").as_text(), "interpolated");
  EXPECT_EQ(encode(decode<Options>(value)), value);
}

TEST(Settings, DefaultsHoldWhereNothingIsGiven) {
  const auto options = decode<Options>(parse_json(R"({"images":["x"]})"));
  EXPECT_EQ(options.max_fpir, 0.01);
  EXPECT_FALSE(options.threshold.has_value());
  EXPECT_EQ(options.far.size(), 2u);
}

TEST(Settings, EveryProblemIsReportedAtOnce) {
  const std::string text = problems_of(
      R"({"images":["x"],"max_fpri":1,"max_fpir":0,"flip":"no","far":[-1],"rule":"nearst",
          "detector":{"min_size_px":0.5}})");
  for (const char* expected :
       {"6 problems", "did you mean max_fpir?", "above 0", "expected true or false", "at least 0",
        "did you mean nearest?", "detector.min_size_px", "expected an integer, found 0.5"}) {
    EXPECT_NE(text.find(expected), std::string::npos) << expected << "\n" << text;
  }
}

TEST(Settings, RequiredConditionsAndDuplicates) {
  EXPECT_NE(problems_of("{}").find("images is required"), std::string::npos);
  EXPECT_NE(problems_of(R"({"images":[]})").find("the list is empty"), std::string::npos);
  EXPECT_EQ(problems_of(R"({"images":["x"],"low":2})"), "low must not exceed high");
  EXPECT_THROW(parse_json(R"({"low":1,"low":2})"), Error);
}

TEST(Settings, BoundsReadAsTheyWereWritten) {
  EXPECT_EQ(bounds_of({}), "");
  EXPECT_EQ(bounds_of({.min = 0, .max = 4096}), "at least 0 and at most 4096");
  EXPECT_EQ(bounds_of({.above = 0, .below = 0.5}), "above 0 and below 0.5");
}

TEST(Settings, AnOptionOfOneValueTypedTwiceIsRefused) {
  Settings settings;
  settings.set("images", Value::list({"a.jpg"}), std::string(kCommandLine));
  settings.set("max_fpir", Value::list({"0.1", "0.2"}), std::string(kCommandLine));
  try {
    (void)decode<Options>(settings);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "--max-fpir: given 2 times; it takes one value");
  }
}

TEST(Settings, SchemaSurvivesItsIndex) {
  Options options;
  const Schema schema = schema_of([&](Fields& f) { describe(f, options); });
  EXPECT_EQ(schema_to_value(schema_from_value(schema_to_value(schema))), schema_to_value(schema));
  EXPECT_EQ(schema[6].path, "detector.min_size_px");
  EXPECT_EQ(schema[6].flag(), "--detector.min-size-px");
}

TEST(Settings, BadDeclarationsAreRefused) {
  const auto declare = [](const Field& field) {
    double x = 0;
    (void)schema_of([&](Fields& f) { f(field, x); });
  };
  EXPECT_THROW(declare({.name = "CamelCase", .help = "x"}), Error);
  EXPECT_THROW(declare({.name = "no_help"}), Error);
  double x = 0;
  EXPECT_THROW((void)schema_of([&](Fields& f) {
                 f({.name = "twice", .help = "x"}, x);
                 f({.name = "twice", .help = "x"}, x);
               }),
               Error);
}

TEST(Settings, TextBecomesTheTypeOfTheOption) {
  Options options;
  const Schema schema = schema_of([&](Fields& f) { describe(f, options); });
  EXPECT_EQ(value_from_text(schema[1], {"0.5"}), Value(0.5));
  EXPECT_EQ(value_from_text(schema[2], {"off"}), Value(false));
  EXPECT_EQ(value_from_text(schema[4], {"0.1,1e-3", "0.5"}), Value::list({0.1, 1e-3, 0.5}));
  EXPECT_EQ(value_from_text(schema[0], {"a,b.jpg"}), Value::list({"a,b.jpg"}));
  EXPECT_EQ(value_from_text(schema[1], {"abc"}), Value("abc"));  // the decoder will say so
}

// Layers ------------------------------------------------------------------------------------------

Report run_nothing(const Options&, RunContext&) {
  return Report("test", "test");
}

class Layers : public ::testing::Test {
 protected:
  Layers() : catalogue_(folder_.path()) {
    catalogue_.add_builtin(make_verb<Options>(
        {.noun = "face",
         .name = "identify",
         .summary = "who is it",
         .details = "",
         .examples = {{"sosia face identify a.jpg", "x"}, {"sosia face identify b.jpg", "x"}}},
        run_nothing));
    sources_.environment = [this](const std::string& name) -> std::optional<std::string> {
      const auto found = environment_.find(name);
      return found == environment_.end() ? std::nullopt : std::optional(found->second);
    };
  }

  std::filesystem::path file(const std::string& name, const std::string& text) {
    write_file(folder_.path() / name, text, Overwrite::replace);
    return folder_.path() / name;
  }
  Resolved resolve() {
    return resolve_options(catalogue_, *catalogue_.find_verb("face identify"), typed_, sources_);
  }
  Setting max_fpir() { return *resolve().verb.find("max_fpir"); }

  TemporaryFolder folder_;
  Catalogue catalogue_;
  ConfigSources sources_;
  Settings typed_;
  std::map<std::string, std::string> environment_;
};

TEST_F(Layers, LaterLayersWinAndTheSourceIsKept) {
  typed_.set("recipe", file("r.toml", "max_fpir = 0.02\n").string(), "command line");
  EXPECT_EQ(max_fpir().value, Value(0.02));
  sources_.user = file("u.toml", "[face.identify]\nmax_fpir = 0.03\n");
  EXPECT_EQ(max_fpir().value, Value(0.03));
  sources_.project = file("p.toml", "[face.identify]\nmax_fpir = 0.04\n");
  EXPECT_EQ(max_fpir().source, sources_.project->string());
  environment_["SOSIA_FACE_IDENTIFY_MAX_FPIR"] = "0.05";
  EXPECT_EQ(max_fpir().source, "SOSIA_FACE_IDENTIFY_MAX_FPIR");
  typed_.set("set", Value::list({"max_fpir=0.06"}), "command line");
  EXPECT_EQ(max_fpir().value, Value(0.06));
  typed_.set("max_fpir", 0.07, "command line");
  EXPECT_EQ(max_fpir().source, "command line");
}

TEST_F(Layers, NoConfigAndConfigReplaceTheFiles) {
  sources_.project = file("p.toml", "[run]\nseed = 4\n");
  EXPECT_EQ(resolve().common.find("seed")->value, Value(4));
  typed_.set("config", file("other.toml", "[run]\nseed = 5\n").string(), "command line");
  EXPECT_EQ(resolve().common.find("seed")->value, Value(5));
  typed_.set("no_config", true, "command line");
  EXPECT_EQ(resolve().common.find("seed"), nullptr);
}

TEST_F(Layers, UnknownKeysInAFileAreAllReported) {
  sources_.user =
      file("u.toml", "[run]\nsede = 1\n[face.identfy]\nx = 1\n[face.identify]\nflop = 1\n");
  try {
    (void)resolve();
    FAIL();
  } catch (const Error& error) {
    for (const char* expected : {"3 problems", "did you mean seed?", "did you mean face.identify?",
                                 "did you mean flip?"}) {
      EXPECT_NE(error.message().find(expected), std::string::npos) << error.message();
    }
    EXPECT_EQ(error.context(), sources_.user->string());
  }
}

TEST_F(Layers, TheTemplateIsValidAndHoldsEveryOption) {
  std::string text = config_template(catalogue_);
  for (const char* expected : {"[run]", "[face.identify]", "#max_fpir = 0.01", "#seed = 0"}) {
    EXPECT_NE(text.find(expected), std::string::npos) << expected;
  }
  sources_.user = file("u.toml", text);
  EXPECT_TRUE(resolve().verb.all().empty());
}

}  // namespace
}  // namespace sosia

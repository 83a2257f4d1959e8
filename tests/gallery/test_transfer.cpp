// Files in and out: times, row sources, resuming.

#include "gallery/enrol_rows.hpp"
#include "gallery/verb_parts.hpp"
#include "sosia/formats/npy.hpp"
#include "store_support.hpp"

namespace sosia::gallery {
namespace {

using namespace test;

TEST(Time, ReadsIsoAndNumbers) {
  EXPECT_EQ(parse_time("1970-01-01"), 0);
  EXPECT_EQ(parse_time("2024-02-29T12:30:15Z"), 1709209815000);
  EXPECT_EQ(parse_time("2024-02-29 12:30:15.25"), 1709209815250);
  EXPECT_EQ(parse_time("2024-02-29T14:30:15+02:00"), 1709209815000);
  EXPECT_EQ(parse_time("2024-02-29T07:00:15-0530"), 1709209815000);
  EXPECT_EQ(parse_time("1709209815"), 1709209815000);
  EXPECT_EQ(parse_time("1709209815.5"), 1709209815500);
  EXPECT_EQ(parse_time("1709209815250"), 1709209815250);
  EXPECT_EQ(parse_time("-1"), -1000);
  for (const char* bad :
       {"", "yesterday", "2023-02-29", "2024-13-01", "2024-01-01T25:00", "2024-01-01T10:00:00X",
        "2024-01-01T10:00:00+", "nan", "1e300", "2024-1-1", "2024-01-01T10:00:00."}) {
    EXPECT_EQ(parse_time(bad), std::nullopt) << bad;
  }
  for (const std::int64_t ms : {std::int64_t{0}, std::int64_t{1709209815250}, std::int64_t{-1},
                                std::int64_t{253402300799999}}) {
    EXPECT_EQ(parse_time(format_time(ms)), ms) << format_time(ms);
  }
}

class Files : public ::testing::Test {
 protected:
  std::string path(const std::string& name) const { return (folder_.path() / name).string(); }
  void write_vectors(std::size_t rows, std::size_t dimension, std::uint64_t first = 0) {
    std::vector<float> values;
    for (std::size_t i = 0; i < rows; ++i) {
      const auto v = random_vector(dimension, first + i);
      values.insert(values.end(), v.begin(), v.end());
    }
    formats::write_npy(path("v.npy"),
                       formats::array_view(std::span<const float>(values), {rows, dimension}),
                       Overwrite::replace);
  }
  void write_labels(const std::string& text) {
    write_file(path("l.csv"), text, Overwrite::replace);
  }
  EnrolOutcome enrol(Gallery& gallery, RowSource& source, EnrolOptions options = {}) {
    RunContext run;
    EnrolOutcome outcome;
    enrol_all(gallery, source, options, run, outcome);
    return outcome;
  }
  TemporaryFolder folder_;
};

TEST_F(Files, BadRowsOfATableAreRefusedOneByOne) {
  const Place place({.dimension = 8});
  write_vectors(6, 8);
  write_labels(
      "template,label,quality,time,metadata\n"
      "1,a,0.5,2024-01-01,\n"
      "2,b,much,2024-01-01,\n"
      "3,c,0.5,someday,\n"
      "4,d,0.5,,not json\n"
      "1,e,0.5,,\n"
      "6,f,,,\"{\"\"x\"\": 1}\"\n");
  const auto gallery = place.write();
  const auto source = open_npy_csv(path("v.npy"), path("l.csv"));
  const EnrolOutcome outcome = enrol(*gallery, *source);
  EXPECT_EQ(outcome.enrolled, 2u);
  ASSERT_EQ(outcome.refused.size(), 4u);
  EXPECT_EQ(outcome.refused[0].row, 1u);
  EXPECT_NE(outcome.refused[0].where.find("line 3"), std::string::npos);
  EXPECT_NE(outcome.refused[3].reason.find("twice"), std::string::npos);
  EXPECT_EQ(search(*gallery, random_vector(8, 5), 1).results[0].templates[0].template_id, 5);
}

TEST_F(Files, RowsThatDoNotFitTogetherEnrolNothing) {
  const Place place({.dimension = 8});
  write_vectors(3, 8);
  write_labels("label\na\nb\n");
  EXPECT_EQ(error_of([&] { open_npy_csv(path("v.npy"), path("l.csv")); }), ErrorCode::corrupt_data);
  write_labels("name\na\nb\nc\n");
  EXPECT_EQ(error_of([&] { open_npy_csv(path("v.npy"), path("l.csv")); }), ErrorCode::corrupt_data);
  write_vectors(3, 9);
  write_labels("label\na\nb\nc\n");
  const auto gallery = place.write();
  const auto source = open_npy_csv(path("v.npy"), path("l.csv"));
  EXPECT_EQ(error_of([&] { enrol(*gallery, *source); }), ErrorCode::invalid_argument);
  EXPECT_EQ(gallery->info().templates, 0u);
}

TEST_F(Files, ALabelOfAMegabyteIsARefusedRow) {
  const Place place({.dimension = 8});
  write_vectors(2, 8);
  write_labels("label\n" + std::string(1 << 20, 'x') + "\n\"two\nlines\"\n");
  const auto gallery = place.write();
  const auto source = open_npy_csv(path("v.npy"), path("l.csv"));
  EXPECT_EQ(enrol(*gallery, *source).refused_rows, 2u);
}

TEST_F(Files, AnInterruptedImportGoesOn) {
  const Place place({.dimension = 8});
  const std::size_t rows = 20'000;
  write_vectors(rows, 8);
  std::string labels = "label\n";
  for (std::size_t i = 0; i < rows; ++i) labels += "s" + std::to_string(i / 8) + "\n";
  write_labels(labels);
  {
    // Cancelled in the third batch.
    struct Sink final : RunSink {
      explicit Sink(std::shared_ptr<CancelToken> t) : token(std::move(t)) {}
      void progress(std::string_view, std::uint64_t done, std::uint64_t) override {
        if (done > 17'000) token->cancel();
      }
      void log(LogLevel, std::string_view) override {}
      std::shared_ptr<CancelToken> token;
    };
    const auto token = std::make_shared<CancelToken>();
    RunContext run({.cancel = token, .sink = std::make_shared<Sink>(token)});
    const auto gallery = place.write();
    const auto source = open_npy_csv(path("v.npy"), path("l.csv"));
    EnrolOutcome outcome;
    EXPECT_EQ(error_of([&] { enrol_all(*gallery, *source, {}, run, outcome); }),
              ErrorCode::cancelled);
    EXPECT_EQ(gallery->info().templates, 16'384u);
  }
  for (const bool again : {false, true}) {
    const auto gallery = place.write();
    const auto source = open_npy_csv(path("v.npy"), path("l.csv"));
    const EnrolOutcome outcome = enrol(*gallery, *source);
    EXPECT_EQ(outcome.already, again ? rows : 16'384u);
    EXPECT_EQ(outcome.enrolled, again ? 0 : rows - 16'384u);
    EXPECT_EQ(gallery->info().templates, rows);
  }
  EXPECT_EQ(search(*place.read(), random_vector(8, 19'000), 1).results[0].templates[0].template_id,
            19'000);
  const auto source = open_npy_csv(path("v.npy"), path("l.csv"));
  EXPECT_EQ(enrol(*place.write(), *source, {.keep_duplicates = true}).already, 0u);
}

TEST_F(Files, JsonLinesRefuseWhatTheyDoNotUnderstand) {
  const Place place({.dimension = 2});
  const std::string text =
      "{\"label\": \"a\", \"vector\": [1, 2], \"time\": 1709209815, \"metadata\": {\"k\": [1]}}\n"
      "\n"
      "{\"label\": \"b\", \"vector\": [1, 2, 3]}\n"
      "{\"label\": \"c\"}\n"
      "{\"label\": 5, \"vector\": [1, 2]}\n"
      "[1, 2]\n"
      "{broken\n"
      "{\"label\": \"d\", \"vector\": [1, \"x\"]}\n"
      "{\"label\": \"e\", \"vector\": [1e300, 0]}\n"
      "{\"label\": \"f\", \"vector\": [0.5, 0.5], \"camera\": \"c\"}";
  const auto source = open_jsonl(std::as_bytes(std::span(text)), "text");
  const auto gallery = place.write();
  const EnrolOutcome outcome = enrol(*gallery, *source);
  EXPECT_EQ(outcome.rows, 9u);
  EXPECT_EQ(outcome.enrolled, 2u);
  EXPECT_EQ(outcome.refused_rows, 7u);
}

}  // namespace
}  // namespace sosia::gallery

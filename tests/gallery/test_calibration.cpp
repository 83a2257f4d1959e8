// Fitting a calibration, its record, and collecting scores from a gallery.

#include "errors.hpp"
#include "gallery/calibration_fit.hpp"
#include "sosia/evaluate/calibration.hpp"
#include "sosia/gallery/calibrate.hpp"
#include "worlds.hpp"

#include <limits>

#include <gtest/gtest.h>

namespace sosia::gallery {
namespace {

std::vector<double> normals(const char* name, std::size_t count, double mean, double deviation) {
  RandomStream stream(1, name);
  std::vector<double> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(mean + deviation * stream.normal());
  return out;
}

TEST(FitCalibration, ClassRatioIsTakenOut) {
  // Equal deviations: the true log ratio is ((s - 0)^2 - (s - 2)^2) / 2 = 2 s - 2, whatever the
  // numbers of scores.
  for (std::size_t impostors : {2'000u, 40'000u}) {
    const Calibration c =
        fit_calibration(normals("g", 2'000, 2, 1), normals("i", impostors, 0, 1), 10);
    EXPECT_NEAR(-c.a, 2.0, 0.2);  // 1.95 and 2.02
    EXPECT_NEAR(-c.b, -2.0, 0.3);
    EXPECT_NEAR(c.probability(1.0), 0.5, 0.03);
    EXPECT_EQ(c.genuine, 2'000u);
    EXPECT_EQ(c.impostor, impostors);
  }
}

TEST(FitCalibration, TailAndQuantilesOfAFewScores) {
  const double genuine[] = {0.7, 0.5, 0.9}, impostor[] = {0.1, 0.6, 0.3, 0.6};
  const Calibration c = fit_calibration(genuine, impostor, 3);
  EXPECT_EQ(c.impostor_tail, (std::vector<double>{0.6, 0.6, 0.3, 0.1}));
  EXPECT_EQ(c.genuine_quantiles, (std::vector<double>{0.5, 0.7, 0.9}));
  EXPECT_TRUE(c.tail_probes.empty());
  EXPECT_DOUBLE_EQ(c.fmr(0.61), 0.0);
  EXPECT_DOUBLE_EQ(c.fmr(0.6), 0.5);
  EXPECT_DOUBLE_EQ(c.fmr(0.2), 0.75);
  EXPECT_DOUBLE_EQ(c.fmr(0.0), 1.0);
  EXPECT_DOUBLE_EQ(c.fnmr(0.5), 0.0);
  EXPECT_DOUBLE_EQ(c.fnmr(0.6), 1.0 / 3);
  EXPECT_DOUBLE_EQ(c.fnmr(0.9), 2.0 / 3);
  EXPECT_DOUBLE_EQ(c.fnmr(0.91), 1.0);
}

TEST(FitCalibration, QuantilesOfManyScoresGiveTheFnmr) {
  const std::vector<double> genuine = normals("many", 25'000, 0, 1);
  const Calibration c = fit_calibration(genuine, normals("few", 100, -5, 1), 10);
  ASSERT_EQ(c.genuine_quantiles.size(), 1001u);
  for (double t : {-3.0, -1.0, 0.0, 0.5, 2.5}) {
    const auto below =
        std::count_if(genuine.begin(), genuine.end(), [&](double s) { return s < t; });
    EXPECT_NEAR(c.fnmr(t), static_cast<double>(below) / 25'000, 1e-3) << t;
  }
}

// Whatever the tail drops, the kept part is complete: naive counts agree at every kept score.
TEST(CalibrationFit, ABoundedTailIsCompleteAndKeepsTiesTogether) {
  RandomStream stream(3, "ties");
  for (std::size_t tail : {1u, 7u, 50u, 400u}) {
    CalibrationFit fit(tail, 64);
    std::vector<double> all;
    for (std::size_t i = 0; i < 1'000; ++i) {
      all.push_back(static_cast<double>(stream.below(300)) / 300);
      fit.add_impostor(all.back(), static_cast<std::uint32_t>(i % 10));
    }
    all.push_back(2);
    fit.add_impostor(2, 3);
    fit.add_genuine(1);
    const Calibration c = fit.finish(2, std::vector<std::uint32_t>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
    ASSERT_FALSE(c.impostor_tail.empty());
    EXPECT_LE(c.impostor_tail.size(), tail);
    EXPECT_EQ(c.tail_probes.size(), c.impostor_tail.size());
    EXPECT_EQ(c.tail_probes[0], 3u);
    for (double t : c.impostor_tail) {
      const auto above = std::count_if(all.begin(), all.end(), [&](double s) { return s >= t; });
      EXPECT_DOUBLE_EQ(c.fmr(t), static_cast<double>(above) / 1'001);
    }
    EXPECT_LE(fit.impostor_scores().size(), 64u);
  }
}

TEST(FitCalibration, Refusals) {
  const double one[] = {0.5}, two[] = {0.1, 0.2};
  const double nan[] = {std::numeric_limits<double>::quiet_NaN()};
  expect_refused([&] { fit_calibration({}, two, 2); }, "no genuine");
  expect_refused([&] { fit_calibration(one, {}, 2); }, "no impostor");
  expect_refused([&] { fit_calibration(one, two, 1); }, "1 subjects");
  expect_refused([&] { fit_calibration(nan, two, 2); }, "not finite");
  expect_refused([&] { fit_calibration(one, nan, 2); }, "not finite");
  ScoreSample sample{.genuine = {1}, .impostor = {0}, .impostor_probes = {1}, .subjects = 2};
  expect_refused([&] { fit_calibration(sample); }, "probe 1");
  sample.impostor_probes = {0, 0};
  expect_refused([&] { fit_calibration(sample); }, "2 probes");
  const std::vector<double> alike(2 * kTailSize, 0.5);
  expect_refused([&] { fit_calibration(one, alike, 2); }, "equal to the highest");
}

TEST(CalibrationRecord, ReadsBackAsWritten) {
  ScoreSample sample{.genuine = {0.9, 0.8},
                     .impostor = {0.1, 0.3, 0.2},
                     .impostor_probes = {0, 1, 1},
                     .probe_subjects = {0, 1},
                     .subjects = 2};
  Calibration c = fit_calibration(sample);
  c.set = "a set";
  c.model = "ab12";
  c.rule = SubjectRule::centroid;
  const Calibration back = calibration_from_value(parse_json(to_json(to_value(c))));
  EXPECT_EQ(to_value(back), to_value(c));
  EXPECT_EQ(back.rule, SubjectRule::centroid);
  EXPECT_EQ(back.tail_probes, (std::vector<std::uint32_t>{1, 1, 0}));
}

TEST(CalibrationRecord, EveryBrokenMemberIsNamed) {
  const double genuine[] = {0.9}, impostor[] = {0.1, 0.2};
  const Value good = to_value(fit_calibration(genuine, impostor, 2));
  const auto corrupt = ErrorCode::corrupt_data;
  for (const Value::Member& member : good.as_object()) {
    Value broken = Value::object({});
    for (const auto& [key, value] : good.as_object()) {
      if (key != member.first) broken.set(key, value);
    }
    expect_refused([&] { calibration_from_value(broken); }, member.first, corrupt);
    broken.set(member.first, true);
    expect_refused([&] { calibration_from_value(broken); }, member.first, corrupt);
  }
  const auto with = [&](const char* name, Value value) {
    Value broken = good;
    broken.set(name, std::move(value));
    return broken;
  };
  expect_refused([&] { calibration_from_value(with("schema", "sosia.calibration/2")); },
                 "calibration/2", ErrorCode::unsupported);
  expect_refused([&] { calibration_from_value(with("rule", "best")); }, "rule", corrupt);
  expect_refused([&] { calibration_from_value(with("impostor_tail", Value::list({0.1, 0.2}))); },
                 "does not fall", corrupt);
  expect_refused(
      [&] { calibration_from_value(with("impostor_tail", Value::list({0.3, 0.2, 0.1}))); },
      "longer than impostor", corrupt);
  expect_refused([&] { calibration_from_value(with("probe_subjects", Value::list({0}))); },
                 "belong together", corrupt);
  expect_refused([&] { calibration_from_value(with("genuine", 0)); }, "genuine", corrupt);
  expect_refused([&] { calibration_from_value(Value(3)); }, "JSON object", corrupt);
}

// --- from a gallery ---

// Two subjects in a plane: angles in degrees.
std::vector<float> at(double degrees) {
  const double r = degrees * 3.14159265358979323846 / 180;
  return {static_cast<float>(std::cos(r)), static_cast<float>(std::sin(r))};
}
double cosine(double degrees) {
  return std::cos(degrees * 3.14159265358979323846 / 180);
}

TEST(CalibrateGallery, TwoSubjectsByHand) {
  MemoryGallery gallery(2);
  gallery.add("a", at(0));
  gallery.add("b", at(90));
  gallery.add("a", at(10));
  RunContext run;
  const CalibrationRun by_max = calibrate_gallery(gallery, {.rule = SubjectRule::maximum}, run);
  const Calibration& c = by_max.calibration;
  // Genuine: each template of a with the other one. Impostor: both with b, and b with its nearest.
  ASSERT_EQ(c.genuine, 2u);
  EXPECT_NEAR(c.genuine_quantiles[0], cosine(10), 1e-6);
  ASSERT_EQ(c.impostor_tail.size(), 3u);
  EXPECT_NEAR(c.impostor_tail[0], cosine(80), 1e-6);
  EXPECT_NEAR(c.impostor_tail[1], cosine(80), 1e-6);
  EXPECT_NEAR(c.impostor_tail[2], cosine(90), 1e-6);
  EXPECT_EQ(c.subjects, 2u);
  EXPECT_EQ(c.set, "memory");
  EXPECT_EQ(c.probe_subjects.size(), 3u);
  EXPECT_EQ(by_max.templates_used, 3u);

  const Calibration mean = calibrate_gallery(gallery, {}, run).calibration;
  EXPECT_NEAR(mean.impostor_tail[1], (cosine(80) + cosine(90)) / 2, 1e-6);
  const Calibration centre =
      calibrate_gallery(gallery, {.rule = SubjectRule::centroid}, run).calibration;
  EXPECT_NEAR(centre.impostor_tail[1], cosine(85), 1e-6);
  EXPECT_NEAR(centre.genuine_quantiles[0], cosine(10), 1e-6);
}

// As a search would score it: the gallery without the probe is asked, by plain loops.
TEST(CalibrateGallery, EqualsLeavingOneOutOfTheGallery) {
  const Population people({.dimension = 24, .noise = 0.8});
  MemoryGallery gallery(24);
  const std::vector<std::uint64_t> subjects = {5, 1, 9, 30, 2, 8, 77};
  for (std::size_t i = 0; i < 5; ++i) {  // subjects' templates lie apart
    for (std::uint64_t s : subjects) {
      if (i < s % 5 + 1) gallery.add("s" + std::to_string(s), people.sample(s, i));
    }
  }
  for (SubjectRule rule : {SubjectRule::mean_top3, SubjectRule::maximum}) {
    std::vector<double> genuine, impostor;
    for (std::size_t out = 0; out < gallery.templates_.size(); ++out) {
      MemoryGallery rest(24);
      for (std::size_t i = 0; i < gallery.templates_.size(); ++i) {
        if (i != out) rest.templates_.push_back(gallery.templates_[i]);
      }
      RunContext run;
      const auto answer =
          rest.search({.probes = gallery.templates_[out].vector, .k = 100, .rule = rule}, run);
      for (const SubjectMatch& s : answer.results[0].subjects) {
        (s.label == gallery.templates_[out].label ? genuine : impostor).push_back(s.score);
      }
    }
    std::sort(genuine.begin(), genuine.end());
    std::sort(impostor.rbegin(), impostor.rend());
    for (int threads : {1, 3}) {
      RunContext run({.threads = threads});
      const Calibration c = calibrate_gallery(gallery, {.rule = rule}, run).calibration;
      ASSERT_EQ(c.genuine_quantiles.size(), genuine.size());
      ASSERT_EQ(c.impostor_tail.size(), impostor.size());
      for (std::size_t i = 0; i < genuine.size(); ++i) {
        EXPECT_NEAR(c.genuine_quantiles[i], genuine[i], 1e-5);
      }
      for (std::size_t i = 0; i < impostor.size(); ++i) {
        EXPECT_NEAR(c.impostor_tail[i], impostor[i], 1e-5);
      }
    }
  }
}

TEST(CalibrateGallery, WorkIsBoundedAndSeeded) {
  const Population people({.dimension = 16});
  const auto subjects = shuffled_subjects(0, 60);
  MemoryGallery gallery(16);
  enrol(gallery, people, subjects, 4);
  RunContext run({.seed = 4});
  const CalibrationRun some = calibrate_gallery(gallery, {.probes = 70, .templates = 120}, run);
  EXPECT_EQ(some.subjects_enrolled, 60u);
  EXPECT_GT(some.subjects_used, 15u);  // 28 of 60 observed; 30 expected
  EXPECT_LT(some.subjects_used, 45u);
  EXPECT_EQ(some.templates_used, 4 * some.subjects_used);
  EXPECT_EQ(some.calibration.probe_subjects.size(), 70u);
  // One probe of every subject before any second one.
  std::vector<std::uint32_t> first(some.calibration.probe_subjects.begin(),
                                   some.calibration.probe_subjects.begin() + some.subjects_used);
  std::sort(first.begin(), first.end());
  EXPECT_EQ(std::unique(first.begin(), first.end()), first.end());
  RunContext again({.seed = 4, .threads = 1}), other({.seed = 5});
  const CalibrateOptions options{.probes = 70, .templates = 120};
  EXPECT_EQ(to_value(calibrate_gallery(gallery, options, again).calibration),
            to_value(some.calibration));
  EXPECT_NE(to_value(calibrate_gallery(gallery, options, other).calibration),
            to_value(some.calibration));
}

TEST(CalibrateGallery, OneSubjectEmptyAndSingleTemplatesAreRefused) {
  RunContext run;
  MemoryGallery gallery(2);
  expect_refused([&] { calibrate_gallery(gallery, {}, run); }, "0 subjects");
  gallery.add("a", at(0));
  gallery.add("a", at(1));
  expect_refused([&] { calibrate_gallery(gallery, {}, run); }, "1 subject;");
  MemoryGallery single(2);
  single.add("a", at(0));
  single.add("b", at(90));
  for (SubjectRule rule : {SubjectRule::mean_top3, SubjectRule::centroid}) {
    expect_refused([&] { calibrate_gallery(single, {.rule = rule}, run); }, "no genuine");
  }
}

TEST(CalibrateProbes, KnownAndUnknownProbesByHand) {
  MemoryGallery gallery(2);
  gallery.add("a", at(0));
  gallery.add("b", at(90));
  const std::vector<float> probes = {2, 0, 0, 3, 1, 1};  // a, b, a stranger; any length
  RunContext run;
  const Calibration c =
      calibrate_probes(gallery, {.vectors = probes, .labels = {"a", "b", "c"}}, {}, run)
          .calibration;
  EXPECT_EQ(c.genuine_quantiles, (std::vector<double>{1, 1}));
  ASSERT_EQ(c.impostor_tail.size(), 4u);
  EXPECT_NEAR(c.impostor_tail[0], cosine(45), 1e-6);
  EXPECT_NEAR(c.impostor_tail[1], cosine(45), 1e-6);
  EXPECT_NEAR(c.impostor_tail[2], 0, 1e-6);
  expect_refused([&] { calibrate_probes(gallery, {.vectors = probes, .labels = {"a"}}, {}, run); },
                 "dimension 2");
  const std::vector<float> bad = {1, std::numeric_limits<float>::quiet_NaN(), 0, 0};
  expect_refused(
      [&] {
        calibrate_probes(gallery, {.vectors = std::span(bad).first(2), .labels = {"a"}}, {}, run);
      },
      "probe 0 is not finite");
  expect_refused(
      [&] {
        calibrate_probes(gallery, {.vectors = std::span(bad).last(2), .labels = {"a"}}, {}, run);
      },
      "probe 0 is zero");
}

}  // namespace
}  // namespace sosia::gallery

#include "evaluate/support.hpp"
#include "sosia/evaluate/confidence.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <numeric>

namespace sosia::evaluate {
namespace {

TEST(Normal, KnownValues) {
  EXPECT_DOUBLE_EQ(normal_cdf(0.0), 0.5);
  EXPECT_NEAR(normal_cdf(1.0), 0.8413447460685429, 1e-15);
  EXPECT_NEAR(normal_quantile(0.975), 1.959963984540054, 1e-13);
  EXPECT_NEAR(normal_quantile(1e-10), -6.361340902404056, 1e-12);
  EXPECT_NEAR(normal_quantile(0.5), 0.0, 1e-15);
  EXPECT_TRUE(std::isfinite(normal_quantile(1e-300)));
  for (double p : {1e-12, 0.001, 0.2, 0.7, 0.999}) {
    EXPECT_NEAR(normal_cdf(normal_quantile(p)), p, 1e-14);
  }
  expect_refused([] { normal_quantile(0.0); }, "(0, 1)");
  expect_refused([] { normal_quantile(kNan); }, "(0, 1)");
}

TEST(Quantile, AsNumpy) {
  EXPECT_DOUBLE_EQ(quantile({3.0, 1.0, 2.0, 4.0}, 0.5), 2.5);
  EXPECT_DOUBLE_EQ(quantile({3.0, 1.0, 2.0, 4.0}, 0.25), 1.75);
  EXPECT_DOUBLE_EQ(quantile({7.0}, 0.9), 7.0);
  EXPECT_DOUBLE_EQ(quantile({1.0, 2.0}, 1.0), 2.0);
  expect_refused([] { quantile({}, 0.5); }, "no values");
  expect_refused([] { quantile({kNan}, 0.5); }, "NaN");
}

TEST(Wilson, KnownIntervals) {
  // 8 of 10: [.4902, .9433] (Brown, Cai and DasGupta's formula by hand).
  const Interval interval = wilson_interval(8, 10);
  EXPECT_NEAR(interval.low, 0.490162, 1e-6);
  EXPECT_NEAR(interval.high, 0.943318, 1e-6);
  EXPECT_EQ(interval.level, 0.95);
  EXPECT_EQ(wilson_interval(0, 10).low, 0.0);
  EXPECT_NEAR(wilson_interval(0, 10).high, 0.277533, 1e-6);
  EXPECT_EQ(wilson_interval(10, 10).high, 1.0);
  EXPECT_LT(wilson_interval(8, 10, 0.5).high, interval.high);
  expect_refused([] { wilson_interval(0, 0); }, "no trials");
  expect_refused([] { wilson_interval(3, 2); }, "3 successes");
  expect_refused([] { wilson_interval(1, 2, 1.0); }, "level");
}

TEST(RuleOf30, NeedsThirtyExpectedErrors) {
  EXPECT_EQ(rule_of_30(0.1, 300).needed, 300u);
  EXPECT_TRUE(rule_of_30(0.1, 300).met);
  EXPECT_FALSE(rule_of_30(0.1, 299).met);
  EXPECT_EQ(rule_of_30(1e-6, 1).needed, 30000000u);
  EXPECT_EQ(rule_of_30(1e-3, 1).needed, 30000u);
  EXPECT_FALSE(rule_of_30(0.1, 300).warning());
  EXPECT_EQ(
      rule_of_30(1e-3, 500).warning().value(),
      "FAR 0.001 rests on 500 impostor comparisons (0.5 expected errors); the rule of 30 asks "
      "for 30000");
  expect_refused([] { rule_of_30(0.0, 5); }, "(0, 1]");
}

TEST(Bootstrap, MeanOfIndependentSubjects) {
  // Each subject has one value; the interval of the mean is close to mean +- 1.96 s / sqrt(n).
  RandomStream stream(3, "values");
  std::vector<double> values(100);
  for (double& value : values) value = stream.normal();
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / 100.0;
  double squares = 0.0;
  for (double value : values) squares += (value - mean) * (value - mean);
  const double error = std::sqrt(squares / 100.0 / 100.0);
  RunContext run;
  const auto statistic = [&](std::span<const std::uint32_t> draws, std::span<double> figures) {
    double sum = 0.0;
    for (std::size_t i = 0; i < draws.size(); ++i) sum += draws[i] * values[i];
    figures[0] = sum / 100.0;
    figures[1] = 42.0;
  };
  const auto intervals = bootstrap_subjects(100, 2, statistic, {.replicates = 4000}, run);
  ASSERT_EQ(intervals.size(), 2u);
  EXPECT_NEAR(intervals[0].low, mean - 1.96 * error, 0.02);
  EXPECT_NEAR(intervals[0].high, mean + 1.96 * error, 0.02);
  EXPECT_EQ(intervals[1].low, 42.0);
  EXPECT_EQ(intervals[1].high, 42.0);
  EXPECT_EQ(intervals[0].method, "bootstrap over 100 subjects, 4000 replicates");
}

TEST(Bootstrap, DrawsEachReplicateAsManySubjectsAsThereAre) {
  RunContext run;
  std::atomic<int> wrong{0};
  bootstrap_subjects(
      7, 1,
      [&](std::span<const std::uint32_t> draws, std::span<double> figures) {
        if (std::accumulate(draws.begin(), draws.end(), 0u) != 7u) ++wrong;
        figures[0] = 0.0;
      },
      {.replicates = 100}, run);
  EXPECT_EQ(wrong, 0);
}

TEST(Bootstrap, PairWeights) {
  const std::vector<std::uint32_t> draws{0, 2, 3};
  EXPECT_EQ(pair_weight({1, 1}, draws), 2u);
  EXPECT_EQ(pair_weight({1, 2}, draws), 6u);
  EXPECT_EQ(pair_weight({0, 2}, draws), 0u);
}

struct World {
  std::vector<double> scores;
  std::vector<std::uint8_t> labels;
  std::vector<SubjectPair> subjects;
};

// Subjects with an effect of their own on the genuine scores: pairs of one subject are alike.
World subject_world(std::uint32_t count, std::size_t genuine_each) {
  RandomStream stream(9, "subjects");
  World world;
  for (std::uint32_t a = 0; a < count; ++a) {
    const double effect = stream.normal();
    for (std::size_t i = 0; i < genuine_each; ++i) {
      world.scores.push_back(2.0 + effect + 0.3 * stream.normal());
      world.labels.push_back(1);
      world.subjects.push_back({a, a});
    }
    for (std::uint32_t b = 0; b < a; ++b) {
      world.scores.push_back(stream.normal());
      world.labels.push_back(0);
      world.subjects.push_back({a, b});
    }
  }
  return world;
}

TEST(BootstrapVerification, ContainsTheFigureAndDoesNotDependOnThreads) {
  const World world = subject_world(20, 5);
  const std::vector<double> targets{0.1, 0.01};
  RunContext one({.seed = 5, .threads = 1}), two({.seed = 5, .threads = 2});
  const auto a = bootstrap_verification(world.scores, world.labels, world.subjects, {targets},
                                        {.replicates = 300}, one);
  const auto b = bootstrap_verification(world.scores, world.labels, world.subjects, {targets},
                                        {.replicates = 300}, two);
  const Roc roc(split_scores(world.scores, world.labels));
  EXPECT_LE(a.auc.low, roc.auc());
  EXPECT_GE(a.auc.high, roc.auc());
  EXPECT_LE(a.eer.low, roc.eer().rate);
  EXPECT_GE(a.eer.high, roc.eer().rate);
  ASSERT_EQ(a.tar_at_far.size(), 2u);
  EXPECT_LE(a.tar_at_far[0].low, roc.at_far(0.1).tar);
  EXPECT_EQ(a.auc.low, b.auc.low);
  EXPECT_EQ(a.auc.high, b.auc.high);
  EXPECT_EQ(a.tar_at_far[1].high, b.tar_at_far[1].high);
}

TEST(BootstrapVerification, EveryReplicateIsTheCurveOfTheRepeatedPairs) {
  // The weighted curve against a Roc of explicitly repeated comparisons, for one replicate's draws,
  // reached through the statistic: two subjects drawn twice each give every pair the same figure.
  const World world = subject_world(8, 3);
  const std::vector<double> rates{0.12};
  for (AtRule rule :
       {AtRule::nearest, AtRule::nearest_reduced, AtRule::interpolated, AtRule::not_above}) {
    RunContext run({.seed = 11});
    const auto intervals = bootstrap_verification(world.scores, world.labels, world.subjects,
                                                  {rates, rule}, {.replicates = 50}, run);
    std::vector<double> aucs, eers, tars;
    for (std::size_t replicate = 0; replicate < 50; ++replicate) {
      std::vector<std::uint32_t> draws(8, 0);
      RandomStream stream = run.random("bootstrap", replicate);
      for (int i = 0; i < 8; ++i) ++draws[stream.below(8)];
      ScoreSet set;
      for (std::size_t i = 0; i < world.scores.size(); ++i) {
        auto& list = world.labels[i] == 1 ? set.genuine : set.impostor;
        list.insert(list.end(), pair_weight(world.subjects[i], draws), world.scores[i]);
      }
      const Roc roc(std::move(set));
      aucs.push_back(roc.auc());
      eers.push_back(roc.eer().rate);
      tars.push_back(roc.at_far(rates[0], rule).tar);
    }
    EXPECT_NEAR(intervals.auc.low, quantile(aucs, 0.025), 1e-12);
    EXPECT_NEAR(intervals.auc.high, quantile(aucs, 0.975), 1e-12);
    EXPECT_NEAR(intervals.eer.low, quantile(eers, 0.025), 1e-12);
    EXPECT_NEAR(intervals.eer.high, quantile(eers, 0.975), 1e-12);
    EXPECT_NEAR(intervals.tar_at_far[0].low, quantile(tars, 0.025), 1e-12) << rule_name(rule);
    EXPECT_NEAR(intervals.tar_at_far[0].high, quantile(tars, 0.975), 1e-12) << rule_name(rule);
  }
}

TEST(BootstrapVerification, SubjectsMatterMoreThanPairs) {
  // Fifty genuine scores per subject that differ mostly between subjects: an interval over pairs
  // taken as independent (each comparison its own two subjects) is far too narrow.
  const World world = subject_world(15, 50);
  std::vector<SubjectPair> pairs;
  for (std::uint32_t i = 0; i < world.scores.size(); ++i) pairs.push_back({i, i});
  RunContext run({.seed = 2});
  const auto over_subjects = bootstrap_verification(world.scores, world.labels, world.subjects, {},
                                                    {.replicates = 300}, run);
  const auto over_pairs =
      bootstrap_verification(world.scores, world.labels, pairs, {}, {.replicates = 300}, run);
  // Observed widths .251 and .048.
  EXPECT_GT(over_subjects.auc.high - over_subjects.auc.low,
            2.0 * (over_pairs.auc.high - over_pairs.auc.low));
}

TEST(BootstrapVerification, OneSubjectIsRefused) {
  const std::vector<double> scores{0.9, 0.1};
  const std::vector<std::uint8_t> labels{1, 0};
  const std::vector<SubjectPair> subjects{{0, 0}, {0, 0}};
  RunContext run;
  expect_refused([&] { bootstrap_verification(scores, labels, subjects, {}, {}, run); },
                 "at least 2 subjects");
}

TEST(BootstrapVerification, RarelyDefinedFiguresHaveNoInterval) {
  // Two subjects; the only impostor pair vanishes when one of them is drawn twice: half of the
  // time. With three subjects and one impostor pair it is there in 12 of 27 replicates.
  const std::vector<double> scores{0.9, 0.8, 0.7, 0.1};
  const std::vector<std::uint8_t> labels{1, 1, 1, 0};
  const std::vector<SubjectPair> subjects{{0, 0}, {1, 1}, {2, 2}, {0, 1}};
  RunContext run;
  const auto intervals =
      bootstrap_verification(scores, labels, subjects, {}, {.replicates = 400}, run);
  EXPECT_TRUE(std::isnan(intervals.auc.low));
  EXPECT_TRUE(std::isnan(intervals.eer.high));
}

TEST(BootstrapVerification, Refusals) {
  const std::vector<double> scores{0.9, 0.1}, nan{0.9, kNan};
  const std::vector<std::uint8_t> labels{1, 0}, genuine{1, 1};
  const std::vector<SubjectPair> subjects{{0, 0}, {0, 1}};
  RunContext run;
  expect_refused([&] { bootstrap_verification(nan, labels, subjects, {}, {}, run); }, "nan");
  expect_refused([&] { bootstrap_verification(scores, genuine, subjects, {}, {}, run); },
                 "no impostor scores");
  expect_refused(
      [&] { bootstrap_verification(scores, labels, subjects, {}, {.replicates = 3}, run); },
      "too few");
}

TEST(Bootstrap, ACancelledRunStops) {
  auto token = std::make_shared<CancelToken>();
  token->cancel();
  RunContext run({.cancel = token});
  try {
    bootstrap_subjects(5, 1, [](auto, std::span<double> figures) { figures[0] = 0.0; }, {}, run);
    ADD_FAILURE() << "went on";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::cancelled);
  }
}

}  // namespace
}  // namespace sosia::evaluate

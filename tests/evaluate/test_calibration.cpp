#include "evaluate/support.hpp"
#include "sosia/evaluate/calibration.hpp"

#include <algorithm>
#include <cmath>

namespace sosia::evaluate {
namespace {

TEST(Isotonic, PoolsViolatorsByHand) {
  // 1 0 1 at 1 2 3: the first two pool to 1/2.
  const std::vector<double> scores{1.0, 2.0, 3.0};
  const Isotonic map = fit_isotonic(scores, std::vector<std::uint8_t>{1, 0, 1});
  EXPECT_EQ(map.x(), (std::vector<double>{1.0, 2.0, 3.0}));
  EXPECT_EQ(map.y(), (std::vector<double>{0.5, 0.5, 1.0}));
  EXPECT_DOUBLE_EQ(map(2.5), 0.75);
  EXPECT_DOUBLE_EQ(map(-9.0), 0.5);
  EXPECT_DOUBLE_EQ(map(9.0), 1.0);
}

TEST(Isotonic, TiesAreAveragedFirst) {
  const std::vector<double> scores{1.0, 1.0, 2.0, 2.0, 2.0};
  const Isotonic map = fit_isotonic(scores, std::vector<std::uint8_t>{0, 1, 1, 1, 0});
  EXPECT_DOUBLE_EQ(map(1.0), 0.5);
  EXPECT_DOUBLE_EQ(map(2.0), 2.0 / 3.0);
}

TEST(Isotonic, WeightsActAsRepetition) {
  const std::vector<double> once{1.0, 2.0, 3.0}, targets{1.0, 0.0, 1.0}, weights{3.0, 1.0, 1.0};
  const std::vector<double> repeated{1.0, 1.0, 1.0, 2.0, 3.0}, all{1.0, 1.0, 1.0, 0.0, 1.0};
  EXPECT_EQ(fit_isotonic(once, targets, weights).y(), fit_isotonic(repeated, all).y());
  EXPECT_DOUBLE_EQ(fit_isotonic(once, targets, weights)(1.0), 0.75);
}

TEST(Isotonic, OneSubjectOneScore) {
  const Isotonic map = fit_isotonic(std::vector<double>{0.3}, std::vector<std::uint8_t>{1});
  EXPECT_EQ(map(0.0), 1.0);
  EXPECT_EQ(map(1.0), 1.0);
}

TEST(Isotonic, IsTheLeastSquaresMonotoneFit) {
  // The min-max formula (Barlow et al., 1972): fit_i = max over j <= i of min over k >= i of the
  // mean of j..k.
  const LabelledScores list = random_scores(2, 60, 0.0);
  const Isotonic map = fit_isotonic(list.scores, list.labels);
  std::vector<std::size_t> order(list.scores.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return list.scores[a] < list.scores[b]; });
  for (std::size_t i = 0; i < order.size(); ++i) {
    double highest = -1.0;
    for (std::size_t j = 0; j <= i; ++j) {
      double lowest = 2.0, sum = 0.0;
      for (std::size_t k = j; k < order.size(); ++k) {
        sum += list.labels[order[k]];
        if (k >= i) lowest = std::min(lowest, sum / static_cast<double>(k - j + 1));
      }
      highest = std::max(highest, lowest);
    }
    EXPECT_NEAR(map(list.scores[order[i]]), highest, 1e-12);
  }
}

TEST(Isotonic, KnotsMayLieFurtherApartThanTheLargestDouble) {
  const Isotonic map =
      fit_isotonic(std::vector<double>{-1.5e308, 1.5e308}, std::vector<std::uint8_t>{0, 1});
  EXPECT_EQ(map(-1.5e308), 0.0);
  EXPECT_DOUBLE_EQ(map(0.0), 0.5);
  EXPECT_EQ(map(1.5e308), 1.0);
}

TEST(Platt, DoesNotDependOnTheUnit) {
  const LabelledScores list = random_scores(8, 200, 0.0);
  const Platt plain = fit_platt(list.scores, list.labels);
  for (double unit : {4e307, 1e-250}) {
    std::vector<double> scores = list.scores;
    for (double& score : scores) score *= unit;
    const Platt fit = fit_platt(scores, list.labels);
    for (std::size_t i = 0; i < 20; ++i) {
      EXPECT_NEAR(fit(scores[i]), plain(list.scores[i]), 1e-9) << unit;
    }
  }
}

TEST(Isotonic, Refusals) {
  const std::vector<double> scores{1.0, 2.0}, nan{1.0, kNan}, bad{1.0, 0.0};
  const std::vector<std::uint8_t> labels{0, 1};
  expect_refused([&] { fit_isotonic({}, std::span<const double>{}); }, "no scores");
  expect_refused([&] { fit_isotonic(nan, labels); }, "nan");
  expect_refused([&] { fit_isotonic(scores, scores, bad); }, "weight 1 is 0");
  expect_refused([&] { Isotonic({1.0, 1.0}, {0.0, 1.0}); }, "knot 1");
  expect_refused([&] { Isotonic({1.0, 2.0}, {1.0, 0.0}); }, "knot 1");
  expect_refused([&] { Isotonic({1.0}, {1.0})(kNan); }, "NaN");
}

TEST(Platt, RecoversASigmoid) {
  // P = 1 / (1 + exp(-(2 s - 1))). Observed: a = -2.015, b = 1.005.
  RandomStream stream(4, "platt");
  std::vector<double> scores;
  std::vector<std::uint8_t> labels;
  for (int i = 0; i < 40000; ++i) {
    scores.push_back(stream.normal());
    labels.push_back(stream.uniform() < 1.0 / (1.0 + std::exp(1.0 - 2.0 * scores.back())));
  }
  const Platt fit = fit_platt(scores, labels);
  EXPECT_TRUE(fit.converged);
  EXPECT_NEAR(fit.a, -2.0, 0.06);
  EXPECT_NEAR(fit.b, 1.0, 0.05);
  EXPECT_NEAR(fit(0.5), 0.5, 0.02);
}

TEST(Platt, ConvergesWhateverTheRounding) {
  // The last steps lower the likelihood by less than the rounding of its sum.
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    const LabelledScores list = random_scores(seed, 20000, 0.0);
    EXPECT_TRUE(fit_platt(list.scores, list.labels).converged) << seed;
  }
}

TEST(Platt, SeparableScoresStayFinite) {
  const std::vector<double> scores{-2.0, -1.0, 1.0, 2.0};
  const std::vector<std::uint8_t> labels{0, 0, 1, 1};
  const Platt fit = fit_platt(scores, labels);
  EXPECT_TRUE(fit.converged);
  EXPECT_LT(fit.a, 0.0);
  EXPECT_TRUE(std::isfinite(fit.a));
  EXPECT_NEAR(fit(0.0), 0.5, 1e-9);
  // The smoothed targets keep the fit off 0 and 1.
  EXPECT_LT(fit(2.0), 1.0);
  EXPECT_GT(fit(2.0), 0.6);
}

TEST(Platt, StationaryPointOfTheSmoothedLikelihood) {
  const LabelledScores list = random_scores(6, 500, 0.0);
  const Platt fit = fit_platt(list.scores, list.labels);
  const double positives =
      static_cast<double>(std::count(list.labels.begin(), list.labels.end(), 1));
  const double negatives = 500.0 - positives;
  double g1 = 0.0, g2 = 0.0;
  for (std::size_t i = 0; i < 500; ++i) {
    const double t =
        list.labels[i] == 1 ? (positives + 1.0) / (positives + 2.0) : 1.0 / (negatives + 2.0);
    g1 += list.scores[i] * (t - fit(list.scores[i]));
    g2 += t - fit(list.scores[i]);
  }
  EXPECT_NEAR(g1, 0.0, 1e-4);
  EXPECT_NEAR(g2, 0.0, 1e-4);
}

TEST(Platt, EqualScoresGiveTheBaseRate) {
  const std::vector<double> scores(10, 0.25);
  std::vector<std::uint8_t> labels(10, 0);
  labels[0] = labels[1] = 1;
  const Platt fit = fit_platt(scores, labels);
  // Mean of the smoothed targets: (2 * 3/4 + 8 * 1/10) / 10.
  EXPECT_NEAR(fit(0.25), 0.23, 1e-6);
}

TEST(Platt, Refusals) {
  const std::vector<double> scores{1.0, 2.0}, nan{1.0, kNan};
  expect_refused([&] { fit_platt(scores, std::vector<std::uint8_t>{1, 1}); }, "label 0");
  expect_refused([&] { fit_platt(scores, std::vector<std::uint8_t>{0, 0}); }, "label 1");
  expect_refused([&] { fit_platt(nan, std::vector<std::uint8_t>{0, 1}); }, "nan");
}

TEST(Reliability, EqualWidthBinsAreOpenBelow) {
  const std::vector<double> probabilities{0.0, 0.5, 0.5000001, 1.0};
  const std::vector<std::uint8_t> labels{0, 1, 0, 1};
  const auto bins = reliability(probabilities, labels, 2);
  ASSERT_EQ(bins.size(), 2u);
  EXPECT_EQ(bins[0].count, 2u);
  EXPECT_DOUBLE_EQ(bins[0].mean_probability, 0.25);
  EXPECT_DOUBLE_EQ(bins[0].frequency, 0.5);
  EXPECT_EQ(bins[1].count, 2u);
  EXPECT_DOUBLE_EQ(bins[1].frequency, 0.5);
}

TEST(Reliability, EmptyBinsAreKeptAndCostNothing) {
  const std::vector<double> probabilities{0.05, 0.95};
  const std::vector<std::uint8_t> labels{0, 1};
  const auto bins = reliability(probabilities, labels, 10);
  ASSERT_EQ(bins.size(), 10u);
  EXPECT_EQ(bins[4].count, 0u);
  EXPECT_TRUE(std::isnan(bins[4].frequency));
  EXPECT_NEAR(expected_calibration_error(bins), 0.05, 1e-15);
  EXPECT_NEAR(maximum_calibration_error(bins), 0.05, 1e-15);
}

TEST(Reliability, EqualCountBins) {
  const std::vector<double> probabilities{0.9, 0.1, 0.2, 0.8, 0.3};
  const std::vector<std::uint8_t> labels{1, 0, 0, 1, 1};
  const auto bins = reliability(probabilities, labels, 2, BinRule::equal_count);
  ASSERT_EQ(bins.size(), 2u);
  EXPECT_EQ(bins[0].count, 3u);
  EXPECT_DOUBLE_EQ(bins[0].low, 0.1);
  EXPECT_DOUBLE_EQ(bins[0].high, 0.3);
  EXPECT_DOUBLE_EQ(bins[0].mean_probability, 0.2);
  EXPECT_DOUBLE_EQ(bins[0].frequency, 1.0 / 3.0);
  EXPECT_EQ(bins[1].count, 2u);
  EXPECT_EQ(reliability(probabilities, labels, 100, BinRule::equal_count).size(), 5u);
}

TEST(Calibration, EceBrierLogLossByHand) {
  const std::vector<double> probabilities{0.8, 0.8, 0.8, 0.2};
  const std::vector<std::uint8_t> labels{1, 1, 0, 0};
  // Bin of .8: |2/3 - .8| * 3/4; bin of .2: .2 * 1/4.
  EXPECT_NEAR(expected_calibration_error(reliability(probabilities, labels, 15)),
              (0.8 - 2.0 / 3.0) * 0.75 + 0.05, 1e-12);
  EXPECT_NEAR(brier_score(probabilities, labels), (0.04 + 0.04 + 0.64 + 0.04) / 4.0, 1e-15);
  EXPECT_NEAR(log_loss(probabilities, labels), -(3.0 * std::log(0.8) + std::log(0.2)) / 4.0, 1e-15);
}

TEST(Calibration, CertainAndWrongIsFinite) {
  const std::vector<double> probabilities{1.0, 0.0};
  const std::vector<std::uint8_t> wrong{0, 1}, right{1, 0};
  EXPECT_NEAR(log_loss(probabilities, wrong), 52.0 * std::log(2.0), 1e-9);
  EXPECT_NEAR(log_loss(probabilities, right), 0.0, 1e-15);
  EXPECT_EQ(brier_score(probabilities, wrong), 1.0);
}

TEST(Calibration, TrueProbabilitiesAreCalibrated) {
  RandomStream stream(8, "calibrated");
  std::vector<double> honest, boastful;
  std::vector<std::uint8_t> labels;
  for (int i = 0; i < 50000; ++i) {
    honest.push_back(stream.uniform());
    labels.push_back(stream.uniform() < honest.back());
    const double odds = honest.back() / (1.0 - honest.back());
    boastful.push_back(odds * odds * odds / (1.0 + odds * odds * odds));
  }
  // Observed .0058 and .1433.
  EXPECT_LT(expected_calibration_error(reliability(honest, labels, 15)), 0.012);
  EXPECT_GT(expected_calibration_error(reliability(boastful, labels, 15)), 0.1);
}

TEST(Calibration, Refusals) {
  const std::vector<double> fine{0.5}, high{1.5}, nan{kNan};
  const std::vector<std::uint8_t> one{1}, two{1, 0};
  expect_refused([&] { brier_score(high, one); }, "between 0 and 1");
  expect_refused([&] { log_loss(nan, one); }, "nan");
  expect_refused([&] { brier_score({}, {}); }, "no probabilities");
  expect_refused([&] { brier_score(fine, two); }, "1 probabilities but 2 labels");
  expect_refused([&] { reliability(fine, one, 0); }, "bins");
}

}  // namespace
}  // namespace sosia::evaluate

#include "evaluate/support.hpp"
#include "sosia/evaluate/roc.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

namespace sosia::evaluate {
namespace {

Roc roc_of(const LabelledScores& list) {
  return Roc(split_scores(list.scores, list.labels));
}

// The definitions, counted one by one.
double naive_auc(const ScoreSet& set) {
  double wins = 0.0;
  for (double g : set.genuine) {
    for (double i : set.impostor) wins += g > i ? 1.0 : g == i ? 0.5 : 0.0;
  }
  return wins / static_cast<double>(set.genuine.size() * set.impostor.size());
}

double share_at_least(const std::vector<double>& scores, double threshold) {
  const auto count =
      std::count_if(scores.begin(), scores.end(), [&](double s) { return s >= threshold; });
  return static_cast<double>(count) / static_cast<double>(scores.size());
}

std::vector<OperatingPoint> naive_points(const ScoreSet& set) {
  std::set<double, std::greater<>> thresholds{kInfinity};
  thresholds.insert(set.genuine.begin(), set.genuine.end());
  thresholds.insert(set.impostor.begin(), set.impostor.end());
  std::vector<OperatingPoint> points;
  for (double t : thresholds) {
    points.push_back({t, share_at_least(set.impostor, t), share_at_least(set.genuine, t)});
  }
  return points;
}

TEST(Roc, HandMadeList) {
  // genuine .9 .8 .4, impostor .6 .3 .2: eight of nine pairs are in order.
  const Roc roc(std::vector<double>{0.9, 0.4, 0.8}, std::vector<double>{0.2, 0.6, 0.3});
  ASSERT_EQ(roc.points().size(), 7u);
  EXPECT_TRUE(std::isinf(roc.points()[0].threshold));
  EXPECT_DOUBLE_EQ(roc.auc(), 8.0 / 9.0);
  // From .8 to .6 FAR goes from 0 to 1/3 at FRR 1/3.
  EXPECT_DOUBLE_EQ(roc.eer().rate, 1.0 / 3.0);
  EXPECT_DOUBLE_EQ(roc.eer().threshold, 0.6);
  EXPECT_DOUBLE_EQ(roc.eer(EerRule::nearest).rate, 1.0 / 3.0);
  EXPECT_DOUBLE_EQ(roc.at_threshold(0.6).far, 1.0 / 3.0);
  EXPECT_DOUBLE_EQ(roc.at_threshold(0.6).tar, 2.0 / 3.0);
  EXPECT_DOUBLE_EQ(roc.at_threshold(0.61).far, 0.0);
  EXPECT_DOUBLE_EQ(roc.at_threshold(-1.0).tar, 1.0);
  EXPECT_DOUBLE_EQ(roc.at_threshold(2.0).tar, 0.0);
  EXPECT_DOUBLE_EQ(roc.at_threshold(kInfinity).tar, 0.0);
}

TEST(Roc, PerfectAndReversedAndTied) {
  const std::vector<double> low{0.1, 0.2}, high{0.8, 0.9}, tied{0.5, 0.5};
  EXPECT_EQ(Roc(high, low).auc(), 1.0);
  EXPECT_EQ(Roc(high, low).eer().rate, 0.0);
  EXPECT_EQ(Roc(low, high).auc(), 0.0);
  EXPECT_EQ(Roc(low, high).eer().rate, 1.0);
  EXPECT_EQ(Roc(tied, tied).auc(), 0.5);
  EXPECT_EQ(Roc(tied, tied).eer().rate, 0.5);
  EXPECT_EQ(Roc(tied, tied).eer().threshold, 0.5);
  EXPECT_EQ(Roc(tied, tied).eer(EerRule::nearest).rate, 0.5);
  ASSERT_EQ(Roc(tied, tied).points().size(), 2u);
  // Both zeros are one score.
  EXPECT_EQ(Roc(std::vector<double>{0.0}, std::vector<double>{-0.0}).auc(), 0.5);
  EXPECT_EQ(Roc(std::vector<double>{0.0}, std::vector<double>{-0.0}).points().size(), 2u);
}

TEST(Roc, RulesDifferWithFewImpostors) {
  // Four impostors: FAR is a multiple of 1/4. The tie at .6 makes a diagonal step from
  // (1/4, 2/4) to (2/4, 3/4).
  const Roc roc(std::vector<double>{0.9, 0.8, 0.6, 0.1}, std::vector<double>{0.7, 0.6, 0.2, 0.0});
  EXPECT_DOUBLE_EQ(roc.at_far(0.4, AtRule::not_above).tar, 0.5);
  EXPECT_DOUBLE_EQ(roc.at_far(0.4, AtRule::not_above).far, 0.25);
  EXPECT_DOUBLE_EQ(roc.at_far(0.4, AtRule::nearest).tar, 0.75);
  EXPECT_DOUBLE_EQ(roc.at_far(0.4, AtRule::nearest).far, 0.5);
  EXPECT_DOUBLE_EQ(roc.at_far(0.4, AtRule::interpolated).tar, 0.65);
  EXPECT_DOUBLE_EQ(roc.at_far(0.4, AtRule::interpolated).threshold, 0.7);
  // Two equally near points: the higher FAR.
  EXPECT_DOUBLE_EQ(roc.at_far(0.375, AtRule::nearest).far, 0.5);
  // Of equal FAR the highest TAR.
  EXPECT_DOUBLE_EQ(roc.at_far(0.0, AtRule::nearest).tar, 0.5);
  EXPECT_DOUBLE_EQ(roc.at_far(0.75, AtRule::nearest).tar, 1.0);
  EXPECT_DOUBLE_EQ(roc.at_far(1.0, AtRule::interpolated).tar, 1.0);
  EXPECT_DOUBLE_EQ(roc.fnmr_at_fmr(0.4), 0.5);
}

TEST(Roc, ReducedCurveLosesPointsOnAStraightLine) {
  // One genuine on top, four impostors, one genuine: in between, FAR .25 .5 .75 lie on a line and
  // roc_curve drops .25 and .5 (second differences 0), so that the nearest to .45 becomes FAR 0.
  const Roc roc(std::vector<double>{0.9, 0.1}, std::vector<double>{0.8, 0.7, 0.6, 0.5, 0.05});
  EXPECT_DOUBLE_EQ(roc.at_far(0.39, AtRule::nearest).far, 0.4);
  EXPECT_DOUBLE_EQ(roc.at_far(0.39, AtRule::nearest_reduced).far, 0.0);
  EXPECT_DOUBLE_EQ(roc.at_far(0.41, AtRule::nearest_reduced).far, 0.8);
  EXPECT_DOUBLE_EQ(roc.at_far(0.41, AtRule::nearest_reduced).tar, 1.0);
}

TEST(Roc, EqualsTheDefinitionsOnRandomListsWithTies) {
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const double steps = seed % 4 == 0 ? 0.0 : static_cast<double>(seed % 4) * 2.0;
    const LabelledScores list = random_scores(seed, 5 + seed * 3, steps);
    const ScoreSet set = split_scores(list.scores, list.labels);
    const Roc roc = roc_of(list);
    EXPECT_NEAR(roc.auc(), naive_auc(set), 1e-12);
    const auto naive = naive_points(set);
    ASSERT_EQ(roc.points().size(), naive.size());
    for (std::size_t i = 0; i < naive.size(); ++i) {
      EXPECT_EQ(roc.points()[i].threshold, naive[i].threshold);
      EXPECT_DOUBLE_EQ(roc.far(roc.points()[i]), naive[i].far);
      EXPECT_DOUBLE_EQ(roc.tar(roc.points()[i]), naive[i].tar);
    }
    for (double target : {0.0, 0.01, 0.1, 0.25, 0.5, 1.0}) {
      double highest = 0.0, nearest = kInfinity;
      for (const OperatingPoint& point : naive) {
        if (point.far <= target) highest = std::max(highest, point.tar);
        nearest = std::min(nearest, std::abs(point.far - target));
      }
      EXPECT_DOUBLE_EQ(roc.at_far(target, AtRule::not_above).tar, highest);
      EXPECT_DOUBLE_EQ(std::abs(roc.at_far(target, AtRule::nearest).far - target), nearest);
    }
  }
}

TEST(Roc, EerOfTwoGaussians) {
  // Means 0 and 2, variance 1: EER = Phi(-1) = .158655, AUC = Phi(sqrt 2) = .921350. Observed with
  // this seed: .1575 and .9218.
  RandomStream stream(7, "gaussians");
  ScoreSet set;
  for (int i = 0; i < 50000; ++i) {
    set.genuine.push_back(stream.normal() + 2.0);
    set.impostor.push_back(stream.normal());
  }
  EXPECT_NEAR(fisher_ratio(set.genuine, set.impostor), 2.0, 0.05);
  EXPECT_NEAR(d_prime(set.genuine, set.impostor), 2.0, 0.03);
  const Roc roc(std::move(set));
  EXPECT_NEAR(roc.eer().rate, 0.158655, 0.004);
  EXPECT_NEAR(roc.eer().threshold, 1.0, 0.03);
  EXPECT_NEAR(roc.auc(), 0.921350, 0.003);
  EXPECT_NEAR(roc.eer().rate, roc.eer(EerRule::nearest).rate, 1e-4);
}

TEST(Roc, EerRulesOnATiedCrossing) {
  // Points (0, 0), (1/2, 1/2), (1, 1): the crossing lies on the middle point.
  const Roc middle(std::vector<double>{2.0, 1.0}, std::vector<double>{2.0, 1.0});
  EXPECT_DOUBLE_EQ(middle.eer().rate, 0.5);
  // genuine 3 1, impostor 2 2 1 0: (0,1/2) -> (1/2,1/2): FAR = FRR = 1/2 at threshold 2.
  const Roc step(std::vector<double>{3.0, 1.0}, std::vector<double>{2.0, 2.0, 1.0, 0.0});
  EXPECT_DOUBLE_EQ(step.eer().rate, 0.5);
  EXPECT_DOUBLE_EQ(step.eer().threshold, 2.0);
  // genuine 5 4 3 2, impostor 3 1 0: from (0, 2/4) diagonally to (1/3, 3/4): FRR falls from 1/2 by
  // 1/4 while FAR rises by 1/3; they meet after 6/7 of the way at 2/7.
  const Roc diagonal(std::vector<double>{5.0, 4.0, 3.0, 2.0}, std::vector<double>{3.0, 1.0, 0.0});
  EXPECT_NEAR(diagonal.eer().rate, 2.0 / 7.0, 1e-15);
  EXPECT_NEAR(diagonal.eer(EerRule::nearest).rate, (1.0 / 3.0 + 0.25) / 2.0, 1e-15);
  EXPECT_NEAR(diagonal.eer().threshold, 4.0 - 6.0 / 7.0, 1e-15);
}

TEST(Roc, DetIsOneMinusTar) {
  const Roc roc = roc_of(random_scores(3, 100, 4.0));
  const auto det = det_curve(roc);
  ASSERT_EQ(det.size(), roc.points().size());
  EXPECT_EQ(det.front().fmr, 0.0);
  EXPECT_EQ(det.front().fnmr, 1.0);
  EXPECT_EQ(det.back().fmr, 1.0);
  EXPECT_EQ(det.back().fnmr, 0.0);
  for (std::size_t i = 0; i < det.size(); ++i) {
    EXPECT_DOUBLE_EQ(det[i].fnmr, roc.at_threshold(det[i].threshold).frr());
  }
}

TEST(Roc, ThinnedCurveIsAShortPartOfTheCurve) {
  const Roc roc = roc_of(random_scores(4, 20000, 0.0));
  for (std::size_t most : {2u, 3u, 10u, 400u}) {
    const auto thin = roc.thinned(most);
    EXPECT_LE(thin.size(), most);
    EXPECT_EQ(thin.front().threshold, kInfinity);
    EXPECT_EQ(thin.back().true_accepts, roc.genuine_count());
    for (const RocPoint& point : thin) {
      EXPECT_DOUBLE_EQ(roc.tar(point), roc.at_threshold(point.threshold).tar);
    }
  }
  EXPECT_GT(roc.thinned(400).size(), 100u);
  EXPECT_EQ(roc.thinned(1u << 20).size(), roc.points().size());
}

TEST(Roc, FisherRatioByHand) {
  // Means 2 and 0, variances 1 and 1 (over n): 4 / 2.
  EXPECT_DOUBLE_EQ(fisher_ratio(std::vector<double>{1.0, 3.0}, std::vector<double>{-1.0, 1.0}),
                   2.0);
  EXPECT_DOUBLE_EQ(d_prime(std::vector<double>{1.0, 3.0}, std::vector<double>{-1.0, 1.0}), 2.0);
  EXPECT_EQ(fisher_ratio(std::vector<double>{1.0}, std::vector<double>{1.0}), 0.0);
  EXPECT_EQ(fisher_ratio(std::vector<double>{1.0}, std::vector<double>{0.0}), kInfinity);
}

TEST(Roc, TheLargestAndTheSmallestScoresDoNotOverflow) {
  // 4 3 against -4 -3 in units of 4e307 and 1e-200: (7 / 1)^2 / (1/4 + 1/4).
  for (double unit : {4e307, 1e-200}) {
    const std::vector<double> genuine{4.0 * unit, 3.0 * unit}, impostor{-4.0 * unit, -3.0 * unit};
    EXPECT_NEAR(fisher_ratio(genuine, impostor), 98.0, 1e-9) << unit;
    EXPECT_NEAR(d_prime(genuine, impostor), 14.0, 1e-9) << unit;
  }
  // FAR - FRR goes from -1/2 at 1.5e308 to 1/2 at -1.5e308: the middle, though they lie further
  // apart than the largest double.
  const Eer eer =
      Roc(std::vector<double>{1.5e308, -1.5e308}, std::vector<double>{-1.5e308, -1.6e308}).eer();
  EXPECT_DOUBLE_EQ(eer.rate, 0.25);
  EXPECT_DOUBLE_EQ(eer.threshold, 0.0);
}

TEST(Roc, NearestEerIsReadAtAScore) {
  // All scores equal: accepting nothing is as near to FAR = FRR as accepting everything.
  const Roc tied(std::vector<double>{1.0, 1.0}, std::vector<double>{1.0});
  EXPECT_EQ(tied.eer(EerRule::nearest).rate, 0.5);
  EXPECT_EQ(tied.eer(EerRule::nearest).threshold, 1.0);
}

TEST(Roc, RefusesWhatHasNoCurve) {
  const std::vector<double> some{0.5}, none, nan{0.5, kNan}, infinite{kInfinity};
  expect_refused([&] { Roc(none, some); }, "there are no genuine scores");
  expect_refused([&] { Roc(some, none); }, "there are no impostor scores");
  expect_refused([&] { Roc(some, nan); }, "number 1 is nan");
  expect_refused([&] { Roc(infinite, some); }, "inf");
  expect_refused([&] { fisher_ratio(some, nan); }, "nan");
  const Roc roc(some, some);
  expect_refused([&] { roc.at_far(-0.1); }, "target FAR");
  expect_refused([&] { roc.at_far(kNan); }, "target FAR");
  expect_refused([&] { roc.at_threshold(kNan); }, "NaN");
  expect_refused([&] { roc.thinned(1); }, "2 points");
  const std::vector<std::uint8_t> two_labels{0, 1}, bad_labels{0, 2};
  expect_refused([&] { split_scores(some, two_labels); }, "1 scores but 2 labels");
  expect_refused([&] { split_scores(std::vector<double>{1.0, 2.0}, bad_labels); }, "0 or 1");
}

TEST(Roc, NamesOfRules) {
  EXPECT_EQ(rule_name(AtRule::nearest), "nearest");
  EXPECT_EQ(rule_name(AtRule::nearest_reduced), "nearest_reduced");
  EXPECT_EQ(rule_name(AtRule::interpolated), "interpolated");
  EXPECT_EQ(rule_name(AtRule::not_above), "not_above");
}

}  // namespace
}  // namespace sosia::evaluate

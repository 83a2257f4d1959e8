#include "evaluate/support.hpp"
#include "sosia/evaluate/verification.hpp"

#include <cmath>

namespace sosia::evaluate {
namespace {

TEST(Folds, ContiguousAsKFoldWithoutShuffle) {
  EXPECT_EQ(contiguous_folds(7, 3), (std::vector<std::uint32_t>{0, 0, 0, 1, 1, 2, 2}));
  EXPECT_EQ(contiguous_folds(4, 2), (std::vector<std::uint32_t>{0, 0, 1, 1}));
  EXPECT_EQ(contiguous_folds(6000).size(), 6000u);
  EXPECT_EQ(contiguous_folds(6000)[5999], 9u);
  expect_refused([] { contiguous_folds(5, 1); }, "at least 2 folds");
  expect_refused([] { contiguous_folds(5, 6); }, "cannot fill");
}

TEST(Folds, LfwGrids) {
  EXPECT_EQ(lfw_thresholds(0.01).size(), 400u);
  EXPECT_EQ(lfw_thresholds(0.001).size(), 4000u);
  EXPECT_DOUBLE_EQ(lfw_thresholds(0.01).back(), 3.99);
  EXPECT_DOUBLE_EQ(squared_distance(1.0), 0.0);
  EXPECT_DOUBLE_EQ(squared_distance(-1.0), 4.0);
  expect_refused([] { lfw_thresholds(0.0); }, "step");
  expect_refused([] { lfw_thresholds(kNan); }, "step");
}

TEST(Folds, ExactThresholdsSeparateEveryDistance) {
  const std::vector<double> distances{3.0, 1.0, 3.0, 1.0 + 0x1p-52};
  const auto thresholds = exact_thresholds(distances);
  ASSERT_EQ(thresholds.size(), 4u);
  EXPECT_EQ(thresholds[0], 1.0);            // accepts nothing
  EXPECT_EQ(thresholds[1], 1.0 + 0x1p-52);  // accepts 1 only, though there is no middle
  EXPECT_LT(thresholds[2], 3.0);
  EXPECT_GT(thresholds[3], 3.0);  // accepts everything
}

TEST(Folds, AccuracyByHand) {
  // Two folds of two pairs. Fold 1 alone: same 1.0, different 2.0: every threshold in (1, 2] is
  // right; the first of the grid is 1.5. On fold 0 (same .5, different 1.2): 1.5 calls 1.2 the
  // same. Fold 0 alone: the first right threshold is .75 (or 1.0); on fold 1 it misses the same.
  const std::vector<double> distances{0.5, 1.2, 1.0, 2.0};
  const std::vector<std::uint8_t> same{1, 0, 1, 0};
  const std::vector<std::uint32_t> folds{0, 0, 1, 1};
  const std::vector<double> grid{0.0, 0.75, 1.0, 1.5, 2.0};
  const FoldAccuracy result = fold_accuracy(distances, same, folds, grid);
  EXPECT_EQ(result.thresholds, (std::vector<double>{1.5, 0.75}));
  EXPECT_EQ(result.accuracies, (std::vector<double>{0.5, 0.5}));
  EXPECT_EQ(result.mean, 0.5);
  EXPECT_EQ(result.std, 0.0);
}

TEST(Folds, StrictlyBelowTheThreshold) {
  // All distances lie on the grid: a pair at the threshold itself is called different.
  const std::vector<double> distances{1.0, 1.0, 1.0, 1.0};
  const std::vector<std::uint8_t> same{1, 1, 1, 1};
  const std::vector<std::uint32_t> folds{0, 0, 1, 1};
  EXPECT_EQ(fold_accuracy(distances, same, folds, std::vector<double>{0.0, 1.0}).mean, 0.0);
  EXPECT_EQ(fold_accuracy(distances, same, folds, std::vector<double>{0.0, 1.0, 1.01}).mean, 1.0);
}

// The reference protocol word by word: no sorting, no sweep.
FoldAccuracy naive_accuracy(const LabelledScores& list, const std::vector<std::uint32_t>& folds,
                            const std::vector<double>& grid, std::uint32_t fold_count) {
  FoldAccuracy result;
  const auto right = [&](std::size_t i, double t) {
    return (list.scores[i] < t) == (list.labels[i] == 1);
  };
  for (std::uint32_t held = 0; held < fold_count; ++held) {
    double best = -1.0, chosen = 0.0;
    for (double t : grid) {
      double correct = 0.0, count = 0.0;
      for (std::size_t i = 0; i < folds.size(); ++i) {
        if (folds[i] == held) continue;
        correct += right(i, t) ? 1.0 : 0.0;
        count += 1.0;
      }
      if (correct / count > best) {
        best = correct / count;
        chosen = t;
      }
    }
    double correct = 0.0, count = 0.0;
    for (std::size_t i = 0; i < folds.size(); ++i) {
      if (folds[i] != held) continue;
      correct += right(i, chosen) ? 1.0 : 0.0;
      count += 1.0;
    }
    result.thresholds.push_back(chosen);
    result.accuracies.push_back(correct / count);
  }
  return result;
}

TEST(Folds, AccuracyEqualsTheReferenceProtocol) {
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    LabelledScores list = random_scores(seed, 57, seed % 2 == 0 ? 10.0 : 0.0);
    for (double& score : list.scores) score = 2.0 - score;  // distances: genuine ones are smaller
    const auto folds = contiguous_folds(list.scores.size(), 10);
    const auto grid = lfw_thresholds(0.05);
    const FoldAccuracy fast = fold_accuracy(list.scores, list.labels, folds, grid);
    const FoldAccuracy slow = naive_accuracy(list, folds, grid, 10);
    EXPECT_EQ(fast.thresholds, slow.thresholds);
    EXPECT_EQ(fast.accuracies, slow.accuracies);
  }
}

TEST(Folds, ValInterpolatesTheThreshold) {
  // The other fold has impostors at 1.0 and 2.0: FAR over the grid 0 1 2 3 is 0 0 .5 1.
  // Target .25 lies half way between threshold 1 (the last with FAR 0) and 2: 1.5.
  const std::vector<double> distances{1.2, 1.4, 1.6, 0.1, 1.0, 2.0};
  const std::vector<std::uint8_t> same{1, 0, 1, 1, 0, 0};
  const std::vector<std::uint32_t> folds{0, 0, 0, 1, 1, 1};
  const std::vector<double> grid{0.0, 1.0, 2.0, 3.0};
  const FoldVal result = fold_val(distances, same, folds, grid, 0.25);
  EXPECT_DOUBLE_EQ(result.thresholds[0], 1.5);
  EXPECT_DOUBLE_EQ(result.val[0], 0.5);  // 1.2 is below, 1.6 is not
  EXPECT_DOUBLE_EQ(result.far[0], 1.0);  // 1.4 is below
  // Fold 1 sees one impostor at 1.4: FAR 0 0 1 1; target .25 -> 1.25.
  EXPECT_DOUBLE_EQ(result.thresholds[1], 1.25);
  EXPECT_DOUBLE_EQ(result.val[1], 1.0);
  EXPECT_DOUBLE_EQ(result.far[1], 0.5);
  EXPECT_DOUBLE_EQ(result.val_mean, 0.75);
  EXPECT_DOUBLE_EQ(result.val_std, 0.25);
  EXPECT_DOUBLE_EQ(result.far_mean, 0.75);
}

TEST(Folds, ValIsZeroWhenNoThresholdReachesTheTarget) {
  const std::vector<double> distances{0.5, 9.0, 0.5, 9.0};
  const std::vector<std::uint8_t> same{1, 0, 1, 0};
  const std::vector<std::uint32_t> folds{0, 0, 1, 1};
  const FoldVal result = fold_val(distances, same, folds, lfw_thresholds(0.01));
  EXPECT_EQ(result.thresholds, (std::vector<double>{0.0, 0.0}));
  EXPECT_EQ(result.val_mean, 0.0);
}

TEST(Folds, Refusals) {
  const std::vector<double> distances{1.0, 2.0};
  const std::vector<std::uint8_t> same{1, 0};
  const std::vector<std::uint32_t> one_fold{0, 0}, gap{0, 2}, both{0, 1};
  const std::vector<double> grid{1.5}, falling{2.0, 1.0};
  const auto accuracy = [&](const auto& d, const auto& f, const auto& g) {
    fold_accuracy(d, same, f, g);
  };
  expect_refused([&] { accuracy(distances, one_fold, grid); }, "at least 2 folds");
  expect_refused([&] { accuracy(distances, gap, grid); }, "folds are more than");
  expect_refused([&] { accuracy(distances, both, falling); }, "ascending");
  expect_refused([&] { accuracy(distances, both, std::vector<double>{}); }, "no thresholds");
  const std::vector<double> nan{1.0, kNan};
  expect_refused([&] { accuracy(nan, both, grid); }, "nan");
  expect_refused([&] { fold_val(distances, same, both, grid); }, "impostor pairs in fold 0");
  expect_refused([&] { fold_accuracy({}, {}, {}, grid); }, "no pairs");
  const std::vector<double> three{1.0, 2.0, 3.0};
  const std::vector<std::uint8_t> three_same{1, 0, 1};
  const std::vector<std::uint32_t> hole{0, 2, 2};
  expect_refused([&] { fold_accuracy(three, three_same, hole, grid); }, "fold 1 has no pairs");
}

TEST(Templates, PoolsMediaFirst) {
  // Template 7: media 1 holds two frames with mean (1, 0), media 2 one picture (0, 2).
  // Sum (1, 2), length 1. Template 3 is one picture.
  const std::vector<float> features{0.5f, 1.0f, 0.0f, 2.0f, 1.5f, -1.0f, 3.0f, 4.0f};
  const std::vector<std::int64_t> templates{7, 7, 7, 3}, media{1, 2, 1, 9};
  const TemplateSet set = pool_templates(features, 2, templates, media);
  EXPECT_EQ(set.ids, (std::vector<std::int64_t>{3, 7}));
  ASSERT_EQ(set.features.size(), 4u);
  EXPECT_FLOAT_EQ(set.features[0], 0.6f);
  EXPECT_FLOAT_EQ(set.features[1], 0.8f);
  EXPECT_FLOAT_EQ(set.features[2], static_cast<float>(1.0 / std::sqrt(5.0)));
  EXPECT_FLOAT_EQ(set.features[3], static_cast<float>(2.0 / std::sqrt(5.0)));
  const std::vector<std::pair<std::int64_t, std::int64_t>> pairs{{3, 7}, {3, 3}};
  const auto scores = template_scores(set, pairs);
  EXPECT_NEAR(scores[0], 2.2 / std::sqrt(5.0), 1e-6);
  EXPECT_NEAR(scores[1], 1.0, 1e-6);
  expect_refused(
      [&] { template_scores(set, std::vector<std::pair<std::int64_t, std::int64_t>>{{3, 4}}); },
      "template 4");
}

TEST(Templates, NormAndDetectorScoreWeighPictures) {
  const std::vector<float> features{3.0f, 0.0f, 0.0f, 1.0f};
  const std::vector<std::int64_t> templates{1, 1}, media{1, 2};
  const std::vector<float> detector{1.0f, 3.0f};
  const auto plain = pool_templates(features, 2, templates, media);
  EXPECT_FLOAT_EQ(plain.features[0], static_cast<float>(3.0 / std::sqrt(10.0)));
  const auto weighted = pool_templates(features, 2, templates, media, detector);
  EXPECT_FLOAT_EQ(weighted.features[0], weighted.features[1]);
  const auto unit = pool_templates(features, 2, templates, media, {}, {.norm_is_quality = false});
  EXPECT_FLOAT_EQ(unit.features[0], unit.features[1]);
  // A picture without any feature stays zero instead of dividing by zero.
  const std::vector<float> zeros{0.0f, 0.0f};
  const std::vector<std::int64_t> single{1};
  const auto zero = pool_templates(zeros, 2, single, single, {}, {.norm_is_quality = false});
  EXPECT_EQ(zero.features, (std::vector<float>{0.0f, 0.0f}));
}

TEST(Templates, Refusals) {
  const std::vector<float> features{1.0f, 2.0f, 3.0f};
  const std::vector<std::int64_t> one{1}, two{1, 2};
  expect_refused([&] { pool_templates(features, 2, one, one); }, "3 numbers are not 1 rows of 2");
  expect_refused([&] { pool_templates(features, 3, one, two); }, "media ids");
  expect_refused([&] { pool_templates({}, 3, {}, {}); }, "no features");
  const std::vector<float> nan{1.0f, static_cast<float>(kNan), 3.0f};
  expect_refused([&] { pool_templates(nan, 3, one, one); }, "row 0 column 1");
}

TEST(Groups, RatesAndGaps) {
  // Group 0 is separated at .5, group 1 is not; group 2 has impostors only.
  const std::vector<double> scores{0.9, 0.8, 0.1, 0.2, 0.9, 0.3, 0.6, 0.1, 0.7};
  const std::vector<std::uint8_t> labels{1, 1, 0, 0, 1, 1, 0, 0, 0};
  const std::vector<std::uint32_t> groups{0, 0, 0, 0, 1, 1, 1, 1, 2};
  const auto rates = group_rates(scores, labels, groups, 3, 0.5, 0.1);
  ASSERT_EQ(rates.size(), 3u);
  EXPECT_EQ(rates[0].auc, 1.0);
  EXPECT_EQ(rates[0].fmr, 0.0);
  EXPECT_EQ(rates[0].fnmr, 0.0);
  EXPECT_EQ(rates[0].tar, 1.0);
  EXPECT_EQ(rates[1].auc, 0.75);
  EXPECT_EQ(rates[1].fmr, 0.5);
  EXPECT_EQ(rates[1].fnmr, 0.5);
  EXPECT_EQ(rates[1].tar, 0.5);
  EXPECT_EQ(rates[1].eer, 0.5);
  EXPECT_TRUE(std::isnan(rates[2].auc));
  EXPECT_TRUE(std::isnan(rates[2].fnmr));
  EXPECT_EQ(rates[2].fmr, 1.0);
  const GroupGap gap = group_gap(rates);
  EXPECT_EQ(gap.fnmr_difference, 0.5);
  EXPECT_EQ(gap.fmr_ratio, kInfinity);
  EXPECT_EQ(gap.eer_difference, 0.5);
  EXPECT_EQ(gap.eer_std, 0.25);
  const GroupGap none = group_gap(std::span(rates).first(1));
  EXPECT_TRUE(std::isnan(none.fnmr_difference));
  EXPECT_TRUE(std::isnan(none.fmr_ratio));
  expect_refused([&] { group_rates(scores, labels, groups, 2, 0.5, 0.1); }, "group 2");
}

}  // namespace
}  // namespace sosia::evaluate

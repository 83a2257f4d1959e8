// Calibration: what a record promises is met on people that it has not seen.

#include "errors.hpp"
#include "face/support.hpp"
#include "sosia/core/rng.hpp"
#include "sosia/core/value.hpp"

#include <cmath>
#include <numeric>

#include <gtest/gtest.h>

namespace sosia::face {
namespace {

using namespace testing;

/// Unit vectors about `subjects` random centres, noise of length `noise`.
LabelledFaces simulated(std::uint32_t subjects, std::uint32_t each, double noise,
                        std::uint64_t seed = 0) {
  constexpr std::size_t kDimension = 16;
  RandomStream random(seed, "simulated");
  LabelledFaces out;
  out.dimension = kDimension;
  for (std::uint32_t s = 0; s < subjects; ++s) {
    std::vector<double> centre(kDimension);
    for (double& v : centre) v = random.normal() / std::sqrt(1.0 * kDimension);
    for (std::uint32_t i = 0; i < each; ++i) {
      std::vector<double> row = centre;
      double squares = 0;
      for (double& v : row) {
        v += noise * random.normal() / std::sqrt(1.0 * kDimension);
        squares += v * v;
      }
      for (const double v : row) out.vectors.push_back(static_cast<float>(v / std::sqrt(squares)));
      out.subjects.push_back(s);
    }
  }
  return out;
}

TEST(CalibrateFaces, CountsPairs) {
  const LabelledFaces f = simulated(6, 4, 0.4);
  const gallery::Calibration c = calibrate_faces(f, "a set", "a hash");
  EXPECT_EQ(c.genuine, 6u * 4 * 3 / 2);
  EXPECT_EQ(c.impostor, 24u * 20);  // every face is a probe against all of other subjects
  EXPECT_EQ(c.subjects, 6u);
  EXPECT_EQ(c.probe_subjects, f.subjects);
  EXPECT_EQ(c.set, "a set");
  EXPECT_EQ(c.model, "a hash");
  EXPECT_EQ(c.rule, gallery::SubjectRule::maximum);
  double highest = -1;
  for (std::size_t i = 0; i < 24; ++i) {
    for (std::size_t j = 0; j < 24; ++j) {
      if (f.subjects[i] != f.subjects[j]) highest = std::max(highest, cosine(f, i, j));
    }
  }
  EXPECT_DOUBLE_EQ(c.impostor_tail.front(), highest);
}

TEST(CalibrateFaces, RefusesWhatCannotBeCalibrated) {
  expect_refused([] { calibrate_faces(simulated(1, 4, 0.4), "", ""); }, "no impostor score");
  expect_refused([] { calibrate_faces(simulated(4, 1, 0.4), "", ""); }, "no genuine score");
  LabelledFaces wrong = simulated(3, 3, 0.4);
  wrong.vectors.pop_back();
  expect_refused([&] { calibrate_faces(wrong, "", ""); }, "143 numbers are not 9 faces");
}

TEST(CalibrateCard, IsTheShortCurveOfTheSamePairs) {
  const LabelledFaces f = simulated(20, 10, 0.8);
  const gallery::Calibration full = calibrate_faces(f, "s", "m"),
                             card = calibrate_card(f, "s", "m");
  EXPECT_EQ(card.genuine, full.genuine);
  EXPECT_EQ(2 * card.impostor, full.impostor);  // a pair counts once
  EXPECT_TRUE(card.probe_subjects.empty());
  EXPECT_TRUE(card.tail_probes.empty());
  EXPECT_LE(card.impostor_tail.size(), 2000u);
  EXPECT_GT(card.impostor_tail.size(), 1900u);
  EXPECT_LT(to_json(gallery::to_value(card), -1).size(), 40'000u);
  for (const double score : {0.3, 0.6, 0.9}) {
    EXPECT_NEAR(card.probability(score), full.probability(score), 0.02) << score;
    EXPECT_NEAR(card.fnmr(score), full.fnmr(score), 1e-3) << score;
  }
  for (const std::size_t i : {0u, 100u, 1500u}) {
    const double threshold = card.impostor_tail[i];
    EXPECT_NEAR(card.fmr(threshold), full.fmr(threshold - 5e-6), 2e-4) << i;
  }
  const gallery::Calibration back =
      gallery::calibration_from_value(parse_json(to_json(gallery::to_value(card))));
  EXPECT_EQ(back.impostor_tail, card.impostor_tail);
}

// The card of dlib-resnet: fitted with this very pipeline, on ORL.
TEST(CardCalibration, FitsTheDefaultPipelineAndNoOther) {
  const models::ModelStore store = test_store();
  if (!present(store, "mtcnn") || !present(store, "dlib-resnet")) GTEST_SKIP() << "no weights";
  const FacePipeline pipeline(store, {.cache = {}});
  const auto card = card_calibration(pipeline);
  ASSERT_TRUE(card);
  // When this fails, points moved: calibrate again as docs/model-cards.md says.
  EXPECT_EQ(card->warning, "");
  EXPECT_EQ(card->calibration.model, pipeline.model_hash());
  EXPECT_EQ(card->calibration.subjects, 40u);
  EXPECT_EQ(card->calibration.genuine, 1800u);
  EXPECT_EQ(card->calibration.impostor, 78000u);
  EXPECT_TRUE(contains(card->calibration.set, "ORL"));
  const auto other =
      card_calibration(FacePipeline(store, {.precision = models::Precision::fast, .cache = {}}));
  ASSERT_TRUE(other);
  EXPECT_TRUE(contains(other->warning, "another detector, alignment or precision"));
}

// The record of ORL, judged on other people. Observed at the threshold for FMR 0.001: 0 of 1210
// impostor pairs, FNMR .0036 (one of 275), log loss .0007.
TEST(CardCalibration, HoldsOnJohns) {
  const auto johns = shared_data("faces-dlib/johns");
  if (!johns) GTEST_SKIP() << "no shared data: faces-dlib/johns";
  const models::ModelStore store = test_store();
  if (!present(store, "mtcnn") || !present(store, "dlib-resnet")) GTEST_SKIP() << "no weights";
  const FacePipeline pipeline(store, {.cache = {}, .keep_chips = false});
  const gallery::Calibration c = card_calibration(pipeline)->calibration;
  const FolderScores all = score_all(embed_folders(pipeline, *johns).faces);
  const double threshold = gallery::make_policy(c, 0.001, 1).threshold;
  double loss = 0;
  for (const double score : all.scores.impostor) {
    EXPECT_LT(score, threshold);
    loss -= std::log(1 - c.probability(score)) / static_cast<double>(all.scores.impostor.size());
  }
  std::size_t missed = 0;
  for (const double score : all.scores.genuine) {
    missed += score < threshold;
    loss -= std::log(c.probability(score)) / static_cast<double>(all.scores.genuine.size());
  }
  EXPECT_LE(missed, 6u);
  EXPECT_LT(loss / 2, 0.05);  // saying nothing costs .69
}

LabelledFaces part_of(const LabelledFaces& f, std::span<const std::uint32_t> subjects) {
  LabelledFaces out;
  out.dimension = f.dimension;
  for (std::size_t i = 0; i < f.subjects.size(); ++i) {
    if (std::find(subjects.begin(), subjects.end(), f.subjects[i]) == subjects.end()) continue;
    const auto row = std::span(f.vectors).subspan(i * f.dimension, f.dimension);
    out.vectors.insert(out.vectors.end(), row.begin(), row.end());
    out.subjects.push_back(f.subjects[i]);
  }
  return out;
}

// Fitted on 20 people of ORL, judged on the other 20; 10 draws. Observed for a promise of 0.01: FMR
// realised .0099 on average of 20 draws, .021 at worst; for 0.001: .0009 and .0024.
TEST(CalibrateCard, PromisesOfHalfOfOrlHoldOnTheOtherHalf) {
  const auto orl = shared_data("faces-orl");
  if (!orl) GTEST_SKIP() << "no shared data: faces-orl";
  const models::ModelStore store = test_store();
  if (!present(store, "mtcnn") || !present(store, "dlib-resnet")) GTEST_SKIP() << "no weights";
  const FolderFaces all =
      embed_folders(FacePipeline(store, {.cache = {}, .keep_chips = false}), *orl);
  std::vector<std::uint32_t> subjects(40);
  std::iota(subjects.begin(), subjects.end(), 0U);
  double sum = 0, most = 0, sum_missed = 0;
  constexpr int kDraws = 10;
  for (int draw = 0; draw < kDraws; ++draw) {
    RandomStream random(0, "halves", static_cast<std::uint64_t>(draw));
    random.shuffle(std::span(subjects));
    const gallery::Calibration c =
        calibrate_card(part_of(all.faces, std::span(subjects).first(20)), "half", "");
    const FolderScores other = score_all(part_of(all.faces, std::span(subjects).last(20)));
    const double threshold = gallery::make_policy(c, 0.01, 1).threshold;
    const evaluate::OperatingPoint at = evaluate::Roc(other.scores).at_threshold(threshold);
    sum += at.far, most = std::max(most, at.far), sum_missed += at.frr();
  }
  EXPECT_LT(sum / kDraws, 0.015);
  EXPECT_GT(sum / kDraws, 0.004);  // nor far too strict
  EXPECT_LT(most, 0.04);
  EXPECT_LT(sum_missed / kDraws, 0.01);  // observed .003
}

}  // namespace
}  // namespace sosia::face

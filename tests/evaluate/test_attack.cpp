#include "evaluate/support.hpp"
#include "sosia/evaluate/attack.hpp"

#include <cmath>

namespace sosia::evaluate {
namespace {

// Bona fide .9 .8 .3; print .6 .1; replay .7 .2 .1 .1.
const std::vector<double> kScores{0.9, 0.8, 0.3, 0.6, 0.1, 0.7, 0.2, 0.1, 0.1};
const std::vector<std::uint8_t> kLabels{1, 1, 1, 0, 0, 0, 0, 0, 0};
const std::vector<std::uint32_t> kInstruments{0, 0, 0, 0, 0, 1, 1, 1, 1};

TEST(AttackRates, ByHand) {
  const AttackRates rates = attack_rates(kScores, kLabels, kInstruments, 2, 0.5);
  EXPECT_EQ(rates.apcer_by_instrument, (std::vector<double>{0.5, 0.25}));
  EXPECT_EQ(rates.apcer, 0.5);
  EXPECT_DOUBLE_EQ(rates.far, 2.0 / 6.0);
  EXPECT_DOUBLE_EQ(rates.bpcer, 1.0 / 3.0);
  EXPECT_DOUBLE_EQ(rates.acer, (0.5 + 1.0 / 3.0) / 2.0);
  EXPECT_DOUBLE_EQ(rates.hter, 1.0 / 3.0);
}

TEST(AttackRates, AcceptsAtTheThreshold) {
  EXPECT_DOUBLE_EQ(attack_rates(kScores, kLabels, kInstruments, 2, 0.7).far, 1.0 / 6.0);
  EXPECT_DOUBLE_EQ(attack_rates(kScores, kLabels, kInstruments, 2, kInfinity).bpcer, 1.0);
}

TEST(AttackRates, AnInstrumentWithoutPresentations) {
  const AttackRates rates = attack_rates(kScores, kLabels, kInstruments, 3, 0.5);
  EXPECT_TRUE(std::isnan(rates.apcer_by_instrument[2]));
  EXPECT_EQ(rates.apcer, 0.5);
  EXPECT_EQ(attack_rates(kScores, kLabels, {}, 1, 0.5).apcer, 2.0 / 6.0);
}

TEST(EerThreshold, IsAScoreOfTheSet) {
  // FRR is 1/3 between .8 and .3; FAR 1/6 at .7, 2/6 at .6: equal at .6.
  EXPECT_EQ(eer_threshold(kScores, kLabels), 0.6);
  const AttackRates rates = attack_rates(kScores, kLabels, kInstruments, 2, 0.6);
  EXPECT_DOUBLE_EQ(rates.far, rates.bpcer);
  EXPECT_EQ(eer_threshold(std::vector<double>{0.5, 0.5}, std::vector<std::uint8_t>{1, 0}), 0.5);
}

TEST(AverageClips, MeansInOrderOfAppearance) {
  const std::vector<double> scores{0.2, 1.0, 0.4, 0.0};
  const std::vector<std::uint8_t> labels{1, 0, 1, 0};
  const std::vector<std::uint32_t> instruments{0, 3, 0, 3}, clips{8, 2, 8, 2};
  const ClipScores clip = average_clips(scores, labels, instruments, clips);
  ASSERT_EQ(clip.scores.size(), 2u);
  EXPECT_DOUBLE_EQ(clip.scores[0], 0.3);
  EXPECT_DOUBLE_EQ(clip.scores[1], 0.5);
  EXPECT_EQ(clip.labels, (std::vector<std::uint8_t>{1, 0}));
  EXPECT_EQ(clip.instruments, (std::vector<std::uint32_t>{0, 3}));
  EXPECT_EQ(clip.first_row, (std::vector<std::size_t>{0, 1}));
  const std::vector<std::uint32_t> mixed(4, 1);
  expect_refused([&] { average_clips(scores, labels, instruments, mixed); }, "frames 0 and 1");
  expect_refused([&] { average_clips(scores, labels, {}, std::vector<std::uint32_t>{1}); },
                 "clips");
  const std::vector<double> huge(4, 1.7e308);
  EXPECT_EQ(average_clips(huge, labels, instruments, clips).scores[0], 1.7e308);
}

TEST(AttackRates, Refusals) {
  const std::vector<double> one{0.5}, nan{kNan};
  const std::vector<std::uint8_t> live{1}, attack{0};
  expect_refused([&] { attack_rates(one, live, {}, 1, 0.5); }, "no attack presentations");
  expect_refused([&] { attack_rates(one, attack, {}, 1, 0.5); }, "no bona fide presentations");
  expect_refused([&] { attack_rates(nan, live, {}, 1, 0.5); }, "nan");
  expect_refused([&] { attack_rates(kScores, kLabels, kInstruments, 1, 0.5); }, "instrument 1");
  expect_refused([&] { attack_rates(kScores, kLabels, kInstruments, 2, kNan); },
                 "threshold is NaN");
}

}  // namespace
}  // namespace sosia::evaluate

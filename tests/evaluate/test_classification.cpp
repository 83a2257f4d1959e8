#include "evaluate/support.hpp"
#include "sosia/evaluate/classification.hpp"

namespace sosia::evaluate {
namespace {

Roc hand_made() {
  // Falling: 1 0 1 1 0 with a tie of the middle two.
  return Roc(std::vector<double>{0.9, 0.5, 0.4}, std::vector<double>{0.5, 0.1});
}

TEST(Confusion, CountsAndRates) {
  const Confusion c = confusion_at(hand_made(), 0.5);
  EXPECT_EQ(c.true_positives, 2u);
  EXPECT_EQ(c.false_positives, 1u);
  EXPECT_EQ(c.true_negatives, 1u);
  EXPECT_EQ(c.false_negatives, 1u);
  EXPECT_DOUBLE_EQ(c.precision(), 2.0 / 3.0);
  EXPECT_DOUBLE_EQ(c.recall(), 2.0 / 3.0);
  EXPECT_DOUBLE_EQ(c.f1(), 2.0 / 3.0);
  EXPECT_DOUBLE_EQ(c.accuracy(), 3.0 / 5.0);
}

TEST(Confusion, NothingAcceptedIsZero) {
  const Confusion c = confusion_at(hand_made(), 2.0);
  EXPECT_EQ(c.precision(), 0.0);
  EXPECT_EQ(c.recall(), 0.0);
  EXPECT_EQ(c.f1(), 0.0);
  EXPECT_EQ(Confusion{}.accuracy(), 0.0);
}

TEST(PrecisionRecall, CurveByHand) {
  const auto curve = precision_recall_curve(hand_made());
  ASSERT_EQ(curve.size(), 4u);
  EXPECT_EQ(curve[0].threshold, 0.9);
  EXPECT_DOUBLE_EQ(curve[0].precision, 1.0);
  EXPECT_DOUBLE_EQ(curve[1].precision, 2.0 / 3.0);
  EXPECT_DOUBLE_EQ(curve[2].precision, 3.0 / 4.0);
  EXPECT_DOUBLE_EQ(curve[3].precision, 3.0 / 5.0);
  EXPECT_DOUBLE_EQ(curve[3].recall, 1.0);
  const Roc roc = hand_made();
  const std::vector<RocPoint> ends{roc.points().front(), roc.points().back()};
  const auto part = precision_recall_curve(roc, ends);
  ASSERT_EQ(part.size(), 1u);  // the first point accepts nothing
  EXPECT_EQ(part[0].threshold, roc.points().back().threshold);
  EXPECT_DOUBLE_EQ(part[0].recall, 1.0);
}

TEST(AveragePrecision, ByHandAndPerfect) {
  // 1/3 * 1 + 1/3 * 2/3 + 1/3 * 3/4
  EXPECT_NEAR(average_precision(hand_made()), (1.0 + 2.0 / 3.0 + 0.75) / 3.0, 1e-15);
  EXPECT_EQ(average_precision(Roc(std::vector<double>{2.0, 3.0}, std::vector<double>{1.0})), 1.0);
}

TEST(AveragePrecision, AllTiedIsTheBaseRate) {
  EXPECT_DOUBLE_EQ(
      average_precision(Roc(std::vector<double>{1.0}, std::vector<double>{1.0, 1.0, 1.0})), 0.25);
}

TEST(BestF1, TakesTheHighestThresholdOfEqualOnes) {
  const PrecisionRecallPoint best = best_f1(hand_made());
  EXPECT_EQ(best.threshold, 0.4);
  EXPECT_DOUBLE_EQ(best.f1, 6.0 / 7.0);
  // Both points have F1 2/3: (1 of 2, all right) and (2 of 2, 2 wrong).
  const PrecisionRecallPoint tied =
      best_f1(Roc(std::vector<double>{0.9, 0.1}, std::vector<double>{0.2, 0.2}));
  EXPECT_EQ(tied.threshold, 0.9);
}

}  // namespace
}  // namespace sosia::evaluate

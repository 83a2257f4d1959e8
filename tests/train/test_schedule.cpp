#include "train/schedule.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace sosia::train {
namespace {

TEST(Schedule, CosineFromOneToTheEnd) {
  const ScheduleOptions o{
      .kind = ScheduleKind::cosine, .final_factor = 0.001, .warm_up_epochs = 10};
  EXPECT_DOUBLE_EQ(rate_factor(o, 0, 110), 0);
  EXPECT_DOUBLE_EQ(rate_factor(o, 5, 110), 0.5);
  EXPECT_DOUBLE_EQ(rate_factor(o, 10, 110), 1);
  EXPECT_NEAR(rate_factor(o, 60, 110), (1 + 0.001) / 2, 1e-12);
  EXPECT_NEAR(rate_factor(o, 110, 110), 0.001, 1e-12);
}

TEST(Schedule, StepFallsAtItsMilestones) {
  const ScheduleOptions o{.kind = ScheduleKind::step,
                          .milestones = {40, 70},
                          .warm_up_epochs = 10,
                          .warm_up_factor = 0.01};
  EXPECT_NEAR(rate_factor(o, 0, 120), 0.01, 1e-12);
  EXPECT_NEAR(rate_factor(o, 39.9, 120), 1, 1e-12);
  EXPECT_NEAR(rate_factor(o, 40, 120), 0.1, 1e-12);
  EXPECT_NEAR(rate_factor(o, 119, 120), 0.01, 1e-12);
}

TEST(Schedule, PolyAndConstant) {
  const ScheduleOptions poly{.kind = ScheduleKind::poly, .power = 2};
  EXPECT_NEAR(rate_factor(poly, 5, 20), std::pow(0.75, 2), 1e-12);
  const ScheduleOptions constant{.kind = ScheduleKind::constant,
                                 .warm_up_epochs = 2,
                                 .warm_up = WarmUpKind::constant,
                                 .warm_up_factor = 0.1};
  EXPECT_DOUBLE_EQ(rate_factor(constant, 1.9, 20), 0.1);
  EXPECT_DOUBLE_EQ(rate_factor(constant, 2, 20), 1);
  EXPECT_DOUBLE_EQ(rate_factor(constant, 20, 20), 1);
}

TEST(Schedule, ARunThatIsAllWarmUp) {
  const ScheduleOptions o{.kind = ScheduleKind::cosine, .warm_up_epochs = 5};
  EXPECT_DOUBLE_EQ(rate_factor(o, 1, 2), 0.2);
}

}  // namespace
}  // namespace sosia::train

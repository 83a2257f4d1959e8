// Overlap, suppression, sampling of patches.

#include "face/geometry.hpp"
#include "face/pyramid.hpp"
#include "sosia/core/rng.hpp"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

namespace sosia::face {
namespace {

using image::Box;

TEST(Overlap, KnownBoxes) {
  EXPECT_DOUBLE_EQ(overlap({0, 0, 10, 10}, {0, 0, 10, 10}), 1);
  EXPECT_DOUBLE_EQ(overlap({0, 0, 10, 10}, {5, 0, 10, 10}), 50.0 / 150);
  EXPECT_DOUBLE_EQ(overlap({0, 0, 10, 10}, {10, 0, 10, 10}), 0);
  EXPECT_DOUBLE_EQ(overlap({0, 0, 10, 10}, {2, 2, 5, 5}), 0.25);
  EXPECT_DOUBLE_EQ(shared_area({0, 0, 10, 10}, {2, 2, 5, 5}, OverlapRule::over_smaller), 1);
  EXPECT_DOUBLE_EQ(overlap({0, 0, 0, 10}, {0, 0, 10, 10}), 0);
  EXPECT_DOUBLE_EQ(overlap({0, 0, -5, -5}, {0, 0, 10, 10}), 0);
  // Named by first and last pixel, [0, 9] and [9, 18] share one column.
  EXPECT_DOUBLE_EQ(shared_area({0, 0, 9, 9}, {9, 0, 9, 9}, OverlapRule::over_union, 1), 10.0 / 190);
}

TEST(Suppress, KeepsTheBestOfEachPlace) {
  const std::vector<ScoredBox> boxes{
      {{0, 0, 10, 10}, 0.5}, {{1, 0, 10, 10}, 0.9}, {{30, 0, 10, 10}, 0.7}, {{2, 2, 4, 4}, 0.8}};
  EXPECT_EQ(suppress(boxes, 0.5, OverlapRule::over_union), (std::vector<std::size_t>{1, 3, 2}));
  EXPECT_EQ(suppress(boxes, 0.5, OverlapRule::over_smaller), (std::vector<std::size_t>{1, 2}));
}

TEST(Suppress, EqualScoresKeepTheirOrder) {
  const std::vector<ScoredBox> boxes{
      {{0, 0, 4, 4}, 0.5}, {{20, 0, 4, 4}, 0.5}, {{0, 0, 4, 4}, 0.5}};
  EXPECT_EQ(suppress(boxes, 0.5, OverlapRule::over_union), (std::vector<std::size_t>{0, 1}));
}

// Whatever the boxes: what stays does not overlap, and what went overlaps with something better.
TEST(Suppress, HoldsItsRuleOnRandomBoxes) {
  RandomStream random(0, "boxes");
  std::vector<ScoredBox> boxes;
  for (int i = 0; i < 300; ++i) {
    ScoredBox b;
    b.box.x_px = random.uniform(0, 100);
    b.box.y_px = random.uniform(0, 100);
    b.box.width_px = random.uniform(5, 40);
    b.box.height_px = random.uniform(5, 40);
    b.score = random.uniform();
    boxes.push_back(b);
  }
  const auto kept = suppress(boxes, 0.4, OverlapRule::over_union);
  EXPECT_LT(kept.size(), boxes.size());
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    const bool stays = std::find(kept.begin(), kept.end(), i) != kept.end();
    const bool beaten = std::any_of(kept.begin(), kept.end(), [&](std::size_t k) {
      return k != i && boxes[k].score >= boxes[i].score &&
             overlap(boxes[k].box, boxes[i].box) > 0.4;
    });
    EXPECT_NE(stays, beaten) << i;
  }
}

/// A picture whose red is x and whose green is y.
image::Image ramp(int width, int height) {
  image::Image out(width, height, 3);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      out.pixel(x, y)[0] = static_cast<std::uint8_t>(x);
      out.pixel(x, y)[1] = static_cast<std::uint8_t>(y);
    }
  }
  return out;
}

TEST(Pyramid, TakesTheSmallestLevelWithEnoughPixels) {
  const image::Image picture = ramp(200, 100);
  const std::vector<double> scales{0.5, 0.25};
  const Pyramid pyramid(picture, scales);
  ASSERT_EQ(pyramid.levels().size(), 2u);
  EXPECT_EQ(pyramid.levels()[1].picture.width_px, 50);
  EXPECT_DOUBLE_EQ(pyramid.source_for(96, 24).scale_x, 0.25);
  EXPECT_DOUBLE_EQ(pyramid.source_for(95, 24).scale_x, 0.5);
  EXPECT_DOUBLE_EQ(pyramid.source_for(47, 24).scale_x, 1);
  EXPECT_DOUBLE_EQ(pyramid.source_for(10, 24).scale_x, 1);
}

// Wherever a patch is sampled from, its numbers are those of the place in the original.
TEST(Pyramid, PatchesOfARampAreTheRamp) {
  const image::Image picture = ramp(200, 200);
  const std::vector<double> scales{0.6, 0.4, 0.2};
  const Pyramid pyramid(picture, scales);
  for (const double side : {20.0, 50.0, 90.0, 140.0}) {
    models::Tensor batch;
    batch.values.resize(2 * 3 * 24 * 24);
    sample_square(pyramid, {30.25, 20.5, side}, 24, batch, 1);
    for (const int i : {0, 7, 23}) {
      const double x = 30.25 + i * side / 23, y = 20.5 + i * side / 23;
      const std::size_t at = 3 * 24 * 24 + static_cast<std::size_t>(i * 24 + i);
      EXPECT_NEAR(batch.values[at] * 128 + 127.5, x, 0.6) << side << " " << i;
      EXPECT_NEAR(batch.values[at + 24 * 24] * 128 + 127.5, y, 0.6) << side << " " << i;
    }
    EXPECT_EQ(batch.values[0], 0);  // the other row is untouched
  }
}

TEST(Pyramid, OutsideIsZero) {
  const image::Image picture(50, 50, 3, image::kWhite);
  const Pyramid pyramid(picture, {});
  models::Tensor batch;
  batch.values.assign(3 * 8 * 8, 5.0F);
  sample_square(pyramid, {-35, 0, 70}, 8, batch, 0);
  EXPECT_EQ(batch.values[0], 0);
  EXPECT_NEAR(batch.values[7], (255 - 127.5) / 128, 1e-6);
}

}  // namespace
}  // namespace sosia::face

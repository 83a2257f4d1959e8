// The elementary functions against the C library's, the draws against their distributions, and the
// camera effects against naive versions.

#include "world/canvas.hpp"
#include "world/draw.hpp"
#include "world/exact_math.hpp"
#include "world/truth.hpp"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

namespace sosia::world {
namespace {

TEST(ExactMath, AgreesWithTheCLibrary) {
  for (int i = -20'000; i <= 20'000; ++i) {
    const double x = i * 0.00137;
    // Observed: 2e-16 (sin, cos), 7e-16 relative (exp), 4e-16 (log).
    EXPECT_NEAR(exact::sin(x), std::sin(x), 1e-15) << x;
    EXPECT_NEAR(exact::cos(x), std::cos(x), 1e-15) << x;
    EXPECT_NEAR(exact::exp(x) / std::exp(x), 1, 3e-15) << x;
    EXPECT_NEAR(exact::exp_negative(-static_cast<float>(std::abs(x))), std::exp(-std::abs(x)),
                1e-5);
    if (i > 0) {
      EXPECT_NEAR(exact::log(x), std::log(x), 1e-15 * std::max(1.0, std::abs(std::log(x)))) << x;
      EXPECT_NEAR(exact::pow(x, 2.2) / std::pow(x, 2.2), 1, 1e-14) << x;
    }
  }
}

TEST(ExactMath, AtanCoversAllQuadrants) {
  for (int i = -180; i <= 180; ++i) {
    const double angle = exact::radians(i);
    const double found = exact::atan2(std::sin(angle), std::cos(angle));
    EXPECT_NEAR(found, std::atan2(std::sin(angle), std::cos(angle)), 1e-15) << i;
  }
  EXPECT_EQ(exact::atan2(0, 0), 0);
}

TEST(ExactMath, EdgesAreDefined) {
  EXPECT_EQ(exact::exp(-1000), 0);
  EXPECT_GT(exact::exp(1000), 1e307);
  EXPECT_EQ(exact::log(0), -745);
  EXPECT_EQ(exact::pow(0, 2), 0);
  EXPECT_EQ(exact::exp_negative(-100), 0);
  EXPECT_EQ(exact::floor_to_int(-0.5), -1);
  EXPECT_EQ(exact::floor_to_int(-1.0), -1);
  EXPECT_EQ(exact::floor_to_int(2.99f), 2);
}

TEST(Draw, NormalHasItsMoments) {
  Draw draw(7, "test");
  double sum = 0, squares = 0, fourth = 0;
  constexpr int kDraws = 200'000;
  for (int i = 0; i < kDraws; ++i) {
    const double z = draw.normal();
    sum += z;
    squares += z * z;
    fourth += z * z * z * z;
  }
  EXPECT_NEAR(sum / kDraws, 0, 0.01);
  EXPECT_NEAR(squares / kDraws, 1, 0.02);
  EXPECT_NEAR(fourth / kDraws, 3, 0.1);
}

TEST(Draw, PickFollowsWeights) {
  Draw draw(7, "test");
  std::array<int, 3> counts{};
  for (int i = 0; i < 40'000; ++i) ++counts[draw.pick({1, 0, 3})];
  EXPECT_EQ(counts[1], 0);
  EXPECT_NEAR(counts[0], 10'000, 400);
}

TEST(Draw, NormalWithinStaysWithin) {
  Draw draw(1, "test");
  for (int i = 0; i < 1000; ++i) {
    const double z = draw.normal_within(0, 1, -0.5, 1);
    EXPECT_GE(z, -0.5);
    EXPECT_LE(z, 1);
  }
  EXPECT_EQ(draw.normal_within(0, 1, 50, 60), 50);  // never hit: clamped, not endless
}

TEST(Canvas, BlurIsTheTwoDimensionalGaussian) {
  Canvas canvas(21, 17);
  Draw draw(3, "test");
  for (Rgb& p : canvas.pixels()) p = {static_cast<float>(draw.unit()), 0.5f, 0};
  const Canvas before = canvas;
  std::vector<Rgb> scratch;
  const double sigma = 1.2;
  blur(canvas, static_cast<float>(sigma), scratch);
  for (int y = 0; y < 17; ++y) {
    for (int x = 0; x < 21; ++x) {
      double sum = 0, weights = 0;
      for (int dy = -4; dy <= 4; ++dy) {
        for (int dx = -4; dx <= 4; ++dx) {
          const double w = std::exp(-(dx * dx + dy * dy) / (2 * sigma * sigma));
          sum += w * static_cast<double>(
                         before.at(std::clamp(x + dx, 0, 20), std::clamp(y + dy, 0, 16)).r);
          weights += w;
        }
      }
      EXPECT_NEAR(canvas.at(x, y).r, sum / weights, 1e-4) << x << ' ' << y;
      EXPECT_NEAR(canvas.at(x, y).g, 0.5, 1e-5);
    }
  }
}

TEST(Canvas, NoiseHasItsDeviationAndDependsOnPlaceOnly) {
  Canvas canvas(64, 64);
  canvas.fill({0.5f, 0.5f, 0.5f});
  image::Image a(64, 64, 3), b(64, 64, 3), none(64, 64, 3);
  expose(canvas, 0.05f, 9, a.mutable_view());
  expose(canvas, 0.05f, 9, b.mutable_view());
  expose(canvas, 0, 9, none.mutable_view());
  double sum = 0, squares = 0, across = 0;
  for (int y = 0; y < 64; ++y) {
    for (int x = 0; x < 64; ++x) {
      EXPECT_EQ(a.pixel(x, y)[0], b.pixel(x, y)[0]);
      EXPECT_EQ(none.pixel(x, y)[0], 128);
      const double r = a.pixel(x, y)[0] / 255.0 - 0.5, g = a.pixel(x, y)[1] / 255.0 - 0.5;
      sum += r;
      squares += r * r;
      across += r * g;
    }
  }
  EXPECT_NEAR(sum / 4096, 0, 0.0025);
  EXPECT_NEAR(std::sqrt(squares / 4096), 0.05, 0.0025);
  EXPECT_NEAR(across / 4096 / 0.0025, 0, 0.06);
}

TEST(Canvas, QuantiseRoundsAndClamps) {
  Canvas canvas(3, 1);
  canvas.at(0, 0) = {-1, 0, 2};
  canvas.at(1, 0) = {0.5f, 100.4f / 255, 100.6f / 255};
  canvas.at(2, 0) = {1, 1, 1};
  const image::Image out = to_image(canvas);
  EXPECT_EQ(out.pixel(0, 0)[0], 0);
  EXPECT_EQ(out.pixel(0, 0)[2], 255);
  EXPECT_EQ(out.pixel(1, 0)[0], 128);
  EXPECT_EQ(out.pixel(1, 0)[1], 100);
  EXPECT_EQ(out.pixel(1, 0)[2], 101);
}

TEST(Canvas, GammaAndMatrixDoWhatTheySay) {
  Canvas canvas(2, 1);
  canvas.at(0, 0) = {0.25f, 0.5f, 1};
  canvas.at(1, 0) = {0, 0.1f, 0.9f};
  apply_gamma(canvas, 2.0);
  EXPECT_NEAR(canvas.at(0, 0).r, 0.0625, 1e-5);
  EXPECT_NEAR(canvas.at(1, 0).b, 0.81, 1e-5);
  apply_matrix(canvas, {0, 1, 0, 0, 0, 1, 1, 0, 0}, {0.1f, 0, 0});
  EXPECT_NEAR(canvas.at(0, 0).r, 0.35, 1e-5);
  EXPECT_NEAR(canvas.at(0, 0).b, 0.0625, 1e-5);
}

TEST(Truth, NumbersAreShort) {
  EXPECT_EQ(to_json(Value(rounded(0.1 + 0.2)), -1), "0.3");
  EXPECT_EQ(rounded(-1.23456, 2), -1.23);
  EXPECT_EQ(rounded(2.5, 0), 3);
  EXPECT_EQ(truth_line(Value::object({{"a", numbers({1.00001, 2})}})), "{\"a\":[1.0,2.0]}\n");
}

}  // namespace
}  // namespace sosia::world

// Bytes to planes of floats and back.

#include "image/samples.hpp"
#include "sosia/core/error.hpp"
#include "sosia/image/planar.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

namespace sosia::image {
namespace {

using testing::noise;

TEST(Planar, LayoutAndArithmetic) {
  const Image image = noise(5, 3, 3);
  PlanarOptions options;
  options.mean = {0.485, 0.456, 0.406};
  options.deviation = {0.229, 0.224, 0.225};
  std::vector<float> planes(5 * 3 * 3);
  to_planar(image, planes, options);
  for (int c = 0; c < 3; ++c) {
    for (int y = 0; y < 3; ++y) {
      for (int x = 0; x < 5; ++x) {
        const double expected =
            (image.pixel(x, y)[c] / 255.0 - options.mean[c]) / options.deviation[c];
        EXPECT_NEAR(planes[(c * 3 + y) * 5 + x], expected, 1e-6) << c << " " << x << " " << y;
      }
    }
  }
}

TEST(Planar, BgrSwapsPlanesNotStatistics) {
  const Image image(1, 1, 3, Colour{10, 20, 30});
  PlanarOptions options;
  options.order = ChannelOrder::bgr;
  options.scale = 1;
  options.mean = {1, 2, 3};
  std::vector<float> planes(3);
  to_planar(image, planes, options);
  EXPECT_EQ(planes, (std::vector<float>{29, 18, 7}));
}

TEST(Planar, RoundTripIsExact) {
  for (const int channels : {1, 3}) {
    const Image image = noise(31, 17, channels);
    for (const ChannelOrder order : {ChannelOrder::rgb, ChannelOrder::bgr}) {
      PlanarOptions options;
      options.order = order;
      options.mean = {0.5, 0.4, 0.3};
      options.deviation = {0.5, 0.25, -2};
      std::vector<float> planes(static_cast<std::size_t>(31 * 17 * channels));
      to_planar(image, planes, options);
      EXPECT_TRUE(same_pixels(image, from_planar(planes, {31, 17}, channels, options)));
    }
  }
}

TEST(Planar, BackClampsAndRounds) {
  PlanarOptions options;
  options.scale = 1;
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float inf = std::numeric_limits<float>::infinity();
  const std::vector<float> planes{-3, 0.4F, 254.6F, 300, nan, inf, -inf, 2.5F};
  const Image image = from_planar(planes, {8, 1}, 1, options);
  const std::uint8_t expected[] = {0, 0, 255, 255, 0, 255, 0, 2};
  for (int x = 0; x < 8; ++x) {
    EXPECT_EQ(image.row(0)[x], expected[x]) << x;
  }
}

TEST(Planar, RefusesWrongSizesAndStatistics) {
  const Image image(4, 4, 3);
  std::vector<float> planes(4 * 4 * 3);
  EXPECT_THROW(to_planar(image, std::span(planes).first(47)), Error);
  EXPECT_THROW(to_planar(Image(4, 3, 4), planes), Error);
  EXPECT_THROW(from_planar(planes, {4, 5}, 3), Error);
  EXPECT_THROW(from_planar(planes, {-4, -4}, 3), Error);
  PlanarOptions options;
  options.deviation = {1, 0, 1};
  EXPECT_THROW(to_planar(image, planes, options), Error);
  options = {};
  options.scale = std::nan("");
  EXPECT_THROW(to_planar(image, planes, options), Error);
}

}  // namespace
}  // namespace sosia::image

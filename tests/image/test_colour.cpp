// Colour conversion and filters against formulas and naive versions.

#include "image/samples.hpp"
#include "sosia/core/error.hpp"
#include "sosia/image/transform.hpp"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

namespace sosia::image {
namespace {

using testing::largest_difference;
using testing::noise;

int reflected(int i, int size) {
  return i < 0 ? -i : i >= size ? 2 * size - 2 - i : i;
}

void expect_pixel(const Image& image, std::vector<int> expected, int tolerance = 0) {
  for (std::size_t c = 0; c < expected.size(); ++c) {
    EXPECT_NEAR(image.row(0)[c], expected[c], tolerance) << c;
  }
}

TEST(Convert, GreyIsTheLuma) {
  const Image in = noise(40, 30, 3);
  const Image grey = convert(in, Conversion::to_grey);
  for (int y = 0; y < 30; ++y) {
    for (int x = 0; x < 40; ++x) {
      const std::uint8_t* p = in.pixel(x, y);
      EXPECT_NEAR(grey.row(y)[x], 0.299 * p[0] + 0.587 * p[1] + 0.114 * p[2], 0.51);
      // A colour that fills a grey picture becomes the same grey.
      EXPECT_EQ(Image(1, 1, 1, Colour{p[0], p[1], p[2]}).row(0)[0], grey.row(y)[x]);
    }
  }
  EXPECT_TRUE(same_pixels(convert(convert(in, Conversion::to_rgba), Conversion::to_grey), grey));
}

TEST(Convert, ChannelCounts) {
  const Image grey(1, 1, 1, Colour{7, 7, 7});
  expect_pixel(convert(grey, Conversion::to_rgb), {7, 7, 7});
  expect_pixel(convert(grey, Conversion::to_rgba), {7, 7, 7, 255});
  const Image rgb(1, 1, 3, Colour{1, 2, 3});
  expect_pixel(convert(rgb, Conversion::to_rgba), {1, 2, 3, 255});
  expect_pixel(convert(rgb, Conversion::swap_red_blue), {3, 2, 1});
  const Image rgba(1, 1, 4, Colour{1, 2, 3, 4});
  expect_pixel(convert(rgba, Conversion::to_rgb), {1, 2, 3});
  expect_pixel(convert(rgba, Conversion::swap_red_blue), {3, 2, 1, 4});
  EXPECT_TRUE(same_pixels(convert(rgb, Conversion::to_rgb), rgb));
  EXPECT_THROW(convert(grey, Conversion::swap_red_blue), Error);
  EXPECT_THROW(convert(rgba, Conversion::rgb_to_hsv), Error);
  EXPECT_THROW(convert(grey, static_cast<Conversion>(77)), Error);
}

TEST(Convert, Hsv) {
  const auto hsv = [](Colour c) { return convert(Image(1, 1, 3, c), Conversion::rgb_to_hsv); };
  expect_pixel(hsv({255, 0, 0}), {0, 255, 255});
  expect_pixel(hsv({0, 255, 0}), {60, 255, 255});
  expect_pixel(hsv({0, 0, 255}), {120, 255, 255});
  expect_pixel(hsv({255, 0, 255}), {150, 255, 255});
  expect_pixel(hsv({128, 64, 64}), {0, 128, 128}, 1);
  expect_pixel(hsv({90, 90, 90}), {0, 0, 90});
  const Image in = noise(20, 20, 3);
  const Image back = convert(convert(in, Conversion::rgb_to_hsv), Conversion::hsv_to_rgb);
  EXPECT_LE(largest_difference(in, back), 8);  // observed 5: hue has 180 steps only
}

TEST(Convert, YCrCb) {
  const Image in = noise(40, 20, 3);
  const Image out = convert(in, Conversion::rgb_to_ycrcb);
  for (int y = 0; y < 20; ++y) {
    for (int x = 0; x < 40; ++x) {
      const std::uint8_t* p = in.pixel(x, y);
      const double luma = 0.299 * p[0] + 0.587 * p[1] + 0.114 * p[2];
      EXPECT_NEAR(out.pixel(x, y)[0], luma, 0.51);
      EXPECT_NEAR(out.pixel(x, y)[1], std::clamp((p[0] - luma) * 0.713 + 128, 0.0, 255.0), 1.01);
      EXPECT_NEAR(out.pixel(x, y)[2], std::clamp((p[2] - luma) * 0.564 + 128, 0.0, 255.0), 1.01);
    }
  }
  const Image mild(3, 3, 3, Colour{100, 150, 120});
  EXPECT_LE(largest_difference(
                convert(convert(mild, Conversion::rgb_to_ycrcb), Conversion::ycrcb_to_rgb), mild),
            2);
}

TEST(Flatten, CompositesExactly) {
  const Image in = noise(64, 16, 4);
  const Colour behind{10, 200, 77};
  const Image out = flatten(in, behind);
  const int background[3] = {10, 200, 77};
  for (int y = 0; y < 16; ++y) {
    for (int x = 0; x < 64; ++x) {
      const std::uint8_t* p = in.pixel(x, y);
      for (int c = 0; c < 3; ++c) {
        const double exact = (p[c] * p[3] + background[c] * (255 - p[3])) / 255.0;
        EXPECT_NEAR(out.pixel(x, y)[c], exact, 0.5);
      }
    }
  }
  EXPECT_TRUE(
      same_pixels(flatten(Image(2, 2, 4, Colour{1, 2, 3, 0}), behind), Image(2, 2, 3, behind)));
  EXPECT_TRUE(same_pixels(flatten(noise(3, 3, 1)), noise(3, 3, 1)));
}

TEST(Gaussian, MatchesNaiveConvolution) {
  const Image in = noise(30, 20, 3);
  const double sigma = 1.3;
  const int reach = 4;  // ceil(3 * 1.3)
  const Image out = gaussian_blur(in, sigma);
  double worst = 0;
  for (int y = 0; y < 20; ++y) {
    for (int x = 0; x < 30; ++x) {
      for (int c = 0; c < 3; ++c) {
        double sum = 0;
        double weights = 0;
        for (int dy = -reach; dy <= reach; ++dy) {
          for (int dx = -reach; dx <= reach; ++dx) {
            const double w = std::exp(-(dx * dx + dy * dy) / (2 * sigma * sigma));
            sum += w * in.pixel(reflected(x + dx, 30), reflected(y + dy, 20))[c];
            weights += w;
          }
        }
        worst = std::max(worst, std::abs(sum / weights - out.pixel(x, y)[c]));
      }
    }
  }
  EXPECT_LE(worst, 2);  // observed 1.0: OpenCV keeps the window in 8 bits
  EXPECT_THROW(gaussian_blur(in, 0), Error);
  EXPECT_THROW(gaussian_blur(in, std::nan("")), Error);
  EXPECT_THROW(gaussian_blur(in, 501), Error);
}

TEST(Gaussian, TakesPicturesSmallerThanItsWindow) {
  const Image in(2, 1, 1, Colour{50, 50, 50});
  EXPECT_TRUE(same_pixels(gaussian_blur(in, 20), in));
  EXPECT_EQ(gaussian_blur(Image(1, 1, 4, kWhite), 500).row(0)[0], 255);
}

TEST(LaplacianVariance, MatchesNaiveVersion) {
  const Image in = noise(25, 19, 1);
  std::vector<double> response;
  double mean = 0;
  for (int y = 0; y < 19; ++y) {
    for (int x = 0; x < 25; ++x) {
      const double value = in.row(y)[reflected(x - 1, 25)] + in.row(y)[reflected(x + 1, 25)] +
                           in.row(reflected(y - 1, 19))[x] + in.row(reflected(y + 1, 19))[x] -
                           4 * in.row(y)[x];
      response.push_back(value);
      mean += value / (25 * 19);
    }
  }
  double variance = 0;
  for (const double value : response) {
    variance += (value - mean) * (value - mean) / (25 * 19);
  }
  EXPECT_NEAR(laplacian_variance(in), variance, 1e-6 * variance);
  EXPECT_EQ(laplacian_variance(Image(9, 9, 3, Colour{1, 2, 3})), 0);
  const Image sharp = noise(64, 64, 3);
  EXPECT_GT(laplacian_variance(sharp), 10 * laplacian_variance(gaussian_blur(sharp, 2)));
}

}  // namespace
}  // namespace sosia::image

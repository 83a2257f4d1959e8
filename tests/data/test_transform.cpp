#include "data/colour.hpp"
#include "sosia/core/error.hpp"
#include "sosia/data/transform.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace sosia::data {
namespace {

image::Image noise(int width_px, int height_px, std::uint64_t seed = 1) {
  image::Image out(width_px, height_px, 3);
  RandomStream stream(seed, "noise");
  for (int y = 0; y < height_px; ++y) {
    for (int x = 0; x < 3 * width_px; ++x) {
      out.mutable_view().row(y)[x] = static_cast<std::uint8_t>(stream.below(256));
    }
  }
  return out;
}

image::Image apply(const std::vector<std::string>& steps, const image::Image& picture,
                   std::uint64_t seed = 3) {
  RandomStream stream(seed, "t");
  return Pipeline(steps)(picture, stream);
}

bool same(const image::Image& a, const image::Image& b) {
  if (a.extent() != b.extent()) return false;
  for (int y = 0; y < a.height_px(); ++y) {
    if (!std::equal(a.view().row(y), a.view().row(y) + 3 * a.width_px(), b.view().row(y)))
      return false;
  }
  return true;
}

TEST(Pipeline, SizesAndDrawsFollowTheSteps) {
  const image::Image picture = noise(40, 30);
  const Pipeline pipeline({"random_resized_crop height=16 width=12", "flip"});
  EXPECT_EQ(pipeline.extent(), (image::Extent{12, 16}));
  const image::Image a = apply({"random_resized_crop height=16 width=12", "flip"}, picture, 1);
  EXPECT_EQ(a.extent(), (image::Extent{12, 16}));
  EXPECT_TRUE(same(a, apply({"random_resized_crop height=16 width=12", "flip"}, picture, 1)));
  EXPECT_FALSE(same(a, apply({"random_resized_crop height=16 width=12", "flip"}, picture, 2)));
}

TEST(Pipeline, EveryStepAtProbabilityZeroChangesNothing) {
  const image::Image picture = noise(20, 20);
  for (const char* step : {"flip p=0", "affine p=0", "colour_jitter p=0", "grey p=0", "blur p=0",
                           "solarise p=0", "cut_out p=0", "erase p=0", "pad_crop pad=0"}) {
    EXPECT_TRUE(same(apply({step}, picture), picture)) << step;
  }
  for (const char* step : {"flip p=1", "affine", "colour_jitter", "grey", "blur", "solarise",
                           "cut_out p=1", "erase p=1", "pad_crop pad=9"}) {
    EXPECT_FALSE(same(apply({step}, picture), picture)) << step;
  }
}

TEST(Pipeline, ProbabilitiesAreKept) {
  const image::Image picture = noise(8, 8);
  int flipped = 0;
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    flipped += same(apply({"flip p=0.3"}, picture, seed), picture) ? 0 : 1;
  }
  EXPECT_NEAR(flipped / 2000.0, 0.3, 0.04);  // 4 standard deviations
}

// A picture whose red is its x and whose green is its y shows which part a crop took.
TEST(Pipeline, CropsTakeTheSharesThatTheyPromise) {
  image::Image map(200, 100, 3);
  for (int y = 0; y < 100; ++y) {
    for (int x = 0; x < 200; ++x) {
      map.mutable_view().row(y)[3 * x] = static_cast<std::uint8_t>(x);
      map.mutable_view().row(y)[3 * x + 1] = static_cast<std::uint8_t>(y);
    }
  }
  double sum = 0;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    const image::Image out =
        apply({"random_resized_crop height=64 width=64 scale=0.1 scale_to=0.3"}, map, seed);
    const double w = out.view().pixel(63, 32)[0] - out.view().pixel(0, 32)[0];
    const double h = out.view().pixel(32, 63)[1] - out.view().pixel(32, 0)[1];
    const double share = (w * 64 / 63) * (h * 64 / 63) / (200.0 * 100);
    EXPECT_GT(share, 0.08);
    EXPECT_LT(share, 0.33);
    sum += share;
  }
  EXPECT_NEAR(sum / 400, 0.2, 0.01);
}

TEST(Colour, FollowsItsFormulas) {
  image::Image picture(2, 1, 3);
  const std::uint8_t pixels[6] = {200, 100, 50, 10, 20, 30};
  const auto reset = [&] { std::copy(pixels, pixels + 6, picture.mutable_view().row(0)); };
  const auto pixel = [&](int i) {
    return std::vector<int>(picture.view().pixel(i, 0), picture.view().pixel(i, 0) + 3);
  };
  reset();
  adjust_brightness(picture.mutable_view(), 1.5);
  EXPECT_EQ(pixel(0), (std::vector<int>{255, 150, 75}));
  reset();
  adjust_saturation(picture.mutable_view(), 0);  // luma of 200, 100, 50: 124.2
  EXPECT_EQ(pixel(0), (std::vector<int>{124, 124, 124}));
  reset();
  make_grey(picture.mutable_view());
  EXPECT_EQ(pixel(0), (std::vector<int>{124, 124, 124}));
  reset();
  adjust_contrast(picture.mutable_view(), 0);  // mean of 124 and 18
  EXPECT_EQ(pixel(0), (std::vector<int>{71, 71, 71}));
  reset();
  solarise(picture.mutable_view(), 128);
  EXPECT_EQ(pixel(0), (std::vector<int>{55, 100, 50}));
  reset();
  adjust_hue(picture.mutable_view(), 1.0 / 3);  // red becomes green, green blue, blue red
  EXPECT_EQ(pixel(0), (std::vector<int>{50, 200, 100}));
  reset();
  adjust_hue(picture.mutable_view(), 0);
  EXPECT_EQ(pixel(1), (std::vector<int>{10, 20, 30}));
}

TEST(Pipeline, MistakesGetTheNearestWord) {
  const auto error = [](const std::string& step) {
    try {
      Pipeline({step});
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::usage);
      return e.message() + " | " + e.hint();
    }
    return std::string("accepted");
  };
  EXPECT_NE(error("flipp").find("flip"), std::string::npos);
  EXPECT_NE(error("flip q=1").find("\"q=1\" is none of its numbers"), std::string::npos);
  EXPECT_NE(error("flip p=2").find("from 0 to 1"), std::string::npos);
  EXPECT_NE(error("flip p=x").find("number"), std::string::npos);
  EXPECT_NE(error("resize height=8").find("width="), std::string::npos);
  EXPECT_NE(error("blur sigma=3 sigma_to=1").find("above"), std::string::npos);
  EXPECT_NE(error("").find("empty"), std::string::npos);
  for (const int view : {0, 1}) Pipeline(barlow_view(view, 32));
}

}  // namespace
}  // namespace sosia::data

// Views, ownership and their checks.

#include "errors.hpp"
#include "image/samples.hpp"
#include "sosia/core/error.hpp"
#include "sosia/image/image.hpp"

#include <utility>

#include <gtest/gtest.h>

namespace sosia::image {
namespace {

using testing::noise;

TEST(Image, RowsAreAlignedAndZero) {
  const Image image(7, 5, 3);
  EXPECT_EQ(image.stride_bytes() % Image::kRowAlignmentBytes, 0);
  EXPECT_GE(image.stride_bytes(), 21);
  for (int y = 0; y < 5; ++y) {
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(image.row(y)) % Image::kRowAlignmentBytes, 0U);
    for (int i = 0; i < 21; ++i) {
      EXPECT_EQ(image.row(y)[i], 0);
    }
  }
}

TEST(Image, FillCountsAsLumaOnGrey) {
  const Image grey(2, 2, 1, Colour{255, 0, 0});
  EXPECT_EQ(grey.row(1)[1], 76);  // 0.299 * 255 = 76.2
  const Image rgba(2, 2, 4, Colour{1, 2, 3, 4});
  EXPECT_EQ(rgba.pixel(1, 1)[2], 3);
  EXPECT_EQ(rgba.pixel(1, 1)[3], 4);
}

TEST(Image, CopiesAreDeepAndMovesEmpty) {
  Image first = noise(6, 4, 3);
  const Image second = first;
  first.row(2)[5] = static_cast<std::uint8_t>(first.row(2)[5] + 1);
  EXPECT_FALSE(same_pixels(first, second));
  const std::uint8_t* pixels = first.row(0);
  const Image third = std::move(first);
  EXPECT_EQ(third.row(0), pixels);
  EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move): that is what is tested
  EXPECT_EQ(first.channels(), 0);
  Image fourth;
  fourth = third;
  EXPECT_TRUE(same_pixels(fourth, third));
  EXPECT_TRUE(Image(Image()).empty());
}

TEST(Image, CropSeesTheSamePixels) {
  Image image = noise(10, 8, 3);
  const ImageView crop = image.view().crop(3, 2, 4, 5);
  EXPECT_EQ(crop.pixel(1, 2), image.pixel(4, 4));
  EXPECT_TRUE(same_pixels(Image::copy_of(crop), crop));
  image.mutable_view().crop(9, 7, 1, 1).data[0] = 200;
  EXPECT_EQ(image.pixel(9, 7)[0], 200);
}

TEST(Image, CropRefusesWhatSticksOut) {
  const Image image(10, 8, 1);
  for (const auto& [x, y, w, h] :
       {std::array{-1, 0, 2, 2}, std::array{0, -1, 2, 2}, std::array{9, 0, 2, 1},
        std::array{0, 7, 1, 2}, std::array{0, 0, 0, 1}, std::array{0, 0, 1, -1},
        std::array{0x7fffffff, 0, 1, 1}, std::array{5, 0, 0x7fffffff, 1},
        std::array{-2147483647 - 1, 0, 1, 1}}) {
    EXPECT_EQ(code_of([&] { image.view().crop(x, y, w, h); }), ErrorCode::invalid_argument)
        << x << " " << y << " " << w << " " << h;
  }
}

TEST(Image, RefusesImpossibleShapes) {
  EXPECT_EQ(code_of([] { Image(0, 1, 3); }), ErrorCode::invalid_argument);
  EXPECT_EQ(code_of([] { Image(1, -1, 3); }), ErrorCode::invalid_argument);
  EXPECT_EQ(code_of([] { Image(1, 1, 2); }), ErrorCode::invalid_argument);
  EXPECT_EQ(code_of([] { Image(kMaxSidePx + 1, 1, 1); }), ErrorCode::invalid_argument);
}

TEST(Image, ViewsAreChecked) {
  const Image image(4, 4, 3);
  ImageView view = image.view();
  require_valid(view, "test");
  view.stride_bytes = 11;
  EXPECT_EQ(code_of([&] { require_valid(view, "test"); }), ErrorCode::invalid_argument);
  view = image.view();
  view.data = nullptr;
  EXPECT_EQ(code_of([&] { require_valid(view, "test"); }), ErrorCode::invalid_argument);
  view = image.view();
  view.channels = 2;
  EXPECT_EQ(code_of([&] { require_valid(view, "test"); }), ErrorCode::invalid_argument);
  EXPECT_EQ(code_of([&] { require_valid(ImageView(), "test"); }), ErrorCode::invalid_argument);
}

}  // namespace
}  // namespace sosia::image

// Marks and contact sheets. Set SOSIA_TEST_SHOW to a folder to see what is drawn.

#include "image/samples.hpp"
#include "sosia/core/error.hpp"
#include "sosia/image/draw.hpp"
#include "sosia/image/encode.hpp"
#include "sosia/image/transform.hpp"

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <limits>

#include <gtest/gtest.h>

namespace sosia::image {
namespace {

using testing::gradient;
using testing::noise;

constexpr Colour kRed{255, 0, 0};
constexpr Colour kGreen{0, 160, 0};

void show(const std::string& name, ImageView picture) {
  if (const char* folder = std::getenv("SOSIA_TEST_SHOW")) {
    save(std::filesystem::path(folder) / (name + ".png"), picture, {}, Overwrite::replace);
  }
}

bool is_colour(ImageView picture, int x, int y, Colour colour) {
  const std::uint8_t* p = picture.pixel(x, y);
  return p[0] == colour.red && p[1] == colour.green && p[2] == colour.blue;
}

/// Pixels that differ from `colour`.
int marked(ImageView picture, Colour background) {
  int count = 0;
  for (int y = 0; y < picture.height_px; ++y) {
    for (int x = 0; x < picture.width_px; ++x) {
      count += is_colour(picture, x, y, background) ? 0 : 1;
    }
  }
  return count;
}

TEST(Draw, BoxCoversExactlyItsOutline) {
  Image image(40, 30, 3);
  draw_box(image.mutable_view(), {10, 5, 8, 12}, kRed, 2);
  for (int y = 0; y < 30; ++y) {
    for (int x = 0; x < 40; ++x) {
      const bool outer = x >= 10 && x < 18 && y >= 5 && y < 17;
      const bool inner = x >= 12 && x < 16 && y >= 7 && y < 15;
      EXPECT_EQ(is_colour(image, x, y, kRed), outer && !inner) << x << " " << y;
    }
  }
}

TEST(Draw, ThickBoxIsFilled) {
  Image image(20, 20, 1);
  draw_box(image.mutable_view(), {4, 4, 5, 3}, kWhite, 10);
  int count = 0;
  for (int y = 0; y < 20; ++y) {
    for (int x = 0; x < 20; ++x) {
      count += image.row(y)[x] == 255 ? 1 : 0;
    }
  }
  EXPECT_EQ(count, 15);
}

TEST(Draw, EverythingIsClippedToTheView) {
  const double far = 1e300;
  for (const int channels : {1, 3, 4}) {
    Image image = noise(60, 50, channels);
    const Image before = image;
    const MutableImageView window = image.mutable_view().crop(20, 15, 20, 20);
    draw_box(window, {-5, -5, 500, 500}, kRed, 30);
    draw_box(window, {-far, -far, 2 * far, 2 * far}, kRed, 3);
    const Point points[] = {{-3, 4}, {19, 25}, {1e9, -1e9}};
    draw_points(window, points, kRed, 9);
    draw_line(window, {-far, 3}, {far, 7}, kRed, 5);
    draw_line(window, {-100, -100}, {100, 120}, kRed, 3);
    draw_text(window, "Hello, clipped world", {-30, 10}, kRed, 20);
    draw_text(window, "far away", {far, far}, kRed, 20);
    draw_label(window, "a label that is far too long", {50, 50}, kRed, kBlack, 14);
    EXPECT_FALSE(same_pixels(image, before));
    for (int y = 0; y < 50; ++y) {
      for (int x = 0; x < 60; ++x) {
        if (x < 20 || x >= 40 || y < 15 || y >= 35) {
          for (int c = 0; c < channels; ++c) {
            ASSERT_EQ(image.pixel(x, y)[c], before.pixel(x, y)[c]) << x << " " << y;
          }
        }
      }
    }
  }
}

TEST(Draw, PointsAreDiscs) {
  Image image(21, 21, 3);
  const Point centre[] = {{10, 10}};
  draw_points(image.mutable_view(), centre, kRed, 3);
  EXPECT_EQ(marked(image, kBlack), 37);  // lattice points within 3.5 of the centre
  EXPECT_TRUE(is_colour(image, 13, 11, kRed));
  EXPECT_FALSE(is_colour(image, 13, 12, kRed));
  Image dot(5, 5, 3);
  const Point middle[] = {{2.4, 1.6}};
  draw_points(dot.mutable_view(), middle, kRed, 0);
  EXPECT_EQ(marked(dot, kBlack), 1);
  EXPECT_TRUE(is_colour(dot, 2, 2, kRed));
}

TEST(Draw, LineReachesItsEnds) {
  Image image(30, 20, 3);
  draw_line(image.mutable_view(), {2, 3}, {27, 3}, kRed, 1);
  // OpenCV's smoothed lines are a little wider and weaker than one pixel, more so at the ends.
  for (const int x : {2, 15, 27}) {
    EXPECT_GT(image.pixel(x, 3)[0], 130) << x;  // observed 143, 232, 151
    EXPECT_EQ(image.pixel(x, 3)[1], 0) << x;
  }
  EXPECT_EQ(image.pixel(29, 3)[0], 0);
  EXPECT_FALSE(is_colour(image, 15, 6, kRed));
  // A line whose ends lie far outside keeps its course.
  Image far(30, 30, 3);
  draw_line(far.mutable_view(), {-1e6, -1e6}, {1e6, 1e6}, kRed, 1);
  for (const int i : {1, 15, 28}) {
    EXPECT_GT(far.pixel(i, i)[0], 200) << i;
  }
}

TEST(Draw, TextStaysInItsExtent) {
  for (const int height : {6, 10, 14, 24, 60}) {
    const std::string text = "Agjpqy|W";
    const Extent extent = text_extent(text, height);
    Image image(extent.width_px + 20, height + 20, 3);
    draw_text(image.mutable_view(), text, {10, 10}, kWhite, height);
    EXPECT_GT(marked(image, kBlack), height);
    // One pixel of smoothing may stick out.
    Image inside = Image::copy_of(image);
    draw_box(inside.mutable_view(), {8, 8, extent.width_px + 4.0, height + 4.0}, kBlack, 100);
    EXPECT_EQ(marked(inside, kBlack), 0) << height;
  }
}

TEST(Draw, TextReplacesWhatTheFontLacks) {
  const auto drawn = [](std::string_view text) {
    Image image(120, 20, 1);
    draw_text(image.mutable_view(), text, {2, 2}, kWhite, 14);
    return image;
  };
  EXPECT_TRUE(same_pixels(drawn("a\xc3\xa9z"), drawn("a?z")));
  EXPECT_TRUE(same_pixels(drawn("\xe8\xa5\xbf\xe9\x97\xa8"), drawn("??")));
  EXPECT_TRUE(same_pixels(drawn("a\nb"), drawn("a?b")));
  EXPECT_FALSE(same_pixels(drawn("ab"), drawn("a?b")));
}

TEST(Draw, RefusesBadArguments) {
  Image image(10, 10, 3);
  const double nan = std::nan("");
  const Point bad[] = {{nan, 0}};
  EXPECT_THROW(draw_box(image.mutable_view(), {0, nan, 1, 1}, kRed), Error);
  EXPECT_THROW(draw_box(image.mutable_view(), {0, 0, 5, 5}, kRed, 0), Error);
  EXPECT_THROW(draw_points(image.mutable_view(), bad, kRed), Error);
  EXPECT_THROW(
      draw_line(image.mutable_view(), {0, 0}, {std::numeric_limits<double>::infinity(), 0}, kRed),
      Error);
  EXPECT_THROW(draw_text(image.mutable_view(), "x", {0, 0}, kRed, 5), Error);
  EXPECT_THROW(draw_label(MutableImageView(), "x", {0, 0}, kRed, kBlack), Error);
}

TEST(Draw, LabelIsMovedInside) {
  Image image(100, 40, 3);
  draw_label(image.mutable_view(), "0.93", {95, 38}, kWhite, kRed, 12);
  EXPECT_TRUE(is_colour(image, 99, 39, kRed));
  EXPECT_TRUE(is_colour(image, 0, 0, kBlack));
  show("label", image);
}

TEST(ContactSheet, LaysOutCellsBordersAndCaptions) {
  const Image wide = gradient(200, 50, 3);
  const Image tall = gradient(40, 90, 3);
  const Image tiny = noise(8, 8, 3);
  const Image grey = gradient(64, 64, 1);
  const Image glass(32, 32, 4, Colour{0, 0, 255, 64});
  Image marked_up = gradient(128, 128, 3);
  const Point landmarks[] = {{45, 50}, {85, 50}, {65, 72}, {50, 92}, {80, 92}};
  draw_box(marked_up.mutable_view(), {25, 20, 80, 95}, kGreen, 2);
  draw_points(marked_up.mutable_view(), landmarks, kRed, 3);
  draw_line(marked_up.mutable_view(), {45, 50}, {85, 50}, kWhite, 1);
  draw_label(marked_up.mutable_view(), "alice 0.97", {25, 2}, kWhite, kGreen, 14);
  const std::vector<SheetCell> cells{{wide, "wide", {}},
                                     {tall, "tall, match", kGreen},
                                     {tiny, "8 x 8 noise", kRed},
                                     {grey, "grey", {}},
                                     {glass, "a quarter blue", {}},
                                     {marked_up, "a caption that is far too long to fit", kGreen},
                                     {tall, "", {}}};
  SheetOptions options;
  options.columns = 3;
  const Image sheet = contact_sheet(cells, options);
  show("sheet", sheet);
  // 3 columns of 128 + 2 * 4 and 8 between; 3 rows of 128 + 8 + 15 and 8 between.
  ASSERT_EQ(sheet.extent(), (Extent{3 * 144 + 8, 3 * 159 + 8}));
  EXPECT_TRUE(is_colour(sheet, 0, 0, kWhite));
  EXPECT_TRUE(is_colour(sheet, 8 + 144, 8, kGreen));          // corner of the second cell's border
  EXPECT_TRUE(is_colour(sheet, 8 + 2 * 144 + 135, 8, kRed));  // and of the third's
  EXPECT_TRUE(is_colour(sheet, 8, 8, kWhite));                // the first has none
  // The tiny picture is shown pixel by pixel, 16 times as large.
  const ImageView shown = sheet.view().crop(8 + 2 * 144 + 4, 8 + 4, 128, 128);
  EXPECT_TRUE(same_pixels(shown, resize(tiny, 128, 128, Interpolation::nearest)));
  // Blue of alpha 64 over white.
  EXPECT_TRUE(is_colour(sheet, 8 + 144 + 68, 8 + 159 + 68, Colour{191, 191, 255}));
}

TEST(ContactSheet, WithoutCaptionsAndBordersHasNoRoomForThem) {
  const Image picture = noise(16, 16, 1);
  const std::vector<SheetCell> cells(4, SheetCell{picture, "", {}});
  SheetOptions options;
  options.cell_width_px = options.cell_height_px = 16;
  options.gap_px = 0;
  const Image sheet = contact_sheet(cells, options);
  EXPECT_EQ(sheet.extent(), (Extent{32, 32}));
}

TEST(ContactSheet, RefusesBadArguments) {
  const Image picture(4, 4, 3);
  EXPECT_THROW(contact_sheet({}), Error);
  const std::vector<SheetCell> bad{{ImageView(), "", {}}};
  EXPECT_THROW(contact_sheet(bad), Error);
  const std::vector<SheetCell> many(20'000, SheetCell{picture, "", {}});
  EXPECT_THROW(contact_sheet(many), Error);
  const std::vector<SheetCell> one{{picture, "", {}}};
  SheetOptions options;
  options.cell_width_px = 0;
  EXPECT_THROW(contact_sheet(one, options), Error);
}

}  // namespace
}  // namespace sosia::image

// Alignment: templates, exact recovery of similarities, crops of boxes, points that are no face's.

#include "errors.hpp"
#include "face/support.hpp"
#include "sosia/core/rng.hpp"
#include "sosia/world/face.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace sosia::face {
namespace {

models::InputSpec input(models::Alignment alignment, int size) {
  return {.shape = {1, 3, size, size}, .alignment = alignment};
}

Landmarks moved(const Landmarks& points, const image::Affine& by) {
  Landmarks out;
  for (std::size_t i = 0; i < 5; ++i) out[i] = by.apply(points[i]);
  return out;
}

Detection face_at(const Landmarks& points) {
  Detection face;
  face.landmarks = points;
  face.box = {points[0].x_px - 20, points[0].y_px - 20, 80, 80};
  face.score = 1;
  return face;
}

TEST(Template, SizesOf112And128) {
  EXPECT_DOUBLE_EQ(arcface_template(112)[0].x_px, 38.2946);
  EXPECT_DOUBLE_EQ(arcface_template(224)[2].y_px, 2 * 71.7366);
  // insightface: at 128 the template is not scaled but moved by 8 to the right.
  EXPECT_DOUBLE_EQ(arcface_template(128)[0].x_px, 46.2946);
  EXPECT_DOUBLE_EQ(arcface_template(128)[0].y_px, 51.6963);
  EXPECT_DOUBLE_EQ(arcface_template(256)[1].x_px, 2 * 73.5318 + 16);
  for (const int size : {0, -112, 100, 160}) {
    EXPECT_EQ(code_of([&] { arcface_template(size); }), ErrorCode::invalid_argument) << size;
  }
}

// Points that are the template turned, scaled and moved come back onto the template exactly.
TEST(Aligner, RecoversASimilarity) {
  RandomStream random(0, "similarity");
  const image::Image picture(400, 400, 3);
  for (int round = 0; round < 50; ++round) {
    const double scale = random.uniform(0.3, 4);
    const double angle = random.uniform(-3, 3);
    const double x = random.uniform(-50, 300);
    const double y = random.uniform(-50, 300);
    const bool dlib = round % 2 == 0;
    const Landmarks target = dlib ? dlib_template() : arcface_template(112);
    const auto aligner = make_aligner(dlib ? input(models::Alignment::dlib_150, 150)
                                           : input(models::Alignment::arcface_112, 112));
    const Landmarks points = moved(target, image::Affine::similarity(scale, angle, x, y));
    const Chip chip = aligner->align(picture, face_at(points));
    EXPECT_FALSE(chip.degenerate);
    EXPECT_NEAR(chip.scale, 1 / scale, 1e-9);
    EXPECT_NEAR(chip.rms_px, 0, 1e-9);
    for (std::size_t i = 0; i < 5; ++i) {
      EXPECT_NEAR(chip.transform.apply(points[i]).x_px, target[i].x_px, 1e-8);
      EXPECT_NEAR(chip.transform.apply(points[i]).y_px, target[i].y_px, 1e-8);
    }
  }
}

// The eyes of a rendered face lie where the template has them, at every size of the picture: what
// is marked at a landmark is found at the template's place.
TEST(Aligner, PixelsGoWhereTheTemplateSays) {
  for (const double scale : {0.5, 1.0, 2.6, 5.3}) {
    const Landmarks points =
        moved(arcface_template(112), image::Affine::similarity(scale, 0.3, 120, 60));
    image::Image picture(800, 800, 3);
    const int radius = std::max(1, static_cast<int>(2 * scale));
    image::draw_points(picture.mutable_view(), std::span(points).first(1), image::kWhite, radius);
    const Chip chip =
        make_aligner(input(models::Alignment::arcface_112, 112))->align(picture, face_at(points));
    double sum = 0, sx = 0, sy = 0;
    for (int y = 0; y < 112; ++y) {
      for (int x = 0; x < 112; ++x) {
        const double v = chip.picture.pixel(x, y)[0];
        sum += v, sx += v * x, sy += v * y;
      }
    }
    ASSERT_GT(sum, 0);
    // The disc is drawn about a whole pixel: half a pixel of the picture is 0.5 * scale of the
    // chip.
    EXPECT_NEAR(sx / sum, arcface_template(112)[0].x_px, 0.1 + 0.5 * chip.scale) << scale;
    EXPECT_NEAR(sy / sum, arcface_template(112)[0].y_px, 0.1 + 0.5 * chip.scale) << scale;
  }
}

// Shrinking by much must average: a fine chequered pattern becomes grey, not black or white.
TEST(Aligner, LargeFacesDoNotAlias) {
  image::Image picture(1200, 1200, 3);
  for (int y = 0; y < 1200; ++y) {
    for (int x = 0; x < 1200; ++x) {
      for (int c = 0; c < 3; ++c) picture.pixel(x, y)[c] = (x / 2 + y / 2) % 2 ? 255 : 0;
    }
  }
  const Landmarks points = moved(arcface_template(112), image::Affine::similarity(9, 0.2, 150, 50));
  const Chip chip =
      make_aligner(input(models::Alignment::arcface_112, 112))->align(picture, face_at(points));
  for (int y = 40; y < 80; ++y) {
    for (int x = 40; x < 80; ++x) EXPECT_NEAR(chip.picture.pixel(x, y)[0], 127, 25);
  }
}

TEST(Aligner, OutsideThePictureIsBlack) {
  const image::Image picture(100, 100, 1, image::kWhite);
  const Landmarks points = moved(arcface_template(112), image::Affine::translation(70, 0));
  const Chip chip =
      make_aligner(input(models::Alignment::arcface_112, 112))->align(picture, face_at(points));
  ASSERT_EQ(chip.picture.channels(), 3);
  EXPECT_EQ(chip.picture.pixel(5, 50)[2], 255);
  EXPECT_EQ(chip.picture.pixel(60, 50)[0], 0);
  // Nothing of the picture at all.
  const Landmarks far = moved(arcface_template(112), image::Affine::translation(5000, 5000));
  const Chip nothing =
      make_aligner(input(models::Alignment::arcface_112, 112))->align(picture, face_at(far));
  EXPECT_EQ(nothing.picture.pixel(50, 50)[0], 0);
}

TEST(Aligner, PointsThatAreNoFaces) {
  const image::Image picture(300, 300, 3, image::kWhite);
  const Landmarks good = moved(arcface_template(112), image::Affine::translation(80, 80));
  EXPECT_EQ(landmark_complaint(good), "");
  std::vector<Landmarks> bad(5, good);
  bad[0].fill({100, 100});                                       // one point
  std::swap(bad[1][0], bad[1][1]);                               // eyes exchanged
  bad[2][3] = bad[2][0], bad[2][4] = bad[2][1];                  // mouth in the eyes
  bad[3][2].x_px = std::nan("");                                 // not finite
  bad[4] = {{{0, 0}, {200, 0}, {100, 10}, {0, 20}, {200, 20}}};  // far too flat
  for (const Landmarks& points : bad) {
    EXPECT_NE(landmark_complaint(points), "");
    Detection face = face_at(good);
    face.landmarks = points;
    const Chip chip = make_aligner(input(models::Alignment::dlib_150, 150))->align(picture, face);
    EXPECT_TRUE(chip.degenerate);
    EXPECT_EQ(chip.picture.width_px(), 150);
    EXPECT_EQ(chip.picture.pixel(75, 75)[0], 255);
  }
  Detection empty = face_at(good);
  empty.box.width_px = 0;
  EXPECT_EQ(code_of([&] {
              (void)make_aligner(input(models::Alignment::dlib_150, 150))->align(picture, empty);
            }),
            ErrorCode::invalid_argument);
}

// Rendered faces of all poses have good points; turned ones too.
TEST(Aligner, RenderedFacesPass) {
  for (std::uint64_t i = 0; i < 40; ++i) {
    world::FaceAttributes how = world::random_face_attributes(0, i, 0);
    const auto render = world::render_face(world::random_face_identity(0, i), how, 128);
    EXPECT_EQ(landmark_complaint(render.landmarks5), "") << i;
  }
}

TEST(Aligner, FaceNetMargin) {
  // facenet-pytorch, extract_face: margin 14 at 160 adds 14 * 73 / 146 = 7 pixels to a box of 73.
  models::InputSpec spec = input(models::Alignment::face_margin, 160);
  spec.margin_px = 14;
  image::Image picture(300, 300, 3);
  for (int y = 96; y < 176; ++y) {
    for (int x = 96; x < 176; ++x) picture.pixel(x, y)[0] = 255;
  }
  Detection face;
  face.box = {100, 100, 73, 73};
  const Chip chip = make_aligner(spec)->align(picture, face);
  EXPECT_NEAR(chip.scale, 160.0 / 80, 1e-9);  // 96.5 to 176.5: the pixels 96 to 175
  EXPECT_EQ(chip.picture.pixel(0, 0)[0], 255);
  EXPECT_EQ(chip.picture.pixel(159, 159)[0], 255);
  face.box = {-10, 250, 73, 73};  // cut by the picture
  EXPECT_EQ(make_aligner(spec)->align(picture, face).picture.width_px(), 160);
}

TEST(Aligner, SilentFaceBoxStaysInside) {
  models::InputSpec spec = input(models::Alignment::box, 80);
  spec.box_scale = 2.7;
  const image::Image picture(200, 150, 3, image::kWhite);
  Detection face;
  face.box = {150, 20, 60, 60};  // 2.7 times is 162: limited to 149 / 60 and moved inside
  const Chip chip = make_aligner(spec)->align(picture, face);
  EXPECT_NEAR(chip.scale, 80.0 / 150, 0.01);
  for (const int at : {0, 40, 79}) EXPECT_EQ(chip.picture.pixel(at, at)[1], 255);
}

TEST(Aligner, LetterboxIsASquareWithBlackAround) {
  models::InputSpec spec = input(models::Alignment::box_letterbox, 128);
  spec.box_scale = 1.5;
  const image::Image picture(100, 100, 3, image::kWhite);
  Detection face;
  face.box = {0, 30, 40, 20};  // a square of 60 about (20, 40)
  const Chip chip = make_aligner(spec)->align(picture, face);
  EXPECT_NEAR(chip.scale, 128.0 / 60, 1e-9);
  EXPECT_EQ(chip.picture.pixel(5, 64)[0], 0);  // left of the picture
  EXPECT_EQ(chip.picture.pixel(100, 64)[0], 255);
}

TEST(Aligner, RefusesWhatItCannotMake) {
  for (const auto& [alignment, size] :
       {std::pair{models::Alignment::arcface_112, 100}, std::pair{models::Alignment::dlib_150, 112},
        std::pair{models::Alignment::arcface_112, -1},
        std::pair{models::Alignment::letterbox_top_left, 640}}) {
    EXPECT_EQ(code_of([&] { make_aligner(input(alignment, size)); }),
              alignment == models::Alignment::arcface_112 && size == 100
                  ? ErrorCode::invalid_argument
                  : ErrorCode::unsupported);
  }
}

}  // namespace
}  // namespace sosia::face

// Quality: monotone in size, blur and pose; the pose of rendered heads.

#include "errors.hpp"
#include "face/support.hpp"
#include "sosia/face/quality.hpp"
#include "sosia/world/face.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace sosia::face {
namespace {

world::FaceImage render(std::uint64_t subject, double yaw, double pitch, double roll,
                        int size = 256) {
  world::FaceAttributes how = world::random_enrolment_attributes(0, subject, 0);
  how.yaw_deg = yaw, how.pitch_deg = pitch, how.roll_deg = roll;
  how.blur = how.noise = 0;
  return world::render_face(world::random_face_identity(0, subject), how, size);
}

Detection detection(const world::FaceImage& image, double score = 1) {
  return {image.box, score, image.landmarks5};
}

Quality assess(image::ImageView picture, const Detection& face) {
  const models::InputSpec spec{.shape = {1, 3, 112, 112},
                               .alignment = models::Alignment::arcface_112};
  return make_quality()->assess(face, make_aligner(spec)->align(picture, face));
}

TEST(Pose, SignsAndSizes) {
  double yaw_error = 0, roll_error = 0;
  int count = 0;
  for (std::uint64_t who = 0; who < 10; ++who) {
    for (const double yaw : {-30.0, 0.0, 30.0}) {
      for (const double roll : {-20.0, 0.0, 20.0}) {
        const Pose pose = estimate_pose(render(who, yaw, 0, roll).landmarks5);
        yaw_error += std::abs(pose.yaw_deg - yaw);
        roll_error += std::abs(pose.roll_deg - roll);
        if (yaw != 0) {
          EXPECT_GT(pose.yaw_deg * yaw, 0) << who << " " << yaw << " " << roll;
        }
        ++count;
      }
    }
    const double up = estimate_pose(render(who, 0, 20, 0).landmarks5).pitch_deg;
    const double down = estimate_pose(render(who, 0, -20, 0).landmarks5).pitch_deg;
    EXPECT_GT(up - down, 15) << who;
  }
  EXPECT_LT(yaw_error / count, 8);
  EXPECT_LT(roll_error / count, 3);
  EXPECT_EQ(estimate_pose({}).yaw_deg, 0);  // no face's points
}

TEST(Quality, FallsWithBlur) {
  for (std::uint64_t who = 0; who < 5; ++who) {
    const world::FaceImage face = render(who, 0, 0, 0);
    double before = 2;
    for (const double sigma : {0.0, 1.0, 2.0, 4.0, 8.0}) {
      const image::Image picture = sigma > 0 ? image::gaussian_blur(face.picture, sigma)
                                             : image::Image::copy_of(face.picture);
      const Quality q = assess(picture, detection(face));
      EXPECT_LT(q.sharpness, before) << who << " " << sigma;
      before = q.sharpness;
    }
  }
}

// Lighting is no matter of sharpness.
TEST(Quality, SharpnessIgnoresContrast) {
  const world::FaceImage face = render(1, 0, 0, 0);
  image::Image dim = image::Image::copy_of(face.picture);
  for (int y = 0; y < dim.height_px(); ++y) {
    for (int x = 0; x < 3 * dim.width_px(); ++x) {
      dim.row(y)[x] = static_cast<std::uint8_t>(60 + dim.row(y)[x] / 2);
    }
  }
  const double bright = assess(face.picture, detection(face)).blur_measure;
  EXPECT_NEAR(assess(dim, detection(face)).blur_measure / bright, 1, 0.1);
  const image::Image flat(256, 256, 3, image::Colour{90, 90, 90, 255});
  EXPECT_EQ(assess(flat, detection(face)).sharpness, 0);
}

TEST(Quality, RisesWithSize) {
  double before = -1;
  for (const int size : {32, 64, 96, 128, 192}) {
    const world::FaceImage face = render(2, 0, 0, 0, size);
    const Quality q = assess(face.picture, detection(face));
    EXPECT_GE(q.size, before) << size;
    EXPECT_GE(q.value, 0);
    EXPECT_LE(q.value, 1);
    before = q.size;
  }
  EXPECT_EQ(before, 1);
  // The limits: half of `low` is 0, `low` one half, `high` 1.
  Detection face{{0, 0, 100, 100}, 1, arcface_template(112)};
  const double eyes = std::hypot(73.5318 - 38.2946, 51.5014 - 51.6963);
  for (const auto& [distance, part] : {std::pair{8.0, 0.0}, {16.0, 0.5}, {35.0, 1.0}}) {
    Landmarks points = arcface_template(112);
    for (image::Point& p : points) p.x_px *= distance / eyes, p.y_px *= distance / eyes;
    face.landmarks = points;
    EXPECT_NEAR(assess(image::Image(200, 200, 3), face).size, part, 0.02) << distance;
  }
}

TEST(Quality, FallsWithYaw) {
  double before = 2;
  for (const double yaw : {0.0, 15.0, 30.0, 45.0}) {
    double sum = 0;
    for (std::uint64_t who = 0; who < 8; ++who) {
      const world::FaceImage face = render(who, yaw, 0, 0);
      sum += assess(face.picture, detection(face)).frontality / 8;
    }
    EXPECT_LT(sum, before) << yaw;
    before = sum;
  }
}

TEST(Quality, IsTheProductOfItsParts) {
  const world::FaceImage face = render(3, 10, 0, 0);
  const Quality q = assess(face.picture, detection(face, 0.8));
  EXPECT_DOUBLE_EQ(q.detection, 0.8);
  EXPECT_NEAR(q.value, q.size * q.sharpness * q.frontality * q.detection * q.norm, 1e-12);
  EXPECT_EQ(q.norm, 1);
  Chip chip;
  chip.picture = image::Image(112, 112, 3);
  chip.degenerate = true;
  EXPECT_EQ(make_quality()->assess(detection(face), chip).frontality, 0);
  EXPECT_LT(make_quality()->assess(detection(face), chip, 10.0).norm,
            make_quality()->assess(detection(face), chip, 22.0).norm);
  EXPECT_EQ(code_of([] { make_quality({.low_eye_distance_px = 50}); }),
            ErrorCode::invalid_argument);
}

}  // namespace
}  // namespace sosia::face

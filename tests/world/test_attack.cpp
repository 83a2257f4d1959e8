// Attacks: determinism, geometry that fits the pixels, traces that the parameters ask for.

#include "sosia/core/error.hpp"
#include "sosia/world/attack.hpp"
#include "world/attack_parts.hpp"
#include "world/truth.hpp"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

namespace sosia::world {
namespace {

AttackScene scene_of(std::uint64_t i) {
  return {random_face_identity(1, i), random_enrolment_attributes(1, i, 0),
          random_face_identity(1, i + 100), random_enrolment_attributes(1, i + 100, 0)};
}

std::string hash_of(image::ImageView v) {
  return pixel_hash(v.data, v.width_px, v.height_px, v.channels, v.stride_bytes);
}

TEST(Attack, GoldenPixels) {
  constexpr const char* kGolden[kAttackKinds] = {"52ed7a93bb8cd3f1", "72dfedea4173fcc5",
                                                 "4d909c9cc8d3c35c"};
  AttackRenderer renderer;
  AttackImage image;
  for (int k = 0; k < kAttackKinds; ++k) {
    renderer.render(scene_of(3), random_attack(1, 3, 0, static_cast<AttackKind>(k)), 96, image);
    EXPECT_EQ(hash_of(image.picture), kGolden[k]) << name_of(static_cast<AttackKind>(k));
  }
}

TEST(Attack, DiffersFromTheOriginalAndFromOneAnother) {
  AttackRenderer renderer;
  AttackImage image;
  std::vector<std::string> hashes;
  const AttackScene scene = scene_of(1);
  hashes.push_back(hash_of(render_face(scene.victim, scene.victim_attributes, 64).picture));
  for (int k = 0; k < kAttackKinds; ++k) {
    renderer.render(scene, random_attack(1, 1, 0, static_cast<AttackKind>(k)), 64, image);
    hashes.push_back(hash_of(image.picture));
  }
  std::sort(hashes.begin(), hashes.end());
  EXPECT_EQ(std::adjacent_find(hashes.begin(), hashes.end()), hashes.end());
}

TEST(Attack, QuadIsAProjectiveMap) {
  const std::array<image::Point, 4> corners{{{10, 12}, {90, 5}, {97, 80}, {6, 70}}};
  const SquareToQuad quad(corners);
  constexpr double kU[] = {0, 1, 1, 0}, kV[] = {0, 0, 1, 1};
  for (std::size_t i = 0; i < 4; ++i) {
    const image::Point p = quad.forward(kU[i], kV[i]);
    EXPECT_NEAR(p.x_px, corners[i].x_px, 1e-9);
    EXPECT_NEAR(p.y_px, corners[i].y_px, 1e-9);
  }
  // Lines stay lines: the diagonals meet where they meet in the quad.
  const image::Point middle = quad.forward(0.5, 0.5);
  const auto area = [](image::Point a, image::Point b, image::Point c) {
    return (b.x_px - a.x_px) * (c.y_px - a.y_px) - (b.y_px - a.y_px) * (c.x_px - a.x_px);
  };
  EXPECT_NEAR(area(corners[0], corners[2], middle), 0, 1e-9);
  EXPECT_NEAR(area(corners[1], corners[3], middle), 0, 1e-9);
  const image::Point back = quad.backward(middle.x_px, middle.y_px);
  EXPECT_NEAR(back.x_px, 0.5, 1e-12);
  EXPECT_NEAR(back.y_px, 0.5, 1e-12);
}

TEST(Attack, SimilarityIsExactForSimilarPoints) {
  const std::array<image::Point, 5> from{{{1, 2}, {30, 4}, {16, 20}, {8, 33}, {25, 35}}};
  std::array<image::Point, 5> to{};
  for (std::size_t i = 0; i < 5; ++i) {
    to[i] = {1.2 * from[i].x_px - 0.4 * from[i].y_px + 7,
             0.4 * from[i].x_px + 1.2 * from[i].y_px - 3};
  }
  const PlainSimilarity s = fit_similarity(from, to);
  EXPECT_NEAR(s.a, 1.2, 1e-12);
  EXPECT_NEAR(s.b, 0.4, 1e-12);
  EXPECT_NEAR(s.apply(from[2]).y_px, to[2].y_px, 1e-9);
}

// A still medium without traces shows the original where its landmarks say.
TEST(Attack, MediumShowsTheVictim) {
  AttackParameters a;
  a.kind = AttackKind::replay;
  a.size = 1;
  a.moire = a.glare = a.banding = a.fading = a.blur = a.noise = 0;
  const AttackScene scene = scene_of(2);
  AttackImage image;
  AttackRenderer().render(scene, a, 128, image);
  // The eyes of the replay are at its landmarks: dark iris, brighter beside it.
  for (std::size_t eye = 0; eye < 2; ++eye) {
    const image::Point p = image.landmarks5[eye];
    ASSERT_GT(p.x_px, 20);
    ASSERT_LT(p.x_px, 108);
    int darkest = 255 * 3;
    for (int dy = -2; dy <= 2; ++dy) {
      for (int dx = -3; dx <= 3; ++dx) {
        const std::uint8_t* q =
            image.picture.pixel(static_cast<int>(p.x_px) + dx, static_cast<int>(p.y_px) + dy);
        darkest = std::min(darkest, q[0] + q[1] + q[2]);
      }
    }
    EXPECT_LT(darkest, 180);
  }
  std::int64_t covered = 0;
  for (int y = 0; y < 128; ++y)
    covered += std::count(image.medium.row(y), image.medium.row(y) + 128, 255);
  EXPECT_GT(covered, 128 * 128 * 0.9);
}

TEST(Attack, MoireRaisesHighFrequencies) {
  AttackParameters a;
  a.kind = AttackKind::replay;
  a.size = 1.4;
  a.moire_x = 30;
  a.moire_y = 25;
  a.glare = a.banding = a.noise = a.blur = 0;
  const auto energy = [&](double moire) {
    a.moire = moire;
    AttackImage image;
    AttackRenderer().render(scene_of(4), a, 128, image);
    double sum = 0;
    for (int y = 1; y < 127; ++y) {
      for (int x = 1; x < 127; ++x) {
        for (int c = 0; c < 3; ++c) {
          const double d = 2.0 * image.picture.pixel(x, y)[c] - image.picture.pixel(x - 1, y)[c] -
                           image.picture.pixel(x + 1, y)[c];
          sum += d * d;
        }
      }
    }
    return sum;
  };
  EXPECT_GT(energy(1), 1.3 * energy(0));
}

TEST(Attack, MaskCoversTheWearersFaceAlone) {
  const AttackScene scene = scene_of(5);
  AttackImage image;
  AttackRenderer().render(scene, random_attack(1, 5, 0, AttackKind::mask), 96, image);
  const FaceImage wearer = render_face(scene.wearer, scene.wearer_attributes, 96);
  std::int64_t covered = 0, far_off = 0;
  for (int y = 0; y < 96; ++y) {
    for (int x = 0; x < 96; ++x) {
      if (image.medium.row(y)[x] == 0) continue;
      ++covered;
      const image::Box& b = wearer.box;
      far_off += x < b.x_px - 12 || x > b.x_px + b.width_px + 12 || y < b.y_px - 20 ||
                         y > b.y_px + b.height_px + 12
                     ? 1
                     : 0;
    }
  }
  EXPECT_GT(covered, 600);
  EXPECT_EQ(far_off, 0);
  // The holes: the wearer's eyes look through.
  for (const image::Point eye : {image.landmarks5[0], image.landmarks5[1]}) {
    EXPECT_EQ(image.medium.row(static_cast<int>(std::lround(eye.y_px)))[std::lround(eye.x_px)], 0);
  }
}

TEST(Attack, RefusesWhatIsOutOfRange) {
  AttackImage image;
  AttackParameters a;
  a.tilt_x = 2;
  EXPECT_THROW(AttackRenderer().render(scene_of(0), a, 64, image), Error);
  a = {};
  a.glare = std::nan("");
  EXPECT_THROW(AttackRenderer().render(scene_of(0), a, 64, image), Error);
  EXPECT_THROW(AttackRenderer().render(scene_of(0), {}, 500, image), Error);
}

}  // namespace
}  // namespace sosia::world

// What is worn on or held before the face: glasses, mask, hand, cup.

#include "world/face_scene.hpp"

#include <cmath>

namespace sosia::world {
namespace {

using exact::bell;
using exact::mix;
using exact::ramp;

}  // namespace

Vec3 Rim::at(int spoke, float out) const {
  const CutAngle o = outline[static_cast<std::size_t>(spoke)];
  const float x = (half_width + out) * o.across, y = (half_height + out) * o.along;
  // The front of glasses curves back with the face.
  const float side = std::abs(centre.x + x);
  return {centre.x + x, centre.y + y, centre.z - 0.16f * side * side};
}

std::array<Rim, 2> make_rims(const FaceShape& shape, FaceGlasses glasses) {
  Rim rim;
  rim.half_width = glasses == FaceGlasses::round ? 0.205f : 0.235f;
  rim.half_height =
      glasses == FaceGlasses::round ? 0.195f : (glasses == FaceGlasses::square ? 0.155f : 0.175f);
  // A superellipse: 2 is round, 4.5 nearly a rectangle.
  const double power =
      glasses == FaceGlasses::round ? 2.0 : (glasses == FaceGlasses::square ? 4.5 : 3.0);
  for (int i = 0; i <= Rim::kSpokes; ++i) {
    const double angle = 2 * exact::kPi * i / Rim::kSpokes;
    const auto shaped = [power](double v) {
      const double p = power == 2.0 ? std::abs(v) : exact::pow(std::abs(v), 2.0 / power);
      return static_cast<float>(v < 0 ? -p : p);
    };
    rim.outline[static_cast<std::size_t>(i)] = {shaped(exact::sin(angle)),
                                                shaped(exact::cos(angle))};
  }
  rim.thickness = glasses == FaceGlasses::square ? 0.042f : 0.024f;
  const float bridge = shape.front_point(0, shape.eye_y - 0.02f).z;
  rim.centre = {shape.eye_x + 0.005f, shape.eye_y - 0.02f, bridge + 0.05f};
  Rim left = rim;
  left.centre.x = -rim.centre.x;
  return {left, rim};
}

void FaceScene::tube(Vec3 from, Vec3 to, float radius, Material material, float first) {
  constexpr int kColumns = 11, kRows = 9;
  grid_.reset(kColumns, kRows);
  const Vec3 axis = normalized(to - from);
  const Vec3 side =
      normalized(cross(std::abs(axis.z) < 0.9f ? Vec3{0, 0, 1} : Vec3{0, 1, 0}, axis));
  const Vec3 other = cross(axis, side);
  for (int r = 0; r < kRows; ++r) {
    // Two rows at each end close it with a round cap.
    const float t = exact::clamp(static_cast<float>(r - 2) / (kRows - 5), 0.0f, 1.0f);
    const float cap = r == 0 || r == kRows - 1 ? 1.0f : (r == 1 || r == kRows - 2 ? 0.7f : 0.0f);
    const float shrink = exact::square_root(1.0f - cap * cap);
    const Vec3 centre =
        mix(from, to, t) + axis * (radius * cap * (r < 2 ? -1.0f : 1.0f) * (cap > 0 ? 1.0f : 0.0f));
    for (int c = 0; c < kColumns; ++c) {
      const double angle = 2 * exact::kPi * static_cast<double>(c) / (kColumns - 1);
      const Vec3 spoke = side * static_cast<float>(exact::cos(angle)) +
                         other * static_cast<float>(exact::sin(angle));
      const std::size_t i = grid_.index(c, r);
      grid_.values[i] = {first, t, 0};
      grid_.points[i] = view.from_head(centre + spoke * (radius * shrink));
    }
  }
  finish(true);
  raster_grid(samples, grid_, material);
}

void FaceScene::glasses(const FaceAttributes& a) {
  constexpr int kColumns = Rim::kSpokes + 1;
  rims = make_rims(shape, a.glasses);
  for (const Rim& rim : rims) {
    grid_.reset(kColumns, 2);
    for (int c = 0; c < kColumns; ++c) {
      // Clockwise as seen, outer row first: the front looks to the camera.
      grid_.points[grid_.index(c, 0)] = view.from_head(rim.at(c, -0.5f * rim.thickness));
      grid_.points[grid_.index(c, 1)] = view.from_head(rim.at(c, 0.5f * rim.thickness));
      grid_.values[grid_.index(c, 0)] = grid_.values[grid_.index(c, 1)] = {};
    }
    finish(true);
    raster_grid(samples, grid_, kFrame, Faces::both);
    // The arm to the ear.
    const float sign = rim.centre.x < 0 ? -1.0f : 1.0f;
    const Vec3 hinge =
        rim.at(sign > 0 ? Rim::kSpokes / 4 : 3 * Rim::kSpokes / 4, 0.0f) + Vec3{0, 0.06f, 0};
    const float half_width = shape.cut_at(shape.parameter_of(0.1f)).half_width;
    const Vec3 ear{sign * (half_width + 0.05f), shape.ear_y + 0.20f, -0.05f};
    tube(hinge, ear, 0.010f + 0.2f * rim.thickness, kFrame, 0);
  }
  const float inner = rims[1].centre.x - rims[1].half_width;
  const Vec3 bridge = rims[1].centre + Vec3{-rims[1].half_width - inner, 0.05f, 0.01f};
  tube(bridge + Vec3{-inner, 0, 0}, bridge + Vec3{inner, 0, 0}, 0.5f * rims[1].thickness, kFrame,
       0);
}

void FaceScene::mask() {
  constexpr int kColumns = 25, kRows = 17;
  grid_.reset(kColumns, kRows);
  const float top = shape.eye_y - 0.24f, bottom = shape.chin_y + 0.03f;
  for (int c = 0; c < kColumns; ++c) {
    const double theta = exact::radians(150.0) * (static_cast<double>(c) / (kColumns - 1) - 0.5);
    const CutAngle angle = cut_angle(theta);
    const auto wide = static_cast<float>(std::abs(theta) / exact::radians(75.0));
    for (int r = 0; r < kRows; ++r) {
      const float t = static_cast<float>(r) / (kRows - 1);
      // Narrower towards the ears.
      const float y = mix(mix(bottom, -0.52f, wide * wide), mix(top, -0.20f, wide * wide), t);
      const HeadCut cut = shape.cut_at(shape.parameter_of(y));
      const float x = cut.half_width * angle.across;
      const float tent = 0.20f * bell(x, 0.24f) * ramp(bottom - 0.1f, -0.45f, y) *
                         ramp(top + 0.25f, top - 0.12f + 0.0f, y - 0.0f);
      const float cover = std::max(shape.relief(x, y) * angle.along, tent) + 0.05f;
      const std::size_t i = grid_.index(c, r);
      const Vec3 p{x * 1.02f, y, cut.front * angle.along + cover};
      grid_.values[i] = {x, t, wide};
      grid_.points[i] = view.from_head(p);
    }
  }
  finish(false);
  raster_grid(samples, grid_, kMask, Faces::both);
}

void FaceScene::hand(const FaceAttributes& a) {
  // Four fingers and a palm over one side of the lower face or over the mouth.
  Draw draw(a.texture_seed, "hand");
  const float side = draw.chance(0.5) ? 1.0f : -1.0f;
  const auto high = static_cast<float>(draw.range(-0.55, -0.20));
  const auto lean = static_cast<float>(draw.range(-0.15, 0.30));
  for (int finger = 0; finger < 4; ++finger) {
    const float down = 0.165f * static_cast<float>(finger);
    const float reach = finger == 0 ? 0.10f : (finger == 3 ? 0.16f : 0.02f);
    const Vec3 tip{side * (-0.06f + reach), high - down + lean * 0.4f, 1.10f - 0.06f * down};
    const Vec3 knuckle{side * 0.62f, high - down * 1.08f, 0.92f};
    tube(knuckle, tip, 0.082f, kHand, static_cast<float>(finger));
  }
  tube({side * 0.70f, high + 0.02f, 0.84f}, {side * 0.78f, high - 0.55f, 0.84f}, 0.20f, kHand, 4);
  tube({side * 0.80f, high - 0.5f, 0.80f}, {side * 1.0f, -2.2f, 0.75f}, 0.19f, kHand, 5);
}

void FaceScene::cup(const FaceAttributes& a) {
  Draw draw(a.texture_seed, "cup");
  constexpr int kColumns = 21, kRows = 6;
  const auto dx = static_cast<float>(draw.range(-0.18, 0.18));
  const float top = shape.mouth_y + static_cast<float>(draw.range(0.02, 0.14));
  grid_.reset(kColumns, kRows);
  for (int r = 0; r < kRows; ++r) {
    const float t = static_cast<float>(r) / (kRows - 1);
    const float radius = mix(0.27f, 0.34f, t);
    for (int c = 0; c < kColumns; ++c) {
      const double theta = 2 * exact::kPi * (static_cast<double>(c) / (kColumns - 1) - 0.5);
      const std::size_t i = grid_.index(c, r);
      grid_.values[i] = {static_cast<float>(theta), t, 0};
      grid_.points[i] = view.from_head({dx + radius * static_cast<float>(exact::sin(theta)),
                                        top - 0.85f * (1.0f - t),
                                        1.25f + radius * static_cast<float>(exact::cos(theta))});
    }
  }
  finish(true);
  raster_grid(samples, grid_, kCup, Faces::both);
  for (int finger = 0; finger < 3; ++finger) {
    const float y = top - 0.30f - 0.16f * static_cast<float>(finger);
    tube({dx + 0.40f, y, 1.28f}, {dx - 0.05f, y + 0.02f, 1.60f}, 0.075f, kHand,
         static_cast<float>(finger));
  }
  tube({dx + 0.46f, top - 0.36f, 1.20f}, {dx + 0.80f, -2.2f, 1.0f}, 0.20f, kHand, 5);
}

}  // namespace sosia::world

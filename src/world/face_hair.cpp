// Hair and hats: shells around the head whose lower edge is cut by a line over the angle.

#include "world/face_scene.hpp"

#include <cmath>

namespace sosia::world {
namespace {

using exact::mix;
using exact::ramp;

struct HairForm {
  float thickness, bottom, hang;
};

constexpr HairForm kForms[kFaceHairs] = {
    {0, 0, 0},               // bald
    {0.035f, -0.30f, 0},     // cropped
    {0.115f, -0.38f, 0},     // short_cut
    {0.235f, -0.42f, 0.3f},  // curly
    {0.125f, -0.98f, 1},     // bob
    {0.125f, -1.85f, 1},     // long_hair
    {0.05f, -0.36f, 0},      // bun
};

constexpr float kDegrees = 57.29578f;  // of a radian

}  // namespace

HairLine make_hair_line(const FaceShape& shape, const FaceAttributes& a) {
  const HairForm& form = kForms[static_cast<std::size_t>(a.hair)];
  HairLine line;
  line.style = a.hair;
  line.hairline_y = shape.hairline_y;
  line.brow_y = shape.brow_y;
  line.parting = static_cast<float>(a.hair_parting);
  line.bottom = form.bottom;
  line.hang = form.hang;
  line.thickness = form.thickness;
  line.seed = a.texture_seed;
  return line;
}

float HairLine::depth(float degrees, float y) const {
  const float angle = std::abs(degrees);
  // The hairline proper: forehead, temple, sideburn, round the ear, nape.
  float front = hairline_y + 0.04f * ramp(12.0f, 40.0f, angle);
  if (style == FaceHair::bob) front = mix(brow_y + 0.12f, front, ramp(36.0f, 62.0f, angle));
  if (style == FaceHair::short_cut || style == FaceHair::long_hair) {
    // Combed away from the parting: hair covers one corner of the forehead.
    const float swept = parting >= 0 ? degrees : -degrees;
    front -=
        0.16f * std::abs(parting) * ramp(-6.0f, 34.0f, swept) * (1.0f - ramp(44.0f, 66.0f, swept));
  }
  float line = mix(front, -0.10f, ramp(44.0f, 74.0f, angle));
  if (angle > 76.0f) {
    const float ear = hang > 0.6f ? bottom : 0.20f;
    line = mix(-0.10f, ear, ramp(76.0f, 82.0f, angle));
    line = mix(line, bottom, ramp(102.0f, 114.0f, angle));
  }
  float inside = y - line;
  if (hang > 0.6f) {
    // Hair that falls beside the face.
    const float edge = (angle - mix(58.0f, 66.0f, ramp(0.2f, -1.0f + 1.4f, -y))) * 0.012f;
    inside = std::max(inside, std::min(edge, y - bottom));
  }
  return inside;
}

HeadCut FaceScene::hair_cut(float s) const {
  constexpr float kTemple = 8.0f;
  if (s >= 0) {
    return shape.cut_at(kTemple + s * (static_cast<float>(FaceShape::kCuts - 1) - kTemple));
  }
  // Below the temples hanging hair keeps the width that it has there.
  const HeadCut temple = shape.cuts[static_cast<std::size_t>(kTemple)];
  const float y = mix(temple.y, hair.bottom - 0.05f, -s);
  HeadCut cut = shape.cut_at(shape.parameter_of(std::max(y, shape.chin_y + 0.2f)));
  const float flare = 1.0f + 0.10f * (temple.y - y) * hair.hang;
  cut.half_width = mix(cut.half_width, temple.half_width * flare, hair.hang);
  cut.back = mix(std::max(cut.back, 0.5f), temple.back, hair.hang);
  cut.front = mix(cut.front, temple.front, hair.hang);
  cut.y = y;
  return cut;
}

Vec3 FaceScene::hair_point(float degrees, CutAngle angle, float s, const HeadCut& cut,
                           const FaceAttributes& a, float& inside) const {
  const float vertical = ramp(0.15f, 0.90f, s);
  float thick = hair.thickness;
  const float front = std::max(0.0f, angle.along);
  if (hair.style == FaceHair::short_cut || hair.style == FaceHair::long_hair) {
    // More on the side to which it is combed.
    const float swept = hair.parting >= 0 ? degrees : -degrees;
    thick *= 1.0f + 0.45f * std::abs(hair.parting) * ramp(-40.0f, 40.0f, swept) * front;
  }
  // Thin at the edges, so that hair grows out of the skin.
  inside = hair.depth(degrees, cut.y);
  const float root = ramp(-0.02f, hair.style == FaceHair::bob ? 0.12f : 0.30f, inside);
  if (hair.hang < 0.5f) {
    thick *= 0.20f + 0.80f * root;
    thick *= mix(1.0f, 0.65f, ramp(0.5f, -0.1f, cut.y) * (hair.hang > 0 ? 0.0f : 1.0f));
  } else {
    thick *= mix(1.0f, 0.22f + 0.78f * root, front * 0.6f);
  }
  if (hair.style == FaceHair::curly) {
    thick *= 1.0f + 0.30f * value_noise(degrees * 0.073f, cut.y * 6.5f, hair.seed);
  }
  if (a.hat != FaceHat::none) {
    thick = mix(thick, std::min(thick, 0.03f), ramp(kHatLine - 0.45f, kHatLine, cut.y));
  }
  const float sideways = exact::square_root(std::max(0.0f, 1.0f - vertical * vertical));
  const float depth = angle.along >= 0 ? cut.front : cut.back;
  return {(cut.half_width + thick * sideways) * angle.across, cut.y + thick * vertical,
          (depth + thick * sideways) * angle.along};
}

void FaceScene::hair_shell(const FaceAttributes& a, bool fine) {
  const int half = fine ? 26 : 13;
  const int columns = 2 * half + 1;
  const int upper = fine ? 24 : 11;
  const int lower = hair.hang > 0.6f ? (fine ? 16 : 9) : (fine ? 10 : 6);
  const int rows = upper + lower;
  grid_.reset(columns, rows);
  const std::vector<CutAngle>& angles = even_angles(columns);
  for (int r = 0; r < rows; ++r) {
    const float s = r < lower ? static_cast<float>(r - lower) / static_cast<float>(lower)
                              : static_cast<float>(r - lower) / static_cast<float>(upper - 1);
    const HeadCut cut = hair_cut(s);
    for (int c = 0; c < columns; ++c) {
      const float degrees = static_cast<float>(c - half) * (180.0f / static_cast<float>(half));
      float inside = 0;
      const Vec3 p = hair_point(degrees, angles[static_cast<std::size_t>(c)], s, cut, a, inside);
      const std::size_t i = grid_.index(c, r);
      grid_.values[i] = {degrees, p.y, inside};
      grid_.points[i] = view.from_head(p);
    }
  }
  finish(true);
  std::swap(grid_, hair_grid_);
  raster_hair(a, Faces::front);
  if (a.hair == FaceHair::bun && a.hat == FaceHat::none) {
    ellipsoid({0, shape.crown_y + 0.16f, -0.30f}, {0.30f, 0.26f, 0.30f}, kHair, 0);
  }
}

void FaceScene::raster_hair(const FaceAttributes& a, Faces faces) {
  const HairLine& line = hair;
  const float ragged = hair.style == FaceHair::curly ? 0.10f : (hair.hang > 0.6f ? 0.045f : 0.035f);
  const bool under_hat = a.hat != FaceHat::none;
  const auto keep = [&line, ragged, under_hat](Vec3 v) {
    if (under_hat && v.y > kHatLine + 0.10f) return false;
    // Far from every edge, by the grid's own values.
    if (v.z > 0.25f) return true;
    if (v.z < -0.30f) return false;
    const float inside = line.depth(v.x, v.y);
    if (inside > ragged) return true;
    if (inside < -ragged) return false;
    const float strand = value_noise(v.x * 0.55f, v.y * 2.0f, line.seed);
    return inside > ragged * strand;
  };
  raster_grid(samples, hair_grid_, kHair, faces, keep, [](Vec3 p, Vec3 q, Vec3 r, Vec3 s) {
    return std::max(std::max(p.z, q.z), std::max(r.z, s.z)) < -0.30f;
  });
}

void FaceScene::hat(const FaceAttributes& a) {
  constexpr int kColumns = 33, kRows = 14;
  const bool beanie = a.hat == FaceHat::beanie, tall = a.hat == FaceHat::brim;
  const float base = beanie ? 0.115f : 0.095f;
  grid_.reset(kColumns, kRows);
  const float from = shape.parameter_of(kHatLine - 0.02f);
  const std::vector<CutAngle>& angles = even_angles(kColumns);
  for (int c = 0; c < kColumns; ++c) {
    const double theta = 2 * exact::kPi * (static_cast<double>(c) / (kColumns - 1) - 0.5);
    const CutAngle angle = angles[static_cast<std::size_t>(c)];
    for (int r = 0; r < kRows; ++r) {
      const float s = static_cast<float>(r) / (kRows - 1);
      // The crown of a hat stays wide longer than the head does.
      const float along = mix(from, static_cast<float>(FaceShape::kCuts - 1), s);
      HeadCut cut = shape.cut_at(along);
      const HeadCut line = shape.cut_at(from);
      const float keep = (tall ? 0.92f : 0.55f) * (1.0f - s * s * s * s);
      cut.half_width = mix(cut.half_width, line.half_width * (1.0f - 0.18f * s), keep);
      cut.front = mix(cut.front, line.front * (1.0f - 0.18f * s), keep);
      cut.back = mix(cut.back, line.back * (1.0f - 0.18f * s), keep);
      float thick = base + (beanie ? 0.035f * (s < 0.24f ? 1.0f : 0.0f) : 0.0f);
      const float sideways = r + 1 == kRows ? 0.0f : 1.0f;
      if (beanie) thick += 0.012f * static_cast<float>(exact::sin(theta * 30)) * (1.0f - s);
      const float rise = (tall ? 0.22f : 0.14f) * s;
      Vec3 p{(cut.half_width + thick * sideways) * angle.across, cut.y + rise + thick * 0.5f * s,
             ((angle.along >= 0 ? cut.front : cut.back) + thick * sideways) * angle.along};
      // Worn a little higher in front.
      p.y += 0.04f * angle.along * (1.0f - s) -
             (angle.along < 0 ? 0.18f * -angle.along : 0.0f) * (1.0f - s);
      const std::size_t i = grid_.index(c, r);
      grid_.values[i] = {static_cast<float>(theta) * kDegrees, s, 0};
      grid_.points[i] = view.from_head(p);
    }
  }
  finish(true);
  raster_grid(samples, grid_, kHat);
  if (beanie) return;

  constexpr int kOut = 5;
  const float widest = tall ? 0.46f : 0.50f;
  grid_.reset(kColumns, kOut);
  const HeadCut line = shape.cut_at(from);
  for (int c = 0; c < kColumns; ++c) {
    const double theta =
        (tall ? 2.0 : 0.9) * exact::kPi * (static_cast<double>(c) / (kColumns - 1) - 0.5);
    const CutAngle angle = cut_angle(theta);
    const auto cosine = static_cast<float>(exact::cos(theta));
    for (int r = 0; r < kOut; ++r) {
      const float out = 1.0f - static_cast<float>(r) / (kOut - 1);
      const float width = 0.07f + widest * out * (tall ? 1.0f : std::max(0.0f, cosine));
      const float depth = (angle.along >= 0 ? line.front : line.back);
      const float drop = tall ? 0.05f * out * out : 0.16f * out * out;
      const Vec3 p{(line.half_width + (tall ? width : 0.09f + 0.05f * out)) * angle.across,
                   kHatLine + 0.035f - drop - (angle.along < 0 ? 0.18f * -angle.along : 0.0f) +
                       (tall ? 0.06f * out * angle.across * angle.across
                             : -0.05f * out * angle.across * angle.across),
                   (depth + width) * angle.along};
      const std::size_t i = grid_.index(c, r);
      grid_.values[i] = {static_cast<float>(theta) * kDegrees, out, 0};
      grid_.points[i] = view.from_head(p);
    }
  }
  finish(tall);
  raster_grid(samples, grid_, kHatBrim, Faces::both);
}

}  // namespace sosia::world

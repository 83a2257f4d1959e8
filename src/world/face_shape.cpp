#include "world/face_shape.hpp"

#include <algorithm>
#include <cmath>

namespace sosia::world {
namespace {

using exact::bell;
using exact::clamp;
using exact::ramp;

// Traits are drawn uniformly on [-1, 1]; `spread` is what 1 does.
float trait(const FaceIdentity& identity, FaceTrait which) {
  return static_cast<float>(identity[which]);
}

struct ExpressionEffect {
  float corners, wider, gap, jaw, brows, slope, lids, press, fold, cheeks, frown, wrinkles;
};

// At strength 1, in units of the head's frame (lids and press: shares).
constexpr ExpressionEffect kEffects[kFaceExpressions] = {
    {0, 0, 0, 0, 0, 0, 0, 0, 0.25f, 0, 0, 0},                                      // neutral
    {0.075f, 0.05f, 0, 0, 0.005f, 0, -0.16f, -0.10f, 0.9f, 1, 0, 0},               // smile
    {0.085f, 0.06f, 0.125f, 0.07f, 0.02f, 0, -0.28f, -0.12f, 1, 1.2f, 0, 0},       // laugh
    {0, -0.045f, 0.20f, 0.14f, 0.10f, 0, 0.34f, 0, 0.1f, 0, 0, 1},                 // surprise
    {-0.055f, -0.015f, 0, 0, 0.015f, -0.32f, -0.18f, 0, 0.5f, -0.2f, 0.3f, 0.5f},  // sadness
    {-0.03f, -0.015f, 0, 0, -0.055f, 0.36f, -0.14f, -0.35f, 0.6f, 0.2f, 1, 0},     // anger
};

void place_cuts(FaceShape& s, const FaceIdentity& id) {
  const float width = 1.0f + 0.135f * trait(id, FaceTrait::face_width);
  const float jaw = width * (1.0f + 0.19f * trait(id, FaceTrait::jaw_width));
  const float cheek = width * (1.0f + 0.04f * trait(id, FaceTrait::cheekbones));
  const float half_jaw = 0.5f * (jaw + cheek);
  const float chin = s.chin_y;
  // Between chin and ear the heights follow the chin, so that a long face is long below.
  const auto between = [chin](float t) { return exact::mix(chin, 0.0f, t); };
  s.cuts = {{
      {chin + 0.16f, 0.36f, 0.20f, 0.42f},
      {chin + 0.02f, 0.24f * jaw, 0.56f, 0.25f},
      {chin + 0.015f, 0.26f * jaw, 0.70f, 0.26f},
      {between(0.10f), 0.37f * jaw, 0.79f, 0.30f},
      {between(0.27f), 0.515f * jaw, 0.805f, 0.40f},
      {between(0.47f), 0.615f * half_jaw, 0.815f, 0.52f},
      {between(0.75f), 0.675f * cheek, 0.825f, 0.66f},
      {0.02f, 0.705f * cheek, 0.825f, 0.80f},
      {0.32f, 0.715f * width, 0.845f, 0.92f},
      {0.62f, 0.715f * width, 0.815f, 0.98f},
      {0.90f, 0.625f * width, 0.66f, 0.88f},
      {1.10f, 0.47f * width, 0.48f, 0.66f},
      {1.20f, 0.29f * width, 0.29f, 0.42f},
      {1.242f, 0.13f * width, 0.13f, 0.19f},
      {s.crown_y, 0.0f, 0.0f, 0.0f},
  }};
}

void place_eyes(FaceShape& s, const FaceIdentity& id, const FaceAttributes& a,
                const ExpressionEffect& e, float strength) {
  const float size = 1.0f + 0.19f * trait(id, FaceTrait::eye_size);
  s.eye_x = 0.318f + 0.062f * trait(id, FaceTrait::eye_spacing) +
            0.018f * trait(id, FaceTrait::face_width);
  s.eye_y = 0.10f;
  s.eye_half_width = 0.176f * size;
  s.upper_lid = 0.081f * size;
  s.lower_lid = 0.050f * size;
  s.open =
      clamp((1.0f + e.lids * strength) * (1.0f - static_cast<float>(a.eyes_closed)), 0.0f, 1.5f);
  s.eye_slope = 0.03f + 0.15f * trait(id, FaceTrait::eye_tilt);
  s.iris_radius = 0.078f * (1.0f + 0.10f * trait(id, FaceTrait::eye_size));
  s.gaze_x = 0.055f * static_cast<float>(a.gaze_x);
  s.gaze_y = 0.03f * static_cast<float>(a.gaze_y);
  s.brow_y = s.eye_y + 0.215f + 0.055f * trait(id, FaceTrait::brow_height) + e.brows * strength;
  s.brow_inner = s.eye_x - 0.205f;
  s.brow_outer = s.eye_x + 0.225f;
  s.brow_half_thickness = 0.034f * (1.0f + 0.68f * trait(id, FaceTrait::brow_thickness));
  s.brow_arch = 0.050f + 0.055f * trait(id, FaceTrait::brow_arch);
  s.brow_slope = e.slope * strength;
}

void place_nose_and_mouth(FaceShape& s, const FaceIdentity& id, const ExpressionEffect& e,
                          float strength) {
  const float longer = trait(id, FaceTrait::nose_length);
  s.nose_top_y = s.eye_y + 0.10f;
  s.nose_base_y = -0.345f - 0.105f * longer - 0.03f * trait(id, FaceTrait::face_length);
  s.nose_tip_y = s.nose_base_y + 0.085f;
  s.nose_half_width = 0.168f * (1.0f + 0.36f * trait(id, FaceTrait::nose_width)) *
                      (1.0f + 0.05f * std::max(0.0f, e.corners) * strength * 10.0f);
  s.nose_projection = 0.255f + 0.045f * longer;
  const float rest_chin = s.chin_y + s.jaw_drop;
  s.mouth_y = exact::mix(s.nose_base_y, rest_chin, 0.345f);
  s.mouth_half_width =
      0.255f * (1.0f + 0.26f * trait(id, FaceTrait::mouth_width)) + e.wider * strength;
  const float fullness =
      (1.0f + 0.58f * trait(id, FaceTrait::lip_fullness)) * (1.0f + e.press * strength);
  s.upper_lip = 0.058f * fullness;
  s.lower_lip = 0.082f * fullness;
  s.corner_rise = e.corners * strength;
  s.gap = e.gap * strength;
  s.teeth = e.corners > 0.0f;
  s.fold = e.fold * (strength > 0.0f ? std::max(strength, 0.25f) : 0.25f);
  s.cheek_rise = e.cheeks * strength;
  s.frown = e.frown * strength;
  s.wrinkles = e.wrinkles * strength;
}

}  // namespace

CutAngle cut_angle(double theta) {
  const double sine = exact::sin(theta), cosine = exact::cos(theta);
  const auto power = [](double v) {
    const double p = exact::pow(std::abs(v), kCutPower);
    return static_cast<float>(v < 0 ? -p : p);
  };
  return {power(sine), power(cosine)};
}

FaceShape make_face_shape(const FaceIdentity& id, const FaceAttributes& a) {
  FaceShape s;
  const ExpressionEffect& e = kEffects[static_cast<std::size_t>(a.expression)];
  const auto strength = static_cast<float>(a.expression_strength);
  s.jaw_drop = e.jaw * strength;
  s.chin_y = -1.05f - 0.125f * trait(id, FaceTrait::face_length) -
             0.085f * trait(id, FaceTrait::chin_length) - s.jaw_drop;
  s.crown_y = 1.25f + 0.03f * trait(id, FaceTrait::face_length);
  s.hairline_y = 0.77f + 0.13f * trait(id, FaceTrait::hairline);
  s.cheekbones = trait(id, FaceTrait::cheekbones);
  place_cuts(s, id);
  place_eyes(s, id, a, e, strength);
  place_nose_and_mouth(s, id, e, strength);
  s.ear_y = -0.06f;
  s.ear_size = 1.0f + 0.08f * trait(id, FaceTrait::nose_length);
  s.mole_x = 0.56f * trait(id, FaceTrait::mole_x);
  const float height = trait(id, FaceTrait::mole_y);
  s.mole_y = -0.22f + 0.52f * height;
  return s;
}

namespace {

// Catmull and Rom, between b (t = 0) and c (t = 1).
float spline(float a, float b, float c, float d, float t) {
  return b + 0.5f * t *
                 (c - a + t * (2.0f * a - 5.0f * b + 4.0f * c - d + t * (3.0f * (b - c) + d - a)));
}

}  // namespace

float FaceShape::height_at(float s) const {
  const float clamped = clamp(s, 0.0f, static_cast<float>(kCuts - 1));
  const int i = std::min(static_cast<int>(clamped), kCuts - 2);
  const auto y = [this](int at) { return cuts[static_cast<std::size_t>(at)].y; };
  return spline(y(std::max(i - 1, 0)), y(i), y(i + 1), y(std::min(i + 2, kCuts - 1)),
                clamped - static_cast<float>(i));
}

HeadCut FaceShape::cut_at(float s) const {
  const float clamped = clamp(s, 0.0f, static_cast<float>(kCuts - 1));
  const int i = std::min(static_cast<int>(clamped), kCuts - 2);
  const float t = clamped - static_cast<float>(i);
  const HeadCut& p0 = cuts[static_cast<std::size_t>(std::max(i - 1, 0))];
  const HeadCut& p1 = cuts[static_cast<std::size_t>(i)];
  const HeadCut& p2 = cuts[static_cast<std::size_t>(i + 1)];
  const HeadCut& p3 = cuts[static_cast<std::size_t>(std::min(i + 2, kCuts - 1))];
  return {spline(p0.y, p1.y, p2.y, p3.y, t),
          std::max(0.0f, spline(p0.half_width, p1.half_width, p2.half_width, p3.half_width, t)),
          std::max(0.0f, spline(p0.front, p1.front, p2.front, p3.front, t)),
          std::max(0.0f, spline(p0.back, p1.back, p2.back, p3.back, t))};
}

float FaceShape::parameter_of(float y) const {
  // Heights grow from cut to cut: first the pair that encloses y, then halving between the two.
  int above = 3;
  while (above < kCuts - 1 && cuts[static_cast<std::size_t>(above)].y < y) ++above;
  float low = static_cast<float>(above - 1), high = static_cast<float>(above);
  for (int i = 0; i < 12; ++i) {
    const float middle = 0.5f * (low + high);
    (height_at(middle) < y ? low : high) = middle;
  }
  return 0.5f * (low + high);
}

float FaceShape::mouth_line(float x) const {
  const float u = clamp(x / mouth_half_width, -1.2f, 1.2f);
  return mouth_y + corner_rise * (u * u - 0.35f) - 0.012f * (1.0f - u * u) - 0.45f * gap;
}

float FaceShape::relief(float x, float y) const {
  const float ax = std::abs(x);
  float z = 0;
  if (y > -0.45f && y < 0.75f) {
    // Brow ridge, eye sockets, eyeballs.
    z += 0.035f * bell(y - (brow_y - 0.06f), 0.11f, ax - 0.30f, 0.30f);
    const float ex = ax - eye_x, ey = y - eye_y;
    z -= 0.085f * bell(ex, 0.19f, ey - 0.015f, 0.13f);
    z -= 0.055f * bell(ax - 0.10f, 0.07f, ey - 0.02f, 0.12f);
    z += 0.060f * bell(ex, 0.12f, ey, 0.085f);
    z += (0.035f + 0.028f * cheekbones + 0.022f * cheek_rise) *
         bell(ax - 0.44f, 0.17f, y + 0.16f - 0.05f * cheek_rise, 0.15f);
  }
  if (y < nose_top_y + 0.15f && y > nose_base_y - 0.15f && ax < 0.5f) {
    const float t = clamp((nose_top_y - y) / (nose_top_y - nose_tip_y), 0.0f, 1.0f);
    const float end = ramp(nose_base_y - 0.045f, nose_tip_y - 0.01f, y);
    const float start = y > nose_top_y ? bell(y - nose_top_y, 0.10f) : 1.0f;
    const float height = nose_projection * (0.24f + 0.76f * t * exact::square_root(t));
    const float half = exact::mix(0.062f, 0.105f, t * t) * (0.55f + 2.68f * nose_half_width);
    z += height * start * end * bell(ax, half);
    // Wings.
    z += 0.095f * bell(ax - 0.70f * nose_half_width, 0.062f, y - nose_base_y - 0.05f, 0.062f);
  }
  if (y < 0.0f) {
    const float u = clamp(ax / mouth_half_width, 0.0f, 1.6f);
    const float line = mouth_line(x);
    const float lips = bell(u, 0.85f);
    z += 0.055f * bell(y - line, 0.17f, ax, 0.36f);  // the teeth's arch
    z += 0.038f * lips * bell(y - line - 0.5f * upper_lip - 0.5f * gap, 0.035f + 0.4f * upper_lip);
    z += 0.045f * lips * bell(y - line + 0.55f * lower_lip + 0.5f * gap, 0.035f + 0.4f * lower_lip);
    if (gap < 0.01f) z -= 0.03f * bell(u, 0.95f, y - line, 0.018f);
    // Groove under the lower lip, chin, hollow cheeks, folds.
    const float under = line - 0.5f * gap - lower_lip - 0.06f;
    z -= 0.035f * bell(ax, 0.20f, y - under, 0.055f);
    z += 0.055f * bell(ax, 0.17f, y - chin_y - 0.15f, 0.12f);
    z -= 0.022f * (1.0f + 0.8f * cheekbones) * bell(ax - 0.47f, 0.13f, y + 0.52f, 0.20f);
    const float fold_t = clamp((nose_base_y + 0.06f - y) / 0.36f, 0.0f, 1.0f);
    const float fold_x = exact::mix(nose_half_width + 0.035f, mouth_half_width + 0.085f, fold_t);
    const float inside =
        ramp(nose_base_y - 0.36f, nose_base_y - 0.16f, y) * (y < nose_base_y + 0.10f ? 1.0f : 0.0f);
    z += 0.030f * fold * inside *
         (bell(ax - fold_x - 0.055f, 0.055f) - 0.7f * bell(ax - fold_x, 0.028f));
  }
  return z;
}

Vec3 FaceShape::front_point(float x, float y) const {
  const HeadCut cut = cut_at(parameter_of(y));
  const double share = std::min(0.999, std::abs(static_cast<double>(x)) /
                                           std::max(1e-3, static_cast<double>(cut.half_width)));
  constexpr double kExponent = 2.0 / kCutPower;
  const double z = exact::pow(1.0 - exact::pow(share, kExponent), 1.0 / kExponent);
  return {x, y, cut.front * static_cast<float>(z) + relief(x, y)};
}

namespace {

void jaw_points(const FaceShape& s, std::array<Vec3, 68>& p) {
  // From one ear over the chin to the other, along the cheek's edge.
  for (int i = 0; i <= 16; ++i) {
    const double t = (i - 8) / 8.0;  // -1 left ear, 1 right ear
    const double side = std::abs(t);
    // Height over the chin grows slowly at first, as on a jaw.
    const auto y = static_cast<float>(
        exact::mix(static_cast<double>(s.chin_y) + 0.02, 0.08, side * side * (1.35 - 0.35 * side)));
    const HeadCut cut = s.cut_at(s.parameter_of(y));
    const double theta = exact::radians(78.0 * exact::pow(side, 0.75)) * (t < 0 ? -1 : 1);
    const CutAngle angle = cut_angle(theta);
    p[static_cast<std::size_t>(i)] = {
        cut.half_width * angle.across, y,
        cut.front * angle.along +
            s.relief(cut.half_width * angle.across, y) * std::max(0.0f, angle.along)};
  }
}

void brow_points(const FaceShape& s, std::array<Vec3, 68>& p) {
  for (int i = 0; i < 5; ++i) {
    const float t = static_cast<float>(i) / 4.0f;  // 0 inner, 1 outer
    const float x = exact::mix(s.brow_inner, s.brow_outer, t);
    const float arch = s.brow_arch * (1.0f - (2.0f * t - 1.1f) * (2.0f * t - 1.1f));
    const float y =
        s.brow_y + arch - s.brow_slope * 0.2f * (1.0f - t) + s.eye_slope * 0.3f * (t - 0.5f) * 0.4f;
    p[static_cast<std::size_t>(22 + i)] = s.front_point(x, y);
    p[static_cast<std::size_t>(21 - i)] = s.front_point(-x, y);
  }
}

void nose_points(const FaceShape& s, std::array<Vec3, 68>& p) {
  for (int i = 0; i < 4; ++i) {
    const float t = static_cast<float>(i) / 3.0f;
    p[static_cast<std::size_t>(27 + i)] =
        s.front_point(0, exact::mix(s.nose_top_y - 0.04f, s.nose_tip_y, t));
  }
  for (int i = 0; i < 5; ++i) {
    const float t = static_cast<float>(i - 2) / 2.0f;
    const float drop = 0.02f * (1.0f - std::abs(t));
    p[static_cast<std::size_t>(31 + i)] =
        s.front_point(0.78f * t * s.nose_half_width, s.nose_base_y - drop);
  }
}

void eye_points(const FaceShape& s, std::array<Vec3, 68>& p) {
  const auto lid = [&s](float u, bool upper) {
    const float arc = 1.0f - u * u;
    const float height = (upper ? s.upper_lid : -s.lower_lid) * s.open * arc;
    return s.front_point(s.eye_x + u * s.eye_half_width,
                         s.eye_y + s.eye_slope * u * s.eye_half_width + height);
  };
  const auto mirror = [](Vec3 v) { return Vec3{-v.x, v.y, v.z}; };
  // The right eye of the picture runs from its inner corner (42), the left one from its outer (36).
  const float us[6] = {-1, -0.4f, 0.4f, 1, 0.4f, -0.4f};
  for (std::size_t i = 0; i < 6; ++i) {
    p[42 + i] = lid(us[i], i >= 1 && i <= 2);
  }
  const std::size_t mirrored[6] = {45, 44, 43, 42, 47, 46};
  for (std::size_t i = 0; i < 6; ++i) p[36 + i] = mirror(p[mirrored[i]]);
}

void mouth_points(const FaceShape& s, std::array<Vec3, 68>& p) {
  const auto at = [&s](float u, float offset) {
    const float x = u * s.mouth_half_width;
    return s.front_point(x, s.mouth_line(x) + offset);
  };
  const auto arc = [](float u) { return 1.0f - u * u; };
  const float outer[7] = {-1, -0.6f, -0.22f, 0, 0.22f, 0.6f, 1};
  for (std::size_t i = 0; i < 7; ++i) {
    const float u = outer[i];
    const float dip = i == 3 ? 0.85f : 1.0f;
    p[48 + i] = at(u, (0.5f * s.gap + s.upper_lip * dip) * arc(u));
  }
  const float lower[5] = {0.6f, 0.25f, 0, -0.25f, -0.6f};
  for (std::size_t i = 0; i < 5; ++i) {
    p[55 + i] = at(lower[i], -(0.5f * s.gap + s.lower_lip) * arc(lower[i]));
  }
  const float inner[5] = {-0.85f, -0.3f, 0, 0.3f, 0.85f};
  for (std::size_t i = 0; i < 5; ++i) p[60 + i] = at(inner[i], 0.5f * s.gap * arc(inner[i]));
  const float inner_lower[3] = {0.3f, 0, -0.3f};
  for (std::size_t i = 0; i < 3; ++i) {
    p[65 + i] = at(inner_lower[i], -0.5f * s.gap * arc(inner_lower[i]));
  }
}

}  // namespace

std::array<Vec3, 68> face_points(const FaceShape& s) {
  std::array<Vec3, 68> points{};
  jaw_points(s, points);
  brow_points(s, points);
  nose_points(s, points);
  eye_points(s, points);
  mouth_points(s, points);
  return points;
}

}  // namespace sosia::world

#include "world/face_paint.hpp"

#include <cmath>

namespace sosia::world {
namespace {

using exact::bell;
using exact::clamp;
using exact::ramp;

float linear_channel(int value) {
  static const std::array<float, 256> table = [] {
    std::array<float, 256> t{};
    for (int i = 0; i < 256; ++i) {
      const double v = i / 255.0;
      t[static_cast<std::size_t>(i)] =
          static_cast<float>(v <= 0.04045 ? v / 12.92 : exact::pow((v + 0.055) / 1.055, 2.4));
    }
    return t;
  }();
  return table[static_cast<std::size_t>(clamp(value, 0, 255))];
}

Rgb skin_of(float tone, float warmth) {
  // From light to dark; tone in [0, 1].
  static const Rgb kTones[] = {linear(247, 218, 200), linear(236, 193, 165), linear(212, 160, 122),
                               linear(176, 121, 82),  linear(126, 80, 52),   linear(82, 52, 38)};
  constexpr int kSteps = static_cast<int>(std::size(kTones)) - 1;
  const float scaled = clamp(tone, 0.0f, 1.0f) * kSteps;
  const int i = std::min(static_cast<int>(scaled), kSteps - 1);
  const Rgb base = mix(kTones[i], kTones[i + 1], scaled - static_cast<float>(i));
  // Rosy to olive.
  return {base.r * (1.0f - 0.07f * warmth), base.g * (1.0f + 0.07f * warmth),
          base.b * (1.0f - 0.13f * warmth)};
}

Rgb iris_of(float t) {
  static const Rgb kIris[] = {linear(58, 32, 18), linear(104, 64, 28), linear(112, 108, 52),
                              linear(122, 132, 138), linear(84, 130, 188)};
  constexpr int kSteps = static_cast<int>(std::size(kIris)) - 1;
  const float scaled = clamp(t, 0.0f, 1.0f) * kSteps;
  const int i = std::min(static_cast<int>(scaled), kSteps - 1);
  return mix(kIris[i], kIris[i + 1], scaled - static_cast<float>(i));
}

}  // namespace

Rgb linear(int red, int green, int blue) {
  return {linear_channel(red), linear_channel(green), linear_channel(blue)};
}

SrgbEncoder::SrgbEncoder() {
  for (int i = 0; i <= kSteps + 1; ++i) {
    const double v = std::min(1.0, static_cast<double>(i) / kSteps);
    table_[static_cast<std::size_t>(i)] =
        static_cast<float>(v <= 0.0031308 ? 12.92 * v : 1.055 * exact::pow(v, 1 / 2.4) - 0.055);
  }
}

Rgb colour_of(FaceHairColour colour) {
  static const Rgb kColours[kFaceHairColours] = {linear(28, 24, 24),    linear(84, 54, 34),
                                                 linear(142, 62, 28),   linear(214, 174, 102),
                                                 linear(136, 134, 132), linear(226, 224, 218)};
  return kColours[static_cast<std::size_t>(colour)];
}

Rgb colour_of(FaceColour colour) {
  static const Rgb kColours[kFaceColours] = {
      linear(232, 232, 228), linear(138, 140, 142), linear(38, 38, 42),  linear(186, 44, 40),
      linear(226, 184, 52),  linear(52, 132, 70),   linear(46, 88, 172), linear(124, 66, 152)};
  return kColours[static_cast<std::size_t>(colour)];
}

FaceLight make_light(const FaceAttributes& a, const FaceView& view) {
  FaceLight light;
  const double azimuth = exact::radians(a.light_azimuth_deg);
  const double elevation = exact::radians(a.light_elevation_deg);
  light.key = {static_cast<float>(exact::cos(elevation) * exact::sin(azimuth)),
               static_cast<float>(exact::sin(elevation)),
               static_cast<float>(exact::cos(elevation) * exact::cos(azimuth))};
  light.half = normalized(light.key + Vec3{0, 0, 1});
  light.key_in_head = view.head.apply_inverse(light.key);
  const auto warmth = static_cast<float>(a.light_warmth);
  const Rgb tint{1.0f + 0.10f * warmth, 1.0f, 1.0f - 0.16f * warmth};
  light.colour = tint * (0.86f * static_cast<float>(a.light_strength));
  // The sky or the room: the opposite tint, weakly.
  light.ambient = Rgb{1.0f - 0.03f * warmth, 1.0f, 1.0f + 0.05f * warmth} *
                  (0.80f * static_cast<float>(a.ambient));
  return light;
}

FacePaint::FacePaint(const FaceIdentity& id, const FaceAttributes& a, const FaceShape& shape,
                     const FaceView& view, const HairLine& hair, const FaceLight& light)
    : shape_(shape),
      hair_(hair),
      light_(light),
      sharp_(view.scale),
      hair_colour_(colour_of(a.hair_colour)),
      beard_kind_(a.beard),
      brim_(a.hat == FaceHat::cap || a.hat == FaceHat::brim),
      seed_(a.texture_seed) {
  const auto trait = [&id](FaceTrait which) { return static_cast<float>(id[which]); };
  const float tone = 0.5f + 0.5f * trait(FaceTrait::skin_tone);
  skin_ = skin_of(tone, trait(FaceTrait::skin_warmth));
  lip_ = skin_ * Rgb{0.82f, 0.52f, 0.54f} + Rgb{0.045f, 0, 0.005f};
  static const Rgb kFair = linear(168, 128, 84), kBlack = linear(22, 18, 18);
  brow_ = mix(kFair, kBlack, 0.5f + 0.5f * trait(FaceTrait::brow_tone));
  brow_ = mix(brow_, skin_ * 0.25f, 0.25f);
  iris_ = iris_of(0.5f + 0.5f * trait(FaceTrait::eye_colour));
}

void FacePaint::texture(Vec3 p, Skin& skin) const {
  const float blotch = value_noise(p.x * 5.0f + 17.0f, p.y * 5.0f + p.z * 2.0f, 77u);
  // Grain that a small picture cannot show is left out.
  const float grain =
      sharp_ > 60.0f ? value_noise(p.x * 27.0f, p.y * 27.0f + p.z * 13.0f, 78u) : 0.0f;
  skin.albedo = skin_ * (1.0f + 0.045f * blotch + 0.03f * grain);
  const float ax = std::abs(p.x);
  // Cheeks, nose and ears have more blood; the forehead less.
  const float blush = 0.55f * bell(ax - 0.42f, 0.20f, p.y + 0.22f, 0.20f) +
                      0.5f * bell(p.x, 0.12f, p.y - shape_.nose_tip_y, 0.10f) +
                      0.3f * bell(p.x, 0.16f, p.y - shape_.chin_y - 0.14f, 0.12f);
  skin.albedo = skin.albedo * Rgb{1.0f + 0.03f * blush, 1.0f - 0.17f * blush, 1.0f - 0.15f * blush};
  // Thin skin below the eyes.
  const float bag = bell(ax - shape_.eye_x, 0.15f, p.y - shape_.eye_y + 0.105f, 0.05f);
  skin.albedo = skin.albedo * Rgb{1.0f - 0.10f * bag, 1.0f - 0.16f * bag, 1.0f - 0.10f * bag};
  skin.gloss = 0.10f + 0.16f * bell(p.x, 0.30f, p.y - 0.55f, 0.25f) +
               0.22f * bell(p.x, 0.08f, p.y - shape_.nose_tip_y, 0.16f) +
               0.10f * bell(ax - 0.42f, 0.14f, p.y + 0.10f, 0.12f);
}

void FacePaint::mole(Vec3 p, Skin& skin) const {
  const float dx = p.x - shape_.mole_x, dy = p.y - shape_.mole_y;
  const float spot = cover(0.026f - exact::square_root(dx * dx + dy * dy));
  if (spot > 0) skin.albedo = mix(skin.albedo, skin_ * 0.22f, 0.85f * spot);
}

void FacePaint::shadows(Vec3 p, Skin& skin) const {
  const float ax = std::abs(p.x);
  const FaceShape& s = shape_;
  float dark = 0.42f * bell(ax - s.eye_x + 0.02f, 0.20f, p.y - s.eye_y - 0.07f, 0.09f);
  dark += 0.35f * bell(ax - 0.12f, 0.06f, p.y - s.eye_y - 0.02f, 0.10f);
  dark += 0.34f * bell(ax, 0.8f * s.nose_half_width + 0.02f, p.y - s.nose_base_y + 0.035f, 0.045f);
  dark += 0.40f * bell(ax - s.nose_half_width - 0.02f, 0.035f, p.y - s.nose_base_y - 0.06f, 0.07f);
  dark +=
      0.38f * bell(ax, 0.16f, p.y - s.mouth_line(p.x) + 0.5f * s.gap + s.lower_lip + 0.06f, 0.045f);
  dark += 0.35f * bell(ax - s.mouth_half_width - 0.02f, 0.03f,
                       p.y - s.mouth_y - 0.65f * s.corner_rise, 0.035f);
  if (s.frown > 0) {
    dark += 0.5f * s.frown * bell(ax - 0.045f, 0.014f, p.y - s.brow_y - 0.01f, 0.08f);
  }
  if (s.wrinkles > 0 && p.y > s.brow_y + 0.08f) {
    const float wave = p.y + 0.03f * bell(p.x, 0.2f);
    for (int i = 0; i < 3; ++i) {
      dark += 0.28f * s.wrinkles *
              bell(wave - s.brow_y - 0.15f - 0.085f * static_cast<float>(i), 0.012f, p.x, 0.38f);
    }
  }
  skin.occlusion = 1.0f - std::min(dark, 0.85f);
  skin.shadow = 1.0f - std::min(0.6f * dark, 0.7f);
  // The nose's own shadow, away from the light.
  const Vec3 l = light_.key_in_head;
  if (l.z > 0.05f) {
    const float reach = std::min(0.32f, 0.20f * std::abs(l.x) / l.z);
    const float drop = clamp(0.16f * l.y / l.z, -0.05f, 0.16f);
    const float x = p.x + (l.x > 0 ? 1.0f : -1.0f) * (0.10f + reach * 0.5f);
    const float fall = std::min(1.0f, std::abs(l.x) * 1.6f);
    skin.shadow *=
        1.0f - 0.55f * fall *
                   bell(x, 0.07f + 0.4f * reach, p.y - s.nose_tip_y - 0.02f + drop * 0.7f, 0.15f);
    skin.shadow *= 1.0f - 0.45f * clamp(l.y * 1.4f, 0.0f, 1.0f) *
                              bell(p.x - l.x * -0.10f, s.nose_half_width,
                                   p.y - s.nose_base_y + 0.5f * drop, 0.05f);
  }
  if (brim_ && l.y > 0) {
    const float edge = exact::mix(0.45f, 0.05f, std::min(1.0f, l.y * 1.5f));
    skin.shadow *= 1.0f - 0.75f * ramp(edge - 0.12f, edge + 0.10f, p.y);
    skin.occlusion *= 1.0f - 0.35f * ramp(0.15f, 0.55f, p.y);
  }
}

void FacePaint::scalp(Vec3 p, Skin& skin) const {
  const float t = p.x / std::max(0.05f, std::abs(p.z));
  float degrees = 57.3f * t / (1.0f + 0.28f * t * t);
  if (std::abs(t) > 1.0f) {
    const float inverse = 1.0f / t;
    degrees = (t > 0 ? 90.0f : -90.0f) - 57.3f * inverse / (1.0f + 0.28f * inverse * inverse);
  }
  if (p.z < 0) degrees = (degrees > 0 ? 180.0f : -180.0f) - degrees;
  const float inside = hair_.depth(degrees, p.y);
  if (hair_.style == FaceHair::bald) {
    // Shaved: a shade of what would grow.
    const float grain = value_noise(p.x * 40.0f, p.y * 40.0f + p.z * 31.0f, 79u);
    const float shade = ramp(-0.03f, 0.10f, inside) * (0.16f + 0.05f * grain);
    skin.albedo = mix(skin.albedo, hair_colour_ * 0.6f, shade);
    skin.gloss += 0.12f * ramp(0.0f, 0.3f, inside);
    return;
  }
  // The shadow of the hair on the forehead; scalp shows through thin edges.
  const float near = ramp(-0.16f, 0.02f, inside);
  skin.occlusion *= 1.0f - 0.45f * near;
  skin.shadow *= 1.0f - 0.35f * near;
  if (inside > 0) skin.albedo = mix(skin.albedo, hair_colour_, 0.7f * ramp(0.0f, 0.05f, inside));
}

void FacePaint::eyeball(float dx, float dy, float u, float top, Skin& skin) const {
  const float lid_shade = ramp(0.075f, 0.0f, top - dy);
  Rgb white = Rgb{0.74f, 0.70f, 0.68f} * (1.0f - 0.35f * u * u);
  white = white * Rgb{1.0f, 1.0f - 0.10f * u * u, 1.0f - 0.12f * u * u};
  const float ix = dx - shape_.gaze_x, iy = dy - shape_.gaze_y - 0.008f;
  const float r = exact::square_root(ix * ix + iy * iy);
  const float radius = shape_.iris_radius;
  const float iris = cover(radius - r);
  if (iris > 0) {
    const float ring = ramp(0.70f * radius, radius, r);
    const float spokes = 0.85f + 0.25f * value_noise(ix * 160.0f, iy * 160.0f, 80u);
    Rgb colour = iris_ * ((1.25f - 0.85f * ring) * spokes);
    colour = mix(colour, Rgb{0.01f, 0.01f, 0.012f}, cover(0.42f * radius - r));
    white = mix(white, colour, iris);
  }
  skin.albedo = white;
  skin.occlusion = 1.0f - 0.55f * lid_shade;
  skin.shadow = 1.0f - 0.55f * lid_shade;
  const float gx = ix - 0.4f * radius * (light_.key.x > 0 ? 1.0f : -1.0f), gy = iy - 0.38f * radius;
  const float glint = cover(0.24f * radius - exact::square_root(gx * gx + gy * gy));
  skin.glow = light_.colour * (0.75f * glint);
  skin.eye = 1;
}

void FacePaint::eye(Vec3 p, Skin& skin) const {
  const float side = p.x < 0 ? -1.0f : 1.0f;
  const float dx = std::abs(p.x) - shape_.eye_x;
  const float u = dx / shape_.eye_half_width;
  if (std::abs(u) > 1.35f) return;
  const float dy = p.y - shape_.eye_y - shape_.eye_slope * dx;
  if (dy > 0.24f || dy < -0.16f) return;
  const float arc = std::max(0.0f, 1.0f - u * u);
  const float open = shape_.open;
  const float top = shape_.upper_lid * open * arc -
                    (1.0f - std::min(open, 1.0f)) * 0.85f * shape_.lower_lid * arc;
  const float bottom = -shape_.lower_lid * arc * (0.85f + 0.15f * open);
  // The lid's crease and the shade over it.
  const float crease = top + 0.035f + 0.022f * arc;
  const float along = ramp(1.30f, 0.85f, std::abs(u));
  const float line = bell(dy - crease, 0.016f) * along * (open > 0.15f ? 1.0f : 0.4f);
  skin.albedo = skin.albedo * (1.0f - 0.42f * line);
  const float lid = dy > top && dy < crease ? along : 0.0f;
  skin.albedo = skin.albedo * Rgb{1.0f - 0.05f * lid, 1.0f - 0.12f * lid, 1.0f - 0.10f * lid};
  if (std::abs(u) < 1.0f && open > 0.02f) {
    const float inside = cover(std::min(top - dy, dy - bottom));
    if (inside > 0) {
      Skin ball = skin;
      eyeball(side * dx, dy, u, top, ball);
      // The inner corner is pink.
      ball.albedo = mix(ball.albedo, Rgb{0.55f, 0.25f, 0.22f}, 0.7f * ramp(-0.80f, -0.98f, u));
      skin.albedo = mix(skin.albedo, ball.albedo, inside);
      skin.occlusion = exact::mix(skin.occlusion, ball.occlusion, inside);
      skin.shadow = exact::mix(skin.shadow, ball.shadow, inside);
      skin.glow = ball.glow * inside;
      skin.eye = inside;
      if (inside > 0.5f) skin.part = side < 0 ? FacePart::left_eye : FacePart::right_eye;
    }
  }
  // Lashes: a dark line above, thicker outwards, a faint one below.
  if (std::abs(u) < 1.10f) {
    const float thick = 0.013f + 0.009f * ramp(-0.5f, 0.9f, u);
    const float upper =
        cover(thick - std::abs(dy - top - 0.004f)) * ramp(1.10f, 0.92f, std::abs(u));
    const float lower =
        0.35f * cover(0.008f - std::abs(dy - bottom)) * ramp(1.05f, 0.75f, std::abs(u));
    const float lash = std::max(upper, lower);
    skin.albedo = mix(skin.albedo, Rgb{0.018f, 0.012f, 0.010f}, 0.9f * lash);
    skin.eye *= 1.0f - lash;
    skin.glow = skin.glow * (1.0f - lash);
  }
}

void FacePaint::brow(Vec3 p, Skin& skin) const {
  const FaceShape& s = shape_;
  const float ax = std::abs(p.x);
  const float t = (ax - s.brow_inner) / (s.brow_outer - s.brow_inner);
  if (t < -0.12f || t > 1.12f) return;
  const float bend = 2.0f * t - 1.1f;
  const float middle = s.brow_y + s.brow_arch * (1.0f - bend * bend) -
                       s.brow_slope * 0.2f * (1.0f - t) + s.eye_slope * 0.12f * (t - 0.5f);
  const float half = s.brow_half_thickness * (0.30f + 0.70f * ramp(1.05f, 0.45f, t)) *
                     (0.55f + 0.45f * ramp(-0.10f, 0.16f, t));
  const float dy = p.y - middle;
  if (std::abs(dy) > half + 0.05f) return;
  const float strokes = value_noise(ax * 44.0f - dy * 30.0f, dy * 9.0f, 81u);
  const float soft = (half - std::abs(dy)) + 0.012f * strokes;
  const float ends = ramp(-0.10f, 0.06f, t) * ramp(1.10f, 0.94f, t);
  const float alpha = clamp(0.5f + soft / (0.018f + 1.0f / sharp_), 0.0f, 1.0f) * ends;
  skin.albedo = mix(skin.albedo, brow_ * (1.0f + 0.25f * strokes), 0.88f * alpha);
  skin.gloss *= 1.0f - alpha;
  if (alpha > 0.45f) skin.part = p.x < 0 ? FacePart::left_brow : FacePart::right_brow;
}

void FacePaint::nose(Vec3 p, Skin& skin) const {
  const FaceShape& s = shape_;
  const float ax = std::abs(p.x);
  const float t = clamp((s.nose_top_y - p.y) / (s.nose_top_y - s.nose_base_y), 0.0f, 1.0f);
  const float half = exact::mix(0.075f, s.nose_half_width + 0.015f, t * t);
  if (p.y < s.nose_top_y && p.y > s.nose_base_y - 0.035f && ax < half) skin.part = FacePart::nose;
  const float u = (ax - 0.47f * s.nose_half_width) / (0.30f * s.nose_half_width);
  const float v = (p.y - s.nose_base_y - 0.004f - 0.06f * (ax - 0.05f)) / 0.024f;
  if (std::abs(u) < 1.6f && std::abs(v) < 2.2f) {
    const float hole =
        clamp(0.5f + (1.0f - exact::square_root(u * u + v * v)) * 0.024f * sharp_, 0.0f, 1.0f);
    skin.albedo = mix(skin.albedo, skin_ * Rgb{0.14f, 0.07f, 0.06f}, 0.70f * hole);
    skin.gloss *= 1.0f - hole;
  }
}

void FacePaint::teeth(Vec3 p, float above, float share, Skin& skin) const {
  // `above`: distance below the upper lip; `share` of the gap, 0 top to 1 bottom.
  Rgb colour{0.035f, 0.010f, 0.010f};
  colour = mix(colour, Rgb{0.34f, 0.085f, 0.085f}, ramp(0.55f, 0.95f, share));
  const float length = shape_.teeth ? 0.072f : 0.030f;
  const float tooth = cover(length - above);
  if (tooth > 0) {
    const float u = p.x / shape_.mouth_half_width;
    const float pitch = p.x / 0.062f;
    const float nearest = std::abs(pitch - static_cast<float>(exact::floor_to_int(pitch + 0.5f)));
    const float slit = 1.0f - 0.25f * ramp(0.10f, 0.0f, nearest);
    colour = mix(colour, Rgb{0.78f, 0.75f, 0.68f} * (slit * (1.0f - 0.45f * u * u)), tooth);
  }
  skin.albedo = colour;
  skin.occlusion = 0.75f;
  skin.shadow = 0.70f;
  skin.gloss = 0.1f;
  skin.part = FacePart::mouth;
}

void FacePaint::mouth(Vec3 p, Skin& skin) const {
  const FaceShape& s = shape_;
  const float u = p.x / s.mouth_half_width;
  if (std::abs(u) > 1.12f) return;
  const float arc = std::max(0.0f, 1.0f - u * u);
  const float line = s.mouth_line(p.x);
  const float dy = p.y - line;
  const float half_gap = 0.5f * s.gap * arc;
  const float bow = 1.0f - 0.20f * bell(u, 0.13f) + 0.06f * bell(std::abs(u) - 0.24f, 0.14f);
  const float top = half_gap + s.upper_lip * bow * arc;
  const float bottom = -half_gap - s.lower_lip * (0.25f * arc + 0.75f * exact::square_root(arc)) *
                                       (arc > 0 ? 1.0f : 0.0f);
  if (dy > top + 0.04f || dy < bottom - 0.04f) return;
  const float lips = cover(std::min(top - dy, dy - bottom) + 0.003f);
  const float crease = value_noise(p.x * 60.0f, p.y * 6.0f, 82u);
  const bool upper = dy > 0;
  Rgb colour = lip_ * (1.0f + 0.08f * crease) * (upper ? 0.82f : 1.0f);
  skin.albedo = mix(skin.albedo, colour, 0.85f * lips);
  skin.gloss = exact::mix(skin.gloss, upper ? 0.10f : 0.30f, lips);
  skin.occlusion = exact::mix(skin.occlusion, 1.0f, 0.6f * lips);
  if (lips > 0.5f) skin.part = upper ? FacePart::upper_lip : FacePart::lower_lip;
  if (s.gap > 0.012f) {
    const float inside = cover(half_gap - std::abs(dy));
    if (inside > 0) {
      Skin hole = skin;
      teeth(p, half_gap - dy, clamp(0.5f - 0.5f * dy / std::max(half_gap, 1e-3f), 0.0f, 1.0f),
            hole);
      skin.albedo = mix(skin.albedo, hole.albedo, inside);
      skin.occlusion = exact::mix(skin.occlusion, hole.occlusion, inside);
      skin.shadow = exact::mix(skin.shadow, hole.shadow, inside);
      if (inside > 0.5f) skin.part = FacePart::mouth;
    }
  } else {
    const float seam = bell(dy, 0.010f + 0.35f / sharp_) * ramp(1.12f, 0.95f, std::abs(u));
    skin.albedo = skin.albedo * (1.0f - 0.78f * seam);
    skin.gloss *= 1.0f - seam;
  }
}

void FacePaint::beard(Vec3 p, Skin& skin) const {
  if (skin.part != FacePart::skin && skin.part != FacePart::nose) return;
  const FaceShape& s = shape_;
  const float ax = std::abs(p.x);
  const float lip_top = s.mouth_y + s.upper_lip + 0.5f * s.gap;
  // Upper lip, and cheeks below a line from ear to mouth, chin and under it.
  const float reach = s.mouth_half_width + 0.06f;
  const float along = ax / reach;
  const float bottom = lip_top - 0.03f - 0.09f * along * along;
  const float top = exact::mix(s.nose_base_y - 0.035f, bottom + 0.015f, ramp(0.25f, 1.0f, along));
  const float moustache = ramp(top + 0.015f, top - 0.03f, p.y) *
                          ramp(bottom - 0.02f, bottom + 0.02f, p.y) * ramp(1.04f, 0.90f, along) *
                          (0.55f + 0.45f * ramp(0.0f, 0.05f, ax));
  const float edge = exact::mix(s.mouth_y + 0.02f, -0.12f, ramp(0.25f, 0.62f, ax));
  float jaw = ramp(edge + 0.03f, edge - 0.10f, p.y);
  if (p.z < 0) jaw *= ramp(-0.12f, 0.0f, p.z);
  float density = beard_kind_ == FaceBeard::moustache ? moustache : std::max(moustache, jaw);
  if (density <= 0) return;
  const bool stubble = beard_kind_ == FaceBeard::stubble;
  const float grain = 0.7f * value_noise(p.x * 62.0f - p.z * 30.0f, p.y * 34.0f, seed_ ^ 83u) +
                      0.3f * value_noise(p.x * 9.0f, p.y * 6.0f + p.z * 7.0f, seed_ ^ 84u);
  density *= stubble ? 0.30f + 0.10f * grain : clamp(0.84f + 0.20f * grain, 0.0f, 0.95f);
  skin.albedo = mix(skin.albedo, hair_colour_ * (0.95f + 0.22f * grain), density);
  skin.gloss *= 1.0f - density;
  if (!stubble) skin.occlusion *= 1.0f - 0.15f * density;
}

bool FacePaint::detailed(Vec3 p) const {
  if (p.z < 0) return false;
  const FaceShape& s = shape_;
  const float ax = std::abs(p.x), up = p.y - s.eye_y;
  if (up > -0.15f && p.y < s.brow_y + 0.16f && ax > s.brow_inner - 0.05f &&
      ax < s.brow_outer + 0.05f) {
    return true;
  }
  if (ax < s.nose_half_width + 0.03f && std::abs(p.y - s.nose_base_y) < 0.07f) return true;
  if (std::abs(p.x - s.mole_x) < 0.06f && std::abs(p.y - s.mole_y) < 0.06f) return true;
  const float reach = 0.5f * s.gap + s.lower_lip + 0.06f + std::abs(s.corner_rise);
  return ax < s.mouth_half_width + 0.05f && std::abs(p.y - s.mouth_y + 0.4f * s.gap) < reach;
}

Skin FacePaint::ground(Vec3 p) const {
  Skin skin;
  texture(p, skin);
  if (p.z > 0) shadows(p, skin);
  if (p.y > 0.28f || p.z < 0.35f) scalp(p, skin);
  return skin;
}

Skin FacePaint::features(Vec3 p, Skin skin) const {
  if (p.z > 0) {
    mole(p, skin);
    nose(p, skin);
    const float up = p.y - shape_.eye_y;
    if (up > -0.2f && up < 0.26f) eye(p, skin);
    if (up > 0.02f && up < 0.60f) brow(p, skin);
    if (p.y < shape_.nose_base_y && p.y > shape_.chin_y) mouth(p, skin);
  }
  if (beard_kind_ != FaceBeard::none && p.y < 0) beard(p, skin);
  return skin;
}

}  // namespace sosia::world

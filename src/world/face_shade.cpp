#include "world/face_shade.hpp"

#include <cmath>

namespace sosia::world {
namespace {

using exact::bell;
using exact::clamp;
using exact::ramp;

// x^16 of a cosine, 0 for negative ones.
float gloss_lobe(float cosine) {
  const float c = std::max(0.0f, cosine);
  const float c2 = c * c, c4 = c2 * c2, c8 = c4 * c4;
  return c8 * c8;
}

Rgb frame_colour(std::uint32_t seed) {
  static const Rgb kFrames[] = {linear(24, 24, 26), linear(78, 46, 28), linear(150, 118, 62),
                                linear(96, 100, 108)};
  return kFrames[scramble(seed) & 3];
}

}  // namespace

FaceShader::FaceShader(const FaceIdentity& identity, const FaceAttributes& a,
                       const FaceScene& scene)
    : attributes_(a),
      scene_(scene),
      light_(make_light(a, scene.view)),
      paint_(identity, a, scene.shape, scene.view, scene.hair, light_),
      up_(scene.view.head.apply({0, 1, 0})),
      hair_(colour_of(a.hair_colour)),
      hat_(colour_of(a.hat_colour)),
      clothes_(colour_of(a.clothes_colour)),
      frame_(frame_colour(a.texture_seed)) {
  const std::uint64_t bits = scramble(a.texture_seed + 11u);
  striped_ = (bits & 3) == 0;
  buttoned_ = (bits & 12) == 4;
  cup_ = (bits & 16) != 0 ? linear(226, 222, 210) : linear(176, 62, 52);
  lens_glow_ = light_.ambient * 0.35f + light_.colour * 0.10f;
}

Rgb FaceShader::lit(Rgb albedo, Vec3 n, float gloss, float occlusion, float shadow) const {
  const float diffuse = std::max(0.0f, dot(n, light_.key)) * shadow;
  const float sky = (0.72f + 0.28f * n.y) * occlusion;
  const float spot = gloss * gloss_lobe(dot(n, light_.half)) * shadow;
  return albedo * (light_.colour * diffuse + light_.ambient * sky) + light_.colour * spot;
}

Rgb FaceShader::lit_skin(const Skin& skin, Vec3 n) const {
  const float cosine = dot(n, light_.key);
  // Light that enters the skin leaves it further on, red the furthest: the terminator is soft and
  // warm.
  const auto wrap = [cosine](float w) { return std::max(0.0f, (cosine + w) / (1.0f + w)); };
  Rgb diffuse = Rgb{wrap(0.38f), wrap(0.24f), wrap(0.19f)} * skin.shadow;
  if (skin.eye > 0) {
    const float flat = 0.45f + 0.45f * std::max(0.0f, light_.key.z);
    diffuse = mix(diffuse, Rgb{flat, flat, flat} * skin.shadow, 0.75f * skin.eye);
  }
  const float sky = (0.72f + 0.28f * n.y) * skin.occlusion;
  const float spot = skin.gloss * gloss_lobe(dot(n, light_.half)) * skin.shadow;
  // Seen at a grazing angle, skin darkens a little before the background.
  const float rim = 1.0f - 0.35f * ramp(0.45f, 0.0f, n.z);
  return (skin.albedo * (light_.colour * diffuse + light_.ambient * sky)) * rim +
         light_.colour * spot + skin.glow;
}

Rgb FaceShader::hair(const Sample& sample, Vec3 n) const {
  const float degrees = sample.value.x, y = sample.value.y;
  const HairLine& line = scene_.hair;
  float strands, locks;
  if (line.style == FaceHair::curly) {
    strands = value_noise(degrees * 0.42f, y * 22.0f, line.seed ^ 5u);
    locks = value_noise(degrees * 0.16f, y * 8.0f, line.seed ^ 6u);
  } else {
    const float drift = 1.2f * y * line.parting;
    strands = value_noise(degrees * 0.95f + drift, y * 2.2f, line.seed ^ 5u);
    locks = value_noise(degrees * 0.21f + drift, y * 1.1f, line.seed ^ 6u);
  }
  const Vec3 flat = normalized(n + Vec3{0, 0.25f * locks, 0});
  const Vec3 tangent = normalized(up_ - flat * dot(up_, flat) + flat * (0.22f * strands));
  // Kajiya and Kay, SIGGRAPH 1989.
  const float tl = dot(tangent, light_.key), th = dot(tangent, light_.half);
  const float facing = 0.35f + 0.65f * std::max(0.0f, dot(flat, light_.key));
  const float diffuse = exact::square_root(std::max(0.0f, 1.0f - tl * tl)) * facing;
  const float sharp = std::max(0.0f, 1.0f - th * th);
  const float s2 = sharp * sharp, s4 = s2 * s2, s8 = s4 * s4;
  const float shine = s8 * s8 * std::max(0.0f, dot(flat, light_.key)) *
                      (line.style == FaceHair::curly ? 0.25f : 1.0f);
  const float tint = 1.0f + 0.20f * strands + 0.22f * locks;
  const float sky = 0.70f + 0.30f * n.y;
  // The deep parts, near the neck and under hanging hair, get less light.
  const float deep = 0.62f + 0.38f * ramp(-0.9f, 0.35f, y);
  const Rgb base = hair_ * (tint * deep);
  const Rgb highlight = hair_ * 0.45f + Rgb{0.05f, 0.05f, 0.05f};
  return base * (light_.colour * diffuse + light_.ambient * sky) +
         light_.colour * highlight * (0.75f * shine);
}

Rgb FaceShader::hat(const Sample& sample, Vec3 n) const {
  const float degrees = sample.value.x, s = sample.value.y;
  Rgb colour = hat_;
  float occlusion = 1;
  if (sample.material == kHatBrim) {
    // The lower side is in its own shade.
    if (dot(n, up_) < 0) occlusion = 0.45f;
    colour = colour * 0.88f;
  } else if (attributes_.hat == FaceHat::cap) {
    const float seam =
        std::abs(degrees / 60.0f - static_cast<float>(exact::floor_to_int(degrees / 60.0f + 0.5f)));
    colour = colour * (1.0f - 0.30f * bell(seam, 0.02f));
    colour = colour * (1.0f - 0.4f * bell(s - 0.98f, 0.03f));
    if (s < 0.55f && std::abs(degrees) < 17.0f && s > 0.16f)
      colour = mix(colour, Rgb{0.8f, 0.8f, 0.78f}, 0.75f);
  } else if (attributes_.hat == FaceHat::beanie) {
    const float rib = static_cast<float>(exact::sin(static_cast<double>(degrees) * 0.52));
    colour = colour * (0.86f + 0.14f * rib);
    colour = colour * (1.0f - 0.45f * bell(s - 0.245f, 0.02f));
  } else if (s < 0.22f) {
    colour = mix(colour, Rgb{0.03f, 0.03f, 0.03f}, 0.85f);  // the ribbon
  }
  const float weave = value_noise(degrees * 1.3f, s * 60.0f, 90u);
  return lit(colour * (1.0f + 0.07f * weave), n, 0.02f, occlusion, occlusion < 1 ? 0.4f : 1.0f);
}

Rgb FaceShader::torso(const Sample& sample, Vec3 n) const {
  const Vec3 p = sample.value;
  Rgb colour = clothes_;
  const float fold =
      value_noise(p.x * 2.6f + p.y * 1.1f, p.y * 1.7f, attributes_.texture_seed ^ 91u);
  const float weave = value_noise(p.x * 38.0f, p.y * 38.0f, 92u);
  if (striped_) {
    const float band = p.y * 5.5f;
    const bool dark = band - static_cast<float>(exact::floor_to_int(band)) < 0.42f;
    if (dark)
      colour =
          mix(colour, luma(colour) > 0.3f ? Rgb{0.05f, 0.06f, 0.10f} : Rgb{0.7f, 0.7f, 0.7f}, 0.7f);
  }
  // The hem of the neckline.
  const float hem = neckline(p.z) - p.y;
  colour = colour * (1.0f - 0.35f * bell(hem - 0.075f, 0.014f));
  if (buttoned_ && p.z > 0) {
    colour = colour * (1.0f - 0.45f * bell(p.x - 0.03f, 0.012f));
    const float row = p.y * 2.6f - static_cast<float>(exact::floor_to_int(p.y * 2.6f)) - 0.5f;
    const float button = bell(p.x + 0.05f, 0.030f, row, 0.08f);
    colour = mix(colour, Rgb{0.75f, 0.73f, 0.70f}, 0.8f * button);
  }
  // The head shades the chest.
  const float under = bell(p.x, 0.5f) * ramp(-2.1f, -1.5f, p.y);
  const Vec3 bent = normalized(n + Vec3{0.22f * fold, 0.10f * fold, 0});
  return lit(colour * (1.0f + 0.05f * weave), bent, 0.015f, 1.0f - 0.45f * under,
             1.0f - 0.55f * under);
}

Rgb FaceShader::ear(const Sample& sample, Vec3 n) const {
  Skin skin;
  const float u = sample.value.x, v = sample.value.y;
  skin.albedo = paint_.skin_colour() * Rgb{1.0f, 0.88f, 0.87f};
  // The bowl before the rim, and the groove of the rim.
  const float bowl = bell(u + 0.05f, 0.36f, v + 0.05f, 0.40f);
  const float groove = bell(exact::square_root(u * u + v * v) - 0.68f, 0.10f);
  skin.occlusion = 1.0f - 0.55f * bowl - 0.30f * groove;
  skin.shadow = 1.0f - 0.50f * bowl - 0.25f * groove;
  skin.gloss = 0.08f;
  // Both sides of the flap are drawn; it is lit as its outer side.
  if (n.z < 0) n = n * -1.0f;
  return lit_skin(skin, n);
}

Rgb FaceShader::neck(const Sample& sample, Vec3 n) const {
  Skin skin;
  const float theta = sample.value.x, down = sample.value.z;
  skin.albedo = paint_.skin_colour() * Rgb{0.97f, 0.94f, 0.93f};
  // Under the chin it is dark, in front more than at the sides; two tendons run down.
  const float shade = ramp(0.85f, 0.35f, down) * (0.65f + 0.35f * bell(theta, 1.3f));
  const float above = 0.55f + 0.45f * clamp(light_.key.y * 1.4f, 0.0f, 1.0f);
  const float tendon = bell(std::abs(theta) - 0.55f + 0.35f * down, 0.10f) * ramp(0.2f, 0.5f, down);
  skin.occlusion = 1.0f - 0.62f * shade - 0.10f * tendon;
  skin.shadow = 1.0f - 0.80f * shade * above;
  skin.gloss = 0.05f;
  return lit_skin(skin, n);
}

Rgb FaceShader::mask(const Sample& sample, Vec3 n) const {
  const float t = sample.value.y, wide = sample.value.z;
  Rgb colour = linear(150, 196, 214);
  const float pleat = t * 4.0f - static_cast<float>(exact::floor_to_int(t * 4.0f));
  colour = colour * (1.0f - 0.22f * ramp(0.25f, 0.0f, pleat) * (wide < 0.9f ? 1.0f : 0.0f));
  if (t > 0.955f || t < 0.03f) colour = colour * 1.12f;
  return lit(colour, n, 0.01f, 0.95f, 1.0f);
}

Shaded FaceShader::shade(const Sample& sample, const Skin* ground) const {
  const Vec3 n = normalized(sample.normal);
  switch (sample.material) {
    case kHead: {
      const Skin skin =
          paint_.features(sample.value, ground != nullptr ? *ground : paint_.ground(sample.value));
      return {lit_skin(skin, n), skin.part};
    }
    case kLeftEar:
      return {ear(sample, n), FacePart::left_ear};
    case kRightEar:
      return {ear(sample, n), FacePart::right_ear};
    case kNeck:
      return {neck(sample, n), FacePart::neck};
    case kTorso:
      return {torso(sample, n), FacePart::cloth};
    case kHair:
      return {hair(sample, n), FacePart::hair};
    case kHat:
    case kHatBrim:
      return {hat(sample, n), FacePart::hat};
    case kFrame:
      return {lit(frame_, n.z < 0 ? n * -1.0f : n, 0.20f, 1, 1), FacePart::glasses};
    case kMask:
      return {mask(sample, n.z < 0 ? n * -1.0f : n), FacePart::occluder};
    case kHand: {
      Skin skin;
      skin.albedo = paint_.skin_colour() * Rgb{0.98f, 0.92f, 0.90f};
      // Shade between the fingers, nails at their tips.
      const float t = sample.value.y;
      skin.occlusion = 0.9f;
      if (sample.value.x < 4 && t > 0.93f && n.z > 0.55f)
        skin.albedo = skin.albedo * Rgb{1.06f, 0.95f, 0.95f};
      return {lit_skin(skin, n), FacePart::occluder};
    }
    case kCup: {
      const bool band = sample.value.y > 0.35f && sample.value.y < 0.6f;
      return {
          lit(band ? cup_ * Rgb{0.5f, 0.55f, 0.7f} : cup_, n.z < 0 ? n * -1.0f : n, 0.25f, 1, 1),
          FacePart::occluder};
    }
    default:
      return {};
  }
}

bool FaceShader::smooth(const Sample* upper, const Sample* lower) const {
  const Sample& a = upper[0];
  if (a.material != upper[1].material || a.material != lower[0].material ||
      a.material != lower[1].material) {
    return false;
  }
  // A step in depth is an edge within one part: the nose before the cheek.
  constexpr float kStep = 0.0022f;
  const float far =
      std::min(std::min(a.near, upper[1].near), std::min(lower[0].near, lower[1].near));
  const float close =
      std::max(std::max(a.near, upper[1].near), std::max(lower[0].near, lower[1].near));
  return close - far <= kStep;
}

Rgb FaceShader::through_lens(Rgb colour, Vec3 value) const {
  // A window reflected across the glass.
  const float streak = ramp(0.16f, 0.05f, std::abs(value.x * 0.8f + value.y - 0.45f));
  if (attributes_.glasses == FaceGlasses::sunglasses) {
    const Rgb dark =
        Rgb{0.018f, 0.016f, 0.018f} + lens_glow_ * (0.10f + 0.16f * std::max(0.0f, value.y));
    return mix(colour * 0.06f + dark, lens_glow_, 0.35f * streak);
  }
  return mix(colour * Rgb{0.95f, 0.97f, 0.98f}, lens_glow_ * 1.6f, 0.05f + 0.16f * streak);
}

}  // namespace sosia::world

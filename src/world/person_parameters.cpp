// How people, clothes, cameras and places are drawn from the seed.

#include "world/exact_math.hpp"
#include "world/person_parts.hpp"

#include <algorithm>
#include <cmath>

namespace sosia::world::person {
namespace {

// A camera of a site: sites and cameras share no stream.
std::uint64_t camera_key(const PersonWorldOptions& o, int camera) {
  return static_cast<std::uint64_t>(o.domain) * 2'000'003u + static_cast<std::uint64_t>(camera);
}

Garment draw_garment(Draw& draw, std::initializer_list<double> textures,
                     std::initializer_list<double> saturations) {
  Garment g;
  g.hue = draw.below(kHues);
  g.value = static_cast<int>(draw.pick({0.4, 0.35, 0.25}));
  g.saturation = static_cast<int>(draw.pick(saturations));
  g.texture = static_cast<Texture>(draw.pick(textures));
  g.frequency = draw.range(8.0, 24.0);
  g.second_hue = (g.hue + draw.between(2, kHues - 2)) % kHues;
  g.emblem = draw.below(4);
  return g;
}

void draw_bottom_cut(Draw& draw, Outfit& outfit) {
  outfit.kind = static_cast<BottomKind>(draw.pick({0.62, 0.16, 0.22}));
  const double length = draw.unit();
  switch (outfit.kind) {
    case BottomKind::trousers:
      outfit.leg = exact::mix(0.82, 1.0, length);
      break;
    case BottomKind::shorts:
      outfit.leg = exact::mix(0.36, 0.55, length);
      break;
    case BottomKind::skirt:
      outfit.leg = exact::mix(0.32, 0.80, length);
      break;
  }
}

/// Draws stand in statements of their own: compilers differ in the order of a call's arguments.
Rgb draw_colour(Draw& draw, double low_saturation, double high_saturation, double low_value,
                double high_value) {
  const double hue = draw.range(0.0, 12.0);
  const double saturation = draw.range(low_saturation, high_saturation);
  const double value = draw.range(low_value, high_value);
  return hsv_linear(hue, saturation, value);
}

std::array<double, 3> muted_colour(Draw& draw, double low, double high, double saturation) {
  const Rgb c = draw_colour(draw, 0.0, saturation, low, high);
  return {c.r, c.g, c.b};
}

SceneObject draw_object(Draw& draw, const PersonScene& scene, double strength) {
  SceneObject o;
  o.kind = static_cast<int>(draw.pick({0.36, 0.2, 0.16, 0.12, 0.16}));
  o.x = draw.range(0.0, scene.extent);
  switch (o.kind) {
    case 0:  // windows, posters, doors
      o.width = draw.range(0.15, 0.6);
      o.height = draw.range(0.15, 0.8);
      o.y = scene.horizon + draw.range(0.02, 0.5);
      break;
    case 1:  // benches, cars, boxes
      o.width = draw.range(0.3, 1.0);
      o.height = draw.range(0.15, 0.45);
      o.y = scene.horizon - draw.range(0.0, 0.25);
      break;
    case 2:  // bushes and trees' crowns
      o.width = draw.range(0.3, 0.9);
      o.height = draw.range(0.25, 0.7);
      o.y = scene.horizon + draw.range(-0.15, 0.5);
      break;
    case 3:  // posts and trunks
      o.width = draw.range(0.03, 0.09);
      o.height = draw.range(0.6, 1.4);
      o.y = scene.horizon - draw.range(0.0, 0.3);
      break;
    default:  // manholes, kerbs, puddles
      o.width = draw.range(0.2, 0.8);
      o.height = draw.range(0.02, 0.12);
      o.y = draw.range(-0.1, scene.horizon);
      break;
  }
  const double green = draw.range(2.5, 4.5);
  Rgb base = draw_colour(draw, 0.05, 0.5, 0.12, 0.9);
  if (o.kind == 2) {
    const double saturation = draw.range(0.1, 0.6), value = draw.range(0.15, 0.8);
    base = hsv_linear(green, saturation, value);
  }
  const auto ground = o.kind == 4 ? scene.floor : scene.sections.front().wall;
  o.colour = {exact::mix(ground[0], static_cast<double>(base.r), strength),
              exact::mix(ground[1], static_cast<double>(base.g), strength),
              exact::mix(ground[2], static_cast<double>(base.b), strength)};
  return o;
}

}  // namespace

Rgb hsv_linear(double hue_of_12, double saturation, double value) {
  // HSV in encoded space, squared: near enough to sRGB's curve for made-up cloth.
  const auto channel = [&](double offset) {
    double k = offset + hue_of_12 / 2.0;
    k -= 6.0 * exact::floor_to_int(k / 6.0);
    const double t = exact::clamp(std::min(k, 4.0 - k), 0.0, 1.0);
    const double encoded = value - value * saturation * t;
    return static_cast<float>(encoded * encoded);
  };
  return {channel(5.0), channel(3.0), channel(1.0)};
}

PersonIdentity draw_identity(const PersonWorldOptions& o, std::int64_t subject) {
  Draw draw(o.seed, "person identity", static_cast<std::uint64_t>(subject));
  PersonIdentity p;
  p.subject = subject;
  p.height = draw.normal_within(0.95, 0.07, 0.80, 1.10);
  p.shoulder_hip_ratio = draw.range(0.75, 1.35);
  p.build = draw.range(0.78, 1.35);
  p.leg_ratio = draw.range(0.45, 0.53);
  p.arm_ratio = draw.range(0.36, 0.44);
  p.head_size = draw.range(0.85, 1.20);
  p.skin_tone = draw.below(kSkinTones);
  p.hair_colour = static_cast<int>(draw.pick({0.2, 0.2, 0.15, 0.12, 0.12, 0.08, 0.08, 0.05}));
  p.hair = static_cast<HairShape>(draw.pick({0.1, 0.3, 0.18, 0.2, 0.12, 0.1}));
  p.gait.phase = draw.unit();
  p.gait.step_length = draw.range(0.55, 1.0);
  p.gait.cadence_hz = draw.range(0.8, 1.1);
  p.gait.arm_swing_deg = draw.range(8.0, 34.0);
  p.gait.lean_deg = draw.range(-2.0, 9.0);
  p.gait.elbow_deg = draw.range(6.0, 42.0);
  p.gait.stance_width = draw.range(0.035, 0.075);
  return p;
}

Outfit draw_own_outfit(const PersonWorldOptions& o, std::int64_t owner, int number) {
  Draw draw(derive_seed(o.seed, "person outfit", static_cast<std::uint64_t>(owner)), "cloth",
            static_cast<std::uint64_t>(number));
  Outfit f;
  f.owner = owner;
  f.number = number;
  f.top = draw_garment(draw, {0.4, 0.2, 0.2, 0.2}, {0.3, 0.4, 0.3});
  f.bottom = draw_garment(draw, {0.62, 0.08, 0.14, 0.16}, {0.45, 0.35, 0.2});
  const bool short_sleeve = draw.chance(0.4);
  const double sleeve = draw.range(0.25, 0.45);
  f.sleeve = short_sleeve ? sleeve : 1.0;
  f.hem = draw.range(0.0, 0.09);
  draw_bottom_cut(draw, f);
  f.bag = static_cast<Bag>(draw.pick({0.45, 0.2, 0.2, 0.15}));
  f.bag_hue = draw.below(kHues);
  f.hat = static_cast<Hat>(draw.pick({0.7, 0.12, 0.1, 0.08}));
  f.hat_hue = draw.below(kHues);
  f.shoe = static_cast<int>(draw.pick({0.5, 0.25, 0.25}));
  return f;
}

PersonCamera draw_camera(const PersonWorldOptions& o, int number) {
  Draw draw(o.seed, "person camera", camera_key(o, number));
  Draw site(o.seed, "person site", static_cast<std::uint64_t>(o.domain));
  PersonCamera c;
  c.number = number;
  for (std::size_t i = 0; i < c.colour.size(); ++i) {
    const double own = draw.normal(0.0, 0.12) * o.camera_bias;
    const double shared = site.normal(0.0, 0.12) * o.domain_shift;
    c.colour[i] = (i % 4 == 0 ? 1.0 : 0.0) + exact::clamp(own + shared, -0.6, 0.6);
  }
  const double gamma = draw.range(0.7, 1.4), shift = site.range(-0.3, 0.3);
  c.gamma = exact::clamp(1.0 + (gamma - 1.0) * o.camera_bias + shift * o.domain_shift, 0.45, 2.0);
  c.blur_px = draw.range(0.0, 1.2) * o.camera_noise;
  c.noise = draw.range(2.0, 8.0) * o.camera_noise;
  c.resolution = exact::clamp(1.0 - draw.range(0.0, 0.4) * o.camera_noise, 0.35, 1.0);
  c.yaw_deg = draw.range(0.0, 360.0);
  c.pitch_deg = draw.range(2.0, 28.0);
  c.zoom = draw.range(0.92, 1.08);
  return c;
}

PersonScene draw_scene(const PersonWorldOptions& o, int camera, int take) {
  const std::uint64_t place = derive_seed(o.seed, "person place", camera_key(o, camera));
  Draw draw(place, "scene");
  PersonScene s;
  s.camera = camera;
  s.take = take;
  s.extent = 8.0;
  s.horizon = draw.range(0.25, 1.05);
  // With less clutter the stretches of wall become alike.
  const double contrast = exact::clamp(o.clutter, 0.0, 1.0);
  const auto plain = muted_colour(draw, 0.45, 0.85, 0.2);
  for (double x = 0; x < s.extent;) {
    x += draw.range(0.5, 1.6);
    SceneSection section;
    section.until = x > s.extent - 0.5 ? s.extent : x;
    section.wall = muted_colour(draw, 0.25, 0.97, 0.42);
    section.pattern = draw.below(4);
    for (std::size_t i = 0; i < 3; ++i) {
      section.wall[i] = exact::mix(plain[i], section.wall[i], contrast);
    }
    s.sections.push_back(section);
    if (section.until >= s.extent) break;
  }
  s.floor = muted_colour(draw, 0.38, 0.88, 0.25 * o.clutter);
  s.floor_pattern = draw.below(3);
  const int things = draw.between(16, 28);
  for (int i = 0; i < things; ++i) {
    s.objects.push_back(draw_object(draw, s, exact::clamp(o.clutter, 0.0, 1.0)));
  }
  // Back to front: what stands higher up on the floor is farther away.
  std::stable_sort(s.objects.begin(), s.objects.end(),
                   [](const SceneObject& a, const SceneObject& b) { return a.y > b.y; });
  // The time of day belongs to the take, and a few things have moved by then.
  Draw time(place, "take", static_cast<std::uint64_t>(take));
  const double warm = time.range(-0.12, 0.12) * o.lighting;
  const double strength = exact::clamp(1.0 + time.range(-0.3, 0.2) * o.lighting, 0.3, 1.6);
  s.light = {strength * (1.0 + warm), strength, strength * (1.0 - warm)};
  for (SceneObject& object : s.objects) {
    if (object.kind == 1 && time.chance(0.6)) object.x = time.range(0.0, s.extent);
  }
  return s;
}

PersonLight draw_light(Draw& draw, double strength) {
  PersonLight light;
  const double warm = draw.normal(0.0, 0.09) * strength;
  const double green = draw.normal(0.0, 0.03) * strength;
  light.tint = {exact::clamp(1.0 + warm, 0.5, 1.6), exact::clamp(1.0 + green, 0.7, 1.3),
                exact::clamp(1.0 - warm, 0.5, 1.6)};
  // Between a third of the light and nearly twice as much, even odds.
  light.intensity = exact::clamp(exact::exp(draw.normal(0.0, 0.22) * strength), 0.45, 1.7);
  light.ambient = exact::clamp(0.5 + draw.range(-0.25, 0.25) * strength, 0.25, 0.75);
  light.azimuth_deg = draw.range(-180.0, 180.0);
  light.gradient = draw.range(-0.4, 0.4) * exact::clamp(strength, 0.0, 1.0);
  const bool shaded = draw.chance(0.35 * std::min(strength, 1.0));
  const double shade = draw.range(0.35, 0.75);
  light.shade_x = draw.range(-0.2, 0.2);
  light.shade_slope = draw.range(-1.2, 1.2);
  light.shade = shaded ? shade : 1.0;
  return light;
}

PersonView draw_view(Draw& draw, const PersonWorldOptions& o, std::int64_t other,
                     bool low_quality) {
  PersonView view;
  view.shift_x = draw.normal_within(0.0, 0.03, -0.08, 0.08);
  view.shift_y = draw.normal_within(0.0, 0.02, -0.05, 0.05);
  const bool cut = draw.chance(o.truncation);
  const double share = draw.range(0.12, 0.42);
  const int side = static_cast<int>(draw.pick({0.6, 0.1, 0.15, 0.15}));
  if (cut) {
    view.cut = side == 0 ? share : share * 0.6;
    view.cut_side = side;
  }
  const bool occluded = draw.chance(o.occlusion);
  const auto kind = static_cast<Occluder>(1 + draw.pick({0.3, 0.4, 0.3}));
  const double x = draw.range(-0.16, 0.16), size = draw.unit();
  const Rgb colour = draw_colour(draw, 0.0, 0.5, 0.15, 0.8);
  if (!occluded && !low_quality) return view;
  view.occluder = kind;
  view.occluder_x = x;
  view.occluder_colour = {colour.r, colour.g, colour.b};
  switch (kind) {
    case Occluder::post:
      view.occluder_size = exact::mix(0.06, low_quality ? 0.24 : 0.12, size);
      break;
    case Occluder::furniture:
      view.occluder_size = exact::mix(0.2, low_quality ? 0.7 : 0.42, size);
      break;
    default:
      view.occluder_subject = other;
      view.occluder_x = (x < 0 ? -1.0 : 1.0) * (low_quality ? 0.12 : 0.2) + x * 0.5;
      break;
  }
  return view;
}

}  // namespace sosia::world::person

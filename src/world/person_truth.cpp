// Names, oracles and the ground truth as JSON.

#include "world/exact_math.hpp"
#include "world/person_parts.hpp"
#include "world/truth.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace sosia::world {
namespace {

template <class E, std::size_t N>
std::string_view pick(E value, const std::array<std::string_view, N>& names) {
  const auto i = static_cast<std::size_t>(value);
  return i < N ? names[i] : "?";
}

}  // namespace

std::string_view name_of(HairShape value) {
  return pick<HairShape, 6>(value, {"shaved", "short_cut", "bob", "long_hair", "bun", "afro"});
}
std::string_view name_of(Texture value) {
  return pick<Texture, 4>(value, {"plain", "stripes", "check", "logo"});
}
std::string_view name_of(BottomKind value) {
  return pick<BottomKind, 3>(value, {"trousers", "shorts", "skirt"});
}
std::string_view name_of(Bag value) {
  return pick<Bag, 4>(value, {"none", "backpack", "shoulder", "hand"});
}
std::string_view name_of(Hat value) {
  return pick<Hat, 4>(value, {"none", "cap", "beanie", "brim"});
}
std::string_view name_of(Occluder value) {
  return pick<Occluder, 4>(value, {"none", "post", "furniture", "person"});
}
std::string_view name_of(PersonPart value) {
  return pick<PersonPart, kPersonParts>(value, {"background", "skin", "hair", "top", "bottom",
                                                "shoes", "bag", "hat", "logo", "occluder"});
}
std::string_view name_of(Joint value) {
  return pick<Joint, kJoints>(
      value, {"head", "neck", "left_shoulder", "right_shoulder", "left_elbow", "right_elbow",
              "left_wrist", "right_wrist", "left_hip", "right_hip", "left_knee", "right_knee",
              "left_ankle", "right_ankle"});
}

// --- oracles ---

namespace {

using namespace person;

// Spreads of the uniform draws are range / sqrt(12).
constexpr double kSqrt12 = 3.46410161513775458705;
double unit_of(double value, double low, double high) {
  return (value - 0.5 * (low + high)) * kSqrt12 / (high - low);
}

struct Attribute {
  double difference = 0;  // squared, of about unit spread
  PersonPart part = PersonPart::skin;
  bool clothes = false;
};

double differs(int a, int b) {
  return a == b ? 0.0 : 1.0;
}
/// Steps around the circle of hues, 1 for opposite ones.
double hue_gap(int a, int b) {
  const int d = std::abs(a - b) % kHues;
  return std::min(d, kHues - d) / (0.5 * kHues);
}

double garment_gap(const Garment& a, const Garment& b) {
  const double hue = hue_gap(a.hue, b.hue) * 0.5 * std::min(a.saturation, b.saturation);
  const double value = 0.5 * std::abs(a.value - b.value);
  const double saturation = 0.5 * std::abs(a.saturation - b.saturation);
  const double texture = differs(static_cast<int>(a.texture), static_cast<int>(b.texture));
  const bool patterned = a.texture != Texture::plain && a.texture == b.texture;
  const double pattern = patterned ? hue_gap(a.second_hue, b.second_hue) : 0.0;
  const bool woven = patterned && a.texture != Texture::logo;
  const double frequency = woven ? unit_of(a.frequency, 8, 24) - unit_of(b.frequency, 8, 24) : 0.0;
  return hue * hue + value * value + 0.5 * saturation * saturation + texture + pattern * pattern +
         0.25 * frequency * frequency;
}

std::array<Attribute, 8> outfit_attributes(const Outfit& a, const Outfit& b) {
  const double sleeve = (a.sleeve - b.sleeve) * 2.0, leg = (a.leg - b.leg) * 2.0;
  const double hem = (a.hem - b.hem) / 0.03;
  const double bag = differs(static_cast<int>(a.bag), static_cast<int>(b.bag)) +
                     (a.bag == b.bag && a.bag != Bag::none ? hue_gap(a.bag_hue, b.bag_hue) : 0.0);
  const double hat = differs(static_cast<int>(a.hat), static_cast<int>(b.hat)) +
                     (a.hat == b.hat && a.hat != Hat::none ? hue_gap(a.hat_hue, b.hat_hue) : 0.0);
  return {{{garment_gap(a.top, b.top), PersonPart::top, true},
           {garment_gap(a.bottom, b.bottom), PersonPart::bottom, true},
           {sleeve * sleeve, PersonPart::top, true},
           {leg * leg + differs(static_cast<int>(a.kind), static_cast<int>(b.kind)),
            PersonPart::bottom, true},
           {0.25 * hem * hem, PersonPart::top, true},
           {bag, PersonPart::bag, true},
           {hat, PersonPart::hat, true},
           {differs(a.shoe, b.shoe), PersonPart::shoes, true}}};
}

/// What must be seen to read number `i` of the identity vector.
PersonPart shown_by(std::size_t i) {
  constexpr std::size_t kShape = 6, kGait = 8;
  if (i < kShape + kGait) return PersonPart::bottom;  // the whole body, whose lower half is cut
  if (i < kShape + kGait + kSkinTones) return PersonPart::skin;
  return PersonPart::hair;
}

}  // namespace

IdentityVector identity_vector(const PersonIdentity& p) {
  IdentityVector v{};
  std::size_t i = 0;
  v[i++] = (p.height - 0.95) / 0.07;
  v[i++] = unit_of(p.shoulder_hip_ratio, 0.75, 1.35);
  v[i++] = unit_of(p.build, 0.78, 1.35);
  v[i++] = unit_of(p.leg_ratio, 0.45, 0.53);
  v[i++] = unit_of(p.arm_ratio, 0.36, 0.44);
  v[i++] = unit_of(p.head_size, 0.85, 1.20);
  const double turn = 2.0 * exact::kPi * p.gait.phase;
  v[i++] = 0.25 * exact::sin(turn);
  v[i++] = 0.25 * exact::cos(turn);
  v[i++] = unit_of(p.gait.step_length, 0.55, 1.0);
  v[i++] = unit_of(p.gait.cadence_hz, 0.8, 1.1);
  v[i++] = unit_of(p.gait.arm_swing_deg, 8, 34);
  v[i++] = unit_of(p.gait.lean_deg, -2, 9);
  v[i++] = unit_of(p.gait.elbow_deg, 6, 42);
  v[i++] = unit_of(p.gait.stance_width, 0.035, 0.075);
  v[i + static_cast<std::size_t>(p.skin_tone)] = 1.0;
  i += kSkinTones;
  v[i + static_cast<std::size_t>(p.hair_colour)] = 1.0;
  i += kHairColours;
  v[i + static_cast<std::size_t>(p.hair)] = 1.0;
  return v;
}

double PersonWorld::identity_distance(std::int64_t a, std::int64_t b) const {
  const IdentityVector va = identity_vector(identity(a)), vb = identity_vector(identity(b));
  double sum = 0;
  for (std::size_t i = 0; i < va.size(); ++i) sum += (va[i] - vb[i]) * (va[i] - vb[i]);
  return exact::square_root(sum / static_cast<double>(va.size()));
}

double PersonWorld::outfit_distance(std::int64_t a, int outfit_a, std::int64_t b,
                                    int outfit_b) const {
  const auto attributes = outfit_attributes(outfit(a, outfit_a), outfit(b, outfit_b));
  double sum = 0;
  for (const Attribute& x : attributes) sum += x.difference;
  return exact::square_root(sum / static_cast<double>(attributes.size()));
}

double PersonWorld::visible_distance(const PersonCrop& a, const PersonVisibility& seen_a,
                                     const PersonCrop& b, const PersonVisibility& seen_b,
                                     bool clothes) const {
  // Half a part is enough to read it; a part that one picture does not show tells nothing, which
  // counts as the mean squared difference of two strangers.
  const auto weight = [&](PersonPart part) {
    const auto i = static_cast<std::size_t>(part);
    const auto read = [](double share) { return exact::clamp(2.0 * share, 0.0, 1.0); };
    return read(seen_a.part[i]) * read(seen_b.part[i]);
  };
  double sum = 0, count = 0;
  const auto add = [&](double difference, double stranger, PersonPart part) {
    const double w = weight(part);
    sum += w * difference + (1.0 - w) * stranger;
    count += 1.0;
  };
  const IdentityVector va = identity_vector(identity(a.subject));
  const IdentityVector vb = identity_vector(identity(b.subject));
  for (std::size_t i = 0; i < va.size(); ++i) {
    const double d = va[i] - vb[i];
    const double stranger = i < 14 ? (i == 6 || i == 7 ? 0.06 : 2.0) : 0.25;
    add(d * d, stranger, shown_by(i));
  }
  if (clothes) {
    for (const Attribute& x :
         outfit_attributes(outfit(a.subject, a.outfit), outfit(b.subject, b.outfit))) {
      // A bag or hat that is not there is read from the place where it would be.
      const bool carried = x.part == PersonPart::bag || x.part == PersonPart::hat;
      const PersonPart place = !carried                    ? x.part
                               : x.part == PersonPart::hat ? PersonPart::skin
                                                           : PersonPart::top;
      add(x.difference, 0.6, place);
    }
  }
  return exact::square_root(sum / count);
}

// --- JSON ---

namespace {

Value of_garment(const Garment& g) {
  return Value::object({{"hue", g.hue},
                        {"value", g.value},
                        {"saturation", g.saturation},
                        {"texture", name_of(g.texture)},
                        {"frequency", rounded(g.frequency)},
                        {"second_hue", g.second_hue},
                        {"emblem", g.emblem}});
}

Value of_view(const PersonView& v) {
  Value value = Value::object({{"shift_x", rounded(v.shift_x)},
                               {"shift_y", rounded(v.shift_y)},
                               {"cut", rounded(v.cut)},
                               {"cut_side", v.cut_side},
                               {"occluder", name_of(v.occluder)}});
  if (v.occluder != Occluder::none) {
    value.set("occluder_x", rounded(v.occluder_x));
    value.set("occluder_size", rounded(v.occluder_size));
  }
  if (v.occluder == Occluder::person) value.set("occluder_subject", v.occluder_subject);
  return value;
}

Value of_light(const PersonLight& l) {
  return Value::object({{"tint", numbers(l.tint)},
                        {"intensity", rounded(l.intensity)},
                        {"ambient", rounded(l.ambient)},
                        {"azimuth_deg", rounded(l.azimuth_deg)},
                        {"gradient", rounded(l.gradient)},
                        {"shade", rounded(l.shade)},
                        {"shade_x", rounded(l.shade_x)},
                        {"shade_slope", rounded(l.shade_slope)}});
}

Value of_visibility(const PersonVisibility& v) {
  Value parts = Value::object();
  for (std::size_t i = 1; i < kPersonParts; ++i) {
    if (v.part[i] >= 0) parts.set(name_of(static_cast<PersonPart>(i)), rounded(v.part[i], 3));
  }
  return Value::object(
      {{"body", rounded(v.body, 3)}, {"quality", rounded(v.quality, 3)}, {"parts", parts}});
}

}  // namespace

Value to_value(const PersonIdentity& p) {
  return Value::object({{"subject", p.subject},
                        {"height", rounded(p.height)},
                        {"shoulder_hip_ratio", rounded(p.shoulder_hip_ratio)},
                        {"build", rounded(p.build)},
                        {"leg_ratio", rounded(p.leg_ratio)},
                        {"arm_ratio", rounded(p.arm_ratio)},
                        {"head_size", rounded(p.head_size)},
                        {"skin_tone", p.skin_tone},
                        {"hair_colour", p.hair_colour},
                        {"hair", name_of(p.hair)},
                        {"gait", Value::object({{"phase", rounded(p.gait.phase)},
                                                {"step_length", rounded(p.gait.step_length)},
                                                {"cadence_hz", rounded(p.gait.cadence_hz)},
                                                {"arm_swing_deg", rounded(p.gait.arm_swing_deg)},
                                                {"lean_deg", rounded(p.gait.lean_deg)},
                                                {"elbow_deg", rounded(p.gait.elbow_deg)},
                                                {"stance_width", rounded(p.gait.stance_width)}})}});
}

Value to_value(const Outfit& o) {
  return Value::object({{"clothes", clothes_label(o)},
                        {"owner", o.owner},
                        {"number", o.number},
                        {"top", of_garment(o.top)},
                        {"bottom", of_garment(o.bottom)},
                        {"sleeve", rounded(o.sleeve)},
                        {"hem", rounded(o.hem)},
                        {"leg", rounded(o.leg)},
                        {"kind", name_of(o.kind)},
                        {"bag", name_of(o.bag)},
                        {"bag_hue", o.bag_hue},
                        {"hat", name_of(o.hat)},
                        {"hat_hue", o.hat_hue},
                        {"shoe", o.shoe}});
}

Value to_value(const PersonCamera& c) {
  return Value::object({{"camera", c.number},
                        {"colour", numbers(c.colour)},
                        {"gamma", rounded(c.gamma)},
                        {"blur_px", rounded(c.blur_px)},
                        {"noise", rounded(c.noise)},
                        {"resolution", rounded(c.resolution)},
                        {"yaw_deg", rounded(c.yaw_deg)},
                        {"pitch_deg", rounded(c.pitch_deg)},
                        {"zoom", rounded(c.zoom)}});
}

Value to_value(const PersonTracklet& t) {
  Value frames = Value::list(), subjects = Value::list();
  for (const PersonCrop& c : t.frames) {
    frames.push(c.frame);
    subjects.push(c.subject);
  }
  return Value::object({{"video", t.video},
                        {"tracklet", t.number},
                        {"pass", t.pass},
                        {"subject", t.subject},
                        {"switched_at", t.switched_at},
                        {"frames", frames},
                        {"subjects", subjects}});
}

Value PersonWorld::truth(const PersonCrop& c, image::Extent extent) const {
  Value joints_value = Value::object();
  const auto points = joints(c, extent);
  for (std::size_t i = 0; i < points.size(); ++i) {
    joints_value.set(name_of(static_cast<Joint>(i)), numbers({points[i].x_px, points[i].y_px}, 2));
  }
  const image::Box box = body_box(c, extent);
  Value value = Value::object({{"subject", c.subject},
                               {"camera", c.camera},
                               {"take", c.take},
                               {"outfit", c.outfit},
                               {"frame", c.frame}});
  if (c.video >= 0) {
    value.set("video", c.video);
    value.set("tracklet", c.tracklet);
  }
  value.set("place", rounded(c.place));
  value.set("low_quality", c.low_quality);
  value.set("extra_blur_px", rounded(c.extra_blur_px));
  value.set("pose", Value::object({{"yaw_deg", rounded(c.pose.yaw_deg)},
                                   {"phase", rounded(c.pose.phase)},
                                   {"stride", rounded(c.pose.stride)},
                                   {"head_yaw_deg", rounded(c.pose.head_yaw_deg)}}));
  value.set("view", of_view(c.view));
  value.set("light", of_light(c.light));
  value.set("box", numbers({box.x_px, box.y_px, box.width_px, box.height_px}, 2));
  value.set("joints", joints_value);
  value.set("visibility", of_visibility(visibility(c)));
  value.set("identity", to_value(identity(c.subject)));
  value.set("clothes", to_value(outfit(c.subject, c.outfit)));
  return value;
}

std::int64_t clothes_label(const Outfit& outfit) {
  return outfit.owner * 16 + outfit.number;
}

std::string market_stem(const PersonCrop& c) {
  return fmt::format("{:04}_c{}s{}_{:06}_00", c.subject, c.camera + 1, c.take + 1, c.frame);
}

std::string ltcc_stem(const PersonCrop& c) {
  return fmt::format("{:03}_{}_c{:02}_{:06}", c.subject, c.outfit + 1, c.camera + 1, c.frame);
}

}  // namespace sosia::world

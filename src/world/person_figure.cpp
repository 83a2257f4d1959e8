// A clothed body out of limbs, barrels and balls, painted from the farthest to the nearest.

#include "world/person_paint.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace sosia::world::person {
namespace {

constexpr std::array<std::array<double, 3>, kSkinTones> kSkin{{{0.86, 0.62, 0.50},
                                                               {0.74, 0.47, 0.32},
                                                               {0.52, 0.27, 0.15},
                                                               {0.27, 0.12, 0.06},
                                                               {0.11, 0.047, 0.025}}};
constexpr std::array<std::array<double, 3>, kHairColours> kHair{{{0.010, 0.009, 0.009},
                                                                 {0.040, 0.020, 0.010},
                                                                 {0.110, 0.050, 0.022},
                                                                 {0.240, 0.130, 0.060},
                                                                 {0.600, 0.420, 0.180},
                                                                 {0.330, 0.080, 0.020},
                                                                 {0.420, 0.420, 0.420},
                                                                 {0.080, 0.120, 0.450}}};

Rgb rgb(const std::array<double, 3>& c) {
  return {static_cast<float>(c[0]), static_cast<float>(c[1]), static_cast<float>(c[2])};
}

Rgb dye(int hue, int value, int saturation) {
  constexpr std::array<double, kValues> kValue{0.24, 0.56, 0.90};
  constexpr std::array<double, 3> kSaturation{0.06, 0.42, 0.80};
  return hsv_linear(hue, kSaturation[static_cast<std::size_t>(saturation)],
                    kValue[static_cast<std::size_t>(value)]);
}

Surface clothe(const Garment& g, PersonPart part) {
  Surface s;
  s.base = dye(g.hue, g.value, g.saturation);
  // The second colour differs in lightness, or it would not show.
  s.second = dye(g.second_hue, g.value == 0 ? 2 : (g.value == 2 ? 0 : 2), g.saturation);
  s.texture = g.texture;
  s.frequency = static_cast<float>(g.frequency);
  s.emblem = g.emblem;
  s.part = part;
  return s;
}

/// One solid with its distance: what is painted is sorted by it.
struct Item {
  float depth = 0;
  enum class Kind { limb, barrel, head, ball } kind = Kind::limb;
  Surface surface;
  Vec3 a, b;
  float ra = 0, rb = 0, v0 = 0;
  Barrel barrel;
};

class FigurePainter {
 public:
  FigurePainter(const Target& target, const Figure& figure, const Lamp& lamp)
      : figure_(figure),
        who_(*figure.identity),
        wear_(*figure.outfit),
        body_(stand(who_, figure.pose)),
        view_(project(figure.pose.yaw_deg, figure.pitch_deg)) {
    brush_.target = &target;
    brush_.lamp = &lamp;
    brush_.yaw = static_cast<float>(exact::radians(figure.pose.yaw_deg));
    brush_.yaw -=
        6.2831853f * static_cast<float>(exact::floor_to_int(brush_.yaw / 6.2831853f + 0.5f));
    brush_.scale = figure.scale;
    brush_.occluder = figure.occluder;
    brush_.folds = target.window.height_px >= 96;
    brush_.seed = static_cast<std::uint32_t>(scramble(static_cast<std::uint64_t>(who_.subject)));
    unit_ = target.window.pixels * figure.scale;
    skin_.base = rgb(kSkin[static_cast<std::size_t>(who_.skin_tone)]);
    skin_.part = PersonPart::skin;
    hair_.base = rgb(kHair[static_cast<std::size_t>(who_.hair_colour)]);
    hair_.part = PersonPart::hair;
    top_ = clothe(wear_.top, PersonPart::top);
    bottom_ = clothe(wear_.bottom, PersonPart::bottom);
    bag_.base = dye(wear_.bag_hue, 1, 1) * 0.8f;
    bag_.part = PersonPart::bag;
    items_.reserve(32);
  }

  void paint() {
    add_leg(body_.left);
    add_leg(body_.right);
    add_trunk();
    add_arm(body_.left, 1);
    add_arm(body_.right, -1);
    add_head();
    add_bag();
    std::stable_sort(items_.begin(), items_.end(),
                     [](const Item& x, const Item& y) { return x.depth < y.depth; });
    for (const Item& item : items_) {
      switch (item.kind) {
        case Item::Kind::limb:
          paint_limb(brush_, item.surface, item.a, item.b, item.ra, item.rb, item.v0);
          break;
        case Item::Kind::barrel:
          paint_barrel(brush_, item.surface, item.barrel);
          break;
        case Item::Kind::head:
          paint_head(item);
          break;
        case Item::Kind::ball:
          paint_hair_ball(item);
          break;
      }
    }
  }

 private:
  /// To the picture: x, y in pixels, z still in nominal heights (towards the camera).
  Vec3 pixel(Vec3 body_point) const {
    const Vec3 s = view_.apply(body_point);
    const Window& w = brush_.target->window;
    return {w.x(s.x * figure_.scale + figure_.foot_x), w.y(s.y * figure_.scale + figure_.foot_y),
            s.z};
  }

  void limb(const Surface& surface, Vec3 from, Vec3 to, float ra, float rb, float nearer = 0,
            float v0 = 0) {
    Item item;
    item.a = pixel(from);
    item.b = pixel(to);
    item.depth = 0.5f * (item.a.z + item.b.z) + nearer;
    item.surface = surface;
    item.ra = ra * unit_;
    item.rb = rb * unit_;
    item.v0 = v0;
    items_.push_back(item);
  }

  /// Half the width as seen of an ellipse of these half axes.
  float seen(float lateral, float depth) const {
    const float a = lateral * view_.cos_yaw, b = depth * view_.sin_yaw;
    return exact::square_root(a * a + b * b) * unit_;
  }

  void barrel(const Surface& surface, Vec3 from, Vec3 to,
              const std::array<std::array<float, 3>, Barrel::kStations>& stations, float nearer) {
    Item item;
    item.kind = Item::Kind::barrel;
    item.barrel.top = pixel(from);
    item.barrel.bottom = pixel(to);
    item.barrel.length = from.y - to.y;
    for (std::size_t i = 0; i < stations.size(); ++i) {
      item.barrel.at[i] = stations[i][0];
      item.barrel.half_width[i] = seen(stations[i][1], stations[i][2]);
    }
    item.depth = 0.5f * (item.barrel.top.z + item.barrel.bottom.z) + nearer;
    item.surface = surface;
    items_.push_back(item);
  }

  void add_leg(const Limbs& l) {
    const float thigh = body_.leg_radius, knee = thigh * 0.68f, ankle = thigh * 0.42f;
    const float height = static_cast<float>(who_.height);
    Surface shoe;
    constexpr std::array<std::array<double, 3>, 3> kShoe{
        {{0.012, 0.012, 0.013}, {0.10, 0.045, 0.02}, {0.72, 0.72, 0.70}}};
    shoe.base = rgb(kShoe[static_cast<std::size_t>(wear_.shoe)]);
    shoe.part = PersonPart::shoes;
    const float foot = 0.020f * height;
    limb(shoe, l.heel, l.toe, foot * 1.05f, foot * 0.85f, 0.004f);
    limb(shoe, l.heel, l.ankle, foot * 1.05f, ankle * 0.95f, -0.001f);

    const float covered = static_cast<float>(wear_.leg);
    Surface cloth = bottom_;
    cloth.side_line = bottom_.texture == Texture::logo;
    // Skin begins where cloth ends: whichever of the two leans towards the camera, none covers the
    // other. A skirt hangs over both legs.
    const float over = 0.03f;
    if (wear_.kind == BottomKind::trousers) {
      const float loose = 1.06f, hem = thigh * 0.60f;
      const float end = std::min(1.0f, (covered - 0.52f) / 0.45f);
      const Vec3 from = mix(l.knee, l.ankle, end);
      if (end < 0.98f) limb(skin_, from, l.ankle, exact::mix(knee, ankle, end), ankle);
      limb(cloth, l.hip, l.knee, thigh * loose, knee * 1.12f);
      limb(cloth, l.knee, from, knee * 1.12f, hem, 0.001f, 0.23f);
    } else {
      const bool skirt = wear_.kind == BottomKind::skirt;
      const float end = skirt ? 0.0f : std::min(1.0f, covered / 0.52f);
      const float nearer = skirt ? -0.25f : 0.0f, cut = exact::mix(thigh, knee, end);
      const Vec3 from = mix(l.hip, l.knee, end);
      limb(skin_, from, l.knee, cut, knee, nearer);
      limb(skin_, l.knee, l.ankle, knee, ankle, nearer);
      if (!skirt) limb(cloth, l.hip, from, thigh * 1.1f, cut * 1.28f, over);
    }
  }

  /// Half widths and depths of the bare trunk, shoulders to hips.
  void add_trunk() {
    const float shoulder = 0.5f * body_.shoulder_width, hip = 0.5f * body_.hip_width;
    const float deep = 0.5f * body_.depth;
    const float belly = who_.build > 1.1 ? static_cast<float>(who_.build - 1.1) : 0.0f;
    const float waist =
        0.84f * std::min(shoulder, hip) + 0.08f * std::max(shoulder, hip) + 0.10f * belly;
    const Vec3 crotch = body_.pelvis - Vec3{0, 0.055f, 0};

    // The seat of the trousers, or the skirt.
    Surface seat = bottom_;
    seat.side_line = bottom_.texture == Texture::logo;
    if (wear_.kind == BottomKind::skirt) {
      const float leg = static_cast<float>(who_.leg_ratio * who_.height);
      const Vec3 end = body_.pelvis - Vec3{0, leg * static_cast<float>(wear_.leg), 0};
      const float flare = hip * (1.12f + 0.18f * static_cast<float>(wear_.leg)),
                  fold = 1.25f * deep;
      barrel(seat, body_.waist, end,
             {{{0.0f, waist, deep * 0.9f},
               {0.12f, exact::mix(waist, hip, 0.7f), deep},
               {0.3f, hip * 1.05f, deep * 1.08f},
               {0.5f, exact::mix(hip, flare, 0.5f), fold},
               {0.75f, exact::mix(hip, flare, 0.8f), fold * 1.1f},
               {1.0f, flare, fold * 1.2f}}},
             0.055f);
    } else {
      barrel(seat, body_.waist, crotch,
             {{{0.0f, waist, deep * 0.9f},
               {0.3f, hip * 0.97f, deep},
               {0.5f, hip, deep * 1.06f},
               {0.7f, hip * 0.98f, deep * 1.04f},
               {0.9f, hip * 0.92f, deep * 0.95f},
               {1.0f, hip * 0.82f, deep * 0.85f}}},
             0.003f);
    }
    Surface shirt = top_;
    shirt.has_logo = top_.texture == Texture::logo;
    shirt.strap = wear_.bag == Bag::backpack ? 1 : (wear_.bag == Bag::shoulder ? 2 : 0);
    shirt.strap_colour = bag_.base;
    const Vec3 hem = body_.pelvis - Vec3{0, static_cast<float>(wear_.hem) - 0.03f, 0};
    const float loose = 1.03f;
    barrel(shirt, body_.neck + Vec3{0, 0.008f, 0}, hem,
           {{{0.0f, shoulder * 0.34f, deep * 0.45f},
             {0.10f, shoulder * 0.86f, deep * 0.85f},
             {0.32f, shoulder * 0.94f, deep * 1.02f},
             {0.64f, waist * loose, deep * (0.92f + 0.9f * belly)},
             {0.85f, exact::mix(waist, hip, 0.75f) * loose, deep * (0.98f + 0.8f * belly)},
             {1.0f, hip * loose, deep * 1.08f}}},
           0.058f);
    Surface neck = skin_;
    limb(neck, body_.neck + Vec3{0, 0.012f, 0}, body_.head, 0.25f * body_.head_height,
         0.25f * body_.head_height, -0.02f);
  }

  void add_arm(const Limbs& l, int side) {
    const float upper = body_.arm_radius, elbow = upper * 0.84f, wrist = upper * 0.60f;
    const float sleeve = static_cast<float>(wear_.sleeve);
    const float towards = 0.04f;  // an arm at the side lies over the trunk's edge
    const bool bare = sleeve < 0.95f;
    if (bare) {
      const float end = std::min(1.0f, sleeve / 0.53f);
      const Vec3 from = mix(l.shoulder, l.elbow, end);
      limb(skin_, from, l.elbow, exact::mix(upper, elbow, end), elbow, towards);
      limb(skin_, l.elbow, l.wrist, elbow, wrist, towards + 0.001f);
      limb(top_, l.shoulder, from, upper * 1.06f, upper * 1.14f, towards + 0.03f, 0.02f);
    } else {
      limb(top_, l.shoulder, l.elbow, upper * 1.08f, elbow * 1.14f, towards, 0.02f);
      limb(top_, l.elbow, l.wrist, elbow * 1.14f, wrist * 1.25f, towards + 0.001f, 0.19f);
    }
    const Vec3 hand = l.wrist + (l.wrist - l.elbow) * 0.28f;
    limb(skin_, l.wrist + (l.wrist - l.elbow) * 0.06f, hand, wrist * 0.95f, wrist * 1.05f,
         towards + 0.0015f);
    if (wear_.bag == Bag::hand && side < 0) {
      const Vec3 grip = hand - Vec3{0, 0.012f, 0};
      const Vec3 foot = grip - Vec3{0, 0.15f, 0};
      limb(bag_, hand, grip - Vec3{0, 0.04f, 0}, 0.006f, 0.006f, towards + 0.002f);
      barrel(bag_, grip - Vec3{0, 0.035f, 0}, foot,
             {{{0.0f, 0.02f, 0.055f},
               {0.1f, 0.026f, 0.068f},
               {0.35f, 0.028f, 0.072f},
               {0.65f, 0.03f, 0.076f},
               {0.85f, 0.03f, 0.078f},
               {1.0f, 0.03f, 0.076f}}},
             towards + 0.003f);
    }
  }

  void add_bag() {
    const float deep = 0.5f * body_.depth;
    if (wear_.bag == Bag::backpack) {
      const Vec3 back{0, 0, -(deep + 0.038f)};
      const Vec3 upper = body_.neck + back - Vec3{0, 0.02f, 0};
      const Vec3 lower = body_.waist + back - Vec3{0, 0.015f, 0};
      barrel(bag_, upper, lower,
             {{{0.0f, 0.050f, 0.028f},
               {0.1f, 0.075f, 0.042f},
               {0.35f, 0.085f, 0.055f},
               {0.65f, 0.088f, 0.062f},
               {0.85f, 0.086f, 0.060f},
               {1.0f, 0.072f, 0.045f}}},
             view_.cos_yaw < 0 ? 0.10f : 0.02f);
    } else if (wear_.bag == Bag::shoulder) {
      const Vec3 hip = body_.pelvis + Vec3{0.5f * body_.hip_width + 0.028f, 0.02f, 0};
      barrel(bag_, hip, hip - Vec3{0, 0.115f, 0},
             {{{0.0f, 0.026f, 0.070f},
               {0.1f, 0.030f, 0.078f},
               {0.35f, 0.032f, 0.080f},
               {0.65f, 0.032f, 0.082f},
               {0.85f, 0.032f, 0.082f},
               {1.0f, 0.028f, 0.078f}}},
             0.062f);
    }
  }

  void add_head() {
    Item item;
    item.kind = Item::Kind::head;
    item.a = pixel(body_.head);
    item.depth = item.a.z + 0.03f;
    if (who_.hair == HairShape::long_hair) {
      const float h = body_.head_height;
      const Vec3 from = body_.head + Vec3{0, 0.1f * h, -0.22f * h};
      const Vec3 to = body_.neck + Vec3{0, -0.85f * h, -0.5f * body_.depth - 0.1f * h};
      barrel(hair_, from, to,
             {{{0.0f, 0.36f * h, 0.30f * h},
               {0.1f, 0.42f * h, 0.30f * h},
               {0.35f, 0.44f * h, 0.24f * h},
               {0.65f, 0.46f * h, 0.18f * h},
               {0.85f, 0.42f * h, 0.15f * h},
               {1.0f, 0.30f * h, 0.10f * h}}},
             view_.cos_yaw < 0.2f ? 0.06f : -0.04f);
    }
    if (who_.hair == HairShape::bun && wear_.hat == Hat::none) {
      const float h = body_.head_height;
      limb(hair_, body_.head + Vec3{0, 0.40f * h, -0.38f * h},
           body_.head + Vec3{0, 0.46f * h, -0.44f * h}, 0.19f * h, 0.18f * h,
           view_.cos_yaw < 0 ? 0.05f : -0.03f);
    }
    if (who_.hair == HairShape::afro) {
      Item ball = item;
      ball.kind = Item::Kind::ball;
      ball.depth -= 0.001f;
      items_.push_back(ball);
    }
    items_.push_back(item);
    if (wear_.hat == Hat::cap || wear_.hat == Hat::brim) add_brim();
  }

  void add_brim() {
    Surface felt;
    felt.base = hat_colour() * 0.85f;
    felt.part = PersonPart::hat;
    const float h = body_.head_height;
    const double turn = exact::radians(figure_.pose.head_yaw_deg);
    const float s = static_cast<float>(exact::sin(turn)), c = static_cast<float>(exact::cos(turn));
    if (wear_.hat == Hat::cap) {
      const Vec3 from = body_.head + Vec3{s * 0.38f * h, 0.20f * h, c * 0.38f * h};
      const Vec3 to = body_.head + Vec3{s * 0.74f * h, 0.14f * h, c * 0.74f * h};
      limb(felt, from, to, 0.055f * h, 0.045f * h, 0.04f);
    } else {
      const float wide = 0.66f * h;
      const Vec3 middle = body_.head + Vec3{0, 0.20f * h, 0};
      // Seen level, a brim is a bar as wide as the hat whichever way the body faces.
      const Vec3 across{view_.cos_yaw * wide, 0, view_.sin_yaw * wide};
      limb(felt, middle - across, middle + across, 0.05f * h, 0.05f * h, 0.06f);
    }
  }

  Rgb hat_colour() const { return dye(wear_.hat_hue, wear_.hat == Hat::brim ? 0 : 1, 1); }

  Ball head_ball(const Item& item, float grow) const {
    const float h = body_.head_height;
    Ball ball;
    ball.centre = item.a;
    ball.half_height = 0.5f * h * unit_ * grow;
    ball.half_width = seen(0.375f * h, 0.44f * h) * grow;
    ball.face = project(figure_.pose.yaw_deg + figure_.pose.head_yaw_deg, figure_.pitch_deg);
    return ball;
  }

  std::array<Rgb, 6> head_colours() const {
    std::array<Rgb, 6> c{};
    c[static_cast<std::size_t>(HeadPart::skin)] = skin_.base;
    c[static_cast<std::size_t>(HeadPart::hair)] = hair_.base;
    c[static_cast<std::size_t>(HeadPart::hat)] = hat_colour();
    c[static_cast<std::size_t>(HeadPart::stubble)] = mix(skin_.base, hair_.base, 0.45f);
    c[static_cast<std::size_t>(HeadPart::dark)] = skin_.base * 0.22f;
    return c;
  }

  void paint_hair_ball(const Item& item) const {
    const float h = body_.head_height;
    const bool hat = wear_.hat != Hat::none;
    Ball ball = head_ball(item, 1.36f);
    ball.centre.y -= 0.12f * h * unit_;
    paint_ball(brush_, ball, head_colours(), [hat](Vec3 p) {
      return p.y < -0.72f || (hat && p.y > 0.35f) ? HeadPart::none : HeadPart::hair;
    });
  }

  void paint_head(const Item& item) const {
    const bool features = body_.head_height * unit_ >= 9.0f;
    const bool hat = wear_.hat != Hat::none;
    const HairShape shape = who_.hair;
    const float rim = wear_.hat == Hat::beanie ? 0.16f : 0.30f;
    const bool wide = shape == HairShape::bob || shape == HairShape::long_hair;
    paint_ball(brush_, head_ball(item, wide ? 1.1f : 1.02f), head_colours(), [&](Vec3 p) {
      if (hat && p.y > rim) return HeadPart::hat;
      // The hairline: high in front, at the ears on the side, at the nape behind.
      const float line = p.z > 0 ? 0.10f + 0.50f * p.z : 0.10f + 0.62f * p.z;
      if (p.y > line) return shape == HairShape::shaved ? HeadPart::stubble : HeadPart::hair;
      // Longer hair frames the face and leaves the chin free.
      if (wide && p.z < 0.34f + 0.5f * std::min(p.y, 0.0f)) return HeadPart::hair;
      if (shape == HairShape::afro && p.z < 0.25f) return HeadPart::hair;
      if (features && p.z > 0.3f) {
        const float eye = (p.x < 0 ? -p.x : p.x) - 0.34f;
        if (eye * eye + (p.y - 0.05f) * (p.y - 0.05f) * 2.0f < 0.012f) return HeadPart::dark;
        if (p.x * p.x < 0.055f && (p.y + 0.48f) * (p.y + 0.48f) < 0.0028f) return HeadPart::stubble;
      }
      return HeadPart::skin;
    });
  }

  const Figure& figure_;
  const PersonIdentity& who_;
  const Outfit& wear_;
  Skeleton body_;
  Projection view_;
  Brush brush_;
  float unit_ = 1;  // pixels per nominal height of this figure
  Surface skin_, hair_, top_, bottom_, bag_;
  std::vector<Item> items_;
};

}  // namespace

void paint_figure(const Target& target, const Figure& figure, const Lamp& lamp) {
  FigurePainter(target, figure, lamp).paint();
}

}  // namespace sosia::world::person

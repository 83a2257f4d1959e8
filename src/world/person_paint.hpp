#pragma once
// The three solids that bodies are made of - limbs, barrels and balls - painted with smooth edges,
// direct light and cloth that turns with the body.

#include "world/exact_math.hpp"
#include "world/person_parts.hpp"

#include <algorithm>
#include <array>

namespace sosia::world::person {

/// What a solid is covered with.
struct Surface {
  Rgb base;
  Rgb second{};  ///< of stripes, checks and the logo
  Texture texture = Texture::plain;
  float frequency = 12;  ///< per nominal height
  int emblem = 0;
  PersonPart part = PersonPart::skin;
  bool has_logo = false;   ///< an emblem on the chest (barrel) ...
  bool side_line = false;  ///< ... or a line down the outside (limbs)
  int strap = 0;           ///< over a barrel: 1 two of a backpack, 2 one across
  Rgb strap_colour{};
};

/// Everything a solid needs beside its shape.
struct Brush {
  const Target* target = nullptr;
  const Lamp* lamp = nullptr;
  float yaw = 0;    ///< of the body, radians
  float scale = 1;  ///< of the figure
  bool occluder = false;
  bool folds = false;  ///< cloth gets folds: only worth their time on large pictures
  std::uint32_t seed = 0;
};

/// A capsule whose radius changes from `ra` at `a` to `rb` at `b` (pixels on the picture; z is not
/// used). `v0` is where its texture begins, nominal heights. `turn` shifts the texture about the
/// axis, radians.
void paint_limb(const Brush& brush, const Surface& surface, Vec3 a, Vec3 b, float ra, float rb,
                float v0);

/// A solid of elliptical sections along an axis that runs down the picture.
struct Barrel {
  static constexpr int kStations = 6;
  Vec3 top, bottom;  ///< ends of the axis, pixels
  std::array<float, kStations> at{0, 0.1f, 0.35f, 0.65f, 0.85f, 1};
  std::array<float, kStations> half_width{};  ///< as seen, pixels
  float length = 0.3f;                        ///< nominal heights
};
void paint_barrel(const Brush& brush, const Surface& surface, const Barrel& barrel);

/// What a head's surface is at a point of the unit sphere of the head's own frame: x its left, y
/// up, z forwards.
enum class HeadPart { none, skin, hair, hat, stubble, dark };

/// The ellipse of a head or a ball of hair.
struct Ball {
  Vec3 centre;                            ///< pixels
  float half_width = 1, half_height = 1;  ///< pixels
  Projection face;                        ///< of the head's frame
};
// --- shared by the painters ---

inline float lit(const Lamp& lamp, float nx, float ny, float nz) {
  const float direct = nx * lamp.direction.x + ny * lamp.direction.y + nz * lamp.direction.z;
  const float light = lamp.ambient + (1.0f - lamp.ambient) * (direct > 0 ? 1.25f * direct : 0.0f);
  return light * (0.72f + 0.28f * nz);  // edges see less of the sky
}

PersonPart part_of(const Brush& brush, PersonPart part);

/// Whole pixels that [low, high] touches, inside [0, size).
struct PixelRange {
  int first, last;  ///< last is exclusive
};
PixelRange touched(float low, float high, int size);

/// `classify(Vec3)` says what is at a point of the unit sphere; `colours` is indexed by HeadPart.
template <class Classify>
void paint_ball(const Brush& brush, const Ball& ball, const std::array<Rgb, 6>& colours,
                Classify classify) {
  const Target& target = *brush.target;
  const float reach = 0.5f, smaller = std::min(ball.half_width, ball.half_height);
  const auto rows = touched(ball.centre.y - ball.half_height - reach,
                            ball.centre.y + ball.half_height + reach, target.canvas->height());
  const auto columns = touched(ball.centre.x - ball.half_width - reach,
                               ball.centre.x + ball.half_width + reach, target.canvas->width());
  for (int y = rows.first; y < rows.last; ++y) {
    const float ny = (ball.centre.y - static_cast<float>(y)) / ball.half_height;
    for (int x = columns.first; x < columns.last; ++x) {
      const float nx = (static_cast<float>(x) - ball.centre.x) / ball.half_width;
      const float square = nx * nx + ny * ny;
      const float radius = exact::square_root(square);
      const float alpha = exact::clamp((1.0f - radius) * smaller + 0.5f, 0.0f, 1.0f);
      if (alpha <= 0) continue;
      const float inside = radius > 1.0f ? 1.0f / radius : 1.0f;
      const float nz = square < 1.0f ? exact::square_root(1.0f - square) : 0.0f;
      const Vec3 n{nx * inside, ny * inside, nz};
      // Back from the screen to the head's frame.
      const Projection& f = ball.face;
      const float py = n.y * f.cos_pitch + n.z * f.sin_pitch;
      const float pz = n.z * f.cos_pitch - n.y * f.sin_pitch;
      const Vec3 own{n.x * f.cos_yaw - pz * f.sin_yaw, py, n.x * f.sin_yaw + pz * f.cos_yaw};
      const HeadPart what = classify(own);
      if (what == HeadPart::none) continue;
      const float light = lit(*brush.lamp, n.x, n.y, n.z);
      const PersonPart part = what == HeadPart::hair  ? PersonPart::hair
                              : what == HeadPart::hat ? PersonPart::hat
                                                      : PersonPart::skin;
      target.put(x, y, colours[static_cast<std::size_t>(what)] * brush.lamp->colour * light, alpha,
                 part_of(brush, part));
    }
  }
}

}  // namespace sosia::world::person

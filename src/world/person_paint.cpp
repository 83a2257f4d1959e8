#include "world/person_paint.hpp"

#include <cmath>

namespace sosia::world::person {
namespace {

constexpr float kHalfPi = 1.57079632679f;

/// asin to about 0.01: where cloth lies around a body.
float arc_sine(float x) {
  const float s = x * x;
  return x * (1.0f + s * (0.1667f + s * (0.075f + s * 0.3f)));
}

/// A square wave of period 1 between 0 and 1, its edges as soft as `softness` (periods a pixel),
/// fading to its mean where pixels are too coarse to show it.
float wave(float t, float softness) {
  const float part = t - static_cast<float>(exact::floor_to_int(t));
  const float triangle = part < 0.5f ? 1.0f - 4.0f * part : 4.0f * part - 3.0f;  // 1 .. -1 .. 1
  const float edge = exact::clamp(0.5f + triangle * 0.25f / std::max(softness, 0.02f), 0.0f, 1.0f);
  const float contrast = exact::clamp(1.5f - 2.4f * softness, 0.0f, 1.0f);
  return 0.5f + (edge - 0.5f) * contrast;
}

/// The cloth at `around` (radians about the body, 0 at the front) and `down` (nominal heights).
Rgb cloth(const Brush& brush, const Surface& s, float around, float down) {
  if (s.texture == Texture::plain || s.texture == Texture::logo) return s.base;
  const float softness = s.frequency / (brush.target->window.pixels * brush.scale);
  const float across = wave(down * s.frequency, softness);
  if (s.texture == Texture::stripes) return mix(s.base, s.second, across);
  const float along = wave(around * 0.095f * s.frequency, softness);
  return mix(s.base, s.second, 0.5f * (across + along));
}

float fold(const Brush& brush, float around, float down) {
  if (!brush.folds) return 1.0f;
  return 1.0f + 0.10f * value_noise(around * 2.6f, down * 16.0f, brush.seed);
}

/// The emblem on the chest, as coverage. Both coordinates in units of its half size.
float emblem(int shape, float x, float y) {
  const float ax = x < 0 ? -x : x, ay = y < 0 ? -y : y;
  const float r = exact::square_root(x * x + y * y);
  switch (shape) {
    case 0:
      return r < 1.0f ? 1.0f : 0.0f;
    case 1:
      return ax < 1.15f && ay < 0.5f ? 1.0f : 0.0f;
    case 2:
      return ax + ay < 1.15f ? 1.0f : 0.0f;
    default:
      return r < 1.1f && r > 0.55f ? 1.0f : 0.0f;
  }
}

/// Interpolates a barrel's half width; smooth at the stations.
float width_at(const Barrel& b, float s) {
  int i = 0;
  while (i + 2 < Barrel::kStations && s > b.at[static_cast<std::size_t>(i) + 1]) ++i;
  const auto k = static_cast<std::size_t>(i);
  return exact::mix(b.half_width[k], b.half_width[k + 1],
                    exact::smooth_step(b.at[k], b.at[k + 1], s) * 0.5f +
                        0.5f * exact::clamp((s - b.at[k]) / (b.at[k + 1] - b.at[k]), 0.0f, 1.0f));
}

struct BarrelPoint {
  float across;  // -1 to 1 over the width
  float around;  // radians about the body, 0 in front
  float s;       // 0 at the top
};

void paint_barrel_pixel(const Brush& brush, const Surface& surface, const Barrel& barrel,
                        BarrelPoint at, int x, int y, float alpha) {
  const float nz = exact::square_root(std::max(0.0f, 1.0f - at.across * at.across));
  const float down = at.s * barrel.length;
  Rgb colour = cloth(brush, surface, at.around, down);
  PersonPart part = surface.part;
  if (surface.has_logo) {
    const float size = 0.055f;  // half, nominal heights
    const float ex = at.around * 0.10f / size, ey = (down - 0.115f) / size;
    if (emblem(surface.emblem, ex, ey) > 0) {
      colour = surface.second;
      part = PersonPart::logo;
    }
  }
  if (surface.side_line) {
    const float side = (at.around < 0 ? -at.around : at.around) - kHalfPi;
    if (side > -0.22f && side < 0.22f) colour = surface.second;
  }
  if (surface.strap == 1 && at.s < 0.6f) {
    const float front = at.around < 0 ? -at.around : at.around;
    if (front > 0.42f && front < 0.78f) {
      colour = surface.strap_colour;
      part = PersonPart::bag;
    }
  } else if (surface.strap == 2) {
    // From the right shoulder to the left hip, in front and behind.
    const float lateral = static_cast<float>(exact::sin(static_cast<double>(at.around)));
    const float off = lateral - (-0.75f + 1.7f * at.s);
    if (off > -0.14f && off < 0.14f) {
      colour = surface.strap_colour;
      part = PersonPart::bag;
    }
  }
  const float light = lit(*brush.lamp, at.across, 0.12f, nz) * fold(brush, at.around, down);
  brush.target->put(x, y, colour * brush.lamp->colour * light, alpha, part_of(brush, part));
}

}  // namespace

PersonPart part_of(const Brush& brush, PersonPart part) {
  return brush.occluder ? PersonPart::occluder : part;
}

PixelRange touched(float low, float high, int size) {
  if (!(high > 0.0f) || !(low < static_cast<float>(size))) return {0, 0};
  const int first = low <= 0 ? 0 : static_cast<int>(low);
  const int last = high >= static_cast<float>(size - 1) ? size : static_cast<int>(high) + 1;
  return {first, last};
}

void paint_limb(const Brush& brush, const Surface& surface, Vec3 a, Vec3 b, float ra, float rb,
                float v0) {
  const Target& target = *brush.target;
  const float dx = b.x - a.x, dy = b.y - a.y, square = dx * dx + dy * dy;
  const float over = square > 1e-6f ? 1.0f / square : 0.0f;
  const float length = exact::square_root(square);
  const float unit = length > 1e-3f ? 1.0f / length : 0.0f;
  const float ux = dx * unit, uy = dy * unit;
  const float per_unit = 1.0f / (target.window.pixels * brush.scale);
  const float wide = std::max(ra, rb) + 0.5f;
  const auto rows =
      touched(std::min(a.y, b.y) - wide, std::max(a.y, b.y) + wide, target.canvas->height());
  const auto columns =
      touched(std::min(a.x, b.x) - wide, std::max(a.x, b.x) + wide, target.canvas->width());
  const bool plain = surface.texture == Texture::plain || surface.texture == Texture::logo;
  // A line down the outside is seen where the body is seen from the side.
  const auto turned = static_cast<float>(exact::sin(static_cast<double>(brush.yaw)));
  const float sideways = turned * turned;
  for (int y = rows.first; y < rows.last; ++y) {
    const float py = static_cast<float>(y) - a.y;
    for (int x = columns.first; x < columns.last; ++x) {
      const float px = static_cast<float>(x) - a.x;
      const float t = exact::clamp((px * dx + py * dy) * over, 0.0f, 1.0f);
      const float radius = ra + (rb - ra) * t;
      const float ox = px - t * dx, oy = py - t * dy;
      const float distance_square = ox * ox + oy * oy;
      if (distance_square >= (radius + 0.5f) * (radius + 0.5f)) continue;
      const float distance = exact::square_root(distance_square);
      const float alpha = exact::clamp(radius + 0.5f - distance, 0.0f, std::min(1.0f, 2 * radius));
      const float inverse = 1.0f / std::max(std::max(radius, distance), 0.3f);
      // At the rounded ends the surface turns away less than a ball's would: joints do not bulge.
      const float axial = 0.7f * (ox * ux + oy * uy);
      const float nx = (ox - axial * ux) * inverse, ny = (axial * uy - oy) * inverse;
      const float nz = exact::square_root(std::max(0.0f, 1.0f - nx * nx - ny * ny));
      Rgb colour = surface.base;
      const float across = (ox * dy - oy * dx) * unit * inverse;  // -1 to 1 over the width
      if (!plain)
        colour = cloth(brush, surface, arc_sine(across) - brush.yaw, v0 + t * length * per_unit);
      if (surface.side_line && sideways > 0.35f) {
        const float inside = (0.24f - (across < 0 ? -across : across)) * radius + 0.5f;
        colour = mix(colour, surface.second, exact::clamp(inside, 0.0f, 1.0f));
      }
      const float light =
          lit(*brush.lamp, nx, ny, nz) * (surface.part == PersonPart::skin
                                              ? 1.0f
                                              : fold(brush, across, v0 + t * length * per_unit));
      target.put(x, y, colour * brush.lamp->colour * light, alpha, part_of(brush, surface.part));
    }
  }
}

void paint_barrel(const Brush& brush, const Surface& surface, const Barrel& barrel) {
  const Target& target = *brush.target;
  const float top = barrel.top.y, bottom = barrel.bottom.y;
  if (!(bottom > top)) return;
  const auto rows = touched(top - 0.5f, bottom + 0.5f, target.canvas->height());
  for (int y = rows.first; y < rows.last; ++y) {
    const float fy = static_cast<float>(y);
    const float s = exact::clamp((fy - top) / (bottom - top), 0.0f, 1.0f);
    const float middle = exact::mix(barrel.top.x, barrel.bottom.x, s);
    const float half = width_at(barrel, s);
    const float ends =
        exact::clamp(fy - top + 0.5f, 0.0f, 1.0f) * exact::clamp(bottom - fy + 0.5f, 0.0f, 1.0f);
    const auto columns =
        touched(middle - half - 0.5f, middle + half + 0.5f, target.canvas->width());
    const float inverse = 1.0f / std::max(half, 0.3f);
    for (int x = columns.first; x < columns.last; ++x) {
      const float off = static_cast<float>(x) - middle;
      const float alpha = exact::clamp(half + 0.5f - (off < 0 ? -off : off), 0.0f, 1.0f) * ends;
      if (alpha <= 0) continue;
      const float across = exact::clamp(off * inverse, -1.0f, 1.0f);
      float around = arc_sine(across) - brush.yaw;
      if (around < -3.14159265f) around += 6.2831853f;
      if (around > 3.14159265f) around -= 6.2831853f;
      paint_barrel_pixel(brush, surface, barrel, {across, around, s}, x, y, alpha);
    }
  }
}

}  // namespace sosia::world::person

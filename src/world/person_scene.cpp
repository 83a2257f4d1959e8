// What lies behind and in front of a body: walls, floors, things, shadows, occluders.

#include "world/person_paint.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace sosia::world::person {
namespace {

Rgb rgb(const std::array<double, 3>& c) {
  return {static_cast<float>(c[0]), static_cast<float>(c[1]), static_cast<float>(c[2])};
}

/// 1 where `t` is within `width` of a whole number, 0 between, edges `soft` wide; all in periods.
float line(float t, float width, float soft) {
  float part = t - static_cast<float>(exact::floor_to_int(t));
  part = part < 0.5f ? part : 1.0f - part;
  // Lines thinner than a pixel become fainter instead.
  return exact::clamp((width - part) / std::max(soft, 0.01f) + 0.5f, 0.0f, 1.0f) *
         exact::clamp(width * 4.0f / std::max(soft, 0.01f), 0.2f, 1.0f);
}

float wall_shade(int pattern, float x, float y, float pixel) {
  switch (pattern) {
    case 1: {  // bricks
      const float rows = y * 14.0f;
      const int row = exact::floor_to_int(rows);
      const float shift = (row & 1) != 0 ? 0.5f : 0.0f;
      const float joint =
          std::max(line(rows, 0.08f, pixel * 14.0f), line(x * 6.0f + shift, 0.05f, pixel * 6.0f));
      return 1.0f - 0.22f * joint;
    }
    case 2:  // panels
      return 1.0f - 0.3f * std::max(line(x * 2.2f, 0.02f, pixel * 2.2f),
                                    line(y * 1.7f, 0.02f, pixel * 1.7f));
    case 3:  // slats
      return 1.0f - 0.28f * line(x * 9.0f, 0.22f, pixel * 9.0f);
    default:
      return 1.0f;
  }
}

float floor_shade(int pattern, float x, float y, float horizon, float pixel) {
  // Rows of tiles get closer towards the horizon.
  const float depth = 1.0f / (1.35f - exact::clamp(y / std::max(horizon, 0.1f), -0.3f, 1.0f));
  switch (pattern) {
    case 1: {
      const float fan = x / (1.2f * depth);
      return 1.0f - 0.16f * std::max(line(fan * 3.0f, 0.03f, pixel * 4.0f),
                                     line(depth * 3.5f, 0.05f, pixel * 12.0f));
    }
    case 2:
      return 1.0f - 0.14f * line(depth * 2.5f, 0.12f, pixel * 8.0f);
    default:
      return 1.0f;
  }
}

/// Coverage of a pixel by [low, high] along one axis.
float cover(float at, float low, float high) {
  return exact::clamp(at - low + 0.5f, 0.0f, 1.0f) * exact::clamp(high - at + 0.5f, 0.0f, 1.0f);
}

const SceneSection* section_at(const PersonScene& scene, float x) {
  const auto extent = static_cast<float>(scene.extent);
  x -= extent * static_cast<float>(exact::floor_to_int(x / extent));
  for (const SceneSection& s : scene.sections) {
    if (static_cast<double>(x) < s.until) return &s;
  }
  return &scene.sections.back();
}

void paint_object(const Target& target, const SceneObject& o, float left, Rgb light,
                  std::uint32_t seed) {
  const Window& w = target.window;
  const float x0 = w.x(left), x1 = w.x(left + static_cast<float>(o.width));
  const float y0 = w.y(static_cast<float>(o.y + o.height)), y1 = w.y(static_cast<float>(o.y));
  const auto rows = touched(y0 - 0.5f, y1 + 0.5f, target.canvas->height());
  const auto columns = touched(x0 - 0.5f, x1 + 0.5f, target.canvas->width());
  const float cx = 0.5f * (x0 + x1), cy = 0.5f * (y0 + y1);
  const float rx = std::max(0.5f * (x1 - x0), 0.5f), ry = std::max(0.5f * (y1 - y0), 0.5f);
  const Rgb colour = rgb(o.colour) * light;
  const bool round = o.kind == 2 || o.kind == 4;
  for (int y = rows.first; y < rows.last; ++y) {
    const float fy = static_cast<float>(y), v = (fy - cy) / ry;
    for (int x = columns.first; x < columns.last; ++x) {
      const float fx = static_cast<float>(x), u = (fx - cx) / rx;
      float alpha, shade = 1.0f;
      if (round) {
        const float r = exact::square_root(u * u + v * v);
        alpha = exact::clamp((1.0f - r) * std::min(rx, ry) + 0.5f, 0.0f, 1.0f);
        if (o.kind == 2) {
          shade = 0.95f - 0.35f * v + 0.3f * value_noise(u * 3.0f, v * 3.0f, seed);
        } else {
          alpha *= 0.6f;
        }
      } else {
        alpha = cover(fx, x0, x1) * cover(fy, y0, y1);
        if (o.kind == 3) shade = 1.0f - 0.45f * u * u;
        if (o.kind == 1) shade = v < -0.6f ? 1.15f : 0.85f;
        if (o.kind == 0) {  // a frame around a pane
          const float au = u < 0 ? -u : u, av = v < 0 ? -v : v;
          shade = au > 0.86f || av > 0.9f ? 0.7f : 1.0f + 0.12f * (u - v);
        }
      }
      if (alpha > 0) target.put(x, y, colour * shade, alpha, PersonPart::background);
    }
  }
}

}  // namespace

Lamp lamp_of(const PersonLight& light, const PersonScene& scene) {
  Lamp lamp;
  const double azimuth = exact::radians(light.azimuth_deg);
  constexpr double kUp = 0.55;
  const double level = 0.835;  // sqrt(1 - kUp^2)
  lamp.direction = {static_cast<float>(level * exact::sin(azimuth)), static_cast<float>(kUp),
                    static_cast<float>(level * exact::cos(azimuth))};
  lamp.ambient = static_cast<float>(light.ambient);
  lamp.colour = rgb(light.tint) * rgb(scene.light) * static_cast<float>(1.25 * light.intensity);
  return lamp;
}

void paint_scene(const Target& target, const PersonScene& scene, double place, const Lamp& lamp) {
  const Window& w = target.window;
  Canvas& canvas = *target.canvas;
  const float pixel = 1.0f / w.pixels;
  const float horizon = static_cast<float>(scene.horizon);
  // Walls do not turn, so they do not show the lamp's direction, only its colour.
  const Rgb light = lamp.colour * 0.85f;
  const Rgb ground = rgb(scene.floor) * light;
  const auto seed = static_cast<std::uint32_t>(scene.camera) * 977u + 13u;
  const float shift = static_cast<float>(place);
  std::vector<const SceneSection*> columns;
  for (int x = 0; x < canvas.width(); ++x) {
    columns.push_back(section_at(scene, w.screen_x(static_cast<float>(x)) + shift));
  }
  for (int y = 0; y < canvas.height(); ++y) {
    const float sy = w.screen_y(static_cast<float>(y));
    const float above = exact::clamp((sy - horizon) * w.pixels + 0.5f, 0.0f, 1.0f);
    const float height = exact::clamp(0.92f + 0.16f * (sy - horizon), 0.7f, 1.15f);
    Rgb* row = canvas.row(y);
    for (int x = 0; x < canvas.width(); ++x) {
      const float sx = w.screen_x(static_cast<float>(x)) + shift;
      Rgb colour{};
      if (above > 0) {
        const SceneSection& s = *columns[static_cast<std::size_t>(x)];
        colour = rgb(s.wall) * light * (wall_shade(s.pattern, sx, sy, pixel) * height);
      }
      if (above < 1) {
        const Rgb below = ground * floor_shade(scene.floor_pattern, sx, sy, horizon, pixel);
        colour = mix(below, colour, above);
      }
      row[x] = colour * (1.0f + 0.10f * value_noise(sx * 9.0f, sy * 9.0f, seed));
    }
  }
  // The scene repeats, so an object is looked for where it falls into the picture.
  const float extent = static_cast<float>(scene.extent);
  const float right = w.left + w.width_px / w.pixels;
  for (const SceneObject& o : scene.objects) {
    float left = static_cast<float>(o.x) - shift;
    left -= extent * static_cast<float>(exact::floor_to_int(
                         (left + static_cast<float>(o.width) - w.left) / extent));
    // Its right edge now lies in [w.left, w.left + extent).
    if (left < right)
      paint_object(target, o, left, light, seed + static_cast<std::uint32_t>(o.kind));
  }
}

void paint_shadow(const Target& target, const PersonIdentity& identity, const Lamp& lamp,
                  double pitch_deg) {
  const Window& w = target.window;
  const float height = static_cast<float>(identity.height);
  const float flat = 0.035f + 0.12f * static_cast<float>(exact::sin(exact::radians(pitch_deg)));
  const float rx = 0.21f * height * w.pixels, ry = flat * height * w.pixels;
  const float cx = w.x(-0.09f * lamp.direction.x), cy = w.y(0.0f);
  const float depth = 0.55f * (1.0f - lamp.ambient) + 0.15f;
  const auto rows = touched(cy - ry, cy + ry, target.canvas->height());
  const auto columns = touched(cx - rx, cx + rx, target.canvas->width());
  for (int y = rows.first; y < rows.last; ++y) {
    const float v = (static_cast<float>(y) - cy) / ry;
    Rgb* row = target.canvas->row(y);
    for (int x = columns.first; x < columns.last; ++x) {
      const float u = (static_cast<float>(x) - cx) / rx;
      const float inside = 1.0f - u * u - v * v;
      if (inside > 0) row[x] = row[x] * (1.0f - depth * std::min(1.0f, inside * 1.6f));
    }
  }
}

void paint_occluder(const Target& target, const PersonView& view, const Lamp& lamp) {
  if (view.occluder != Occluder::post && view.occluder != Occluder::furniture) return;
  const Window& w = target.window;
  const bool post = view.occluder == Occluder::post;
  const auto size = static_cast<float>(view.occluder_size);
  const auto middle = static_cast<float>(view.occluder_x);
  const float half = post ? 0.5f * size : 0.62f;
  const float x0 = w.x(middle - half), x1 = w.x(middle + half);
  const float y0 = post ? -1.0f : w.y(size), y1 = static_cast<float>(target.canvas->height());
  const auto rows = touched(y0 - 0.5f, y1 + 0.5f, target.canvas->height());
  const auto columns = touched(x0 - 0.5f, x1 + 0.5f, target.canvas->width());
  const Rgb colour = rgb(view.occluder_colour) * lamp.colour * 0.85f;
  for (int y = rows.first; y < rows.last; ++y) {
    const float fy = static_cast<float>(y);
    const float edge = exact::clamp(fy - y0 + 0.5f, 0.0f, 1.0f);
    const bool board = !post && fy - y0 < 0.06f * w.pixels;
    for (int x = columns.first; x < columns.last; ++x) {
      const float fx = static_cast<float>(x);
      const float u = (fx - 0.5f * (x0 + x1)) / std::max(0.5f * (x1 - x0), 0.5f);
      const float shade = post ? 1.0f - 0.5f * u * u : (board ? 1.2f : 0.85f - 0.1f * u);
      const float alpha = cover(fx, x0, x1) * edge;
      if (alpha > 0) target.put(x, y, colour * shade, alpha, PersonPart::occluder);
    }
  }
}

}  // namespace sosia::world::person

// From a crop's parameters to pixels: scene, shadow, figure, occluder, then the camera.

#include "sosia/core/error.hpp"
#include "world/exact_math.hpp"
#include "world/person_parts.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

namespace sosia::world {
namespace {

using namespace person;

constexpr int kMinSide = 16, kMaxSide = 1024;

void require_extent(image::Extent e) {
  if (e.width_px < kMinSide || e.height_px < kMinSide || e.width_px > kMaxSide ||
      e.height_px > kMaxSide) {
    throw Error(
        ErrorCode::invalid_argument,
        "a picture of " + std::to_string(e.width_px) + " x " + std::to_string(e.height_px) +
            " pixels cannot be rendered",
        "each side must be " + std::to_string(kMinSide) + " to " + std::to_string(kMaxSide));
  }
}

/// Encoded value of linear light: light^(gamma / 2.2), through a table over the square root, along
/// which the curve is nearly straight.
class ToneCurve {
 public:
  explicit ToneCurve(double gamma) {
    const double exponent = 2.0 * gamma / 2.2;
    for (int i = 0; i <= kSteps; ++i) {
      const double s = static_cast<double>(i) / kSteps;
      value_[static_cast<std::size_t>(i)] = static_cast<float>(255.0 * exact::pow(s, exponent));
    }
    value_[kSteps + 1] = value_[kSteps];
  }
  float operator()(float light) const {
    const float s =
        exact::square_root(exact::clamp(light, 0.0f, 1.0f)) * static_cast<float>(kSteps);
    const int i = static_cast<int>(s);
    const float low = value_[static_cast<std::size_t>(i)];
    return low + (value_[static_cast<std::size_t>(i) + 1] - low) * (s - static_cast<float>(i));
  }

 private:
  static constexpr int kSteps = 64;
  std::array<float, kSteps + 2> value_{};
};

/// Nearly normal noise of unit deviation: the sum of four bytes of a hash.
float grain(std::uint32_t counter, std::uint32_t seed) {
  std::uint32_t h = counter * 0x9e3779b1u + seed;
  h = (h ^ (h >> 16)) * 0x7feb352du;
  h = (h ^ (h >> 15)) * 0x846ca68bu;
  h ^= h >> 16;
  const auto sum =
      static_cast<std::int32_t>((h & 255u) + ((h >> 8) & 255u) + ((h >> 16) & 255u) + (h >> 24));
  return static_cast<float>(sum - 510) * (1.0f / 147.8f);  // 4 (256^2 - 1) / 12 = 147.8^2
}

/// The lamp's gradient and cast shadow over a whole picture.
void shade(Canvas& canvas, const Window& w, const PersonLight& light) {
  const bool cast = light.shade < 1.0;
  const auto gradient = static_cast<float>(light.gradient), depth = static_cast<float>(light.shade);
  const auto edge = static_cast<float>(light.shade_x),
             slope = static_cast<float>(light.shade_slope);
  for (int y = 0; y < canvas.height(); ++y) {
    const float sy = w.screen_y(static_cast<float>(y)) - 0.5f;
    const float factor = std::max(0.2f, 1.0f + gradient * sy * 1.6f);
    Rgb* row = canvas.row(y);
    for (int x = 0; x < canvas.width(); ++x) {
      float f = factor;
      if (cast) {
        const float side = w.screen_x(static_cast<float>(x)) - edge - slope * sy;
        f *= exact::mix(depth, 1.0f, exact::smooth_step(-0.05f, 0.05f, side));
      }
      row[x] = row[x] * f;
    }
  }
}

/// The sensor: colour matrix, tone curve and noise; leaves values of 0 to 255.
void expose(Canvas& canvas, const PersonCamera& camera, std::uint64_t noise_seed) {
  std::array<float, 9> m{};
  for (std::size_t i = 0; i < m.size(); ++i) m[i] = static_cast<float>(camera.colour[i]);
  const ToneCurve curve(camera.gamma);
  const auto deviation = static_cast<float>(camera.noise);
  const auto seed = static_cast<std::uint32_t>(scramble(noise_seed) >> 32);
  std::uint32_t counter = 0;
  for (Rgb& p : canvas.pixels()) {
    const Rgb in = p;
    p.r = curve(m[0] * in.r + m[1] * in.g + m[2] * in.b) + deviation * grain(counter, seed);
    p.g = curve(m[3] * in.r + m[4] * in.g + m[5] * in.b) + deviation * grain(counter + 1, seed);
    p.b = curve(m[6] * in.r + m[7] * in.g + m[8] * in.b) + deviation * grain(counter + 2, seed);
    counter += 3;
  }
}

std::uint8_t quantised(float value) {
  return static_cast<std::uint8_t>(exact::clamp(value, 0.0f, 255.0f) + 0.5f);
}

/// Bilinear enlargement from the sensor's pixels to the picture's.
void resample(const Canvas& canvas, image::MutableImageView out) {
  const bool same = canvas.width() == out.width_px && canvas.height() == out.height_px;
  const float sx = static_cast<float>(canvas.width()) / static_cast<float>(out.width_px);
  const float sy = static_cast<float>(canvas.height()) / static_cast<float>(out.height_px);
  for (int y = 0; y < out.height_px; ++y) {
    std::uint8_t* to = out.row(y);
    for (int x = 0; x < out.width_px; ++x, to += 3) {
      const Rgb p = same ? canvas.at(x, y)
                         : canvas.sample((static_cast<float>(x) + 0.5f) * sx - 0.5f,
                                         (static_cast<float>(y) + 0.5f) * sy - 0.5f);
      to[0] = quantised(p.r);
      to[1] = quantised(p.g);
      to[2] = quantised(p.b);
    }
  }
}

/// Everything that a crop refers to, drawn once.
struct Cast {
  PersonIdentity identity;
  Outfit outfit;
  PersonCamera camera;
  PersonScene scene;
  Cast(const PersonWorld& world, const PersonCrop& crop)
      : identity(world.identity(crop.subject)),
        outfit(world.outfit(crop.subject, crop.outfit)),
        camera(world.camera(crop.camera)),
        scene(world.scene(crop.camera, crop.take)) {}
};

Figure figure_of(const Cast& cast, const PersonCrop& crop) {
  Figure figure;
  figure.identity = &cast.identity;
  figure.outfit = &cast.outfit;
  figure.pose = crop.pose;
  figure.pitch_deg = cast.camera.pitch_deg;
  return figure;
}

/// Somebody who walks past in front: nearer, so lower in the picture and larger.
void paint_passer_by(const Target& target, const PersonWorld& world, const PersonCrop& crop,
                     const Cast& cast, const Lamp& lamp) {
  const PersonIdentity who = world.identity(crop.view.occluder_subject);
  const Outfit wear = world.outfit(crop.view.occluder_subject, 0);
  Figure figure;
  figure.identity = &who;
  figure.outfit = &wear;
  figure.pose.yaw_deg = crop.view.occluder_x < 0 ? 70.0 : 290.0;
  figure.pose.phase = who.gait.phase;
  figure.pitch_deg = cast.camera.pitch_deg;
  figure.foot_x = static_cast<float>(crop.view.occluder_x);
  figure.foot_y = -0.10f;
  figure.scale = 1.06f;
  figure.occluder = true;
  paint_figure(target, figure, lamp);
}

void paint_crop(const Target& target, const PersonWorld& world, const PersonCrop& crop,
                const Cast& cast) {
  const Lamp lamp = lamp_of(crop.light, cast.scene);
  paint_scene(target, cast.scene, crop.place, lamp);
  paint_shadow(target, cast.identity, lamp, cast.camera.pitch_deg);
  paint_figure(target, figure_of(cast, crop), lamp);
  if (crop.view.occluder == Occluder::person) {
    paint_passer_by(target, world, crop, cast, lamp);
  } else {
    paint_occluder(target, crop.view, lamp);
  }
}

/// The figure's parsing map without a scene. `whole`: neither cut, shifted nor occluded.
std::vector<std::uint8_t> map_parts(const PersonWorld& world, const PersonCrop& crop,
                                    const Cast& cast, image::Extent extent, bool whole) {
  Canvas canvas(extent.width_px, extent.height_px);
  std::vector<std::uint8_t> parts(static_cast<std::size_t>(extent.width_px) *
                                  static_cast<std::size_t>(extent.height_px));
  Target target{&canvas, parts.data(),
                window_of(world.options(), cast.identity, cast.camera, crop.view, extent, whole)};
  const Lamp lamp;
  paint_figure(target, figure_of(cast, crop), lamp);
  if (whole) return parts;
  if (crop.view.occluder == Occluder::person) {
    paint_passer_by(target, world, crop, cast, lamp);
  } else {
    paint_occluder(target, crop.view, lamp);
  }
  return parts;
}

}  // namespace

void PersonWorld::render_into(const PersonCrop& crop, image::MutableImageView picture) const {
  image::require_valid(picture, "rendering a person");
  require_extent(picture.extent());
  if (picture.channels != 3) {
    throw Error(ErrorCode::invalid_argument,
                "a person is rendered in 3 channels, not " + std::to_string(picture.channels));
  }
  const Cast cast(*this, crop);
  const auto sensor = [&](int side) {
    return std::max(12, static_cast<int>(side * cast.camera.resolution + 0.5));
  };
  const image::Extent extent{sensor(picture.width_px), sensor(picture.height_px)};
  Canvas canvas(extent.width_px, extent.height_px);
  std::vector<Rgb> scratch;
  const Target target{&canvas, nullptr,
                      window_of(options_, cast.identity, cast.camera, crop.view, extent)};
  paint_crop(target, *this, crop, cast);
  shade(canvas, target.window, crop.light);
  const double blur_square =
      cast.camera.blur_px * cast.camera.blur_px + crop.extra_blur_px * crop.extra_blur_px;
  blur(canvas, static_cast<float>(exact::square_root(blur_square) * extent.height_px / 64.0),
       scratch);
  expose(canvas, cast.camera, crop.noise_seed);
  resample(canvas, picture);
}

image::Image PersonWorld::render(const PersonCrop& crop, image::Extent extent) const {
  require_extent(extent);
  image::Image picture = image::Image::for_overwrite(extent.width_px, extent.height_px, 3);
  render_into(crop, picture.mutable_view());
  return picture;
}

image::Image PersonWorld::render_parts(const PersonCrop& crop, image::Extent extent) const {
  require_extent(extent);
  const Cast cast(*this, crop);
  const std::vector<std::uint8_t> parts = map_parts(*this, crop, cast, extent, false);
  image::Image map = image::Image::for_overwrite(extent.width_px, extent.height_px, 1);
  for (int y = 0; y < extent.height_px; ++y) {
    std::memcpy(map.row(y), parts.data() + static_cast<std::ptrdiff_t>(y) * extent.width_px,
                static_cast<std::size_t>(extent.width_px));
  }
  return map;
}

std::array<image::Point, kJoints> PersonWorld::joints(const PersonCrop& crop,
                                                      image::Extent extent) const {
  require_extent(extent);
  const Cast cast(*this, crop);
  const Skeleton s = stand(cast.identity, crop.pose);
  const Projection view = project(crop.pose.yaw_deg, cast.camera.pitch_deg);
  const Window w = window_of(options_, cast.identity, cast.camera, crop.view, extent);
  const auto at = [&](Vec3 p) {
    const Vec3 q = view.apply(p);
    return image::Point{static_cast<double>(w.x(q.x)), static_cast<double>(w.y(q.y))};
  };
  return {at(s.head),       at(s.neck),        at(s.left.shoulder), at(s.right.shoulder),
          at(s.left.elbow), at(s.right.elbow), at(s.left.wrist),    at(s.right.wrist),
          at(s.left.hip),   at(s.right.hip),   at(s.left.knee),     at(s.right.knee),
          at(s.left.ankle), at(s.right.ankle)};
}

image::Box PersonWorld::body_box(const PersonCrop& crop, image::Extent extent) const {
  require_extent(extent);
  const Cast cast(*this, crop);
  // Where an uncut, unoccluded figure has pixels, in the coordinates of this picture.
  const image::Extent grid{96, 128};
  const std::vector<std::uint8_t> parts = map_parts(*this, crop, cast, grid, true);
  const Window from = window_of(options_, cast.identity, cast.camera, crop.view, grid, true);
  const Window to = window_of(options_, cast.identity, cast.camera, crop.view, extent);
  int x0 = grid.width_px, x1 = -1, y0 = grid.height_px, y1 = -1;
  for (int y = 0; y < grid.height_px; ++y) {
    for (int x = 0; x < grid.width_px; ++x) {
      if (parts[static_cast<std::size_t>(y) * static_cast<std::size_t>(grid.width_px) +
                static_cast<std::size_t>(x)] == 0) {
        continue;
      }
      x0 = std::min(x0, x), x1 = std::max(x1, x);
      y0 = std::min(y0, y), y1 = std::max(y1, y);
    }
  }
  const float left = to.x(from.screen_x(static_cast<float>(x0) - 0.5f));
  const float right = to.x(from.screen_x(static_cast<float>(x1) + 0.5f));
  const float top = to.y(from.screen_y(static_cast<float>(y0) - 0.5f));
  const float bottom = to.y(from.screen_y(static_cast<float>(y1) + 0.5f));
  // Boxes begin at pixel centres: half a pixel before them is the edge.
  return {static_cast<double>(left) + 0.5, static_cast<double>(top) + 0.5,
          static_cast<double>(right - left), static_cast<double>(bottom - top)};
}

PersonVisibility PersonWorld::visibility(const PersonCrop& crop) const {
  const Cast cast(*this, crop);
  const image::Extent grid{48, 96};
  const std::vector<std::uint8_t> whole = map_parts(*this, crop, cast, grid, true);
  const std::vector<std::uint8_t> shown = map_parts(*this, crop, cast, grid, false);
  const Window wide = window_of(options_, cast.identity, cast.camera, crop.view, grid, true);
  const Window cut = window_of(options_, cast.identity, cast.camera, crop.view, grid);
  // A cut box magnifies: count pixels in units of area.
  const double area = static_cast<double>(wide.pixels) / static_cast<double>(cut.pixels);
  std::array<double, kPersonParts> full{}, seen{};
  for (const std::uint8_t p : whole) full[p] += 1.0;
  for (const std::uint8_t p : shown) seen[p] += area * area;
  PersonVisibility v;
  double body = 0, body_seen = 0;
  for (std::size_t i = 0; i < kPersonParts; ++i) {
    const bool of_body = i != static_cast<std::size_t>(PersonPart::background) &&
                         i != static_cast<std::size_t>(PersonPart::occluder);
    v.part[i] = of_body && full[i] > 0 ? exact::clamp(seen[i] / full[i], 0.0, 1.0) : -1.0;
    if (of_body) body += full[i], body_seen += seen[i];
  }
  v.body = exact::clamp(body_seen / std::max(body, 1.0), 0.0, 1.0);
  const double blur_square =
      cast.camera.blur_px * cast.camera.blur_px + crop.extra_blur_px * crop.extra_blur_px;
  v.quality = std::max(v.body, 0.001) / (1.0 + blur_square);
  return v;
}

}  // namespace sosia::world

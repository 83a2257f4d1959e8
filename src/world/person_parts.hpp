#pragma once
// The parts behind PersonWorld: how parameters are drawn, how a body stands, how it is painted.
// Everything here is a pure function of its arguments.

#include "sosia/world/person.hpp"
#include "world/canvas.hpp"
#include "world/draw.hpp"

#include <array>
#include <cstdint>
#include <vector>

namespace sosia::world::person {

// --- drawing of parameters (person_parameters.cpp) ---

/// Hue in twelfths of the circle, saturation and value in [0, 1], as encoded on a screen; linear
/// light comes back.
Rgb hsv_linear(double hue_of_12, double saturation, double value);

PersonIdentity draw_identity(const PersonWorldOptions& o, std::int64_t subject);
/// The outfit that `owner` has by origin.
Outfit draw_own_outfit(const PersonWorldOptions& o, std::int64_t owner, int number);
PersonCamera draw_camera(const PersonWorldOptions& o, int number);
PersonScene draw_scene(const PersonWorldOptions& o, int camera, int take);
PersonLight draw_light(Draw& draw, double strength);
/// `other` is who stands in front where that is drawn.
PersonView draw_view(Draw& draw, const PersonWorldOptions& o, std::int64_t other, bool low_quality);

// --- the body in space (person_skeleton.cpp) ---

/// Nominal heights; in the body's frame x is its left, y up, z forwards; on the screen x is right,
/// y up, z towards the camera.
struct Vec3 {
  float x = 0, y = 0, z = 0;
  friend constexpr Vec3 operator+(Vec3 a, Vec3 b) { return {a.x + b.x, a.y + b.y, a.z + b.z}; }
  friend constexpr Vec3 operator-(Vec3 a, Vec3 b) { return {a.x - b.x, a.y - b.y, a.z - b.z}; }
  friend constexpr Vec3 operator*(Vec3 a, float s) { return {a.x * s, a.y * s, a.z * s}; }
};
constexpr Vec3 mix(Vec3 a, Vec3 b, float t) {
  return a + (b - a) * t;
}

/// One side's limbs, in the body's frame.
struct Limbs {
  Vec3 shoulder, elbow, wrist, hip, knee, ankle, heel, toe;
};

/// A body in its pose, in its own frame: the soles' lowest point is at y = 0.
struct Skeleton {
  Vec3 head, neck, chest, waist, pelvis;
  Limbs left, right;
  float head_height = 0;     ///< chin to crown
  float shoulder_width = 0;  ///< outer edge to outer edge
  float hip_width = 0;
  float depth = 0;       ///< chest, front to back
  float arm_radius = 0;  ///< upper arm
  float leg_radius = 0;  ///< upper thigh
};

Skeleton stand(const PersonIdentity& identity, const PersonPose& pose);

/// The camera's view of the body's frame: yaw about the vertical, then pitch.
struct Projection {
  float sin_yaw = 0, cos_yaw = 1, sin_pitch = 0, cos_pitch = 1;
  Vec3 apply(Vec3 p) const {
    const float x = p.x * cos_yaw + p.z * sin_yaw;
    const float z = p.z * cos_yaw - p.x * sin_yaw;
    return {x, p.y * cos_pitch - z * sin_pitch, z * cos_pitch + p.y * sin_pitch};
  }
};
Projection project(double yaw_deg, double pitch_deg);

/// From the screen's nominal heights to pixels.
struct Window {
  float pixels = 1;         ///< per nominal height
  float left = 0, top = 0;  ///< of the picture, nominal heights on the screen
  float width_px = 0, height_px = 0;
  float x(float screen_x) const { return (screen_x - left) * pixels - 0.5f; }
  float y(float screen_y) const { return (top - screen_y) * pixels - 0.5f; }
  float screen_x(float x_px) const { return left + (x_px + 0.5f) / pixels; }
  float screen_y(float y_px) const { return top - (y_px + 0.5f) / pixels; }
};
/// `whole` undoes truncation and shifts.
Window window_of(const PersonWorldOptions& o, const PersonIdentity& identity,
                 const PersonCamera& camera, const PersonView& view, image::Extent extent,
                 bool whole = false);

// --- painting (person_paint.cpp, person_figure.cpp, person_scene.cpp) ---

/// Where painting goes: colours in linear light and the parsing map.
struct Target {
  Canvas* canvas = nullptr;
  std::uint8_t* parts = nullptr;  ///< as large as the canvas; null: not wanted
  Window window;
  void put(int x, int y, Rgb colour, float alpha, PersonPart part) const {
    Rgb& p = canvas->row(y)[x];
    p = mix(p, colour, alpha);
    if (parts != nullptr && alpha >= 0.5f) {
      parts[static_cast<std::size_t>(y) * static_cast<std::size_t>(canvas->width()) +
            static_cast<std::size_t>(x)] = static_cast<std::uint8_t>(part);
    }
  }
};

/// Direct light on surfaces: `direction` points towards it, in the screen's frame.
struct Lamp {
  Vec3 direction{0, 0.6f, 0.8f};
  float ambient = 0.5f;
  Rgb colour{1, 1, 1};
};
Lamp lamp_of(const PersonLight& light, const PersonScene& scene);

/// A whole figure, standing with its soles at the screen's `foot`, `scale` times its size.
struct Figure {
  const PersonIdentity* identity = nullptr;
  const Outfit* outfit = nullptr;
  PersonPose pose;
  double pitch_deg = 0;
  float foot_x = 0, foot_y = 0, scale = 1;
  bool occluder = false;  ///< its pixels count as Occluder in the parsing map
};
void paint_figure(const Target& target, const Figure& figure, const Lamp& lamp);

void paint_scene(const Target& target, const PersonScene& scene, double place, const Lamp& lamp);
void paint_shadow(const Target& target, const PersonIdentity& identity, const Lamp& lamp,
                  double pitch_deg);
void paint_occluder(const Target& target, const PersonView& view, const Lamp& lamp);

}  // namespace sosia::world::person

#pragma once
// Three-dimensional points and rotations of the face renderer. The head's frame: x to the right of
// the picture, y up, z towards the camera; the unit is about 10 cm (a head is 2.3 high).

#include "world/exact_math.hpp"

namespace sosia::world {

struct Vec3 {
  float x = 0;
  float y = 0;
  float z = 0;

  friend constexpr Vec3 operator+(Vec3 a, Vec3 b) { return {a.x + b.x, a.y + b.y, a.z + b.z}; }
  friend constexpr Vec3 operator-(Vec3 a, Vec3 b) { return {a.x - b.x, a.y - b.y, a.z - b.z}; }
  friend constexpr Vec3 operator*(Vec3 a, float s) { return {a.x * s, a.y * s, a.z * s}; }
};

constexpr float dot(Vec3 a, Vec3 b) {
  return a.x * b.x + a.y * b.y + a.z * b.z;
}
constexpr Vec3 cross(Vec3 a, Vec3 b) {
  return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}
/// Length 1; the z axis for a vector without direction.
inline Vec3 normalized(Vec3 v) {
  const float length2 = dot(v, v);
  if (length2 < 1e-20f) return {0, 0, 1};
  return v * (1.0f / exact::square_root(length2));
}
constexpr Vec3 mix(Vec3 a, Vec3 b, float t) {
  return a + (b - a) * t;
}

struct Rotation {
  Vec3 row_x{1, 0, 0}, row_y{0, 1, 0}, row_z{0, 0, 1};

  constexpr Vec3 apply(Vec3 v) const { return {dot(row_x, v), dot(row_y, v), dot(row_z, v)}; }
  constexpr Vec3 apply_inverse(Vec3 v) const { return row_x * v.x + row_y * v.y + row_z * v.z; }
};

/// First yaw (positive to the right of the picture), then pitch (positive up), then roll (positive
/// clockwise as seen).
inline Rotation rotation_of(double yaw_deg, double pitch_deg, double roll_deg) {
  const auto sine = [](double d) { return static_cast<float>(exact::sin(exact::radians(d))); };
  const auto cosine = [](double d) { return static_cast<float>(exact::cos(exact::radians(d))); };
  const float sy = sine(yaw_deg), cy = cosine(yaw_deg);
  const float sp = sine(pitch_deg), cp = cosine(pitch_deg);
  const float sr = sine(roll_deg), cr = cosine(roll_deg);
  const Vec3 yaw_x{cy, 0, sy}, yaw_z{-sy, 0, cy};
  const Vec3 y_axis{0, 1, 0};
  const Vec3 pitched_y = y_axis * cp + yaw_z * sp;
  const Vec3 pitched_z = y_axis * -sp + yaw_z * cp;
  return {yaw_x * cr + pitched_y * sr, yaw_x * -sr + pitched_y * cr, pitched_z};
}

}  // namespace sosia::world

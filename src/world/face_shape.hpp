#pragma once
// A face in numbers: what identity and expression make of the head's surface and of the places of
// eyes, brows, nose and mouth. Everything else of the face renderer reads this.

#include "sosia/world/face.hpp"
#include "world/vec3.hpp"

#include <array>

namespace sosia::world {

/// One horizontal cut through the head: a superellipse of half width, depth in front of the axis
/// and behind it.
struct HeadCut {
  float y = 0;
  float half_width = 0;
  float front = 0;
  float back = 0;
};

/// Places and sizes in the head's frame (vec3.hpp). Eyes and brows are given for x > 0; the other
/// side mirrors them.
struct FaceShape {
  static constexpr int kCuts = 15;
  std::array<HeadCut, kCuts> cuts{};  ///< from under the chin to the crown
  float chin_y = -1.05f, crown_y = 1.25f, hairline_y = 0.8f;

  float eye_x = 0, eye_y = 0, eye_half_width = 0;
  float upper_lid = 0, lower_lid = 0;  ///< heights of the open lids' arcs
  float open = 1;                      ///< 0 closed, 1 usual, above: wide
  float eye_slope = 0;                 ///< rise of the outer corner per unit of x
  float iris_radius = 0;
  float gaze_x = 0, gaze_y = 0;  ///< offset of the irises

  float brow_y = 0, brow_inner = 0, brow_outer = 0;
  float brow_half_thickness = 0, brow_arch = 0;
  float brow_slope = 0;  ///< of the inner half, by expression: positive lowers the inner end

  float nose_top_y = 0, nose_tip_y = 0, nose_base_y = 0;
  float nose_half_width = 0, nose_projection = 0;

  float mouth_y = 0, mouth_half_width = 0;
  float upper_lip = 0, lower_lip = 0;  ///< heights of the red parts
  float corner_rise = 0;               ///< of the corners of the mouth over its middle
  float gap = 0;                       ///< between the lips, in the middle
  float jaw_drop = 0;
  bool teeth = false;
  float fold = 0;  ///< depth of the folds from nose to mouth
  float cheek_rise = 0, cheekbones = 0;
  float frown = 0;     ///< vertical folds between the brows
  float wrinkles = 0;  ///< across the forehead, from raised brows

  float ear_y = 0, ear_size = 1;
  float mole_x = 0, mole_y = 0;

  /// The cut at parameter `s` in [0, kCuts - 1]: smooth between the given ones.
  HeadCut cut_at(float s) const;
  float height_at(float s) const;
  /// The parameter of height `y` on the front, between the chin and the crown.
  float parameter_of(float y) const;
  /// How far the surface stands out in front of the smooth head at (x, y).
  float relief(float x, float y) const;
  /// The point of the front surface at (x, y).
  Vec3 front_point(float x, float y) const;
  /// Height of the line between the lips (or of the middle of the gap) at `x`.
  float mouth_line(float x) const;
};

/// Exponent 2 / p of the superellipse: |cos|^kCutPower, |sin|^kCutPower.
inline constexpr double kCutPower = 2.0 / 2.3;

/// The superellipse at angle `theta` (0 front, positive to the right of the picture):
/// x = half_width * first, z = (front or back) * second.
struct CutAngle {
  float across = 0;
  float along = 1;  ///< negative behind
};
CutAngle cut_angle(double theta);

FaceShape make_face_shape(const FaceIdentity& identity, const FaceAttributes& attributes);

/// The 68 points of iBUG 300-W in the head's frame, in its order.
std::array<Vec3, 68> face_points(const FaceShape& shape);

}  // namespace sosia::world

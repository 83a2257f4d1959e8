// The walking body: a stick figure of 14 joints from proportions, gait and phase.

#include "world/exact_math.hpp"
#include "world/person_parts.hpp"

#include <algorithm>
#include <cmath>

namespace sosia::world::person {
namespace {

constexpr double kTurn = 2.0 * exact::kPi;

/// A smooth bump of height 1 around `centre` of the cycle, zero beyond `width`.
double bump(double phase, double centre, double width) {
  double d = phase - centre;
  d -= exact::floor_to_int(d + 0.5);
  const double u = d / width;
  const double t = 1.0 - u * u;
  return t > 0 ? t * t : 0.0;
}

Vec3 swing(Vec3 from, double angle, double length, double outwards = 0) {
  return from + Vec3{static_cast<float>(outwards * length),
                     static_cast<float>(-exact::cos(angle) * length),
                     static_cast<float>(exact::sin(angle) * length)};
}

/// One leg. Phase 0 is the heel's strike; the knee bends most at 0.73, in mid-swing, and a little
/// at 0.15 where it takes the weight.
void place_leg(Limbs& limbs, const PersonIdentity& who, double phase, double stride) {
  const double leg = who.leg_ratio * who.height, sole = 0.042 * who.height;
  const double thigh = (leg - sole) * 0.52, shin = (leg - sole) * 0.48;
  const double hip =
      0.5 * who.gait.step_length * stride * exact::cos(kTurn * phase) + 0.06 * stride;
  const double knee = exact::radians(
      3.0 + stride * (52.0 * bump(phase, 0.73, 0.24) + 14.0 * bump(phase, 0.15, 0.14)));
  limbs.knee = swing(limbs.hip, hip, thigh);
  limbs.ankle = swing(limbs.knee, hip - knee, shin);
  // The foot stays level on the floor, points down behind and up in front.
  const double toe = 0.55 * (hip - knee) + 0.12 * stride * bump(phase, 0.0, 0.12);
  const double length = 0.122 * who.height * (0.85 + 0.15 * who.build);
  const Vec3 along{0, static_cast<float>(exact::sin(toe)), static_cast<float>(exact::cos(toe))};
  const Vec3 base = limbs.ankle - Vec3{0, static_cast<float>(sole * 0.65), 0};
  limbs.heel = base - along * static_cast<float>(length * 0.24);
  limbs.toe = base + along * static_cast<float>(length * 0.76);
}

void place_arm(Limbs& limbs, const PersonIdentity& who, double phase, double stride, double side) {
  const double arm = who.arm_ratio * who.height * 0.86;  // to the wrist
  const double angle =
      exact::radians(-who.gait.arm_swing_deg * stride * exact::cos(kTurn * phase) + 3.0);
  const double bend = exact::radians(who.gait.elbow_deg * (0.45 + 0.55 * stride)) *
                      (1.0 - 0.25 * exact::cos(kTurn * phase));
  limbs.elbow = swing(limbs.shoulder, angle, arm * 0.53, side * 0.13);
  limbs.wrist = swing(limbs.elbow, angle + bend, arm * 0.47, side * 0.02);
}

}  // namespace

Skeleton stand(const PersonIdentity& who, const PersonPose& pose) {
  Skeleton s;
  const double height = who.height, stride = pose.stride;
  const double leg = who.leg_ratio * height;
  const double head = 0.132 * height * who.head_size;
  const double mean_width = 0.238 * height * (0.55 + 0.45 * who.build);
  s.head_height = static_cast<float>(head);
  s.hip_width = static_cast<float>(2.0 * mean_width / (1.0 + who.shoulder_hip_ratio));
  s.shoulder_width = s.hip_width * static_cast<float>(who.shoulder_hip_ratio);
  s.depth = static_cast<float>(0.132 * height * (0.35 + 0.65 * who.build));
  s.arm_radius = static_cast<float>(0.028 * height * (0.5 + 0.5 * who.build));
  s.leg_radius = static_cast<float>(0.050 * height * (0.5 + 0.5 * who.build));

  const double lean = exact::radians(who.gait.lean_deg * (0.4 + 0.6 * stride));
  const double trunk = height - leg - head - 0.03 * height;  // pelvis to the shoulders' line
  const auto up = [&](double along) {
    return Vec3{0, static_cast<float>(leg + along * exact::cos(lean)),
                static_cast<float>(along * exact::sin(lean))};
  };
  s.pelvis = up(0);
  s.waist = up(trunk * 0.36);
  s.chest = up(trunk * 0.75);
  s.neck = up(trunk);
  s.head = up(trunk + 0.03 * height + head * 0.5) + Vec3{0, 0, static_cast<float>(head * 0.08)};

  const double twist = exact::radians(9.0 * stride) * exact::cos(kTurn * pose.phase);
  for (const int side : {1, -1}) {
    Limbs& limbs = side > 0 ? s.left : s.right;
    const double phase = side > 0 ? pose.phase : pose.phase + 0.5;
    const double reach = side * (0.5 * s.shoulder_width - s.arm_radius * 0.9);
    limbs.shoulder = s.neck + Vec3{static_cast<float>(reach * exact::cos(twist)),
                                   static_cast<float>(-0.034 * height),
                                   static_cast<float>(-reach * exact::sin(twist))};
    const double hip = side * (0.25 * s.hip_width * 0.55 + 0.45 * who.gait.stance_width);
    limbs.hip = s.pelvis +
                Vec3{static_cast<float>(hip), 0, static_cast<float>(hip * 0.5 * exact::sin(twist))};
    place_leg(limbs, who, phase, stride);
    place_arm(limbs, who, phase, stride, side);
  }
  // Whatever reaches lowest stands on the floor: the body rises and sinks as it walks.
  const float sole = static_cast<float>(0.014 * height);
  const float lowest =
      std::min(std::min(s.left.heel.y, s.left.toe.y), std::min(s.right.heel.y, s.right.toe.y)) -
      sole;
  const Vec3 lift{0, -lowest, 0};
  for (Vec3* p : {&s.head, &s.neck, &s.chest, &s.waist, &s.pelvis}) *p = *p + lift;
  for (Limbs* l : {&s.left, &s.right}) {
    for (Vec3* p :
         {&l->shoulder, &l->elbow, &l->wrist, &l->hip, &l->knee, &l->ankle, &l->heel, &l->toe}) {
      *p = *p + lift;
    }
  }
  return s;
}

Projection project(double yaw_deg, double pitch_deg) {
  const double yaw = exact::radians(yaw_deg), pitch = exact::radians(pitch_deg);
  return {static_cast<float>(exact::sin(yaw)), static_cast<float>(exact::cos(yaw)),
          static_cast<float>(exact::sin(pitch)), static_cast<float>(exact::cos(pitch))};
}

Window window_of(const PersonWorldOptions& o, const PersonIdentity& identity,
                 const PersonCamera& camera, const PersonView& view, image::Extent extent,
                 bool whole) {
  constexpr double kOneSize = 1.16, kTight = 1.06;  // height of the box over nominal / own height
  const double frame =
      exact::mix(kOneSize, kTight * identity.height, o.box_tightness) / camera.zoom;
  // Seen from above, the body is shorter and its feet spread along the picture's height.
  const double pitch = exact::radians(camera.pitch_deg);
  double height = frame * (exact::cos(pitch) + 0.12 * exact::sin(pitch));
  double top = height - 0.045 * frame - 0.06 * exact::sin(pitch);
  double left = 0;
  if (!whole) {
    top += view.shift_y;
    left += view.shift_x;
    if (view.cut_side == 0) {
      height *= 1.0 - view.cut;
    } else if (view.cut_side == 1) {
      top -= height * view.cut;
      height *= 1.0 - view.cut;
    }
  }
  Window w;
  w.width_px = static_cast<float>(extent.width_px);
  w.height_px = static_cast<float>(extent.height_px);
  w.pixels = static_cast<float>(extent.height_px / height);
  w.top = static_cast<float>(top);
  const double width = extent.width_px * height / extent.height_px;
  if (!whole && view.cut_side >= 2) left += (view.cut_side == 2 ? 1.0 : -1.0) * view.cut * width;
  w.left = static_cast<float>(left - 0.5 * width);
  return w;
}

}  // namespace sosia::world::person

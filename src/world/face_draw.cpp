// Random identities and attributes. Every number is drawn at the precision of truth files, so that
// a picture can be made again from its line.

#include "sosia/world/face.hpp"
#include "world/draw.hpp"
#include "world/truth.hpp"

namespace sosia::world {
namespace {

// Pictures of one subject: streams of a seed of its own, so that counts never matter.
Draw picture_draw(std::uint64_t seed, std::string_view name, std::uint64_t subject,
                  std::uint64_t number) {
  return Draw(derive_seed(seed, "face pictures", subject), name, number);
}

FaceColour any_colour(Draw& draw) {
  return static_cast<FaceColour>(draw.below(kFaceColours));
}

// Everything that an enrolment picture leaves to chance too. The order of draws is part of the
// format: new attributes are drawn at the end.
void draw_style(Draw& draw, FaceAttributes& a) {
  a.hair = static_cast<FaceHair>(draw.pick({0.09, 0.15, 0.24, 0.12, 0.14, 0.18, 0.08}));
  a.hair_colour = static_cast<FaceHairColour>(draw.pick({0.26, 0.28, 0.12, 0.16, 0.11, 0.07}));
  a.hair_parting = rounded(draw.range(-1, 1));
  a.beard = static_cast<FaceBeard>(draw.pick({0.68, 0.14, 0.07, 0.11}));
  a.hat_colour = any_colour(draw);
  a.clothes_colour = any_colour(draw);
  a.backdrop = static_cast<FaceBackdrop>(draw.pick({0.22, 0.2, 0.14, 0.14, 0.16, 0.14}));
  a.backdrop_colour = any_colour(draw);
  a.texture_seed = static_cast<std::uint32_t>(draw.bits());
}

}  // namespace

FaceIdentity random_face_identity(std::uint64_t seed, std::uint64_t subject) {
  Draw draw(seed, "face identity", subject);
  FaceIdentity identity;
  for (double& t : identity.traits) t = rounded(draw.range(-1, 1));
  return identity;
}

FaceAttributes random_face_attributes(std::uint64_t seed, std::uint64_t subject,
                                      std::uint64_t number) {
  Draw draw = picture_draw(seed, "attributes", subject, number);
  FaceAttributes a;
  a.yaw_deg = rounded(draw.normal_within(0, 22, -60, 60), 2);
  a.pitch_deg = rounded(draw.normal_within(0, 8, -28, 28), 2);
  a.roll_deg = rounded(draw.normal_within(0, 7, -35, 35), 2);
  a.gaze_x = rounded(draw.normal_within(0, 0.4, -1, 1));
  a.gaze_y = rounded(draw.normal_within(0, 0.3, -1, 1));
  a.scale = rounded(draw.normal_within(1, 0.06, 0.8, 1.2));
  a.shift_x = rounded(draw.normal_within(0, 0.02, -0.08, 0.08));
  a.shift_y = rounded(draw.normal_within(0, 0.02, -0.08, 0.08));
  a.light_azimuth_deg = rounded(draw.normal_within(0, 45, -110, 110), 2);
  a.light_elevation_deg = rounded(draw.normal_within(32, 18, -15, 75), 2);
  a.light_strength = rounded(draw.range(0.65, 1.2));
  a.ambient = rounded(draw.range(0.28, 0.65));
  a.light_warmth = rounded(draw.normal_within(0, 0.4, -1, 1));
  a.expression = static_cast<FaceExpression>(draw.pick({0.34, 0.24, 0.14, 0.10, 0.09, 0.09}));
  a.expression_strength = rounded(draw.range(0.55, 1));
  a.eyes_closed = draw.chance(0.05) ? 1.0 : rounded(draw.range(0, 0.18));
  draw_style(draw, a);
  a.glasses = static_cast<FaceGlasses>(draw.pick({0.70, 0.12, 0.12, 0.06}));
  a.hat = static_cast<FaceHat>(draw.pick({0.82, 0.07, 0.06, 0.05}));
  a.occlusion = static_cast<FaceOcclusion>(draw.pick({0.88, 0.05, 0.04, 0.03}));
  a.blur = draw.chance(0.35) ? rounded(draw.range(0, 0.008)) : 0.0;
  a.noise = rounded(draw.range(0.002, 0.02));
  return a;
}

FaceAttributes random_enrolment_attributes(std::uint64_t seed, std::uint64_t subject,
                                           std::uint64_t number) {
  Draw draw = picture_draw(seed, "enrolment", subject, number);
  FaceAttributes a;
  a.yaw_deg = rounded(draw.range(-8, 8), 2);
  a.pitch_deg = rounded(draw.range(-5, 5), 2);
  a.roll_deg = rounded(draw.range(-4, 4), 2);
  a.scale = rounded(draw.range(0.96, 1.04));
  a.light_azimuth_deg = rounded(draw.range(-40, 40), 2);
  a.light_elevation_deg = rounded(draw.range(15, 45), 2);
  a.light_strength = rounded(draw.range(0.8, 1.0));
  a.ambient = rounded(draw.range(0.45, 0.65));
  a.light_warmth = rounded(draw.range(-0.3, 0.3));
  a.expression = draw.chance(0.3) ? FaceExpression::smile : FaceExpression::neutral;
  a.expression_strength = rounded(draw.range(0.4, 0.8));
  draw_style(draw, a);
  a.noise = 0.004;
  return a;
}

}  // namespace sosia::world

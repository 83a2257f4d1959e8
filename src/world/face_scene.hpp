#pragma once
// The parts of a face picture as surfaces in front of a camera: each function builds one part's
// grid and rasters it. Private to the face renderer.

#include "world/draw.hpp"
#include "world/face_shape.hpp"
#include "world/raster.hpp"

#include <map>
#include <vector>

namespace sosia::world {

/// What a sample belongs to; decides how it is shaded and which part it is.
enum Material : std::uint32_t {
  kNothing = 0,
  kHead,     // value: place on the head
  kLeftEar,  // value: place within the ear (x across, y up), both about [-1, 1]
  kRightEar,
  kNeck,     // value: angle, height, share of the way down
  kTorso,    // value: place on the body
  kHair,     // value: angle, height, depth of the edge
  kHat,      // value: angle, height over the hat's line, 0
  kHatBrim,  // value: angle, share of the way out, 0
  kFrame,    // glasses
  kMask,     // value: place
  kHand,     // value: finger, share of its length, 0
  kCup,      // value: angle, height, 0
};

/// The camera and where head and body stand before it.
struct FaceView {
  Rotation head, body;
  Vec3 pivot{0, -0.55f, -0.15f};
  float distance = 8.0f;
  float scale = 1;  ///< samples per unit at z = 0
  float centre_x = 0, centre_y = 0;

  Vec3 from_head(Vec3 p) const { return head.apply(p - pivot) + pivot; }
  Vec3 from_body(Vec3 p) const { return body.apply(p - pivot) + pivot; }
  /// Place in samples of a point in the camera's frame.
  Vec3 project(Vec3 p) const {
    const float inverse = 1.0f / (distance - p.z);
    const float k = scale * distance * inverse;
    return {centre_x + p.x * k, centre_y - p.y * k, inverse};
  }
};

/// `side` samples for a picture of the usual framing.
FaceView make_face_view(const FaceAttributes& attributes, int side);

/// Where hair may grow and hang, as heights over the angle around the head (degrees, 0 front).
struct HairLine {
  FaceHair style = FaceHair::short_cut;
  float hairline_y = 0.8f, brow_y = 0.32f;
  float parting = 0;  ///< -1 to 1
  float bottom = 0;   ///< where hanging hair ends
  float hang = 0;     ///< 1: falls straight; 0: follows the head
  float thickness = 0;
  std::uint32_t seed = 0;

  /// How far (angle, y) lies inside the hair; negative outside.
  float depth(float degrees, float y) const;
};
HairLine make_hair_line(const FaceShape& shape, const FaceAttributes& attributes);

/// The upper edge of the clothes at depth `z` of the body: lower in front.
inline float neckline(float z) {
  return -1.38f - 0.17f * exact::ramp(-0.1f, 0.35f, z);
}

/// Height of the lower edge of a hat.
inline constexpr float kHatLine = 0.60f;

/// The rims of glasses in the head's frame, for the rasters of frames and lenses.
struct Rim {
  static constexpr int kSpokes = 28;
  Vec3 centre;
  float half_width = 0.2f, half_height = 0.16f;
  std::array<CutAngle, kSpokes + 1> outline{};  ///< clockwise from the top; half axes 1
  float thickness = 0.02f;
  /// The rim at a spoke (0 top, 7 right, 14 bottom, 21 left); `out` shifts it outwards.
  Vec3 at(int spoke, float out) const;
};
std::array<Rim, 2> make_rims(const FaceShape& shape, FaceGlasses glasses);

/// Everything that stands before the camera, with the memory to build it.
class FaceScene {
 public:
  SampleBuffer samples;
  FaceShape shape;
  FaceView view;
  HairLine hair;
  std::array<Rim, 2> rims;  ///< of the glasses, where there are any

  /// Builds and rasters all parts but glasses' lenses.
  void build(const FaceIdentity& identity, const FaceAttributes& attributes, int side, bool fine);

 private:
  void head(bool fine);
  void ears();
  void neck();
  void torso();
  void hair_shell(const FaceAttributes& a, bool fine);
  void raster_hair(const FaceAttributes& a, Faces faces);
  void hat(const FaceAttributes& a);
  void glasses(const FaceAttributes& a);
  void mask();
  void hand(const FaceAttributes& a);
  void cup(const FaceAttributes& a);
  void ellipsoid(Vec3 centre, Vec3 radii, Material material, float first);
  void tube(Vec3 from, Vec3 to, float radius, Material material, float first);
  /// Points of the grid are in the camera's frame: normals, projection.
  void finish(bool wraps);
  /// The smooth head under the hair; s from -1 (lowest hair) over 0 (temples) to 1 (crown).
  HeadCut hair_cut(float s) const;
  Vec3 hair_point(float degrees, CutAngle angle, float s, const HeadCut& cut,
                  const FaceAttributes& a, float& inside) const;

  Grid grid_, hair_grid_;
  std::vector<Vec3> normals_;
  /// Angles of the columns of grids, kept from picture to picture: they do not depend on the face.
  const std::vector<CutAngle>& head_angles(int half);
  const std::vector<CutAngle>& even_angles(int columns);
  std::map<int, std::vector<CutAngle>> head_angles_, even_angles_;
};

}  // namespace sosia::world

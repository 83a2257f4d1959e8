#pragma once
// Procedural faces with ground truth: identity x attributes -> picture, landmarks, parsing map,
// box, pose. A picture is a pure function of its parameters, identical to the byte on every x86-64
// machine and for any number of threads.
//
//   FaceRenderer renderer;
//   FaceImage out;
//   const FaceIdentity who = random_face_identity(seed, 7);
//   renderer.render(who, random_face_attributes(seed, 7, 0), 128, out);
//
// A true swap needs nothing more: the identity of one with the attributes of another.

#include "sosia/core/value.hpp"
#include "sosia/image/geometry.hpp"
#include "sosia/image/image.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>

namespace sosia::world {

/// The parameters that make an identity, in the order of the vector.
enum class FaceTrait : std::uint8_t {
  // Shape.
  face_width,
  face_length,
  jaw_width,
  chin_length,
  cheekbones,
  hairline,
  eye_spacing,
  eye_size,
  eye_tilt,
  brow_height,
  brow_thickness,
  brow_arch,
  nose_length,
  nose_width,
  mouth_width,
  lip_fullness,
  // Tone.
  skin_tone,    ///< light to dark
  skin_warmth,  ///< rosy to olive
  eye_colour,   ///< brown, hazel, green, grey, blue
  brow_tone,    ///< fair to black
  // A mole on the cheeks or the forehead.
  mole_x,
  mole_y,
};
inline constexpr int kFaceTraits = 22;

/// "face_width", ...
std::string_view name_of(FaceTrait trait);

/// Who: each trait in [-1, 1], 0 the middle of its range.
struct FaceIdentity {
  std::array<double, kFaceTraits> traits{};

  double operator[](FaceTrait trait) const { return traits[static_cast<std::size_t>(trait)]; }
  double& operator[](FaceTrait trait) { return traits[static_cast<std::size_t>(trait)]; }
  friend bool operator==(const FaceIdentity&, const FaceIdentity&) = default;
};

/// Identity `subject` of the world `seed`: independent traits, each uniform on [-1, 1].
FaceIdentity random_face_identity(std::uint64_t seed, std::uint64_t subject);

enum class FaceExpression : std::uint8_t { neutral, smile, laugh, surprise, sadness, anger };
enum class FaceHair : std::uint8_t { bald, cropped, short_cut, curly, bob, long_hair, bun };
enum class FaceHairColour : std::uint8_t { black, brown, auburn, blond, grey, white };
enum class FaceBeard : std::uint8_t { none, stubble, moustache, full };
enum class FaceGlasses : std::uint8_t { none, round, square, sunglasses };
enum class FaceHat : std::uint8_t { none, cap, beanie, brim };
enum class FaceBackdrop : std::uint8_t { plain, gradient, bricks, shelves, park, window };
enum class FaceOcclusion : std::uint8_t { none, mask, hand, cup };
/// Colours of hats, clothes and backdrops.
enum class FaceColour : std::uint8_t { white, grey, black, red, yellow, green, blue, purple };

inline constexpr int kFaceExpressions = 6;
inline constexpr int kFaceHairs = 7;
inline constexpr int kFaceHairColours = 6;
inline constexpr int kFaceBeards = 4;
inline constexpr int kFaceGlasses = 4;
inline constexpr int kFaceHats = 4;
inline constexpr int kFaceBackdrops = 6;
inline constexpr int kFaceOcclusions = 4;
inline constexpr int kFaceColours = 8;

/// "short_cut", ...: the spelling of truth files.
std::string_view name_of(FaceExpression value);
std::string_view name_of(FaceHair value);
std::string_view name_of(FaceHairColour value);
std::string_view name_of(FaceBeard value);
std::string_view name_of(FaceGlasses value);
std::string_view name_of(FaceHat value);
std::string_view name_of(FaceBackdrop value);
std::string_view name_of(FaceOcclusion value);
std::string_view name_of(FaceColour value);

/// How: everything that may change from one picture of a person to the next.
struct FaceAttributes {
  // Pose of the head in degrees. Positive yaw turns the face to the right of the picture, positive
  // pitch looks up, positive roll tilts the head clockwise as seen.
  double yaw_deg = 0;    ///< -60 to 60
  double pitch_deg = 0;  ///< -30 to 30
  double roll_deg = 0;   ///< -45 to 45
  double gaze_x = 0;     ///< -1 to 1, to the right of the picture
  double gaze_y = 0;     ///< -1 to 1, up
  // Framing: the head's size and place relative to the usual ones.
  double scale = 1;    ///< 0.5 to 1.5
  double shift_x = 0;  ///< shares of the picture's side, -0.3 to 0.3, to the right
  double shift_y = 0;  ///< down
  // Light.
  double light_azimuth_deg = -30;   ///< 0 from the camera, 90 from the right; -120 to 120
  double light_elevation_deg = 35;  ///< -20 to 80
  double light_strength = 1;        ///< of the key light, 0.3 to 1.6
  double ambient = 0.45;            ///< 0.1 to 1
  double light_warmth = 0;          ///< -1 (bluish) to 1 (yellowish)
  // Face.
  FaceExpression expression = FaceExpression::neutral;
  double expression_strength = 1;  ///< 0 to 1
  double eyes_closed = 0;          ///< 0 to 1
  // Style.
  FaceHair hair = FaceHair::short_cut;
  FaceHairColour hair_colour = FaceHairColour::brown;
  double hair_parting = 0.4;  ///< -1 to 1: where the hair parts
  FaceBeard beard = FaceBeard::none;
  FaceGlasses glasses = FaceGlasses::none;
  FaceHat hat = FaceHat::none;
  FaceColour hat_colour = FaceColour::blue;
  FaceColour clothes_colour = FaceColour::grey;
  FaceBackdrop backdrop = FaceBackdrop::plain;
  FaceColour backdrop_colour = FaceColour::grey;
  FaceOcclusion occlusion = FaceOcclusion::none;
  // Camera.
  double blur = 0;   ///< standard deviation as a share of the picture's side, 0 to 0.02
  double noise = 0;  ///< standard deviation, 0 to 0.1 of white
  /// Where strands, bricks and grains of this picture lie.
  std::uint32_t texture_seed = 0;

  friend bool operator==(const FaceAttributes&, const FaceAttributes&) = default;
};

/// Picture `number` of `subject`: independent of the identity, so that no attribute tells who.
FaceAttributes random_face_attributes(std::uint64_t seed, std::uint64_t subject,
                                      std::uint64_t number);
/// The same, but frontal and clear: |yaw| <= 8, |pitch| <= 5, |roll| <= 4, nothing in front of the
/// face, eyes open, even light, no hat. What an enrolment picture is.
FaceAttributes random_enrolment_attributes(std::uint64_t seed, std::uint64_t subject,
                                           std::uint64_t number);

/// Classes of the parsing map: those of CelebAMask-HQ, and 19 for what stands before the face.
enum class FacePart : std::uint8_t {
  background = 0,
  skin = 1,
  left_brow = 2,
  right_brow = 3,
  left_eye = 4,
  right_eye = 5,
  glasses = 6,
  left_ear = 7,
  right_ear = 8,
  earring = 9,
  nose = 10,
  mouth = 11,
  upper_lip = 12,
  lower_lip = 13,
  neck = 14,
  necklace = 15,
  cloth = 16,
  hair = 17,
  hat = 18,
  occluder = 19,
};
inline constexpr int kFaceParts = 20;
/// "left_brow", ...
std::string_view name_of(FacePart part);

/// A picture and its truth. "Left" is the left of the picture, as in alignment templates.
struct FaceImage {
  image::Image picture;  ///< RGB, sRGB-encoded
  image::Image parts;    ///< one channel of `FacePart`
  /// Left eye, right eye, tip of the nose, left and right corner of the mouth.
  std::array<image::Point, 5> landmarks5{};
  /// The 68 points of iBUG 300-W, in its order.
  std::array<image::Point, 68> landmarks68{};
  image::Box
      box{};  ///< the face from hairline to chin and from cheek to cheek; may leave the frame
};

/// Renders faces one after the other, keeping its memory. Thread-safety: one renderer per thread.
class FaceRenderer {
 public:
  FaceRenderer();
  ~FaceRenderer();
  FaceRenderer(FaceRenderer&&) noexcept;
  FaceRenderer& operator=(FaceRenderer&&) noexcept;

  /// Renders a square picture of `size_px` (32 to 256). `out`'s memory is reused when it fits.
  /// Throws invalid_argument naming a parameter that is out of range or not finite.
  void render(const FaceIdentity& identity, const FaceAttributes& attributes, int size_px,
              FaceImage& out);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// `FaceRenderer` in one call.
FaceImage render_face(const FaceIdentity& identity, const FaceAttributes& attributes, int size_px);

/// The true swap: `source`'s identity in the picture whose attributes are `target`.
FaceImage swap_face(const FaceIdentity& source, const FaceAttributes& target, int size_px);

/// Oracle: the root mean square difference of the traits, in [0, 2]. 0 for one identity alone.
/// Between independent identities of the world its square has mean 2/3 and standard deviation
/// sqrt(28/45 / kFaceTraits).
double identity_distance(const FaceIdentity& a, const FaceIdentity& b);

/// Oracle: 1 - distance / 2, so that higher means more alike.
double identity_similarity(const FaceIdentity& a, const FaceIdentity& b);

/// Parameters as JSON objects; `*_from_value` is the inverse up to the printed digits (identity and
/// attributes are drawn at that precision, so that it is exact for what the world draws). They
/// throw corrupt_data for a member that is missing, misspelt or out of range.
Value to_value(const FaceIdentity& identity);
Value to_value(const FaceAttributes& attributes);
FaceIdentity face_identity_from_value(const Value& value);
FaceAttributes face_attributes_from_value(const Value& value);
/// Landmarks, box and the share of each part in the picture.
Value truth_of(const FaceImage& image);

}  // namespace sosia::world

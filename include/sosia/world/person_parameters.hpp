#pragma once
// What a procedural person, a camera, a place and one picture of a person are made of. Plain
// values: every one of them is drawn from a named stream of the world's seed, so that a picture is
// a pure function of (options, numbers). `PersonWorld` (person.hpp) draws and renders them.
//
// Lengths of bodies are in *nominal heights*: 1 is a person of average standing height. Angles are
// in degrees. Yaw 0 looks into the camera, 90 walks to the right of the picture, 180 walks away.

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace sosia::world {

enum class HairShape : std::uint8_t { shaved, short_cut, bob, long_hair, bun, afro };
enum class Texture : std::uint8_t { plain, stripes, check, logo };
enum class BottomKind : std::uint8_t { trousers, shorts, skirt };
enum class Bag : std::uint8_t { none, backpack, shoulder, hand };
enum class Hat : std::uint8_t { none, cap, beanie, brim };
enum class Occluder : std::uint8_t { none, post, furniture, person };

/// "short_cut", "stripes", ...
std::string_view name_of(HairShape value);
std::string_view name_of(Texture value);
std::string_view name_of(BottomKind value);
std::string_view name_of(Bag value);
std::string_view name_of(Hat value);
std::string_view name_of(Occluder value);

inline constexpr int kSkinTones = 5;
inline constexpr int kHairColours = 8;
inline constexpr int kHues = 12;
inline constexpr int kValues = 3;

/// How somebody walks.
struct Gait {
  double phase = 0;            ///< of the step cycle at frame 0, [0, 1)
  double step_length = 0.4;    ///< of the leg's length, 0.55 to 1.0
  double cadence_hz = 1;       ///< step cycles a second, 0.8 to 1.1
  double arm_swing_deg = 25;   ///< amplitude, 8 to 34
  double lean_deg = 3;         ///< of the torso, forwards, -2 to 9
  double elbow_deg = 22;       ///< mean bend, 6 to 42
  double stance_width = 0.05;  ///< half the distance between the feet, nominal heights
};

/// Who somebody is: what a change of clothes does not change.
struct PersonIdentity {
  std::int64_t subject = 0;
  double height = 0.95;             ///< 0.80 to 1.10
  double shoulder_hip_ratio = 1.1;  ///< width of shoulders over width of hips, 0.75 to 1.35
  double build = 1;                 ///< girth of torso and limbs, 0.78 to 1.35
  double leg_ratio = 0.49;          ///< leg over height, 0.45 to 0.53
  double arm_ratio = 0.40;          ///< arm over height, 0.36 to 0.44
  double head_size = 1;             ///< relative, 0.85 to 1.2
  int skin_tone = 0;                ///< 0 (light) to kSkinTones - 1
  int hair_colour = 0;              ///< 0 to kHairColours - 1
  HairShape hair = HairShape::short_cut;
  Gait gait;
};

/// The identity as numbers of about unit spread: 6 of shape, 6 of gait (the phase of a walk counts
/// as its sine and cosine at a quarter of the weight), one-hot skin tone, hair colour and hair
/// shape.
inline constexpr std::size_t kIdentityNumbers = 6 + 8 + kSkinTones + kHairColours + 6;
using IdentityVector = std::array<double, kIdentityNumbers>;

/// Cloth of one half of the body.
struct Garment {
  int hue = 0;         ///< 0 to kHues - 1, 30 degrees apart
  int value = 0;       ///< 0 (dark) to kValues - 1 (light)
  int saturation = 1;  ///< 0 (grey) to 2 (strong)
  Texture texture = Texture::plain;
  double frequency = 12;  ///< stripes or checks per nominal height, 8 to 24
  int second_hue = 0;     ///< of stripes, checks and the logo
  int emblem = 0;         ///< shape of the logo: disc, bar, diamond, ring
  friend bool operator==(const Garment&, const Garment&) = default;
};

/// What somebody wears.
struct Outfit {
  std::int64_t owner = 0;  ///< whose outfit it is by origin: another subject where it is reused
  int number = 0;          ///< which of the owner's outfits
  Garment top, bottom;
  double sleeve = 1;  ///< share of the arm that is covered, 0.25 to 1
  double hem = 0.04;  ///< how far the top hangs over the hips, nominal heights
  double leg = 1;     ///< share of the leg that is covered, 0.3 to 1
  BottomKind kind = BottomKind::trousers;
  Bag bag = Bag::none;
  int bag_hue = 0;
  Hat hat = Hat::none;
  int hat_hue = 0;
  int shoe = 0;  ///< 0 black, 1 brown, 2 white
};

/// A camera's response and where it hangs. It belongs to a domain (a site): all its cameras share
/// the site's own bias.
struct PersonCamera {
  int number = 0;
  std::array<double, 9> colour{1, 0, 0, 0, 1, 0, 0, 0, 1};  ///< linear RGB to linear RGB, row-major
  double gamma = 1;                                         ///< on top of sRGB's 1 / 2.2
  double blur_px = 0.5;   ///< Gaussian sigma, pixels of a picture 64 high, 0 to 1.2
  double noise = 4;       ///< standard deviation, of 255
  double resolution = 1;  ///< sensor pixels over picture pixels, 0.6 to 1
  double yaw_deg = 0;     ///< added to everybody's yaw: where people walk in this view
  double pitch_deg = 10;  ///< how far it looks down, 0 to 32
  double zoom = 1;        ///< of the detector's boxes, 0.92 to 1.08
};

/// A thing that stands or hangs in a place.
struct SceneObject {
  int kind = 0;         ///< 0 panel on the wall, 1 low box, 2 bush, 3 post, 4 mark on the floor
  double x = 0;         ///< left edge, nominal heights along the place
  double y = 0;         ///< lower edge, nominal heights above the floor
  double width = 0.3;   ///< nominal heights
  double height = 0.3;  ///< nominal heights
  std::array<double, 3> colour{};
};

/// A stretch of wall: shop fronts, gates, hedges side by side.
struct SceneSection {
  double until = 8;  ///< where it ends along x, nominal heights
  std::array<double, 3> wall{};
  int pattern = 0;  ///< 0 none, 1 bricks, 2 panels, 3 slats
};

/// A place that a camera looks at during one time slice: the background of a video.
struct PersonScene {
  int camera = 0;
  int take = 0;                   ///< which time slice of this camera
  double extent = 8;              ///< length along x after which it repeats, nominal heights
  double horizon = 0.6;           ///< where floor and wall meet, nominal heights above the feet
  std::array<double, 3> floor{};  ///< linear RGB
  int floor_pattern = 0;          ///< 0 none, 1 tiles, 2 lines
  std::vector<SceneSection> sections;    ///< by ascending `until`; the last ends at `extent`
  std::array<double, 3> light{1, 1, 1};  ///< colour of the time of day
  std::vector<SceneObject> objects;
};

/// How a body stands in one picture.
struct PersonPose {
  double yaw_deg = 0;       ///< of the body in the picture, [0, 360)
  double phase = 0;         ///< of the step cycle, [0, 1)
  double stride = 1;        ///< of this identity's usual step, 0 (standing) to 1.2
  double head_yaw_deg = 0;  ///< relative to the body
};

/// Where the detector's box cut the picture, and what stands in front of the body.
struct PersonView {
  double shift_x = 0;  ///< of the box, nominal heights
  double shift_y = 0;  ///< of the box, nominal heights
  double cut = 0;      ///< share of the body that a truncated box leaves out, 0 to 0.5
  int cut_side = 0;    ///< 0 bottom, 1 top, 2 left, 3 right
  Occluder occluder = Occluder::none;
  double occluder_x = 0;     ///< its middle relative to the body, nominal heights
  double occluder_size = 0;  ///< width of a post, height of furniture, nominal heights
  std::array<double, 3> occluder_colour{};
  std::int64_t occluder_subject = 0;  ///< who stands in front, for Occluder::person
};

/// Light during one tracklet (or one still): it falls on the body, so that it does not cancel when
/// a camera's mean is taken away.
struct PersonLight {
  std::array<double, 3> tint{1, 1, 1};  ///< of the direct light, linear
  double intensity = 1;                 ///< 0.45 to 1.7
  double ambient = 0.5;                 ///< share that comes from everywhere, 0.25 to 0.75
  double azimuth_deg = 0;               ///< where the direct light stands, 0 behind the camera
  double gradient = 0;                  ///< brighter at the top, -0.4 to 0.4
  double shade = 1;                     ///< factor of the shaded side of a cast shadow, 1 is none
  double shade_x = 0;                   ///< where its edge crosses the body's middle
  double shade_slope = 0;
};

/// One picture, complete: who, where, when and under which nuisance. `PersonWorld::render` needs
/// nothing else, and any member may be changed before rendering ("the same walk by somebody else").
struct PersonCrop {
  std::int64_t subject = 0;  ///< who is shown
  int outfit = 0;
  int camera = 0;
  int take = 0;                ///< time slice of the camera: which scene lies behind
  int video = -1;              ///< -1 for stills
  std::int64_t tracklet = -1;  ///< number within the video, -1 for stills
  int frame = 0;               ///< of the video; for stills a number within (subject, camera)
  double place = 0;            ///< where in the scene, nominal heights
  bool low_quality = false;    ///< drawn with the extra blur or occlusion of `low_quality`
  double extra_blur_px = 0;    ///< added to the camera's blur (root of squares), at 64 high
  std::uint64_t noise_seed = 0;
  PersonPose pose;
  PersonView view;
  PersonLight light;
};

/// Parts of the parsing map.
enum class PersonPart : std::uint8_t {
  background,
  skin,  ///< face, neck, arms, hands, legs where bare
  hair,
  top,
  bottom,
  shoes,
  bag,
  hat,
  logo,
  occluder,
};
inline constexpr std::size_t kPersonParts = 10;

/// What of a body a picture shows: for each part the share of its pixels that is neither occluded
/// nor cut off, 1 where the part is seen whole from this side; -1 where it does not exist in this
/// view (a logo on the back, no bag, hair that a hat covers).
struct PersonVisibility {
  std::array<double, kPersonParts> part{};
  double body = 1;     ///< share of the whole figure
  double quality = 1;  ///< body share times sharpness 1 / (1 + blur^2), in (0, 1]
};

/// The 14 joints of a body in a picture, pixels; order as below.
enum class Joint : std::uint8_t {
  head,
  neck,
  left_shoulder,
  right_shoulder,
  left_elbow,
  right_elbow,
  left_wrist,
  right_wrist,
  left_hip,
  right_hip,
  left_knee,
  right_knee,
  left_ankle,
  right_ankle,
};
inline constexpr std::size_t kJoints = 14;
std::string_view name_of(PersonPart value);
std::string_view name_of(Joint value);

}  // namespace sosia::world

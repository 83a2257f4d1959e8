#pragma once
// PersonWorld: walking people with ground truth, for re-identification. Bodies, gait, clothes,
// cameras, videos, tracklets with identity switches and clothes change are procedural; a picture is
// a pure function of the options and a `PersonCrop`, identical to the byte on every x86-64 machine.
//
//   PersonWorld world({.seed = 1});
//   for (std::int64_t subject : world.subjects(PersonSplit::test))
//     for (const PersonCrop& crop : world.stills(subject)) use(world.render(crop, {32, 64}));
//
// Nothing is stored: enumeration draws, rendering renders, so that memory stays flat.
// Thread-safety: all members are const and may be called from any number of threads.

#include "sosia/core/value.hpp"
#include "sosia/image/geometry.hpp"
#include "sosia/image/image.hpp"
#include "sosia/world/person_parameters.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sosia::world {

/// The knobs of a world. Two worlds that differ in one knob share all that does not depend on it:
/// the same subject has the same body, the same camera the same response.
struct PersonWorldOptions {
  std::uint64_t seed = 0;
  int train_subjects = 200;        ///< they also walk through the videos; 0 to 10,000,000
  int test_subjects = 150;         ///< 0 to 10,000,000
  std::int64_t first_subject = 1;  ///< train ids come first; disjoint ranges are other people
  int cameras = 6;                 ///< 1 to 64
  int first_camera = 0;            ///< other numbers are unseen cameras; 0 to 1,000,000
  int domain = 0;                  ///< site: cameras and scenes of two domains differ; 0 to 10,000
  double domain_shift = 0;         ///< strength of the bias that a domain's cameras share, 0 to 3

  // Stills: Market-1501-like sets.
  double presence = 0.8;      ///< chance that a subject passes a camera (at least 2 pass); 0 to 1
  int shots = 4;              ///< pictures per subject, camera and outfit; 1 to 1,000
  int outfits = 1;            ///< of each subject; 1 to 16
  double outfit_reuse = 0.3;  ///< chance that an outfit is that of another subject; 0 to 1

  // Nuisance: 1 is the specification's strength, 0 turns it off, up to 3.
  double camera_bias = 1;    ///< colour matrix, gamma
  double camera_noise = 1;   ///< blur, noise, resolution
  double lighting = 1;       ///< colour, strength and direction per tracklet or still, cast shadows
  double clutter = 1;        ///< contrast of the background
  double truncation = 0.15;  ///< chance
  double occlusion = 0.20;   ///< chance
  double low_quality = 0;    ///< chance of extra blur or a large occluder
  double box_tightness = 0.5;  ///< 0: boxes of one size, height shows; 1: the detector's box fits

  // Videos of the training subjects; video v is seen by camera first_camera + v % cameras.
  int videos = 8;                ///< 0 to 100,000
  double people_per_video = 30;  ///< expected, at most the subjects
  double recurring = 0.7;        ///< share of subjects that walk through several videos
  int video_frames = 240;        ///< frames of a video, 16 to 100,000
  int min_tracklet = 6;          ///< frames, at least 3
  int max_tracklet = 12;
  int frame_step = 3;       ///< video frames from one tracklet frame to the next, at 25 Hz
  double id_switch = 0.25;  ///< chance that the last third of a tracklet shows someone else
  double fragment = 0.5;    ///< chance that a pass is broken into two tracklets
  double drop = 0.05;       ///< chance that a frame is missing
};

enum class PersonSplit { train, test };

/// A range of subject numbers, usable in a range-for.
class SubjectRange {
 public:
  class Iterator {
   public:
    explicit Iterator(std::int64_t at) : at_(at) {}
    std::int64_t operator*() const { return at_; }
    Iterator& operator++() {
      ++at_;
      return *this;
    }
    friend bool operator==(Iterator, Iterator) = default;

   private:
    std::int64_t at_;
  };
  SubjectRange(std::int64_t first, std::int64_t count) : first_(first), count_(count) {}
  std::int64_t first() const { return first_; }
  std::int64_t size() const { return count_; }
  bool contains(std::int64_t subject) const {
    return subject >= first_ && subject < first_ + count_;
  }
  Iterator begin() const { return Iterator(first_); }
  Iterator end() const { return Iterator(first_ + count_); }

 private:
  std::int64_t first_, count_;
};

/// The frames of one person as a tracker reports them. A fragmented pass is two tracklets; after an
/// identity switch `frames[i].subject` differs from `subject`.
struct PersonTracklet {
  int video = 0;
  std::int64_t number = 0;         ///< within the video, from 0
  std::int64_t pass = 0;           ///< tracklets of one pass share it
  std::int64_t subject = 0;        ///< who it started with: the (possibly wrong) label
  int switched_at = -1;            ///< index of the first frame that shows somebody else, or -1
  std::vector<PersonCrop> frames;  ///< by ascending `frame`
};

/// Options, people, cameras, videos and pictures. See the head of this file.
class PersonWorld {
 public:
  /// Throws invalid_argument naming the member that is out of range.
  explicit PersonWorld(const PersonWorldOptions& options = {});

  const PersonWorldOptions& options() const noexcept { return options_; }
  SubjectRange subjects(PersonSplit split) const;

  /// Parameters. Any subject number >= 1 and any camera >= 0 may be asked for.
  PersonIdentity identity(std::int64_t subject) const;
  /// Outfit `number` (0 to 15) of `subject`; `owner` tells whose it is by origin.
  Outfit outfit(std::int64_t subject, int number) const;
  PersonCamera camera(int camera) const;
  PersonScene scene(int camera, int take) const;

  /// The cameras that `subject` passes, ascending; at least two where there are two.
  std::vector<int> cameras_of(std::int64_t subject) const;
  /// All stills of a subject, ordered by outfit, camera, shot: `shots` each.
  std::vector<PersonCrop> stills(std::int64_t subject) const;
  /// Whether a still is the query of its (subject, camera, outfit): shot 0 of at least two
  /// cameras. The others form the gallery.
  bool is_query(const PersonCrop& still) const;

  /// All tracklets of a video, ordered by start and subject. Throws invalid_argument for a video
  /// out of range.
  std::vector<PersonTracklet> tracklets(int video) const;

  /// Renders a picture of `extent` (16 to 1,024 px a side): RGB, sRGB-encoded.
  image::Image render(const PersonCrop& crop, image::Extent extent) const;
  /// The same into 3-channel pixels of the caller.
  void render_into(const PersonCrop& crop, image::MutableImageView picture) const;
  /// The parsing map: one channel, values of `PersonPart`; before blur and noise.
  image::Image render_parts(const PersonCrop& crop, image::Extent extent) const;

  /// Closed-form truth of one picture.
  std::array<image::Point, kJoints> joints(const PersonCrop& crop, image::Extent extent) const;
  image::Box body_box(const PersonCrop& crop, image::Extent extent) const;
  PersonVisibility visibility(const PersonCrop& crop) const;

  /// Oracles. Root mean square difference of the identity vectors: 0 for the same subject alone.
  double identity_distance(std::int64_t a, std::int64_t b) const;
  /// The same over clothes: 0 where both wear the same outfit, whoever wears it.
  double outfit_distance(std::int64_t a, int outfit_a, std::int64_t b, int outfit_b) const;
  /// What an observer who reads every visible attribute without error would measure: identity (and,
  /// with `clothes`, outfit) differences weighted by what both pictures show. The ceiling of
  /// methods that see pixels.
  double visible_distance(const PersonCrop& a, const PersonVisibility& seen_a, const PersonCrop& b,
                          const PersonVisibility& seen_b, bool clothes) const;

  /// Every parameter of a picture as JSON (subject, camera, pose, view, light, joints, box,
  /// visibility, identity and outfit), for truth.jsonl.
  Value truth(const PersonCrop& crop, image::Extent extent) const;

 private:
  PersonWorldOptions options_;
};

/// The number that stands for (owner, number of an outfit): equal where two people wear the same.
std::int64_t clothes_label(const Outfit& outfit);

/// The subjects that a video's tracklets show at `frame`, ascending, without repetition.
std::vector<std::int64_t> visible_subjects(std::span<const PersonTracklet> tracklets, int frame);
/// The crops at `frame`, in the order of the tracklets.
std::vector<PersonCrop> visible_crops(std::span<const PersonTracklet> tracklets, int frame);

IdentityVector identity_vector(const PersonIdentity& identity);

/// Parameters as JSON objects.
Value to_value(const PersonIdentity& identity);
Value to_value(const Outfit& outfit);
Value to_value(const PersonCamera& camera);
Value to_value(const PersonTracklet& tracklet);

/// "0007_c2s1_000003_00.jpg"'s stem in Market-1501's pattern: subject, camera from 1, take from 1,
/// frame.
std::string market_stem(const PersonCrop& crop);
/// LTCC's pattern "007_2_c03_000004": subject, outfit from 1, camera from 1, frame.
std::string ltcc_stem(const PersonCrop& crop);

}  // namespace sosia::world

// Who is seen where and when: the enumeration of stills and tracklets.

#include "sosia/core/error.hpp"
#include "world/exact_math.hpp"
#include "world/person_parts.hpp"

#include <algorithm>
#include <string>

namespace sosia::world {
namespace {

using namespace person;

constexpr int kFramesPerSecond = 25;
constexpr int kTakes = 4;  // times of day at which stills are taken; videos have their own
constexpr int kMaxOutfits = 16;
constexpr std::int64_t kMaxSubject = std::int64_t{1} << 40;

template <class T>
void require(std::string_view name, T value, T low, T high) {
  if (value >= low && value <= high) return;  // NaN falls through
  const auto show = [](T v) {
    std::string text = std::to_string(v);
    if constexpr (std::is_floating_point_v<T>) {
      text.erase(text.find_last_not_of('0') + 1);
      if (text.back() == '.') text.pop_back();
    }
    return text;
  };
  throw Error(ErrorCode::invalid_argument, std::string(name) + ": " + show(value) +
                                               " is out of range: it must be " + show(low) +
                                               " to " + show(high));
}

void check(const PersonWorldOptions& o) {
  require("train_subjects", o.train_subjects, 0, 10'000'000);
  require("test_subjects", o.test_subjects, 0, 10'000'000);
  require<std::int64_t>("first_subject", o.first_subject, 1, 1'000'000'000'000);
  require("cameras", o.cameras, 1, 64);
  require("first_camera", o.first_camera, 0, 1'000'000);
  require("domain", o.domain, 0, 10'000);
  require("domain_shift", o.domain_shift, 0.0, 3.0);
  require("presence", o.presence, 0.0, 1.0);
  require("shots", o.shots, 1, 1000);
  require("outfits", o.outfits, 1, kMaxOutfits);
  require("outfit_reuse", o.outfit_reuse, 0.0, 1.0);
  require("camera_bias", o.camera_bias, 0.0, 3.0);
  require("camera_noise", o.camera_noise, 0.0, 3.0);
  require("lighting", o.lighting, 0.0, 3.0);
  require("clutter", o.clutter, 0.0, 3.0);
  require("truncation", o.truncation, 0.0, 1.0);
  require("occlusion", o.occlusion, 0.0, 1.0);
  require("low_quality", o.low_quality, 0.0, 1.0);
  require("box_tightness", o.box_tightness, 0.0, 1.0);
  require("videos", o.videos, 0, 100'000);
  require("people_per_video", o.people_per_video, 0.0, 1e6);
  require("recurring", o.recurring, 0.0, 1.0);
  require("video_frames", o.video_frames, 16, 100'000);
  require("min_tracklet", o.min_tracklet, 3, 10'000);
  require("max_tracklet", o.max_tracklet, o.min_tracklet, 10'000);
  require("frame_step", o.frame_step, 1, 1000);
  require("id_switch", o.id_switch, 0.0, 1.0);
  require("fragment", o.fragment, 0.0, 1.0);
  require("drop", o.drop, 0.0, 0.5);
}

/// A number of the camera that no camera of another site has.
std::uint64_t camera_key(const PersonWorldOptions& o, int camera) {
  return static_cast<std::uint64_t>(o.domain) * 2'000'003u + static_cast<std::uint64_t>(camera);
}

double wrapped(double degrees) {
  return degrees - 360.0 * exact::floor_to_int(degrees / 360.0);
}

/// Blur or an occluder that makes a picture hard; returns whether it is one.
bool spoil(Draw& draw, const PersonWorldOptions& o, PersonCrop& crop) {
  crop.low_quality = draw.chance(o.low_quality);
  const bool blurred = draw.chance(0.5);
  const double sigma = draw.range(1.2, 2.4);
  if (crop.low_quality && blurred) crop.extra_blur_px = sigma;
  return crop.low_quality && !blurred;
}

PersonCrop draw_still(const PersonWorldOptions& o, SubjectRange others, std::int64_t subject,
                      int outfit, const PersonCamera& camera, int shot) {
  const std::uint64_t key =
      (static_cast<std::uint64_t>(outfit) * 64 * 1'000'000 + camera_key(o, camera.number) * 1000) +
      static_cast<std::uint64_t>(shot);
  Draw draw(derive_seed(o.seed, "person still", static_cast<std::uint64_t>(subject)), "shot", key);
  PersonCrop c;
  c.subject = subject;
  c.outfit = outfit;
  c.camera = camera.number;
  c.take = draw.below(kTakes);
  c.frame = outfit * o.shots + shot;
  c.place = draw.range(0.0, 8.0);
  // Most people follow the path that the camera looks along; the rest go anywhere.
  const double path = draw.chance(0.5) ? 0.0 : 180.0, any = 45.0 * draw.below(8);
  const double yaw = draw.chance(0.4) ? path : any;
  c.pose.yaw_deg = wrapped(camera.yaw_deg + yaw + draw.range(-15.0, 15.0));
  c.pose.phase = draw.unit();
  const bool stands = draw.chance(0.12);
  const double stride = draw.range(0.75, 1.1);
  c.pose.stride = stands ? 0.08 : stride;
  c.pose.head_yaw_deg = draw.normal_within(0.0, 14.0, -50.0, 50.0);
  const std::int64_t other =
      others.first() + static_cast<std::int64_t>(draw.stream().below(
                           static_cast<std::uint64_t>(std::max<std::int64_t>(others.size(), 1))));
  const bool hidden = spoil(draw, o, c);
  c.view = draw_view(draw, o, other, hidden);
  c.light = draw_light(draw, o.lighting);
  c.noise_seed = draw.bits();
  return c;
}

}  // namespace

PersonWorld::PersonWorld(const PersonWorldOptions& options) : options_(options) {
  check(options);
}

SubjectRange PersonWorld::subjects(PersonSplit split) const {
  if (split == PersonSplit::train) return {options_.first_subject, options_.train_subjects};
  return {options_.first_subject + options_.train_subjects, options_.test_subjects};
}

PersonIdentity PersonWorld::identity(std::int64_t subject) const {
  require<std::int64_t>("subject", subject, 1, kMaxSubject);
  return draw_identity(options_, subject);
}

Outfit PersonWorld::outfit(std::int64_t subject, int number) const {
  require<std::int64_t>("subject", subject, 1, kMaxSubject);
  require("outfit", number, 0, kMaxOutfits - 1);
  Draw draw(derive_seed(options_.seed, "person wardrobe", static_cast<std::uint64_t>(subject)),
            "reuse", static_cast<std::uint64_t>(number));
  const bool reused = draw.chance(options_.outfit_reuse);
  const SubjectRange train = subjects(PersonSplit::train), test = subjects(PersonSplit::test);
  const SubjectRange& mates = train.contains(subject) ? train : test;
  if (!reused || !mates.contains(subject) || mates.size() < 2) {
    return draw_own_outfit(options_, subject, number);
  }
  // Somebody else of the same split: skip over the subject itself.
  std::int64_t owner =
      mates.first() +
      static_cast<std::int64_t>(draw.stream().below(static_cast<std::uint64_t>(mates.size() - 1)));
  if (owner >= subject) ++owner;
  return draw_own_outfit(options_, owner, number);
}

PersonCamera PersonWorld::camera(int camera) const {
  require("camera", camera, 0, 2'000'000);
  return draw_camera(options_, camera);
}

PersonScene PersonWorld::scene(int camera, int take) const {
  require("camera", camera, 0, 2'000'000);
  require("take", take, 0, 1'000'000);
  return draw_scene(options_, camera, take);
}

std::vector<int> PersonWorld::cameras_of(std::int64_t subject) const {
  require<std::int64_t>("subject", subject, 1, kMaxSubject);
  Draw draw(derive_seed(options_.seed, "person path", static_cast<std::uint64_t>(subject)),
            "cameras", camera_key(options_, options_.first_camera));
  std::vector<int> all(static_cast<std::size_t>(options_.cameras));
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = options_.first_camera + static_cast<int>(i);
  draw.stream().shuffle(std::span<int>(all));
  std::size_t kept = std::min<std::size_t>(2, all.size());
  for (std::size_t i = kept; i < all.size(); ++i) {
    if (draw.chance(options_.presence)) all[kept++] = all[i];
  }
  all.resize(kept);
  std::sort(all.begin(), all.end());
  return all;
}

std::vector<PersonCrop> PersonWorld::stills(std::int64_t subject) const {
  const SubjectRange train = subjects(PersonSplit::train), test = subjects(PersonSplit::test);
  const SubjectRange others = train.contains(subject) || test.size() == 0 ? train : test;
  std::vector<PersonCrop> crops;
  std::vector<PersonCamera> cameras;
  for (const int number : cameras_of(subject)) cameras.push_back(camera(number));
  crops.reserve(cameras.size() * static_cast<std::size_t>(options_.outfits * options_.shots));
  for (int outfit = 0; outfit < options_.outfits; ++outfit) {
    for (const PersonCamera& c : cameras) {
      for (int shot = 0; shot < options_.shots; ++shot) {
        crops.push_back(draw_still(options_, others, subject, outfit, c, shot));
      }
    }
  }
  return crops;
}

bool PersonWorld::is_query(const PersonCrop& still) const {
  const std::vector<int> cameras = cameras_of(still.subject);
  if (cameras.size() < 2) return false;
  // Single-shot worlds: the first camera asks, the others answer.
  if (options_.shots == 1) return still.camera == cameras.front();
  return still.frame % options_.shots == 0;
}

namespace {

/// One walk of one person through a video, before the tracker cuts it.
struct Pass {
  std::int64_t subject = 0;
  int start = 0;   // video frame of the first tracklet frame
  int frames = 0;  // tracklet frames
  std::uint64_t key = 0;
};

class VideoDirector {
 public:
  VideoDirector(const PersonWorld& world, int video)
      : world_(world),
        o_(world.options()),
        video_(video),
        seed_(
            derive_seed(derive_seed(o_.seed, "person site", static_cast<std::uint64_t>(o_.domain)),
                        "person video", static_cast<std::uint64_t>(video))),
        camera_(world.camera(o_.first_camera + video % o_.cameras)),
        take_(kTakes + video / o_.cameras) {}

  std::vector<PersonTracklet> direct() {
    draw_passes();
    std::vector<PersonTracklet> tracklets;
    for (std::size_t i = 0; i < passes_.size(); ++i) cut(i, tracklets);
    for (std::size_t i = 0; i < tracklets.size(); ++i) {
      tracklets[i].number = static_cast<std::int64_t>(i);
      for (PersonCrop& crop : tracklets[i].frames) crop.tracklet = tracklets[i].number;
    }
    return tracklets;
  }

 private:
  bool walks_here(std::int64_t subject) const {
    Draw draw(derive_seed(o_.seed, "person visits", static_cast<std::uint64_t>(subject)), "who");
    const double total = o_.train_subjects, videos = o_.videos;
    const bool recurring = draw.chance(o_.recurring);
    const int only = draw.below(std::max(o_.videos, 1));
    if (!recurring) return only == video_;
    // Those who come to one video only already fill a part of it.
    const double fixed = (1.0 - o_.recurring) * total / videos;
    const double chance = (o_.people_per_video - fixed) / std::max(o_.recurring * total, 1.0);
    Draw visit(seed_, "visit", static_cast<std::uint64_t>(subject));
    return visit.chance(exact::clamp(chance, 0.0, 1.0));
  }

  void draw_passes() {
    for (const std::int64_t subject : world_.subjects(PersonSplit::train)) {
      if (!walks_here(subject)) continue;
      Draw draw(seed_, "passes", static_cast<std::uint64_t>(subject));
      const int count = draw.chance(0.4) ? 2 : 1;
      int earliest = 0;
      for (int i = 0; i < count; ++i) {
        Pass pass;
        pass.subject = subject;
        pass.frames = draw.between(o_.min_tracklet, o_.max_tracklet);
        const int latest = o_.video_frames - pass.frames * o_.frame_step;
        pass.key = draw.bits();
        if (latest <= earliest) break;
        // Two walks of one person do not overlap: the first lies in the first half.
        const int until = i == 0 && count == 2 ? std::max(earliest + 1, latest / 2) : latest;
        pass.start = earliest + draw.below(until - earliest);
        earliest = pass.start + (pass.frames + 2) * o_.frame_step;
        passes_.push_back(pass);
      }
    }
    std::stable_sort(passes_.begin(), passes_.end(), [](const Pass& a, const Pass& b) {
      return a.start != b.start ? a.start < b.start : a.subject < b.subject;
    });
  }

  /// Somebody of the split who is not to be seen in this video between two frames: a tracker that
  /// loses its target and follows a person whom the detector had missed.
  std::int64_t stand_in(Draw& draw, std::int64_t not_this, int from, int to) {
    const SubjectRange all = world_.subjects(PersonSplit::train);
    for (int attempt = 0; attempt < 64 && all.size() > 1; ++attempt) {
      const std::int64_t candidate =
          all.first() +
          static_cast<std::int64_t>(draw.stream().below(static_cast<std::uint64_t>(all.size())));
      if (candidate != not_this && absent(candidate, from, to)) {
        Pass extra;
        extra.subject = candidate;
        extra.start = from;
        extra.frames = (to - from) / o_.frame_step + 1;
        stand_ins_.push_back(extra);
        return candidate;
      }
    }
    return 0;
  }

  bool absent(std::int64_t subject, int from, int to) const {
    const auto overlaps = [&](const Pass& p) {
      return p.subject == subject && p.start <= to + o_.frame_step &&
             from <= p.start + (p.frames + 1) * o_.frame_step;
    };
    return std::none_of(passes_.begin(), passes_.end(), overlaps) &&
           std::none_of(stand_ins_.begin(), stand_ins_.end(), overlaps);
  }

  /// All crops of a pass, smooth in pose, under one light.
  std::vector<PersonCrop> walk(const Pass& pass, Draw& draw) const {
    const PersonIdentity who = world_.identity(pass.subject);
    const SubjectRange all = world_.subjects(PersonSplit::train);
    const double path = draw.chance(0.5) ? 0.0 : 180.0, any = 45.0 * draw.below(8);
    const bool along = draw.chance(0.6);
    const double yaw = camera_.yaw_deg + (along ? path : any) + draw.range(-20.0, 20.0);
    const double turn = draw.normal_within(0.0, 25.0, -70.0, 70.0);  // degrees a second
    const double place = draw.range(0.0, 8.0), glance = draw.normal_within(0.0, 10.0, -40.0, 40.0);
    const double start_phase = who.gait.phase + draw.unit();
    const double dt = static_cast<double>(o_.frame_step) / kFramesPerSecond;
    const double speed =
        2.0 * who.gait.step_length * who.leg_ratio * who.height * who.gait.cadence_hz;
    const std::int64_t other =
        all.first() +
        static_cast<std::int64_t>(draw.stream().below(static_cast<std::uint64_t>(all.size())));
    const PersonLight light = draw_light(draw, o_.lighting);
    const PersonView view = draw_view(draw, o_, other, false);
    std::vector<PersonCrop> crops;
    double x = place;
    for (int i = 0; i < pass.frames; ++i) {
      PersonCrop c;
      c.subject = pass.subject;
      c.camera = camera_.number;
      c.take = take_;
      c.video = video_;
      c.frame = pass.start + i * o_.frame_step;
      const double angle = yaw + turn * dt * i;
      x += speed * dt * exact::sin(exact::radians(angle));
      c.place = x;
      c.pose.yaw_deg = wrapped(angle);
      const double cycle = start_phase + who.gait.cadence_hz * dt * i;
      c.pose.phase = cycle - exact::floor_to_int(cycle);
      c.pose.head_yaw_deg = glance;
      c.view = view;
      c.view.shift_x += draw.normal_within(0.0, 0.012, -0.03, 0.03);
      c.view.shift_y += draw.normal_within(0.0, 0.008, -0.02, 0.02);
      // What stands in front stays where it is while the body passes by.
      c.view.occluder_x -= (x - place) * 0.6;
      spoil(draw, o_, c);
      c.light = light;
      c.noise_seed = draw.bits();
      crops.push_back(c);
    }
    return crops;
  }

  /// What the tracker makes of pass `index`: one or two tracklets, perhaps ending on somebody else.
  void cut(std::size_t index, std::vector<PersonTracklet>& out) {
    const Pass& pass = passes_[index];
    Draw draw(seed_, "pass", pass.key);
    std::vector<PersonCrop> crops = walk(pass, draw);
    const bool fragment = draw.chance(o_.fragment) && pass.frames >= 2 * 3;
    const int split = fragment ? draw.between(3, pass.frames - 3) : pass.frames;
    for (int part = 0; part < (fragment ? 2 : 1); ++part) {
      PersonTracklet t;
      t.video = video_;
      t.pass = static_cast<std::int64_t>(index);
      t.subject = pass.subject;
      const int from = part == 0 ? 0 : split, to = part == 0 ? split : pass.frames;
      t.frames.assign(crops.begin() + from, crops.begin() + to);
      mix_up(t, draw);
      drop_frames(t, draw);
      out.push_back(std::move(t));
    }
  }

  void mix_up(PersonTracklet& t, Draw& draw) {
    const bool mixed = draw.chance(o_.id_switch);
    const auto count = static_cast<int>(t.frames.size());
    if (!mixed || count < 3) return;
    const int at = count - std::max(1, count / 3);
    const std::int64_t other = stand_in(
        draw, t.subject, t.frames[static_cast<std::size_t>(at)].frame, t.frames.back().frame);
    if (other == 0) return;
    const double turn = draw.range(-40.0, 40.0);
    t.switched_at = at;
    for (auto i = static_cast<std::size_t>(at); i < t.frames.size(); ++i) {
      t.frames[i].subject = other;
      t.frames[i].pose.yaw_deg = wrapped(t.frames[i].pose.yaw_deg + turn);
    }
  }

  /// Frames that the detector missed; the first, the last and the first after a switch stay.
  void drop_frames(PersonTracklet& t, Draw& draw) const {
    std::vector<PersonCrop> kept;
    int switched = t.switched_at;
    for (std::size_t i = 0; i < t.frames.size(); ++i) {
      const bool missed = draw.chance(o_.drop);
      const bool needed =
          i == 0 || i + 1 == t.frames.size() || static_cast<int>(i) == t.switched_at;
      if (static_cast<int>(i) == t.switched_at) switched = static_cast<int>(kept.size());
      if (!missed || needed) kept.push_back(t.frames[i]);
    }
    t.frames = std::move(kept);
    t.switched_at = switched;
  }

  const PersonWorld& world_;
  const PersonWorldOptions& o_;
  int video_;
  std::uint64_t seed_;
  PersonCamera camera_;
  int take_;
  std::vector<Pass> passes_, stand_ins_;
};

}  // namespace

std::vector<PersonTracklet> PersonWorld::tracklets(int video) const {
  require("video", video, 0, options_.videos - 1);
  return VideoDirector(*this, video).direct();
}

std::vector<std::int64_t> visible_subjects(std::span<const PersonTracklet> tracklets, int frame) {
  std::vector<std::int64_t> subjects;
  for (const PersonCrop& crop : visible_crops(tracklets, frame)) subjects.push_back(crop.subject);
  std::sort(subjects.begin(), subjects.end());
  subjects.erase(std::unique(subjects.begin(), subjects.end()), subjects.end());
  return subjects;
}

std::vector<PersonCrop> visible_crops(std::span<const PersonTracklet> tracklets, int frame) {
  std::vector<PersonCrop> crops;
  for (const PersonTracklet& t : tracklets) {
    for (const PersonCrop& crop : t.frames) {
      if (crop.frame == frame) crops.push_back(crop);
    }
  }
  return crops;
}

}  // namespace sosia::world

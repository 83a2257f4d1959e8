// Stills and tracklets: who is seen where, when and by whom, and what a tracker gets wrong.

#include "sosia/world/person.hpp"

#include <algorithm>
#include <map>
#include <set>

#include <gtest/gtest.h>

namespace sosia::world {
namespace {

TEST(PersonStills, AreOrderedAndComplete) {
  PersonWorldOptions o;
  o.outfits = 2;
  o.shots = 3;
  const PersonWorld world(o);
  EXPECT_EQ(world.subjects(PersonSplit::train).size(), 200);
  EXPECT_EQ(world.subjects(PersonSplit::test).first(), 201);
  for (const std::int64_t subject : {1, 77, 350}) {
    const auto cameras = world.cameras_of(subject);
    EXPECT_GE(cameras.size(), 2u);
    EXPECT_TRUE(std::is_sorted(cameras.begin(), cameras.end()));
    const auto crops = world.stills(subject);
    ASSERT_EQ(crops.size(), cameras.size() * 2 * 3);
    std::set<std::tuple<int, int, int>> keys;
    int queries = 0;
    for (const PersonCrop& crop : crops) {
      EXPECT_EQ(crop.subject, subject);
      keys.insert({crop.outfit, crop.camera, crop.frame});
      queries += world.is_query(crop);
    }
    EXPECT_EQ(keys.size(), crops.size());
    EXPECT_EQ(queries, static_cast<int>(cameras.size()) * 2);
  }
}

TEST(PersonStills, PresenceAndSingleShot) {
  PersonWorldOptions o;
  o.cameras = 6;
  o.presence = 0.5;
  const PersonWorld world(o);
  double seen = 0;
  for (const std::int64_t s : world.subjects(PersonSplit::test)) {
    seen += static_cast<double>(world.cameras_of(s).size());
  }
  EXPECT_NEAR(seen / 150, 2 + 4 * 0.5, 0.3);
  o.shots = 1;
  o.cameras = 2;
  const PersonWorld single(o);
  for (const std::int64_t s : single.subjects(PersonSplit::test)) {
    const auto crops = single.stills(s);
    ASSERT_EQ(crops.size(), 2u);
    EXPECT_TRUE(single.is_query(crops[0]));
    EXPECT_FALSE(single.is_query(crops[1]));
  }
}

TEST(PersonStills, RatesAreWhatTheOptionsSay) {
  PersonWorldOptions o;
  o.low_quality = 0.55;
  const PersonWorld world(o);
  double count = 0, cut = 0, occluded = 0, low = 0;
  for (const std::int64_t s : world.subjects(PersonSplit::test)) {
    for (const PersonCrop& c : world.stills(s)) {
      count += 1;
      cut += c.view.cut > 0;
      low += c.low_quality;
      occluded += c.view.occluder != Occluder::none;
    }
  }
  EXPECT_NEAR(cut / count, 0.15, 0.02);
  EXPECT_NEAR(low / count, 0.55, 0.03);
  // Occluders: their own .2, and half of the pictures of low quality.
  EXPECT_NEAR(occluded / count, 1 - 0.8 * (1 - 0.275), 0.03);
}

TEST(PersonTracklets, FollowTheSpecification) {
  const PersonWorld world({.seed = 3});
  const PersonWorldOptions& o = world.options();
  std::map<std::int64_t, std::set<int>> videos_of;
  std::map<std::pair<int, std::int64_t>, int> parts;  // of a pass
  double tracklets = 0, switched = 0, people = 0, missed = 0, frames = 0;
  for (int v = 0; v < o.videos; ++v) {
    std::set<std::int64_t> here;
    for (const PersonTracklet& t : world.tracklets(v)) {
      ASSERT_GE(t.frames.size(), 2u);
      EXPECT_LE(t.frames.size(), static_cast<std::size_t>(o.max_tracklet));
      ++tracklets;
      ++parts[{v, t.pass}];
      here.insert(t.subject);
      videos_of[t.subject].insert(v);
      EXPECT_EQ(t.frames[0].subject, t.subject);
      for (std::size_t i = 0; i < t.frames.size(); ++i) {
        const PersonCrop& c = t.frames[i];
        EXPECT_EQ(c.camera, v % o.cameras);
        EXPECT_EQ(c.video, v);
        EXPECT_EQ(c.tracklet, t.number);
        const bool other = t.switched_at >= 0 && static_cast<int>(i) >= t.switched_at;
        EXPECT_EQ(c.subject != t.subject, other);
        EXPECT_TRUE(world.subjects(PersonSplit::train).contains(c.subject));
        if (i == 0) continue;
        const int gap = c.frame - t.frames[i - 1].frame;
        EXPECT_EQ(gap % o.frame_step, 0);
        EXPECT_GT(gap, 0);
        missed += gap / o.frame_step - 1;
        frames += gap / o.frame_step;
        // Smooth pose: under 70 degrees a second, one light.
        double turn = std::abs(c.pose.yaw_deg - t.frames[i - 1].pose.yaw_deg);
        turn = std::min(turn, 360 - turn);
        EXPECT_TRUE(other || turn <= 70.0 * gap / 25 + 1e-6) << turn;
        EXPECT_EQ(c.light.intensity, t.frames[i - 1].light.intensity);
      }
      switched += t.switched_at >= 0;
    }
    people += static_cast<double>(here.size());
  }
  EXPECT_NEAR(people / o.videos, o.people_per_video, 8);
  EXPECT_NEAR(switched / tracklets, 0.25, 0.08);
  EXPECT_NEAR(missed / frames, o.drop, 0.03);
  double fragments = 0;
  for (const auto& [pass, count] : parts) fragments += count == 2;
  EXPECT_NEAR(fragments / static_cast<double>(parts.size()), 0.5, 0.1);
  int recurring = 0;
  for (const auto& [subject, where] : videos_of) recurring += where.size() > 1;
  EXPECT_GT(recurring, 20);
}

TEST(PersonTracklets, TwoAtOneTimeAreTwoPeople) {
  // The cannot-link rule that label-free methods rely on: tracklets that overlap show different
  // people, identity switches included.
  const PersonWorld world({.seed = 8});
  int pairs = 0;
  for (int v = 0; v < world.options().videos; ++v) {
    const auto tracklets = world.tracklets(v);
    for (int frame = 0; frame < world.options().video_frames; ++frame) {
      const auto crops = visible_crops(tracklets, frame);
      const auto subjects = visible_subjects(tracklets, frame);
      EXPECT_EQ(crops.size(), subjects.size()) << v << " " << frame;
      EXPECT_TRUE(std::is_sorted(subjects.begin(), subjects.end()));
      pairs += crops.size() > 1;
    }
  }
  EXPECT_GT(pairs, 100);
}

TEST(PersonTracklets, GaitAdvancesAtItsCadence) {
  const PersonWorld world({.seed = 3, .id_switch = 0, .fragment = 0, .drop = 0});
  for (const PersonTracklet& t : world.tracklets(1)) {
    const Gait gait = world.identity(t.subject).gait;
    double cycles = 0;
    for (std::size_t i = 1; i < t.frames.size(); ++i) {
      double step = t.frames[i].pose.phase - t.frames[i - 1].pose.phase;
      if (step < 0) step += 1;
      cycles += step;
    }
    const double seconds = (t.frames.back().frame - t.frames.front().frame) / 25.0;
    EXPECT_NEAR(cycles, gait.cadence_hz * seconds, 1e-6);
  }
}

TEST(PersonTracklets, CleanWorldsAreClean) {
  const PersonWorld world({.seed = 3, .id_switch = 0, .fragment = 0, .drop = 0});
  for (int v = 0; v < world.options().videos; ++v) {
    std::set<std::int64_t> passes;
    for (const PersonTracklet& t : world.tracklets(v)) {
      EXPECT_EQ(t.switched_at, -1);
      EXPECT_TRUE(passes.insert(t.pass).second);
      EXPECT_GE(t.frames.size(), static_cast<std::size_t>(world.options().min_tracklet));
    }
  }
}

}  // namespace
}  // namespace sosia::world

// Tracking: one person, one track.

#include "errors.hpp"
#include "face/support.hpp"
#include "sosia/core/rng.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace sosia::face {
namespace {

/// A face of person `who` (orthogonal embeddings, a little noise) at x.
DescribedFace face(std::size_t who, double x, double quality = 0.5, std::uint64_t noise = 0) {
  DescribedFace f;
  f.box = {x, 10, 50, 50};
  f.score = 1;
  f.quality.value = quality;
  f.embedding.assign(8, 0);
  RandomStream random(0, "noise", noise);
  double squares = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    f.embedding[i] = (i == who ? 1.0F : 0.0F) + static_cast<float>(random.uniform(-0.05, 0.05));
    squares += double{f.embedding[i]} * f.embedding[i];
  }
  for (float& v : f.embedding) v /= static_cast<float>(std::sqrt(squares));
  return f;
}

TEST(Tracker, TwoPeopleWhoCrossKeepTheirTracks) {
  FaceTracker tracker;
  for (int t = 0; t < 21; ++t) {
    const std::vector<DescribedFace> faces{
        face(0, 10.0 * t, 0.5, static_cast<std::uint64_t>(t)),
        face(1, 200 - 10.0 * t, 0.5, 100 + static_cast<std::uint64_t>(t))};
    tracker.add(t, 40.0 * t, faces);
  }
  const std::vector<Track> tracks = tracker.tracks();
  ASSERT_EQ(tracks.size(), 2u);
  for (std::size_t who = 0; who < 2; ++who) {
    EXPECT_EQ(tracks[who].id, who);
    EXPECT_EQ(tracks[who].sightings.size(), 21u);
    EXPECT_GT(tracks[who].embedding[who], 0.99F);
    EXPECT_DOUBLE_EQ(tracks[who].sightings[3].face.box.x_px, who == 0 ? 30 : 170);
  }
}

TEST(Tracker, IsTakenUpAfterAGap) {
  FaceTracker tracker;
  tracker.add(0, 0, std::vector{face(0, 0)});
  tracker.add(1, 40, {});
  tracker.add(50, 2000, std::vector{face(0, 300, 0.9), face(1, 0)});
  const auto tracks = tracker.tracks();
  ASSERT_EQ(tracks.size(), 2u);
  ASSERT_EQ(tracks[0].sightings.size(), 2u);
  EXPECT_EQ(tracks[0].best_frame, 50);
  EXPECT_DOUBLE_EQ(tracks[0].best.quality.value, 0.9);
  EXPECT_DOUBLE_EQ(tracks[0].sightings[1].time_ms, 2000);

  FaceTracker forgetful({.max_gap_frames = 10});
  forgetful.add(0, 0, std::vector{face(0, 0)});
  forgetful.add(50, 2000, std::vector{face(0, 0)});
  EXPECT_EQ(forgetful.tracks().size(), 2u);
}

// Another person at the same place is another track: a box alone proves nothing.
TEST(Tracker, ACutToAnotherPersonStartsANewTrack) {
  FaceTracker tracker;
  tracker.add(0, 0, std::vector{face(0, 0)});
  tracker.add(1, 40, std::vector{face(1, 0)});
  EXPECT_EQ(tracker.tracks().size(), 2u);
}

TEST(Tracker, TwoFacesOfAFrameNeverShareATrack) {
  FaceTracker tracker;
  tracker.add(0, 0, std::vector{face(0, 0)});
  tracker.add(1, 40, std::vector{face(0, 5), face(0, 200)});  // a mirror
  const auto tracks = tracker.tracks();
  ASSERT_EQ(tracks.size(), 2u);
  EXPECT_DOUBLE_EQ(tracks[0].sightings[1].face.box.x_px, 5);
}

TEST(Tracker, ShortTracksAndBadOptions) {
  FaceTracker tracker({.min_length = 2});
  tracker.add(0, 0, std::vector{face(0, 0), face(1, 100)});
  tracker.add(1, 40, std::vector{face(1, 100)});
  ASSERT_EQ(tracker.tracks().size(), 1u);
  EXPECT_EQ(tracker.tracks()[0].id, 0u);
  EXPECT_EQ(code_of([&] { tracker.add(1, 80, {}); }), ErrorCode::invalid_argument);
  EXPECT_EQ(code_of([] { FaceTracker({.min_overlap = 0}); }), ErrorCode::invalid_argument);
  EXPECT_EQ(code_of([] { FaceTracker({.min_cosine = 0.5, .max_unlike = 0.6}); }),
            ErrorCode::invalid_argument);
}

}  // namespace
}  // namespace sosia::face

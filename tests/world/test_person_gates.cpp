// The sanity gates of the person world (specification of PersonWorld, "Sanity gates"): a world is
// of use only if plain colour does not solve it, if the two label-free corrections stay well below
// the oracle, if clothes say nothing once they change, if shuffled labels are at chance and the
// oracle at one. Features are taken from rendered pixels and scored by the evaluate room.

#include "person_features.hpp"

#include <numeric>

#include <gtest/gtest.h>

namespace sosia::world {
namespace {

using evaluate::JunkRule;
using evaluate::RankingScore;

constexpr int kSubjects = 40;

PersonWorldOptions options(std::uint64_t seed) {
  PersonWorldOptions o;
  o.seed = seed;
  o.train_subjects = 0;
  o.test_subjects = kSubjects;
  return o;
}

struct Extracted {
  Features colour, body_colour, untrained;
};

Extracted extract(const TestSet& set) {
  Extracted e;
  for (const PersonCrop& crop : set.crops) {
    const image::Image picture = set.world->render(crop, kCropSize);
    const image::Image parts = set.world->render_parts(crop, kCropSize);
    e.colour.push_back(stripe_histogram(picture));
    e.body_colour.push_back(stripe_histogram(picture, parts));
    e.untrained.push_back(untrained_features(picture));
  }
  normalise(e.untrained);
  return e;
}

double rank1(const RankingScore& s) {
  return s.cmc[0];
}

/// What random distances give: mean R1 and mAP.
RankingScore chance(const TestSet& set, JunkRule junk) {
  RandomStream stream(3, "chance");
  return set.score([&](std::size_t, std::size_t) { return stream.uniform(); }, junk);
}

class PersonGates : public ::testing::Test {
 protected:
  // One rendering serves all gates of the general protocol.
  static void SetUpTestSuite() {
    world_ = new PersonWorld(options(1));
    set_ = new TestSet(*world_);
    features_ = new Extracted(extract(*set_));
  }
  static void TearDownTestSuite() {
    delete features_;
    delete set_;
    delete world_;
  }
  static inline PersonWorld* world_ = nullptr;
  static inline TestSet* set_ = nullptr;
  static inline Extracted* features_ = nullptr;
};

TEST_F(PersonGates, ColourDoesNotSolveTheWorld) {
  const double whole = rank1(set_->score(features_->colour));
  const double body = rank1(set_->score(features_->body_colour));
  RecordProperty("colour_r1", std::to_string(whole));
  RecordProperty("body_colour_r1", std::to_string(body));
  const double random = rank1(chance(*set_, JunkRule::market));
  RecordProperty("chance_r1", std::to_string(random));
  // Observed .005 (the place decides) and .24; chance .014. The specification's bound, also for
  // colours cut out with the true parsing map.
  EXPECT_LT(whole, 0.60);
  EXPECT_LT(body, 0.60);
  // But there is something to be seen: bodies beat chance by far.
  EXPECT_GT(body, 4 * random);
}

TEST_F(PersonGates, CameraMeansAndWhiteningStayWellBelowTheOracle) {
  double best = 0, best_map = 0;
  const auto see = [&](const char* name, const Features& f) {
    const RankingScore s = set_->score(f);
    RecordProperty(std::string(name) + "_r1", std::to_string(rank1(s)));
    RecordProperty(std::string(name) + "_map", std::to_string(s.map));
    best = std::max(best, rank1(s));
    best_map = std::max(best_map, s.map);
  };
  const auto corrected = [&](const char* name, Features f) {
    subtract_camera_means(f, set_->crops);
    normalise(f);
    see(name, f);
    whiten(f, 0.1);
    normalise(f);
    see((std::string(name) + "_whitened").c_str(), f);
  };
  corrected("colour_cms", features_->colour);
  corrected("body_colour_cms", features_->body_colour);
  corrected("untrained_cms", features_->untrained);
  Features f = features_->colour;
  whiten(f, 0.1);
  see("colour_whitened", f);
  f = features_->untrained;
  whiten(f, 0.01);
  see("untrained_whitened", f);
  // Observed R1 / mAP after camera means: .00 / .04 (colour), .34 / .23 (colour of the true body),
  // .10 / .06 (untrained); whitened too .05, .24 and .17 R1; whitening alone .08 (colour) and .12
  // (untrained). The oracle is 1.
  EXPECT_LT(best, 0.60);
  EXPECT_LT(best_map, 0.40);
}

TEST_F(PersonGates, ShuffledLabelsAreAtChance) {
  TestSet shuffled = *set_;
  RandomStream stream(9, "labels");
  stream.shuffle(std::span<std::int64_t>(shuffled.labels));
  const RankingScore expected = chance(shuffled, JunkRule::market);
  const RankingScore colour = shuffled.score(features_->body_colour);
  // Of about 210 queries.
  EXPECT_NEAR(rank1(colour), rank1(expected), 0.04);
  EXPECT_NEAR(colour.map, expected.map, 0.01);
  // Even the oracle's distances are worth nothing against wrong labels.
  const RankingScore oracle = shuffled.score([&](std::size_t a, std::size_t b) {
    return world_->identity_distance(set_->crops[a].subject, set_->crops[b].subject);
  });
  EXPECT_NEAR(oracle.map, expected.map, 0.02);
}

TEST_F(PersonGates, OracleIsPerfect) {
  const RankingScore s = set_->score([&](std::size_t a, std::size_t b) {
    return world_->identity_distance(set_->crops[a].subject, set_->crops[b].subject);
  });
  EXPECT_EQ(rank1(s), 1.0);
  EXPECT_EQ(s.map, 1.0);
  EXPECT_EQ(s.minp, 1.0);
}

TEST_F(PersonGates, VisibleSetOracleIsTheCeilingOfPictures) {
  std::vector<PersonVisibility> seen;
  for (const PersonCrop& crop : set_->crops) seen.push_back(world_->visibility(crop));
  TestSet some = *set_;  // every fourth query is enough
  std::vector<std::size_t> queries;
  for (std::size_t i = 0; i < some.queries.size(); i += 4) queries.push_back(some.queries[i]);
  some.queries = queries;
  const RankingScore s = some.score([&](std::size_t a, std::size_t b) {
    return world_->visible_distance(some.crops[a], seen[a], some.crops[b], seen[b], true);
  });
  RecordProperty("visible_r1", std::to_string(rank1(s)));
  RecordProperty("visible_map", std::to_string(s.map));
  // Observed R1 1.00, mAP .984.
  EXPECT_GT(rank1(s), 0.95);
  EXPECT_GT(s.map, 0.80);
  EXPECT_LT(s.map, 1.0);  // what is hidden is lost
}

TEST(PersonWorldGates, SameOutfitOnDifferentPeopleExists) {
  const PersonWorld world(options(1));
  int pairs = 0;
  for (const std::int64_t a : world.subjects(PersonSplit::test)) {
    for (const std::int64_t b : world.subjects(PersonSplit::test)) {
      if (a < b && world.outfit_distance(a, 0, b, 0) == 0.0) {
        ++pairs;
        EXPECT_GT(world.identity_distance(a, b), 0.1);
        EXPECT_EQ(clothes_label(world.outfit(a, 0)), clothes_label(world.outfit(b, 0)));
      }
    }
  }
  // Observed 13 among 780 pairs at the default reuse of .3.
  EXPECT_GE(pairs, 5);
  // Without reuse there are none.
  PersonWorldOptions o = options(1);
  o.outfit_reuse = 0;
  const PersonWorld own(o);
  for (const std::int64_t a : own.subjects(PersonSplit::test)) {
    EXPECT_EQ(own.outfit(a, 0).owner, a);
  }
}

TEST(PersonWorldGates, ClothesSayNothingOnceTheyChange) {
  // True clothes, over three worlds: means of single worlds scatter by .01.
  double chance_map = 0, clothes_map = 0, clothes_r1 = 0;
  for (const std::uint64_t seed : {1, 2, 3}) {
    PersonWorldOptions o = options(seed);
    o.test_subjects = 100;
    o.outfits = o.shots = 2;
    o.presence = 0;  // two cameras each
    const PersonWorld world(o);
    const TestSet set(world);
    const auto clothes = [&](std::size_t a, std::size_t b) {
      const PersonCrop &x = set.crops[a], &y = set.crops[b];
      return world.outfit_distance(x.subject, x.outfit, y.subject, y.outfit);
    };
    const RankingScore changed = set.score(clothes, JunkRule::clothes_changing);
    chance_map += chance(set, JunkRule::clothes_changing).map / 3;
    clothes_map += changed.map / 3;
    clothes_r1 += rank1(changed) / 3;
    // The same distances rank well while clothes stay on,
    EXPECT_GT(set.score(clothes, JunkRule::same_clothes).map, 0.5);
    // and who somebody is does not change with the clothes.
    const RankingScore identity = set.score(
        [&](std::size_t a, std::size_t b) {
          return world.identity_distance(set.crops[a].subject, set.crops[b].subject);
        },
        JunkRule::clothes_changing);
    EXPECT_EQ(identity.map, 1.0);
  }
  RecordProperty("chance_map", std::to_string(chance_map));
  RecordProperty("clothes_map", std::to_string(clothes_map));
  RecordProperty("clothes_r1", std::to_string(clothes_r1));
  // Observed .023 against .015 by chance, R1 .012.
  EXPECT_NEAR(clothes_map, chance_map, 0.02);
  EXPECT_LT(clothes_r1, 0.04);
}

TEST(PersonWorldGates, ColoursAreNearChanceOnceClothesChange) {
  PersonWorldOptions o = options(2);
  o.outfits = o.shots = 2;
  const PersonWorld world(o);
  const TestSet set(world);
  Features colour;
  for (const PersonCrop& crop : set.crops) {
    colour.push_back(stripe_histogram(world.render(crop, kCropSize)));
  }
  const RankingScore pixels = set.score(colour, JunkRule::clothes_changing);
  const RankingScore random = chance(set, JunkRule::clothes_changing);
  RecordProperty("colour_map", std::to_string(pixels.map));
  RecordProperty("chance_map", std::to_string(random.map));
  // Hair and skin stay, so a little more than chance would be no fault.
  EXPECT_NEAR(pixels.map, random.map, 0.04);
}

TEST(PersonWorldGates, NuisanceIsWhatMakesItHard) {
  PersonWorldOptions o = options(1);
  o.test_subjects = 25;
  o.camera_bias = o.camera_noise = o.lighting = o.truncation = o.occlusion = 0;
  const PersonWorld world(o);
  const TestSet set(world);
  Features colour;
  for (const PersonCrop& crop : set.crops) {
    colour.push_back(
        stripe_histogram(world.render(crop, kCropSize), world.render_parts(crop, kCropSize)));
  }
  const RankingScore s = set.score(colour);
  RecordProperty("clean_r1", std::to_string(rank1(s)));
  // Observed .90, with the same colours that give .24 under nuisance.
  EXPECT_GT(rank1(s), 0.80);
}

}  // namespace
}  // namespace sosia::world

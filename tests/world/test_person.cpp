// The person world's pictures and truth: determinism, golden pixels, parameters in their ranges,
// what the knobs do, and refusals.

#include "errors.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/run.hpp"
#include "sosia/world/person.hpp"
#include "world/truth.hpp"

#include <cmath>
#include <set>
#include <string>

#include <gtest/gtest.h>

namespace sosia::world {
namespace {

constexpr image::Extent kSize{32, 64};

std::string hash_of(image::ImageView p) {
  return pixel_hash(p.data, p.width_px, p.height_px, p.channels, p.stride_bytes);
}

/// One hash over the first stills of a few subjects.
std::string hash_of_world(const PersonWorld& world, image::Extent size) {
  std::string all;
  for (std::int64_t subject = 1; subject <= 8; ++subject) {
    all += hash_of(world.render(world.stills(subject)[1], size));
  }
  return all;
}

TEST(Person, GoldenPixels) {
  // Pixels, not files. They change only with the rendering: then look at a contact sheet first.
  const PersonWorld world({.seed = 7});
  const auto crops = world.stills(3);
  EXPECT_EQ(hash_of(world.render(crops[0], kSize)), "ad96f3b54e621334");
  EXPECT_EQ(hash_of(world.render(crops[1], {64, 128})), "e02e5daa0568b37d");
  EXPECT_EQ(hash_of(world.render(world.stills(11)[2], {128, 256})), "128c2860dcd4311b");
  EXPECT_EQ(hash_of(world.render(world.tracklets(2)[0].frames[1], kSize)), "2d366abf98100a7f");
  EXPECT_EQ(hash_of(world.render_parts(crops[0], kSize)), "ab4c9f4c38632427");
}

TEST(Person, SameSeedSamePixelsWhateverTheThreads) {
  const PersonWorld world({.seed = 5});
  const std::size_t count = 24;
  std::vector<std::string> serial(count), parallel(count);
  const auto render = [&](std::vector<std::string>& into, int threads) {
    RunConfig config;
    config.threads = threads;
    RunContext run(config);
    run.parallel_for(0, count, 1, [&](std::size_t first, std::size_t last) {
      for (std::size_t i = first; i < last; ++i) {
        const auto subject = static_cast<std::int64_t>(1 + i);
        into[i] = hash_of(world.render(world.stills(subject)[i % 4], kSize));
      }
    });
  };
  render(serial, 1);
  render(parallel, 4);
  EXPECT_EQ(serial, parallel);
  EXPECT_NE(hash_of_world(PersonWorld({.seed = 6}), kSize), hash_of_world(world, kSize));
}

TEST(Person, RenderIntoHonoursTheStride) {
  const PersonWorld world;
  const PersonCrop crop = world.stills(1)[0];
  image::Image wide(100, 80, 3, image::Colour{1, 2, 3, 255});
  world.render_into(crop, wide.mutable_view().crop(10, 8, 32, 64));
  EXPECT_TRUE(image::same_pixels(wide.view().crop(10, 8, 32, 64), world.render(crop, kSize)));
  EXPECT_EQ(*wide.pixel(9, 20), 1);
  EXPECT_EQ(*wide.pixel(42, 20), 1);
}

TEST(Person, ParametersStayInTheirRanges) {
  const PersonWorld world({.seed = 2});
  std::set<int> skins, hairs;
  double sum = 0, square = 0;
  const int people = 2000;
  for (std::int64_t s = 1; s <= people; ++s) {
    const PersonIdentity p = world.identity(s);
    EXPECT_GE(p.height, 0.80);
    EXPECT_LE(p.height, 1.10);
    EXPECT_GE(p.shoulder_hip_ratio, 0.75);
    EXPECT_LE(p.shoulder_hip_ratio, 1.35);
    EXPECT_GE(p.gait.phase, 0.0);
    EXPECT_LT(p.gait.phase, 1.0);
    skins.insert(p.skin_tone);
    hairs.insert(p.hair_colour * 6 + static_cast<int>(p.hair));
    sum += p.height;
    square += p.height * p.height;
  }
  const double mean = sum / people;
  EXPECT_NEAR(mean, 0.95, 0.006);
  EXPECT_NEAR(std::sqrt(square / people - mean * mean), 0.066, 0.005);  // .07, tails cut
  EXPECT_EQ(skins.size(), static_cast<std::size_t>(kSkinTones));
  EXPECT_EQ(hairs.size(), 48u);
  for (int c = 0; c < 200; ++c) {
    const PersonCamera camera = world.camera(c);
    EXPECT_GE(camera.gamma, 0.7);
    EXPECT_LE(camera.gamma, 1.4);
    EXPECT_GE(camera.blur_px, 0.0);
    EXPECT_LE(camera.blur_px, 1.2);
    EXPECT_GE(camera.noise, 2.0);
    EXPECT_LE(camera.noise, 8.0);
  }
}

TEST(Person, BodyIsWhatItsParametersSay) {
  // Everything that is not the person turned off, boxes of one size.
  PersonWorldOptions o;
  o.camera_bias = o.camera_noise = o.lighting = o.truncation = o.occlusion = o.box_tightness = 0;
  const PersonWorld world(o);
  PersonCrop crop = world.stills(1)[0];
  crop.pose.yaw_deg = 0;
  crop.view = {};
  const image::Extent size{128, 256};
  // Taller people have taller boxes, in proportion.
  std::int64_t tall = 1, small = 1;
  for (std::int64_t s = 1; s <= 100; ++s) {
    if (world.identity(s).height > world.identity(tall).height) tall = s;
    if (world.identity(s).height < world.identity(small).height) small = s;
  }
  const auto height = [&](std::int64_t s) {
    crop.subject = s;
    return world.body_box(crop, size).height_px;
  };
  const double expected = world.identity(tall).height / world.identity(small).height;
  EXPECT_NEAR(height(tall) / height(small), expected, 0.10 * expected);
  // Joints lie inside the box, the head above the neck above the hips above the ankles.
  for (std::int64_t s = 1; s <= 20; ++s) {
    crop.subject = s;
    const auto joints = world.joints(crop, size);
    const image::Box box = world.body_box(crop, size);
    for (const image::Point& p : joints) {
      EXPECT_GE(p.x_px, box.x_px - 3) << s;
      EXPECT_LE(p.x_px, box.x_px + box.width_px + 3) << s;
      EXPECT_GE(p.y_px, box.y_px - 3) << s;
      EXPECT_LE(p.y_px, box.y_px + box.height_px + 3) << s;
    }
    const auto y = [&](Joint j) { return joints[static_cast<std::size_t>(j)].y_px; };
    EXPECT_LT(y(Joint::head), y(Joint::neck));
    EXPECT_LT(y(Joint::neck), y(Joint::left_hip));
    EXPECT_LT(y(Joint::left_hip), y(Joint::left_ankle));
    // Seen from the front, the left hand side is on the right.
    const auto x = [&](Joint j) { return joints[static_cast<std::size_t>(j)].x_px; };
    EXPECT_GT(x(Joint::left_shoulder), x(Joint::right_shoulder));
  }
}

TEST(Person, PartsShowTheSideThatIsSeen) {
  const PersonWorld world;
  // Somebody with a logo and a backpack.
  PersonCrop crop = world.stills(1)[0];
  crop.view = {};
  bool found = false;
  for (std::int64_t s = 1; s <= 3000 && !found; ++s) {
    const Outfit f = world.outfit(s, 0);
    found = f.top.texture == Texture::logo && f.bag == Bag::backpack;
    crop.subject = s;
  }
  ASSERT_TRUE(found);
  const auto share = [&](double yaw, PersonPart part) {
    crop.pose.yaw_deg = yaw;
    const image::Image map = world.render_parts(crop, {64, 128});
    int count = 0;
    for (int y = 0; y < map.height_px(); ++y) {
      for (int x = 0; x < map.width_px(); ++x) {
        count += *map.pixel(x, y) == static_cast<std::uint8_t>(part);
      }
    }
    return count;
  };
  EXPECT_GT(share(0, PersonPart::logo), 20);
  EXPECT_EQ(share(180, PersonPart::logo), 0);
  EXPECT_GT(share(180, PersonPart::bag), 3 * share(0, PersonPart::bag));
  crop.pose.yaw_deg = 180;
  EXPECT_EQ(world.visibility(crop).part[static_cast<std::size_t>(PersonPart::logo)], -1.0);
}

TEST(Person, VisibilityFollowsCutsAndOccluders) {
  const PersonWorld world;
  PersonCrop crop = world.stills(4)[0];
  crop.view = {};
  EXPECT_NEAR(world.visibility(crop).body, 1.0, 0.02);
  crop.view.cut = 0.4;  // below the hips
  const PersonVisibility cut = world.visibility(crop);
  EXPECT_EQ(cut.part[static_cast<std::size_t>(PersonPart::shoes)], 0.0);
  EXPECT_GT(cut.part[static_cast<std::size_t>(PersonPart::top)], 0.9);
  EXPECT_LT(cut.body, 0.75);
  crop.view = {};
  crop.view.occluder = Occluder::furniture;
  crop.view.occluder_size = 0.6;
  const PersonVisibility hidden = world.visibility(crop);
  EXPECT_EQ(hidden.part[static_cast<std::size_t>(PersonPart::shoes)], 0.0);
  EXPECT_LT(hidden.quality, world.visibility(world.stills(4)[0]).quality + 1.0);
  EXPECT_LT(hidden.body, 0.8);
  crop.extra_blur_px = 2;
  EXPECT_LT(world.visibility(crop).quality, hidden.quality / 2);
}

TEST(Person, KnobsTouchOnlyWhatTheyName) {
  const PersonWorld plain({.seed = 4});
  const PersonWorld biased({.seed = 4, .camera_bias = 2});
  EXPECT_EQ(identity_vector(plain.identity(9)), identity_vector(biased.identity(9)));
  EXPECT_EQ(to_value(plain.outfit(9, 0)), to_value(biased.outfit(9, 0)));
  EXPECT_NE(to_value(plain.camera(0)), to_value(biased.camera(0)));
  EXPECT_EQ(plain.camera(0).blur_px, biased.camera(0).blur_px);
  const PersonWorld elsewhere({.seed = 4, .domain = 3, .domain_shift = 1});
  EXPECT_EQ(identity_vector(plain.identity(9)), identity_vector(elsewhere.identity(9)));
  EXPECT_NE(to_value(plain.camera(0)), to_value(elsewhere.camera(0)));
  // A biased site shares its bias: the mean over cameras moves away from the identity matrix.
  double shift = 0, still = 0;
  for (int c = 0; c < 40; ++c) {
    shift += elsewhere.camera(c).colour[1] / 40;
    still += plain.camera(c).colour[1] / 40;
  }
  EXPECT_NEAR(still, 0.0, 0.06);
  EXPECT_GT(std::abs(shift - still), 0.02);
  // No noise, no blur, no light: two pictures of one pose by one camera are the same.
  PersonWorldOptions o;
  o.camera_noise = 0;
  const PersonWorld quiet(o);
  PersonCrop a = quiet.stills(1)[0], b = a;
  b.noise_seed ^= 1;
  EXPECT_TRUE(image::same_pixels(quiet.render(a, kSize), quiet.render(b, kSize)));
  EXPECT_FALSE(image::same_pixels(plain.render(a, kSize), plain.render(b, kSize)));
}

TEST(Person, TruthNamesEveryParameter) {
  const PersonWorld world;
  const PersonCrop crop = world.tracklets(0)[0].frames[0];
  const Value truth = world.truth(crop, kSize);
  for (const char* key : {"subject", "camera", "outfit", "frame", "video", "tracklet", "pose",
                          "view", "light", "box", "joints", "visibility", "identity", "clothes"}) {
    EXPECT_NE(truth.find(key), nullptr) << key;
  }
  EXPECT_EQ(truth.at("subject").as_integer(), crop.subject);
  EXPECT_EQ(truth.at("joints").as_object().size(), kJoints);
  EXPECT_EQ(parse_json(to_json(truth, -1)), truth);
  PersonCrop still = world.stills(12)[0];
  still.frame = 3;
  EXPECT_EQ(market_stem(still), "0012_c" + std::to_string(still.camera + 1) + "s" +
                                    std::to_string(still.take + 1) + "_000003_00");
}

TEST(Person, RefusesWhatItCannotDo) {
  expect_refused([] { PersonWorld({.cameras = 0}); }, "cameras");
  expect_refused([] { PersonWorld({.shots = 0}); }, "shots");
  expect_refused([] { PersonWorld({.outfits = 17}); }, "outfits");
  expect_refused([] { PersonWorld({.truncation = 1.5}); }, "truncation");
  expect_refused([] { PersonWorld({.lighting = std::nan("")}); }, "lighting");
  expect_refused([] { PersonWorld({.min_tracklet = 9, .max_tracklet = 8}); }, "max_tracklet");
  const PersonWorld world;
  const PersonCrop crop = world.stills(1)[0];
  expect_refused([&] { world.render(crop, {15, 64}); }, "15 x 64");
  expect_refused([&] { world.render(crop, {32, 2000}); }, "2000");
  expect_refused([&] { world.tracklets(8); }, "video");
  expect_refused([&] { world.outfit(1, 16); }, "outfit");
  expect_refused([&] { world.identity(0); }, "subject");
  image::Image grey(32, 64, 1);
  expect_refused([&] { world.render_into(crop, grey.mutable_view()); }, "3 channels");
}

}  // namespace
}  // namespace sosia::world

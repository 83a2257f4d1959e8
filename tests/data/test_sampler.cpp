#include "data/support.hpp"
#include "sosia/data/sampler.hpp"

#include <algorithm>
#include <map>
#include <numeric>

#include <gtest/gtest.h>

namespace sosia::data {
namespace {

TEST(Sampler, ShuffleSeesEveryItemOnceAndDependsOnTheEpoch) {
  const ColourSet set({10, 10, 5});
  const SamplerSpec spec{.batch = 5};
  std::vector<std::uint32_t> order = epoch_order(set, spec, 3, 0);
  EXPECT_EQ(order, epoch_order(set, spec, 3, 0));
  EXPECT_NE(order, epoch_order(set, spec, 3, 1));
  EXPECT_NE(order, epoch_order(set, spec, 4, 0));
  std::sort(order.begin(), order.end());
  for (std::uint32_t i = 0; i < 25; ++i) EXPECT_EQ(order[i], i);
  EXPECT_EQ(epoch_order(set, {.batch = 10}, 3, 0).size(), 20u);  // whole batches only
}

TEST(Sampler, PkBatchesHoldPSubjectsOfKPictures) {
  const ColourSet set({8, 9, 3, 1, 12, 4});
  const SamplerSpec spec{.kind = SamplerSpec::Kind::pk, .subjects = 3, .pictures = 4};
  std::map<std::uint32_t, int> seen;
  for (std::uint64_t epoch = 0; epoch < 20; ++epoch) {
    const std::vector<std::uint32_t> order = epoch_order(set, spec, 1, epoch);
    ASSERT_GE(order.size(), 12u);
    ASSERT_EQ(order.size() % 12, 0u);
    for (std::size_t b = 0; b < order.size(); b += 12) {
      std::map<std::int64_t, std::vector<std::uint32_t>> subjects;
      for (std::size_t i = b; i < b + 12; ++i) {
        subjects[set.item(order[i]).subject].push_back(order[i]);
        ++seen[order[i]];
      }
      ASSERT_EQ(subjects.size(), 3u);
      for (auto& [subject, items] : subjects) {
        ASSERT_EQ(items.size(), 4u);
        std::sort(items.begin(), items.end());
        const bool repeats = std::adjacent_find(items.begin(), items.end()) != items.end();
        EXPECT_EQ(repeats, subject == 2 || subject == 3) << subject;  // only where there are fewer
      }
    }
  }
  EXPECT_EQ(seen.size(), set.size());
}

TEST(Sampler, OtherCamerasWhereThereAreAny) {
  const ColourSet set({6, 6, 6}, 3);
  const SamplerSpec spec{
      .kind = SamplerSpec::Kind::pk, .subjects = 2, .pictures = 3, .other_cameras = true};
  const std::vector<std::uint32_t> order = epoch_order(set, spec, 1, 0);
  for (std::size_t i = 0; i < order.size(); i += 3) {
    EXPECT_NE(set.item(order[i]).camera, set.item(order[i + 1]).camera);
    EXPECT_NE(set.item(order[i]).camera, set.item(order[i + 2]).camera);
  }
  const ColourSet one_camera({4, 4}, 1);
  EXPECT_FALSE(epoch_order(one_camera, spec, 1, 0).empty());
}

/// How many of `order[first, first + count)` each value of `of` has.
template <class Of>
std::map<int, int> counts(const std::vector<std::uint32_t>& order, std::size_t first,
                          std::size_t count, Of of) {
  std::map<int, int> out;
  for (std::size_t i = first; i < first + count; ++i) ++out[of(order[i])];
  return out;
}

TEST(Sampler, BatchesHoldFixedPartsOfEveryDomain) {
  const ColourSet set({30, 30, 7}, 2, 2);  // 60 pictures of domain 0, 7 of domain 1
  const auto domain = [&](std::uint32_t i) { return set.item(i).domain; };
  SamplerSpec spec{.batch = 8, .balance = SamplerSpec::Balance::domain};
  const std::vector<std::uint32_t> even = epoch_order(set, spec, 1, 0);
  ASSERT_EQ(even.size(), 64u);  // as many batches as without the balance
  for (std::size_t b = 0; b < even.size(); b += 8) {
    EXPECT_EQ(counts(even, b, 8, domain), (std::map<int, int>{{0, 4}, {1, 4}}));
  }
  spec.parts = {7, 1};
  const std::vector<std::uint32_t> uneven = epoch_order(set, spec, 1, 0);
  for (std::size_t b = 0; b < uneven.size(); b += 8) {
    EXPECT_EQ(counts(uneven, b, 8, domain), (std::map<int, int>{{0, 7}, {1, 1}}));
  }
  // Seven draws of one picture each are the seven pictures of domain 1.
  std::map<std::uint32_t, int> small;
  for (std::size_t b = 0; b < 7; ++b) ++small[uneven[8 * b + 7]];
  EXPECT_EQ(small.size(), 7u);
  EXPECT_NE(uneven, epoch_order(set, spec, 1, 1));
  EXPECT_EQ(uneven, epoch_order(set, spec, 1, 0));
  spec.parts = {8, 0};
  EXPECT_EQ(epoch_order(set, spec, 1, 0).size(), 56u);  // 60 pictures in batches of 8
}

TEST(Sampler, BatchesHoldAsManyPicturesOfEveryCamera) {
  const ColourSet set({9, 9, 10}, 3);
  const SamplerSpec spec{.batch = 9, .balance = SamplerSpec::Balance::camera};
  const std::vector<std::uint32_t> order = epoch_order(set, spec, 1, 0);
  ASSERT_EQ(order.size(), 27u);
  for (std::size_t b = 0; b < order.size(); b += 9) {
    EXPECT_EQ(counts(order, b, 9, [&](std::uint32_t i) { return set.item(i).camera; }),
              (std::map<int, int>{{0, 3}, {1, 3}, {2, 3}}));
  }
}

TEST(Sampler, PkTakesSubjectsOfEveryDomain) {
  const ColourSet set({8, 8, 8, 8, 8, 8, 4, 2}, 2, 6);
  const SamplerSpec spec{.kind = SamplerSpec::Kind::pk,
                         .subjects = 4,
                         .pictures = 2,
                         .balance = SamplerSpec::Balance::domain};
  const std::vector<std::uint32_t> order = epoch_order(set, spec, 1, 0);
  ASSERT_EQ(order.size(), 6u * 8u);  // 27 groups of 2, 4 groups a batch
  for (std::size_t b = 0; b < order.size(); b += 8) {
    EXPECT_EQ(counts(order, b, 8, [&](std::uint32_t i) { return set.item(i).domain; }),
              (std::map<int, int>{{0, 4}, {1, 4}}));
    const auto subjects =
        counts(order, b, 8, [&](std::uint32_t i) { return static_cast<int>(set.item(i).subject); });
    EXPECT_EQ(subjects.size(), 4u);
    for (const auto& [subject, count] : subjects) EXPECT_EQ(count, 2) << subject;
  }
}

TEST(Sampler, TooSmallSetsAreRefusedWithTheNumbers) {
  const ColourSet set({2, 2});
  const auto message = [&](const SamplerSpec& spec) {
    try {
      epoch_order(set, spec, 1, 0);
    } catch (const Error& error) {
      return error.message();
    }
    return std::string("accepted");
  };
  EXPECT_EQ(message({.kind = SamplerSpec::Kind::pk, .subjects = 3, .pictures = 2}),
            "a batch wants 3 subjects, but the set has 2");
  EXPECT_EQ(message({.batch = 5}), "a batch of 5 pictures from a set of 4");
}

TEST(Sampler, PartsThatCannotBeAreRefusedWithTheNumbers) {
  const ColourSet set({6, 6, 2}, 2, 2);
  const auto message = [](const Dataset& from, const SamplerSpec& spec) {
    try {
      epoch_order(from, spec, 1, 0);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
      return error.message();
    }
    return std::string("accepted");
  };
  SamplerSpec spec{.batch = 5, .balance = SamplerSpec::Balance::domain};
  EXPECT_EQ(message(set, spec), "5 pictures of a batch cannot be parted among 2 domains");
  spec.batch = 6;
  EXPECT_EQ(message(set, spec), "a batch wants 3 pictures of domain 1, which has 2");
  spec.parts = {2, 2, 2};
  EXPECT_EQ(message(set, spec), "sampler.parts has 3 numbers, but the set 2 domains");
  spec.parts = {4, 1};
  EXPECT_EQ(message(set, spec), "sampler.parts makes 5 pictures, but a batch has 6");
  spec.kind = SamplerSpec::Kind::ordered;
  EXPECT_EQ(message(set, spec), "an ordered sampler cannot balance its batches");
  const SamplerSpec pk{.kind = SamplerSpec::Kind::pk,
                       .subjects = 4,
                       .pictures = 2,
                       .balance = SamplerSpec::Balance::domain};
  EXPECT_EQ(message(set, pk), "a batch wants 2 subjects of domain 1, which has 1");
  SamplerSpec pk_camera = pk;
  pk_camera.balance = SamplerSpec::Balance::camera;
  EXPECT_EQ(message(set, pk_camera), "pk does not balance cameras");

  const auto faces = open_dataset({.subjects = 2, .pictures = 3});  // cameras unknown
  EXPECT_EQ(message(*faces, {.batch = 2, .balance = SamplerSpec::Balance::camera}),
            "the camera of \"face 0/0\" is not known");
}

}  // namespace
}  // namespace sosia::data

#include "evaluate/support.hpp"
#include "sosia/evaluate/ranking.hpp"

#include <algorithm>
#include <numeric>

namespace sosia::evaluate {
namespace {

using enum Relevance;

TEST(ScoreRanking, GoldenVectors) {
  const auto score = score_ranking(std::vector{correct, wrong, correct, wrong, wrong, correct});
  ASSERT_TRUE(score);
  EXPECT_NEAR(score->ap, 0.7222, 5e-5);
  EXPECT_NEAR(score->ap, (1.0 + 2.0 / 3.0 + 0.5) / 3.0, 1e-15);
  EXPECT_NEAR(score->ap_trapezoid, 0.6778, 5e-5);
  EXPECT_DOUBLE_EQ(score->inp, 0.5);
  EXPECT_EQ(score->first_hit, 1u);
  EXPECT_EQ(score->correct, 3u);
}

TEST(ScoreRanking, JunkIsTakenOut) {
  const auto score = score_ranking(std::vector{junk, wrong, correct});
  ASSERT_TRUE(score);
  EXPECT_DOUBLE_EQ(score->ap, 0.5);
  EXPECT_EQ(score->first_hit, 2u);
  EXPECT_DOUBLE_EQ(score->inp, 0.5);
  // (1/2 + 0/1) / 2
  EXPECT_DOUBLE_EQ(score->ap_trapezoid, 0.25);
}

TEST(ScoreRanking, NothingToFindIsNoScore) {
  EXPECT_FALSE(score_ranking(std::vector{wrong, junk}));
  EXPECT_FALSE(score_ranking({}));
}

TEST(RankingAccumulator, MeansOverValidQueries) {
  RankingAccumulator accumulator(3);
  accumulator.add(std::vector{junk, wrong, correct});          // AP .5
  accumulator.add(std::vector{correct, correct});              // AP 1
  accumulator.add(std::vector{wrong, junk});                   // skipped
  accumulator.add(std::vector{wrong, wrong, wrong, correct});  // AP .25, rank 4
  const RankingScore score = accumulator.result();
  EXPECT_EQ(score.queries, 3u);
  EXPECT_EQ(score.skipped, 1u);
  EXPECT_DOUBLE_EQ(score.map, (0.5 + 1.0 + 0.25) / 3.0);
  EXPECT_DOUBLE_EQ(score.minp, (0.5 + 1.0 + 0.25) / 3.0);
  ASSERT_EQ(score.cmc.size(), 3u);
  EXPECT_DOUBLE_EQ(score.cmc[0], 1.0 / 3.0);
  EXPECT_DOUBLE_EQ(score.cmc[1], 2.0 / 3.0);
  EXPECT_DOUBLE_EQ(score.cmc[2], 2.0 / 3.0);
}

TEST(RankingAccumulator, RefusesWithoutValidQueries) {
  RankingAccumulator accumulator;
  accumulator.add(std::vector{wrong});
  expect_refused([&] { accumulator.result(); }, "no queries with a correct item");
  expect_refused([] { RankingAccumulator{0}; }, "at least 1 rank");
}

TEST(RelevanceRules, TenRowTable) {
  const Sighting query{5, 1, 10};
  struct Row {
    Sighting item;
    Relevance none, market, changing, same;
  };
  const std::vector<Row> table{
      {{5, 1, 10}, correct, junk, junk, junk},        // the same picture's camera and clothes
      {{5, 1, 11}, correct, junk, junk, junk},        // same camera, other clothes
      {{5, 2, 10}, correct, correct, junk, correct},  // other camera, same clothes
      {{5, 2, 11}, correct, correct, correct, junk},  // other camera, other clothes
      {{5, 3, 12}, correct, correct, correct, junk},
      {{6, 1, 10}, wrong, wrong, wrong, wrong},  // another subject is never junk
      {{6, 2, 11}, wrong, wrong, wrong, wrong},
      {{0, 1, 10}, wrong, wrong, wrong, wrong},  // a distractor counts against the query
      {{-1, 1, 10}, junk, junk, junk, junk},     // a junk detection does not
      {{-1, 2, 11}, junk, junk, junk, junk},
  };
  for (std::size_t i = 0; i < table.size(); ++i) {
    const auto with = [&](JunkRule rule) {
      return relevance(query, table[i].item, {.junk = rule});
    };
    EXPECT_EQ(with(JunkRule::none), table[i].none) << i;
    EXPECT_EQ(with(JunkRule::market), table[i].market) << i;
    EXPECT_EQ(with(JunkRule::clothes_changing), table[i].changing) << i;
    EXPECT_EQ(with(JunkRule::same_clothes), table[i].same) << i;
  }
}

struct World {
  std::vector<Sighting> queries, gallery;
  std::vector<float> distances;
};

World random_world(std::uint64_t seed) {
  RandomStream stream(seed, "ranking");
  const auto sighting = [&] {
    return Sighting{static_cast<std::int64_t>(stream.below(6)) - 1,
                    static_cast<std::int64_t>(stream.below(3))};
  };
  World world;
  for (int i = 0; i < 12; ++i) world.queries.push_back(sighting());
  for (int i = 0; i < 40; ++i) world.gallery.push_back(sighting());
  for (int i = 0; i < 12 * 40; ++i) {
    world.distances.push_back(static_cast<float>(stream.below(10)));  // many ties
  }
  return world;
}

TEST(EvaluateRanking, TiesBreakByIndexWhateverTheOrderOfSorting) {
  // All distances equal: the list is the gallery in its own order.
  const std::vector<Sighting> queries{{1, 0}}, gallery{{2, 1}, {1, 1}, {3, 1}, {1, 2}};
  const std::vector<float> distances(4, 0.5f);
  const RankingScore score = evaluate_ranking(distances, queries, gallery);
  EXPECT_DOUBLE_EQ(score.map, (0.5 + 0.5) / 2.0);
  EXPECT_DOUBLE_EQ(score.cmc[0], 0.0);
  EXPECT_DOUBLE_EQ(score.cmc[1], 1.0);
}

TEST(EvaluateRanking, EqualsTheRuleWordByWord) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const World world = random_world(seed);
    RankingAccumulator accumulator(50);
    for (std::size_t q = 0; q < world.queries.size(); ++q) {
      std::vector<std::pair<float, std::size_t>> order;
      for (std::size_t g = 0; g < world.gallery.size(); ++g) {
        order.emplace_back(world.distances[q * 40 + g], g);
      }
      std::sort(order.begin(), order.end());
      std::vector<Relevance> kept;
      for (const auto& [distance, g] : order) {
        const Sighting& item = world.gallery[g];
        if (item.subject == -1) continue;
        if (item.subject == world.queries[q].subject && item.camera == world.queries[q].camera) {
          continue;
        }
        kept.push_back(item.subject == world.queries[q].subject ? correct : wrong);
      }
      accumulator.add(kept);
    }
    const RankingScore slow = accumulator.result();
    const RankingScore fast = evaluate_ranking(world.distances, world.queries, world.gallery);
    EXPECT_EQ(fast.map, slow.map);
    EXPECT_EQ(fast.minp, slow.minp);
    EXPECT_EQ(fast.cmc, slow.cmc);
    EXPECT_EQ(fast.queries, slow.queries);
    EXPECT_EQ(fast.skipped, slow.skipped);
  }
}

TEST(EvaluateSingleShot, OnePicturePerSubjectEqualsThePlainCmc) {
  // Distances without ties and one gallery picture per subject: nothing to draw.
  const std::vector<Sighting> queries{{1, 0}, {2, 0}}, gallery{{1, 1}, {2, 1}, {3, 1}};
  const std::vector<float> distances{0.2f, 0.1f, 0.3f, 0.5f, 0.6f, 0.1f};
  const RankingScore plain = evaluate_ranking(distances, queries, gallery, {.ranks = 3});
  const RankingScore single =
      evaluate_single_shot(distances, queries, gallery, {.ranks = 3}, 10, 1);
  EXPECT_EQ(single.cmc, plain.cmc);
  EXPECT_EQ(single.map, plain.map);
}

TEST(EvaluateSingleShot, DrawsOnePicturePerSubject) {
  // Subject 1 has a near and a far picture, each drawn half the time: rank 1 or 2.
  const std::vector<Sighting> queries{{1, 0}}, gallery{{1, 1}, {2, 1}, {1, 2}};
  const std::vector<float> distances{0.1f, 0.2f, 0.3f};
  const RankingScore score =
      evaluate_single_shot(distances, queries, gallery, {.ranks = 2}, 2000, 3);
  EXPECT_NEAR(score.cmc[0], 0.5, 0.05);  // observed .5085
  EXPECT_DOUBLE_EQ(score.cmc[1], 1.0);
  const RankingScore again =
      evaluate_single_shot(distances, queries, gallery, {.ranks = 2}, 2000, 3);
  EXPECT_EQ(score.cmc, again.cmc);
}

TEST(EvaluateRanking, Refusals) {
  const std::vector<Sighting> one{{1, 0}};
  const std::vector<float> nan{static_cast<float>(kNan)}, two{0.1f, 0.2f}, fine{0.5f};
  expect_refused([&] { evaluate_ranking(nan, one, one); }, "NaN");
  expect_refused([&] { evaluate_ranking(two, one, one); }, "2 distances are not 1 rows of 1");
  expect_refused([&] { evaluate_ranking({}, {}, one); }, "no queries");
  expect_refused([&] { evaluate_ranking({}, one, {}); }, "no gallery items");
  // The only correct item is from the same camera: no valid query.
  expect_refused([&] { evaluate_ranking(fine, one, one); }, "no queries with a correct item");
}

}  // namespace
}  // namespace sosia::evaluate

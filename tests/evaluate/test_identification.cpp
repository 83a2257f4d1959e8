#include "evaluate/support.hpp"
#include "sosia/evaluate/identification.hpp"

#include <algorithm>
#include <cmath>

namespace sosia::evaluate {
namespace {

TEST(Search, ASubjectCountsOnceWithItsBestScore) {
  // Subject 1 twice, subject 2 best, the probe's own subject 3 third.
  const std::vector<Candidate> list{{1, 0.7}, {2, 0.9}, {1, 0.8}, {3, 0.6}, {4, 0.5}};
  const Search search = make_search(list, 3, true);
  EXPECT_TRUE(search.mated);
  EXPECT_EQ(search.top_score, 0.9);
  EXPECT_EQ(search.mate_score, 0.6);
  EXPECT_EQ(search.mate_rank, 3u);
}

TEST(Search, EqualScoresRankInListOrder) {
  const std::vector<Candidate> list{{1, 0.5}, {2, 0.5}, {3, 0.5}};
  EXPECT_EQ(make_search(list, 1, true).mate_rank, 1u);
  EXPECT_EQ(make_search(list, 2, true).mate_rank, 2u);
  EXPECT_EQ(make_search(list, 3, true).mate_rank, 3u);
}

TEST(Search, MissingMateAndEmptyList) {
  const std::vector<Candidate> list{{1, 0.5}};
  const Search missing = make_search(list, 9, true);
  EXPECT_EQ(missing.mate_rank, 0u);
  EXPECT_EQ(missing.mate_score, -kInfinity);
  const Search empty = make_search({}, 9, false);
  EXPECT_EQ(empty.top_score, -kInfinity);
  expect_refused([&] { make_search(list, 1, false); }, "not mated");
  expect_refused([] { make_search(std::vector<Candidate>{{1, kNan}}, 1, true); }, "nan");
}

std::vector<Search> hand_made() {
  // Mated: found at .9 rank 1, at .5 rank 1, at .7 rank 2, not listed. Non-mated tops: .8, .4, .2
  // and an empty list.
  return {{true, 0.9, 0.9, 1},         {true, 0.5, 0.5, 1},
          {true, 0.75, 0.7, 2},        {true, 0.3, -kInfinity, 0},
          {false, 0.8, -kInfinity, 0}, {false, 0.4, -kInfinity, 0},
          {false, 0.2, -kInfinity, 0}, {false, -kInfinity, -kInfinity, 0}};
}

TEST(OpenSet, ByHand) {
  const OpenSet all(hand_made());
  EXPECT_EQ(all.mated_count(), 4u);
  EXPECT_EQ(all.non_mated_count(), 4u);
  EXPECT_DOUBLE_EQ(all.at_fpir(0.0).tar, 0.25);   // above .8
  EXPECT_DOUBLE_EQ(all.at_fpir(0.25).tar, 0.75);  // down to .5
  EXPECT_DOUBLE_EQ(all.at_fpir(0.25).threshold, 0.5);
  EXPECT_DOUBLE_EQ(all.at_fpir(1.0).tar, 0.75);  // two mates are never found
  EXPECT_DOUBLE_EQ(all.at_fpir(1.0).far, 0.75);  // the empty list never alarms
  EXPECT_DOUBLE_EQ(all.at_threshold(0.4).far, 0.5);
  EXPECT_DOUBLE_EQ(all.at_threshold(0.4).frr(), 0.25);
  EXPECT_DOUBLE_EQ(all.at_threshold(0.95).tar, 0.0);
  const OpenSet first(hand_made(), 1);
  EXPECT_DOUBLE_EQ(first.at_fpir(0.25).tar, 0.5);  // the mate at rank 2 does not count
}

TEST(OpenSet, NearestRule) {
  const OpenSet all(hand_made());
  EXPECT_DOUBLE_EQ(all.at_fpir(0.2, AtRule::nearest).far, 0.25);
  EXPECT_DOUBLE_EQ(all.at_fpir(0.1, AtRule::nearest).far, 0.0);
}

TEST(OpenSet, EqualsTheDefinitionOnRandomSearches) {
  RandomStream stream(5, "open set");
  std::vector<Search> searches;
  for (int i = 0; i < 200; ++i) {
    const bool mated = i % 3 != 0;
    std::vector<Candidate> list;
    for (std::uint64_t n = stream.below(6); n > 0; --n) {
      const auto subject = static_cast<std::int64_t>(stream.below(8));
      if (!mated && subject == i % 8) continue;
      list.push_back({subject, static_cast<double>(stream.below(20)) / 20.0});
    }
    searches.push_back(make_search(list, i % 8, mated));
  }
  for (std::size_t rank : {0u, 1u, 2u}) {
    const OpenSet curve(searches, rank);
    for (double t = -0.025; t < 1.1; t += 0.05) {
      double alarms = 0, found = 0, mated = 0;
      for (const Search& s : searches) {
        mated += s.mated ? 1 : 0;
        if (!s.mated && s.top_score >= t) alarms += 1;
        if (s.mated && s.mate_rank > 0 && (rank == 0 || s.mate_rank <= rank) && s.mate_score >= t) {
          found += 1;
        }
      }
      EXPECT_DOUBLE_EQ(curve.at_threshold(t).far, alarms / (200.0 - mated));
      EXPECT_DOUBLE_EQ(curve.at_threshold(t).tar, found / mated);
    }
  }
}

TEST(OpenSet, RefusesMissingClasses) {
  const std::vector<Search> mated{{true, 0.9, 0.9, 1}}, other{{false, 0.9, -kInfinity, 0}};
  expect_refused([&] { OpenSet{mated}; }, "no non-mated searches");
  expect_refused([&] { OpenSet{other}; }, "no mated searches");
  expect_refused([&] { OpenSet(hand_made()).at_fpir(2.0); }, "target FPIR");
}

TEST(RankRate, ByHand) {
  const auto searches = hand_made();
  EXPECT_DOUBLE_EQ(rank_rate(searches, 1), 0.5);
  EXPECT_DOUBLE_EQ(rank_rate(searches, 2), 0.75);
  EXPECT_DOUBLE_EQ(rank_rate(searches, 100), 0.75);
  expect_refused([&] { rank_rate(searches, 0); }, "count from 1");
  expect_refused([&] { rank_rate(std::span(searches).last(4), 1); }, "no mated searches");
}

TEST(PooledClosedSet, ByHand) {
  // Four probes at 25 %: one false alarm per four probes, threshold = the highest other score.
  const std::vector<double> mates{0.9, 0.8, 0.6, 0.3}, others{0.5, 0.8, 0.1, 0.2, 0.4};
  EXPECT_DOUBLE_EQ(pooled_closed_set_tpir(mates, others, 0.25), 0.25);  // strictly above .8
  EXPECT_DOUBLE_EQ(pooled_closed_set_tpir(mates, others, 0.5), 0.75);   // above .5
  expect_refused([&] { pooled_closed_set_tpir(mates, std::vector<double>{0.1}, 0.5); },
                 "needs 2 non-mate scores");
}

}  // namespace
}  // namespace sosia::evaluate

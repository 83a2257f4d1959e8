// Clusters by average link along near neighbours.

#include "sosia/evaluate/clustering.hpp"
#include "sosia/gallery/groups.hpp"
#include "worlds.hpp"

#include <limits>
#include <numeric>

#include <gtest/gtest.h>

namespace sosia::gallery {
namespace {

using Labels = std::vector<std::int32_t>;

// Unit vectors in a plane, by angle in degrees.
std::vector<float> plane(std::initializer_list<double> degrees) {
  std::vector<float> out;
  for (double a : degrees) {
    out.push_back(static_cast<float>(std::cos(a * 3.14159265358979323846 / 180)));
    out.push_back(static_cast<float>(std::sin(a * 3.14159265358979323846 / 180)));
  }
  return out;
}

Labels clusters(std::span<const float> vectors, std::size_t d, const ClusterOptions& options = {},
                int threads = 2) {
  RunContext run({.threads = threads});
  return cluster(vectors, d, options, run);
}

TEST(Cluster, TwoGroupsAndNoise) {
  EXPECT_EQ(clusters(plane({0, 90, 3, 200, 93, 1}), 2, {.threshold = 0.9}),
            (Labels{0, 1, 0, -1, 1, 0}));
}

// A row of points, each near the next: components would make one cluster of them.
TEST(Cluster, AChainIsNotOneCluster) {
  std::vector<float> chain = plane({0, 10, 20, 30, 40, 50, 60, 70, 80, 90});
  const Labels labels = clusters(chain, 2, {.threshold = 0.95});  // an edge up to 18 degrees
  EXPECT_NE(labels.front(), labels.back());
  // Every cluster is tight: the mean cosine of its pairs is at least the threshold.
  for (std::int32_t c = 0; c <= *std::max_element(labels.begin(), labels.end()); ++c) {
    double sum = 0;
    int pairs = 0;
    for (std::size_t i = 0; i < 10; ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        if (labels[i] != c || labels[j] != c) continue;
        sum += chain[2 * i] * chain[2 * j] + chain[2 * i + 1] * chain[2 * j + 1];
        ++pairs;
      }
    }
    EXPECT_GE(sum, pairs * (0.95 - 1e-6));
  }
}

// Two tight groups 60 degrees apart and one point half way: it may go with one, but not join them.
TEST(Cluster, ABridgePointDoesNotJoinTwoGroups) {
  const Labels labels = clusters(plane({0, 1, 2, 3, 63, 62, 61, 60, 31.5}), 2, {.threshold = 0.8});
  EXPECT_EQ(labels[0], labels[3]);
  EXPECT_EQ(labels[4], labels[7]);
  EXPECT_NE(labels[0], labels[4]);
}

TEST(Cluster, EdgeCases) {
  EXPECT_TRUE(clusters({}, 2).empty());
  EXPECT_EQ(clusters(plane({5}), 2), (Labels{-1}));
  EXPECT_EQ(clusters(plane({5}), 2, {.min_size = 1}), (Labels{0}));
  EXPECT_EQ(clusters(plane({5, 5}), 2), (Labels{0, 0}));
  EXPECT_EQ(clusters(plane({0, 180}), 2), (Labels{-1, -1}));
  EXPECT_EQ(clusters(plane({0, 1, 2}), 2, {.min_size = 4}), (Labels{-1, -1, -1}));
  // Everything alike, more rows than neighbours.
  std::vector<float> same;
  for (int i = 0; i < 100; ++i) same.insert(same.end(), {1, 0});
  EXPECT_EQ(clusters(same, 2, {.neighbours = 3, .min_size = 2}).size(), 100u);
  RunContext run;
  EXPECT_THROW(cluster(plane({0}), 3, {}, run), Error);
  EXPECT_THROW(cluster(plane({0}), 0, {}, run), Error);
  EXPECT_THROW(cluster(plane({0}), 2, {.neighbours = 0}, run), Error);
  EXPECT_THROW(cluster(plane({0}), 2, {.neighbours = 1001}, run), Error);
  EXPECT_THROW(cluster(plane({0}), 2, {.threshold = std::numeric_limits<double>::quiet_NaN()}, run),
               Error);
}

// Average link with all pairs as neighbours, by the textbook: join the two clusters of the highest
// mean cosine until it falls below the threshold.
Labels naive(const std::vector<float>& v, std::size_t d, double threshold) {
  const std::size_t n = v.size() / d;
  std::vector<std::vector<std::size_t>> sets(n);
  for (std::size_t i = 0; i < n; ++i) sets[i] = {i};
  for (;;) {
    double best = threshold;
    std::size_t a = 0, b = 0;
    for (std::size_t x = 0; x < sets.size(); ++x) {
      for (std::size_t y = x + 1; y < sets.size(); ++y) {
        double sum = 0;
        for (std::size_t i : sets[x]) {
          for (std::size_t j : sets[y]) {
            for (std::size_t k = 0; k < d; ++k) sum += double{v[i * d + k]} * v[j * d + k];
          }
        }
        const double mean = sum / static_cast<double>(sets[x].size() * sets[y].size());
        if (mean >= best) best = mean, a = x, b = y;
      }
    }
    if (a == b) break;
    sets[a].insert(sets[a].end(), sets[b].begin(), sets[b].end());
    sets.erase(sets.begin() + static_cast<std::ptrdiff_t>(b));
  }
  Labels out(n, -1);
  std::vector<std::int32_t> number(sets.size(), -1);
  std::int32_t next = 0;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t s = 0; s < sets.size(); ++s) {
      if (sets[s].size() < 2 || std::find(sets[s].begin(), sets[s].end(), i) == sets[s].end()) {
        continue;
      }
      if (number[s] < 0) number[s] = next++;
      out[i] = number[s];
    }
  }
  return out;
}

TEST(Cluster, EqualsTheNaiveRuleWithAllNeighbours) {
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    const Population people({.dimension = 6, .noise = 0.7, .seed = seed});
    std::vector<float> rows;
    for (std::size_t i = 0; i < 40; ++i) {
      const auto v = people.sample(i % 9, i);
      rows.insert(rows.end(), v.begin(), v.end());
    }
    for (double threshold : {0.3, 0.6, 0.8}) {
      const ClusterOptions options{.threshold = threshold, .neighbours = 39};
      EXPECT_EQ(clusters(rows, 6, options), naive(rows, 6, threshold)) << seed << ' ' << threshold;
      EXPECT_EQ(clusters(rows, 6, options, 1), clusters(rows, 6, options, 3));
    }
  }
}

TEST(Cluster, FindsTheSubjectsOfANoisyWorld) {
  const Population people({.noise = 0.9});
  std::vector<float> rows;
  std::vector<std::int64_t> truth;
  for (std::size_t s = 0; s < 150; ++s) {
    for (std::size_t i = 0; i < 1 + s % 12; ++i) {  // a twelfth of them alone
      const auto v = people.sample(s, i);
      rows.insert(rows.end(), v.begin(), v.end());
      truth.push_back(static_cast<std::int64_t>(s));
    }
  }
  const auto judge = [&](const Labels& labels) {
    std::vector<std::int64_t> found(labels.begin(), labels.end());
    for (std::size_t i = 0; i < found.size(); ++i) {
      if (found[i] < 0) found[i] = -1 - static_cast<std::int64_t>(i);
    }
    return evaluate::bcubed_scores(found, truth).f1;
  };
  const Labels labels = clusters(rows, 64, {.threshold = 0.4});
  EXPECT_GT(judge(labels), 0.97);
  // The control that must fail.
  Labels shuffled = labels;
  RandomStream(0, "shuffle").shuffle(std::span(shuffled));
  EXPECT_LT(judge(shuffled), 0.5);
}

}  // namespace
}  // namespace sosia::gallery

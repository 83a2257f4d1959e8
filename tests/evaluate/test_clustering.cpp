#include "evaluate/support.hpp"
#include "sosia/evaluate/clustering.hpp"

#include <cmath>

namespace sosia::evaluate {
namespace {

using Labels = std::vector<std::int64_t>;

TEST(Clustering, EqualPartitionsWhateverTheNames) {
  const Labels clusters{5, 5, -2, 9, 9}, subjects{1, 1, 2, 3, 3};
  EXPECT_EQ(pairwise_scores(clusters, subjects).f1, 1.0);
  EXPECT_EQ(bcubed_scores(clusters, subjects).f1, 1.0);
  EXPECT_NEAR(normalized_mutual_information(clusters, subjects), 1.0, 1e-12);
  EXPECT_EQ(adjusted_rand_index(clusters, subjects), 1.0);
}

TEST(Clustering, ByHand) {
  // Clusters {a a b} {b}: pairs claimed 3, of one subject 1; pairs wanted 2.
  const Labels clusters{0, 0, 0, 1}, subjects{0, 0, 1, 1};
  const PrecisionRecall pairs = pairwise_scores(clusters, subjects);
  EXPECT_DOUBLE_EQ(pairs.precision, 1.0 / 3.0);
  EXPECT_DOUBLE_EQ(pairs.recall, 0.5);
  EXPECT_DOUBLE_EQ(pairs.f1, 0.4);
  // BCubed precision (2/3 + 2/3 + 1/3 + 1) / 4, recall (1 + 1 + 1/2 + 1/2) / 4.
  const PrecisionRecall bcubed = bcubed_scores(clusters, subjects);
  EXPECT_NEAR(bcubed.precision, 2.0 / 3.0, 1e-15);
  EXPECT_NEAR(bcubed.recall, 0.75, 1e-15);
  // Rand: together 1, expected 3 * 2 / 6 = 1.
  EXPECT_NEAR(adjusted_rand_index(clusters, subjects), 0.0, 1e-15);
}

TEST(Clustering, OneClusterAgainstTwoSubjects) {
  const Labels one{0, 0, 0, 0}, two{0, 0, 1, 1};
  EXPECT_EQ(normalized_mutual_information(one, two), 0.0);
  EXPECT_EQ(normalized_mutual_information(one, one), 1.0);
  EXPECT_EQ(adjusted_rand_index(one, two), 0.0);
  EXPECT_DOUBLE_EQ(pairwise_scores(one, two).recall, 1.0);
}

TEST(Clustering, AllApart) {
  const Labels apart{0, 1, 2}, subjects{0, 0, 0};
  EXPECT_EQ(pairwise_scores(apart, apart).f1, 1.0);
  EXPECT_EQ(pairwise_scores(apart, subjects).precision, 0.0);
  EXPECT_EQ(pairwise_scores(apart, subjects).f1, 0.0);
  EXPECT_EQ(bcubed_scores(apart, subjects).precision, 1.0);
  EXPECT_NEAR(bcubed_scores(apart, subjects).recall, 1.0 / 3.0, 1e-15);
  EXPECT_EQ(adjusted_rand_index(Labels{4}, Labels{7}), 1.0);
}

TEST(Clustering, Refusals) {
  const Labels none, one{1}, two{1, 2};
  expect_refused([&] { pairwise_scores(none, none); }, "no items");
  expect_refused([&] { bcubed_scores(one, two); }, "1 cluster labels but 2 subject labels");
}

}  // namespace
}  // namespace sosia::evaluate

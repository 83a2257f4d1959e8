// All pairs above a threshold.

#include "gallery/pair_file.hpp"
#include "sosia/gallery/groups.hpp"
#include "worlds.hpp"

#include <limits>
#include <set>

#include <gtest/gtest.h>

namespace sosia::gallery {
namespace {

std::vector<AlikePair> pairs(std::span<const float> vectors, std::size_t d,
                             std::span<const std::uint32_t> group, float threshold,
                             RowRange range = {}, int threads = 2) {
  RunContext run({.threads = threads});
  std::vector<AlikePair> out;
  for_each_alike_pair(
      vectors, d, group, threshold, run,
      [&](const AlikePair& p) {
        out.push_back(p);
        return true;
      },
      range);
  return out;
}

void expect_equal(const std::vector<AlikePair>& a, const std::vector<AlikePair>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].a, b[i].a);
    EXPECT_EQ(a[i].b, b[i].b);
    EXPECT_NEAR(a[i].score, b[i].score, 1e-5);
  }
}

TEST(AlikePairs, ByHand) {
  const std::vector<float> rows = {1, 0, 0, 1, 1, 0, 0.8f, 0.6f};
  const auto all = pairs(rows, 2, {}, 0.6f);
  ASSERT_EQ(all.size(), 4u);
  EXPECT_EQ(all[0].a, 0u);
  EXPECT_EQ(all[0].b, 2u);
  EXPECT_FLOAT_EQ(all[0].score, 1);
  EXPECT_EQ(all[1].b, 3u);
  EXPECT_EQ(all[2].a, 1u);  // equal to the threshold counts
  EXPECT_EQ(all[3].a, 2u);
  // 0 and 2 are one subject.
  const std::uint32_t group[] = {7, 8, 7, 9};
  EXPECT_EQ(pairs(rows, 2, group, 0.6f).size(), 3u);
  const std::uint32_t one[] = {1, 1, 1, 1};
  EXPECT_TRUE(pairs(rows, 2, one, -1).empty());
  EXPECT_TRUE(pairs({}, 2, {}, 0.5f).empty());
  EXPECT_TRUE(pairs(std::span(rows).first(2), 2, {}, 0.5f).empty());
}

// Sizes around the blocks; a dimension that is no multiple of a register.
TEST(AlikePairs, EqualsTheNaiveLoop) {
  for (std::size_t n : {2u, 63u, 64u, 65u, 240u, 241u, 500u, 777u}) {
    RandomStream stream(n, "rows");
    const std::size_t d = 5 + n % 7;
    std::vector<float> rows;
    std::vector<std::uint32_t> group;
    for (std::size_t i = 0; i < n; ++i) {
      auto v = gaussian(stream, d);
      normalise(v);
      rows.insert(rows.end(), v.begin(), v.end());
      group.push_back(static_cast<std::uint32_t>(stream.below(20)));
    }
    std::vector<AlikePair> naive;
    for (std::uint32_t a = 0; a < n; ++a) {
      for (std::uint32_t b = a + 1; b < n; ++b) {
        float dot = 0;
        for (std::size_t i = 0; i < d; ++i) dot += rows[a * d + i] * rows[b * d + i];
        if (dot >= 0.5f && group[a] != group[b]) naive.push_back({a, b, dot});
      }
    }
    for (int threads : {1, 3}) expect_equal(pairs(rows, d, group, 0.5f, {}, threads), naive);
    // In parts.
    auto parts = pairs(rows, d, group, 0.5f, {0, n / 3});
    for (const auto& p : pairs(rows, d, group, 0.5f, {n / 3, n / 2})) parts.push_back(p);
    for (const auto& p : pairs(rows, d, group, 0.5f, {n / 2})) parts.push_back(p);
    expect_equal(parts, naive);
  }
}

// More pairs than are held at once (256 rows have ten million): fewer rows are taken at a time,
// nothing is lost, order is kept.
TEST(AlikePairs, EverythingAlike) {
  constexpr std::uint32_t kRows = 40'000, kLast = 280;
  std::vector<float> rows(kRows * 2);
  for (std::size_t i = 0; i < kRows; ++i) rows[2 * i] = 1;
  RunContext run;
  std::uint32_t a = 0, b = 0;
  std::uint64_t count = 0, wrong = 0;
  for_each_alike_pair(rows, 2, {}, 0.5f, run, [&](const AlikePair& p) {
    b = b + 1 < kRows ? b + 1 : (++a, a + 1);
    wrong += p.a != a || p.b != b;
    ++count;
    return p.a < kLast;
  });
  EXPECT_EQ(count, std::uint64_t{kLast} * kRows - kLast * (kLast + 1) / 2 + 1);
  EXPECT_EQ(wrong, 0u);
}

TEST(AlikePairs, StopsAndCancels) {
  const std::vector<float> rows = {1, 0, 1, 0, 1, 0};
  RunContext run;
  int calls = 0;
  for_each_alike_pair(rows, 2, {}, 0.5f, run, [&](const AlikePair&) { return ++calls < 2; });
  EXPECT_EQ(calls, 2);
  auto token = std::make_shared<CancelToken>();
  token->cancel();
  RunContext cancelled({.cancel = token});
  EXPECT_THROW(
      for_each_alike_pair(rows, 2, {}, 0.5f, cancelled, [](const AlikePair&) { return true; }),
      Error);
}

TEST(AlikePairs, Refusals) {
  RunContext run;
  const std::vector<float> rows = {1, 0, 1};
  const std::uint32_t group[] = {1, 2, 3};
  const auto each = [](const AlikePair&) { return true; };
  EXPECT_THROW(for_each_alike_pair(rows, 2, {}, 0.5f, run, each), Error);
  EXPECT_THROW(for_each_alike_pair(rows, 0, {}, 0.5f, run, each), Error);
  EXPECT_THROW(for_each_alike_pair(rows, 3, group, 0.5f, run, each), Error);
  EXPECT_THROW(for_each_alike_pair(rows, 3, {}, std::numeric_limits<float>::quiet_NaN(), run, each),
               Error);
}

// --- pairs on disk ---

std::vector<std::uint32_t> kept(PairFile& file) {
  std::vector<std::uint32_t> out;
  file.for_each([&](const AlikePair& p) { out.push_back(p.b); });
  return out;
}

TEST(PairFile, GoesOnFromTheLastNoteAndForgetsWhatCameAfterIt) {
  const TemporaryFolder folder;
  const auto out = folder.path() / "pairs.csv";
  {
    PairFile file(out, "this work");
    EXPECT_EQ(file.next_row(), 0u);
    file.add({0, 1, 0.5f});
    file.add({3, 4, 0.5f});
    file.done_to(4);
    file.add({5, 6, 0.5f});  // killed before the next note
  }
  {
    PairFile file(out, "this work");
    EXPECT_EQ(file.next_row(), 4u);
    EXPECT_EQ(kept(file), (std::vector<std::uint32_t>{1, 4}));
    file.add({5, 7, 0.25f});
    file.done_to(8);
    EXPECT_EQ(kept(file), (std::vector<std::uint32_t>{1, 4, 7}));
  }
  EXPECT_EQ(PairFile(out, "other work").next_row(), 0u);
  PairFile file(out, "this work");  // the other work has begun anew
  EXPECT_EQ(file.next_row(), 0u);
  EXPECT_EQ(file.pairs(), 0u);
  file.finish();
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(PairFile, DamagedNotesStartAnew) {
  const TemporaryFolder folder;
  const auto out = folder.path() / "pairs.csv";
  for (const char* note : {"", "{", "{\"schema\": 1}",
                           "{\"schema\": \"sosia.gallery.dedupe.partial/1\", \"key\": \"k\", "
                           "\"next_row\": 7, \"pairs\": 99}"}) {
    write_file(out.string() + ".partial.json", std::string_view(note), Overwrite::replace);
    write_file(out.string() + ".partial", std::string_view("too short"), Overwrite::replace);
    EXPECT_EQ(PairFile(out, "k").next_row(), 0u) << note;
  }
}

}  // namespace
}  // namespace sosia::gallery

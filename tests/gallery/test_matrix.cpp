// Rows as bytes, and the exact scan against comparing and sorting everything.

#include "gallery/matrix.hpp"
#include "matrix_data.hpp"
#include "sosia/core/error.hpp"
#include "targets.hpp"

#include <bit>
#include <cstring>
#include <limits>
#include <string>

#include <gtest/gtest.h>

namespace sosia::gallery {
namespace {

using test::for_each_target;
using test::Matrix;

constexpr StoredType kTypes[] = {StoredType::f16, StoredType::f32};

RunContext& run_with(int threads) {
  static RunContext one({.threads = 1}), two({.threads = 2}), eight({.threads = 8});
  return threads == 1 ? one : threads == 2 ? two : eight;
}

TEST(Matrix, StrideIsWholeCacheLines) {
  EXPECT_EQ(row_stride_bytes(1, StoredType::f16), 64u);
  EXPECT_EQ(row_stride_bytes(32, StoredType::f16), 64u);
  EXPECT_EQ(row_stride_bytes(33, StoredType::f16), 128u);
  EXPECT_EQ(row_stride_bytes(512, StoredType::f16), 1024u);
  EXPECT_EQ(row_stride_bytes(513, StoredType::f32), 2112u);
}

TEST(Matrix, StoredRowReadsBackAndItsPaddingIsZero) {
  for (const StoredType type : kTypes) {
    const std::vector<float> values = {0.5f, -0.25f, 0.0f, 6.1035156e-5f, 5.9604645e-8f, 1.0f};
    std::vector<std::byte> bytes(row_stride_bytes(values.size(), type), std::byte{0xff});
    store_row(values, type, bytes.data());
    const Rows rows{.data = bytes.data(),
                    .count = 1,
                    .dimension = values.size(),
                    .type = type,
                    .stride_bytes = bytes.size()};
    std::vector<float> back(values.size());
    load_row(rows, 0, back);
    EXPECT_EQ(back, values);  // all are halves
    const std::size_t used = values.size() * (type == StoredType::f16 ? 2 : 4);
    for (std::size_t i = used; i < bytes.size(); ++i) EXPECT_EQ(bytes[i], std::byte{0});
  }
}

TEST(Matrix, RowsOfHalvesAreRoundedToNearest) {
  std::vector<std::byte> bytes(64);
  const std::vector<float> values = {0.1f, 1.0f / 3.0f};
  store_row(values, StoredType::f16, bytes.data());
  std::vector<float> back(2);
  load_row({.data = bytes.data(),
            .count = 1,
            .dimension = 2,
            .type = StoredType::f16,
            .stride_bytes = 64},
           0, back);
  EXPECT_EQ(back[0], 0.0999755859375f);  // 1638 * 2^-14
  EXPECT_EQ(back[1], 0.333251953125f);   // 1365 * 2^-12
}

TEST(Matrix, ScoresAreThoseOfDoubleSumsOnEveryTarget) {
  for_each_target([] {
    for (const StoredType type : kTypes) {
      for (const std::size_t dimension : {1u, 3u, 15u, 16u, 127u, 128u, 512u, 513u}) {
        const auto vectors = test::clustered(9, dimension, 3, 0.5, 1, "rows");
        const auto probe = test::clustered(1, dimension, 3, 0.5, 1, "probe");
        const Matrix matrix = test::store(vectors, dimension, type);
        for (std::size_t row = 0; row < 9; ++row) {
          // Observed: 5.4e-7 with one lane, 1e-7 with eight.
          EXPECT_NEAR(row_score(matrix.rows(), row, probe),
                      test::naive_score(matrix.rows(), row, probe), 2e-6)
              << dimension << " row " << row;
        }
      }
    }
  });
}

TEST(Scan, FindsWhatSortingFindsOnEveryTarget) {
  for_each_target([] {
    for (const StoredType type : kTypes) {
      for (const std::size_t dimension : {1u, 3u, 127u, 128u, 512u, 513u}) {
        const std::size_t count = 301;
        const Matrix matrix =
            test::store(test::clustered(count, dimension, 40, 0.6, 2, "rows"), dimension, type);
        const auto probes = test::clustered(7, dimension, 40, 0.6, 2, "probes");
        const auto found = scan(matrix.rows(), probes, 10, {}, run_with(1));
        ASSERT_EQ(found.size(), 7u);
        for (std::size_t p = 0; p < 7; ++p) {
          const std::span probe(probes.data() + p * dimension, dimension);
          EXPECT_EQ(found[p], test::sorted_search(matrix.rows(), probe, 10, nullptr))
              << "dimension " << dimension << " probe " << p;
        }
      }
    }
  });
}

TEST(Scan, DoesNotDependOnBatchOrThreads) {
  for (const StoredType type : kTypes) {
    const std::size_t dimension = 130, count = 5000;
    const Matrix matrix =
        test::store(test::clustered(count, dimension, 300, 0.8, 3, "rows"), dimension, type);
    const auto probes = test::clustered(150, dimension, 300, 0.8, 3, "probes");
    std::vector<std::vector<Hit>> singly;
    for (std::size_t p = 0; p < 150; ++p) {
      const std::span probe(probes.data() + p * dimension, dimension);
      singly.push_back(scan(matrix.rows(), probe, 12, {}, run_with(1)).front());
    }
    for (const int threads : {1, 2, 8}) {
      EXPECT_EQ(scan(matrix.rows(), probes, 12, {}, run_with(threads)), singly) << threads;
    }
    for (const std::size_t size : {2u, 3u, 5u, 63u, 64u, 65u}) {
      const auto found =
          scan(matrix.rows(), std::span(probes).first(size * dimension), 12, {}, run_with(2));
      EXPECT_TRUE(std::equal(found.begin(), found.end(), singly.begin())) << size;
    }
  }
}

TEST(Scan, MovedRowsKeepTheirScores) {
  const std::size_t dimension = 100;
  const auto vectors = test::clustered(40, dimension, 10, 0.7, 4, "rows");
  auto turned = vectors;
  std::rotate(turned.begin(), turned.begin() + 13 * 100, turned.end());
  const auto probe = test::clustered(1, dimension, 10, 0.7, 4, "probe");
  const Matrix a = test::store(vectors, dimension, StoredType::f16);
  const Matrix b = test::store(turned, dimension, StoredType::f16);
  const auto in_a = scan(a.rows(), probe, 40, {}, run_with(1)).front();
  const auto in_b = scan(b.rows(), probe, 40, {}, run_with(1)).front();
  for (const Hit& hit : in_a) {
    const auto row = static_cast<std::uint32_t>((hit.row + 40 - 13) % 40);
    EXPECT_NE(std::find(in_b.begin(), in_b.end(), Hit{row, hit.score}), in_b.end()) << hit.row;
  }
}

TEST(Scan, EqualScoresAreInTheOrderOfRows) {
  const std::size_t dimension = 20, count = 1000;
  const auto one = test::clustered(1, dimension, 1, 0.0, 5, "row");
  std::vector<float> all;
  for (std::size_t i = 0; i < count; ++i) all.insert(all.end(), one.begin(), one.end());
  const Matrix matrix = test::store(all, dimension, StoredType::f16);
  for (const int threads : {1, 2, 8}) {
    for (const std::size_t batch : {1u, 5u}) {
      std::vector<float> probes;
      for (std::size_t i = 0; i < batch; ++i) probes.insert(probes.end(), one.begin(), one.end());
      for (const auto& hits : scan(matrix.rows(), probes, 7, {}, run_with(threads))) {
        ASSERT_EQ(hits.size(), 7u);
        for (std::uint32_t i = 0; i < 7; ++i) EXPECT_EQ(hits[i].row, i);
      }
    }
  }
}

TEST(Scan, MasksOfEveryKind) {
  const std::size_t dimension = 64, count = 1000;
  const Matrix matrix = test::store(test::clustered(count, dimension, 100, 0.8, 6, "rows"),
                                    dimension, StoredType::f16);
  const auto probes = test::clustered(9, dimension, 100, 0.8, 6, "probes");
  std::vector<RowMask> masks(4);  // the first passes everything
  masks[1] = test::random_mask(count, 2, 1);
  masks[2] = test::random_mask(count, 150, 2);
  masks[3].words.assign((count + 63) / 64, 0);  // nothing
  const auto check = [&](std::span<const RowMask* const> chosen) {
    for (const int threads : {1, 2}) {
      const auto found = scan(matrix.rows(), probes, 5, chosen, run_with(threads));
      for (std::size_t p = 0; p < 9; ++p) {
        const std::span probe(probes.data() + p * dimension, dimension);
        const RowMask* mask = chosen.size() == 1 ? chosen[0] : chosen[p];
        EXPECT_EQ(found[p], test::sorted_search(matrix.rows(), probe, 5, mask)) << p;
      }
    }
  };
  for (const RowMask& mask : masks) check(std::vector<const RowMask*>{&mask});
  check(std::vector<const RowMask*>{nullptr});
  std::vector<const RowMask*> mixed, sparse, dense;
  std::vector<RowMask> few(9), most(9);
  for (std::size_t p = 0; p < 9; ++p) {
    mixed.push_back(p == 4 ? nullptr : &masks[p % 4]);
    few[p] = test::random_mask(count, 200, 10 + p);
    most[p] = test::random_mask(count, 2, 20 + p);
    sparse.push_back(&few[p]);
    dense.push_back(&most[p]);
  }
  check(mixed);
  check(sparse);  // one pass each
  check(dense);   // one pass over the union
}

TEST(Scan, KBeyondTheRowsGivesAllOfThem) {
  const Matrix matrix = test::store(test::clustered(5, 8, 5, 0.5, 7, "rows"), 8, StoredType::f32);
  const auto probe = test::clustered(1, 8, 5, 0.5, 7, "probe");
  EXPECT_EQ(scan(matrix.rows(), probe, 1000, {}, run_with(2)).front().size(), 5u);
}

TEST(Scan, NoRowsNoProbes) {
  const Matrix empty(0, 16, StoredType::f16);
  const auto probe = test::clustered(2, 16, 5, 0.5, 8, "probe");
  const auto found = scan(empty.rows(), probe, 3, {}, run_with(1));
  ASSERT_EQ(found.size(), 2u);
  EXPECT_TRUE(found[0].empty());
  EXPECT_TRUE(scan(empty.rows(), {}, 3, {}, run_with(1)).empty());
}

TEST(Scan, BrokenContractIsAnError) {
  const Matrix matrix(3, 16, StoredType::f16);
  const std::vector<float> probe(16, 0.25f), wrong(15, 0.25f);
  EXPECT_THROW(scan(matrix.rows(), wrong, 1, {}, run_with(1)), Error);
  EXPECT_THROW(scan(matrix.rows(), probe, 0, {}, run_with(1)), Error);
  const std::vector<const RowMask*> two(2, nullptr);
  EXPECT_THROW(scan(matrix.rows(), probe, 1, two, run_with(1)), Error);
}

TEST(Scan, StopsWhenCancelled) {
  const Matrix matrix =
      test::store(test::clustered(100, 16, 5, 0.5, 9, "rows"), 16, StoredType::f16);
  auto token = std::make_shared<CancelToken>();
  token->cancel();
  RunContext run({.threads = 1, .cancel = token});
  const std::vector<float> probe(16, 0.25f);
  try {
    scan(matrix.rows(), probe, 1, {}, run);
    FAIL() << "was not cancelled";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::cancelled);
  }
}

}  // namespace
}  // namespace sosia::gallery

// The prefilter must give what the scan gives, bit for bit, whatever the rows.

#include "gallery/kernels.hpp"
#include "gallery/matrix.hpp"
#include "matrix_data.hpp"
#include "targets.hpp"

#include <cmath>
#include <string>

#include <gtest/gtest.h>

namespace sosia::gallery {
namespace {

using test::for_each_target;
using test::Matrix;

RunContext& run_with(int threads) {
  static RunContext one({.threads = 1}), two({.threads = 2}), eight({.threads = 8});
  return threads == 1 ? one : threads == 2 ? two : eight;
}

/// Prefilter and scan agree for one probe and for all, with and without masks.
void expect_same(const Matrix& matrix, std::span<const float> probes, std::size_t k) {
  const Rows rows = matrix.rows();
  const Prefilter prefilter = Prefilter::build(rows, run_with(2));
  const RowMask mask = test::random_mask(rows.count, 3, 5);
  const std::vector<const RowMask*> masks = {&mask};
  for (const auto& chosen : {std::span<const RowMask* const>(), std::span(masks)}) {
    const auto wanted = scan(rows, probes, k, chosen, run_with(1));
    for (const int threads : {1, 2, 8}) {
      EXPECT_EQ(prefilter.scan(rows, probes, k, chosen, run_with(threads)), wanted) << threads;
    }
    const auto first = prefilter.scan(rows, probes.first(rows.dimension), k, chosen, run_with(1));
    EXPECT_EQ(first.front(), wanted.front());
  }
}

TEST(Prefilter, AgreesWithTheScanOnEveryTarget) {
  for_each_target([] {
    for (const StoredType type : {StoredType::f16, StoredType::f32}) {
      for (const std::size_t dimension : {1u, 3u, 127u, 128u, 512u, 513u}) {
        SCOPED_TRACE(std::to_string(dimension));
        const auto vectors = test::clustered(333, dimension, 60, 0.7, 1, "rows");
        expect_same(test::store(vectors, dimension, type),
                    test::clustered(5, dimension, 60, 0.7, 1, "probes"), 10);
      }
    }
  });
}

TEST(Prefilter, AgreesWhenAllRowsAreEqual) {
  const std::size_t dimension = 96, count = 6000;
  const auto one = test::clustered(1, dimension, 1, 0.0, 2, "row");
  Matrix matrix(count, dimension, StoredType::f16);
  for (std::size_t i = 0; i < count; ++i) matrix.set(i, one);
  expect_same(matrix, one, 10);
  expect_same(matrix, test::clustered(3, dimension, 5, 0.9, 3, "other"), 10);
}

TEST(Prefilter, AgreesWithManyDuplicatesOfAFewRows) {
  const std::size_t dimension = 64, count = 9000;
  const auto few = test::clustered(7, dimension, 7, 0.0, 4, "row");
  Matrix matrix(count, dimension, StoredType::f32);
  for (std::size_t i = 0; i < count; ++i) {
    matrix.set(i, std::span(few).subspan(i * i % 7 * dimension, dimension));
  }
  expect_same(matrix, std::span(few).first(3 * dimension), 25);
}

TEST(Prefilter, AgreesOnRowsThatCodesCannotTellApart) {
  // One large component, the rest far below a code's step: all codes are equal.
  const std::size_t dimension = 128, count = 4000;
  Matrix matrix(count, dimension, StoredType::f32);
  std::vector<float> row(dimension), probes;
  for (std::size_t i = 0; i < count + 4; ++i) {
    RandomStream stream(6, "tiny", i);
    row[0] = 1;
    for (std::size_t d = 1; d < dimension; ++d) row[d] = 1e-3f * float(stream.normal());
    test::normalise(row);
    if (i < count) {
      matrix.set(i, row);
    } else {
      row[0] = 0.01f;
      test::normalise(row);
      probes.insert(probes.end(), row.begin(), row.end());
    }
  }
  expect_same(matrix, probes, 10);
}

TEST(Prefilter, AgreesOnZeroAndTinyRowsAndRowsWithOneComponent) {
  const std::size_t dimension = 70;
  Matrix matrix(300, dimension, StoredType::f32);
  std::vector<float> row(dimension);
  for (std::size_t i = 0; i < 300; ++i) {
    std::fill(row.begin(), row.end(), 0.0f);
    if (i % 3 == 1) row[i % dimension] = i % 2 == 0 ? 1.0f : -1.0f;
    if (i % 3 == 2) std::fill(row.begin(), row.end(), i % 2 == 0 ? 1e-35f : -1e-25f);
    matrix.set(i, row);
  }
  expect_same(matrix, test::clustered(6, dimension, 6, 0.5, 7, "probes"), 40);
}

TEST(Prefilter, KBeyondTheRowsAndNoRows) {
  expect_same(test::store(test::clustered(9, 20, 3, 0.5, 8, "rows"), 20, StoredType::f16),
              test::clustered(2, 20, 3, 0.5, 8, "probes"), 50);
  expect_same(Matrix(0, 20, StoredType::f16), test::clustered(2, 20, 3, 0.5, 8, "probes"), 5);
}

TEST(Prefilter, TakesAByteForEachComponentAndALittle) {
  const Matrix matrix = test::store(test::clustered(50, 512, 5, 0.5, 9, "r"), 512, StoredType::f16);
  EXPECT_EQ(Prefilter::build(matrix.rows(), run_with(1)).bytes(), 50u * (512 + 8));
}

TEST(Codes, DistancesAreExactOnEveryTarget) {
  for_each_target([] {
    for (const std::size_t dimension : {1u, 63u, 64u, 65u, 512u}) {
      const CodeLayout layout{.offset = 12, .padded = (dimension + 63) / 64 * 64};
      struct Element {
        float unused[2] = {}, scale = 1;
        std::int8_t codes[512] = {};
      } a, b, high, low;
      std::int32_t wanted = 0;
      RandomStream stream(10, "codes", dimension);
      for (std::size_t d = 0; d < dimension; ++d) {
        a.codes[d] = static_cast<std::int8_t>(int(stream.below(255)) - 127);
        b.codes[d] = static_cast<std::int8_t>(int(stream.below(255)) - 127);
        wanted += a.codes[d] * b.codes[d];
        high.codes[d] = 127;
        low.codes[d] = -127;
      }
      const auto distance = kernels().code_distance;
      EXPECT_EQ(distance(&a, &b, &layout), 1.0f - float(wanted)) << dimension;
      // The extremes: nothing may saturate.
      const float most = 127.0f * 127.0f * float(dimension);
      EXPECT_EQ(distance(&high, &high, &layout), 1.0f - most);
      EXPECT_EQ(distance(&high, &low, &layout), 1.0f + most);
      EXPECT_EQ(distance(&low, &low, &layout), 1.0f - most);
      a.scale = 0.25f;
      b.scale = 0.5f;
      EXPECT_EQ(distance(&a, &b, &layout), 1.0f - float(wanted) * 0.125f);
    }
  });
}

TEST(Codes, ResidualIsAnUpperBoundOnEveryTarget) {
  for_each_target([] {
    for (std::uint64_t i = 0; i < 50; ++i) {
      alignas(64) float row[128] = {};
      alignas(64) std::int8_t codes[128] = {};
      RandomStream stream(11, "row", i);
      for (std::size_t d = 0; d < 100; ++d) row[d] = float(stream.normal()) * (i % 2 ? 1 : 1e-4f);
      const CodeMeasures measures = kernels().encode(row, 128, codes);
      double left = 0, length = 0;
      for (std::size_t d = 0; d < 128; ++d) {
        const double rest = double(row[d]) - double(measures.scale) * codes[d];
        left += rest * rest;
        length += double(row[d]) * row[d];
      }
      EXPECT_GE(measures.residual, std::sqrt(left));
      EXPECT_LE(measures.residual, std::sqrt(left) * 1.01);
      EXPECT_GE(measures.length, std::sqrt(length));
      EXPECT_LE(measures.length, std::sqrt(length) * 1.001);
    }
  });
}

}  // namespace
}  // namespace sosia::gallery

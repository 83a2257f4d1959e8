#pragma once
// Rows, probes and a naive search for the tests of the search matrix.

#include "gallery/matrix.hpp"
#include "sosia/core/rng.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace sosia::gallery::test {

/// Rows with the memory they stand in.
class Matrix {
 public:
  Matrix(std::size_t count, std::size_t dimension, StoredType type)
      : stride_(row_stride_bytes(dimension, type)),
        bytes_(static_cast<std::byte*>(
            std::aligned_alloc(64, std::max<std::size_t>(count * stride_, 64)))),
        count_(count),
        dimension_(dimension),
        type_(type) {}
  void set(std::size_t row, std::span<const float> unit) {
    store_row(unit, type_, bytes_.get() + row * stride_);
  }
  Rows rows() const {
    return {.data = bytes_.get(),
            .count = count_,
            .dimension = dimension_,
            .type = type_,
            .stride_bytes = stride_};
  }

 private:
  struct Free {
    void operator()(std::byte* data) const { std::free(data); }
  };
  std::size_t stride_;
  std::unique_ptr<std::byte[], Free> bytes_;
  std::size_t count_, dimension_;
  StoredType type_;
};

inline void normalise(std::span<float> v) {
  double sum = 0;
  for (const float x : v) sum += static_cast<double>(x) * x;
  const double scale = sum > 0 ? 1 / std::sqrt(sum) : 0;
  for (float& x : v) x = static_cast<float>(x * scale);
}

/// Unit vectors about subject centres (`subjects` of them, in turn), `spread` the length of the
/// noise; index `first` on.
inline std::vector<float> clustered(std::size_t count, std::size_t dimension, std::size_t subjects,
                                    double spread, std::uint64_t seed, std::string_view noise) {
  std::vector<float> out(count * dimension);
  std::vector<double> centre(dimension);
  for (std::size_t i = 0; i < count; ++i) {
    RandomStream about(seed, "centre", i % subjects), off(seed, noise, i);
    double sum = 0;
    for (double& c : centre) {
      c = about.normal();
      sum += c * c;
    }
    const double unit = 1 / std::sqrt(sum), step = spread / std::sqrt(double(dimension));
    const std::span<float> row(out.data() + i * dimension, dimension);
    for (std::size_t d = 0; d < dimension; ++d) {
      row[d] = static_cast<float>(centre[d] * unit + step * off.normal());
    }
    normalise(row);
  }
  return out;
}

inline Matrix store(std::span<const float> vectors, std::size_t dimension, StoredType type) {
  const std::size_t count = vectors.size() / dimension;
  Matrix matrix(count, dimension, type);
  for (std::size_t i = 0; i < count; ++i) matrix.set(i, vectors.subspan(i * dimension, dimension));
  return matrix;
}

/// In double, element by element.
inline double naive_score(const Rows& rows, std::size_t row, std::span<const float> probe) {
  std::vector<float> values(rows.dimension);
  load_row(rows, row, values);
  double sum = 0;
  for (std::size_t d = 0; d < rows.dimension; ++d) sum += static_cast<double>(values[d]) * probe[d];
  return sum;
}

/// Every row by `row_score`, sorted whole.
inline std::vector<Hit> sorted_search(const Rows& rows, std::span<const float> probe, std::size_t k,
                                      const RowMask* mask) {
  std::vector<Hit> hits;
  for (std::size_t row = 0; row < rows.count; ++row) {
    if (mask != nullptr && !mask->all() && !mask->test(row)) continue;
    hits.push_back({static_cast<std::uint32_t>(row), row_score(rows, row, probe)});
  }
  std::sort(hits.begin(), hits.end(), better);
  hits.resize(std::min(k, hits.size()));
  return hits;
}

/// A mask that passes about one row in `every`, differently for each seed.
inline RowMask random_mask(std::size_t count, std::uint64_t every, std::uint64_t seed) {
  RowMask mask;
  mask.words.assign((count + 63) / 64, 0);
  RandomStream stream(seed, "mask");
  for (std::size_t row = 0; row < count; ++row) {
    if (stream.below(every) == 0) mask.words[row / 64] |= std::uint64_t{1} << (row % 64);
  }
  return mask;
}

}  // namespace sosia::gallery::test

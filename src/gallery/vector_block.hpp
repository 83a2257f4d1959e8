#pragma once
// Vectors in memory laid out for the kernels: for work that compares everything with everything.

#include "gallery/matrix.hpp"
#include "gallery/scan_parts.hpp"

#include <cstddef>
#include <functional>
#include <span>

namespace sosia::gallery {

/// Rows of f32, aligned and padded; rows serve as probes and probes as rows.
class VectorBlock {
 public:
  /// Copies `vectors` (n x `dimension`).
  VectorBlock(std::span<const float> vectors, std::size_t dimension);

  std::size_t size() const noexcept { return count_; }
  std::size_t dimension() const noexcept { return dimension_; }
  /// For `scan`.
  Rows rows() const noexcept;
  std::span<const float> row(std::size_t index) const {
    return {data_.data() + index * padded_, dimension_};
  }

  /// scores[i * kProbesPerPass + p] is the cosine of row `first + i` of this block with row
  /// `probe + p` of `probes`; `count` rows, at most kProbesPerPass probes. `scores` has room for
  /// `count` rounded up to kRowGroup rows.
  void products(std::size_t first, std::size_t count, const VectorBlock& probes, std::size_t probe,
                std::size_t probe_count, float* scores) const;

 private:
  std::size_t count_ = 0, dimension_ = 0, padded_ = 0;
  AlignedArray<float> data_;
};

}  // namespace sosia::gallery

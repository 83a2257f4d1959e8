#pragma once
// The scalar product of two embeddings, summed in double.

#include <cstddef>
#include <span>

namespace sosia::face {

/// Four sums side by side, so that additions need not wait for each other. Equal lengths.
inline double dot(std::span<const float> a, std::span<const float> b) noexcept {
  double s0 = 0, s1 = 0, s2 = 0, s3 = 0;
  std::size_t k = 0;
  for (; k + 4 <= a.size(); k += 4) {
    s0 += double{a[k]} * b[k];
    s1 += double{a[k + 1]} * b[k + 1];
    s2 += double{a[k + 2]} * b[k + 2];
    s3 += double{a[k + 3]} * b[k + 3];
  }
  for (; k < a.size(); ++k) s0 += double{a[k]} * b[k];
  return (s0 + s1) + (s2 + s3);
}

}  // namespace sosia::face

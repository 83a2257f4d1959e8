#include "gallery/vector_block.hpp"

#include "gallery/kernels.hpp"

#include <algorithm>

namespace sosia::gallery {

VectorBlock::VectorBlock(std::span<const float> vectors, std::size_t dimension)
    : count_(dimension == 0 ? 0 : vectors.size() / dimension),
      dimension_(dimension),
      padded_(padded_dimension(dimension, StoredType::f32)),
      data_((count_ + kProbeGroup) * padded_) {
  for (std::size_t i = 0; i < count_; ++i) {
    std::copy_n(vectors.data() + i * dimension, dimension, data_.data() + i * padded_);
  }
}

Rows VectorBlock::rows() const noexcept {
  return {.data = reinterpret_cast<const std::byte*>(data_.data()),
          .count = count_,
          .dimension = dimension_,
          .type = StoredType::f32,
          .stride_bytes = padded_ * sizeof(float)};
}

void VectorBlock::products(std::size_t first, std::size_t count, const VectorBlock& probes,
                           std::size_t probe, std::size_t probe_count, float* scores) const {
  const std::size_t padded_count = round_up(count, kRowGroup);
  std::vector<const std::byte*> pointers(padded_count);
  for (std::size_t i = 0; i < padded_count; ++i) {
    pointers[i] = reinterpret_cast<const std::byte*>(data_.data() +
                                                     (first + std::min(i, count - 1)) * padded_);
  }
  kernels().dot_tile(probes.data_.data() + probe * padded_, probe_count, pointers.data(), count,
                     padded_, scores, {});
}

}  // namespace sosia::gallery

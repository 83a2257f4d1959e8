// Rows as bytes: stride, storing, loading, and the score of one row.

#include "gallery/matrix.hpp"

#include "gallery/kernels.hpp"
#include "gallery/scan_parts.hpp"
#include "sosia/formats/array.hpp"

#include <array>
#include <cstring>

namespace sosia::gallery {

std::size_t row_stride_bytes(std::size_t dimension, StoredType type) {
  return round_up(dimension * (type == StoredType::f16 ? 2 : 4), 64);
}

void store_row(std::span<const float> unit, StoredType type, std::byte* out) {
  const std::size_t stride = row_stride_bytes(unit.size(), type);
  std::size_t used = unit.size_bytes();
  if (type == StoredType::f32) {
    std::memcpy(out, unit.data(), used);
  } else {
    used = unit.size() * sizeof(std::uint16_t);
    for (std::size_t i = 0; i < unit.size(); ++i) {
      const std::uint16_t half = formats::float_to_half(unit[i]);
      std::memcpy(out + i * sizeof half, &half, sizeof half);
    }
  }
  std::memset(out + used, 0, stride - used);
}

void load_row(const Rows& rows, std::size_t index, std::span<float> out) {
  const std::byte* row = rows.row(index);
  if (rows.type == StoredType::f32) {
    std::memcpy(out.data(), row, rows.dimension * sizeof(float));
    return;
  }
  for (std::size_t i = 0; i < rows.dimension; ++i) {
    std::uint16_t half = 0;
    std::memcpy(&half, row + i * sizeof half, sizeof half);
    out[i] = formats::half_to_float(half);
  }
}

float row_score(const Rows& rows, std::size_t index, std::span<const float> probe) {
  const std::size_t padded = padded_dimension(rows.dimension, rows.type);
  std::array<const std::byte*, 2 * kRowGroup> group;
  group.fill(rows.row(index));
  std::array<float, kRowGroup> scores{};
  const Kernels& k = kernels();
  const auto dot = rows.type == StoredType::f16 ? k.dot_halves : k.dot_floats;
  if (padded == rows.dimension) {
    dot(probe.data(), group.data(), 1, padded, scores.data());
  } else {
    const AlignedArray<float> aligned = pad_probes(probe, rows.dimension, padded);
    dot(aligned.data(), group.data(), 1, padded, scores.data());
  }
  return scores[0];
}

std::string kernel_target() {
  return kernels().target;
}

}  // namespace sosia::gallery

#pragma once
// Numbers that go into networks and come out, and how pictures become them.

#include "sosia/image/image.hpp"
#include "sosia/models/card.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace sosia::models {

/// A dense array of 32-bit floats in C order. A plain value.
struct Tensor {
  std::vector<std::int64_t> shape = {};
  std::vector<float> values = {};  ///< as many as the product of `shape`

  /// Length of the first dimension; 0 for a scalar.
  std::int64_t rows() const noexcept { return shape.empty() ? 0 : shape.front(); }
  /// The numbers of row `i` of the first dimension. No bounds check.
  std::span<const float> row(std::size_t i) const noexcept {
    const std::size_t length = values.size() / static_cast<std::size_t>(shape.front());
    return std::span(values).subspan(i * length, length);
  }
};

/// The same, owned by somebody else.
struct TensorView {
  std::span<const std::int64_t> shape = {};
  std::span<const float> values = {};

  TensorView() = default;
  TensorView(std::span<const std::int64_t> s, std::span<const float> v) : shape(s), values(v) {}
  TensorView(const Tensor& t) : shape(t.shape), values(t.values) {}
};

/// "[1, 3, 112, 112]", -1 as "?".
std::string shape_text(std::span<const std::int64_t> shape);

/// The input of a network for `pictures`: a batch in the card's layout, colours, mean and
/// deviation. All pictures have one extent, which must be the card's where the card fixes it:
/// aligning and resizing are the caller's (`InputSpec::alignment` says how). Grey pictures are
/// repeated into three channels where three are wanted, alpha is dropped.
///
/// Throws invalid_argument for no picture, an invalid one, differing extents, or an extent that the
/// card does not take. Thread-safe.
Tensor image_tensor(const InputSpec& input, std::span<const image::ImageView> pictures);
/// A batch of one.
Tensor image_tensor(const InputSpec& input, image::ImageView picture);

/// Divides each row of length `dimension` by its Euclidean length (taken in double); a row of
/// zeros stays. Returns the lengths before.
std::vector<double> normalise_rows(std::span<float> values, std::size_t dimension);

/// Softmax of one row of logits, in double.
std::vector<double> softmax(std::span<const float> logits);

}  // namespace sosia::models

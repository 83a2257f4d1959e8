#pragma once
// Pictures and planar batches to tensors and back.

#include "sosia/image/image.hpp"
#include "sosia/image/planar.hpp"
#include "tensor/torch.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace sosia::tensor {

/// float32 [n, channels, height, width] of pictures of one size, each number as `image::to_planar`
/// says. Throws invalid_argument when sizes or channels differ or there is no picture.
at::Tensor from_images(std::span<const image::ImageView> images,
                       const image::PlanarOptions& options = {});

/// The pictures of a tensor [n, 1 or 3, height, width] or [1 or 3, height, width], as
/// `image::from_planar` says; any device and element type. Throws invalid_argument for another
/// shape.
std::vector<image::Image> to_images(const at::Tensor& tensor,
                                    const image::PlanarOptions& options = {});

/// A tensor on memory of somebody else: float32, C order, no copy. Valid as long as `values` are.
/// Throws invalid_argument unless the product of `shape` is the number of values.
at::Tensor view_of(std::span<float> values, std::span<const std::int64_t> shape);

/// The elements of a tensor as float32 in C order; any device, type and strides.
std::vector<float> to_vector(const at::Tensor& tensor);

}  // namespace sosia::tensor

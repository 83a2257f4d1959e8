#pragma once
// Resizing as torchvision does it on PIL pictures: the kernel grows with the step, so that nothing
// aliases when shrinking.

#include "sosia/image/geometry.hpp"
#include "sosia/image/image.hpp"

namespace sosia::data {

enum class Kernel { bilinear, bicubic };

/// The part `area` of an RGB picture at `extent`. Sides of the area may be fractions of a pixel; no
/// pixel beyond those that it touches is read. Weights are those of PIL's Image.resize of the
/// cropped picture (bicubic: a = -0.5); sums are float and rounded once, so that values differ from
/// PIL's two roundings by at most 1. Throws invalid_argument for an area that is empty or not
/// inside.
image::Image resample(image::ImageView picture, const image::Box& area, image::Extent extent,
                      Kernel kernel);

}  // namespace sosia::data

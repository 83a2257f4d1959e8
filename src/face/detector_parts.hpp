#pragma once
// What all detectors share.

#include "face/mtcnn.hpp"
#include "sosia/face/detector.hpp"
#include "sosia/models/tensor.hpp"

#include <vector>

namespace sosia::face {

/// Throws invalid_argument for an invalid view or an option out of range.
void require_options(image::ImageView picture, const DetectOptions& options);

/// The picture itself when it has three channels, else converted into `storage`.
image::ImageView as_rgb(image::ImageView picture, image::Image& storage);

/// `picture` as the input of a network of free size, sides filled up to a multiple of `multiple`
/// with what becomes 0: the engine prepares itself anew for every shape, so there should be few.
models::Tensor padded_tensor(const models::InputSpec& input, image::ImageView picture,
                             int multiple);

/// Gives every face the points that MTCNN's last network sees in the square about its box, settled.
void take_points(const OutputNet& net, const Pyramid& pyramid, std::vector<Detection>& faces);

/// Removes faces whose longer side is below the limit.
void drop_small(std::vector<Detection>& faces, double min_face_px);

}  // namespace sosia::face

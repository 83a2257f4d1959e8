#pragma once
// Detectors that answer for every cell of a grid: SCRFD (and RetinaFace of InsightFace) and YuNet.
//
// Reference: Guo et al., "Sample and Computation Redistribution for Efficient Face Detection",
// arXiv 2105.04714, and insightface, model_zoo/scrfd.py; Wu et al., "YuNet: A Tiny
// Millisecond-level Face Detector", Machine Intelligence Research 2023, and opencv,
// modules/objdetect/src/face_detect.cpp.

#include "sosia/face/detector.hpp"
#include "sosia/models/tensor.hpp"

#include <memory>
#include <span>
#include <vector>

namespace sosia::face {

/// Which outputs hold what for one stride. Indices into the network's outputs.
struct StrideOutputs {
  int stride = 0;
  int anchors = 1;  ///< per cell
  std::size_t scores = 0, boxes = 0;
  std::size_t points = 0, objectness = 0;  ///< where `has_points`, for YuNet
};

/// What a network of this family gives.
struct AnchorLayout {
  enum class Kind { scrfd, yunet };
  Kind kind = Kind::scrfd;
  bool has_points = true;
  std::vector<StrideOutputs> strides = {};
};

/// SCRFD: outputs are told apart by their last dimension (1 scores, 4 boxes, 10 points) and their
/// order, never by name. 6 or 9 outputs are the strides 8, 16, 32 with two anchors, 10 or 15 the
/// strides 8 to 128 with one. Throws unsupported for others.
AnchorLayout scrfd_layout(std::span<const models::Port> outputs);
/// YuNet: outputs cls_8, obj_8, bbox_8, kps_8 and so on by name, else three each in the order
/// class, objectness, box, points. Throws unsupported.
AnchorLayout yunet_layout(std::span<const models::Port> outputs);

/// Faces of one run whose score is at least `least`, in pixels of the network's input, before
/// suppression.
///
/// SCRFD: the centre of anchor (y * columns + x) * anchors + a is (x, y) * stride, without half a
/// pixel; sides are distances from it, points offsets, both times the stride. YuNet: the score is
/// sqrt(class * objectness) with both cut to [0, 1]; the box's centre is (cell + offset) * stride,
/// its sides exp(size) * stride. Throws corrupt_data when numbers and input size disagree.
std::vector<Detection> decode_anchors(const AnchorLayout& layout,
                                      std::span<const models::Tensor> outputs, image::Extent input,
                                      double least);

std::unique_ptr<FaceDetector> open_anchors(const models::ModelStore& store,
                                           const models::ModelCard& card,
                                           const models::NetworkOptions& options);

}  // namespace sosia::face

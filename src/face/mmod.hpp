#pragma once
// dlib's CNN face detector over a pyramid, with five points from MTCNN's last network.
//
// Reference: King, "Max-Margin Object Detection", arXiv 1502.00046; dlib,
// examples/dnn_mmod_face_detection_ex.cpp.

#include "sosia/face/detector.hpp"

#include <memory>

namespace sosia::face {

std::unique_ptr<FaceDetector> open_mmod(const models::ModelStore& store,
                                        const models::ModelCard& card,
                                        const models::NetworkOptions& options);

}  // namespace sosia::face

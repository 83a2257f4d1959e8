#pragma once
// MobileFaceNet: depth-wise separable convolutions for faces.
//
// Reference: Chen et al., CCBR 2018; names, widths and initialisation of InsightFace,
// recognition/arcface_torch/backbones/mobilefacenet.py (blocks 1, 4, 6, 2 and scale 2 for `mbf`).

#include "nn/network.hpp"

namespace sosia::nn {

/// 112 x 112 pictures only: the head's global depth-wise convolution covers 7 x 7 maps. 512 numbers
/// unless the spec says otherwise.
std::shared_ptr<Network> make_mobilefacenet(const std::vector<std::int64_t>& blocks,
                                            std::int64_t scale, const NetworkSpec& spec,
                                            at::Generator& generator);

}  // namespace sosia::nn

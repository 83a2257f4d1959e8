#pragma once
// IResNet: the residual network of face recognition.
//
// Reference: Deng et al., CVPR 2019 (ArcFace); names and initialisation of InsightFace,
// recognition/arcface_torch/backbones/iresnet.py. The SE variant puts squeeze and excitation (/16)
// behind the last norm of each block.

#include "nn/network.hpp"

namespace sosia::nn {

/// `blocks`: of the four stages, each of which halves the picture. 512 numbers unless the spec says
/// otherwise; pictures whose sides are multiples of 16, 112 x 112 as published.
std::shared_ptr<Network> make_iresnet(const std::vector<std::int64_t>& blocks, bool squeeze_excite,
                                      const NetworkSpec& spec, at::Generator& generator);

}  // namespace sosia::nn

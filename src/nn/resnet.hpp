#pragma once
// ResNet and its IBN variants for embedding.
//
// Reference: He et al., CVPR 2016, names and initialisation of torchvision; IBN-a and IBN-b: Pan et
// al., ECCV 2018, names of XingangPan/IBN-Net.

#include "nn/network.hpp"

namespace sosia::nn {

enum class Ibn { none, a, b };

struct ResNetOptions {
  std::vector<std::int64_t> blocks;  ///< of the four stages
  bool bottleneck = false;
  Ibn ibn = Ibn::none;
};

/// Features of 512 (basic blocks) or 2048 (bottlenecks) numbers, pooled; a linear layer `fc` when
/// the spec wants another dimension.
std::shared_ptr<Network> make_resnet(const ResNetOptions& options, const NetworkSpec& spec,
                                     at::Generator& generator);

}  // namespace sosia::nn

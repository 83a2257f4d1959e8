#pragma once
// A convolutional network of 0.2 million parameters for small pictures and short experiments. Of
// our own making: convolutions of 32, 64, 96 and 128 channels, each with norm and ReLU, all but the
// first halving the picture, then pooling and a linear layer.

#include "nn/network.hpp"

namespace sosia::nn {

/// 128 numbers unless the spec says otherwise; sides of 8 or more.
std::shared_ptr<Network> make_small_cnn(const NetworkSpec& spec, at::Generator& generator);

}  // namespace sosia::nn

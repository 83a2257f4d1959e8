#pragma once
// Initial weights. PyTorch's layers draw theirs from the generator of the process when they are
// made; these functions draw them anew from one of the caller's.

#include "tensor/torch.hpp"

namespace sosia::nn {

/// What PyTorch's own constructors give: convolutions and linear layers uniform in +-1/sqrt(fan in)
/// (Kaiming with a = sqrt 5), biases the same; normalisations 1 and 0. In the order of the modules.
void init_default(torch::nn::Module& module, at::Generator& generator);

/// He et al., ICCV 2015, fan out, for ReLU: as torchvision's ResNet initialises convolutions.
void kaiming_normal_fan_out(at::Tensor weight, at::Generator& generator);
/// Glorot and Bengio, AISTATS 2010: uniform.
void xavier_uniform(at::Tensor weight, at::Generator& generator);
void normal(at::Tensor weight, double deviation, at::Generator& generator);
/// Normal, cut at two deviations of `deviation` (timm's trunc_normal_).
void truncated_normal(at::Tensor weight, double deviation, at::Generator& generator);

}  // namespace sosia::nn

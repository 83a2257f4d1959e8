#pragma once
// Layers that several backbones use, and short ways to make them.

#include "nn/batch_norm.hpp"
#include "tensor/torch.hpp"

#include <cstdint>
#include <string>

namespace sosia::nn {

/// A convolution without bias, padded so that stride 1 keeps the size.
torch::nn::Conv2d conv(std::int64_t in, std::int64_t out, std::int64_t kernel,
                       std::int64_t stride = 1, std::int64_t groups = 1);

/// Modules named 0, 1, ... as PyTorch's Sequential names them, for names alone: whoever made them
/// calls them.
class GroupImpl : public torch::nn::Module {
 public:
  template <class M>
  void push_back(const M& module) {
    register_module(std::to_string(count_++), module);
  }
  /// A place that holds no parameters (an activation, a pooling).
  void skip() { ++count_; }

 private:
  std::int64_t count_ = 0;
};
TORCH_MODULE(Group);

/// One slope for each channel, 0.25 at first. Named `weight`, as torch.nn.PReLU.
class PReLUImpl : public torch::nn::Module {
 public:
  explicit PReLUImpl(std::int64_t channels);
  at::Tensor forward(const at::Tensor& x) { return at::prelu(x, weight); }
  at::Tensor weight;
};
TORCH_MODULE(PReLU);

/// IBN-a: the first half of the channels through instance normalisation, the others through batch
/// normalisation. Reference: Pan et al., ECCV 2018; names of XingangPan/IBN-Net.
class IbnAImpl : public torch::nn::Module {
 public:
  explicit IbnAImpl(std::int64_t channels);
  at::Tensor forward(const at::Tensor& x);

 private:
  std::int64_t half_;
  torch::nn::InstanceNorm2d in_{nullptr};
  BatchNorm bn_{nullptr};
};
TORCH_MODULE(IbnA);

/// Squeeze and excitation with 1 x 1 convolutions `fc1`, `fc2`. Reference: Hu et al., CVPR 2018.
class SqueezeExciteImpl : public torch::nn::Module {
 public:
  SqueezeExciteImpl(std::int64_t channels, std::int64_t reduction, bool bias);
  at::Tensor forward(const at::Tensor& x);

 private:
  torch::nn::Conv2d fc1_{nullptr}, fc2_{nullptr};
};
TORCH_MODULE(SqueezeExcite);

/// Generalised mean over the pixels: (mean max(x, eps)^p)^(1/p), with one learned exponent `p`; [n,
/// c, h, w] -> [n, c]. Reference: Radenovic et al., TPAMI 2019; p = 3, eps = 1e-6.
class GemImpl : public torch::nn::Module {
 public:
  explicit GemImpl(double p = 3, bool learned = true, double eps = 1e-6);
  at::Tensor forward(const at::Tensor& x);
  at::Tensor p;

 private:
  double eps_;
};
TORCH_MODULE(Gem);

/// Pooling by the word of a NetworkSpec: [n, c, h, w] -> [n, c]. Throws invalid_argument for
/// another.
class PoolImpl : public torch::nn::Module {
 public:
  explicit PoolImpl(const std::string& kind);
  at::Tensor forward(const at::Tensor& x);

 private:
  std::string kind_;
  Gem gem_{nullptr};
};
TORCH_MODULE(Pool);

/// Drops elements with probability `p` while training. It keeps drawing from the generator that it
/// was given: whoever saves that generator's state can repeat the run.
class DropoutImpl : public torch::nn::Module {
 public:
  DropoutImpl(double p, at::Generator generator);
  at::Tensor forward(const at::Tensor& x);

 private:
  double p_;
  at::Generator generator_;
};
TORCH_MODULE(Dropout);

}  // namespace sosia::nn

#pragma once
// What stands between a backbone and its loss.

#include "nn/batch_norm.hpp"
#include "tensor/torch.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace sosia::nn {

/// BNNeck: batch norm `bottleneck`, its bias fixed at 0, and a linear `classifier` without bias.
/// Metric losses take the feature before the norm, the classifier the one behind it, which is also
/// what is compared after training. Reference: Luo et al., CVPRW 2019.
class BnNeckImpl : public torch::nn::Module {
 public:
  BnNeckImpl(std::int64_t dimension, std::int64_t classes, at::Generator& generator);
  /// [n, d] behind the norm.
  at::Tensor forward(const at::Tensor& features) { return bottleneck_(features); }
  /// [n, classes].
  at::Tensor classify(const at::Tensor& normalised) { return classifier_(normalised); }

 private:
  BatchNorm bottleneck_{nullptr};
  torch::nn::Linear classifier_{nullptr};
};
TORCH_MODULE(BnNeck);

/// Class centres `weight` [classes, d] of the centre loss, standard normal at first.
class CentresImpl : public torch::nn::Module {
 public:
  CentresImpl(std::int64_t dimension, std::int64_t classes, at::Generator& generator);
  at::Tensor weight;
};
TORCH_MODULE(Centres);

/// Linear layers without bias, batch norm and ReLU between them: the projector of Barlow Twins,
/// numbered as in its published Sequential (0: linear, 1: norm, 2: ReLU, 3: linear, ...).
class ProjectorImpl : public torch::nn::Module {
 public:
  ProjectorImpl(std::int64_t in, const std::vector<std::int64_t>& sizes, at::Generator& generator);
  at::Tensor forward(at::Tensor x);

 private:
  std::vector<torch::nn::Linear> linears_;
  std::vector<BatchNorm> norms_;
};
TORCH_MODULE(Projector);

}  // namespace sosia::nn

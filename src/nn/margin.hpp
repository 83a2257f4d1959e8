#pragma once
// Margin losses of face recognition: a softmax over the cosines to class centres, with a margin on
// the true one.

#include "nn/init.hpp"
#include "tensor/torch.hpp"

#include <cstdint>

namespace sosia::nn {

/// The combined margin: the true class's cosine becomes cos(m1 theta + m2) - m3, all are scaled by
/// s. ArcFace: m2 = 0.5 (Deng et al., CVPR 2019); CosFace: m3 = 0.4 (Wang et al., CVPR 2018).
struct MarginOptions {
  double m1 = 1, m2 = 0.5, m3 = 0;
  double s = 64;
};

/// AdaFace (Kim et al., CVPR 2022): the margin depends on the length of the raw embedding.
struct AdaFaceOptions {
  double m = 0.4;
  double h = 0.333;
  double s = 64;
  double t_alpha = 0.01;  ///< weight of a batch in the running mean and deviation of lengths
};

/// Class centres `weight` [classes, d], normal with deviation 0.01 as InsightFace draws them, and
/// logits [n, classes] of raw embeddings [n, d] for cross entropy.
class MarginHeadImpl : public torch::nn::Module {
 public:
  MarginHeadImpl(std::int64_t dimension, std::int64_t classes, const MarginOptions& options,
                 at::Generator& generator);
  at::Tensor forward(const at::Tensor& embeddings, const at::Tensor& labels);
  at::Tensor weight;

 private:
  MarginOptions options_;
};
TORCH_MODULE(MarginHead);

/// The same for AdaFace, with buffers `batch_mean` and `batch_std` of lengths.
class AdaFaceHeadImpl : public torch::nn::Module {
 public:
  AdaFaceHeadImpl(std::int64_t dimension, std::int64_t classes, const AdaFaceOptions& options,
                  at::Generator& generator);
  at::Tensor forward(const at::Tensor& embeddings, const at::Tensor& labels);
  at::Tensor weight, batch_mean, batch_std;

 private:
  AdaFaceOptions options_;
};
TORCH_MODULE(AdaFaceHead);

}  // namespace sosia::nn

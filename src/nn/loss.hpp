#pragma once
// Losses. All take float32 [n, d] embeddings or [n, c] logits and int64 [n] labels, and return the
// mean over the batch as a scalar. LibTorch's errors leave as sosia::Error at the loop.

#include "nn/batch_norm.hpp"
#include "tensor/torch.hpp"

#include <cstdint>
#include <utility>

namespace sosia::nn {

/// How label smoothing spreads `smoothing`, eps, over the classes.
enum class Smoothing {
  over_all,     ///< eps / C on every class, 1 - eps + eps / C on the true one: PyTorch, torchreid
  over_others,  ///< eps / (C - 1) on the others, 1 - eps on the true one: fast-reid
};
at::Tensor cross_entropy(const at::Tensor& logits, const at::Tensor& labels, double smoothing = 0,
                         Smoothing variant = Smoothing::over_all);

/// Triplet loss with the hardest positive and negative of each anchor: max(0, d_ap - d_an + margin)
/// of Euclidean distances; margin 0: softplus(d_ap - d_an). Anchors without a positive or a
/// negative count nothing. Reference: Hermans et al., arXiv 1703.07737.
at::Tensor triplet_batch_hard(const at::Tensor& embeddings, const at::Tensor& labels,
                              double margin = 0.3);

/// Mean of |f - c_y|^2 within [1e-12, 1e12] for centres float32 [classes, d]. Reference: Wen et
/// al., ECCV 2016, as the strong baseline of re-identification uses it.
at::Tensor centre_loss(const at::Tensor& embeddings, const at::Tensor& labels,
                       const at::Tensor& centres);

/// Supervised contrastive loss over all positives of each anchor, averaged outside of the logarithm
/// (L_out), on embeddings of unit length. Anchors without a positive count nothing. Reference:
/// Khosla et al., NeurIPS 2020, eq. 2.
at::Tensor supervised_contrastive(const at::Tensor& embeddings, const at::Tensor& labels,
                                  double temperature = 0.07);

/// InfoNCE between two views, [n, d] each, of unit length: view b of the same row among all rows of
/// b. Symmetric. Reference: van den Oord et al., arXiv 1807.03748; CLIP's form.
at::Tensor info_nce(const at::Tensor& a, const at::Tensor& b, double temperature = 0.07);

struct BarlowOptions {
  double lambda = 0.0051;
  bool invariance = true;  ///< sum_i (1 - C_ii)^2
  bool redundancy = true;  ///< lambda sum_{i != j} C_ij^2
};
struct BarlowLoss {
  at::Tensor loss;        ///< with its gradient
  double invariance = 0;  ///< the two terms, lambda included
  double redundancy = 0;
};
/// Barlow Twins: views are normalised along the batch without scale and offset, C = Z1' Z2 / N, all
/// processes together. Reference: Zbontar et al., ICML 2021, eq. 1 and 2, and the authors' code.
BarlowLoss barlow_loss(const at::Tensor& view1, const at::Tensor& view2,
                       const BarlowOptions& options, const AllReduce& sum = {});

/// What the redundancy term amounts to when the views are independent noise: lambda D (D - 1) / N.
double barlow_noise_floor(std::int64_t batch, std::int64_t dimension, double lambda);

}  // namespace sosia::nn

#pragma once
// Batch normalisation that can take its statistics from several processes and can be folded away.

#include "tensor/torch.hpp"

#include <cstdint>
#include <functional>

namespace sosia::nn {

/// Replaces a tensor by its sum over all processes, in place; without gradient. An empty function
/// means one process.
using AllReduce = std::function<void(at::Tensor&)>;

/// The sum over all processes with its gradient: that of each process's input is the sum of the
/// gradients of all processes' outputs. `sum` empty: `x` itself.
at::Tensor all_reduced(const at::Tensor& x, const AllReduce& sum);

/// Batch normalisation over all dimensions but the second, of [n, c] or [n, c, h, w]. Names as
/// PyTorch's.
class BatchNormImpl : public torch::nn::Module {
 public:
  explicit BatchNormImpl(std::int64_t channels, double eps = 1e-5, bool affine = true);
  at::Tensor forward(const at::Tensor& x);

  /// Statistics over all processes from now on (SyncBN). Exact for differing batch sizes.
  void synchronise(AllReduce sum) { sum_ = std::move(sum); }
  /// Scale and offset of eval mode: y = x * scale + offset, [c] each.
  std::pair<at::Tensor, at::Tensor> as_affine() const;
  /// The layer before has taken it over: it passes its input on.
  void remove() { removed_ = true; }

  at::Tensor weight, bias, running_mean, running_var, num_batches_tracked;

 private:
  at::Tensor synchronised(const at::Tensor& x);

  double eps_;
  bool removed_ = false;
  AllReduce sum_;
};
TORCH_MODULE(BatchNorm);

/// Makes every batch norm of `module` take its statistics over all processes.
void synchronise_batch_norms(torch::nn::Module& module, const AllReduce& sum);

/// Folds `norm` into the layer before it: afterwards `layer` alone computes what both did in eval
/// mode, up to rounding, and `norm` passes its input on. For inference only.
void fold(torch::nn::Conv2d& layer, BatchNorm& norm);
void fold(torch::nn::Linear& layer, BatchNorm& norm);

}  // namespace sosia::nn

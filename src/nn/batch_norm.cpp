#include "nn/batch_norm.hpp"

#include <torch/csrc/autograd/custom_function.h>

namespace sosia::nn {

namespace {

constexpr double kMomentum = 0.1;  // of the running statistics

struct SumOverProcesses : torch::autograd::Function<SumOverProcesses> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x,
                            const AllReduce* sum) {
    context->saved_data["sum"] = reinterpret_cast<std::int64_t>(sum);
    at::Tensor out = x.clone(at::MemoryFormat::Contiguous);
    (*sum)(out);
    return out;
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const auto* sum = reinterpret_cast<const AllReduce*>(context->saved_data["sum"].toInt());
    at::Tensor out = gradients[0].clone(at::MemoryFormat::Contiguous);
    (*sum)(out);
    return {out, at::Tensor()};
  }
};

}  // namespace

at::Tensor all_reduced(const at::Tensor& x, const AllReduce& sum) {
  return sum ? SumOverProcesses::apply(x, &sum) : x;
}

BatchNormImpl::BatchNormImpl(std::int64_t channels, double eps, bool affine) : eps_(eps) {
  if (affine) {
    weight = register_parameter("weight", at::ones({channels}));
    bias = register_parameter("bias", at::zeros({channels}));
  }
  running_mean = register_buffer("running_mean", at::zeros({channels}));
  running_var = register_buffer("running_var", at::ones({channels}));
  num_batches_tracked = register_buffer("num_batches_tracked", at::zeros({}, at::kLong));
}

at::Tensor BatchNormImpl::forward(const at::Tensor& x) {
  if (removed_) return x;
  if (is_training()) {
    num_batches_tracked.add_(1);
    if (sum_) return synchronised(x);
  }
  return at::batch_norm(x, weight, bias, running_mean, running_var, is_training(), kMomentum, eps_,
                        false);
}

// Sums, squares and the count of all processes in one message; autograd differentiates through it.
at::Tensor BatchNormImpl::synchronised(const at::Tensor& x) {
  std::vector<std::int64_t> axes;
  for (std::int64_t i = 0; i < x.dim(); ++i) {
    if (i != 1) axes.push_back(i);
  }
  const std::int64_t channels = x.size(1);
  const at::Tensor count = at::full({1}, static_cast<double>(x.numel() / channels), x.options());
  // Around the running mean the difference of squares loses no digits to a large mean.
  std::vector<std::int64_t> view(static_cast<std::size_t>(x.dim()), 1);
  view[1] = channels;
  const at::Tensor centre = running_mean.detach().clone();
  const at::Tensor shifted = x - centre.view(view);
  const at::Tensor sums =
      all_reduced(at::cat({shifted.sum(axes), shifted.square().sum(axes), count}), sum_);
  const at::Tensor total = sums.slice(0, 2 * channels);
  const at::Tensor mean = sums.slice(0, 0, channels) / total;
  const at::Tensor variance = sums.slice(0, channels, 2 * channels) / total - mean.square();
  {
    const torch::NoGradGuard no_grad;
    const at::Tensor unbiased = variance * (total / (total - 1).clamp_min(1));
    running_mean.lerp_(mean + centre, kMomentum);
    running_var.lerp_(unbiased, kMomentum);
  }
  at::Tensor out = (shifted - mean.view(view)) * at::rsqrt(variance + eps_).view(view);
  if (weight.defined()) out = out * weight.view(view) + bias.view(view);
  return out;
}

std::pair<at::Tensor, at::Tensor> BatchNormImpl::as_affine() const {
  at::Tensor scale = at::rsqrt(running_var + eps_);
  if (weight.defined()) scale = scale * weight;
  at::Tensor offset = -running_mean * scale;
  if (bias.defined()) offset = offset + bias;
  return {scale.detach(), offset.detach()};
}

void synchronise_batch_norms(torch::nn::Module& module, const AllReduce& sum) {
  for (const auto& part : module.modules(false)) {
    if (auto* norm = part->as<BatchNormImpl>()) norm->synchronise(sum);
  }
}

namespace {

// `weight` [out, ...]: the layer then computes scale * (W x + b) + offset.
void fold_into(at::Tensor& weight, at::Tensor& bias, BatchNorm& norm) {
  const torch::NoGradGuard no_grad;
  const auto [scale, offset] = norm->as_affine();
  std::vector<std::int64_t> view(static_cast<std::size_t>(weight.dim()), 1);
  view[0] = weight.size(0);
  weight = (weight * scale.view(view)).detach();
  bias = bias.defined() ? (bias * scale + offset).detach() : offset.clone();
  norm->remove();
}

}  // namespace

void fold(torch::nn::Conv2d& layer, BatchNorm& norm) {
  fold_into(layer->weight, layer->bias, norm);
}
void fold(torch::nn::Linear& layer, BatchNorm& norm) {
  fold_into(layer->weight, layer->bias, norm);
}

}  // namespace sosia::nn

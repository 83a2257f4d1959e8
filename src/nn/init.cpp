#include "nn/init.hpp"

#include <cmath>

namespace sosia::nn {

namespace {

// Elements that one output sees, and that one input reaches.
std::pair<std::int64_t, std::int64_t> fans(const at::Tensor& weight) {
  std::int64_t field = 1;
  for (std::int64_t i = 2; i < weight.dim(); ++i) field *= weight.size(i);
  return {weight.size(1) * field, weight.size(0) * field};
}

void uniform(at::Tensor weight, double bound, at::Generator& generator) {
  weight.uniform_(-bound, bound, generator);
}

}  // namespace

void init_default(torch::nn::Module& module, at::Generator& generator) {
  const torch::NoGradGuard no_grad;
  for (const auto& part : module.modules(false)) {
    at::Tensor weight, bias;
    if (auto* conv = part->as<torch::nn::Conv2dImpl>()) {
      weight = conv->weight;
      bias = conv->bias;
    } else if (auto* linear = part->as<torch::nn::LinearImpl>()) {
      weight = linear->weight;
      bias = linear->bias;
    } else {
      continue;
    }
    const double bound = 1 / std::sqrt(static_cast<double>(fans(weight).first));
    uniform(weight, bound, generator);
    if (bias.defined()) uniform(bias, bound, generator);
  }
}

void kaiming_normal_fan_out(at::Tensor weight, at::Generator& generator) {
  const torch::NoGradGuard no_grad;
  weight.normal_(0, std::sqrt(2.0 / static_cast<double>(fans(weight).second)), generator);
}

void xavier_uniform(at::Tensor weight, at::Generator& generator) {
  const torch::NoGradGuard no_grad;
  const auto [in, out] = fans(weight);
  uniform(weight, std::sqrt(6.0 / static_cast<double>(in + out)), generator);
}

void normal(at::Tensor weight, double deviation, at::Generator& generator) {
  const torch::NoGradGuard no_grad;
  weight.normal_(0, deviation, generator);
}

void truncated_normal(at::Tensor weight, double deviation, at::Generator& generator) {
  const torch::NoGradGuard no_grad;
  // Inverse of the distribution function on (Phi(-2), Phi(2)), as timm draws it.
  const double low = 0.5 * std::erfc(2 / std::sqrt(2.0));
  weight.uniform_(2 * low - 1, 1 - 2 * low, generator);
  weight.erfinv_().mul_(deviation * std::sqrt(2.0)).clamp_(-2 * deviation, 2 * deviation);
}

}  // namespace sosia::nn

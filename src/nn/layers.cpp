#include "nn/layers.hpp"

#include "sosia/core/error.hpp"
#include "sosia/core/text.hpp"

namespace sosia::nn {

namespace tnn = torch::nn;

tnn::Conv2d conv(std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t stride,
                 std::int64_t groups) {
  return tnn::Conv2d(tnn::Conv2dOptions(in, out, kernel)
                         .stride(stride)
                         .padding(kernel / 2)
                         .groups(groups)
                         .bias(false));
}

PReLUImpl::PReLUImpl(std::int64_t channels) {
  weight = register_parameter("weight", at::full({channels}, 0.25));
}

IbnAImpl::IbnAImpl(std::int64_t channels) : half_(channels / 2) {
  in_ = register_module("IN", tnn::InstanceNorm2d(tnn::InstanceNorm2dOptions(half_).affine(true)));
  bn_ = register_module("BN", BatchNorm(channels - half_));
}

at::Tensor IbnAImpl::forward(const at::Tensor& x) {
  const std::vector<at::Tensor> parts = x.split_with_sizes({half_, x.size(1) - half_}, 1);
  return at::cat({in_(parts[0].contiguous()), bn_(parts[1].contiguous())}, 1);
}

SqueezeExciteImpl::SqueezeExciteImpl(std::int64_t channels, std::int64_t reduction, bool bias) {
  const std::int64_t inner = channels / reduction;
  fc1_ = register_module("fc1", tnn::Conv2d(tnn::Conv2dOptions(channels, inner, 1).bias(bias)));
  fc2_ = register_module("fc2", tnn::Conv2d(tnn::Conv2dOptions(inner, channels, 1).bias(bias)));
}

at::Tensor SqueezeExciteImpl::forward(const at::Tensor& x) {
  return x * at::sigmoid(fc2_(at::relu(fc1_(at::adaptive_avg_pool2d(x, {1, 1})))));
}

GemImpl::GemImpl(double exponent, bool learned, double eps) : eps_(eps) {
  const at::Tensor start = at::full({1}, exponent);
  p = learned ? register_parameter("p", start) : register_buffer("p", start);
}

at::Tensor GemImpl::forward(const at::Tensor& x) {
  return x.clamp_min(eps_).pow(p).mean({2, 3}).pow(1 / p);
}

PoolImpl::PoolImpl(const std::string& kind) : kind_(kind) {
  if (kind == "gem") {
    gem_ = register_module("gem", Gem());
  } else if (kind != "avg" && kind != "max") {
    throw Error(ErrorCode::invalid_argument, "pooling " + quote(kind) + " is not avg, max or gem");
  }
}

at::Tensor PoolImpl::forward(const at::Tensor& x) {
  if (gem_) return gem_(x);
  return kind_ == "avg" ? x.mean({2, 3}) : x.amax({2, 3});
}

DropoutImpl::DropoutImpl(double p, at::Generator generator)
    : p_(p), generator_(std::move(generator)) {}

at::Tensor DropoutImpl::forward(const at::Tensor& x) {
  if (!is_training() || p_ == 0) return x;
  return x * at::empty_like(x).bernoulli_(1 - p_, generator_).div_(1 - p_);
}

}  // namespace sosia::nn

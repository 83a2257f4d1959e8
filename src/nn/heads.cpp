#include "nn/heads.hpp"

#include "nn/init.hpp"

namespace sosia::nn {

namespace tnn = torch::nn;

BnNeckImpl::BnNeckImpl(std::int64_t dimension, std::int64_t classes, at::Generator& generator) {
  bottleneck_ = register_module("bottleneck", BatchNorm(dimension));
  bottleneck_->bias.set_requires_grad(false);
  classifier_ = register_module("classifier",
                                tnn::Linear(tnn::LinearOptions(dimension, classes).bias(false)));
  normal(classifier_->weight, 0.001, generator);
}

CentresImpl::CentresImpl(std::int64_t dimension, std::int64_t classes, at::Generator& generator) {
  weight = register_parameter("weight", at::randn({classes, dimension}, generator));
}

ProjectorImpl::ProjectorImpl(std::int64_t in, const std::vector<std::int64_t>& sizes,
                             at::Generator& generator) {
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const std::string number = std::to_string(3 * i);
    linears_.push_back(
        register_module(number, tnn::Linear(tnn::LinearOptions(in, sizes[i]).bias(false))));
    if (i + 1 < sizes.size()) {
      norms_.push_back(register_module(std::to_string(3 * i + 1), BatchNorm(sizes[i])));
    }
    in = sizes[i];
  }
  init_default(*this, generator);
}

at::Tensor ProjectorImpl::forward(at::Tensor x) {
  for (std::size_t i = 0; i < linears_.size(); ++i) {
    x = linears_[i](x);
    if (i < norms_.size()) x = norms_[i](x).relu_();
  }
  return x;
}

}  // namespace sosia::nn

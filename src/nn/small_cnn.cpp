#include "nn/small_cnn.hpp"

#include "nn/init.hpp"
#include "nn/layers.hpp"
#include "tensor/error.hpp"

#include <array>

namespace sosia::nn {

namespace tnn = torch::nn;

namespace {

constexpr std::array<std::int64_t, 4> kChannels{32, 64, 96, 128};

class SmallCnn final : public Network {
 public:
  SmallCnn(const NetworkSpec& spec, at::Generator& generator)
      : dimension_(spec.dimension > 0 ? spec.dimension : 128) {
    std::int64_t in = spec.channels;
    for (std::size_t i = 0; i < kChannels.size(); ++i) {
      const std::string number = std::to_string(i + 1);
      convs_[i] = register_module("conv" + number, conv(in, kChannels[i], 3, i == 0 ? 1 : 2));
      norms_[i] = register_module("bn" + number, BatchNorm(kChannels[i]));
      in = kChannels[i];
    }
    pool_ = register_module("pool", Pool(spec.pooling));
    fc_ = register_module("fc", tnn::Linear(in, dimension_));
    init_default(*this, generator);
    for (tnn::Conv2d& layer : convs_) kaiming_normal_fan_out(layer->weight, generator);
  }
  at::Tensor forward(const at::Tensor& images) override {
    return tensor::guarded("apply the small network", {{"images", images}}, [&] {
      at::Tensor x = images;
      for (std::size_t i = 0; i < convs_.size(); ++i) x = norms_[i](convs_[i](x)).relu_();
      return fc_(pool_(x));
    });
  }
  std::int64_t dimension() const override { return dimension_; }
  void fold_batch_norms() override {
    for (std::size_t i = 0; i < convs_.size(); ++i) fold(convs_[i], norms_[i]);
  }

 private:
  std::int64_t dimension_;
  std::array<tnn::Conv2d, 4> convs_{nullptr, nullptr, nullptr, nullptr};
  std::array<BatchNorm, 4> norms_{nullptr, nullptr, nullptr, nullptr};
  Pool pool_{nullptr};
  tnn::Linear fc_{nullptr};
};

}  // namespace

std::shared_ptr<Network> make_small_cnn(const NetworkSpec& spec, at::Generator& generator) {
  return std::make_shared<SmallCnn>(spec, generator);
}

}  // namespace sosia::nn

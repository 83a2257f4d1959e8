#include "nn/iresnet.hpp"

#include "nn/init.hpp"
#include "nn/layers.hpp"
#include "sosia/core/error.hpp"
#include "tensor/error.hpp"

namespace sosia::nn {

namespace tnn = torch::nn;

namespace {

class IBlockImpl : public tnn::Module {
 public:
  IBlockImpl(std::int64_t in, std::int64_t out, std::int64_t stride, bool squeeze_excite) {
    bn1_ = register_module("bn1", BatchNorm(in));
    conv1_ = register_module("conv1", conv(in, out, 3));
    bn2_ = register_module("bn2", BatchNorm(out));
    prelu_ = register_module("prelu", PReLU(out));
    conv2_ = register_module("conv2", conv(out, out, 3, stride));
    bn3_ = register_module("bn3", BatchNorm(out));
    if (squeeze_excite) se_ = register_module("se", SqueezeExcite(out, 16, false));
    if (stride != 1 || in != out) {
      shortcut_conv_ = conv(in, out, 1, stride);
      shortcut_norm_ = BatchNorm(out);
      Group shortcut;
      shortcut->push_back(shortcut_conv_);
      shortcut->push_back(shortcut_norm_);
      register_module("downsample", shortcut);
    }
  }
  at::Tensor forward(const at::Tensor& x) {
    at::Tensor y = prelu_(bn2_(conv1_(bn1_(x))));
    y = bn3_(conv2_(y));
    if (se_) y = se_(y);
    return y + (shortcut_conv_ ? shortcut_norm_(shortcut_conv_(x)) : x);
  }
  // bn1 stands in front of a padded convolution: its offset does not pass the border, so it stays.
  void fold_batch_norms() {
    fold(conv1_, bn2_);
    fold(conv2_, bn3_);
    if (shortcut_conv_) fold(shortcut_conv_, shortcut_norm_);
  }

 private:
  BatchNorm bn1_{nullptr}, bn2_{nullptr}, bn3_{nullptr}, shortcut_norm_{nullptr};
  tnn::Conv2d conv1_{nullptr}, conv2_{nullptr}, shortcut_conv_{nullptr};
  PReLU prelu_{nullptr};
  SqueezeExcite se_{nullptr};
};
TORCH_MODULE(IBlock);

class IResNet final : public Network {
 public:
  IResNet(const std::vector<std::int64_t>& blocks, bool squeeze_excite, const NetworkSpec& spec,
          at::Generator& generator)
      : dimension_(spec.dimension > 0 ? spec.dimension : 512) {
    if (spec.height_px % 16 != 0 || spec.width_px % 16 != 0) {
      throw Error(ErrorCode::invalid_argument,
                  "an IResNet takes sides that are multiples of 16, not " +
                      std::to_string(spec.width_px) + " x " + std::to_string(spec.height_px));
    }
    conv1_ = register_module("conv1", conv(spec.channels, 64, 3));
    bn1_ = register_module("bn1", BatchNorm(64));
    prelu_ = register_module("prelu", PReLU(64));
    std::int64_t in = 64;
    for (std::size_t stage = 0; stage < 4; ++stage) {
      const std::int64_t out = std::int64_t{64} << stage;
      Group layer;
      for (std::int64_t i = 0; i < blocks[stage]; ++i) {
        IBlock block(in, out, i == 0 ? 2 : 1, squeeze_excite);
        in = out;
        layer->push_back(block);
        blocks_.push_back(block);
      }
      register_module("layer" + std::to_string(stage + 1), layer);
    }
    bn2_ = register_module("bn2", BatchNorm(in));
    dropout_ = register_module("dropout", Dropout(spec.dropout, generator));
    fc_ = register_module(
        "fc", tnn::Linear(in * (spec.height_px / 16) * (spec.width_px / 16), dimension_));
    features_ = register_module("features", BatchNorm(dimension_));
    init_default(*this, generator);
    for (const auto& part : modules(false)) {
      if (auto* layer = part->as<tnn::Conv2dImpl>()) normal(layer->weight, 0.1, generator);
    }
    features_->weight.set_requires_grad(false);  // fixed at 1, as published
  }
  at::Tensor forward(const at::Tensor& images) override {
    return tensor::guarded("apply an IResNet", {{"images", images}}, [&] {
      at::Tensor x = prelu_(bn1_(conv1_(images)));
      for (IBlock& block : blocks_) x = block(x);
      return features_(fc_(dropout_(bn2_(x).flatten(1))));
    });
  }
  std::int64_t dimension() const override { return dimension_; }
  void fold_batch_norms() override {
    fold(conv1_, bn1_);
    for (IBlock& block : blocks_) block->fold_batch_norms();
    fold(fc_, features_);
  }

 private:
  std::int64_t dimension_;
  tnn::Conv2d conv1_{nullptr};
  BatchNorm bn1_{nullptr}, bn2_{nullptr}, features_{nullptr};
  PReLU prelu_{nullptr};
  std::vector<IBlock> blocks_;
  Dropout dropout_{nullptr};
  tnn::Linear fc_{nullptr};
};

}  // namespace

std::shared_ptr<Network> make_iresnet(const std::vector<std::int64_t>& blocks, bool squeeze_excite,
                                      const NetworkSpec& spec, at::Generator& generator) {
  return std::make_shared<IResNet>(blocks, squeeze_excite, spec, generator);
}

}  // namespace sosia::nn

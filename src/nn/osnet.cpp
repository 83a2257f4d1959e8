#include "nn/osnet.hpp"

#include "nn/init.hpp"
#include "nn/layers.hpp"
#include "tensor/error.hpp"

#include <array>

namespace sosia::nn {

namespace tnn = torch::nn;

namespace {

// conv, bn and, unless linear, ReLU.
class ConvLayerImpl : public tnn::Module {
 public:
  ConvLayerImpl(std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t stride = 1,
                bool linear = false)
      : linear_(linear) {
    conv_ = register_module("conv", conv(in, out, kernel, stride));
    bn_ = register_module("bn", BatchNorm(out));
  }
  at::Tensor forward(const at::Tensor& x) {
    at::Tensor y = bn_(conv_(x));
    return linear_ ? y : y.relu_();
  }
  void fold_batch_norms() { fold(conv_, bn_); }

 private:
  bool linear_;
  tnn::Conv2d conv_{nullptr};
  BatchNorm bn_{nullptr};
};
TORCH_MODULE(ConvLayer);

// 1 x 1, then depth-wise 3 x 3.
class LightConvImpl : public tnn::Module {
 public:
  explicit LightConvImpl(std::int64_t channels) {
    conv1_ = register_module("conv1", conv(channels, channels, 1));
    conv2_ = register_module("conv2", conv(channels, channels, 3, 1, channels));
    bn_ = register_module("bn", BatchNorm(channels));
  }
  at::Tensor forward(const at::Tensor& x) { return bn_(conv2_(conv1_(x))).relu_(); }
  void fold_batch_norms() { fold(conv2_, bn_); }

 private:
  tnn::Conv2d conv1_{nullptr}, conv2_{nullptr};
  BatchNorm bn_{nullptr};
};
TORCH_MODULE(LightConv);

class OsBlockImpl : public tnn::Module {
 public:
  OsBlockImpl(std::int64_t in, std::int64_t out) {
    const std::int64_t middle = out / 4;
    conv1_ = register_module("conv1", ConvLayer(in, middle, 1));
    for (std::size_t scale = 0; scale < streams_.size(); ++scale) {
      Group stream;
      for (std::size_t i = 0; i <= scale; ++i) {
        streams_[scale].emplace_back(middle);
        stream->push_back(streams_[scale].back());
      }
      const std::string name = std::string("conv2") + "abcd"[scale];
      if (scale == 0) {  // published without a Sequential
        register_module(name, streams_[0][0]);
      } else {
        register_module(name, stream);
      }
    }
    gate_ = register_module("gate", SqueezeExcite(middle, 16, true));
    conv3_ = register_module("conv3", ConvLayer(middle, out, 1, 1, true));
    if (in != out) downsample_ = register_module("downsample", ConvLayer(in, out, 1, 1, true));
  }
  at::Tensor forward(const at::Tensor& x) {
    const at::Tensor first = conv1_(x);
    at::Tensor sum;
    for (auto& stream : streams_) {
      at::Tensor y = first;
      for (LightConv& layer : stream) y = layer(y);
      y = gate_(y);
      sum = sum.defined() ? sum + y : y;
    }
    at::Tensor out = conv3_(sum) + (downsample_ ? downsample_(x) : x);
    return out.relu_();
  }
  void fold_batch_norms() {
    conv1_->fold_batch_norms();
    for (auto& stream : streams_) {
      for (LightConv& layer : stream) layer->fold_batch_norms();
    }
    conv3_->fold_batch_norms();
    if (downsample_) downsample_->fold_batch_norms();
  }

 private:
  ConvLayer conv1_{nullptr}, conv3_{nullptr}, downsample_{nullptr};
  std::array<std::vector<LightConv>, 4> streams_;
  SqueezeExcite gate_{nullptr};
};
TORCH_MODULE(OsBlock);

class OsNet final : public Network {
 public:
  OsNet(double width, const NetworkSpec& spec, at::Generator& generator)
      : dimension_(spec.dimension > 0 ? spec.dimension : 512) {
    const auto channels = [&](double full) { return static_cast<std::int64_t>(full * width); };
    const std::array<std::int64_t, 4> c{channels(64), channels(256), channels(384), channels(512)};
    conv1_ = register_module("conv1", ConvLayer(spec.channels, c[0], 7, 2));
    for (std::size_t stage = 0; stage < 3; ++stage) {
      Group layer;
      for (int i = 0; i < 2; ++i) {
        blocks_[stage].emplace_back(i == 0 ? c[stage] : c[stage + 1], c[stage + 1]);
        layer->push_back(blocks_[stage].back());
      }
      if (stage < 2) {  // torchreid: Sequential(1 x 1, average pooling) as the third part
        reductions_[stage] = ConvLayer(c[stage + 1], c[stage + 1], 1);
        Group reduction;
        reduction->push_back(reductions_[stage]);
        layer->push_back(reduction);
      }
      register_module("conv" + std::to_string(stage + 2), layer);
    }
    conv5_ = register_module("conv5", ConvLayer(c[3], c[3], 1));
    pool_ = register_module("pool", Pool(spec.pooling));
    fc_linear_ = tnn::Linear(c[3], dimension_);
    fc_norm_ = BatchNorm(dimension_);
    Group fc;
    fc->push_back(fc_linear_);
    fc->push_back(fc_norm_);
    register_module("fc", fc);
    init_default(*this, generator);
    const torch::NoGradGuard no_grad;
    for (const auto& part : modules(false)) {
      if (auto* layer = part->as<tnn::Conv2dImpl>()) {
        kaiming_normal_fan_out(layer->weight, generator);
        if (layer->bias.defined()) layer->bias.zero_();
      }
    }
    normal(fc_linear_->weight, 0.01, generator);
    fc_linear_->bias.zero_();
  }
  at::Tensor forward(const at::Tensor& images) override {
    return tensor::guarded("apply OSNet", {{"images", images}}, [&] {
      at::Tensor x = at::max_pool2d(conv1_(images), {3, 3}, {2, 2}, {1, 1});
      for (std::size_t stage = 0; stage < 3; ++stage) {
        for (OsBlock& block : blocks_[stage]) x = block(x);
        if (stage < 2) x = at::avg_pool2d(reductions_[stage](x), {2, 2}, {2, 2});
      }
      return fc_norm_(fc_linear_(pool_(conv5_(x)))).relu_();
    });
  }
  std::int64_t dimension() const override { return dimension_; }
  void fold_batch_norms() override {
    conv1_->fold_batch_norms();
    for (auto& stage : blocks_) {
      for (OsBlock& block : stage) block->fold_batch_norms();
    }
    for (ConvLayer& layer : reductions_) layer->fold_batch_norms();
    conv5_->fold_batch_norms();
    fold(fc_linear_, fc_norm_);
  }

 private:
  std::int64_t dimension_;
  ConvLayer conv1_{nullptr}, conv5_{nullptr};
  std::array<std::vector<OsBlock>, 3> blocks_;
  std::array<ConvLayer, 2> reductions_{nullptr, nullptr};
  Pool pool_{nullptr};
  tnn::Linear fc_linear_{nullptr};
  BatchNorm fc_norm_{nullptr};
};

}  // namespace

std::shared_ptr<Network> make_osnet(double width, const NetworkSpec& spec,
                                    at::Generator& generator) {
  return std::make_shared<OsNet>(width, spec, generator);
}

}  // namespace sosia::nn

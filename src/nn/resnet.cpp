#include "nn/resnet.hpp"

#include "nn/init.hpp"
#include "nn/layers.hpp"
#include "tensor/error.hpp"

namespace sosia::nn {

namespace tnn = torch::nn;

namespace {

// The norm behind a block's first convolution: plain, or IBN-a.
class FirstNorm {
 public:
  FirstNorm(std::int64_t channels, bool ibn) {
    // Registered under the names of the variant by the block itself.
    if (ibn) {
      ibn_ = IbnA(channels);
    } else {
      plain_ = BatchNorm(channels);
    }
  }
  void join(tnn::Module& block, const std::string& name) {
    if (ibn_) {
      block.register_module(name, ibn_);
    } else {
      block.register_module(name, plain_);
    }
  }
  at::Tensor forward(const at::Tensor& x) { return ibn_ ? ibn_(x) : plain_(x); }
  void fold_into(tnn::Conv2d& layer) {
    if (plain_) fold(layer, plain_);
  }

 private:
  IbnA ibn_{nullptr};
  BatchNorm plain_{nullptr};
};

struct BlockOptions {
  std::int64_t in = 0, width = 0, stride = 1;
  bool bottleneck = false;
  Ibn ibn = Ibn::none;
};

class BlockImpl : public tnn::Module {
 public:
  explicit BlockImpl(const BlockOptions& o)
      : bottleneck_(o.bottleneck), bn1_(o.width, o.ibn == Ibn::a) {
    const std::int64_t out = o.bottleneck ? 4 * o.width : o.width;
    conv1_ = register_module(
        "conv1", o.bottleneck ? conv(o.in, o.width, 1) : conv(o.in, o.width, 3, o.stride));
    bn1_.join(*this, "bn1");
    conv2_ = register_module("conv2", conv(o.width, o.width, 3, o.bottleneck ? o.stride : 1));
    bn2_ = register_module("bn2", BatchNorm(o.width));
    if (o.bottleneck) {
      conv3_ = register_module("conv3", conv(o.width, out, 1));
      bn3_ = register_module("bn3", BatchNorm(out));
    }
    if (o.ibn == Ibn::b) {
      in_ =
          register_module("IN", tnn::InstanceNorm2d(tnn::InstanceNorm2dOptions(out).affine(true)));
    }
    if (o.stride != 1 || o.in != out) {
      shortcut_conv_ = conv(o.in, out, 1, o.stride);
      shortcut_norm_ = BatchNorm(out);
      Group shortcut;
      shortcut->push_back(shortcut_conv_);
      shortcut->push_back(shortcut_norm_);
      register_module("downsample", shortcut);
    }
  }

  at::Tensor forward(const at::Tensor& x) {
    at::Tensor y = bn1_.forward(conv1_(x)).relu_();
    y = bn2_(conv2_(y));
    if (bottleneck_) y = bn3_(conv3_(y.relu_()));
    y = y + (shortcut_conv_ ? shortcut_norm_(shortcut_conv_(x)) : x);
    if (in_) y = in_(y);
    return y.relu_();
  }

  void fold_batch_norms() {
    bn1_.fold_into(conv1_);
    fold(conv2_, bn2_);
    if (conv3_) fold(conv3_, bn3_);
    if (shortcut_conv_) fold(shortcut_conv_, shortcut_norm_);
  }

 private:
  bool bottleneck_;
  tnn::Conv2d conv1_{nullptr}, conv2_{nullptr}, conv3_{nullptr}, shortcut_conv_{nullptr};
  FirstNorm bn1_;
  BatchNorm bn2_{nullptr}, bn3_{nullptr}, shortcut_norm_{nullptr};
  tnn::InstanceNorm2d in_{nullptr};
};
TORCH_MODULE(Block);

class ResNet final : public Network {
 public:
  ResNet(const ResNetOptions& o, const NetworkSpec& spec, at::Generator& generator) {
    conv1_ = register_module(
        "conv1",
        tnn::Conv2d(tnn::Conv2dOptions(spec.channels, 64, 7).stride(2).padding(3).bias(false)));
    if (o.ibn == Ibn::b) {
      stem_in_ =
          register_module("bn1", tnn::InstanceNorm2d(tnn::InstanceNorm2dOptions(64).affine(true)));
    } else {
      bn1_ = register_module("bn1", BatchNorm(64));
    }
    std::int64_t in = 64;
    for (std::size_t stage = 0; stage < 4; ++stage) {
      const std::int64_t width = std::int64_t{64} << stage;
      Group layer;
      for (std::int64_t i = 0; i < o.blocks[stage]; ++i) {
        const bool halves = i == 0 && stage > 0 && !(stage == 3 && spec.last_stride_one);
        // IBN-a in stages 1 to 3; IBN-b behind the last block of stages 1 and 2 (IBN-Net's code).
        Ibn ibn = o.ibn;
        if (ibn == Ibn::a && stage == 3) ibn = Ibn::none;
        if (ibn == Ibn::b && (stage > 1 || i + 1 < o.blocks[stage])) ibn = Ibn::none;
        Block block(BlockOptions{in, width, halves ? 2 : 1, o.bottleneck, ibn});
        in = o.bottleneck ? 4 * width : width;
        layer->push_back(block);
        blocks_.push_back(block);
      }
      register_module("layer" + std::to_string(stage + 1), layer);
    }
    pool_ = register_module("pool", Pool(spec.pooling));
    dimension_ = spec.dimension > 0 ? spec.dimension : in;
    if (dimension_ != in) fc_ = register_module("fc", tnn::Linear(in, dimension_));
    init_default(*this, generator);
    for (const auto& part : modules(false)) {
      if (auto* layer = part->as<tnn::Conv2dImpl>())
        kaiming_normal_fan_out(layer->weight, generator);
    }
  }

  at::Tensor forward(const at::Tensor& images) override {
    return tensor::guarded("apply a ResNet", {{"images", images}}, [&] {
      at::Tensor x = conv1_(images);
      x = (stem_in_ ? stem_in_(x) : bn1_(x)).relu_();
      x = at::max_pool2d(x, {3, 3}, {2, 2}, {1, 1});
      for (Block& block : blocks_) x = block(x);
      x = pool_(x);
      return fc_ ? fc_(x) : x;
    });
  }
  std::int64_t dimension() const override { return dimension_; }
  void fold_batch_norms() override {
    if (bn1_) fold(conv1_, bn1_);
    for (Block& block : blocks_) block->fold_batch_norms();
  }

 private:
  tnn::Conv2d conv1_{nullptr};
  BatchNorm bn1_{nullptr};
  tnn::InstanceNorm2d stem_in_{nullptr};
  std::vector<Block> blocks_;
  Pool pool_{nullptr};
  tnn::Linear fc_{nullptr};
  std::int64_t dimension_ = 0;
};

}  // namespace

std::shared_ptr<Network> make_resnet(const ResNetOptions& options, const NetworkSpec& spec,
                                     at::Generator& generator) {
  return std::make_shared<ResNet>(options, spec, generator);
}

}  // namespace sosia::nn

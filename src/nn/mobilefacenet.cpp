#include "nn/mobilefacenet.hpp"

#include "nn/init.hpp"
#include "nn/layers.hpp"
#include "sosia/core/error.hpp"
#include "tensor/error.hpp"

#include <optional>

namespace sosia::nn {

namespace tnn = torch::nn;

namespace {

// Convolution, norm and, unless linear, PReLU, in a Sequential named `layers`.
class ConvBlockImpl : public tnn::Module {
 public:
  ConvBlockImpl(std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t stride,
                std::int64_t padding, std::int64_t groups, bool linear) {
    conv_ = tnn::Conv2d(tnn::Conv2dOptions(in, out, kernel)
                            .stride(stride)
                            .padding(padding)
                            .groups(groups)
                            .bias(false));
    norm_ = BatchNorm(out);
    Group layers;
    layers->push_back(conv_);
    layers->push_back(norm_);
    if (!linear) {
      prelu_ = PReLU(out);
      layers->push_back(prelu_);
    }
    register_module("layers", layers);
  }
  at::Tensor forward(const at::Tensor& x) {
    const at::Tensor y = norm_(conv_(x));
    return prelu_ ? prelu_(y) : y;
  }
  void fold_batch_norms() { fold(conv_, norm_); }

 private:
  tnn::Conv2d conv_{nullptr};
  BatchNorm norm_{nullptr};
  PReLU prelu_{nullptr};
};
TORCH_MODULE(ConvBlock);

// Expansion, depth-wise convolution, linear projection.
class DepthWiseImpl : public tnn::Module {
 public:
  DepthWiseImpl(std::int64_t in, std::int64_t out, std::int64_t stride, std::int64_t groups,
                bool residual)
      : residual_(residual) {
    expand_ = ConvBlock(in, groups, 1, 1, 0, 1, false);
    spatial_ = ConvBlock(groups, groups, 3, stride, 1, groups, false);
    project_ = ConvBlock(groups, out, 1, 1, 0, 1, true);
    Group layers;
    layers->push_back(expand_);
    layers->push_back(spatial_);
    layers->push_back(project_);
    register_module("layers", layers);
  }
  at::Tensor forward(const at::Tensor& x) {
    const at::Tensor y = project_(spatial_(expand_(x)));
    return residual_ ? x + y : y;
  }
  void fold_batch_norms() {
    expand_->fold_batch_norms();
    spatial_->fold_batch_norms();
    project_->fold_batch_norms();
  }

 private:
  bool residual_;
  ConvBlock expand_{nullptr}, spatial_{nullptr}, project_{nullptr};
};
TORCH_MODULE(DepthWise);

class ResidualImpl : public tnn::Module {
 public:
  ResidualImpl(std::int64_t channels, std::int64_t count, std::int64_t groups) {
    Group layers;
    for (std::int64_t i = 0; i < count; ++i) {
      DepthWise block(channels, channels, 1, groups, true);
      layers->push_back(block);
      blocks_.push_back(block);
    }
    register_module("layers", layers);
  }
  at::Tensor forward(at::Tensor x) {
    for (DepthWise& block : blocks_) x = block(x);
    return x;
  }
  void fold_batch_norms() {
    for (DepthWise& block : blocks_) block->fold_batch_norms();
  }

 private:
  std::vector<DepthWise> blocks_;
};
TORCH_MODULE(Residual);

// Global depth-wise convolution, linear layer, norm.
class GdcImpl : public tnn::Module {
 public:
  explicit GdcImpl(std::int64_t dimension) {
    depth_ = ConvBlock(512, 512, 7, 1, 0, 512, true);
    linear_ = tnn::Linear(tnn::LinearOptions(512, dimension).bias(false));
    norm_ = BatchNorm(dimension);
    Group layers;
    layers->push_back(depth_);
    layers->skip();  // flatten
    layers->push_back(linear_);
    layers->push_back(norm_);
    register_module("layers", layers);
  }
  at::Tensor forward(const at::Tensor& x) { return norm_(linear_(depth_(x).flatten(1))); }
  void fold_batch_norms() {
    depth_->fold_batch_norms();
    fold(linear_, norm_);
  }

 private:
  ConvBlock depth_{nullptr};
  tnn::Linear linear_{nullptr};
  BatchNorm norm_{nullptr};
};
TORCH_MODULE(Gdc);

class MobileFaceNet final : public Network {
 public:
  MobileFaceNet(const std::vector<std::int64_t>& blocks, std::int64_t scale,
                const NetworkSpec& spec, at::Generator& generator)
      : dimension_(spec.dimension > 0 ? spec.dimension : 512) {
    if (spec.height_px != 112 || spec.width_px != 112) {
      throw Error(ErrorCode::invalid_argument, "MobileFaceNet takes pictures of 112 x 112, not " +
                                                   std::to_string(spec.width_px) + " x " +
                                                   std::to_string(spec.height_px));
    }
    const std::int64_t narrow = 64 * scale, wide = 128 * scale;
    Group layers;
    const auto add = [&](auto module) {
      layers->push_back(module);
      folds_.push_back([module]() mutable { module->fold_batch_norms(); });
      steps_.push_back([module](const at::Tensor& x) mutable { return module(x); });
    };
    add(ConvBlock(spec.channels, narrow, 3, 2, 1, 1, false));
    if (blocks[0] == 1) {
      add(ConvBlock(narrow, narrow, 3, 1, 1, 64, false));
    } else {
      add(Residual(narrow, blocks[0], 128));
    }
    add(DepthWise(narrow, narrow, 2, 128, false));
    add(Residual(narrow, blocks[1], 128));
    add(DepthWise(narrow, wide, 2, 256, false));
    add(Residual(wide, blocks[2], 256));
    add(DepthWise(wide, wide, 2, 512, false));
    add(Residual(wide, blocks[3], 256));
    register_module("layers", layers);
    conv_sep_ = register_module("conv_sep", ConvBlock(wide, 512, 1, 1, 0, 1, false));
    features_ = register_module("features", Gdc(dimension_));
    init_default(*this, generator);
    for (const auto& part : modules(false)) {
      if (auto* layer = part->as<tnn::Conv2dImpl>())
        kaiming_normal_fan_out(layer->weight, generator);
      if (auto* layer = part->as<tnn::LinearImpl>())
        kaiming_normal_fan_out(layer->weight, generator);
    }
  }
  at::Tensor forward(const at::Tensor& images) override {
    return tensor::guarded("apply MobileFaceNet", {{"images", images}}, [&] {
      at::Tensor x = images;
      for (const auto& step : steps_) x = step(x);
      return features_(conv_sep_(x));
    });
  }
  std::int64_t dimension() const override { return dimension_; }
  void fold_batch_norms() override {
    for (const auto& one : folds_) one();
    conv_sep_->fold_batch_norms();
    features_->fold_batch_norms();
  }

 private:
  std::int64_t dimension_;
  std::vector<std::function<at::Tensor(const at::Tensor&)>> steps_;
  std::vector<std::function<void()>> folds_;
  ConvBlock conv_sep_{nullptr};
  Gdc features_{nullptr};
};

}  // namespace

std::shared_ptr<Network> make_mobilefacenet(const std::vector<std::int64_t>& blocks,
                                            std::int64_t scale, const NetworkSpec& spec,
                                            at::Generator& generator) {
  return std::make_shared<MobileFaceNet>(blocks, scale, spec, generator);
}

}  // namespace sosia::nn

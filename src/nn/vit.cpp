#include "nn/vit.hpp"

#include "nn/init.hpp"
#include "nn/layers.hpp"
#include "sosia/core/error.hpp"
#include "tensor/error.hpp"

namespace sosia::nn {

namespace tnn = torch::nn;

namespace {

constexpr double kEps = 1e-6;        // of the layer norms
constexpr double kDeviation = 0.02;  // of the initial weights

tnn::LayerNorm layer_norm(std::int64_t width) {
  return tnn::LayerNorm(tnn::LayerNormOptions({width}).eps(kEps));
}

class AttentionImpl : public tnn::Module {
 public:
  AttentionImpl(std::int64_t width, std::int64_t heads) : heads_(heads) {
    qkv_ = register_module("qkv", tnn::Linear(width, 3 * width));
    proj_ = register_module("proj", tnn::Linear(width, width));
  }
  at::Tensor forward(const at::Tensor& x) {
    const std::int64_t n = x.size(0), tokens = x.size(1), width = x.size(2);
    const std::vector<at::Tensor> qkv =
        qkv_(x).view({n, tokens, 3, heads_, width / heads_}).permute({2, 0, 3, 1, 4}).unbind(0);
    const at::Tensor y = at::scaled_dot_product_attention(qkv[0], qkv[1], qkv[2]);
    return proj_(y.transpose(1, 2).reshape({n, tokens, width}));
  }

 private:
  std::int64_t heads_;
  tnn::Linear qkv_{nullptr}, proj_{nullptr};
};
TORCH_MODULE(Attention);

class MlpImpl : public tnn::Module {
 public:
  explicit MlpImpl(std::int64_t width) {
    fc1_ = register_module("fc1", tnn::Linear(width, 4 * width));
    fc2_ = register_module("fc2", tnn::Linear(4 * width, width));
  }
  at::Tensor forward(const at::Tensor& x) { return fc2_(at::gelu(fc1_(x))); }

 private:
  tnn::Linear fc1_{nullptr}, fc2_{nullptr};
};
TORCH_MODULE(Mlp);

class VitBlockImpl : public tnn::Module {
 public:
  VitBlockImpl(std::int64_t width, std::int64_t heads) {
    norm1_ = register_module("norm1", layer_norm(width));
    attn_ = register_module("attn", Attention(width, heads));
    norm2_ = register_module("norm2", layer_norm(width));
    mlp_ = register_module("mlp", Mlp(width));
  }
  at::Tensor forward(const at::Tensor& x) {
    const at::Tensor y = x + attn_(norm1_(x));
    return y + mlp_(norm2_(y));
  }

 private:
  tnn::LayerNorm norm1_{nullptr}, norm2_{nullptr};
  Attention attn_{nullptr};
  Mlp mlp_{nullptr};
};
TORCH_MODULE(VitBlock);

class PatchEmbedImpl : public tnn::Module {
 public:
  PatchEmbedImpl(std::int64_t channels, std::int64_t width, std::int64_t patch) {
    proj_ = register_module("proj",
                            tnn::Conv2d(tnn::Conv2dOptions(channels, width, patch).stride(patch)));
  }
  at::Tensor forward(const at::Tensor& x) { return proj_(x).flatten(2).transpose(1, 2); }

 private:
  tnn::Conv2d proj_{nullptr};
};
TORCH_MODULE(PatchEmbed);

class Vit final : public Network {
 public:
  Vit(const VitOptions& o, const NetworkSpec& spec, at::Generator& generator) {
    const std::int64_t patch = spec.patch_px;
    if (spec.height_px % patch != 0 || spec.width_px % patch != 0) {
      throw Error(ErrorCode::invalid_argument,
                  "a ViT takes sides that are multiples of its patch of " + std::to_string(patch) +
                      " px, not " + std::to_string(spec.width_px) + " x " +
                      std::to_string(spec.height_px),
                  "patch_px sets the patch");
    }
    patches_ = (spec.height_px / patch) * (spec.width_px / patch);
    patch_embed_ = register_module("patch_embed", PatchEmbed(spec.channels, o.width, patch));
    cls_token_ = register_parameter("cls_token", at::zeros({1, 1, o.width}));
    if (spec.registers > 0) {
      reg_token_ = register_parameter("reg_token", at::zeros({1, spec.registers, o.width}));
    }
    // Where registers stand, timm gives only the patches and the class token places.
    pos_embed_ = register_parameter("pos_embed", at::zeros({1, patches_ + 1, o.width}));
    Group blocks;
    for (std::int64_t i = 0; i < o.depth; ++i) {
      blocks_.emplace_back(o.width, o.heads);
      blocks->push_back(blocks_.back());
    }
    register_module("blocks", blocks);
    norm_ = register_module("norm", layer_norm(o.width));
    dimension_ = spec.dimension > 0 ? spec.dimension : o.width;
    if (dimension_ != o.width) head_ = register_module("head", tnn::Linear(o.width, dimension_));
    initialise(generator);
  }

  at::Tensor forward(const at::Tensor& images) override {
    return tensor::guarded("apply a ViT", {{"images", images}}, [&] {
      const std::int64_t n = images.size(0);
      at::Tensor x =
          at::cat({cls_token_.expand({n, -1, -1}), patch_embed_(images)}, 1) + pos_embed_;
      if (reg_token_.defined()) {  // between the class token and the patches
        x = at::cat({x.slice(1, 0, 1), reg_token_.expand({n, -1, -1}), x.slice(1, 1)}, 1);
      }
      for (VitBlock& block : blocks_) x = block(x);
      const at::Tensor embedding = norm_(x.select(1, 0).contiguous());
      return head_ ? head_(embedding) : embedding;
    });
  }
  std::int64_t dimension() const override { return dimension_; }
  void fold_batch_norms() override {}  // there are none

 private:
  void initialise(at::Generator& generator) {
    init_default(*this, generator);
    const torch::NoGradGuard no_grad;
    for (const auto& part : modules(false)) {
      if (auto* layer = part->as<tnn::LinearImpl>()) {
        truncated_normal(layer->weight, kDeviation, generator);
        layer->bias.zero_();
      }
    }
    truncated_normal(pos_embed_, kDeviation, generator);
    normal(cls_token_, 1e-6, generator);
    if (reg_token_.defined()) normal(reg_token_, 1e-6, generator);
  }

  std::int64_t patches_ = 0, dimension_ = 0;
  PatchEmbed patch_embed_{nullptr};
  at::Tensor cls_token_, reg_token_, pos_embed_;
  std::vector<VitBlock> blocks_;
  tnn::LayerNorm norm_{nullptr};
  tnn::Linear head_{nullptr};
};

}  // namespace

std::shared_ptr<Network> make_vit(const VitOptions& options, const NetworkSpec& spec,
                                  at::Generator& generator) {
  return std::make_shared<Vit>(options, spec, generator);
}

}  // namespace sosia::nn

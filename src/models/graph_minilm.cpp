// The encoder of MiniLM-L6: BERT with 6 layers of 12 heads, 384 numbers, and the mean over tokens.
// Reference: Devlin et al., arXiv 1810.04805; Wang et al., arXiv 2002.10957; sentence-transformers,
// all-MiniLM-L6-v2 (modules.json: mean pooling).

#include "models/graph_parts.hpp"

#include <openvino/op/constant.hpp>
#include <openvino/op/convert.hpp>
#include <openvino/op/divide.hpp>
#include <openvino/op/gather.hpp>
#include <openvino/op/gelu.hpp>
#include <openvino/op/multiply.hpp>
#include <openvino/op/mvn.hpp>
#include <openvino/op/range.hpp>
#include <openvino/op/reduce_sum.hpp>
#include <openvino/op/reshape.hpp>
#include <openvino/op/scaled_dot_product_attention.hpp>
#include <openvino/op/shape_of.hpp>
#include <openvino/op/squeeze.hpp>
#include <openvino/op/subtract.hpp>
#include <openvino/op/transpose.hpp>
#include <openvino/op/unsqueeze.hpp>

namespace sosia::models {
namespace {

constexpr std::int64_t kWidth = 384, kHeads = 12, kHidden = 1536, kLayers = 6;
constexpr double kLayerNormEpsilon = 1e-12;
/// Added to the logits of padding: far below any real one, far from overflow.
constexpr float kMasked = -1e9F;

std::shared_ptr<ov::Node> integer(std::int64_t value) {
  return ov::op::v0::Constant::create(ov::element::i64, ov::Shape{}, {value});
}

std::shared_ptr<ov::Node> real(float value) {
  return ov::op::v0::Constant::create(ov::element::f32, ov::Shape{}, {value});
}

class Encoder {
 public:
  explicit Encoder(const formats::SafetensorsFile& file) : parts_(file) {}

  std::shared_ptr<ov::Model> build() {
    auto ids = std::make_shared<ov::op::v0::Parameter>(ov::element::i32, ov::PartialShape{-1, -1});
    named(ids, "input_ids");
    const auto mask = float_input("attention_mask", {-1, -1});
    // [n, 1, 1, tokens]: the same for all heads and all asking tokens.
    const Node hidden_from = std::make_shared<ov::op::v1::Multiply>(
        std::make_shared<ov::op::v1::Subtract>(real(1), mask), real(kMasked));
    const Node bias = std::make_shared<ov::op::v0::Unsqueeze>(hidden_from, integers({1, 2}));
    Node x = embed(ids);
    for (std::int64_t i = 0; i < kLayers; ++i) {
      x = layer(x, bias, "encoder.layer." + std::to_string(i) + ".");
    }
    const Node mean = named(mean_over(x, mask), "embedding");
    return std::make_shared<ov::Model>(ov::OutputVector{mean}, ov::ParameterVector{ids, mask},
                                       "minilm-l6");
  }

 private:
  Node embed(const Node& ids) {
    const Node words = std::make_shared<ov::op::v8::Gather>(
        parts_.weight("embeddings.word_embeddings.weight", {-1, kWidth}), ids, integer(0));
    const Node length = std::make_shared<ov::op::v8::Gather>(
        std::make_shared<ov::op::v3::ShapeOf>(ids, ov::element::i64), integer(1), integer(0));
    const Node order =
        std::make_shared<ov::op::v4::Range>(integer(0), length, integer(1), ov::element::i64);
    const Node places = std::make_shared<ov::op::v8::Gather>(
        parts_.weight("embeddings.position_embeddings.weight", {-1, kWidth}), order, integer(0));
    const Node first_kind = std::make_shared<ov::op::v8::Gather>(
        parts_.weight("embeddings.token_type_embeddings.weight", {2, kWidth}), integer(0),
        integer(0));
    return normalised(add(add(words, places), first_kind), "embeddings.LayerNorm");
  }

  Node normalised(const Node& x, const std::string& name) {
    const Node centred = std::make_shared<ov::op::v6::MVN>(
        x, integers({-1}), true, kLayerNormEpsilon, ov::op::MVNEpsMode::INSIDE_SQRT);
    const Node scaled =
        std::make_shared<ov::op::v1::Multiply>(centred, parts_.weight(name + ".weight", {kWidth}));
    return add(scaled, parts_.weight(name + ".bias", {kWidth}));
  }

  /// [n, tokens, width] to [n, heads, tokens, width / heads].
  Node heads(const Node& x) {
    const Node split =
        std::make_shared<ov::op::v1::Reshape>(x, integers({0, 0, kHeads, kWidth / kHeads}), true);
    return std::make_shared<ov::op::v1::Transpose>(split, integers({0, 2, 1, 3}));
  }

  Node layer(const Node& x, const Node& bias, const std::string& at) {
    const std::string self = at + "attention.self.";
    const auto part = [&](const char* name) {
      return heads(parts_.dense(x, self + name, kWidth, kWidth));
    };
    const Node attended = std::make_shared<ov::op::v13::ScaledDotProductAttention>(
        part("query"), part("key"), part("value"), bias, false);
    const Node joined = std::make_shared<ov::op::v1::Reshape>(
        std::make_shared<ov::op::v1::Transpose>(attended, integers({0, 2, 1, 3})),
        integers({0, 0, kWidth}), true);
    const Node mixed =
        normalised(add(parts_.dense(joined, at + "attention.output.dense", kWidth, kWidth), x),
                   at + "attention.output.LayerNorm");
    const Node wide = std::make_shared<ov::op::v7::Gelu>(
        parts_.dense(mixed, at + "intermediate.dense", kWidth, kHidden),
        ov::op::GeluApproximationMode::ERF);
    return normalised(add(parts_.dense(wide, at + "output.dense", kHidden, kWidth), mixed),
                      at + "output.LayerNorm");
  }

  /// Mean of the tokens that the mask leaves.
  Node mean_over(const Node& x, const Node& mask) {
    const Node weights = std::make_shared<ov::op::v0::Unsqueeze>(mask, integers({2}));
    const Node sum = std::make_shared<ov::op::v1::ReduceSum>(
        std::make_shared<ov::op::v1::Multiply>(x, weights), integers({1}));
    const Node count = std::make_shared<ov::op::v1::ReduceSum>(weights, integers({1}));
    return std::make_shared<ov::op::v1::Divide>(sum, count);
  }

  GraphParts parts_;
};

}  // namespace

std::shared_ptr<ov::Model> build_minilm(const formats::SafetensorsFile& file) {
  return Encoder(file).build();
}

}  // namespace sosia::models

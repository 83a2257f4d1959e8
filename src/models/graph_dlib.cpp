// dlib's face networks. Reference: dlib, examples/dnn_face_recognition_ex.cpp and
// dnn_mmod_face_detection_ex.cpp; dlib/dnn/layers.h.

#include "models/graph_parts.hpp"

#include <algorithm>

#include <openvino/op/avg_pool.hpp>
#include <openvino/op/constant.hpp>
#include <openvino/op/max_pool.hpp>
#include <openvino/op/pad.hpp>
#include <openvino/op/reduce_mean.hpp>

namespace sosia::models {
namespace {

/// Planes and sides of a layer's output; the ResNet's are all fixed.
struct Layer {
  Node x;
  std::int64_t planes = 0;
  std::int64_t side = 0;
};

/// `x` with zeros behind its planes, below and to the right: dlib adds tensors of different sizes
/// as if the smaller one were surrounded by zeros at the far ends.
Node grown(const Layer& layer, std::int64_t planes, std::int64_t side) {
  const std::int64_t more_planes = planes - layer.planes, more = side - layer.side;
  if (more_planes == 0 && more == 0) return layer.x;
  const auto zero = ov::op::v0::Constant::create(ov::element::f32, ov::Shape{}, {0.0F});
  return std::make_shared<ov::op::v1::Pad>(layer.x, integers({0, 0, 0, 0}),
                                           integers({0, more_planes, more, more}), zero,
                                           ov::op::PadMode::CONSTANT);
}

class ResNet {
 public:
  explicit ResNet(const formats::SafetensorsFile& file) : parts_(file) {}

  std::shared_ptr<ov::Model> build() {
    const auto input = float_input("input", {-1, 3, 150, 150});
    Layer layer{relu(parts_.convolution(input, next(), 3, 32, 7, 2)), 32, 72};
    layer.x = std::make_shared<ov::op::v1::MaxPool>(layer.x, ov::Strides{2, 2}, ov::Shape{0, 0},
                                                    ov::Shape{0, 0}, ov::Shape{3, 3});
    layer.side = 35;
    for (int i = 0; i < 3; ++i) layer = residual(layer);
    layer = level(layer, 64, 3);
    layer = level(layer, 128, 2);
    layer = level(layer, 256, 2);
    layer = halved(layer, 256);
    const Node mean = std::make_shared<ov::op::v1::ReduceMean>(layer.x, integers({2, 3}));
    const Node embedding = named(parts_.dense(mean, "fc", 256, 128, false), "embedding");
    return std::make_shared<ov::Model>(ov::OutputVector{embedding}, ov::ParameterVector{input},
                                       "dlib-face-resnet");
  }

 private:
  std::string next() { return "conv" + std::to_string(convolution_++); }

  /// Two convolutions around which the input is led.
  Layer residual(const Layer& in) {
    Node x = relu(parts_.convolution(in.x, next(), in.planes, in.planes, 3, 1, 1));
    x = parts_.convolution(x, next(), in.planes, in.planes, 3, 1, 1);
    return {relu(add(x, in.x)), in.planes, in.side};
  }

  /// The same with half the side. The first convolution does not pad, so its result can be one
  /// smaller than the pooled input.
  Layer halved(const Layer& in, std::int64_t planes) {
    Node x = relu(parts_.convolution(in.x, next(), in.planes, planes, 3, 2));
    const Layer block{parts_.convolution(x, next(), planes, planes, 3, 1, 1), planes,
                      (in.side - 3) / 2 + 1};
    const Layer pooled{std::make_shared<ov::op::v1::AvgPool>(
                           in.x, ov::Strides{2, 2}, ov::Shape{0, 0}, ov::Shape{0, 0},
                           ov::Shape{2, 2}, true, ov::op::RoundingType::FLOOR),
                       in.planes, in.side / 2};
    const std::int64_t side = std::max(block.side, pooled.side);
    return {relu(add(grown(block, planes, side), grown(pooled, planes, side))), planes, side};
  }

  Layer level(const Layer& in, std::int64_t planes, int more) {
    Layer layer = halved(in, planes);
    for (int i = 0; i < more; ++i) layer = residual(layer);
    return layer;
  }

  GraphParts parts_;
  int convolution_ = 0;
};

}  // namespace

std::shared_ptr<ov::Model> build_dlib_resnet(const formats::SafetensorsFile& file) {
  return ResNet(file).build();
}

std::shared_ptr<ov::Model> build_dlib_mmod(const formats::SafetensorsFile& file) {
  const GraphParts parts(file);
  const auto input = float_input("input", {-1, 3, -1, -1});
  Node x = relu(parts.convolution(input, "conv0", 3, 16, 5, 2));
  x = relu(parts.convolution(x, "conv1", 16, 32, 5, 2));
  x = relu(parts.convolution(x, "conv2", 32, 32, 5, 2));
  x = relu(parts.convolution(x, "conv3", 32, 45, 5, 1, 2));
  x = relu(parts.convolution(x, "conv4", 45, 45, 5, 1, 2));
  x = relu(parts.convolution(x, "conv5", 45, 45, 5, 1, 2));
  const Node scores = named(parts.convolution(x, "conv6", 45, 1, 9, 1, 4), "scores");
  return std::make_shared<ov::Model>(ov::OutputVector{scores}, ov::ParameterVector{input},
                                     "dlib-mmod");
}

}  // namespace sosia::models

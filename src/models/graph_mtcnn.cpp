// The three nets of MTCNN. Reference: Zhang et al., "Joint Face Detection and Alignment using
// Multi-task Cascaded Convolutional Networks", arXiv 1604.02878; the package mtcnn, network/*.py.

#include "models/graph_parts.hpp"

#include <openvino/op/max_pool.hpp>
#include <openvino/op/reshape.hpp>
#include <openvino/op/softmax.hpp>

namespace sosia::models {
namespace {

/// Keras' pooling: "same" pads at the far ends so that ceil(side / 2) remain.
Node pooled(const Node& x, std::size_t window, bool same) {
  return std::make_shared<ov::op::v1::MaxPool>(
      x, ov::Strides{2, 2}, ov::Shape{0, 0}, ov::Shape{0, 0}, ov::Shape{window, window},
      ov::op::RoundingType::FLOOR, same ? ov::op::PadType::SAME_UPPER : ov::op::PadType::VALID);
}

Node convolved(const GraphParts& parts, const Node& x, int index, std::int64_t planes,
               std::int64_t filters, std::int64_t side) {
  const std::string name = "conv" + std::to_string(index);
  return parts.prelu(parts.convolution(x, name, planes, filters, side), name, filters);
}

Node flattened(const Node& x, std::int64_t numbers) {
  return std::make_shared<ov::op::v1::Reshape>(x, integers({-1, numbers}), false);
}

Node softmax(const Node& x) {
  return std::make_shared<ov::op::v8::Softmax>(x, 1);
}

}  // namespace

std::shared_ptr<ov::Model> build_mtcnn_p(const formats::SafetensorsFile& file) {
  const GraphParts parts(file);
  const auto input = float_input("input", {-1, 3, -1, -1});
  Node x = pooled(convolved(parts, input, 0, 3, 10, 3), 2, true);
  x = convolved(parts, x, 1, 10, 16, 3);
  x = convolved(parts, x, 2, 16, 32, 3);
  const Node boxes = named(parts.convolution(x, "conv3", 32, 4, 1), "boxes");
  const Node scores = named(softmax(parts.convolution(x, "conv4", 32, 2, 1)), "scores");
  return std::make_shared<ov::Model>(ov::OutputVector{boxes, scores}, ov::ParameterVector{input},
                                     "mtcnn-p");
}

std::shared_ptr<ov::Model> build_mtcnn_r(const formats::SafetensorsFile& file) {
  const GraphParts parts(file);
  const auto input = float_input("input", {-1, 3, 24, 24});
  Node x = pooled(convolved(parts, input, 0, 3, 28, 3), 3, true);
  x = pooled(convolved(parts, x, 1, 28, 48, 3), 3, false);
  x = flattened(convolved(parts, x, 2, 48, 64, 2), 576);
  x = parts.prelu(parts.dense(x, "fc0", 576, 128), "fc0", 128);
  const Node boxes = named(parts.dense(x, "fc1", 128, 4), "boxes");
  const Node scores = named(softmax(parts.dense(x, "fc2", 128, 2)), "scores");
  return std::make_shared<ov::Model>(ov::OutputVector{boxes, scores}, ov::ParameterVector{input},
                                     "mtcnn-r");
}

std::shared_ptr<ov::Model> build_mtcnn_o(const formats::SafetensorsFile& file) {
  const GraphParts parts(file);
  const auto input = float_input("input", {-1, 3, 48, 48});
  Node x = pooled(convolved(parts, input, 0, 3, 32, 3), 3, true);
  x = pooled(convolved(parts, x, 1, 32, 64, 3), 3, false);
  x = pooled(convolved(parts, x, 2, 64, 64, 3), 2, true);
  x = flattened(convolved(parts, x, 3, 64, 128, 2), 1152);
  x = parts.prelu(parts.dense(x, "fc0", 1152, 256), "fc0", 256);
  const Node boxes = named(parts.dense(x, "fc1", 256, 4), "boxes");
  const Node points = named(parts.dense(x, "fc2", 256, 10), "landmarks");
  const Node scores = named(softmax(parts.dense(x, "fc3", 256, 2)), "scores");
  return std::make_shared<ov::Model>(ov::OutputVector{boxes, points, scores},
                                     ov::ParameterVector{input}, "mtcnn-o");
}

}  // namespace sosia::models

#include "models/graph_parts.hpp"

#include "sosia/core/error.hpp"
#include "sosia/models/tensor.hpp"

#include <fmt/format.h>
#include <openvino/op/add.hpp>
#include <openvino/op/constant.hpp>
#include <openvino/op/convolution.hpp>
#include <openvino/op/matmul.hpp>
#include <openvino/op/prelu.hpp>
#include <openvino/op/relu.hpp>

namespace sosia::models {
namespace {

bool agrees(const std::vector<std::size_t>& have, const std::vector<std::int64_t>& want) {
  if (have.size() != want.size()) return false;
  for (std::size_t i = 0; i < want.size(); ++i) {
    if (want[i] >= 0 && static_cast<std::size_t>(want[i]) != have[i]) return false;
  }
  return true;
}

}  // namespace

std::shared_ptr<ov::Node> GraphParts::reshaped(const std::string& name,
                                               const std::vector<std::int64_t>& shape,
                                               const ov::Shape& as) const {
  const formats::TensorInfo* info = file_.find(name);
  if (info == nullptr || !agrees(info->shape, shape)) {
    throw Error(ErrorCode::corrupt_data,
                info == nullptr ? fmt::format("the weights hold no tensor {}", name)
                                : fmt::format("the tensor {} is {}, but the network needs {}", name,
                                              formats::shape_text(info->shape), shape_text(shape)),
                "these are the weights of another network; the card's `graph` says which is built");
  }
  const std::vector<float> values = formats::to_f32(file_.view(*info));
  return std::make_shared<ov::op::v0::Constant>(ov::element::f32, as, values.data());
}

std::shared_ptr<ov::Node> GraphParts::weight(const std::string& name,
                                             const std::vector<std::int64_t>& shape) const {
  const formats::TensorInfo* info = file_.find(name);
  return reshaped(name, shape, info == nullptr ? ov::Shape() : ov::Shape(info->shape));
}

Node GraphParts::convolution(const Node& x, const std::string& name, std::int64_t planes,
                             std::int64_t filters, std::int64_t side, std::size_t stride,
                             std::int64_t padding) const {
  const auto convolved = std::make_shared<ov::op::v1::Convolution>(
      x, weight(name + ".weight", {filters, planes, side, side}), ov::Strides{stride, stride},
      ov::CoordinateDiff{padding, padding}, ov::CoordinateDiff{padding, padding},
      ov::Strides{1, 1});
  return add(convolved, reshaped(name + ".bias", {filters},
                                 ov::Shape{1, static_cast<std::size_t>(filters), 1, 1}));
}

Node GraphParts::dense(const Node& x, const std::string& name, std::int64_t inputs,
                       std::int64_t outputs, bool bias) const {
  const auto product = std::make_shared<ov::op::v0::MatMul>(
      x, weight(name + ".weight", {outputs, inputs}), false, true);
  if (!bias) return product;
  return add(product, weight(name + ".bias", {outputs}));
}

Node GraphParts::prelu(const Node& x, const std::string& name, std::int64_t planes) const {
  return std::make_shared<ov::op::v0::PRelu>(x, weight(name + ".slope", {planes}));
}

Node relu(const Node& x) {
  return std::make_shared<ov::op::v0::Relu>(x);
}

Node add(const Node& a, const Node& b) {
  return std::make_shared<ov::op::v1::Add>(a, b);
}

std::shared_ptr<ov::Node> integers(const std::vector<std::int64_t>& values) {
  return ov::op::v0::Constant::create(ov::element::i64, ov::Shape{values.size()}, values);
}

Node named(const Node& x, const std::string& name) {
  x.get_node()->set_friendly_name(name);
  Node out = x;
  out.get_tensor().set_names({name});
  return out;
}

std::shared_ptr<ov::op::v0::Parameter> float_input(const std::string& name,
                                                   const std::vector<std::int64_t>& shape) {
  ov::PartialShape sides;
  for (const std::int64_t side : shape) sides.push_back(ov::Dimension(side));
  auto parameter = std::make_shared<ov::op::v0::Parameter>(ov::element::f32, sides);
  named(parameter, name);
  return parameter;
}

}  // namespace sosia::models

#pragma once
// What the graphs of this room are made of: weights of a safetensors file as constants, and the few
// layers that all share. Includes OpenVINO.

#include "sosia/formats/safetensors.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <openvino/core/model.hpp>
#include <openvino/core/node.hpp>
#include <openvino/op/parameter.hpp>

namespace sosia::models {

using Node = ov::Output<ov::Node>;

/// Makes layers whose weights are `<name>.weight`, `<name>.bias`, `<name>.slope` of one file.
///
/// A tensor that is missing or of another shape than the layer needs throws corrupt_data with both
/// shapes.
class GraphParts {
 public:
  explicit GraphParts(const formats::SafetensorsFile& file) : file_(file) {}

  /// A tensor as a constant of its own shape; `shape` must match where it is not -1.
  std::shared_ptr<ov::Node> weight(const std::string& name,
                                   const std::vector<std::int64_t>& shape) const;
  /// The same, viewed as another shape of as many numbers.
  std::shared_ptr<ov::Node> reshaped(const std::string& name,
                                     const std::vector<std::int64_t>& shape,
                                     const ov::Shape& as) const;

  /// Cross-correlation with bias: `filters` of `side` x `side` over `planes`.
  Node convolution(const Node& x, const std::string& name, std::int64_t planes,
                   std::int64_t filters, std::int64_t side, std::size_t stride = 1,
                   std::int64_t padding = 0) const;
  /// x W^T + b, rows of `inputs` to rows of `outputs`.
  Node dense(const Node& x, const std::string& name, std::int64_t inputs, std::int64_t outputs,
             bool bias = true) const;
  /// One slope for each of `planes` (axis 1 of `rank` axes).
  Node prelu(const Node& x, const std::string& name, std::int64_t planes) const;

 private:
  const formats::SafetensorsFile& file_;
};

Node relu(const Node& x);
Node add(const Node& a, const Node& b);
std::shared_ptr<ov::Node> integers(const std::vector<std::int64_t>& values);
/// `x` under a name by which it becomes an output.
Node named(const Node& x, const std::string& name);
/// A float input [-1 or fixed sides] under a name.
std::shared_ptr<ov::op::v0::Parameter> float_input(const std::string& name,
                                                   const std::vector<std::int64_t>& shape);

std::shared_ptr<ov::Model> build_dlib_resnet(const formats::SafetensorsFile& file);
std::shared_ptr<ov::Model> build_dlib_mmod(const formats::SafetensorsFile& file);
std::shared_ptr<ov::Model> build_mtcnn_p(const formats::SafetensorsFile& file);
std::shared_ptr<ov::Model> build_mtcnn_r(const formats::SafetensorsFile& file);
std::shared_ptr<ov::Model> build_mtcnn_o(const formats::SafetensorsFile& file);
std::shared_ptr<ov::Model> build_minilm(const formats::SafetensorsFile& file);

}  // namespace sosia::models

#pragma once
// What the tests of this room share.

#include "common.hpp"
#include "errors.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/files.hpp"
#include "sosia/models.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace sosia::models {

#define SOSIA_NEED(variable, name)         \
  const auto variable = shared_data(name); \
  if (!variable) GTEST_SKIP() << "the shared data hold no " << (name)

/// Skips unless the weights that set-up makes are there.
#define SOSIA_NEED_WEIGHTS(store, name)                               \
  if ((store).state((store).at(name), false) != WeightState::present) \
  GTEST_SKIP() << "the weights of " << (name) << " are not here: make setup"

/// The cards and weights that come with sosia, and no user's.
inline ModelStore own_store(std::vector<std::filesystem::path> folders = {}) {
  return ModelStore({.folders = std::move(folders), .user = false});
}

/// Numbers that look random and are the same everywhere.
inline std::vector<float> noise(std::size_t count, std::uint32_t seed = 1) {
  std::vector<float> values(count);
  std::uint32_t state = seed * 2654435761U + 12345;
  for (float& value : values) {
    state = state * 1664525U + 1013904223U;
    value = static_cast<float>(state >> 8) / static_cast<float>(1U << 23) - 1;
  }
  return values;
}

// --- ONNX files, written by hand: tests must not depend on a library that also checks them ---

/// Protocol buffers, the two wire types that ONNX needs.
class Proto {
 public:
  Proto& number(std::uint32_t field, std::uint64_t value) {
    varint(field << 3);
    varint(value);
    return *this;
  }
  Proto& bytes(std::uint32_t field, std::string_view content) {
    varint(field << 3 | 2);
    varint(content.size());
    bytes_ += content;
    return *this;
  }
  Proto& part(std::uint32_t field, const Proto& content) { return bytes(field, content.bytes_); }
  const std::string& str() const { return bytes_; }

 private:
  void varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_ += static_cast<char>(value | 0x80);
    bytes_ += static_cast<char>(value);
  }
  std::string bytes_;
};

/// A float tensor's name and shape; -1 is free.
inline Proto onnx_value(const std::string& name, const std::vector<std::int64_t>& shape) {
  Proto sides;
  for (const std::int64_t side : shape) {
    Proto dimension;
    if (side < 0) {
      dimension.bytes(2, "n");
    } else {
      dimension.number(1, static_cast<std::uint64_t>(side));
    }
    sides.part(1, dimension);
  }
  const Proto tensor = Proto().number(1, 1).part(2, sides);
  return Proto().bytes(1, name).part(2, Proto().part(1, tensor));
}

inline Proto onnx_node(const std::string& op, const std::vector<std::string>& inputs,
                       const std::vector<std::string>& outputs, const std::string& domain = "") {
  Proto node;
  for (const std::string& name : inputs) node.bytes(1, name);
  for (const std::string& name : outputs) node.bytes(2, name);
  node.bytes(3, outputs[0]).bytes(4, op);
  if (!domain.empty()) node.bytes(7, domain);
  return node;
}

/// A float initialiser. `claimed` replaces the shape in the file.
inline Proto onnx_weights(const std::string& name, const std::vector<std::int64_t>& shape,
                          const std::vector<float>& values) {
  Proto tensor;
  for (const std::int64_t side : shape) tensor.number(1, static_cast<std::uint64_t>(side));
  tensor.number(2, 1).bytes(8, name);
  return tensor.bytes(
      9, {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)});
}

/// The parts of a graph to a file of opset 13.
struct OnnxGraph {
  std::vector<Proto> nodes = {}, weights = {}, inputs = {}, outputs = {};
  bool own_domain = false;

  std::string file() const {
    Proto graph;
    for (const Proto& node : nodes) graph.part(1, node);
    graph.bytes(2, "g");
    for (const Proto& tensor : weights) graph.part(5, tensor);
    for (const Proto& value : inputs) graph.part(11, value);
    for (const Proto& value : outputs) graph.part(12, value);
    Proto model = Proto().number(1, 7).part(7, graph);
    model.part(8, Proto().bytes(1, "").number(2, 13));
    if (own_domain) model.part(8, Proto().bytes(1, "own").number(2, 1));
    return model.str();
  }
};

/// Mean over height and width of [batch, 3, side, side], as [batch, 3]: enough of a recogniser.
inline std::string small_recogniser(std::int64_t batch = -1, std::int64_t side = 112) {
  OnnxGraph graph;
  graph.inputs = {onnx_value("data", {batch, 3, side, side})};
  graph.nodes = {onnx_node("GlobalAveragePool", {"data"}, {"pooled"}),
                 onnx_node("Flatten", {"pooled"}, {"fc1"})};
  graph.outputs = {onnx_value("fc1", {batch, 3})};
  return graph.file();
}

}  // namespace sosia::models

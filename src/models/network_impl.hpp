#pragma once
// The inside of a network. Includes OpenVINO.

#include "sosia/models/network.hpp"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <openvino/runtime/core.hpp>

namespace sosia::models {

struct Network::Impl {
  std::string origin;  ///< for messages
  ov::CompiledModel compiled;
  std::vector<Port> inputs, outputs;
  std::vector<ov::element::Type> input_types;

  /// Takes a request from the pool, waiting while all are taken.
  ov::InferRequest take();
  void give(ov::InferRequest request);

  std::mutex mutex;
  std::condition_variable returned;
  std::vector<ov::InferRequest> idle;
  int not_made = 1;  ///< requests that may still be created
};

/// A network whose declared shapes need more than this in one tensor is refused.
inline constexpr std::uint64_t kTensorCapBytes = std::uint64_t{8} << 30;

/// Checks, compiles and wraps. Throws as `Network::open`.
std::unique_ptr<Network::Impl> compile(ov::Core& core, const std::shared_ptr<ov::Model>& model,
                                       const std::string& origin, const NetworkOptions& options);

/// Reads ONNX bytes.
std::shared_ptr<ov::Model> read_onnx(ov::Core& core, std::span<const std::byte> bytes,
                                     const std::string& origin);

/// The words of an exception of OpenVINO on one line, without its source places.
std::string plain_words(const std::string& what);

}  // namespace sosia::models

#pragma once
// The inside of a network: what all engines have in common, and that of OpenVINO.

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
  std::vector<Port> inputs, outputs;

  Impl() = default;
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  virtual ~Impl() = default;
  /// All outputs. `values` are in the order of the inputs and fit them, except that a port whose
  /// first side is 1 may get more rows. Called from several threads.
  virtual std::vector<Tensor> run(const std::vector<TensorView>& values) = 0;
};

struct OpenvinoNetwork final : Network::Impl {
  ov::CompiledModel compiled;
  std::vector<ov::element::Type> input_types;

  std::vector<Tensor> run(const std::vector<TensorView>& values) override;

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

/// A network of this project's own training, by LibTorch (decision 0020). Throws as
/// `Network::open`, and missing_feature in a build without LibTorch.
std::unique_ptr<Network::Impl> open_trained(const ModelCard& card,
                                            const std::filesystem::path& path,
                                            const NetworkOptions& options);

/// Reads ONNX bytes.
std::shared_ptr<ov::Model> read_onnx(ov::Core& core, std::span<const std::byte> bytes,
                                     const std::string& origin);

/// The words of an exception of OpenVINO on one line, without its source places.
std::string plain_words(const std::string& what);

}  // namespace sosia::models

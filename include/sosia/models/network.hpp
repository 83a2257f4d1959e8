#pragma once
// A network that runs, on the CPU by OpenVINO.

#include "sosia/models/card.hpp"
#include "sosia/models/store.hpp"
#include "sosia/models/tensor.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sosia::models {

enum class Precision : std::uint8_t {
  exact,  ///< 32-bit floats throughout: the same input gives the same numbers on one machine
  fast,   ///< what the processor does best (bf16 where it has it): faster, numbers drift by 1e-2
};

struct NetworkOptions {
  int threads = 0;  ///< of one run; 0 takes all processors that this process may use
  /// Runs that proceed at once, each with threads / parallel threads; more callers wait.
  int parallel = 1;
  Precision precision = Precision::exact;
  /// Folder of compiled networks; made when missing. "" compiles anew each time. See
  /// `default_cache_folder`.
  std::filesystem::path cache = {};
  /// Whether the file's SHA-256 is compared with the card's before it is opened.
  bool check_hash = true;
};

/// One input or output. -1 in the shape is free.
struct Port {
  std::string name = {};
  std::vector<std::int64_t> shape = {};
  std::string type = {};  ///< of the network's own numbers: "f32", "i64", ...
};

/// A named value for `Network::run`; "" names the only input.
struct NamedInput {
  std::string_view name = {};
  TensorView value = {};
};

/// A compiled network.
///
/// Thread-safety: const members may be called from any thread; each running call takes one infer
/// request from a pool of `parallel`, and waits while all are taken.
/// Errors: opening throws not_found, corrupt_data (the file is damaged, or its hash is not the
/// card's), unsupported (an operator or type that OpenVINO does not run), out_of_memory (its shapes
/// ask for more than 8 GiB), io.
class Network {
 public:
  /// A network by its card; the store finds the file. Throws unsupported for a card that is no
  /// model, and corrupt_data when the inputs and outputs that the card names are not there.
  static Network open(const ModelCard& card, const ModelStore& store,
                      const NetworkOptions& options = {});
  /// An ONNX file without a card.
  static Network open_file(const std::filesystem::path& onnx, const NetworkOptions& options = {});
  /// An ONNX file in memory; `origin` names it in errors.
  static Network open_bytes(std::span<const std::byte> onnx, std::string_view origin,
                            const NetworkOptions& options = {});

  ~Network();
  Network(Network&&) noexcept;
  Network& operator=(Network&&) noexcept;

  const std::vector<Port>& inputs() const noexcept;
  const std::vector<Port>& outputs() const noexcept;
  /// Index in `outputs()`. Throws not_found with the nearest name.
  std::size_t output_index(std::string_view name) const;

  /// Runs once: all outputs, in the order of `outputs()`. A batch on a network whose first
  /// dimension is fixed at 1 is run row by row and put together. Numbers for an integer input must
  /// be whole (exact up to 2^24). Throws invalid_argument for a wrong name, number of inputs, or
  /// shape, with the shapes; internal when the engine fails.
  std::vector<Tensor> run(std::span<const NamedInput> inputs) const;
  /// The same with a single input.
  std::vector<Tensor> run(TensorView input) const;

  struct Impl;  ///< of this room's sources

 private:
  explicit Network(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// $XDG_CACHE_HOME/sosia/networks, or ~/.cache/sosia/networks; "" when neither is known.
std::filesystem::path default_cache_folder();

/// "OpenVINO 2026.4.1-..." and the processor's name, for reports.
std::string engine_version();

}  // namespace sosia::models

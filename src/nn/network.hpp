#pragma once
// Backbones: from pictures to one vector each, by the name of a published architecture.

#include "sosia/core/fields.hpp"
#include "tensor/torch.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sosia::nn {

/// Which network. Recipes and model cards carry it as a table.
struct NetworkSpec {
  std::string architecture = "resnet18";
  std::int64_t channels = 3;
  std::int64_t height_px = 112;
  std::int64_t width_px = 112;
  /// Numbers of the embedding; 0: the architecture's own. Networks that end in pooled features get
  /// a linear layer when it differs from their features.
  std::int64_t dimension = 0;
  std::string pooling = "avg";   ///< of networks that pool: "avg", "max" or "gem"
  double dropout = 0;            ///< in front of the last layer, where the architecture has one
  bool last_stride_one = false;  ///< ResNets: the last stage keeps its resolution
  std::int64_t patch_px = 16;    ///< ViTs: side of a patch
  std::int64_t registers = 0;    ///< ViTs: tokens beside the class token
};
void describe(Fields& f, NetworkSpec& o);

/// A network that embeds. Modules and parameters are named as in the published implementation, so
/// that its weights load; see `architectures`. Thread-safety: as torch::nn::Module: `forward` of a
/// module in eval mode may run in several threads.
class Network : public torch::nn::Module {
 public:
  /// float32 [n, channels, height, width] -> [n, dimension]. LibTorch's errors leave as
  /// sosia::Error.
  virtual at::Tensor forward(const at::Tensor& images) = 0;
  virtual std::int64_t dimension() const = 0;
  /// Folds every batch norm into the layer before it; the network can no longer be trained or
  /// saved.
  virtual void fold_batch_norms() = 0;
};

struct ArchitectureInfo {
  std::string name;
  std::string
      reference;  ///< paper, and the implementation whose names and initialisation it follows
};
/// All architectures, in the order of `make_network`.
std::vector<ArchitectureInfo> architectures();

/// The network, initialised as its published implementation does, every draw from `generator`: the
/// same seed gives the same weights. Throws invalid_argument for an unknown architecture (with the
/// nearest name), a size that it does not take, or options that it lacks.
std::shared_ptr<Network> make_network(const NetworkSpec& spec, at::Generator& generator);

}  // namespace sosia::nn

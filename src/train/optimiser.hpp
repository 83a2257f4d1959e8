#pragma once
// Optimisers on LibTorch's fused kernels, with state that has names and can be saved.

#include "sosia/core/fields.hpp"
#include "tensor/checkpoint.hpp"
#include "tensor/torch.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace sosia::train {

enum class OptimiserKind { sgd, adam, adamw, lars };

struct OptimiserOptions {
  OptimiserKind kind = OptimiserKind::adamw;
  double lr = 1e-3;
  double weight_decay = 0.01;
  double momentum = 0.9;                          ///< sgd, lars
  bool nesterov = false;                          ///< sgd
  double beta1 = 0.9, beta2 = 0.999, eps = 1e-8;  ///< adam, adamw
  double trust = 0.001;                           ///< lars: eta
};
void describe(Fields& f, OptimiserOptions& o);

/// Parameters that are treated alike.
struct ParameterGroup {
  tensor::NamedTensors parameters = {};
  double lr_scale = 1;     ///< times the optimiser's rate
  double decay_scale = 1;  ///< times the optimiser's weight decay
  bool adapt = true;       ///< LARS: whether the trust ratio applies
};

/// Two groups of a module's parameters: those of two dimensions or more, and biases, norms and
/// other vectors, which neither decay nor are adapted (the exclusions of LARS in Barlow Twins, and
/// what is usual for AdamW). `prefix` is put before the names. Fixed parameters are left out.
std::vector<ParameterGroup> split_vectors(const torch::nn::Module& module,
                                          const std::string& prefix = {});
/// All in one group.
ParameterGroup all_parameters(const torch::nn::Module& module, const std::string& prefix = {});

/// Updates parameters from their gradients. Thread-safety: none.
class Optimiser {
 public:
  virtual ~Optimiser() = default;

  /// One step at `lr_factor` times the configured rate. Parameters without a gradient keep their
  /// value and state.
  void step(double lr_factor);
  void zero_grad();

  /// Everything that the next step depends on besides parameters: "<kind>.<parameter>", and
  /// "step". No copies.
  tensor::NamedTensors state() const;
  /// All or nothing; throws corrupt_data naming what is missing, unexpected or mis-shaped.
  void load_state(const tensor::NamedTensors& state, const std::string& origin);

  const std::vector<ParameterGroup>& groups() const noexcept { return groups_; }

 protected:
  /// Buffers of one parameter, zero at first, by the kinds' names.
  struct Slot {
    at::Tensor parameter;
    std::vector<at::Tensor> buffers;
  };
  /// What one group passes to a kernel: parameters that have gradients.
  struct Batch {
    std::vector<at::Tensor> parameters, gradients;
    std::vector<std::vector<at::Tensor>> buffers;  ///< [kind][parameter]
  };

  Optimiser(const OptimiserOptions& options, std::vector<ParameterGroup> groups,
            std::vector<std::string> kinds);
  virtual void update(const ParameterGroup& group, Batch& batch, double lr,
                      double weight_decay) = 0;

  OptimiserOptions options_;
  at::Tensor step_;  ///< float32 scalar, as the kernels want it

 private:
  std::vector<ParameterGroup> groups_;
  std::vector<std::string> kinds_;
  std::vector<std::vector<Slot>> slots_;  ///< as groups_
};

/// Throws invalid_argument when a parameter's name is there twice or there is none.
///
/// References: torch.optim of PyTorch 2.13 (SGD, Adam, AdamW: the same numbers); LARS: You et al.,
/// arXiv 1708.03888, in the form of the authors' code of Barlow Twins.
std::unique_ptr<Optimiser> make_optimiser(const OptimiserOptions& options,
                                          std::vector<ParameterGroup> groups);

}  // namespace sosia::train

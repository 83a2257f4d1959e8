#pragma once
// Several processes that train one network together. Each holds all weights and computes on its
// share of every batch; gradients are averaged, so that all take the same step.

#include "nn/batch_norm.hpp"
#include "tensor/checkpoint.hpp"
#include "tensor/torch.hpp"

#include <cstdint>
#include <memory>
#include <span>

namespace sosia::train {

/// The processes of one run. All of them must make the same calls in the same order: one that does
/// not come is waited for.
///
/// Thread-safety: one call at a time; from any thread.
class Processes {
 public:
  virtual ~Processes() = default;
  /// 0 to size() - 1. Process 0 alone writes files.
  virtual int rank() const noexcept = 0;
  virtual int size() const noexcept = 0;
  /// `values` become their sum over all processes. float32, float64 and int64 are summed as they
  /// are, shorter floats in float32; any device and strides. Throws invalid_argument for another
  /// type, device when the connection fails.
  virtual void sum(at::Tensor& values) = 0;
  /// `values` become those of process 0; any type, device and strides.
  virtual void broadcast(at::Tensor& values) = 0;
  /// Returns when all have called it.
  virtual void barrier() = 0;
  /// To be called at the good end of a run, by all. When a process ends without it (an error that
  /// the others do not know of), mpirun ends them too, instead of letting them wait for ever.
  virtual void finish() = 0;

  /// Whether any process says so; for what all must do together: stop, save.
  bool any(bool here);
};

/// One process by itself: sums are what they were.
std::shared_ptr<Processes> single_process();

/// Whether Open MPI's mpirun started this program as one of several.
bool started_by_mpirun();

/// The processes that mpirun started; `single_process()` when it did not. Throws missing_feature
/// when this build lacks MPI, device when the others cannot be reached.
std::shared_ptr<Processes> join_processes();

/// `processes.sum` for the losses and batch norms of `nn`; empty for one process. The processes
/// must outlive it.
nn::AllReduce summer(Processes& processes);

/// Every tensor becomes that of process 0: weights and buffers before the first step.
void broadcast_all(Processes& processes, const tensor::NamedTensors& tensors);

/// Gradients become their mean over all processes: those of the mean loss of the whole batch when
/// all shares have one size. Parameters without a gradient in some processes count zero there; what
/// has none anywhere is left alone. Many small gradients travel as one flat buffer of about
/// `bucket_bytes`.
void average_gradients(Processes& processes, std::span<const at::Tensor> parameters,
                       std::int64_t bucket_bytes = std::int64_t{25} << 20);

}  // namespace sosia::train

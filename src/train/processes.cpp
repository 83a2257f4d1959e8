#include "train/processes.hpp"

#include "sosia/core/c_module.hpp"
#include "sosia/core/error.hpp"
#include "tensor/error.hpp"
#include "train/mpi_abi.h"

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <vector>

#include <torch/csrc/autograd/grad_mode.h>

namespace sosia::train {

namespace {

class SingleProcess final : public Processes {
 public:
  int rank() const noexcept override { return 0; }
  int size() const noexcept override { return 1; }
  void sum(at::Tensor&) override {}
  void broadcast(at::Tensor&) override {}
  void barrier() override {}
  void finish() override {}
};

class MpiProcesses final : public Processes {
 public:
  explicit MpiProcesses(const SosiaMpiApi& api) : api_(api) {
    std::int32_t rank = 0, size = 1;
    check(api_.join(&rank, &size, reason_, sizeof reason_), "join the other processes");
    rank_ = rank;
    size_ = size;
  }

  int rank() const noexcept override { return rank_; }
  int size() const noexcept override { return size_; }

  void sum(at::Tensor& values) override {
    const torch::NoGradGuard no_gradient;
    at::Tensor flat = values.detach().to(at::kCPU, summed_as(values)).contiguous();
    {
      const std::lock_guard lock(mutex_);
      check(api_.sum(flat.data_ptr(), flat.numel(), type_of(flat), reason_, sizeof reason_),
            "sum over processes");
    }
    if (flat.data_ptr() != values.data_ptr()) values.copy_(flat);
  }

  void broadcast(at::Tensor& values) override {
    const torch::NoGradGuard no_gradient;
    at::Tensor flat = values.detach().to(at::kCPU).contiguous();
    {
      const std::lock_guard lock(mutex_);
      check(api_.broadcast(flat.data_ptr(), static_cast<std::int64_t>(flat.nbytes()), 0, reason_,
                           sizeof reason_),
            "pass on values to all processes");
    }
    if (flat.data_ptr() != values.data_ptr()) values.copy_(flat);
  }

  void barrier() override {
    const std::lock_guard lock(mutex_);
    check(api_.barrier(reason_, sizeof reason_), "wait for the other processes");
  }

  void finish() override {
    const std::lock_guard lock(mutex_);
    check(api_.finish(reason_, sizeof reason_), "part from the other processes");
  }

 private:
  /// In which type the sum is taken.
  static at::ScalarType summed_as(const at::Tensor& values) {
    switch (values.scalar_type()) {
      case at::kFloat:
      case at::kDouble:
      case at::kLong:
        return values.scalar_type();
      case at::kHalf:
      case at::kBFloat16:
        return at::kFloat;
      default:
        throw Error(ErrorCode::invalid_argument,
                    "cannot sum " + tensor::describe(values) + " over processes");
    }
  }

  static std::int32_t type_of(const at::Tensor& flat) {
    if (flat.scalar_type() == at::kDouble) return SOSIA_MPI_F64;
    return flat.scalar_type() == at::kLong ? SOSIA_MPI_I64 : SOSIA_MPI_F32;
  }

  void check(std::int32_t code, const std::string& doing) const {
    if (code == 0) return;
    throw Error(ErrorCode::device, "cannot " + doing + ": " + std::string(reason_),
                "look for the process that failed first; --resume goes on from the last "
                "checkpoint");
  }

  const SosiaMpiApi& api_;
  std::mutex mutex_;
  char reason_[512] = {};
  int rank_ = 0, size_ = 1;
};

/// The flat copies of some gradients, summed and put back.
void average_bucket(Processes& processes, const std::vector<at::Tensor>& gradients) {
  std::vector<at::Tensor> rows;
  rows.reserve(gradients.size());
  for (const at::Tensor& gradient : gradients) rows.push_back(gradient.reshape({-1}));
  at::Tensor flat = at::cat(rows);
  processes.sum(flat);
  flat.div_(processes.size());
  std::int64_t at = 0;
  for (const at::Tensor& gradient : gradients) {
    gradient.copy_(flat.narrow(0, at, gradient.numel()).view_as(gradient));
    at += gradient.numel();
  }
}

/// Which parameters have a gradient in some process. Those that lack one here get zeros.
std::vector<at::Tensor> common_gradients(Processes& processes,
                                         std::span<const at::Tensor> parameters) {
  at::Tensor present = at::zeros({static_cast<std::int64_t>(parameters.size())}, at::kLong);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    present[static_cast<std::int64_t>(i)] = parameters[i].grad().defined() ? 1 : 0;
  }
  processes.sum(present);
  std::vector<at::Tensor> gradients;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (present[static_cast<std::int64_t>(i)].item<std::int64_t>() == 0) continue;
    if (!parameters[i].grad().defined()) {
      at::Tensor parameter = parameters[i];
      parameter.mutable_grad() = at::zeros_like(parameter);
    }
    gradients.push_back(parameters[i].grad());
  }
  return gradients;
}

}  // namespace

bool Processes::any(bool here) {
  at::Tensor flag = at::full({1}, here ? 1 : 0, at::kLong);
  sum(flag);
  return flag.item<std::int64_t>() != 0;
}

std::shared_ptr<Processes> single_process() {
  return std::make_shared<SingleProcess>();
}

bool started_by_mpirun() {
  const char* text = std::getenv("OMPI_COMM_WORLD_SIZE");
  if (text == nullptr) return false;
  int size = 0;
  std::from_chars(text, text + std::strlen(text), size);
  return size > 1;
}

std::shared_ptr<Processes> join_processes() {
  if (!started_by_mpirun()) return single_process();
  static CModule<SosiaMpiApi> module(SOSIA_MPI_FILE, SOSIA_MPI_FACTORY, SOSIA_MPI_ABI);
  std::string reason;
  const SosiaMpiApi* api = module.open(reason);
  if (api == nullptr) {
    throw Error(ErrorCode::missing_feature,
                "this build cannot train with several processes: " + reason,
                "on Debian: apt-get install libopenmpi-dev openmpi-bin, then build again; or start "
                "sosia without mpirun");
  }
  return std::make_shared<MpiProcesses>(*api);
}

nn::AllReduce summer(Processes& processes) {
  if (processes.size() == 1) return {};
  return [&processes](at::Tensor& values) { processes.sum(values); };
}

void broadcast_all(Processes& processes, const tensor::NamedTensors& tensors) {
  if (processes.size() == 1) return;
  for (const auto& [name, values] : tensors) {
    at::Tensor alias = values;
    processes.broadcast(alias);
  }
}

void average_gradients(Processes& processes, std::span<const at::Tensor> parameters,
                       std::int64_t bucket_bytes) {
  if (processes.size() == 1) return;
  const torch::NoGradGuard no_gradient;
  std::vector<at::Tensor> bucket;
  std::int64_t bytes = 0;
  const auto send = [&] {
    if (!bucket.empty()) average_bucket(processes, bucket);
    bucket.clear();
    bytes = 0;
  };
  for (const at::Tensor& gradient : common_gradients(processes, parameters)) {
    // A flat buffer has one type and lies on one device.
    if (!bucket.empty() && (bucket.back().scalar_type() != gradient.scalar_type() ||
                            bucket.back().device() != gradient.device())) {
      send();
    }
    bucket.push_back(gradient);
    bytes += static_cast<std::int64_t>(gradient.nbytes());
    if (bytes >= bucket_bytes) send();
  }
  send();
}

}  // namespace sosia::train

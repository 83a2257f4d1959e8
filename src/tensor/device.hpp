#pragma once
// Devices, element types, threads and random generators of LibTorch.

#include "tensor/torch.hpp"

#include <cstdint>
#include <string_view>

namespace sosia::tensor {

/// The device that a run names: "cpu", "cuda" or "cuda:<number>". Throws invalid_argument for
/// another spelling, device when this build or machine has none.
at::Device find_device(std::string_view name);

/// "float32", "bfloat16" or "float16". Throws invalid_argument.
at::ScalarType find_dtype(std::string_view name);

/// A generator of its own for `device`, in the state that PyTorch's has after `manual_seed(seed)`:
/// on the processor, `at::rand({3}, generator)` gives the numbers of `torch.rand(3)`. Layers and
/// transforms take one, so that two runs in one process do not disturb each other. Thread-safety:
/// none; one for each thread.
at::Generator make_generator(std::uint64_t seed, at::Device device = at::kCPU);

/// The state of `generator` as bytes (uint8 [n]), and back; for checkpoints.
at::Tensor generator_state(const at::Generator& generator);
void set_generator_state(at::Generator& generator, const at::Tensor& state);

/// LibTorch's threads within one operation, of the whole process; 0: as many as the machine has.
/// Waiting threads sleep instead of spinning only if OMP_WAIT_POLICY=passive stands in the
/// environment before the program starts.
void set_threads(int threads);

}  // namespace sosia::tensor

#include "tensor/device.hpp"

#include "sosia/core/error.hpp"
#include "sosia/core/run.hpp"
#include "sosia/core/text.hpp"

#include <charconv>
#include <mutex>
#include <thread>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <ATen/Parallel.h>

namespace sosia::tensor {

at::Device find_device(std::string_view name) {
  if (!valid_device(name)) {
    throw Error(ErrorCode::invalid_argument,
                "device " + quote(name) + " is not cpu, cuda or cuda:<number>");
  }
  if (name == "cpu") return at::kCPU;
  if (!at::globalContext().hasCUDA()) {
    throw Error(ErrorCode::device,
                "there is no device " + quote(name) + ": this build of LibTorch has no CUDA",
                "use --device cpu");
  }
  const auto count = static_cast<int>(at::getNumGPUs());
  int index = 0;
  if (const auto colon = name.find(':'); colon != std::string_view::npos) {
    const std::string_view digits = name.substr(colon + 1);
    std::from_chars(digits.data(), digits.data() + digits.size(), index);
  }
  if (index >= count) {
    throw Error(ErrorCode::device,
                "there is no device " + quote(name) + ": this machine has " +
                    std::to_string(count) + " CUDA devices",
                "use --device cpu");
  }
  return {at::kCUDA, static_cast<at::DeviceIndex>(index)};
}

at::ScalarType find_dtype(std::string_view name) {
  if (name == "float32") return at::kFloat;
  if (name == "bfloat16") return at::kBFloat16;
  if (name == "float16") return at::kHalf;
  throw Error(ErrorCode::invalid_argument,
              "element type " + quote(name) + " is not float32, bfloat16 or float16");
}

at::Generator make_generator(std::uint64_t seed, at::Device device) {
  at::Generator generator = device.is_cpu() ? at::make_generator<at::CPUGeneratorImpl>(seed)
                                            : at::globalContext().defaultGenerator(device).clone();
  generator.set_current_seed(seed);
  return generator;
}

at::Tensor generator_state(const at::Generator& generator) {
  return generator.get_state();
}

void set_generator_state(at::Generator& generator, const at::Tensor& state) {
  generator.set_state(state);
}

void set_threads(int threads) {
  if (threads < 0) {
    throw Error(ErrorCode::invalid_argument,
                std::to_string(threads) + " threads: it must be at least 0");
  }
  at::set_num_threads(threads > 0 ? threads
                                  : static_cast<int>(std::thread::hardware_concurrency()));
}

}  // namespace sosia::tensor

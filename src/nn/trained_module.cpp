// Runs networks that sosia trained, for the room of models: see sosia/core/trained_network_abi.hpp.
// Batch norms are folded away, and LibTorch keeps no gradient.

#include "nn/network.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/settings.hpp"
#include "sosia/core/trained_network_abi.hpp"
#include "sosia/core/value.hpp"
#include "tensor/checkpoint.hpp"
#include "tensor/device.hpp"

#include <cstring>
#include <memory>
#include <mutex>

#include <c10/core/InferenceMode.h>

namespace sosia::nn {
namespace {

struct Trained {
  std::shared_ptr<Network> network;
  NetworkSpec spec;
};

template <std::size_t n>
void put(char (&to)[n], const std::string& from) {
  const std::size_t length = std::min(n - 1, from.size());
  std::memcpy(to, from.data(), length);
  to[length] = 0;
}

// Runs inside a catch block.
void tell(TrainedNetworkError* error) {
  const Error problem = current_exception_as_error("run a trained network");
  error->code = static_cast<std::int32_t>(problem.code());
  put(error->message, problem.message());
  put(error->hint, problem.hint());
  put(error->context, problem.context());
}

Trained load(const char* spec_json, const char* weights) {
  Trained out;
  out.spec = decode<NetworkSpec>(parse_json(spec_json, "network"), "the card's [network]");
  at::Generator generator = tensor::make_generator(0);
  out.network = make_network(out.spec, generator);
  tensor::load_state(*out.network, tensor::read_checkpoint(weights).tensors, weights);
  out.network->eval();
  out.network->fold_batch_norms();
  return out;
}

void* open(const char* spec_json, const char* weights, std::int32_t threads,
           TrainedNetworkError* error) {
  try {
    // LibTorch has one number of threads for the process: that of the first network.
    static std::once_flag once;
    std::call_once(once, [threads] { tensor::set_threads(threads); });
    return new Trained(load(spec_json, weights));
  } catch (...) {
    tell(error);
    return nullptr;
  }
}

std::int64_t dimension(const void* network) {
  return static_cast<const Trained*>(network)->network->dimension();
}

bool run(const void* handle, const float* images, const std::int64_t shape[4], float* out,
         TrainedNetworkError* error) {
  try {
    const auto& trained = *static_cast<const Trained*>(handle);
    const c10::InferenceMode inference;
    // LibTorch only reads the input; its interface lacks the const.
    const at::Tensor batch = at::from_blob(const_cast<float*>(images),
                                           {shape[0], shape[1], shape[2], shape[3]}, at::kFloat);
    const at::Tensor result = trained.network->forward(batch).contiguous();
    std::memcpy(out, result.const_data_ptr<float>(), result.nbytes());
    return true;
  } catch (...) {
    tell(error);
    return false;
  }
}

void close(void* network) {
  delete static_cast<Trained*>(network);
}

}  // namespace
}  // namespace sosia::nn

extern "C" const void* sosia_trained_networks() {
  static const sosia::TrainedNetworkApi table{sosia::kTrainedNetworkAbi, sosia::nn::open,
                                              sosia::nn::dimension, sosia::nn::run,
                                              sosia::nn::close};
  return &table;
}

#pragma once
// The border between the room of models and libsosia_nn_trained.so, the module that runs networks
// which sosia trained, by LibTorch. Plain C: no exception and no C++ type crosses it, and LibTorch
// is loaded by the first such network only.

#include <cstddef>
#include <cstdint>

namespace sosia {

inline constexpr std::uint32_t kTrainedNetworkAbi = 1;
inline constexpr const char* kTrainedNetworkFile = "libsosia_nn_trained.so";
inline constexpr const char* kTrainedNetworkFactory = "sosia_trained_networks";

/// Where a failed call leaves its error. All texts are cut to their room and end with a 0.
struct TrainedNetworkError {
  std::int32_t code;  ///< an `ErrorCode`
  char message[1024];
  char hint[256];
  char context[1024];
};

/// The table that the factory returns; its first member is `kTrainedNetworkAbi`.
struct TrainedNetworkApi {
  std::uint32_t abi;
  /// `spec`: the `[network]` table of a card as JSON. `weights`: a path. nullptr after an error.
  void* (*open)(const char* spec, const char* weights, std::int32_t threads,
                TrainedNetworkError* error);
  /// Numbers for each picture.
  std::int64_t (*dimension)(const void* network);
  /// `images`: float32 [shape[0], shape[1], shape[2], shape[3]]; `out`: float32 [shape[0],
  /// dimension]. Whether it went well. One network may run in several threads at once.
  bool (*run)(const void* network, const float* images, const std::int64_t shape[4], float* out,
              TrainedNetworkError* error);
  void (*close)(void* network);
};

}  // namespace sosia

// Networks that sosia trained: the weights and what the card says of the architecture go to the
// module that links LibTorch.

#include "models/network_impl.hpp"
#include "sosia/core/c_module.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/run.hpp"
#include "sosia/core/text.hpp"
#include "sosia/core/trained_network_abi.hpp"

#include <condition_variable>

namespace sosia::models {
namespace {

const TrainedNetworkApi& module_table() {
  static CModule<TrainedNetworkApi> module(kTrainedNetworkFile, kTrainedNetworkFactory,
                                           kTrainedNetworkAbi);
  std::string reason;
  const TrainedNetworkApi* table = module.open(reason);
  if (table == nullptr) {
    throw Error(
        ErrorCode::missing_feature,
        "networks of graph \"trained\" are run by LibTorch, which this build lacks: " + reason,
        "run `make setup` (it installs LibTorch) and build again");
  }
  return *table;
}

[[noreturn]] void raise(const TrainedNetworkError& error, const std::string& origin) {
  const auto code = error.code >= 0 && error.code < static_cast<int>(kErrorTable.size())
                        ? static_cast<ErrorCode>(error.code)
                        : ErrorCode::internal;
  Error out(code, error.message, error.hint, error.context);
  throw out.add_context(origin);
}

class TrainedNetwork final : public Network::Impl {
 public:
  TrainedNetwork(const TrainedNetworkApi& api, void* handle, int parallel)
      : api_(api), handle_(handle), free_(parallel) {}
  ~TrainedNetwork() override { api_.close(handle_); }

  std::vector<Tensor> run(const std::vector<TensorView>& values) override {
    const TensorView& images = values.front();
    Tensor out{{images.shape[0], api_.dimension(handle_)}, {}};
    out.values.resize(static_cast<std::size_t>(out.shape[0] * out.shape[1]));
    TrainedNetworkError error{};
    const Turn turn(*this);
    if (!api_.run(handle_, images.values.data(), images.shape.data(), out.values.data(), &error)) {
      raise(error, origin);
    }
    std::vector<Tensor> results;
    results.push_back(std::move(out));
    return results;
  }

 private:
  /// At most `parallel` runs at once.
  class Turn {
   public:
    explicit Turn(TrainedNetwork& network) : network_(network) {
      std::unique_lock lock(network_.mutex_);
      network_.returned_.wait(lock, [this] { return network_.free_ > 0; });
      --network_.free_;
    }
    ~Turn() {
      {
        const std::lock_guard lock(network_.mutex_);
        ++network_.free_;
      }
      network_.returned_.notify_one();
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

   private:
    TrainedNetwork& network_;
  };

  const TrainedNetworkApi& api_;
  void* handle_;
  std::mutex mutex_;
  std::condition_variable returned_;
  int free_;
};

}  // namespace

std::unique_ptr<Network::Impl> open_trained(const ModelCard& card,
                                            const std::filesystem::path& path,
                                            const NetworkOptions& options) {
  const TrainedNetworkApi& api = module_table();
  const int threads = options.threads > 0 ? options.threads : usable_processors();
  const int parallel = std::max(1, options.parallel);
  TrainedNetworkError error{};
  void* handle =
      api.open(card.network.c_str(), path.c_str(), std::max(1, threads / parallel), &error);
  if (handle == nullptr) raise(error, path.string() + ": card " + card.source);
  auto network = std::make_unique<TrainedNetwork>(api, handle, parallel);
  network->origin = path.string();
  network->inputs = {{"images", card.input.shape, "f32"}};
  network->outputs = {{"embedding", {-1, api.dimension(handle)}, "f32"}};
  return network;
}

}  // namespace sosia::models

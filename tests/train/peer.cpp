// One of the processes of test_processes.cpp, started by mpirun: `train_peer <what>`. Ends with
// status 0 when all holds, 1 with a line on standard error when not.

#include "nn/heads.hpp"
#include "nn/loss.hpp"
#include "nn/network.hpp"
#include "tensor/checkpoint.hpp"
#include "tensor/device.hpp"
#include "train/processes.hpp"

#include <cmath>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

#include <unistd.h>

namespace sosia::train {
namespace {

void expect(bool holds, const std::string& what) {
  if (!holds) throw std::runtime_error(what);
}

double distance(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

void check_sums(Processes& processes) {
  const int rank = processes.rank(), size = processes.size();
  const double total = size * (size + 1) / 2.0;
  for (const at::ScalarType type : {at::kFloat, at::kDouble, at::kLong, at::kBFloat16}) {
    // Columns of a wider tensor: not contiguous.
    at::Tensor wide = at::full({3, 4}, rank + 1, at::dtype(type));
    at::Tensor part = wide.narrow(1, 1, 2);
    processes.sum(part);
    expect(part.eq(total).all().item<bool>(), "the sum of ranks is not " + std::to_string(total));
    expect(wide.select(1, 0).eq(rank + 1).all().item<bool>(), "a sum wrote beside its tensor");
  }
  at::Tensor flags = at::zeros({2}, at::kBool);
  try {
    processes.sum(flags);
    expect(false, "booleans were summed");
  } catch (const Error& error) {
    expect(error.code() == ErrorCode::invalid_argument, error.what());
  }
  // More than one chunk of the module.
  at::Tensor large = at::full({(1 << 24) + 5}, rank + 1, at::kFloat);
  processes.sum(large);
  expect(large.eq(total).all().item<bool>(), "a long sum is wrong");
}

void check_broadcast(Processes& processes) {
  const int rank = processes.rank();
  const tensor::NamedTensors tensors{
      {"a", at::full({2, 3}, rank + 7, at::kFloat).t()},
      {"b", at::full({}, rank + 7, at::kLong)},
      {"c", at::full({5}, rank == 0, at::kBool)},
  };
  broadcast_all(processes, tensors);
  expect(tensors[0].second.eq(7).all().item<bool>(), "process 0's floats did not arrive");
  expect(tensors[1].second.item<std::int64_t>() == 7, "process 0's integer did not arrive");
  expect(tensors[2].second.all().item<bool>(), "process 0's booleans did not arrive");
  expect(processes.any(rank == processes.size() - 1), "one of them said so");
  expect(!processes.any(false), "none of them said so");
}

/// Parameters without gradients: here, and everywhere.
void check_missing_gradients(Processes& processes) {
  std::vector<at::Tensor> parameters;
  for (int i = 0; i < 3; ++i) parameters.push_back(at::ones({2}).requires_grad_(true));
  parameters[0].mutable_grad() = at::full({2}, processes.rank() + 1.0, at::kFloat);
  if (processes.rank() == 0) parameters[1].mutable_grad() = at::full({2}, 4.0, at::kFloat);
  average_gradients(processes, parameters, 1);
  const double n = processes.size();
  expect(parameters[0].grad().eq((n + 1) / 2).all().item<bool>(), "a mean gradient is wrong");
  expect(parameters[1].grad().eq(4 / n).all().item<bool>(), "an absent gradient is not zero");
  expect(!parameters[2].grad().defined(), "a gradient came from nowhere");
}

/// A network with batch norms, a classifier and a projector.
struct Toy {
  std::shared_ptr<nn::Network> network;
  nn::BnNeck neck{nullptr};
  nn::Projector projector{nullptr};

  Toy() {
    at::Generator generator = tensor::make_generator(1);
    network =
        nn::make_network({.architecture = "small_cnn", .height_px = 16, .width_px = 16}, generator);
    neck = nn::BnNeck(network->dimension(), 4, generator);
    projector = nn::Projector(network->dimension(), std::vector<std::int64_t>{32, 32}, generator);
  }
  std::vector<at::Tensor> parameters() const {
    std::vector<at::Tensor> all = network->parameters();
    for (const auto& more : {neck->parameters(), projector->parameters()}) {
      all.insert(all.end(), more.begin(), more.end());
    }
    return all;
  }
  /// The loss of a batch and of its second view, and its gradients.
  double backward(const at::Tensor& images, const at::Tensor& views, const at::Tensor& labels,
                  const nn::AllReduce& sum) {
    const at::Tensor features = network->forward(images);
    const at::Tensor logits = neck->classify(neck->forward(features));
    const nn::BarlowLoss barlow = nn::barlow_loss(
        projector->forward(features), projector->forward(network->forward(views)), {}, sum);
    const at::Tensor loss = nn::cross_entropy(logits, labels, 0.1) + 0.05 * barlow.loss;
    loss.backward();
    return loss.item<double>();
  }
};

/// Loss and gradients of a step on all processes are those of one process with the whole batch.
void check_step(Processes& processes) {
  const std::int64_t share = 6, batch = share * processes.size();
  at::Generator draws = tensor::make_generator(2);
  const at::Tensor images = at::randn({batch, 3, 16, 16}, draws);
  const at::Tensor views = images + 0.3 * at::randn({batch, 3, 16, 16}, draws);
  const at::Tensor labels = at::arange(batch).remainder(4);

  Toy whole;
  const double expected = whole.backward(images, views, labels, {});

  Toy toy;
  const nn::AllReduce sum = summer(processes);
  nn::synchronise_batch_norms(*toy.network, sum);
  nn::synchronise_batch_norms(*toy.neck, sum);
  nn::synchronise_batch_norms(*toy.projector, sum);
  const std::int64_t first = share * processes.rank();
  const double own = toy.backward(images.narrow(0, first, share), views.narrow(0, first, share),
                                  labels.narrow(0, first, share), sum);
  at::Tensor mean = at::full({1}, own, at::kDouble);
  processes.sum(mean);
  const double loss = mean.item<double>() / processes.size();
  average_gradients(processes, toy.parameters(), 4096);

  double worst = 0, largest = 0;
  const std::vector<at::Tensor> theirs = whole.parameters(), ours = toy.parameters();
  for (std::size_t i = 0; i < ours.size(); ++i) {
    if (!theirs[i].grad().defined()) continue;
    worst = std::max(worst, distance(ours[i].grad(), theirs[i].grad()));
    largest = std::max(largest, theirs[i].grad().abs().max().item<double>());
  }
  std::fprintf(stderr, "loss %.7f and %.7f, gradients up to %.3f differ by %.2g\n", loss, expected,
               largest, worst);
  expect(std::abs(loss - expected) < 1e-5 * std::max(1.0, std::abs(expected)),
         "the loss is not that of one process");
  expect(largest > 1e-2, "there is no gradient to compare");
  expect(worst < 1e-5, "the gradients are not those of one process");
}

int run(const std::string& what) {
  const std::shared_ptr<Processes> processes = join_processes();
  expect(processes->size() == 2, "two processes are needed");
  if (what == "abandon") {
    if (processes->rank() == 1) return 3;  // an error that the other does not know of
    processes->barrier();
    processes->barrier();
    return 0;
  }
  if (what == "sums") check_sums(*processes);
  if (what == "broadcast") check_broadcast(*processes);
  if (what == "missing") check_missing_gradients(*processes);
  if (what == "step") check_step(*processes);
  processes->barrier();
  processes->finish();
  return 0;
}

}  // namespace
}  // namespace sosia::train

int main(int argc, char** argv) {
  try {
    return sosia::train::run(argc > 1 ? argv[1] : "");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "train_peer: %s\n", error.what());
    return 1;
  }
}

// What tests/python/test_nn_torch.py compares with PyTorch: reads tensors, computes with our
// modules, writes tensors.
//
//   nn_probe network SPEC.json IN OUT    IN: "images", "direction" and the weights as "w.NAME"
//   nn_probe loss NAME IN OUT            IN: what the loss takes
//   nn_probe draws SEED OUT
//   nn_probe checkpoint FILE SECTION OUT

#include "nn/heads.hpp"
#include "nn/loss.hpp"
#include "nn/margin.hpp"
#include "nn/network.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/files.hpp"
#include "sosia/core/settings.hpp"
#include "sosia/core/value.hpp"
#include "tensor/checkpoint.hpp"
#include "tensor/device.hpp"

#include <cstdio>
#include <map>
#include <string>

namespace sosia::nn {
namespace {

using Tensors = std::map<std::string, at::Tensor>;

Tensors read(const std::string& path) {
  Tensors out;
  for (auto& [name, tensor] : tensor::read_checkpoint(path).tensors) out.emplace(name, tensor);
  return out;
}

void write(const std::string& path, const Tensors& tensors) {
  tensor::write_checkpoint(path, {tensors.begin(), tensors.end()}, {}, Overwrite::replace);
}

Tensors apply_network(const std::string& spec_json, const Tensors& in) {
  const auto spec = decode<NetworkSpec>(parse_json(read_text(spec_json, 1 << 16), spec_json));
  at::Generator generator = tensor::make_generator(0);
  const auto network = make_network(spec, generator);
  tensor::NamedTensors weights;
  for (const auto& [name, tensor] : in) {
    if (name.starts_with("w.")) weights.emplace_back(name.substr(2), tensor);
  }
  tensor::load_state(*network, weights, "the oracle");
  network->eval();
  at::Tensor images = in.at("images").clone().set_requires_grad(true);
  const at::Tensor out = network->forward(images);
  (out * in.at("direction")).sum().backward();
  Tensors result{{"out", out}, {"gradient", images.grad()}};
  network->train();  // with the statistics of the batch
  result["trained"] = network->forward(in.at("images"));
  for (const auto& [name, tensor] : tensor::state_of(*network)) {
    if (name.ends_with("running_mean")) result["after." + name] = tensor;
  }
  return result;
}

at::Tensor loss_of(const std::string& name, Tensors& in) {
  at::Generator generator = tensor::make_generator(0);
  const auto head = [&](auto module) {
    tensor::NamedTensors weights{{"weight", in.at("weight")}};
    tensor::load_state(*module, weights, "the oracle", {.allow_missing = true});
    return cross_entropy(module(in.at("x"), in.at("labels")), in.at("labels"));
  };
  const std::int64_t classes = in.contains("weight") ? in.at("weight").size(0) : 0;
  const std::int64_t d = in.at("x").size(1);
  if (name == "smooth_all") return cross_entropy(in.at("x"), in.at("labels"), 0.1);
  if (name == "smooth_others") {
    return cross_entropy(in.at("x"), in.at("labels"), 0.1, Smoothing::over_others);
  }
  if (name == "triplet") return triplet_batch_hard(in.at("x"), in.at("labels"), 0.3);
  if (name == "triplet_soft") return triplet_batch_hard(in.at("x"), in.at("labels"), 0);
  if (name == "centre") return centre_loss(in.at("x"), in.at("labels"), in.at("weight"));
  if (name == "supcon") return supervised_contrastive(in.at("x"), in.at("labels"), 0.1);
  if (name == "infonce") return info_nce(in.at("x"), in.at("y"), 0.1);
  if (name == "barlow") return barlow_loss(in.at("x"), in.at("y"), {.lambda = 0.0051}).loss;
  if (name == "arcface") return head(MarginHead(d, classes, MarginOptions{}, generator));
  if (name == "cosface") {
    return head(MarginHead(d, classes, MarginOptions{.m2 = 0, .m3 = 0.4}, generator));
  }
  if (name == "adaface") return head(AdaFaceHead(d, classes, AdaFaceOptions{}, generator));
  throw Error(ErrorCode::invalid_argument, "there is no loss " + name);
}

Tensors apply_loss(const std::string& name, Tensors in) {
  in.at("x").set_requires_grad(true);
  const at::Tensor loss = loss_of(name, in);
  loss.backward();
  return {{"loss", loss}, {"gradient", in.at("x").grad()}};
}

Tensors draw(std::uint64_t seed) {
  at::Generator g = tensor::make_generator(seed);
  Tensors out;
  out["rand"] = at::rand({37}, g);
  out["randn"] = at::randn({5}, g);
  out["randn_long"] = at::randn({40}, g);
  out["randperm"] = at::randperm(23, g);
  out["uniform"] = at::empty({3, 4}).uniform_(-0.5, 2, g);
  out["normal"] = at::empty({17}).normal_(1, 3, g);
  out["bernoulli"] = at::empty({64}).bernoulli_(0.3, g);
  out["randint"] = at::randint(0, 1000, {9}, g);
  return out;
}

int run(const std::vector<std::string>& words) {
  tensor::set_threads(1);  // as the oracle: another order of sums can turn a ReLU at zero
  const std::string& what = words.at(0);
  if (what == "network") write(words.at(3), apply_network(words.at(1), read(words.at(2))));
  if (what == "loss") write(words.at(3), apply_loss(words.at(1), read(words.at(2))));
  if (what == "draws") write(words.at(2), draw(std::stoull(words.at(1))));
  if (what == "checkpoint") {
    Tensors out;
    for (auto& [name, tensor] : tensor::read_checkpoint(words.at(1), words.at(2)).tensors) {
      out.emplace(name, tensor);
    }
    write(words.at(3), out);
  }
  return 0;
}

}  // namespace
}  // namespace sosia::nn

int main(int argc, char** argv) {
  try {
    return sosia::nn::run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}

#include "train/optimiser.hpp"

#include "sosia/core/error.hpp"
#include "sosia/core/text.hpp"

#include <set>

#include <ATen/ops/_foreach_add.h>
#include <ATen/ops/_foreach_mul.h>
#include <ATen/ops/_foreach_norm.h>
#include <ATen/ops/_fused_adam.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/_fused_sgd.h>
#include <torch/csrc/autograd/grad_mode.h>

namespace sosia::train {

void describe(Fields& f, OptimiserOptions& o) {
  f.choice({.name = "kind", .help = "update rule"}, o.kind,
           {{"sgd", OptimiserKind::sgd},
            {"adam", OptimiserKind::adam},
            {"adamw", OptimiserKind::adamw},
            {"lars", OptimiserKind::lars}});
  f({.name = "lr", .help = "learning rate behind the warm-up", .above = 0}, o.lr);
  f({.name = "weight_decay", .help = "decay of weights", .min = 0}, o.weight_decay);
  f({.name = "momentum", .help = "sgd and lars: momentum", .min = 0, .below = 1}, o.momentum);
  f({.name = "nesterov", .help = "sgd: Nesterov's momentum"}, o.nesterov);
  f({.name = "beta1", .help = "adam: memory of the mean", .min = 0, .below = 1}, o.beta1);
  f({.name = "beta2", .help = "adam: memory of the square", .min = 0, .below = 1}, o.beta2);
  f({.name = "eps", .help = "adam: added to the root", .above = 0}, o.eps);
  f({.name = "trust", .help = "lars: trust coefficient", .symbol = "eta", .above = 0}, o.trust);
}

std::vector<ParameterGroup> split_vectors(const torch::nn::Module& module,
                                          const std::string& prefix) {
  std::vector<ParameterGroup> groups(2);
  groups[1].decay_scale = 0;
  groups[1].adapt = false;
  for (const auto& item : module.named_parameters()) {
    if (!item.value().requires_grad()) continue;
    groups[item.value().dim() < 2 ? 1 : 0].parameters.emplace_back(prefix + item.key(),
                                                                   item.value());
  }
  return groups;
}

ParameterGroup all_parameters(const torch::nn::Module& module, const std::string& prefix) {
  ParameterGroup group;
  for (const auto& item : module.named_parameters()) {
    if (item.value().requires_grad())
      group.parameters.emplace_back(prefix + item.key(), item.value());
  }
  return group;
}

Optimiser::Optimiser(const OptimiserOptions& options, std::vector<ParameterGroup> groups,
                     std::vector<std::string> kinds)
    : options_(options), groups_(std::move(groups)), kinds_(std::move(kinds)) {
  std::set<std::string> names;
  for (const ParameterGroup& group : groups_) {
    std::vector<Slot>& slots = slots_.emplace_back();
    for (const auto& [name, parameter] : group.parameters) {
      if (!names.insert(name).second) {
        throw Error(ErrorCode::invalid_argument,
                    "the parameter " + quote(name) + " is there twice");
      }
      Slot& slot = slots.emplace_back(Slot{parameter, {}});
      for (std::size_t k = 0; k < kinds_.size(); ++k) {
        slot.buffers.push_back(at::zeros_like(parameter.detach()));
      }
      if (!step_.defined()) step_ = at::zeros({}, parameter.options().dtype(at::kFloat));
    }
  }
  if (names.empty()) {
    throw Error(ErrorCode::invalid_argument, "there is no parameter to train");
  }
}

void Optimiser::step(double lr_factor) {
  const torch::NoGradGuard no_grad;
  step_.add_(1);
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    Batch batch;
    batch.buffers.resize(kinds_.size());
    for (Slot& slot : slots_[g]) {
      if (!slot.parameter.grad().defined()) continue;
      batch.parameters.push_back(slot.parameter);
      batch.gradients.push_back(slot.parameter.grad());
      for (std::size_t k = 0; k < kinds_.size(); ++k) batch.buffers[k].push_back(slot.buffers[k]);
    }
    if (batch.parameters.empty()) continue;
    update(groups_[g], batch, options_.lr * lr_factor * groups_[g].lr_scale,
           options_.weight_decay * groups_[g].decay_scale);
  }
}

void Optimiser::zero_grad() {
  for (const std::vector<Slot>& slots : slots_) {
    for (const Slot& slot : slots) slot.parameter.mutable_grad().reset();
  }
}

tensor::NamedTensors Optimiser::state() const {
  tensor::NamedTensors state;
  state.emplace_back("step", step_);
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    for (std::size_t i = 0; i < slots_[g].size(); ++i) {
      for (std::size_t k = 0; k < kinds_.size(); ++k) {
        state.emplace_back(kinds_[k] + "." + groups_[g].parameters[i].first,
                           slots_[g][i].buffers[k]);
      }
    }
  }
  return state;
}

void Optimiser::load_state(const tensor::NamedTensors& given, const std::string& origin) {
  const tensor::NamedTensors mine = state();
  std::vector<std::pair<at::Tensor, at::Tensor>> copies;
  for (const auto& [name, into] : mine) {
    const auto found = std::find_if(given.begin(), given.end(),
                                    [&](const auto& item) { return item.first == name; });
    if (found == given.end() || found->second.sizes() != into.sizes()) {
      throw Error(ErrorCode::corrupt_data,
                  "the optimiser's state " + quote(name) +
                      (found == given.end() ? " is missing" : " has another shape"),
                  "resume with the recipe that the run was started with", origin);
    }
    copies.emplace_back(into, found->second);
  }
  if (given.size() != mine.size()) {
    throw Error(ErrorCode::corrupt_data, "the file holds state of another optimiser",
                "resume with the recipe that the run was started with", origin);
  }
  const torch::NoGradGuard no_grad;
  for (auto& [into, from] : copies) into.copy_(from);
}

namespace {

class Sgd final : public Optimiser {
 public:
  Sgd(const OptimiserOptions& options, std::vector<ParameterGroup> groups)
      : Optimiser(options, std::move(groups),
                  options.momentum > 0 ? std::vector<std::string>{"momentum"}
                                       : std::vector<std::string>{}) {}

 private:
  void update(const ParameterGroup&, Batch& batch, double lr, double weight_decay) override {
    // A buffer of zeros gives in the first step what PyTorch's copy of the gradient gives.
    at::_fused_sgd_(batch.parameters, batch.gradients,
                    batch.buffers.empty() ? std::vector<at::Tensor>{} : batch.buffers[0],
                    weight_decay, options_.momentum, lr, /*dampening=*/0, options_.nesterov,
                    /*maximize=*/false, /*is_first_step=*/false);
  }
};

class Adam final : public Optimiser {
 public:
  Adam(const OptimiserOptions& options, std::vector<ParameterGroup> groups)
      : Optimiser(options, std::move(groups), {"mean", "square"}) {}

 private:
  void update(const ParameterGroup&, Batch& batch, double lr, double weight_decay) override {
    const std::vector<at::Tensor> steps(batch.parameters.size(), step_);
    const auto kernel = [&](auto function) {
      function(batch.parameters, batch.gradients, batch.buffers[0], batch.buffers[1], steps, lr,
               weight_decay);
    };
    if (options_.kind == OptimiserKind::adam) {
      kernel([&](auto& p, auto& g, auto& m, auto& v, auto& s, double rate, double decay) {
        at::_fused_adam_(p, g, m, v, {}, s, rate, options_.beta1, options_.beta2, decay,
                         options_.eps, /*amsgrad=*/false, /*maximize=*/false);
      });
    } else {
      kernel([&](auto& p, auto& g, auto& m, auto& v, auto& s, double rate, double decay) {
        at::_fused_adamw_(p, g, m, v, {}, s, rate, options_.beta1, options_.beta2, decay,
                          options_.eps, /*amsgrad=*/false, /*maximize=*/false);
      });
    }
  }
};

class Lars final : public Optimiser {
 public:
  Lars(const OptimiserOptions& options, std::vector<ParameterGroup> groups)
      : Optimiser(options, std::move(groups), {"momentum"}) {}

 private:
  void update(const ParameterGroup& group, Batch& batch, double lr, double weight_decay) override {
    std::vector<at::Tensor> changes =
        weight_decay > 0 ? at::_foreach_add(batch.gradients, batch.parameters, weight_decay)
                         : at::_foreach_mul(batch.gradients, 1.0);
    if (group.adapt) {
      const std::vector<at::Tensor> sizes = at::_foreach_norm(batch.parameters);
      const std::vector<at::Tensor> lengths = at::_foreach_norm(changes);
      std::vector<at::Tensor> ratios;
      for (std::size_t i = 0; i < sizes.size(); ++i) {
        // eta |w| / |g + wd w|, and 1 where either is zero.
        const at::Tensor usable = (sizes[i] > 0).logical_and(lengths[i] > 0);
        ratios.push_back(
            at::where(usable, sizes[i] * options_.trust / lengths[i], at::ones_like(sizes[i])));
      }
      at::_foreach_mul_(changes, ratios);
    }
    at::_foreach_mul_(batch.buffers[0], options_.momentum);
    at::_foreach_add_(batch.buffers[0], changes);
    at::_foreach_add_(batch.parameters, batch.buffers[0], -lr);
  }
};

}  // namespace

std::unique_ptr<Optimiser> make_optimiser(const OptimiserOptions& options,
                                          std::vector<ParameterGroup> groups) {
  switch (options.kind) {
    case OptimiserKind::sgd:
      return std::make_unique<Sgd>(options, std::move(groups));
    case OptimiserKind::lars:
      return std::make_unique<Lars>(options, std::move(groups));
    case OptimiserKind::adam:
    case OptimiserKind::adamw:
      break;
  }
  return std::make_unique<Adam>(options, std::move(groups));
}

}  // namespace sosia::train

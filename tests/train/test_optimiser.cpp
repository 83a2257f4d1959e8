#include "errors.hpp"
#include "tensor/device.hpp"
#include "train/optimiser.hpp"

#include <cmath>

#include <gtest/gtest.h>
#include <torch/csrc/autograd/grad_mode.h>

namespace sosia::train {
namespace {

/// One matrix and one vector with gradients that follow from a seed.
struct Toy {
  at::Tensor matrix, vector;

  Toy() {
    at::Generator generator = tensor::make_generator(3);
    matrix = at::randn({4, 3}, generator).requires_grad_();
    vector = at::randn({3}, generator).requires_grad_();
  }
  std::vector<ParameterGroup> groups() const {
    return {
        {.parameters = {{"matrix", matrix}}},
        {.parameters = {{"vector", vector}}, .lr_scale = 0.5, .decay_scale = 0, .adapt = false}};
  }
  void set_gradients(int step) {
    at::Generator generator = tensor::make_generator(static_cast<std::uint64_t>(100 + step));
    matrix.mutable_grad() = at::randn({4, 3}, generator);
    vector.mutable_grad() = at::randn({3}, generator);
  }
};

constexpr int kSteps = 5;
constexpr double kFactor = 0.7;

/// Parameters after some steps of `options`.
Toy trained(const OptimiserOptions& options) {
  Toy toy;
  const std::unique_ptr<Optimiser> optimiser = make_optimiser(options, toy.groups());
  for (int i = 0; i < kSteps; ++i) {
    toy.set_gradients(i);
    optimiser->step(kFactor);
  }
  return toy;
}

using Rule = std::function<at::Tensor(const at::Tensor& parameter, const at::Tensor& gradient,
                                      double lr, double decay, bool adapt, int step)>;

/// The same steps by a rule written out for one parameter in double.
void expect_like(const OptimiserOptions& options, const std::function<Rule()>& make_rule) {
  const torch::NoGradGuard no_grad;
  const Toy got = trained(options);
  Toy want;
  const Rule for_matrix = make_rule(), for_vector = make_rule();
  at::Tensor matrix = want.matrix.to(at::kDouble), vector = want.vector.to(at::kDouble);
  for (int i = 0; i < kSteps; ++i) {
    want.set_gradients(i);
    matrix = for_matrix(matrix, want.matrix.grad().to(at::kDouble), options.lr * kFactor,
                        options.weight_decay, true, i + 1);
    vector = for_vector(vector, want.vector.grad().to(at::kDouble), options.lr * kFactor * 0.5, 0,
                        false, i + 1);
  }
  EXPECT_LT((got.matrix - matrix).abs().max().item<double>(), 1e-6);
  EXPECT_LT((got.vector - vector).abs().max().item<double>(), 1e-6);
}

TEST(Optimiser, SgdFollowsItsFormula) {
  for (const bool nesterov : {false, true}) {
    expect_like({.kind = OptimiserKind::sgd, .lr = 0.1, .weight_decay = 0.05, .nesterov = nesterov},
                [nesterov]() -> Rule {
                  return [nesterov, buffer = at::Tensor()](const at::Tensor& w, const at::Tensor& g,
                                                           double lr, double decay, bool,
                                                           int) mutable -> at::Tensor {
                    const at::Tensor d = g + decay * w;
                    buffer = buffer.defined() ? 0.9 * buffer + d : d;
                    return w - lr * (nesterov ? d + 0.9 * buffer : buffer);
                  };
                });
  }
}

TEST(Optimiser, AdamAndAdamWDifferInTheDecay) {
  for (const OptimiserKind kind : {OptimiserKind::adam, OptimiserKind::adamw}) {
    expect_like({.kind = kind, .lr = 0.01, .weight_decay = 0.1}, [kind]() -> Rule {
      return [kind, m = at::Tensor(), v = at::Tensor()](at::Tensor w, at::Tensor g, double lr,
                                                        double decay, bool,
                                                        int step) mutable -> at::Tensor {
        if (kind == OptimiserKind::adam) g = g + decay * w;
        if (kind == OptimiserKind::adamw) w = w * (1 - lr * decay);
        m = m.defined() ? 0.9 * m + 0.1 * g : 0.1 * g;
        v = v.defined() ? 0.999 * v + 0.001 * g * g : 0.001 * g * g;
        const at::Tensor mean = m / (1 - std::pow(0.9, step));
        const at::Tensor square = v / (1 - std::pow(0.999, step));
        return w - lr * mean / (square.sqrt() + 1e-8);
      };
    });
  }
}

TEST(Optimiser, LarsScalesMatricesAndLeavesVectors) {
  expect_like(
      {.kind = OptimiserKind::lars, .lr = 2, .weight_decay = 0.05, .trust = 0.01}, []() -> Rule {
        return [buffer = at::Tensor()](const at::Tensor& w, const at::Tensor& g, double lr,
                                       double decay, bool adapt, int) mutable -> at::Tensor {
          at::Tensor d = g + decay * w;
          if (adapt) d = d * (0.01 * w.norm() / d.norm());
          buffer = buffer.defined() ? 0.9 * buffer + d : d;
          return w - lr * buffer;
        };
      });
}

TEST(Optimiser, LarsTakesZeroWeightsAsTheyAre) {
  at::Tensor zero = at::zeros({2, 2}).requires_grad_();
  const auto optimiser = make_optimiser({.kind = OptimiserKind::lars, .lr = 1, .weight_decay = 0},
                                        {{.parameters = {{"zero", zero}}}});
  zero.mutable_grad() = at::ones({2, 2});
  optimiser->step(1);
  EXPECT_TRUE(at::equal(zero.detach(), -at::ones({2, 2})));
}

TEST(Optimiser, GoesOnFromSavedState) {
  for (const OptimiserKind kind :
       {OptimiserKind::sgd, OptimiserKind::adam, OptimiserKind::adamw, OptimiserKind::lars}) {
    const OptimiserOptions options{.kind = kind, .lr = 0.1};
    Toy through, first, second;
    const auto whole = make_optimiser(options, through.groups());
    const auto before = make_optimiser(options, first.groups());
    for (int i = 0; i < 2 * kSteps; ++i) {
      through.set_gradients(i);
      whole->step(1);
      if (i >= kSteps) continue;
      first.set_gradients(i);
      before->step(1);
    }
    const auto after = make_optimiser(options, second.groups());
    {
      const torch::NoGradGuard no_grad;
      second.matrix.copy_(first.matrix);
      second.vector.copy_(first.vector);
    }
    after->load_state(before->state(), "test");
    for (int i = kSteps; i < 2 * kSteps; ++i) {
      second.set_gradients(i);
      after->step(1);
    }
    EXPECT_TRUE(at::equal(second.matrix.detach(), through.matrix.detach()));
    EXPECT_TRUE(at::equal(second.vector.detach(), through.vector.detach()));
  }
}

TEST(Optimiser, RefusesStateOfAnother) {
  Toy toy;
  const auto sgd = make_optimiser({.kind = OptimiserKind::sgd}, toy.groups());
  const auto adam = make_optimiser({.kind = OptimiserKind::adam}, toy.groups());
  expect_refused([&] { sgd->load_state(adam->state(), "x.safetensors"); }, "momentum.matrix",
                 ErrorCode::corrupt_data);
  tensor::NamedTensors more = sgd->state();
  more.emplace_back("extra", at::zeros({1}));
  expect_refused([&] { sgd->load_state(more, "x.safetensors"); }, "another optimiser",
                 ErrorCode::corrupt_data);
}

TEST(Optimiser, SkipsWhatHasNoGradient) {
  Toy toy;
  const at::Tensor before = toy.vector.detach().clone();
  const auto optimiser = make_optimiser({.kind = OptimiserKind::adamw}, toy.groups());
  toy.set_gradients(0);
  toy.vector.mutable_grad().reset();
  optimiser->step(1);
  EXPECT_TRUE(at::equal(toy.vector.detach(), before));
}

TEST(Optimiser, RefusesNothingAndTwins) {
  Toy toy;
  EXPECT_EQ(code_of([&] { make_optimiser({}, {}); }), ErrorCode::invalid_argument);
  std::vector<ParameterGroup> twice = toy.groups();
  twice.push_back(twice[0]);
  expect_refused([&] { make_optimiser({}, twice); }, "\"matrix\" is there twice");
}

TEST(Optimiser, SplitsVectorsFromMatrices) {
  torch::nn::Linear layer(3, 2);
  const std::vector<ParameterGroup> groups = split_vectors(*layer, "head.");
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_EQ(groups[0].parameters.at(0).first, "head.weight");
  EXPECT_EQ(groups[1].parameters.at(0).first, "head.bias");
  EXPECT_EQ(groups[1].decay_scale, 0);
  EXPECT_FALSE(groups[1].adapt);
  layer->bias.set_requires_grad(false);
  EXPECT_EQ(all_parameters(*layer).parameters.size(), 1u);
}

}  // namespace
}  // namespace sosia::train

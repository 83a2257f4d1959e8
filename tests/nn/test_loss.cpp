#include "nn/heads.hpp"
#include "nn/loss.hpp"
#include "nn/margin.hpp"
#include "tensor/device.hpp"

#include <cmath>

#include <gtest/gtest.h>

// Values and gradients beside independent code of PyTorch: tests/python/test_nn_torch.py. Here:
// what follows from the definitions.
namespace sosia::nn {
namespace {

at::Tensor draw(at::IntArrayRef shape, std::uint64_t seed) {
  at::Generator generator = tensor::make_generator(seed);
  return at::randn(shape, generator);
}

TEST(Barlow, IsZeroForWhiteIdenticalViews) {
  // Columns of a Hadamard matrix: zero mean, unit variance, uncorrelated.
  at::Tensor h = at::ones({1, 1});
  for (int i = 0; i < 4; ++i) h = at::cat({at::cat({h, h}, 1), at::cat({h, -h}, 1)}, 0);
  const at::Tensor z = h.slice(1, 1, 9).contiguous();
  const BarlowLoss loss = barlow_loss(z, z, {});
  EXPECT_NEAR(loss.loss.item<double>(), 0, 1e-6);
}

TEST(Barlow, TermsAreOnTheirOwn) {
  const at::Tensor a = draw({64, 8}, 1), b = draw({64, 8}, 2);
  const BarlowLoss full = barlow_loss(a, b, {.lambda = 0.02});
  EXPECT_NEAR(full.loss.item<double>(), full.invariance + full.redundancy, 1e-4);
  const BarlowLoss first = barlow_loss(a, b, {.lambda = 0.02, .redundancy = false});
  EXPECT_NEAR(first.loss.item<double>(), full.invariance, 1e-5);
  const BarlowLoss second = barlow_loss(a, b, {.lambda = 0.02, .invariance = false});
  EXPECT_NEAR(second.loss.item<double>(), full.redundancy, 1e-5);
}

TEST(Barlow, IndependentNoiseCostsTheFloor) {
  const BarlowLoss loss = barlow_loss(draw({512, 64}, 3), draw({512, 64}, 4), {.lambda = 1});
  EXPECT_NEAR(loss.redundancy / barlow_noise_floor(512, 64, 1), 1, 0.1);  // 0.99 observed
}

TEST(Margins, ArcFaceAtAKnownAngle) {
  at::Generator generator = tensor::make_generator(0);
  MarginHead head(2, 2, MarginOptions{.m2 = 0.5, .s = 1}, generator);
  {
    const torch::NoGradGuard no_grad;
    head->weight.copy_(at::tensor({1.f, 0.f, 0.f, 1.f}).view({2, 2}));
  }
  const auto own = [&](double theta) {
    const at::Tensor x = at::tensor({std::cos(theta), std::sin(theta)}).to(at::kFloat).view({1, 2});
    return head(x, at::zeros({1}, at::kLong))[0][0].item<double>();
  };
  EXPECT_NEAR(own(0.3), std::cos(0.8), 1e-5);
  // Beyond pi - m the published fallback.
  EXPECT_NEAR(own(3.0), std::cos(3.0) - 0.5 * std::sin(0.5), 1e-5);
}

// AdaFace at z = -1, 0 and 1: theta + m, CosFace with margin m, and theta - m with margin 2 m.
TEST(Margins, AdaFaceFollowsTheLength) {
  at::Generator generator = tensor::make_generator(0);
  const double m = 0.4;
  AdaFaceHead head(2, 2, AdaFaceOptions{.s = 1}, generator);
  head->eval();
  {
    const torch::NoGradGuard no_grad;
    head->weight.copy_(at::tensor({1.f, 0.f, 0.f, 1.f}).view({2, 2}));
    head->batch_mean.fill_(20);
    head->batch_std.fill_(5 * 0.333);
  }
  const double theta = 1.0;
  const auto own = [&](double length) {
    const at::Tensor x = at::tensor({length * std::cos(theta), length * std::sin(theta)})
                             .to(at::kFloat)
                             .view({1, 2});
    return head(x, at::zeros({1}, at::kLong))[0][0].item<double>();
  };
  EXPECT_NEAR(own(5), std::cos(theta + m), 1e-4);
  EXPECT_NEAR(own(20), std::cos(theta) - m, 1e-4);
  EXPECT_NEAR(own(90), std::cos(theta - m) - 2 * m, 1e-4);
}

TEST(Losses, ABatchWithoutPairsCostsNothing) {
  const at::Tensor x = draw({4, 3}, 5).set_requires_grad(true);
  const at::Tensor alone = at::arange(4), same = at::zeros({4}, at::kLong);
  EXPECT_EQ(triplet_batch_hard(x, alone, 0.3).item<float>(), 0);
  EXPECT_EQ(triplet_batch_hard(x, same, 0.3).item<float>(), 0);
  EXPECT_EQ(supervised_contrastive(x, alone).item<float>(), 0);
  const at::Tensor labels = at::tensor({0, 0, 1, 1}).to(at::kLong);
  triplet_batch_hard(x, labels, 0.3).backward();
  EXPECT_GT(x.grad().abs().sum().item<float>(), 0);
  // Two embeddings of one class at one place: no NaN from the root.
  const at::Tensor equal = at::ones({4, 3}).set_requires_grad(true);
  triplet_batch_hard(equal, labels, 0.3).backward();
  EXPECT_TRUE(equal.grad().isfinite().all().item<bool>());
}

TEST(Heads, NamesAreThePublishedOnes) {
  at::Generator generator = tensor::make_generator(0);
  Projector projector(16, std::vector<std::int64_t>{32, 32, 32}, generator);
  std::vector<std::string> names;
  for (const auto& item : projector->named_parameters()) names.push_back(item.key());
  EXPECT_EQ(names, (std::vector<std::string>{"0.weight", "1.weight", "1.bias", "3.weight",
                                             "4.weight", "4.bias", "6.weight"}));
  BnNeck neck(16, 10, generator);
  EXPECT_FALSE(neck->named_parameters()["bottleneck.bias"].requires_grad());
  EXPECT_EQ(neck->classify(neck(draw({4, 16}, 1))).sizes(), (at::IntArrayRef{4, 10}));
}

}  // namespace
}  // namespace sosia::nn

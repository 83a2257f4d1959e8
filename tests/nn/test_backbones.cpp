#include "nn/batch_norm.hpp"
#include "nn/network.hpp"
#include "sosia/core/error.hpp"
#include "tensor/checkpoint.hpp"
#include "tensor/device.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace sosia::nn {
namespace {

std::shared_ptr<Network> network(NetworkSpec spec, std::uint64_t seed = 0) {
  at::Generator generator = tensor::make_generator(seed);
  return make_network(spec, generator);
}

at::Tensor images(const NetworkSpec& spec, std::int64_t count, std::uint64_t seed = 1) {
  at::Generator generator = tensor::make_generator(seed);
  return at::randn({count, spec.channels, spec.height_px, spec.width_px}, generator);
}

NetworkSpec small(const std::string& architecture) {
  NetworkSpec spec;
  spec.architecture = architecture;
  spec.height_px = spec.width_px = architecture.starts_with("mobilefacenet") ? 112 : 64;
  return spec;
}

class Backbone : public testing::TestWithParam<std::string> {};

TEST_P(Backbone, SameSeedSameWeightsAndABatchEqualsItsRows) {
  const NetworkSpec spec = small(GetParam());
  const auto a = network(spec, 5), b = network(spec, 5), c = network(spec, 6);
  const auto state_a = tensor::state_of(*a), state_b = tensor::state_of(*b);
  for (std::size_t i = 0; i < state_a.size(); ++i) {
    ASSERT_TRUE(at::equal(state_a[i].second, state_b[i].second)) << state_a[i].first;
  }
  a->eval();
  c->eval();
  const torch::NoGradGuard no_grad;
  const at::Tensor x = images(spec, 3);
  const at::Tensor batch = a->forward(x);
  ASSERT_EQ(batch.sizes(), (at::IntArrayRef{3, a->dimension()}));
  EXPECT_FALSE(at::allclose(batch, c->forward(x)));
  for (std::int64_t i = 0; i < 3; ++i) {
    const double scale = batch.abs().max().item<double>();
    EXPECT_TRUE(at::allclose(a->forward(x.slice(0, i, i + 1)), batch.slice(0, i, i + 1), 1e-4,
                             1e-4 * scale));
  }
}

TEST_P(Backbone, FoldedNormsGiveTheSame) {
  const NetworkSpec spec = small(GetParam());
  const auto net = network(spec);
  const torch::NoGradGuard no_grad;
  at::Generator generator = tensor::make_generator(3);
  for (auto& [name, tensor] : tensor::state_of(*net)) {  // statistics that are not 0 and 1
    if (name.ends_with("running_mean")) tensor.normal_(0, 0.1, generator);
    if (name.ends_with("running_var")) tensor.uniform_(0.5, 2, generator);
  }
  net->eval();
  const at::Tensor x = images(spec, 2), before = net->forward(x);
  net->fold_batch_norms();
  const at::Tensor after = net->forward(x);
  EXPECT_LT((after - before).abs().max().item<double>(),
            1e-4 * before.abs().max().item<double>() + 1e-6);
  EXPECT_NE(at::equal(after, before), !GetParam().starts_with("vit")) << "nothing was folded";
}

TEST_P(Backbone, EveryParameterGetsAGradient) {
  const NetworkSpec spec = small(GetParam());
  const auto net = network(spec);
  net->forward(images(spec, 4)).square().sum().backward();
  for (const auto& item : net->named_parameters()) {
    if (!item.value().requires_grad()) continue;
    ASSERT_TRUE(item.value().grad().defined()) << item.key();
  }
}

// One of each kind; the others differ in numbers only and are counted below.
INSTANTIATE_TEST_SUITE_P(Kinds, Backbone,
                         testing::Values("resnet18", "resnet50_ibn_a", "resnet50_ibn_b",
                                         "iresnet18", "iresnet50_se", "mobilefacenet",
                                         "osnet_x0_25", "vit_tiny", "small_cnn"),
                         [](const auto& row) { return row.param; });

// torchvision: 11,689,512, 21,797,672 and 25,557,032 with a classifier of 1,000 (513,000 or
// 2,049,000 of them); norms of IBN are as large as those they replace. timm: ViTs of 224 x 224
// without classifier. torchreid's table: OSNet 2.2, 1.3, 0.6 and 0.2 million.
// InsightFace: 24.0, 34.1, 43.6 and 65.2 million for IResNets of 512 numbers.
TEST(Parameters, AreAsManyAsPublished) {
  const auto count = [](const char* name, std::int64_t side) {
    NetworkSpec spec;
    spec.architecture = name;
    spec.height_px = spec.width_px = side;
    return tensor::count_parameters(*network(spec));
  };
  EXPECT_EQ(count("resnet18", 112), 11689512 - 513000);
  EXPECT_EQ(count("resnet34", 112), 21797672 - 513000);
  EXPECT_EQ(count("resnet50", 112), 25557032 - 2049000);
  EXPECT_EQ(count("resnet50_ibn_a", 112), 25557032 - 2049000);
  EXPECT_EQ(count("vit_tiny", 224), 5524416);
  EXPECT_EQ(count("vit_small", 224), 21665664);
  EXPECT_EQ(count("vit_base", 224), 85798656);
  const auto millions = [&](const char* name) {
    return std::round(static_cast<double>(count(name, 112)) / 1e5) / 10;
  };
  EXPECT_EQ(millions("osnet_x1_0"), 2.2);
  EXPECT_EQ(millions("osnet_x0_75"), 1.3);
  EXPECT_EQ(millions("osnet_x0_5"), 0.6);
  EXPECT_EQ(millions("osnet_x0_25"), 0.2);
  EXPECT_EQ(millions("iresnet18"), 24.0);
  EXPECT_EQ(millions("iresnet34"), 34.1);
  EXPECT_EQ(millions("iresnet50"), 43.6);
  EXPECT_EQ(millions("iresnet100"), 65.2);
}

TEST(MakeNetwork, AnUnknownNameGetsTheNearest) {
  try {
    network(small("resnet19"));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
    EXPECT_NE(error.hint().find("resnet18"), std::string::npos) << error.hint();
  }
}

TEST(BatchNorm, SynchronisedWithOneProcessIsThePlainOne) {
  BatchNorm plain(5), synchronised(5);
  synchronised->synchronise([](at::Tensor&) {});
  at::Generator generator = tensor::make_generator(2);
  for (int step = 0; step < 3; ++step) {
    const at::Tensor x = at::randn({4, 5, 3, 2}, generator) * 2 + 7;
    at::Tensor a = x.clone().set_requires_grad(true), b = x.clone().set_requires_grad(true);
    const at::Tensor weight = at::randn({4, 5, 3, 2}, generator);
    const at::Tensor ya = plain(a), yb = synchronised(b);
    EXPECT_TRUE(at::allclose(ya, yb, 1e-4, 1e-4));
    (ya * weight).sum().backward();
    (yb * weight).sum().backward();
    EXPECT_TRUE(at::allclose(a.grad(), b.grad(), 1e-3, 1e-5));
    EXPECT_TRUE(at::allclose(plain->running_mean, synchronised->running_mean, 1e-5, 1e-6));
    EXPECT_TRUE(at::allclose(plain->running_var, synchronised->running_var, 1e-4, 1e-5));
  }
}

}  // namespace
}  // namespace sosia::nn

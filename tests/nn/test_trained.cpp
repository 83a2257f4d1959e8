// From a module to a card and weights, and back as a network of the room of models.

#include "nn/network.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/files.hpp"
#include "sosia/core/hash.hpp"
#include "sosia/core/settings.hpp"
#include "sosia/models/network.hpp"
#include "sosia/models/store.hpp"
#include "tensor/checkpoint.hpp"
#include "tensor/device.hpp"
#include "tensor/image.hpp"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

namespace sosia::nn {
namespace {

namespace fs = std::filesystem;

class TrainedNetwork : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) /
              testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    spec_.architecture = "resnet18";
    spec_.height_px = 40;
    spec_.width_px = 32;
    spec_.dimension = 24;
    at::Generator generator = tensor::make_generator(4);
    network_ = make_network(spec_, generator);
    network_->eval();
    tensor::write_checkpoint(folder_ / "model.safetensors", tensor::state_of(*network_));
    card_.name = "mine";
    card_.graph = models::Graph::trained;
    card_.file = "model.safetensors";
    card_.sha256 = sha256_file(folder_ / "model.safetensors");
    card_.input.shape = {-1, 3, 40, 32};
    card_.output.dimension = 24;
    card_.network = to_json(encode(spec_));
  }
  models::Network open() {
    std::ofstream(folder_ / "model.toml") << models::card_to_toml(card_);
    models::ModelStore store({.user = false, .built_in = false});
    return models::Network::open(store.at(store.resolve(folder_ / "model.safetensors")), store,
                                 {.threads = 1});
  }
  Error refusal() {
    try {
      open();
    } catch (const Error& error) {
      return error;
    }
    return Error(ErrorCode::internal, "accepted");
  }

  fs::path folder_;
  NetworkSpec spec_;
  std::shared_ptr<Network> network_;
  models::ModelCard card_;
};

TEST_F(TrainedNetwork, GivesWhatTheModuleGives) {
  const models::Network network = open();
  ASSERT_EQ(network.outputs().size(), 1u);
  EXPECT_EQ(network.outputs()[0].shape, (std::vector<std::int64_t>{-1, 24}));
  at::Generator generator = tensor::make_generator(9);
  const at::Tensor images = at::randn({3, 3, 40, 32}, generator);
  const models::Tensor input{{3, 3, 40, 32}, tensor::to_vector(images)};
  const std::vector<models::Tensor> out = network.run(input);
  const at::Tensor wanted = network_->forward(images).detach();
  ASSERT_EQ(out[0].shape, (std::vector<std::int64_t>{3, 24}));
  const double scale = wanted.abs().max().item<double>();
  const std::vector<float> numbers = tensor::to_vector(wanted);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    ASSERT_NEAR(out[0].values[i], numbers[i], 1e-4 * scale);
  }
  const models::Tensor wrong{{1, 3, 40, 40}, std::vector<float>(3 * 40 * 40)};
  EXPECT_THROW(network.run(wrong), Error);
}

TEST_F(TrainedNetwork, AnotherArchitectureIsRefusedByName) {
  spec_.architecture = "iresnet18";
  spec_.height_px = 48;
  card_.network = to_json(encode(spec_));
  const Error error = refusal();
  EXPECT_EQ(error.code(), ErrorCode::corrupt_data);
  EXPECT_NE(error.message().find("missing"), std::string::npos) << error.render();
  EXPECT_NE(error.context().find("model.safetensors"), std::string::npos) << error.render();
}

TEST_F(TrainedNetwork, UnknownOptionsAndNamesGetTheNearest) {
  card_.network = R"({"architecture": "resnet81"})";
  EXPECT_NE(refusal().hint().find("resnet18"), std::string::npos) << refusal().render();
  card_.network = R"({"architectures": "resnet18"})";
  EXPECT_NE(refusal().render().find("architecture"), std::string::npos) << refusal().render();
}

TEST_F(TrainedNetwork, AnotherFileIsRefused) {
  card_.sha256 = std::string(64, '0');
  EXPECT_EQ(refusal().code(), ErrorCode::corrupt_data);
}

}  // namespace
}  // namespace sosia::nn

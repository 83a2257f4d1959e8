#include "sosia/core/error.hpp"
#include "sosia/core/files.hpp"
#include "sosia/models/network.hpp"
#include "sosia/models/store.hpp"
#include "tensor/checkpoint.hpp"
#include "tensor/device.hpp"
#include "train/embedding.hpp"
#include "train/plan.hpp"
#include "train/supervised.hpp"

#include <cmath>
#include <filesystem>
#include <map>

#include <gtest/gtest.h>

namespace sosia::train {
namespace {

namespace fs = std::filesystem;

/// A training of seconds: 8 rendered people, a small network, 4 steps an epoch.
SupervisedRecipe toy() {
  SupervisedRecipe recipe;
  recipe.loss = SupervisedRecipe::Loss::cosface;
  recipe.scale = 16;
  recipe.held_out = 0.25;
  recipe.transforms = {"flip", "colour_jitter p=0.5"};
  recipe.data.subjects = 8;
  recipe.data.pictures = 6;
  recipe.data.size_px = 32;
  recipe.sampler.batch = 9;
  recipe.network.architecture = "small_cnn";
  recipe.network.height_px = recipe.network.width_px = 32;
  recipe.network.dropout = 0;
  recipe.loop.epochs = 3;
  recipe.loop.log_every = 1;
  recipe.loop.ema = 0.9;
  recipe.loop.optimiser.lr = 2e-3;
  return recipe;
}

class Training : public testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::path(testing::TempDir()) /
            testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::remove_all(root_);
  }
  TrainingRequest request(const char* name, const SupervisedRecipe& recipe,
                          bool resume = false) const {
    return {.out = root_ / name, .resume = resume, .origin = "the test", .recipe = encode(recipe)};
  }
  static std::map<std::string, at::Tensor> weights(const fs::path& file) {
    std::map<std::string, at::Tensor> out;
    for (auto& [name, tensor] : tensor::read_checkpoint(file).tensors) out.emplace(name, tensor);
    return out;
  }
  static void expect_same(const fs::path& a, const fs::path& b) {
    const auto first = weights(a), second = weights(b);
    ASSERT_EQ(first.size(), second.size());
    for (const auto& [name, tensor] : first) {
      EXPECT_TRUE(at::equal(tensor, second.at(name))) << name;
    }
  }
  static Error refusal(const std::function<void()>& f) {
    try {
      f();
    } catch (const Error& error) {
      return error;
    }
    return Error(ErrorCode::internal, "accepted");
  }
  fs::path root_;
};

/// Cancels itself at the n-th progress report of the phase "training".
class Interrupter : public RunSink {
 public:
  Interrupter(int at, std::shared_ptr<CancelToken> token) : left_(at), token_(std::move(token)) {}
  void progress(std::string_view phase, std::uint64_t, std::uint64_t) override {
    if (phase == "training" && --left_ == 0) token_->cancel();
  }
  void log(LogLevel, std::string_view) override {}

 private:
  int left_;
  std::shared_ptr<CancelToken> token_;
};

TEST_F(Training, AnInterruptedRunGoesOnToTheBit) {
  const SupervisedRecipe recipe = toy();
  RunContext whole({.seed = 3, .threads = 1});
  train_supervised(recipe, request("whole", recipe), whole);
  for (const int at : {2, 6, 9}) {
    const std::string name = "part" + std::to_string(at);
    const auto token = std::make_shared<CancelToken>();
    RunContext first({.seed = 3,
                      .threads = 1,
                      .cancel = token,
                      .sink = std::make_shared<Interrupter>(at, token)});
    EXPECT_EQ(
        refusal([&] { train_supervised(recipe, request(name.c_str(), recipe), first); }).code(),
        ErrorCode::cancelled);
    EXPECT_FALSE(fs::exists(root_ / name / "model.safetensors"));
    RunContext second({.seed = 3, .threads = 1});
    train_supervised(recipe, request(name.c_str(), recipe, true), second);
    expect_same(root_ / "whole" / "model.safetensors", root_ / name / "model.safetensors");
    expect_same(root_ / "whole/checkpoint/last.safetensors",
                root_ / name / "checkpoint/last.safetensors");
    EXPECT_EQ(read_text(root_ / "whole/log.csv", 1 << 20),
              read_text(root_ / name / "log.csv", 1 << 20));
  }
  RunContext other({.seed = 4, .threads = 1});
  train_supervised(recipe, request("other", recipe), other);
  EXPECT_NE(read_text(root_ / "whole/log.csv", 1 << 20),
            read_text(root_ / "other/log.csv", 1 << 20));
}

TEST_F(Training, TheCardRunsInTheRoomOfModels) {
  const SupervisedRecipe recipe = toy();
  RunContext run({.seed = 1, .threads = 1});
  const Report report = train_supervised(recipe, request("run", recipe), run);
  EXPECT_TRUE(fs::exists(root_ / "run/recipe.toml"));
  models::ModelStore store({.user = false, .built_in = false});
  const std::string name = store.resolve(root_ / "run/model.safetensors");
  const models::Network network = models::Network::open(store.at(name), store, {.threads = 1});
  const auto set = data::open_dataset(recipe.data);
  const image::Image picture = set->read(0, {});
  const models::Tensor out =
      network.run(models::image_tensor(store.at(name).input, picture)).front();
  // The same picture through the loop's own path.
  at::Generator generator = tensor::make_generator(0);
  const auto module = nn::make_network(recipe.network, generator);
  tensor::load_state(*module, tensor::read_checkpoint(root_ / "run/model.safetensors").tensors,
                     "run");
  module->eval();
  const std::vector<std::uint32_t> first{0};
  const at::Tensor wanted =
      embed(*module, data::subset(set, first), recipe.network, recipe.input, run);
  ASSERT_EQ(out.values.size(), 128u);
  for (std::size_t i = 0; i < 128; ++i)
    EXPECT_NEAR(out.values[i], wanted[0][i].item<float>(), 1e-4);
}

TEST_F(Training, ALossThatIsNotFiniteStopsWithTheStep) {
  SupervisedRecipe recipe = toy();
  recipe.loop.optimiser.kind = OptimiserKind::sgd;
  recipe.loop.optimiser.lr = 1e30;
  RunContext run({.seed = 1, .threads = 1});
  const Error error = refusal([&] { train_supervised(recipe, request("run", recipe), run); });
  EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
  EXPECT_NE(error.message().find("at step"), std::string::npos) << error.render();
  EXPECT_NE(error.hint().find("loop.optimiser.lr"), std::string::npos);
  EXPECT_FALSE(fs::exists(root_ / "run/model.safetensors"));
}

TEST_F(Training, OneFolderHoldsOneRun) {
  SupervisedRecipe recipe = toy();
  recipe.loop.epochs = 1;
  RunContext run({.seed = 1, .threads = 1});
  EXPECT_EQ(refusal([&] { train_supervised(recipe, request("run", recipe, true), run); }).code(),
            ErrorCode::not_found);  // nothing to go on with
  fs::remove_all(root_);
  train_supervised(recipe, request("run", recipe), run);
  EXPECT_EQ(refusal([&] { train_supervised(recipe, request("run", recipe), run); }).code(),
            ErrorCode::conflict);
  SupervisedRecipe changed = recipe;
  changed.loop.epochs = 2;
  const Error error =
      refusal([&] { train_supervised(changed, request("run", changed, true), run); });
  EXPECT_EQ(error.code(), ErrorCode::corrupt_data);
  EXPECT_NE(error.message().find("another recipe"), std::string::npos);
  RunContext force({.seed = 1, .threads = 1, .overwrite = Overwrite::replace});
  train_supervised(changed, request("run", changed), force);
}

TEST_F(Training, SetsThatDoNotFitAreRefusedBeforeAnythingIsWritten) {
  RunContext run({.seed = 1, .threads = 1});
  const auto message = [&](const SupervisedRecipe& recipe) {
    const Error error = refusal([&] { train_supervised(recipe, request("run", recipe), run); });
    EXPECT_FALSE(fs::exists(root_ / "run"));
    return error.message();
  };
  SupervisedRecipe few = toy();
  few.sampler = {.kind = data::SamplerSpec::Kind::pk, .subjects = 7, .pictures = 2};
  EXPECT_EQ(message(few), "a batch wants 7 subjects, but the set has 6");
  SupervisedRecipe size = toy();
  size.transforms = {"resize height=40 width=32"};
  EXPECT_NE(message(size).find("the network takes 32 x 32"), std::string::npos);
  SupervisedRecipe unknown = toy();
  unknown.network.architecture = "smallcnn";
  EXPECT_NE(message(unknown).find("smallcnn"), std::string::npos);
  RunContext gpu({.seed = 1, .threads = 1, .device = "cuda"});
  if (!at::hasCUDA()) {
    EXPECT_EQ(refusal([&] { train_supervised(toy(), request("run", toy()), gpu); }).code(),
              ErrorCode::device);
  }
}

TEST_F(Training, PatienceEndsARunThatGetsNoBetter) {
  SupervisedRecipe recipe = toy();
  recipe.loop.epochs = 12;
  recipe.loop.patience = 2;
  recipe.loop.optimiser.lr = 1e-12;
  RunContext run({.seed = 1, .threads = 1});
  const Report report = train_supervised(recipe, request("run", recipe), run);
  EXPECT_EQ(weights(root_ / "run/checkpoint/last.safetensors").empty(), false);
  const std::string log = read_text(root_ / "run/log.csv", 1 << 20);
  EXPECT_LT(std::count(log.begin(), log.end(), '\n'), 1 + 12 * 4);
}

// Labels that can be learned are learned; the bound is far below what is seen (loss 7.9 to 0.6).
TEST_F(Training, TheLossFalls) {
  SupervisedRecipe recipe = toy();
  recipe.loop.epochs = 25;
  recipe.loop.evaluate_every = 0;
  RunContext run({.seed = 1, .threads = 1});
  train_supervised(recipe, request("run", recipe), run);
  const std::string log = read_text(root_ / "run/log.csv", 1 << 20);
  const auto loss_of = [](const std::string& line) {
    const std::size_t second = line.find(',', line.find(',') + 1);
    return std::stod(line.substr(second + 1));
  };
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < log.size(); at = log.find('\n', at) + 1) {
    lines.push_back(log.substr(at, log.find('\n', at) - at));
  }
  EXPECT_LT(loss_of(lines.back()), 0.5 * loss_of(lines[1])) << lines[1] << " ... " << lines.back();
}

TEST(Figures, FollowTheirDefinitions) {
  // Two subjects of two rows, one row turned towards the other subject.
  const at::Tensor rows = at::tensor({1.f, 0.f, 0.9f, 0.1f, 0.f, 1.f, 0.6f, 0.5f}).view({4, 2});
  const std::vector<std::int64_t> labels{0, 0, 1, 1};
  const auto figures = embedding_figures(rows, labels);
  EXPECT_EQ(figures[0].first, "rank1");
  EXPECT_NEAR(figures[0].second, 0.75, 1e-12);
  EXPECT_NEAR(effective_rank(at::eye(5)), 5, 1e-9);
  EXPECT_NEAR(effective_rank(at::ones({6, 3})), 1, 1e-6);
  EXPECT_THROW(embedding_figures(rows, std::vector<std::int64_t>{0, 1, 2, 3}), Error);
  EXPECT_THROW(embedding_figures(rows, std::vector<std::int64_t>{0, 0, 0, 0}), Error);
}

}  // namespace
}  // namespace sosia::train

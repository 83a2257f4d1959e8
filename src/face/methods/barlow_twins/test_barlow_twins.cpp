#include "face/methods/barlow_twins/arms.hpp"
#include "face/methods/barlow_twins/barlow_twins.hpp"
#include "sosia/core/error.hpp"
#include "tensor/checkpoint.hpp"
#include "tensor/device.hpp"

#include <filesystem>

#include <gtest/gtest.h>

namespace sosia::face::barlow_twins {
namespace {

namespace fs = std::filesystem;

TEST(Pictures, FoldsShareNoSubjectAndCoverAll) {
  RunContext run;
  const Faces faces = render_faces(1, 8, 3, kWidthPx, kHeightPx, run);
  ASSERT_EQ(faces.pictures.size(), 24u);
  std::size_t tested = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const Fold fold = split(faces, 4, i, 9);
    for (const std::int64_t subject : fold.test.subjects) {
      EXPECT_EQ(std::count(fold.train.subjects.begin(), fold.train.subjects.end(), subject), 0);
    }
    EXPECT_EQ(fold.test.pictures.size() + fold.train.pictures.size(), 24u);
    tested += fold.test.pictures.size();
  }
  EXPECT_EQ(tested, 24u);
}

TEST(BarlowTask, StepsLowerTheLoss) {
  nn::NetworkSpec spec;
  spec.architecture = "small_cnn";
  spec.height_px = spec.width_px = 32;
  at::Generator generator = tensor::make_generator(1);
  const auto network = nn::make_network(spec, generator);
  BarlowTask task(network, {32, 32}, {.lambda = 0.02}, at::kCPU, generator);
  const at::Tensor pictures = at::randn({24, 3, 32, 32}, generator);
  const at::Tensor other = pictures + 0.3 * at::randn({24, 3, 32, 32}, generator);
  const auto optimiser = train::make_optimiser({.lr = 1e-3}, task.parameters());
  double first = 0, last = 0;
  for (int i = 0; i < 12; ++i) {
    optimiser->zero_grad();
    const train::StepResult result = task.step({pictures, other}, {});
    result.loss.backward();
    optimiser->step(1);
    (i == 0 ? first : last) = result.loss.item<double>();
    EXPECT_NEAR(result.loss.item<double>(), result.figures[0].second + result.figures[1].second,
                1e-3);
  }
  EXPECT_LT(last, 0.8 * first);
}

// The published recipe constructs: ResNet-50 without classifier, and the projector of three layers
// of 8192 (2048 x 8192 + 2 x 8192 x 8192 weights, two norms).
TEST(Recipes, ThePublishedOneHasThePublishedSize) {
  Recipe recipe;
  recipe.network.architecture = "resnet50";
  recipe.network.height_px = recipe.network.width_px = 224;
  at::Generator generator = tensor::make_generator(0);
  const auto network = nn::make_network(recipe.network, generator);
  BarlowTask task(network, recipe.projector, {}, at::kCPU, generator);
  EXPECT_EQ(tensor::count_parameters(*task.modules()[0].second), 23508032);
  EXPECT_EQ(tensor::count_parameters(*task.modules()[1].second),
            2048 * 8192 + 2 * 8192 * 8192 + 4 * 8192);
}

TEST(Training, LeavesAModelAndSaysWhatDoesNotFit) {
  const fs::path out = fs::path(testing::TempDir()) / "barlow_training";
  fs::remove_all(out);
  Recipe recipe;
  recipe.projector = {16, 16};
  recipe.held_out = 0.34;
  recipe.data.subjects = 6;
  recipe.data.pictures = 4;
  recipe.data.size_px = 32;
  recipe.sampler.batch = 8;
  recipe.network.architecture = "small_cnn";
  recipe.network.height_px = recipe.network.width_px = 32;
  recipe.loop.epochs = 1;
  recipe.loop.optimiser = {.kind = train::OptimiserKind::lars, .lr = 0.2};
  RunContext run({.seed = 1, .threads = 1});
  train_barlow_twins(recipe, {.out = out, .origin = "the test", .recipe = encode(recipe)}, run);
  for (const char* file : {"model.safetensors", "model.toml", "recipe.toml", "log.csv"}) {
    EXPECT_TRUE(fs::exists(out / file)) << file;
  }
  recipe.network.width_px = 24;
  EXPECT_THROW(plan_barlow_twins(recipe, {}, run), Error);
}

TEST(Arms, AreTheSameForTheSameSeed) {
  RunContext run({.threads = 1});
  const Fold fold = split(render_faces(1, 8, 3, kWidthPx, kHeightPx, run), 4, 0, 0);
  const Budget budget{.steps = 2, .batch = 12};
  const ArmFigures a = run_arms(fold, budget, 5, run), b = run_arms(fold, budget, 5, run);
  EXPECT_EQ(a.full.eer, b.full.eer);
  EXPECT_EQ(a.supervised.effective_rank, b.supervised.effective_rank);
  EXPECT_NE(a.full.effective_rank, a.redundancy.effective_rank);
  EXPECT_GE(a.pixels.rank1, 0);
  EXPECT_LE(a.pixels.rank1, 1);
}

}  // namespace
}  // namespace sosia::face::barlow_twins

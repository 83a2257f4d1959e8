#include "sosia/core/error.hpp"
#include "tensor/checkpoint.hpp"
#include "tensor/device.hpp"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

namespace sosia::tensor {
namespace {

namespace nn = torch::nn;

struct Small : nn::Module {
  Small() {
    conv = register_module("conv", nn::Conv2d(nn::Conv2dOptions(3, 4, 3).bias(false)));
    bn = register_module("bn", nn::BatchNorm2d(4));
    fc = register_module("fc", nn::Linear(4, 2));
  }
  nn::Conv2d conv{nullptr};
  nn::BatchNorm2d bn{nullptr};
  nn::Linear fc{nullptr};
};

std::filesystem::path temporary(const char* name) {
  const std::filesystem::path path = std::filesystem::path(testing::TempDir()) / name;
  std::filesystem::remove(path);
  return path;
}

std::string refusal(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.message();
  }
  return "accepted";
}

TEST(Checkpoint, AModuleComesBackFromItsFile) {
  Small a, b;
  const auto path = temporary("small.safetensors");
  write_checkpoint(path, state_of(a), {{"step", "12"}});
  const Checkpoint file = read_checkpoint(path);
  EXPECT_EQ(file.metadata, (formats::Metadata{{"step", "12"}}));
  ASSERT_FALSE(at::equal(a.conv->weight, b.conv->weight));
  load_state(b, file.tensors, path.string());
  const NamedTensors before = state_of(a), after = state_of(b);
  ASSERT_EQ(before.size(), 8u);  // weights, biases and the three buffers of the norm
  for (std::size_t i = 0; i < before.size(); ++i) {
    EXPECT_EQ(before[i].first, after[i].first);
    EXPECT_TRUE(at::equal(before[i].second, after[i].second)) << before[i].first;
  }
  EXPECT_EQ(count_parameters(a), 3 * 4 * 9 + 4 + 4 + 4 * 2 + 2);
}

TEST(Checkpoint, EveryElementTypeAndStrideSurvives) {
  NamedTensors tensors;
  for (const auto type : {at::kFloat, at::kDouble, at::kHalf, at::kBFloat16, at::kLong, at::kInt,
                          at::kShort, at::kChar, at::kByte, at::kBool}) {
    tensors.emplace_back(c10::toString(type), at::arange(12).to(type).view({3, 4}).t());
  }
  tensors.emplace_back("scalar", at::scalar_tensor(3.5));
  tensors.emplace_back("empty", at::empty({0, 3}));
  const auto path = temporary("types.safetensors");
  write_checkpoint(path, tensors);
  const Checkpoint file = read_checkpoint(path);
  ASSERT_EQ(file.tensors.size(), tensors.size());
  for (const auto& [name, tensor] : file.tensors) {
    const auto same = std::find_if(tensors.begin(), tensors.end(),
                                   [&](const auto& entry) { return entry.first == name; });
    ASSERT_NE(same, tensors.end());
    EXPECT_EQ(tensor.scalar_type(), same->second.scalar_type());
    EXPECT_TRUE(at::equal(tensor, same->second)) << name;
  }
}

TEST(LoadState, ListsWhatDoesNotFitAndCopiesNothing) {
  Small module;
  const at::Tensor before = module.fc->weight.detach().clone();
  NamedTensors tensors = state_of(module);
  for (auto& [name, tensor] : tensors) tensor = at::zeros_like(tensor);
  std::erase_if(tensors, [](const auto& entry) { return entry.first == "bn.weight"; });
  tensors.emplace_back("fc.extra", at::zeros({1}));
  for (auto& [name, tensor] : tensors) {
    if (name == "conv.weight") tensor = at::zeros({4, 3, 5, 5});
  }
  EXPECT_EQ(refusal([&] { load_state(module, tensors, "w.safetensors"); }),
            "the weights do not fit the network: 1 missing: bn.weight; 1 unexpected: fc.extra; "
            "1 of another shape: conv.weight (Float [4, 3, 5, 5] instead of Float [4, 3, 3, 3])");
  EXPECT_TRUE(at::equal(module.fc->weight, before));
}

TEST(LoadState, AKeyMapRenamesAndLeavesOut) {
  Small a, b;
  NamedTensors tensors;
  for (const auto& [name, tensor] : state_of(a)) {
    if (!name.ends_with("num_batches_tracked")) tensors.emplace_back("module." + name, tensor);
  }
  tensors.emplace_back("head.weight", at::zeros({9}));
  EXPECT_NE(refusal([&] { load_state(b, tensors, "f"); }).find("unexpected"), std::string::npos);
  load_state(b, tensors, "f", {.keys = {{{"module.", ""}, {"head.", std::nullopt}}}});
  EXPECT_TRUE(at::equal(a.fc->weight, b.fc->weight));
  std::erase_if(tensors, [](const auto& entry) { return entry.first == "module.fc.bias"; });
  const KeyMap keys{{{"module.", ""}, {"head.", std::nullopt}}};
  EXPECT_NE(refusal([&] { load_state(b, tensors, "f", {.keys = keys}); }).find("fc.bias"),
            std::string::npos);
  EXPECT_EQ(refusal([&] { load_state(b, tensors, "f", {.keys = keys, .allow_missing = true}); }),
            "accepted");
}

TEST(Checkpoint, RefusesOtherFiles) {
  const auto path = temporary("text.safetensors");
  std::ofstream(path) << "these are no weights at all, but long enough to have a header";
  EXPECT_NE(refusal([&] { read_checkpoint(path); }), "accepted");
  EXPECT_NE(refusal([&] { read_checkpoint(temporary("absent")); }), "accepted");
}

}  // namespace
}  // namespace sosia::tensor

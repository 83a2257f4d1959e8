#include "sosia/core/error.hpp"
#include "tensor/device.hpp"
#include "tensor/error.hpp"

#include <stdexcept>

#include <gtest/gtest.h>

namespace sosia::tensor {
namespace {

ErrorCode code_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::internal;
}

TEST(Device, NamesAreThoseOfARun) {
  EXPECT_TRUE(find_device("cpu").is_cpu());
  EXPECT_EQ(code_of([] { find_device("gpu"); }), ErrorCode::invalid_argument);
  if (!at::hasCUDA()) {
    EXPECT_EQ(code_of([] { find_device("cuda:3"); }), ErrorCode::device);
  }
  EXPECT_EQ(find_dtype("bfloat16"), at::kBFloat16);
  EXPECT_EQ(code_of([] { find_dtype("int8"); }), ErrorCode::invalid_argument);
}

// torch.manual_seed(1); torch.rand(3) and torch.randn(2) of PyTorch 2.13: the same generator,
// Mersenne twister, and the same way from bits to numbers. tests/python/tensor_oracle.py compares
// many more.
TEST(Device, ASeedGivesTheDrawsOfPyTorch) {
  at::Generator generator = make_generator(1);
  const at::Tensor draws = at::rand({3}, generator);
  EXPECT_FLOAT_EQ(draws[0].item<float>(), 0.75763154f);
  EXPECT_FLOAT_EQ(draws[1].item<float>(), 0.27931088f);
  EXPECT_FLOAT_EQ(draws[2].item<float>(), 0.40306926f);
}

TEST(Device, TheStateOfAGeneratorComesBack) {
  at::Generator generator = make_generator(7);
  at::rand({5}, generator);
  const at::Tensor state = generator_state(generator);
  const at::Tensor next = at::rand({8}, generator);
  at::Generator other = make_generator(0);
  set_generator_state(other, state);
  EXPECT_TRUE(at::equal(at::rand({8}, other), next));
}

TEST(Guard, ShowsShapesAndKeepsOurOwnErrors) {
  const at::Tensor a = at::ones({2, 3}), b = at::ones({2, 3});
  try {
    guarded("multiply", {{"a", a}, {"b", b}}, [&] { return at::mm(a, b); });
    FAIL() << "2 x 3 times 2 x 3 was multiplied";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
    EXPECT_NE(error.message().find("cannot multiply: mat1 and mat2"), std::string::npos);
    EXPECT_EQ(error.message().find(".cpp"), std::string::npos) << error.message();
    EXPECT_EQ(error.context(), "a: Float [2, 3]; b: Float [2, 3]");
  }
  EXPECT_EQ(code_of([] { guarded("x", {}, [] { throw Error(ErrorCode::conflict, "held"); }); }),
            ErrorCode::conflict);
  EXPECT_EQ(code_of([] { guarded("allocate", {}, [] { return at::empty({1LL << 50}); }); }),
            ErrorCode::out_of_memory);
}

}  // namespace
}  // namespace sosia::tensor

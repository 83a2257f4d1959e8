#pragma once
// The border to LibTorch: what it throws leaves as sosia::Error.

#include "sosia/core/error.hpp"
#include "tensor/torch.hpp"

#include <exception>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sosia::tensor {

/// "float32 [8, 3, 112, 112]"; "no tensor" for an undefined one.
std::string describe(const at::Tensor& tensor);

/// Names and tensors that an error shall show.
using Shown = std::vector<std::pair<std::string_view, at::Tensor>>;

/// `error` in our own words: `doing` failed, LibTorch's first sentence, and in the context the
/// shapes of `shown`. out_of_memory when memory was short, device for what an accelerator said,
/// otherwise `code`. Errors of our own come back unchanged.
[[noreturn]] void rethrow(std::exception_ptr error, std::string_view doing, const Shown& shown,
                          ErrorCode code = ErrorCode::invalid_argument);

/// Calls `f` and translates what LibTorch throws. `doing` is the object of "cannot": "apply
/// ResNet-18".
template <class F>
decltype(auto) guarded(std::string_view doing, const Shown& shown, F&& f) {
  try {
    return std::forward<F>(f)();
  } catch (...) {
    rethrow(std::current_exception(), doing, shown);
  }
}

}  // namespace sosia::tensor

#pragma once
// Vision transformers with class and register tokens.
//
// Reference: Dosovitskiy et al., ICLR 2021, sizes of DeiT (Touvron et al., ICML 2021), registers:
// Darcet et al., ICLR 2024; names and initialisation of timm's vision_transformer.py.

#include "nn/network.hpp"

namespace sosia::nn {

struct VitOptions {
  std::int64_t width = 192, depth = 12, heads = 3;
};

/// The class token behind the last norm: `width` numbers, or a linear layer `head` behind it when
/// the spec wants another dimension. Picture sides are multiples of the patch.
std::shared_ptr<Network> make_vit(const VitOptions& options, const NetworkSpec& spec,
                                  at::Generator& generator);

}  // namespace sosia::nn

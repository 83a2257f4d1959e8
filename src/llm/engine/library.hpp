#pragma once
// libllama as a whole: its log, its variants of CPU kernels, its errors.

#include "sosia/core/error.hpp"

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <ggml-backend.h>
#include <llama.h>

namespace sosia::llm {

struct FreeModel {
  void operator()(llama_model* p) const { llama_model_free(p); }
};
struct FreeContext {
  void operator()(llama_context* p) const { llama_free(p); }
};
struct FreeSampler {
  void operator()(llama_sampler* p) const { llama_sampler_free(p); }
};
using ModelPtr = std::unique_ptr<llama_model, FreeModel>;
using ContextPtr = std::unique_ptr<llama_context, FreeContext>;
using SamplerPtr = std::unique_ptr<llama_sampler, FreeSampler>;

/// The variants of CPU kernels in `folder` that this processor can run, fastest first. Throws
/// missing_feature when there is none.
std::vector<std::filesystem::path> cpu_variants(const std::filesystem::path& folder);

/// Makes `variant` the CPU backend of this process. Throws device when it cannot be loaded. A
/// process has one at a time: models of another one must be gone.
void use_variant(const std::filesystem::path& variant);
/// The file name of the variant in use, without "libggml-cpu-"; "" for none.
std::string variant_in_use();

/// Takes the lines that libllama logs at level error since the last call, joined.
std::string take_log();
void begin_log();

}  // namespace sosia::llm

#pragma once
// Weights in files and in modules. Names are those of PyTorch's state_dict, so that published
// weights load into modules of the same layout.

#include "sosia/core/files.hpp"
#include "sosia/formats/safetensors.hpp"
#include "tensor/torch.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sosia::tensor {

using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

/// Tensors of a file, on the processor, and what else a safetensors file says about itself.
struct Checkpoint {
  NamedTensors tensors;
  formats::Metadata metadata;
};

/// Reads safetensors or a checkpoint of PyTorch (see pytorch_file.hpp), told apart by content.
/// `section`: which of several state_dicts of a PyTorch file; empty: the only one.
/// Throws not_found, io, corrupt_data, unsupported (an element type that LibTorch lacks).
Checkpoint read_checkpoint(const std::filesystem::path& path, std::string_view section = {});

/// Writes safetensors; the file appears whole or not at all. Tensors may be on any device and of
/// any strides. Throws as `formats::write_safetensors`.
void write_checkpoint(const std::filesystem::path& path, const NamedTensors& tensors,
                      formats::Metadata metadata = {}, Overwrite overwrite = Overwrite::refuse);

/// All parameters and buffers of a module by their dotted names: no copies. As PyTorch's
/// state_dict.
NamedTensors state_of(const torch::nn::Module& module);

/// How names in a file become names in a module.
struct KeyMap {
  struct Rule {
    std::string prefix;                      ///< of the name in the file; may be a whole name
    std::optional<std::string> replacement;  ///< put in its place; none: the tensor is left out
  };
  std::vector<Rule> rules;  ///< the first whose prefix fits is applied, once

  /// nullopt: the tensor is left out.
  std::optional<std::string> operator()(std::string_view name) const;
};

struct LoadOptions {
  KeyMap keys = {};
  /// Whether parameters and buffers that the file lacks may keep their values. Tensors that the
  /// module lacks are refused in any case: a KeyMap leaves them out by name.
  bool allow_missing = false;
};

/// Copies the tensors into parameters and buffers of the same name and shape; element types are
/// converted. All or nothing: throws corrupt_data that lists the missing, unexpected and mis-shaped
/// names (ten of each kind), and then nothing was copied. `origin` names the file in errors.
/// `num_batches_tracked` of batch norms may be missing: files made before it existed lack it.
void load_state(torch::nn::Module& module, const NamedTensors& tensors, std::string_view origin,
                const LoadOptions& options = {});

/// Elements of all parameters; buffers do not count.
std::int64_t count_parameters(const torch::nn::Module& module);

}  // namespace sosia::tensor

#include "tensor/checkpoint.hpp"

#include "sosia/core/error.hpp"
#include "sosia/core/text.hpp"
#include "tensor/error.hpp"
#include "tensor/pytorch_file.hpp"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <map>

#include <torch/csrc/autograd/grad_mode.h>

namespace sosia::tensor {

namespace {

using formats::DType;

constexpr std::pair<DType, at::ScalarType> kTypes[] = {{DType::boolean, at::kBool},
                                                       {DType::u8, at::kByte},
                                                       {DType::i8, at::kChar},
                                                       {DType::f8_e5m2, at::kFloat8_e5m2},
                                                       {DType::f8_e4m3, at::kFloat8_e4m3fn},
                                                       {DType::i16, at::kShort},
                                                       {DType::f16, at::kHalf},
                                                       {DType::bf16, at::kBFloat16},
                                                       {DType::i32, at::kInt},
                                                       {DType::f32, at::kFloat},
                                                       {DType::f64, at::kDouble},
                                                       {DType::i64, at::kLong}};

at::Tensor copy_of(const formats::ArrayView& view, const std::string& name) {
  const auto* row = std::find_if(std::begin(kTypes), std::end(kTypes),
                                 [&](const auto& entry) { return entry.first == view.dtype; });
  if (row == std::end(kTypes)) {
    throw Error(ErrorCode::unsupported, "tensor " + quote(name) + " has the element type " +
                                            std::string(formats::dtype_name(view.dtype)) +
                                            ", which LibTorch cannot compute with");
  }
  const std::vector<std::int64_t> shape(view.shape.begin(), view.shape.end());
  at::Tensor out = at::empty(shape, row->second);
  if (!view.bytes.empty()) std::memcpy(out.data_ptr(), view.bytes.data(), view.bytes.size());
  return out;
}

formats::ArrayView view_of_tensor(const at::Tensor& tensor, const std::string& name) {
  const auto* row = std::find_if(std::begin(kTypes), std::end(kTypes), [&](const auto& entry) {
    return entry.second == tensor.scalar_type();
  });
  if (row == std::end(kTypes)) {
    throw Error(ErrorCode::unsupported,
                "tensor " + quote(name) + " cannot be written: " + describe(tensor));
  }
  return {row->first,
          {tensor.sizes().begin(), tensor.sizes().end()},
          {static_cast<const std::byte*>(tensor.const_data_ptr()), tensor.nbytes()}};
}

bool is_zip(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  char magic[4] = {};
  file.read(magic, sizeof magic);
  return file && std::memcmp(magic, "PK\3\4", 4) == 0;
}

// "a", "b", ... and 12 more
std::string list(const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 10;
  std::string out;
  for (std::size_t i = 0; i < std::min(names.size(), kShown); ++i) {
    out += (i == 0 ? "" : ", ") + names[i];
  }
  if (names.size() > kShown) out += " and " + std::to_string(names.size() - kShown) + " more";
  return out;
}

}  // namespace

Checkpoint read_checkpoint(const std::filesystem::path& path, std::string_view section) {
  if (is_zip(path)) return {read_pytorch_file(path, section), {}};
  const formats::SafetensorsFile file(path);
  if (!section.empty()) {
    throw Error(ErrorCode::invalid_argument, "a safetensors file has no sections", {},
                path.string());
  }
  Checkpoint out{{}, file.metadata()};
  for (const formats::TensorInfo& info : file.tensors()) {
    out.tensors.emplace_back(info.name, copy_of(file.view(info), info.name));
  }
  return out;
}

void write_checkpoint(const std::filesystem::path& path, const NamedTensors& tensors,
                      formats::Metadata metadata, Overwrite overwrite) {
  NamedTensors kept;  // what the views look at
  formats::NamedArrays arrays;
  for (const auto& [name, tensor] : tensors) {
    kept.emplace_back(name, tensor.detach().to(at::kCPU).contiguous());
    arrays.emplace_back(name, view_of_tensor(kept.back().second, name));
  }
  formats::write_safetensors(path, std::move(arrays), std::move(metadata), overwrite);
}

NamedTensors state_of(const torch::nn::Module& module) {
  NamedTensors out;
  for (const auto& item : module.named_parameters()) out.emplace_back(item.key(), item.value());
  for (const auto& item : module.named_buffers()) out.emplace_back(item.key(), item.value());
  return out;
}

std::optional<std::string> KeyMap::operator()(std::string_view name) const {
  for (const Rule& rule : rules) {
    if (!name.starts_with(rule.prefix)) continue;
    if (!rule.replacement) return std::nullopt;
    return *rule.replacement + std::string(name.substr(rule.prefix.size()));
  }
  return std::string(name);
}

void load_state(torch::nn::Module& module, const NamedTensors& tensors, std::string_view origin,
                const LoadOptions& options) {
  std::map<std::string, at::Tensor> wanted;
  for (auto& [name, tensor] : state_of(module)) wanted.emplace(name, tensor);
  std::vector<std::pair<at::Tensor, at::Tensor>> copies;
  std::vector<std::string> unexpected, misshaped, missing;
  for (const auto& [file_name, tensor] : tensors) {
    const std::optional<std::string> name = options.keys(file_name);
    if (!name) continue;
    const auto found = wanted.find(*name);
    if (found == wanted.end()) {
      unexpected.push_back(*name);
    } else if (found->second.sizes() != tensor.sizes()) {
      misshaped.push_back(*name + " (" + describe(tensor) + " instead of " +
                          describe(found->second) + ")");
      wanted.erase(found);
    } else {
      copies.emplace_back(found->second, tensor);
      wanted.erase(found);
    }
  }
  for (const auto& [name, tensor] : wanted) {
    if (!options.allow_missing && !name.ends_with("num_batches_tracked")) missing.push_back(name);
  }
  std::string problems;
  for (const auto& [what, names] : {std::pair{"missing", &missing},
                                    {"unexpected", &unexpected},
                                    {"of another shape", &misshaped}}) {
    if (names->empty()) continue;
    problems += (problems.empty() ? "" : "; ") + std::to_string(names->size()) + " " + what + ": " +
                list(*names);
  }
  if (!problems.empty()) {
    throw Error(ErrorCode::corrupt_data, "the weights do not fit the network: " + problems,
                "check that the file is of this architecture", std::string(origin));
  }
  const torch::NoGradGuard no_grad;
  for (auto& [target, source] : copies) target.copy_(source);
}

std::int64_t count_parameters(const torch::nn::Module& module) {
  std::int64_t count = 0;
  for (const at::Tensor& parameter : module.parameters()) count += parameter.numel();
  return count;
}

}  // namespace sosia::tensor

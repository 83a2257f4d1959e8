#pragma once
// The JSON header of a safetensors file. A parser of its own because the general JSON value costs
// some thirty times the text in memory and compares keys pairwise, which a header of the permitted
// 100 MB would turn into an attack.

#include "sosia/formats/safetensors.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sosia::formats {

struct SafetensorsHeader {
  std::vector<TensorInfo> tensors;  // in the order of the text
  std::vector<std::pair<std::string, std::string>> metadata;
};

/// Throws corrupt_data with the position, or unsupported for an unknown dtype.
SafetensorsHeader parse_safetensors_header(std::string_view text, std::string_view origin);

/// "F32" for f32.
std::string_view safetensors_dtype_name(DType type);

}  // namespace sosia::formats

#pragma once
// NumPy's dtype codes, shared by npy files and pickled arrays.

#include "sosia/formats/array.hpp"

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace sosia::formats {

inline constexpr std::size_t kNpyMaxDimensions = 64;  // as numpy 2

struct NpyDType {
  DType type = DType::f32;
  bool object = false;
  bool big_endian = false;
};

/// "<f4", "|u1", "f8", ... Throws unsupported for others.
NpyDType parse_npy_dtype(std::string_view code, std::string_view origin);

/// "<f4" for f32. Throws unsupported for dtypes that NumPy lacks.
std::string_view npy_dtype_code(DType type);

/// Bytes of an array, checked. Throws corrupt_data on overflow.
std::size_t array_bytes(DType type, std::span<const std::size_t> shape, std::string_view origin);

/// A copy in C order and little-endian of elements that lie in Fortran order or big-endian.
Array normalised_copy(DType type, std::span<const std::size_t> shape,
                      std::span<const std::byte> bytes, bool fortran_order, bool big_endian);

}  // namespace sosia::formats

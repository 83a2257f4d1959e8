#pragma once
// N-dimensional arrays as files hold them: an element type, a shape and little-endian bytes in C
// order. Shared by npy, npz, safetensors and pickled numpy arrays.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace sosia::formats {

/// Element types. The numeric order is the order of increasing alignment that the safetensors
/// writer sorts by; do not reorder.
enum class DType : std::uint8_t {
  boolean,  ///< one byte, 0 or 1
  u8,       ///< unsigned integers
  i8,       ///< two's complement integers
  f8_e5m2,  ///< 8-bit float, 5 exponent bits (Micikevicius et al., arXiv 2209.05433)
  f8_e4m3,  ///< 8-bit float, 4 exponent bits, no infinities, NaN = 0x7f and 0xff ("fn" variant)
  f8_e8m0,  ///< power-of-two scale 2^(x - 127), 0xff = NaN (OCP microscaling)
  i16,
  u16,
  f16,   ///< IEEE 754 binary16
  bf16,  ///< upper half of a binary32
  i32,
  u32,
  f32,
  c64,  ///< complex of two binary32; carried, never converted to real numbers
  f64,
  i64,
  u64,
};

/// Bytes of one element.
std::size_t item_size(DType type);

/// "f32", "bf16", "bool", ... for messages.
std::string_view dtype_name(DType type);

/// The product of `shape`; 1 for a scalar (empty shape). Throws corrupt_data when it does not fit
/// in 63 bits.
std::size_t element_count(std::span<const std::size_t> shape);

/// "[3, 112, 112]" for messages.
std::string shape_text(std::span<const std::size_t> shape);

/// The `DType` of a C++ element type; `bool` is not among them because files may hold bytes other
/// than 0 and 1 (read booleans as `std::uint8_t`).
template <class T>
constexpr DType dtype_of() {
  if constexpr (std::is_same_v<T, float>)
    return DType::f32;
  else if constexpr (std::is_same_v<T, double>)
    return DType::f64;
  else if constexpr (std::is_same_v<T, std::int8_t>)
    return DType::i8;
  else if constexpr (std::is_same_v<T, std::int16_t>)
    return DType::i16;
  else if constexpr (std::is_same_v<T, std::int32_t>)
    return DType::i32;
  else if constexpr (std::is_same_v<T, std::int64_t>)
    return DType::i64;
  else if constexpr (std::is_same_v<T, std::uint8_t>)
    return DType::u8;
  else if constexpr (std::is_same_v<T, std::uint16_t>)
    return DType::u16;
  else if constexpr (std::is_same_v<T, std::uint32_t>)
    return DType::u32;
  else {
    static_assert(std::is_same_v<T, std::uint64_t>, "no array element type");
    return DType::u64;
  }
}

/// A non-owning array: C order, little-endian. `bytes` may be unaligned; `as<T>()` refuses then.
struct ArrayView {
  DType dtype = DType::f32;
  std::vector<std::size_t> shape;
  std::span<const std::byte> bytes;

  std::size_t size() const { return bytes.size() / item_size(dtype); }

  /// The elements without a copy. Throws invalid_argument when the dtype is another one (u8 also
  /// reads booleans, u16 also f16 and bf16 bit patterns) or the bytes are not aligned for T.
  template <class T>
  std::span<const T> as() const {
    require(dtype_of<T>(), alignof(T));
    return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
  }

 private:
  void require(DType wanted, std::size_t alignment) const;
};

/// An owning array: C order, little-endian, aligned for every element type.
struct Array {
  DType dtype = DType::f32;
  std::vector<std::size_t> shape;
  std::vector<std::byte> bytes;

  std::size_t size() const { return bytes.size() / item_size(dtype); }
  ArrayView view() const { return {dtype, shape, bytes}; }
  template <class T>
  std::span<const T> as() const {
    require(dtype_of<T>());
    return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
  }

 private:
  void require(DType wanted) const;
};

/// A view of `values` with `shape`. Throws invalid_argument unless the product of `shape` is the
/// number of values.
template <class T>
ArrayView array_view(std::span<const T> values, std::vector<std::size_t> shape);

/// Arrays with their names, for the writers of npz and safetensors files.
using NamedArrays = std::vector<std::pair<std::string, ArrayView>>;

/// Copies of the elements as numbers. `to_f32` and `to_f64` take every dtype but c64 (integers
/// round to nearest), `to_i64` takes integers and booleans. Throw unsupported for other dtypes, and
/// corrupt_data when an unsigned 64-bit element does not fit.
std::vector<float> to_f32(const ArrayView& array);
std::vector<double> to_f64(const ArrayView& array);
std::vector<std::int64_t> to_i64(const ArrayView& array);

/// Small floats, exactly (widening) or rounded to nearest even (narrowing, overflow to infinity).
float half_to_float(std::uint16_t bits);
std::uint16_t float_to_half(float value);
float bfloat16_to_float(std::uint16_t bits);
std::uint16_t float_to_bfloat16(float value);
float f8_e4m3_to_float(std::uint8_t bits);
float f8_e5m2_to_float(std::uint8_t bits);
float f8_e8m0_to_float(std::uint8_t bits);

/// Implementation of `array_view`.
ArrayView array_view_of_bytes(DType dtype, std::span<const std::byte> bytes,
                              std::vector<std::size_t> shape);

template <class T>
ArrayView array_view(std::span<const T> values, std::vector<std::size_t> shape) {
  return array_view_of_bytes(dtype_of<T>(), std::as_bytes(values), std::move(shape));
}

}  // namespace sosia::formats

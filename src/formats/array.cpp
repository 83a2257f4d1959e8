#include "sosia/formats/array.hpp"

#include "formats/bytes.hpp"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace sosia::formats {

namespace {

struct DTypeRow {
  std::string_view name;
  std::uint8_t size;
};

constexpr DTypeRow kDTypes[] = {
    {"bool", 1}, {"u8", 1},  {"i8", 1},  {"f8_e5m2", 1}, {"f8_e4m3", 1}, {"f8_e8m0", 1},
    {"i16", 2},  {"u16", 2}, {"f16", 2}, {"bf16", 2},    {"i32", 4},     {"u32", 4},
    {"f32", 4},  {"c64", 8}, {"f64", 8}, {"i64", 8},     {"u64", 8},
};
static_assert(std::size(kDTypes) == static_cast<std::size_t>(DType::u64) + 1);

const DTypeRow& row(DType type) {
  return kDTypes[static_cast<std::size_t>(type)];
}

bool compatible(DType wanted, DType present) {
  if (wanted == present) return true;
  if (wanted == DType::u8) {
    return present == DType::boolean || present == DType::f8_e4m3 || present == DType::f8_e5m2 ||
           present == DType::f8_e8m0;
  }
  return wanted == DType::u16 && (present == DType::f16 || present == DType::bf16);
}

[[noreturn]] void refuse_dtype(DType wanted, DType present) {
  throw Error(ErrorCode::invalid_argument,
              "the array holds " + std::string(dtype_name(present)) + ", not " +
                  std::string(dtype_name(wanted)),
              "convert it with to_f32, to_f64 or to_i64");
}

/// Calls `each` with every element as the C++ type that carries its value.
template <class Out, class Convert>
void convert_all(const ArrayView& array, std::vector<Out>& out, std::size_t stride,
                 Convert convert) {
  const std::byte* at = array.bytes.data();
  for (Out& value : out) {
    value = convert(at);
    at += stride;
  }
}

template <class Raw, class Out>
void widen(const ArrayView& array, std::vector<Out>& out) {
  convert_all(array, out, sizeof(Raw),
              [](const std::byte* at) { return static_cast<Out>(load_le<Raw>(at)); });
}

template <class Raw, class Out, float (*kDecode)(Raw)>
void decode(const ArrayView& array, std::vector<Out>& out) {
  convert_all(array, out, sizeof(Raw),
              [](const std::byte* at) { return static_cast<Out>(kDecode(load_le<Raw>(at))); });
}

template <class Out>
std::vector<Out> to_real(const ArrayView& array) {
  std::vector<Out> out(array.size());
  switch (array.dtype) {
    case DType::boolean:
      convert_all(array, out, 1,
                  [](const std::byte* at) { return static_cast<Out>(*at != std::byte{0}); });
      break;
    case DType::u8:
      widen<std::uint8_t>(array, out);
      break;
    case DType::i8:
      widen<std::int8_t>(array, out);
      break;
    case DType::u16:
      widen<std::uint16_t>(array, out);
      break;
    case DType::i16:
      widen<std::int16_t>(array, out);
      break;
    case DType::u32:
      widen<std::uint32_t>(array, out);
      break;
    case DType::i32:
      widen<std::int32_t>(array, out);
      break;
    case DType::u64:
      widen<std::uint64_t>(array, out);
      break;
    case DType::i64:
      widen<std::int64_t>(array, out);
      break;
    case DType::f32:
      widen<float>(array, out);
      break;
    case DType::f64:
      widen<double>(array, out);
      break;
    case DType::f16:
      decode<std::uint16_t, Out, half_to_float>(array, out);
      break;
    case DType::bf16:
      decode<std::uint16_t, Out, bfloat16_to_float>(array, out);
      break;
    case DType::f8_e4m3:
      decode<std::uint8_t, Out, f8_e4m3_to_float>(array, out);
      break;
    case DType::f8_e5m2:
      decode<std::uint8_t, Out, f8_e5m2_to_float>(array, out);
      break;
    case DType::f8_e8m0:
      decode<std::uint8_t, Out, f8_e8m0_to_float>(array, out);
      break;
    case DType::c64:
      throw Error(ErrorCode::unsupported, "an array of complex numbers has no real values");
  }
  return out;
}

}  // namespace

std::size_t item_size(DType type) {
  return row(type).size;
}

std::string_view dtype_name(DType type) {
  return row(type).name;
}

std::size_t element_count(std::span<const std::size_t> shape) {
  std::size_t count = 1;
  for (const std::size_t extent : shape) {
    if (!multiply_sizes(count, extent, count)) {
      throw Error(ErrorCode::corrupt_data,
                  "the shape " + shape_text(shape) + " holds more elements than 63 bits can count");
    }
  }
  return count;
}

std::string shape_text(std::span<const std::size_t> shape) {
  constexpr std::size_t kShown = 16;
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size() && i < kShown; ++i) {
    text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  }
  return text + (shape.size() > kShown ? ", ...]" : "]");
}

void ArrayView::require(DType wanted, std::size_t alignment) const {
  if (!compatible(wanted, dtype)) refuse_dtype(wanted, dtype);
  if (reinterpret_cast<std::uintptr_t>(bytes.data()) % alignment != 0) {
    throw Error(ErrorCode::invalid_argument,
                "the bytes of this " + std::string(dtype_name(dtype)) + " array are not aligned",
                "copy it with to_f32, to_f64 or to_i64, or read it into an Array");
  }
}

void Array::require(DType wanted) const {
  if (!compatible(wanted, dtype)) refuse_dtype(wanted, dtype);
}

ArrayView array_view_of_bytes(DType dtype, std::span<const std::byte> bytes,
                              std::vector<std::size_t> shape) {
  const std::size_t count = bytes.size() / item_size(dtype);
  if (element_count(shape) != count) {
    throw Error(ErrorCode::invalid_argument, "the shape " + shape_text(shape) + " does not hold " +
                                                 std::to_string(count) + " values");
  }
  return {dtype, std::move(shape), bytes};
}

std::vector<float> to_f32(const ArrayView& array) {
  return to_real<float>(array);
}

std::vector<double> to_f64(const ArrayView& array) {
  return to_real<double>(array);
}

std::vector<std::int64_t> to_i64(const ArrayView& array) {
  std::vector<std::int64_t> out(array.size());
  switch (array.dtype) {
    case DType::boolean:
      convert_all(array, out, 1, [](const std::byte* at) {
        return static_cast<std::int64_t>(*at != std::byte{0});
      });
      break;
    case DType::u8:
      widen<std::uint8_t>(array, out);
      break;
    case DType::i8:
      widen<std::int8_t>(array, out);
      break;
    case DType::u16:
      widen<std::uint16_t>(array, out);
      break;
    case DType::i16:
      widen<std::int16_t>(array, out);
      break;
    case DType::u32:
      widen<std::uint32_t>(array, out);
      break;
    case DType::i32:
      widen<std::int32_t>(array, out);
      break;
    case DType::i64:
      widen<std::int64_t>(array, out);
      break;
    case DType::u64:
      convert_all(array, out, 8, [](const std::byte* at) {
        const auto value = load_le<std::uint64_t>(at);
        if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
          throw Error(ErrorCode::corrupt_data, "the element " + std::to_string(value) +
                                                   " does not fit a signed 64-bit integer");
        }
        return static_cast<std::int64_t>(value);
      });
      break;
    default:
      throw Error(ErrorCode::unsupported,
                  "an array of " + std::string(dtype_name(array.dtype)) + " does not hold integers",
                  "read it with to_f32 or to_f64");
  }
  return out;
}

namespace {

/// A small float with `kMantissa` mantissa bits below `kExponent` exponent bits, without the
/// treatment of the largest exponent.
template <int kExponent, int kMantissa>
float finite_small_float(std::uint32_t bits) {
  constexpr int kBias = (1 << (kExponent - 1)) - 1;
  const std::uint32_t exponent = (bits >> kMantissa) & ((1u << kExponent) - 1);
  const std::uint32_t mantissa = bits & ((1u << kMantissa) - 1);
  const float sign = (bits >> (kExponent + kMantissa)) & 1 ? -1.0f : 1.0f;
  if (exponent == 0) {
    return sign * std::ldexp(static_cast<float>(mantissa), 1 - kBias - kMantissa);
  }
  return sign * std::ldexp(static_cast<float>(mantissa | (1u << kMantissa)),
                           static_cast<int>(exponent) - kBias - kMantissa);
}

float signed_nan(bool negative) {
  return std::copysign(std::numeric_limits<float>::quiet_NaN(), negative ? -1.0f : 1.0f);
}

}  // namespace

float half_to_float(std::uint16_t bits) {
  const std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x8000u) << 16;
  const std::uint32_t exponent = (bits >> 10) & 0x1fu;
  std::uint32_t mantissa = bits & 0x3ffu;
  if (exponent == 0x1f) return std::bit_cast<float>(sign | 0x7f800000u | (mantissa << 13));
  if (exponent != 0) {
    return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (mantissa << 13));
  }
  if (mantissa == 0) return std::bit_cast<float>(sign);
  std::uint32_t shifted_exponent = 113;  // subnormal: shift until the hidden bit appears
  while ((mantissa & 0x400u) == 0) {
    mantissa <<= 1;
    --shifted_exponent;
  }
  return std::bit_cast<float>(sign | (shifted_exponent << 23) | ((mantissa & 0x3ffu) << 13));
}

std::uint16_t float_to_half(float value) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000u);
  const std::uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return static_cast<std::uint16_t>(sign | 0x7e00u);   // NaN
  if (magnitude >= 0x477ff000u) return static_cast<std::uint16_t>(sign | 0x7c00u);  // >= 65520
  if (magnitude < 0x38800000u) {  // below 2^-14: subnormal or zero
    // Adding 0.5 puts the value into the lowest mantissa bits; the addition rounds to even.
    const float shifted = std::bit_cast<float>(magnitude) + 0.5f;
    return static_cast<std::uint16_t>(sign | (std::bit_cast<std::uint32_t>(shifted) - 0x3f000000u));
  }
  const std::uint32_t odd = (magnitude >> 13) & 1u;
  const std::uint32_t rounded = magnitude - 0x38000000u + 0xfffu + odd;
  return static_cast<std::uint16_t>(sign | (rounded >> 13));
}

float bfloat16_to_float(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

std::uint16_t float_to_bfloat16(float value) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return static_cast<std::uint16_t>((bits >> 16) | 0x40u);
  return static_cast<std::uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

float f8_e4m3_to_float(std::uint8_t bits) {
  if ((bits & 0x7fu) == 0x7fu) return signed_nan(bits >= 0x80);
  return finite_small_float<4, 3>(bits);
}

float f8_e5m2_to_float(std::uint8_t bits) {
  return half_to_float(static_cast<std::uint16_t>(bits << 8));  // a truncated binary16
}

float f8_e8m0_to_float(std::uint8_t bits) {
  if (bits == 0xff) return signed_nan(false);
  return std::ldexp(1.0f, static_cast<int>(bits) - 127);
}

}  // namespace sosia::formats

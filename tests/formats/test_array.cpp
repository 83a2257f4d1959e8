#include "common.hpp"
#include "errors.hpp"
#include "sosia/formats/array.hpp"

#include <bit>
#include <cmath>
#include <limits>
#include <numeric>

namespace sosia::formats {
namespace {

/// The value of a small float by its definition, from its fields.
double by_definition(unsigned bits, int exponent_bits, int mantissa_bits) {
  const int bias = (1 << (exponent_bits - 1)) - 1;
  const unsigned mantissa = bits & ((1u << mantissa_bits) - 1);
  const unsigned exponent = (bits >> mantissa_bits) & ((1u << exponent_bits) - 1);
  const double sign = (bits >> (exponent_bits + mantissa_bits)) & 1 ? -1 : 1;
  const double fraction = mantissa / std::exp2(mantissa_bits);
  if (exponent == 0) return sign * fraction * std::exp2(1 - bias);
  return sign * (1 + fraction) * std::exp2(static_cast<int>(exponent) - bias);
}

TEST(Array, EveryHalfMatchesItsDefinitionAndComesBack) {
  for (unsigned bits = 0; bits < 65536; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const float value = half_to_float(half);
    const unsigned exponent = (bits >> 10) & 31, mantissa = bits & 1023;
    if (exponent == 31 && mantissa != 0) {
      EXPECT_TRUE(std::isnan(value)) << bits;
      EXPECT_TRUE(std::isnan(half_to_float(float_to_half(value)))) << bits;
      continue;
    }
    if (exponent == 31) {
      EXPECT_TRUE(std::isinf(value)) << bits;
    } else {
      ASSERT_EQ(value, by_definition(bits, 5, 10)) << bits;
    }
    ASSERT_EQ(float_to_half(value), half) << bits;
  }
}

TEST(Array, HalfRoundsToNearestEven) {
  EXPECT_EQ(float_to_half(1.0f + 0x1p-11f), 0x3c00);  // a tie, down to even
  EXPECT_EQ(float_to_half(1.0f + 0x1p-11f + 0x1p-20f), 0x3c01);
  EXPECT_EQ(float_to_half(1.0f + 3 * 0x1p-11f), 0x3c02);  // a tie, up to even
  EXPECT_EQ(float_to_half(65519.0f), 0x7bff);
  EXPECT_EQ(float_to_half(65520.0f), 0x7c00);
  EXPECT_EQ(float_to_half(-1e30f), 0xfc00);
  EXPECT_EQ(float_to_half(0x1p-25f), 0x0000);  // a tie with zero
  EXPECT_EQ(float_to_half(0x1.8p-25f), 0x0001);
  EXPECT_EQ(float_to_half(-0.0f), 0x8000);
}

TEST(Array, EveryBfloat16ComesBack) {
  for (unsigned bits = 0; bits < 65536; ++bits) {
    const float value = bfloat16_to_float(static_cast<std::uint16_t>(bits));
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(bfloat16_to_float(float_to_bfloat16(value))));
    } else {
      ASSERT_EQ(float_to_bfloat16(value), bits);
    }
  }
  EXPECT_EQ(float_to_bfloat16(1.0f + 0x1p-8f), 0x3f80);
  EXPECT_EQ(float_to_bfloat16(1.0f + 3 * 0x1p-8f), 0x3f82);
  EXPECT_EQ(float_to_bfloat16(std::numeric_limits<float>::max()), 0x7f80);
}

TEST(Array, EightBitFloats) {
  for (unsigned bits = 0; bits < 256; ++bits) {
    const auto byte = static_cast<std::uint8_t>(bits);
    if ((bits & 0x7f) == 0x7f) {
      EXPECT_TRUE(std::isnan(f8_e4m3_to_float(byte)));
    } else {
      EXPECT_EQ(f8_e4m3_to_float(byte), by_definition(bits, 4, 3)) << bits;
    }
    if ((bits & 0x7c) != 0x7c) {
      EXPECT_EQ(f8_e5m2_to_float(byte), by_definition(bits, 5, 2)) << bits;
    }
  }
  EXPECT_EQ(f8_e4m3_to_float(0x7e), 448.0f);  // the largest of the "fn" variant
  EXPECT_TRUE(std::isinf(f8_e5m2_to_float(0x7c)));
  EXPECT_TRUE(std::isnan(f8_e5m2_to_float(0x7d)));
  EXPECT_EQ(f8_e8m0_to_float(127), 1.0f);
  EXPECT_EQ(f8_e8m0_to_float(0), 0x1p-127f);
  EXPECT_TRUE(std::isnan(f8_e8m0_to_float(255)));
}

TEST(Array, ConvertsEveryIntegerType) {
  const std::array<std::int8_t, 2> i8{-128, 127};
  const std::array<std::uint16_t, 2> u16{0, 65535};
  const std::array<std::uint64_t, 2> u64{1, std::uint64_t{1} << 63};
  EXPECT_EQ(to_f32(array_view(std::span<const std::int8_t>(i8), {2})),
            (std::vector<float>{-128, 127}));
  EXPECT_EQ(to_i64(array_view(std::span<const std::uint16_t>(u16), {2})),
            (std::vector<std::int64_t>{0, 65535}));
  const ArrayView large = array_view(std::span<const std::uint64_t>(u64), {2});
  EXPECT_EQ(to_f64(large)[1], 0x1p63);
  EXPECT_EQ(code_of([&] { to_i64(large); }), ErrorCode::corrupt_data);
}

TEST(Array, RefusesWrongTypesShapesAndAlignment) {
  const std::array<float, 3> values{1, 2, 3};
  const ArrayView view = array_view(std::span<const float>(values), {3});
  EXPECT_EQ(view.as<float>()[2], 3.0f);
  EXPECT_EQ(code_of([&] { view.as<double>(); }), ErrorCode::invalid_argument);
  EXPECT_EQ(code_of([&] { to_i64(view); }), ErrorCode::unsupported);
  EXPECT_EQ(code_of([&] { array_view(std::span<const float>(values), {2}); }),
            ErrorCode::invalid_argument);
  const ArrayView crooked{DType::f32, {2}, std::as_bytes(std::span(values)).subspan(1, 8)};
  EXPECT_EQ(code_of([&] { crooked.as<float>(); }), ErrorCode::invalid_argument);
  EXPECT_EQ(to_f32(crooked).size(), 2u);
  const std::size_t huge[] = {std::size_t{1} << 40, std::size_t{1} << 40};
  EXPECT_EQ(code_of([&] { element_count(huge); }), ErrorCode::corrupt_data);
  EXPECT_EQ(element_count({}), 1u);
}

}  // namespace
}  // namespace sosia::formats

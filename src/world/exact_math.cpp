#include "world/exact_math.hpp"

#include <array>
#include <cstddef>
#include <limits>

namespace sosia::world::exact {
namespace {

constexpr double kLn2High = 0x1.62e42feep-1;  // the first 32 bits of ln 2: k * this is exact
constexpr double kLn2Low = 1.90821492927058770002e-10;

// kReciprocals[n] = 1 / n: multiplying is much faster than dividing.
constexpr auto kReciprocals = [] {
  std::array<double, 42> table{};
  for (std::size_t n = 1; n < table.size(); ++n) table[n] = 1.0 / static_cast<double>(n);
  return table;
}();

// Taylor series on [-pi/4, pi/4]; the first term left out is below 1e-17.
double sin_kernel(double x) {
  const double s = x * x;
  double p = 1.0 / 355687428096000.0;  // 1/17!
  p = p * -s + 1.0 / 1307674368000.0;
  p = p * -s + 1.0 / 6227020800.0;
  p = p * -s + 1.0 / 39916800.0;
  p = p * -s + 1.0 / 362880.0;
  p = p * -s + 1.0 / 5040.0;
  p = p * -s + 1.0 / 120.0;
  p = p * -s + 1.0 / 6.0;
  return x - x * s * p;
}

double cos_kernel(double x) {
  const double s = x * x;
  double p = 1.0 / 20922789888000.0;  // 1/16!
  p = p * -s + 1.0 / 87178291200.0;
  p = p * -s + 1.0 / 479001600.0;
  p = p * -s + 1.0 / 3628800.0;
  p = p * -s + 1.0 / 40320.0;
  p = p * -s + 1.0 / 720.0;
  p = p * -s + 1.0 / 24.0;
  p = p * -s + 0.5;
  return 1.0 - s * p;
}

struct Reduced {
  double x;      // in [-pi/4, pi/4]
  int quadrant;  // modulo 4
};

Reduced reduce(double x) {
  constexpr double kHalfPiHigh = 0x1.921fb544p+0;  // 33 bits
  constexpr double kHalfPiLow = 6.07710050650619224932e-11;
  const double scaled = x * (2.0 / kPi);
  const auto quarter = static_cast<std::int64_t>(scaled + (scaled >= 0 ? 0.5 : -0.5));
  const double k = static_cast<double>(quarter);
  return {(x - k * kHalfPiHigh) - k * kHalfPiLow, static_cast<int>(quarter & 3)};
}

double power_of_two(int exponent) {  // exponent in [-1022, 1023]
  return std::bit_cast<double>(static_cast<std::uint64_t>(exponent + 1023) << 52);
}

// atan on [0, tan(pi/8)].
double atan_kernel(double x) {
  const double s = x * x;
  double p = 0;
  for (std::size_t n = 41; n >= 3; n -= 2) p = (kReciprocals[n] - p) * s;  // 1/n - s/(n+2) + ...
  return x - x * p;
}

}  // namespace

double sin(double x) {
  const Reduced r = reduce(x);
  const double value = (r.quadrant & 1) != 0 ? cos_kernel(r.x) : sin_kernel(r.x);
  return (r.quadrant & 2) != 0 ? -value : value;
}

double cos(double x) {
  const Reduced r = reduce(x);
  const double value = (r.quadrant & 1) != 0 ? sin_kernel(r.x) : cos_kernel(r.x);
  return r.quadrant == 1 || r.quadrant == 2 ? -value : value;
}

double exp(double x) {
  if (x > 709.0) return std::numeric_limits<double>::max();
  if (x < -745.0) return 0.0;
  const double scaled = x * 1.44269504088896340736;
  const int k = static_cast<int>(scaled + (scaled >= 0 ? 0.5 : -0.5));
  const double r = (x - k * kLn2High) - k * kLn2Low;  // in [-0.35, 0.35]
  double p = 1.0;
  for (std::size_t n = 14; n >= 1; --n) p = 1.0 + r * p * kReciprocals[n];
  const int half = k / 2;  // two factors, so that results near the limits do not overflow early
  return p * power_of_two(half) * power_of_two(k - half);
}

double log(double x) {
  if (!(x > 0)) return -745.0;
  int exponent = 0;
  if (x < std::numeric_limits<double>::min()) {  // subnormal
    x *= 0x1p54;
    exponent = -54;
  }
  const auto bits = std::bit_cast<std::uint64_t>(x);
  exponent += static_cast<int>(bits >> 52) - 1023;
  double m = std::bit_cast<double>((bits & 0xfffffffffffffull) | (std::uint64_t{1023} << 52));
  if (m > 1.41421356237309504880) {
    m *= 0.5;
    ++exponent;
  }
  const double t = (m - 1.0) / (m + 1.0);  // log m = 2 atanh t, |t| < 0.172
  const double s = t * t;
  double p = 0;
  for (std::size_t n = 21; n >= 3; n -= 2) p = (kReciprocals[n] + p) * s;
  return exponent * kLn2High + (2.0 * t * (1.0 + p) + exponent * kLn2Low);
}

double pow(double base, double exponent) {
  if (base <= 0) return 0.0;
  return exp(exponent * log(base));
}

double atan2(double y, double x) {
  if (x == 0 && y == 0) return 0.0;
  const double ax = std::abs(x), ay = std::abs(y);
  const bool steep = ay > ax;
  const double t = steep ? ax / ay : ay / ax;  // in [0, 1]
  constexpr double kTanEighth = 0.41421356237309504880;
  double angle = t > kTanEighth ? kPi / 4 + atan_kernel((t - 1.0) / (t + 1.0)) : atan_kernel(t);
  if (steep) angle = kPi / 2 - angle;
  if (x < 0) angle = kPi - angle;
  return y < 0 ? -angle : angle;
}

}  // namespace sosia::world::exact

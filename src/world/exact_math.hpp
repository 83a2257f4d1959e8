#pragma once
// Elementary functions that give the same bits on every x86-64 machine.
//
// The C library's sin, exp, log and pow differ in the last bits between versions and processors,
// and what is rendered here must not. These use only + - * / and sqrt, which IEEE 754 rounds
// correctly, in a fixed order (the room is compiled with -ffp-contract=off and never with
// -ffast-math). Relative accuracy is about 1e-15 in the stated ranges: ample for drawing.
//
// Nothing in the rendering code of this room may call <cmath> but std::sqrt, std::abs, std::min and
// std::max; `floor_to_int` replaces std::floor.
//
// Thread-safety: pure functions.

#include <bit>
#include <cmath>
#include <cstdint>

namespace sosia::world::exact {

inline constexpr double kPi = 3.14159265358979323846;

/// |x| < 1e8; beyond that accuracy is lost.
double sin(double x);
double cos(double x);
inline double tan(double x) {
  return sin(x) / cos(x);
}
/// Saturates: 0 below -745, the largest finite double above 709.
double exp(double x);
/// x > 0; log(0) and below give -745.
double log(double x);
/// base > 0, or base == 0 with exponent > 0 (0).
double pow(double base, double exponent);
/// The angle of (x, y) in (-pi, pi]; 0 for the origin.
double atan2(double y, double x);

inline double square_root(double x) {
  return std::sqrt(x);
}
inline float square_root(float x) {
  return std::sqrt(x);
}

inline constexpr double radians(double degrees) {
  return degrees * (kPi / 180.0);
}
inline constexpr double degrees(double radians_in) {
  return radians_in * (180.0 / kPi);
}

/// The largest integer not above x; |x| < 2^31.
inline int floor_to_int(double x) {
  const int truncated = static_cast<int>(x);
  return truncated - (x < truncated ? 1 : 0);
}
inline int floor_to_int(float x) {
  const int truncated = static_cast<int>(x);
  return truncated - (x < static_cast<float>(truncated) ? 1 : 0);
}

template <class T>
constexpr T clamp(T x, T low, T high) {
  return x < low ? low : (x > high ? high : x);
}
template <class T>
constexpr T mix(T a, T b, T t) {
  return a + (b - a) * t;
}
/// 0 below `low`, 1 above `high`, cubic between; with low > high the other way round.
template <class T>
constexpr T smooth_step(T low, T high, T x) {
  const T t = clamp((x - low) / (high - low), T(0), T(1));
  return t * t * (T(3) - T(2) * t);
}

/// `smooth_step` with one multiplication in place of the division, where the bounds are constants.
inline float ramp(float low, float high, float x) {
  const float t = clamp((x - low) * (1.0f / (high - low)), 0.0f, 1.0f);
  return t * t * (3.0f - 2.0f * t);
}

/// exp(x) of floats for x in [-87, 0] to about 2e-6 relative, 0 below: the bell curves of shape and
/// texture. A few nanoseconds.
inline float exp_negative(float x) {
  if (x < -87.0f) return 0.0f;
  const float scaled = x * 1.44269504f;
  const int whole = static_cast<int>(scaled - 0.5f);
  const float part = (scaled - static_cast<float>(whole)) * 0.693147181f;
  const float p =
      1.0f +
      part *
          (1.0f + part * (0.5f + part * (0.16666667f + part * (0.04166667f + part * 0.00833333f))));
  return p * std::bit_cast<float>(static_cast<std::uint32_t>(whole + 127) << 23);
}

/// exp(-(x / width)^2)
inline float bell(float x, float width) {
  const float t = x * (1.0f / width);  // one multiplication where the width is a constant
  const float square = t * t;
  // Below 1e-6 of the peak: nothing that a picture of 8 bits could show.
  return square > 14.0f ? 0.0f : exp_negative(-square);
}

/// bell(x, x_width) * bell(y, y_width)
inline float bell(float x, float x_width, float y, float y_width) {
  const float u = x * (1.0f / x_width), v = y * (1.0f / y_width);
  const float square = u * u + v * v;
  return square > 14.0f ? 0.0f : exp_negative(-square);
}

}  // namespace sosia::world::exact

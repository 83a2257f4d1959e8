#pragma once
// Parameters of a world: random draws that give the same bits on every machine. Core's
// RandomStream for the bits, exact_math for everything that is not linear.

#include "sosia/core/rng.hpp"
#include "world/exact_math.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace sosia::world {

/// Draws of one purpose: stream (seed, name, index) of core. Thread-safety: none; one per item.
class Draw {
 public:
  Draw(std::uint64_t seed, std::string_view name, std::uint64_t index = 0)
      : stream_(seed, name, index) {}

  /// Uniform in [0, 1).
  double unit() { return stream_.uniform(); }
  /// Uniform in [low, high).
  double range(double low, double high) { return low + (high - low) * stream_.uniform(); }
  /// True with this probability.
  bool chance(double probability) { return stream_.uniform() < probability; }
  /// Uniform integer in [0, n); n >= 1.
  int below(int n) { return static_cast<int>(stream_.below(static_cast<std::uint64_t>(n))); }
  /// Uniform integer in [low, high].
  int between(int low, int high) { return low + below(high - low + 1); }
  /// Normal by Box and Muller; two uniforms per draw, so that streams stay aligned.
  double normal(double mean = 0, double deviation = 1);
  /// Normal, drawn again until it lies in [low, high] (at most 64 times, then clamped).
  double normal_within(double mean, double deviation, double low, double high);
  /// Index into `weights` with probability in proportion.
  std::size_t pick(std::initializer_list<double> weights);
  /// 64 fresh bits, for the seed of a texture or a child.
  std::uint64_t bits() { return stream_.next_u64(); }

  RandomStream& stream() { return stream_; }

 private:
  RandomStream stream_;
};

/// A mixing function of 64 bits (splitmix64, Steele et al., OOPSLA 2014): the value noise of
/// textures. Not for parameters.
constexpr std::uint64_t scramble(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15ull;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
  return x ^ (x >> 31);
}

/// Uniform in [0, 1) from 32 of the bits.
constexpr float unit_float(std::uint64_t bits) {
  return static_cast<float>(static_cast<std::int32_t>((bits >> 40) & 0xffffff)) * 0x1p-24f;
}

/// A random number in [-1, 1] for each point of a lattice (constants of lowbias32 and xxHash32).
inline float lattice_noise(std::int32_t x, std::int32_t y, std::uint32_t seed) {
  std::uint32_t h = seed + static_cast<std::uint32_t>(x) * 0x9e3779b1u +
                    static_cast<std::uint32_t>(y) * 0x85ebca77u;
  h = (h ^ (h >> 15)) * 0x2c1b3c6du;
  h = (h ^ (h >> 12)) * 0x297a2d39u;
  h ^= h >> 15;
  return static_cast<float>(static_cast<std::int32_t>(h >> 8)) * (2.0f / 16777216.0f) - 1.0f;
}

/// Smooth noise in [-1, 1] on a lattice of unit cells, a pure function of place and seed.
inline float value_noise(float x, float y, std::uint32_t seed) {
  const std::int32_t ix = exact::floor_to_int(x), iy = exact::floor_to_int(y);
  const float fx = x - static_cast<float>(ix), fy = y - static_cast<float>(iy);
  const float sx = fx * fx * (3.0f - 2.0f * fx), sy = fy * fy * (3.0f - 2.0f * fy);
  const float top = exact::mix(lattice_noise(ix, iy, seed), lattice_noise(ix + 1, iy, seed), sx);
  const float bottom =
      exact::mix(lattice_noise(ix, iy + 1, seed), lattice_noise(ix + 1, iy + 1, seed), sx);
  return exact::mix(top, bottom, sy);
}

}  // namespace sosia::world

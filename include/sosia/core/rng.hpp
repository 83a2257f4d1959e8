#pragma once
// Counter-based random numbers: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as
// 1, 2, 3", SC 2011) through the Random123 headers. A stream is a pure function of
// (seed, name, index): item i of a parallel loop owns stream (seed, "bootstrap", i), so results do
// not depend on the number of threads or on the order of execution.

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

namespace sosia {

/// One independent stream of random numbers.
///
/// Deterministic on every platform for the integer and uniform draws (no `std::*_distribution`
/// anywhere); `normal()` uses `std::log` and `std::sqrt` and may differ in the last bit between C
/// libraries. Satisfies UniformRandomBitGenerator.
///
/// Thread-safety: none; give every thread or item its own stream. Copying forks the state.
class RandomStream {
 public:
  using result_type = std::uint32_t;

  /// The stream of (`seed`, `name`, `index`): 2^66 numbers long, independent of all others.
  RandomStream(std::uint64_t seed, std::string_view name, std::uint64_t index = 0);

  static constexpr result_type min() { return 0; }
  static constexpr result_type max() { return 0xffffffffu; }

  /// 32 uniform bits.
  result_type operator()() { return next_u32(); }
  std::uint32_t next_u32();
  /// 64 uniform bits.
  std::uint64_t next_u64();
  /// Uniform in [0, 1), a multiple of 2^-53.
  double uniform();
  /// Uniform in [low, high).
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  /// Uniform integer in [0, n), without modulo bias (Lemire, TOMACS 2019). Throws invalid_argument
  /// for n = 0.
  std::uint64_t below(std::uint64_t n);
  /// Standard normal by the inverse distribution function (Wichura, AS 241, 1988: relative accuracy
  /// about 1e-16); one uniform per draw, so that streams stay aligned.
  double normal();

  /// Fisher-Yates shuffle in place.
  template <class T>
  void shuffle(std::span<T> items) {
    for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[below(i)]);
  }

 private:
  std::array<std::uint32_t, 2> key_;
  std::array<std::uint32_t, 4> counter_;
  std::array<std::uint32_t, 4> block_{};
  unsigned used_ = 4;  // words of block_ already handed out
};

/// The seed of a child run (fold, arm, worker) derived from `seed`, `name` and `index`.
std::uint64_t derive_seed(std::uint64_t seed, std::string_view name, std::uint64_t index = 0);

}  // namespace sosia

#include "sosia/core/rng.hpp"

#include "sosia/core/error.hpp"
#include "sosia/core/hash.hpp"

#include <cmath>

#include <Random123/philox.h>

namespace sosia {

namespace {

using Philox = r123::Philox4x32;

/// Percentage points of the normal distribution: M. J. Wichura, Algorithm AS 241 (PPND16), Applied
/// Statistics 37 (1988) 477-484. `p` in (0, 1).
double inverse_normal(double p) {
  const auto ratio = [](const double(&num)[8], const double(&den)[8], double r) {
    double a = 0, b = 0;
    for (int i = 7; i >= 0; --i) {
      a = a * r + num[i];
      b = b * r + den[i];
    }
    return a / b;
  };
  static constexpr double kA[8] = {3.3871328727963666080e0,  1.3314166789178437745e+2,
                                   1.9715909503065514427e+3, 1.3731693765509461125e+4,
                                   4.5921953931549871457e+4, 6.7265770927008700853e+4,
                                   3.3430575583588128105e+4, 2.5090809287301226727e+3};
  static constexpr double kB[8] = {1.0,
                                   4.2313330701600911252e+1,
                                   6.8718700749205790830e+2,
                                   5.3941960214247511077e+3,
                                   2.1213794301586595867e+4,
                                   3.9307895800092710610e+4,
                                   2.8729085735721942674e+4,
                                   5.2264952788528545610e+3};
  static constexpr double kC[8] = {1.42343711074968357734e0,  4.63033784615654529590e0,
                                   5.76949722146069140550e0,  3.64784832476320460504e0,
                                   1.27045825245236838258e0,  2.41780725177450611770e-1,
                                   2.27238449892691845833e-2, 7.74545014278341407640e-4};
  static constexpr double kD[8] = {1.0,
                                   2.05319162663775882187e0,
                                   1.67638483018380384940e0,
                                   6.89767334985100004550e-1,
                                   1.48103976427480074590e-1,
                                   1.51986665636164571966e-2,
                                   5.47593808499534494600e-4,
                                   1.05075007164441684324e-9};
  static constexpr double kE[8] = {6.65790464350110377720e0,  5.46378491116411436990e0,
                                   1.78482653991729133580e0,  2.96560571828504891230e-1,
                                   2.65321895265761230930e-2, 1.24266094738807843860e-3,
                                   2.71155556874348757815e-5, 2.01033439929228813265e-7};
  static constexpr double kF[8] = {1.0,
                                   5.99832206555887937690e-1,
                                   1.36929880922735805310e-1,
                                   1.48753612908506148525e-2,
                                   7.86869131145613259100e-4,
                                   1.84631831751005468180e-5,
                                   1.42151175831644588870e-7,
                                   2.04426310338993978564e-15};
  const double q = p - 0.5;
  if (std::abs(q) <= 0.425) return q * ratio(kA, kB, 0.180625 - q * q);
  const double tail = q < 0 ? p : 1 - p;
  const double r = std::sqrt(-std::log(tail));
  const double z = r <= 5 ? ratio(kC, kD, r - 1.6) : ratio(kE, kF, r - 5);
  return q < 0 ? -z : z;
}

}  // namespace

RandomStream::RandomStream(std::uint64_t seed, std::string_view name, std::uint64_t index) {
  // The key is the seed; the upper half of the counter identifies (name, index) by hash, the lower
  // half counts blocks. Two streams of one seed collide only if 64-bit hashes do.
  const std::uint64_t id = xxh3_64(name, index);
  key_ = {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)};
  counter_ = {0, 0, static_cast<std::uint32_t>(id), static_cast<std::uint32_t>(id >> 32)};
}

std::uint32_t RandomStream::next_u32() {
  if (used_ == 4) {
    const Philox::ctr_type counter{{counter_[0], counter_[1], counter_[2], counter_[3]}};
    const Philox::key_type key{{key_[0], key_[1]}};
    const Philox::ctr_type block = Philox()(counter, key);
    for (unsigned i = 0; i < 4; ++i) block_[i] = block[i];
    if (++counter_[0] == 0) ++counter_[1];
    used_ = 0;
  }
  return block_[used_++];
}

std::uint64_t RandomStream::next_u64() {
  const std::uint64_t low = next_u32();
  return low | (static_cast<std::uint64_t>(next_u32()) << 32);
}

double RandomStream::uniform() {
  return static_cast<double>(next_u64() >> 11) * 0x1p-53;
}

std::uint64_t RandomStream::below(std::uint64_t n) {
  if (n == 0) throw Error(ErrorCode::invalid_argument, "below(0): there is no integer in [0, 0)");
  __extension__ using Wide = unsigned __int128;
  Wide product = static_cast<Wide>(next_u64()) * n;
  if (static_cast<std::uint64_t>(product) < n) {
    const std::uint64_t threshold = (0 - n) % n;
    while (static_cast<std::uint64_t>(product) < threshold) {
      product = static_cast<Wide>(next_u64()) * n;
    }
  }
  return static_cast<std::uint64_t>(product >> 64);
}

double RandomStream::normal() {
  // The centre of the drawn interval of width 2^-53: never 0 or 1.
  return inverse_normal(uniform() + 0x1p-54);
}

std::uint64_t derive_seed(std::uint64_t seed, std::string_view name, std::uint64_t index) {
  return RandomStream(seed, name, index).next_u64();
}

}  // namespace sosia

#include "gallery/kernels.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "gallery/kernels.cpp"
// Vectors of unknown size cannot stand in arrays; such processors have NEON beside them.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace sosia::gallery {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using FloatTag = hn::CappedTag<float, 16>;
using FloatVector = hn::Vec<FloatTag>;
using WordTag = hn::Rebind<std::int32_t, FloatTag>;  // sums of products of codes
#if HWY_TARGET == HWY_SCALAR
using ByteTag = hn::Rebind<std::uint8_t, FloatTag>;  // codes
using CodeTag = hn::Rebind<std::int8_t, FloatTag>;
#else
using ByteTag = hn::Repartition<std::uint8_t, FloatTag>;
using CodeTag = hn::Repartition<std::int8_t, FloatTag>;
#endif
constexpr std::size_t kLanes = hn::MaxLanes(FloatTag());

#if HWY_TARGET == HWY_SCALAR

/// The sums of four vectors. The one way in which lanes are added here, so that all kernels agree.
template <class D>
HWY_INLINE void store_sums(D, hn::Vec<D> a, hn::Vec<D> b, hn::Vec<D> c, hn::Vec<D> e,
                           hn::TFromD<D>* out) {
  out[0] = hn::GetLane(a);
  out[1] = hn::GetLane(b);
  out[2] = hn::GetLane(c);
  out[3] = hn::GetLane(e);
}

#else

/// Adds a vector's 128-bit blocks: upper half to lower half until one is left.
template <class D>
HWY_INLINE hn::Vec<hn::FixedTag<hn::TFromD<D>, 4> > fold_blocks([[maybe_unused]] D d,
                                                                hn::Vec<D> v) {
  if constexpr (hn::MaxLanes(D()) <= 4) {
    return v;
  } else {
    const hn::Half<D> half;
    return fold_blocks(half, hn::Add(hn::LowerHalf(half, v), hn::UpperHalf(half, v)));
  }
}

/// The sums of four vectors. The one way in which lanes are added here, so that all kernels agree.
template <class D>
HWY_INLINE void store_sums(D d, hn::Vec<D> a, hn::Vec<D> b, hn::Vec<D> c, hn::Vec<D> e,
                           hn::TFromD<D>* out) {
  const hn::Repartition<double, D> pairs;
  const auto ab =
      hn::BitCast(pairs, hn::Add(hn::InterleaveLower(d, a, b), hn::InterleaveUpper(d, a, b)));
  const auto ce =
      hn::BitCast(pairs, hn::Add(hn::InterleaveLower(d, c, e), hn::InterleaveUpper(d, c, e)));
  const auto low = hn::BitCast(d, hn::InterleaveLower(pairs, ab, ce));
  const auto high = hn::BitCast(d, hn::InterleaveUpper(pairs, ab, ce));
  hn::StoreU(fold_blocks(d, hn::Add(low, high)), hn::FixedTag<hn::TFromD<D>, 4>(), out);
}

#endif

struct LoadHalves {
  static constexpr std::size_t kBytes = 2;
  HWY_INLINE FloatVector operator()(const std::byte* row, std::size_t i) const {
    const hn::Rebind<hwy::float16_t, FloatTag> halves;
    return hn::PromoteTo(FloatTag(),
                         hn::Load(halves, reinterpret_cast<const hwy::float16_t*>(row) + i));
  }
};

struct LoadFloats {
  static constexpr std::size_t kBytes = 4;
  HWY_INLINE FloatVector operator()(const std::byte* row, std::size_t i) const {
    return hn::Load(FloatTag(), reinterpret_cast<const float*>(row) + i);
  }
};

/// Asks for the rows that come kRowGroup rows later, in the order of addresses: a line of each of
/// four rows at a time would be four streams for memory and its prefetchers.
class LookAhead {
 public:
  LookAhead(const std::byte* const* rows, std::size_t bytes) : rows_(rows), bytes_(bytes) {}
  /// The next four cache lines.
  HWY_INLINE void lines() {
    for (std::size_t i = 0; i < 4; ++i) {
      __builtin_prefetch(rows_[kRowGroup] + offset_);
      offset_ += 64;
      if (offset_ == bytes_) {
        offset_ = 0;
        ++rows_;
      }
    }
  }

 private:
  const std::byte* const* rows_;
  std::size_t bytes_, offset_ = 0;
};

/// Fetches rows little by little.
class Fetch {
 public:
  Fetch(Ahead ahead, std::size_t times)
      : ahead_(ahead), share_((ahead.count * (ahead.bytes / 64) + times - 1) / times) {}
  HWY_INLINE void some() {
    for (std::size_t i = 0; i < share_ && row_ < ahead_.count; ++i) {
      __builtin_prefetch(ahead_.rows[row_] + offset_, 0, 2);
      offset_ += 64;
      if (offset_ == ahead_.bytes) {
        offset_ = 0;
        ++row_;
      }
    }
  }

 private:
  Ahead ahead_;
  std::size_t share_, row_ = 0, offset_ = 0;
};

/// One probe and many rows: four rows at a time hide the latency of the additions.
template <class LoadRow>
HWY_INLINE void dot_rows(const float* probe, const std::byte* const* rows, std::size_t count,
                         std::size_t padded, float* scores) {
  const FloatTag d;
  const LoadRow load;
  for (std::size_t r = 0; r < count; r += 4) {
    const std::byte* const r0 = rows[r];
    const std::byte* const r1 = rows[r + 1];
    const std::byte* const r2 = rows[r + 2];
    const std::byte* const r3 = rows[r + 3];
    auto s0 = hn::Zero(d), s1 = hn::Zero(d), s2 = hn::Zero(d), s3 = hn::Zero(d);
    LookAhead ahead(rows + r, padded * LoadRow::kBytes);
    for (std::size_t i = 0; i < padded; i += kLanes) {
      if (i * LoadRow::kBytes % 64 == 0) ahead.lines();
      const auto p = hn::LoadU(d, probe + i);
      s0 = hn::MulAdd(load(r0, i), p, s0);
      s1 = hn::MulAdd(load(r1, i), p, s1);
      s2 = hn::MulAdd(load(r2, i), p, s2);
      s3 = hn::MulAdd(load(r3, i), p, s3);
    }
    store_sums(d, s0, s1, s2, s3, scores + r);
  }
}

void dot_halves(const float* probe, const std::byte* const* rows, std::size_t count,
                std::size_t padded, float* scores) {
  dot_rows<LoadHalves>(probe, rows, count, padded, scores);
}

void dot_floats(const float* probe, const std::byte* const* rows, std::size_t count,
                std::size_t padded, float* scores) {
  dot_rows<LoadFloats>(probe, rows, count, padded, scores);
}

void widen(const std::byte* row, std::size_t padded, float* out) {
  const LoadHalves load;
  for (std::size_t i = 0; i < padded; i += kLanes) hn::Store(load(row, i), FloatTag(), out + i);
}

/// kRows rows by four probes with all sums in registers.
template <std::size_t kRows>
HWY_INLINE void tile(const float* probes, const std::byte* const* rows, std::size_t padded,
                     float* scores) {
  const FloatTag d;
  const LoadFloats load;
  FloatVector sums[kRows][kProbeGroup];
#pragma GCC unroll 8
  for (std::size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (std::size_t p = 0; p < kProbeGroup; ++p) sums[r][p] = hn::Zero(d);
  }
  for (std::size_t i = 0; i < padded; i += kLanes) {
    FloatVector row[kRows];
#pragma GCC unroll 8
    for (std::size_t r = 0; r < kRows; ++r) row[r] = load(rows[r], i);
#pragma GCC unroll 4
    for (std::size_t p = 0; p < kProbeGroup; ++p) {
      const auto probe = hn::Load(d, probes + p * padded + i);
#pragma GCC unroll 8
      for (std::size_t r = 0; r < kRows; ++r) sums[r][p] = hn::MulAdd(row[r], probe, sums[r][p]);
    }
  }
#pragma GCC unroll 8
  for (std::size_t r = 0; r < kRows; ++r) {
    store_sums(d, sums[r][0], sums[r][1], sums[r][2], sums[r][3], scores + r * kProbesPerPass);
  }
}

/// As many rows as the registers hold: 32 with AVX-512 and NEON, else 16.
constexpr std::size_t kTileRows = HWY_TARGET <= HWY_AVX3 || HWY_TARGET == HWY_NEON ? 6 : 3;
static_assert(kRowGroup % kTileRows == 0);

/// Rows that stay in the L1 cache while all probes pass by.
constexpr std::size_t kNearRows = 6;
static_assert(kRowGroup % kNearRows == 0 && kNearRows % kTileRows == 0);

void dot_tile(const float* probes, std::size_t probe_count, const std::byte* const* rows,
              std::size_t row_count, std::size_t padded, float* scores, Ahead ahead) {
  Fetch fetch(ahead, hwy::DivCeil(row_count, kNearRows) * (probe_count + 3) / kProbeGroup);
  for (std::size_t near = 0; near < row_count; near += kNearRows) {
    for (std::size_t p = 0; p < probe_count; p += kProbeGroup) {
      for (std::size_t r = near; r < near + kNearRows; r += kTileRows) {
        tile<kTileRows>(probes + p * padded, rows + r, padded, scores + r * kProbesPerPass + p);
      }
      fetch.some();
    }
  }
}

/// A mask as the low bits of a word.
template <class D>
HWY_INLINE std::uint64_t mask_bits(D d, hn::Mask<D> mask) {
  std::uint8_t bytes[8] = {};
  hn::StoreMaskBits(d, mask, bytes);
  std::uint64_t word = 0;
  __builtin_memcpy(&word, bytes, sizeof word);
  return word;
}

void at_least(const float* scores, const float* thresholds, std::size_t probe_count,
              std::size_t row_count, std::uint64_t* passed) {
  const FloatTag d;
  for (std::size_t r = 0; r < row_count; ++r) {
    std::uint64_t bits = 0;
    for (std::size_t p = 0; p < probe_count; p += kLanes) {
      const auto score = hn::LoadU(d, scores + r * kProbesPerPass + p);
      bits |= mask_bits(d, hn::Ge(score, hn::LoadU(d, thresholds + p))) << p;
    }
    passed[r] = bits;
  }
}

// int8 codes.

CodeMeasures encode(const float* row, std::size_t padded, std::int8_t* codes) {
  const FloatTag d;
  const WordTag words;
  const hn::Rebind<std::int8_t, FloatTag> bytes;
  auto largest = hn::Zero(d);
  auto squares = hn::Zero(d);
  for (std::size_t i = 0; i < padded; i += kLanes) {
    const auto x = hn::Load(d, row + i);
    largest = hn::Max(largest, hn::Abs(x));
    squares = hn::MulAdd(x, x, squares);
  }
  const float peak = hn::GetLane(hn::MaxOfLanes(d, largest));
  const float norm = __builtin_sqrtf(hn::GetLane(hn::SumOfLanes(d, squares)));
  // Below it the division would overflow; such a row has the code 0 and is all residual.
  const bool tiny = !(peak > 1e-30f);
  const float scale = tiny ? 0.0f : peak / 127.0f;
  const auto step = hn::Set(d, scale);
  const auto inverse = hn::Set(d, tiny ? 0.0f : 127.0f / peak);
  auto left = hn::Zero(d);
  for (std::size_t i = 0; i < padded; i += kLanes) {
    const auto x = hn::Load(d, row + i);
    const auto limit = hn::Set(d, 127.0f);
    const auto code = hn::Min(hn::Max(hn::Round(hn::Mul(x, inverse)), hn::Neg(limit)), limit);
    const auto over = hn::Sub(x, hn::Mul(code, step));
    left = hn::MulAdd(over, over, left);
    hn::StoreU(hn::DemoteTo(bytes, hn::ConvertTo(words, code)), bytes, codes + i);
  }
  // The additions err by less than padded * 2^-24 relatively, the differences by 2^-22 |x|.
  const float up = 1.0f + static_cast<float>(padded) * 1e-7f;
  const float rest = __builtin_sqrtf(hn::GetLane(hn::SumOfLanes(d, left)));
  return {.scale = scale, .residual = rest * up + 1e-6f * norm, .length = norm * up};
}

constexpr std::size_t kBytes = hn::MaxLanes(ByteTag());

// Products of codes are whole numbers, so which of them meet in one lane does not matter. x86
// multiplies bytes without sign by bytes with sign and adds two neighbours within 16 bits, which
// Highway 1.0.3 does not offer. As long as sums fit, several such are added before they are
// widened.
#undef SOSIA_X86_BYTES  // this file is read once for each target
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_SSSE3
#define SOSIA_X86_BYTES 1
#else
#define SOSIA_X86_BYTES 0
#endif

#if SOSIA_X86_BYTES

HWY_INLINE __m128i pairs(__m128i u, __m128i s) {
  return _mm_maddubs_epi16(u, s);
}
HWY_INLINE __m128i add_shorts(__m128i a, __m128i b) {
  return _mm_add_epi16(a, b);
}
HWY_INLINE __m128i widen_pairs(__m128i p) {
  return _mm_madd_epi16(p, _mm_set1_epi16(1));
}
HWY_INLINE void take_sign(__m128i& a, __m128i& b) {
  b = _mm_sign_epi8(b, a);
  a = _mm_abs_epi8(a);
}
#if HWY_TARGET <= HWY_AVX2
HWY_INLINE __m256i pairs(__m256i u, __m256i s) {
  return _mm256_maddubs_epi16(u, s);
}
HWY_INLINE __m256i add_shorts(__m256i a, __m256i b) {
  return _mm256_add_epi16(a, b);
}
HWY_INLINE __m256i widen_pairs(__m256i p) {
  return _mm256_madd_epi16(p, _mm256_set1_epi16(1));
}
HWY_INLINE void take_sign(__m256i& a, __m256i& b) {
  b = _mm256_sign_epi8(b, a);
  a = _mm256_abs_epi8(a);
}
#endif
#if HWY_TARGET <= HWY_AVX3
HWY_INLINE __m512i pairs(__m512i u, __m512i s) {
  return _mm512_maddubs_epi16(u, s);
}
HWY_INLINE __m512i add_shorts(__m512i a, __m512i b) {
  return _mm512_add_epi16(a, b);
}
HWY_INLINE __m512i widen_pairs(__m512i p) {
  return _mm512_madd_epi16(p, _mm512_set1_epi16(1));
}
HWY_INLINE void take_sign(__m512i& a, __m512i& b) {
  b = _mm512_mask_sub_epi8(b, _mm512_movepi8_mask(a), _mm512_setzero_si512(), b);
  a = _mm512_abs_epi8(a);
}
#endif

/// Sums of products before they are widened.
using Partial = decltype(hn::Zero(ByteTag()).raw);
HWY_INLINE Partial multiply(hn::Vec<ByteTag> u, hn::Vec<CodeTag> s) {
  return pairs(u.raw, s.raw);
}
/// Bytes with sign, none of them -128: |a| by b with the sign of a.
HWY_INLINE Partial multiply(hn::Vec<CodeTag> a, hn::Vec<CodeTag> b) {
  take_sign(a.raw, b.raw);
  return pairs(a.raw, b.raw);
}
HWY_INLINE Partial add_partial(Partial a, Partial b) {
  Partial sum = add_shorts(a, b);
  // GCC 12 would put all products before all additions, for which there are no registers.
  asm("" : "+v"(sum));
  return sum;
}
HWY_INLINE hn::Vec<WordTag> add_to(hn::Vec<WordTag> sum, Partial p) {
  return hn::Add(sum, hn::Vec<WordTag>{widen_pairs(p)});
}

#else

using Partial = hn::Vec<WordTag>;
#if HWY_TARGET == HWY_SCALAR
template <class U>
HWY_INLINE Partial multiply(U u, hn::Vec<CodeTag> s) {
  return hn::Mul(hn::PromoteTo(WordTag(), u), hn::PromoteTo(WordTag(), s));
}
#else
template <class U>
HWY_INLINE Partial multiply(U u, hn::Vec<CodeTag> s) {
  const WordTag d;
  const hn::Repartition<std::int16_t, WordTag> shorts;
  const hn::Half<hn::DFromV<U> > half_u;
  const hn::Half<CodeTag> half_s;
  auto more = hn::Zero(d);
  auto sum = hn::ReorderWidenMulAccumulate(d, hn::PromoteTo(shorts, hn::LowerHalf(half_u, u)),
                                           hn::PromoteTo(shorts, hn::LowerHalf(half_s, s)),
                                           hn::Zero(d), more);
  sum = hn::ReorderWidenMulAccumulate(d, hn::PromoteTo(shorts, hn::UpperHalf(half_u, u)),
                                      hn::PromoteTo(shorts, hn::UpperHalf(half_s, s)), sum, more);
  return hn::Add(sum, more);
}
#endif
HWY_INLINE Partial add_partial(Partial a, Partial b) {
  return hn::Add(a, b);
}
HWY_INLINE hn::Vec<WordTag> add_to(hn::Vec<WordTag> sum, Partial p) {
  return hn::Add(sum, p);
}

#endif

struct LoadBytes {
  HWY_INLINE hn::Vec<ByteTag> operator()(const std::byte* row, std::size_t i) const {
    return hn::Load(ByteTag(), reinterpret_cast<const std::uint8_t*>(row) + i);
  }
};

void dot_codes(const std::int8_t* probe, const std::byte* const* rows, std::size_t count,
               std::size_t padded, std::int32_t* dots) {
  const WordTag d;
  const LoadBytes load;
  for (std::size_t r = 0; r < count; r += 4) {
    const std::byte* const r0 = rows[r];
    const std::byte* const r1 = rows[r + 1];
    const std::byte* const r2 = rows[r + 2];
    const std::byte* const r3 = rows[r + 3];
    auto s0 = hn::Zero(d), s1 = hn::Zero(d), s2 = hn::Zero(d), s3 = hn::Zero(d);
    LookAhead ahead(rows + r, padded);
    for (std::size_t i = 0; i < padded; i += kBytes) {
      if (i % 64 == 0) ahead.lines();
      const auto p = hn::Load(CodeTag(), probe + i);
      s0 = add_to(s0, multiply(load(r0, i), p));
      s1 = add_to(s1, multiply(load(r1, i), p));
      s2 = add_to(s2, multiply(load(r2, i), p));
      s3 = add_to(s3, multiply(load(r3, i), p));
    }
    store_sums(d, s0, s1, s2, s3, dots + r);
  }
}

/// sums += products of `kSteps` vectors from element i on, added up before they are widened.
template <std::size_t kSteps, std::size_t kRows>
HWY_INLINE void code_steps(const std::int8_t* probes, const std::byte* const* rows,
                           std::size_t padded, std::size_t i,
                           hn::Vec<WordTag> (&sums)[kRows][kProbeGroup]) {
  const LoadBytes load;
  Partial partial[kRows][kProbeGroup];
#pragma GCC unroll 4
  for (std::size_t step = 0; step < kSteps; ++step) {
    const std::size_t at = i + step * kBytes;
    hn::Vec<ByteTag> row[kRows];
#pragma GCC unroll 8
    for (std::size_t r = 0; r < kRows; ++r) row[r] = load(rows[r], at);
#pragma GCC unroll 4
    for (std::size_t p = 0; p < kProbeGroup; ++p) {
      const auto probe = hn::Load(CodeTag(), probes + p * padded + at);
#pragma GCC unroll 8
      for (std::size_t r = 0; r < kRows; ++r) {
        const Partial product = multiply(row[r], probe);
        partial[r][p] = step == 0 ? product : add_partial(partial[r][p], product);
      }
    }
  }
#pragma GCC unroll 8
  for (std::size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (std::size_t p = 0; p < kProbeGroup; ++p) sums[r][p] = add_to(sums[r][p], partial[r][p]);
  }
}

template <std::size_t kRows>
HWY_INLINE void code_tile(const std::int8_t* probes, const std::byte* const* rows,
                          std::size_t padded, std::int32_t* dots) {
  const WordTag d;
  hn::Vec<WordTag> sums[kRows][kProbeGroup];
#pragma GCC unroll 8
  for (std::size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 4
    for (std::size_t p = 0; p < kProbeGroup; ++p) sums[r][p] = hn::Zero(d);
  }
  std::size_t i = 0;
  for (; i + kCodeSteps * kBytes <= padded; i += kCodeSteps * kBytes) {
    code_steps<kCodeSteps>(probes, rows, padded, i, sums);
  }
  for (; i < padded; i += kBytes) code_steps<1>(probes, rows, padded, i, sums);
#pragma GCC unroll 8
  for (std::size_t r = 0; r < kRows; ++r) {
    store_sums(d, sums[r][0], sums[r][1], sums[r][2], sums[r][3], dots + r * kProbesPerPass);
  }
}

/// Fewer than of floats: a product needs a register before it is added.
constexpr std::size_t kCodeTileRows = kTileRows == 6 ? 4 : 2;
static_assert(kRowGroup % kCodeTileRows == 0);

void dot_code_tile(const std::int8_t* probes, std::size_t probe_count, const std::byte* const* rows,
                   std::size_t row_count, std::size_t padded, std::int32_t* dots, Ahead ahead) {
  Fetch fetch(ahead, hwy::DivCeil(row_count, kRowGroup) * (probe_count + 3) / kProbeGroup);
  for (std::size_t near = 0; near < row_count; near += kRowGroup) {
    for (std::size_t p = 0; p < probe_count; p += kProbeGroup) {
      for (std::size_t r = near; r < near + kRowGroup; r += kCodeTileRows) {
        code_tile<kCodeTileRows>(probes + p * padded, rows + r, padded,
                                 dots + r * kProbesPerPass + p);
      }
      fetch.some();
    }
  }
}

std::uint64_t codes_pass(const std::int32_t* dots, const float* scales, const float* residuals,
                         std::size_t count, CodeProbes probes) {
  const FloatTag d;
  const auto offset = hn::Set(WordTag(), probes.offsets[0]);
  const auto step = hn::Set(d, probes.steps[0]);
  const auto norm = hn::Set(d, probes.norms[0]);
  const auto limit = hn::Set(d, probes.limits[0]);
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < count; i += kLanes) {
    const auto dot = hn::ConvertTo(d, hn::Sub(hn::LoadU(WordTag(), dots + i), offset));
    const auto score = hn::Mul(dot, hn::Mul(hn::LoadU(d, scales + i), step));
    const auto upper = hn::MulAdd(hn::LoadU(d, residuals + i), norm, score);
    bits |= mask_bits(d, hn::Ge(upper, limit)) << i;
  }
  return count == 64 ? bits : bits & ((std::uint64_t{1} << count) - 1);
}

void code_tile_pass(const std::int32_t* dots, const float* scales, const float* residuals,
                    std::size_t probe_count, std::size_t row_count, CodeProbes probes,
                    std::uint64_t* passed) {
  const FloatTag d;
  for (std::size_t r = 0; r < row_count; ++r) {
    const auto scale = hn::Set(d, scales[r]);
    const auto residual = hn::Set(d, residuals[r]);
    std::uint64_t bits = 0;
    for (std::size_t p = 0; p < probe_count; p += kLanes) {
      const auto whole = hn::Sub(hn::LoadU(WordTag(), dots + r * kProbesPerPass + p),
                                 hn::LoadU(WordTag(), probes.offsets + p));
      const auto dot = hn::ConvertTo(d, whole);
      const auto score = hn::Mul(dot, hn::Mul(scale, hn::LoadU(d, probes.steps + p)));
      const auto upper = hn::MulAdd(residual, hn::LoadU(d, probes.norms + p), score);
      bits |= mask_bits(d, hn::Ge(upper, hn::LoadU(d, probes.limits + p))) << p;
    }
    passed[r] = bits;
  }
}

float code_distance(const void* a, const void* b, const void* layout) {
  const WordTag d;
  const CodeTag codes;
  const auto& [offset, padded] = *static_cast<const CodeLayout*>(layout);
  const auto* const x = static_cast<const std::int8_t*>(a) + offset;
  const auto* const y = static_cast<const std::int8_t*>(b) + offset;
  auto even = hn::Zero(d), odd = hn::Zero(d);
  std::size_t i = 0;
  for (; i + 2 * kBytes <= padded; i += 2 * kBytes) {
    even = add_to(even, multiply(hn::LoadU(codes, x + i), hn::LoadU(codes, y + i)));
    odd = add_to(odd, multiply(hn::LoadU(codes, x + i + kBytes), hn::LoadU(codes, y + i + kBytes)));
  }
  if (i < padded) even = add_to(even, multiply(hn::LoadU(codes, x + i), hn::LoadU(codes, y + i)));
  const auto dot = hn::SumOfLanes(d, hn::Add(even, odd));
  float scale_a = 0, scale_b = 0;
  __builtin_memcpy(&scale_a, x - sizeof scale_a, sizeof scale_a);
  __builtin_memcpy(&scale_b, y - sizeof scale_b, sizeof scale_b);
  return 1.0f - static_cast<float>(hn::GetLane(dot)) * (scale_a * scale_b);
}

const Kernels& table() {
  static const Kernels kTable{hwy::TargetName(HWY_TARGET),
                              kBytes,
                              dot_halves,
                              dot_floats,
                              widen,
                              dot_tile,
                              at_least,
                              encode,
                              dot_codes,
                              dot_code_tile,
                              codes_pass,
                              code_tile_pass,
                              code_distance};
  return kTable;
}

}  // namespace HWY_NAMESPACE
}  // namespace sosia::gallery
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sosia::gallery {

HWY_EXPORT(table);

const Kernels& kernels() {
  return HWY_DYNAMIC_DISPATCH(table)();
}

}  // namespace sosia::gallery
#endif

// int8 codes that tell which rows need an exact look, without ever passing over one that does.
//
// A row is r = s c + e: codes c in [-127, 127], step s = max |r| / 127, and the rest e, whose
// length is stored. A probe is p = t q + f likewise, with a
// step for which the kernels' 16-bit sums do not overflow. By Cauchy and Schwarz
//
//   |r.p - s t (c.q)| <= |e| |p| + |s c| |f|
//
// and c.q is exact in integers. Rounding of the f32 sums is added to the bound, so it holds for the
// score that `scan` computes, not only for the true one. At 512 dimensions the bound is about
// 0.03, two thirds of the standard deviation of scores of strangers.
//
// One pass over the codes keeps, for each probe, the k-th best lower bound so far and every row
// whose upper bound reaches it; what is left at the end, some tens of rows, is scored exactly.

#include "gallery/kernels.hpp"
#include "gallery/scan_parts.hpp"

#include <array>
#include <bit>
#include <cmath>

namespace sosia::gallery {

namespace {

static_assert(kBlockRows <= 64, "one word tells which rows of a block pass");
constexpr std::size_t kGrainRows = 512;
/// Candidates that a thread holds for a probe, beside 4 k, before it scores them.
constexpr std::size_t kCandidates = 1024;

/// The k highest lower bounds so far. Their rows are different ones, so k rows score at least
/// `floor()`.
class LowerBounds {
 public:
  explicit LowerBounds(std::size_t k) : k_(k) {}
  float floor() const noexcept { return floor_; }
  void offer(float bound) {
    if (heap_.size() < k_) {
      heap_.push_back(bound);
      std::push_heap(heap_.begin(), heap_.end(), std::greater<>());
    } else if (bound > heap_.front()) {
      std::pop_heap(heap_.begin(), heap_.end(), std::greater<>());
      heap_.back() = bound;
      std::push_heap(heap_.begin(), heap_.end(), std::greater<>());
    } else {
      return;
    }
    if (heap_.size() == k_) floor_ = heap_.front();
  }
  std::span<const float> bounds() const noexcept { return heap_; }

 private:
  std::size_t k_;
  float floor_ = -std::numeric_limits<float>::infinity();
  std::vector<float> heap_;
};

struct Candidate {
  std::uint32_t row = 0;
  float upper = 0;
};

struct Scratch {
  std::vector<LowerBounds> lower;                  // per probe
  std::vector<std::vector<Candidate>> candidates;  // per probe
  std::vector<TopK> best;                          // per probe: what was scored already
  AlignedArray<float> limits;
  AlignedArray<std::int32_t> dots;
  std::array<std::uint64_t, kBlockRows> passed{};
  std::array<float, 64> scales{}, residuals{};
};

/// The codes of a pass's probes.
struct ProbeCodes {
  AlignedArray<std::int8_t> codes;
  std::array<std::int32_t, kProbesPerPass> offsets{};
  std::array<float, kProbesPerPass> steps{}, norms{}, slacks{};
};

}  // namespace

struct Prefilter::Impl {
  std::size_t count = 0, dimension = 0, padded = 0;
  AlignedArray<std::uint8_t> codes;  // 128 added, as the kernels want them
  AlignedArray<float> scales, residuals;
  float longest = 0;  // no row is longer, and no s c

  ProbeCodes encode_probes(std::span<const float> probes, const Pass& pass) const;
};

namespace {

/// The finest step of a probe's codes at which no sum of products overflows; see kMostCodeSum.
float probe_step(std::span<const float> probe) {
  const std::size_t width = kernels().code_register, group = kCodeSteps * width;
  float most = 0;
  for (std::size_t first = 0; first < probe.size(); first += group) {
    float positive[64] = {}, negative[64] = {};  // by pair of neighbours in a register
    for (std::size_t d = first; d < std::min(first + group, probe.size()); ++d) {
      const float x = probe[d];
      (x > 0 ? positive : negative)[d % width / 2] += std::abs(x);
    }
    for (std::size_t lane = 0; lane < 64; ++lane) {
      most = std::max({most, positive[lane], negative[lane]});
    }
  }
  // Rounding adds up to a half for each of the 2 * kCodeSteps codes of a sum.
  return most / (kMostCodeSum - static_cast<float>(kCodeSteps) - 1);
}

}  // namespace

ProbeCodes Prefilter::Impl::encode_probes(std::span<const float> probes, const Pass& pass) const {
  ProbeCodes out;
  out.codes = AlignedArray<std::int8_t>(round_up(pass.probes.size(), kProbeGroup) * padded);
  for (std::size_t i = 0; i < pass.probes.size(); ++i) {
    const auto probe = probes.subspan(pass.probes[i] * dimension, dimension);
    double squares = 0, left = 0;
    const float step = probe_step(probe);
    const float inverse = step > 1e-30f ? 1 / step : 0;
    std::int32_t total = 0;
    for (std::size_t d = 0; d < dimension; ++d) {
      const float scaled = probe[d] * inverse;
      const auto code = static_cast<std::int32_t>(scaled + std::copysign(0.5f, scaled));
      out.codes.data()[i * padded + d] = static_cast<std::int8_t>(code);
      total += code;
      const double rest = double(probe[d]) - double(step) * code;
      left += rest * rest;
      squares += double(probe[d]) * double(probe[d]);
    }
    out.offsets[i] = 128 * total;
    const double norm = std::sqrt(squares);
    // An f32 sum of n products errs by at most n 2^-24 sum |r_i p_i| <= n 2^-24 |r| |p| (and a
    // little: 1.01); the same again, 64 times, for the few operations on the bounds themselves.
    const double rounding =
        1.01 * (double(padded) + 64) * std::ldexp(1.0, -24) * double(longest) * norm;
    out.steps[i] = step;
    out.norms[i] = static_cast<float>(norm * (1 + 1e-6));
    out.slacks[i] = static_cast<float>((double(longest) * std::sqrt(left) + rounding) * (1 + 1e-6));
  }
  return out;
}

namespace {

/// One pass of probes over the codes.
class CodeScan {
 public:
  CodeScan(const Rows& rows, const std::uint8_t* codes, const float* scales, const float* residuals,
           std::size_t padded, const ProbeCodes& probes, std::span<const float> vectors,
           const Pass& pass, std::size_t k)
      : rows_(rows),
        codes_(codes),
        scales_(scales),
        residuals_(residuals),
        padded_(padded),
        probes_(probes),
        vectors_(vectors),
        pass_(pass),
        k_(k),
        shared_(pass.probes.size()) {}

  void run(RunContext& run) {
    run.parallel_for(0, rows_.count, kGrainRows, [&](std::size_t first, std::size_t last) {
      pool_.with([&] { return make_scratch(); },
                 [&](Scratch& scratch) { work(scratch, first, last, run); });
    });
  }

  /// Scores exactly what the bounds leave of a probe.
  std::vector<Hit> finish(std::size_t probe) const {
    LowerBounds lower(k_);
    TopK best(k_);
    for (const auto& scratch : pool_.all()) {
      for (const float bound : scratch->lower[probe].bounds()) lower.offer(bound);
      for (const Hit& hit : scratch->best[probe].hits()) best.offer(hit);
    }
    for (const auto& scratch : pool_.all()) {
      for (const Candidate& candidate : scratch->candidates[probe]) {
        if (candidate.upper < std::max(lower.floor(), best.threshold())) continue;
        best.offer({candidate.row, row_score(rows_, candidate.row, vector(probe))});
      }
    }
    return merge_hits({best.hits().begin(), best.hits().end()}, k_);
  }

 private:
  std::span<const float> vector(std::size_t probe) const {
    return vectors_.subspan(pass_.probes[probe] * rows_.dimension, rows_.dimension);
  }

  std::unique_ptr<Scratch> make_scratch() const {
    const std::size_t probes = pass_.probes.size();
    auto scratch = std::make_unique<Scratch>();
    scratch->lower.assign(probes, LowerBounds(k_));
    scratch->candidates.resize(probes);
    scratch->best.assign(probes, TopK(k_));
    scratch->limits = AlignedArray<float>(kProbesPerPass);
    std::fill_n(scratch->limits.data(), kProbesPerPass, std::numeric_limits<float>::infinity());
    std::fill_n(scratch->limits.data(), probes, -std::numeric_limits<float>::infinity());
    scratch->dots = AlignedArray<std::int32_t>(kBlockRows * kProbesPerPass);
    return scratch;
  }

  void work(Scratch& s, std::size_t first, std::size_t last, RunContext& run) {
    const std::size_t probes = pass_.probes.size();
    for (std::size_t p = 0; p < probes; ++p) raise_limit(s, p, shared_[p].get());
    const CodeProbes bounds{probes_.offsets.data(), probes_.steps.data(), probes_.norms.data(),
                            s.limits.data()};
    Blocks blocks(pass_.walk, first, last);
    for (std::size_t block = 1; blocks.advance(reinterpret_cast<const std::byte*>(codes_), padded_);
         ++block) {
      for (std::size_t i = 0; i < blocks.count(); ++i) {
        s.scales[i] = scales_[blocks.id(i)];
        s.residuals[i] = residuals_[blocks.id(i)];
      }
      if (probes == 1) {
        bound_one(s, blocks, bounds);
      } else {
        bound_batch(s, blocks, bounds);
      }
      if (block % 64 == 0) run.check_cancelled();
    }
    for (std::size_t p = 0; p < probes; ++p) shared_[p].raise(s.lower[p].floor());
  }

  void bound_one(Scratch& s, const Blocks& blocks, CodeProbes bounds) {
    std::int32_t* const dots = s.dots.data();
    kernels_.dot_codes(probes_.codes.data(), blocks.rows(), blocks.count(), padded_, dots);
    std::uint64_t passed =
        kernels_.codes_pass(dots, s.scales.data(), s.residuals.data(), blocks.count(), bounds);
    for (; passed != 0; passed &= passed - 1) {
      const auto i = static_cast<std::size_t>(std::countr_zero(passed));
      consider(s, 0, blocks.id(i), i, dots[i]);
    }
  }

  void bound_batch(Scratch& s, const Blocks& blocks, CodeProbes bounds) {
    const std::size_t count = blocks.count(), probes = pass_.probes.size();
    kernels_.dot_code_tile(probes_.codes.data(), probes, blocks.rows(), count, padded_,
                           s.dots.data(), blocks.ahead(padded_));
    kernels_.code_tile_pass(s.dots.data(), s.scales.data(), s.residuals.data(), probes, count,
                            bounds, s.passed.data());
    for (std::size_t i = 0; i < count; ++i) {
      for (std::uint64_t bits = s.passed[i]; bits != 0; bits &= bits - 1) {
        const auto p = static_cast<std::size_t>(std::countr_zero(bits));
        consider(s, p, blocks.id(i), i, s.dots.data()[i * kProbesPerPass + p]);
      }
    }
  }

  /// A row whose upper bound reached the limit when its block began.
  void consider(Scratch& s, std::size_t probe, std::uint32_t row, std::size_t in_block,
                std::int32_t dot) {
    if (!pass_.tests.empty()) {
      const RowMask* mask = pass_.tests[probe];
      if (mask != nullptr && !mask->all() && !mask->test(row)) return;
    }
    const float score = static_cast<float>(dot - probes_.offsets[probe]) *
                        (s.scales[in_block] * probes_.steps[probe]);
    const float margin = s.residuals[in_block] * probes_.norms[probe] + probes_.slacks[probe];
    s.lower[probe].offer(score - margin);
    raise_limit(s, probe, s.lower[probe].floor());
    auto& list = s.candidates[probe];
    list.push_back({row, score + margin});
    if (list.size() >= 4 * k_ + kCandidates) thin_out(s, probe);
  }

  /// Many candidates: those that the limit has passed by go. If most are left, as when the gallery
  /// holds one vector many times over, bounds do not help, and they are scored.
  void thin_out(Scratch& s, std::size_t probe) {
    auto& list = s.candidates[probe];
    const float floor = s.limits.data()[probe] + probes_.slacks[probe];
    std::erase_if(list, [&](const Candidate& candidate) { return candidate.upper < floor; });
    if (list.size() < 2 * k_ + kCandidates / 2) return;
    for (const Candidate& candidate : list) {
      s.best[probe].offer({candidate.row, row_score(rows_, candidate.row, vector(probe))});
    }
    list.clear();
    raise_limit(s, probe, s.best[probe].threshold());
  }

  /// A limit is the floor without the part of the margin that is the same for all rows.
  void raise_limit(Scratch& s, std::size_t probe, float floor) const {
    float& limit = s.limits.data()[probe];
    limit = std::max(limit, floor - probes_.slacks[probe]);
  }

  const Rows& rows_;
  const std::uint8_t* const codes_;
  const float *const scales_, *const residuals_;
  const std::size_t padded_;
  const ProbeCodes& probes_;
  const std::span<const float> vectors_;
  const Pass& pass_;
  const std::size_t k_;
  const Kernels& kernels_ = kernels();
  std::vector<SharedThreshold> shared_;
  Pool<Scratch> pool_;
};

}  // namespace

Prefilter::Prefilter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Prefilter::Prefilter(Prefilter&&) noexcept = default;
Prefilter& Prefilter::operator=(Prefilter&&) noexcept = default;
Prefilter::~Prefilter() = default;

Prefilter Prefilter::build(const Rows& rows, RunContext& run) {
  auto impl = std::make_unique<Impl>();
  impl->count = rows.count;
  impl->dimension = rows.dimension;
  impl->padded = round_up(rows.dimension, 64);
  impl->codes = AlignedArray<std::uint8_t>(rows.count * impl->padded);
  impl->scales = AlignedArray<float>(rows.count);
  impl->residuals = AlignedArray<float>(rows.count);
  const Kernels& k = kernels();
  const std::size_t row_padded = padded_dimension(rows.dimension, rows.type);
  SharedThreshold longest;
  longest.raise(0);
  run.parallel_for(0, rows.count, kGrainRows, [&](std::size_t first, std::size_t last) {
    AlignedArray<float> row(impl->padded);
    for (std::size_t i = first; i < last; ++i) {
      if (rows.type == StoredType::f16) {
        k.widen(rows.row(i), row_padded, row.data());
      } else {
        std::memcpy(row.data(), rows.row(i), rows.dimension * sizeof(float));
      }
      std::uint8_t* codes = impl->codes.data() + i * impl->padded;
      const CodeMeasures measures =
          k.encode(row.data(), impl->padded, reinterpret_cast<std::int8_t*>(codes));
      for (std::size_t d = 0; d < impl->padded; ++d) codes[d] ^= 0x80;
      impl->scales.data()[i] = measures.scale;
      impl->residuals.data()[i] = measures.residual;
      longest.raise((measures.length + measures.residual) * (1 + 1e-6f));
      if (i % 4096 == 0) run.check_cancelled();
    }
  });
  impl->longest = longest.get();
  return Prefilter(std::move(impl));
}

std::vector<std::vector<Hit>> Prefilter::scan(const Rows& rows, std::span<const float> probes,
                                              std::size_t k, std::span<const RowMask* const> masks,
                                              RunContext& run) const {
  check_scan(rows, probes, k, masks);
  const std::size_t count = probes.size() / rows.dimension;
  std::vector<std::vector<Hit>> results(count);
  std::vector<std::unique_ptr<RowMask>> unions;
  for (const Pass& pass : plan_passes(rows.count, count, masks, unions)) {
    const ProbeCodes codes = impl_->encode_probes(probes, pass);
    CodeScan work(rows, impl_->codes.data(), impl_->scales.data(), impl_->residuals.data(),
                  impl_->padded, codes, probes, pass, k);
    work.run(run);
    run.parallel_for(0, pass.probes.size(), 4, [&](std::size_t first, std::size_t last) {
      for (std::size_t p = first; p < last; ++p) {
        results[pass.probes[p]] = work.finish(p);
      }
    });
  }
  return results;
}

std::size_t Prefilter::bytes() const noexcept {
  return impl_->codes.size() + (impl_->scales.size() + impl_->residuals.size()) * sizeof(float);
}

}  // namespace sosia::gallery

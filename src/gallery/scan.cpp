// The exact scan: every row that the mask lets pass is compared with every probe.

#include "gallery/kernels.hpp"
#include "gallery/scan_parts.hpp"

#include <array>
#include <bit>

namespace sosia::gallery {

namespace {

/// Rows of one task, at least: some 50 us of work.
constexpr std::size_t kGrainRows = 512;

/// What one thread has while it works on a pass.
struct Scratch {
  std::vector<TopK> best;  // per probe
  AlignedArray<float> thresholds, widened, scores;
  std::array<const std::byte*, kBlockRows> rows{};  // of `widened`
  std::array<std::uint64_t, kBlockRows> passed{};
};

class Scan {
 public:
  Scan(const Rows& rows, const Pass& pass, std::span<const float> probes, std::size_t k)
      : rows_(rows),
        pass_(pass),
        k_(k),
        padded_(padded_dimension(rows.dimension, rows.type)),
        probes_(gather(probes)),
        shared_(pass.probes.size()) {}

  void run(RunContext& run) {
    run.parallel_for(0, rows_.count, kGrainRows, [&](std::size_t first, std::size_t last) {
      pool_.with([&] { return make_scratch(); },
                 [&](Scratch& scratch) { work(scratch, first, last, run); });
    });
  }

  std::vector<Hit> take(std::size_t probe) const {
    std::vector<Hit> hits;
    for (const auto& scratch : pool_.all()) {
      const auto found = scratch->best[probe].hits();
      hits.insert(hits.end(), found.begin(), found.end());
    }
    return merge_hits(std::move(hits), k_);
  }

 private:
  AlignedArray<float> gather(std::span<const float> probes) const {
    std::vector<float> mine;
    mine.reserve(pass_.probes.size() * rows_.dimension);
    for (const std::uint32_t p : pass_.probes) {
      const auto probe = probes.subspan(p * rows_.dimension, rows_.dimension);
      mine.insert(mine.end(), probe.begin(), probe.end());
    }
    return pad_probes(mine, rows_.dimension, padded_);
  }

  std::unique_ptr<Scratch> make_scratch() const {
    auto scratch = std::make_unique<Scratch>();
    scratch->best.assign(pass_.probes.size(), TopK(k_));
    scratch->thresholds = AlignedArray<float>(kProbesPerPass);
    std::fill_n(scratch->thresholds.data(), kProbesPerPass, std::numeric_limits<float>::infinity());
    const bool batch = pass_.probes.size() > 1;
    if (batch && rows_.type == StoredType::f16) {
      scratch->widened = AlignedArray<float>(kBlockRows * padded_);
    }
    scratch->scores = AlignedArray<float>(kBlockRows * kProbesPerPass);
    return scratch;
  }

  void work(Scratch& s, std::size_t first, std::size_t last, RunContext& run) {
    const std::size_t probes = pass_.probes.size();
    for (std::size_t p = 0; p < probes; ++p) {
      s.thresholds.data()[p] = std::max(s.best[p].threshold(), shared_[p].get());
    }
    Blocks blocks(pass_.walk, first, last);
    for (std::size_t block = 1; blocks.advance(rows_.data, rows_.stride_bytes); ++block) {
      if (probes == 1) {
        score_one(s, blocks);
      } else {
        score_batch(s, blocks);
      }
      if (block % 64 == 0) run.check_cancelled();
    }
    for (std::size_t p = 0; p < probes; ++p) shared_[p].raise(s.best[p].threshold());
  }

  void score_one(Scratch& s, const Blocks& blocks) {
    const auto dot = rows_.type == StoredType::f16 ? kernels_.dot_halves : kernels_.dot_floats;
    float* const scores = s.scores.data();
    dot(probes_.data(), blocks.rows(), blocks.count(), padded_, scores);
    for (std::size_t i = 0; i < blocks.count(); ++i) {
      if (scores[i] >= s.thresholds.data()[0]) offer(s, 0, blocks.id(i), scores[i]);
    }
  }

  void score_batch(Scratch& s, const Blocks& blocks) {
    const std::size_t count = blocks.count(), probes = pass_.probes.size();
    const std::byte* const* rows = blocks.rows();
    if (rows_.type == StoredType::f16) {
      for (std::size_t i = 0; i < kBlockRows; ++i) {
        float* out = s.widened.data() + i * padded_;
        if (i < count) kernels_.widen(rows[i], padded_, out);
        s.rows[i] = reinterpret_cast<const std::byte*>(out);
      }
      rows = s.rows.data();
    }
    kernels_.dot_tile(probes_.data(), probes, rows, count, padded_, s.scores.data(),
                      blocks.ahead(row_stride_bytes(rows_.dimension, rows_.type)));
    kernels_.at_least(s.scores.data(), s.thresholds.data(), probes, count, s.passed.data());
    for (std::size_t i = 0; i < count; ++i) {
      for (std::uint64_t bits = s.passed[i]; bits != 0; bits &= bits - 1) {
        const auto p = static_cast<std::size_t>(std::countr_zero(bits));
        offer(s, p, blocks.id(i), s.scores.data()[i * kProbesPerPass + p]);
      }
    }
  }

  void offer(Scratch& s, std::size_t probe, std::uint32_t row, float score) {
    if (!pass_.tests.empty()) {
      const RowMask* mask = pass_.tests[probe];
      if (mask != nullptr && !mask->all() && !mask->test(row)) return;
    }
    s.best[probe].offer({row, score});
    float& threshold = s.thresholds.data()[probe];
    threshold = std::max(threshold, s.best[probe].threshold());
  }

  const Rows& rows_;
  const Pass& pass_;
  const std::size_t k_, padded_;
  const Kernels& kernels_ = kernels();
  const AlignedArray<float> probes_;
  std::vector<SharedThreshold> shared_;
  Pool<Scratch> pool_;
};

}  // namespace

std::vector<std::vector<Hit>> scan(const Rows& rows, std::span<const float> probes, std::size_t k,
                                   std::span<const RowMask* const> masks, RunContext& run) {
  check_scan(rows, probes, k, masks);
  const std::size_t count = probes.size() / rows.dimension;
  std::vector<std::vector<Hit>> results(count);
  std::vector<std::unique_ptr<RowMask>> unions;
  for (const Pass& pass : plan_passes(rows.count, count, masks, unions)) {
    Scan work(rows, pass, probes, k);
    work.run(run);
    for (std::size_t p = 0; p < pass.probes.size(); ++p) results[pass.probes[p]] = work.take(p);
  }
  return results;
}

}  // namespace sosia::gallery

#include "gallery/scan_parts.hpp"

#include "sosia/core/error.hpp"

#include <map>
#include <numeric>

#include <sys/mman.h>

namespace sosia::gallery {

void prefer_large_pages(void* start, std::size_t bytes) noexcept {
  ::madvise(start, bytes, MADV_HUGEPAGE);
}

AlignedArray<float> pad_probes(std::span<const float> probes, std::size_t dimension,
                               std::size_t padded) {
  const std::size_t count = probes.size() / dimension;
  AlignedArray<float> out(round_up(count, kProbeGroup) * padded);
  for (std::size_t i = 0; i < count; ++i) {
    std::memcpy(out.data() + i * padded, probes.data() + i * dimension, dimension * sizeof(float));
  }
  return out;
}

std::size_t RowPicker::take(std::span<std::uint32_t> rows) {
  if (mask_ == nullptr) {
    const std::size_t count = std::min(rows.size(), last_ - next_);
    std::iota(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(count),
              static_cast<std::uint32_t>(next_));
    next_ += count;
    return count;
  }
  std::size_t count = 0;
  while (next_ < last_ && count < rows.size()) {
    const std::uint64_t word = mask_->words[next_ / 64] >> (next_ % 64);
    if (word == 0) {
      next_ = (next_ / 64 + 1) * 64;
      continue;
    }
    next_ += static_cast<std::size_t>(std::countr_zero(word));
    if (next_ >= last_) break;
    rows[count++] = static_cast<std::uint32_t>(next_++);
  }
  return count;
}

bool Blocks::advance(const std::byte* start, std::size_t stride) {
  if (next_count_ == 0) return false;
  std::copy_n(ids_.begin() + kBlockRows, next_count_, ids_.begin());
  count_ = next_count_;
  // A block that is not full is the last one, so what follows it is padding in any case.
  next_count_ = picker_.take(std::span(ids_).last(kBlockRows));
  for (std::size_t i = 0; i < count_; ++i) rows_[i] = start + ids_[i] * stride;
  std::fill(rows_.begin() + static_cast<std::ptrdiff_t>(count_), rows_.end(), rows_[count_ - 1]);
  for (std::size_t i = 0; i < next_count_; ++i) {
    rows_[kBlockRows + i] = start + ids_[kBlockRows + i] * stride;
  }
  return true;
}

namespace {

std::size_t rows_in(const RowMask* mask, std::size_t rows) {
  if (mask == nullptr || mask->all()) return rows;
  std::size_t count = 0;
  for (std::size_t row = 0; row < rows; row += 64) {
    std::uint64_t word = mask->words[row / 64];
    if (rows - row < 64) word &= (std::uint64_t{1} << (rows - row)) - 1;
    count += static_cast<std::size_t>(std::popcount(word));
  }
  return count;
}

/// What a pass of `probes` over one row costs, about, as a multiple of reading it for one probe.
double cost_per_row(std::size_t probes) {
  return 1.0 + 0.25 * static_cast<double>(probes);
}

std::unique_ptr<RowMask> unite(const std::vector<const RowMask*>& masks) {
  auto all = std::make_unique<RowMask>();
  for (const RowMask* mask : masks) {
    if (mask == nullptr || mask->all()) return std::make_unique<RowMask>();
    all->words.resize(std::max(all->words.size(), mask->words.size()));
    for (std::size_t i = 0; i < mask->words.size(); ++i) all->words[i] |= mask->words[i];
  }
  return all;
}

}  // namespace

std::vector<Pass> plan_passes(std::size_t rows, std::size_t probes,
                              std::span<const RowMask* const> masks,
                              std::vector<std::unique_ptr<RowMask>>& unions) {
  std::vector<Pass> passes;
  for (std::size_t first = 0; first < probes; first += kProbesPerPass) {
    const std::size_t last = std::min(first + kProbesPerPass, probes);
    // Probes with the same mask go together, in the order in which the masks appear.
    std::vector<Pass> apart;
    std::map<const RowMask*, std::size_t> seen;
    for (std::size_t p = first; p < last; ++p) {
      const RowMask* mask = masks.empty() ? nullptr : masks.size() == 1 ? masks[0] : masks[p];
      const auto [at, added] = seen.try_emplace(mask, apart.size());
      if (added) apart.push_back({.walk = mask});
      apart[at->second].probes.push_back(static_cast<std::uint32_t>(p));
    }
    if (apart.size() == 1) {
      passes.push_back(std::move(apart.front()));
      continue;
    }
    // Different masks: one pass each, or one over all rows of any mask that tests each probe's own.
    double cost_apart = 0;
    Pass together;
    for (const Pass& pass : apart) {
      cost_apart +=
          static_cast<double>(rows_in(pass.walk, rows)) * cost_per_row(pass.probes.size());
      together.probes.insert(together.probes.end(), pass.probes.begin(), pass.probes.end());
      together.tests.insert(together.tests.end(), pass.probes.size(), pass.walk);
    }
    auto all = unite(together.tests);
    if (static_cast<double>(rows_in(all.get(), rows)) * cost_per_row(last - first) < cost_apart) {
      together.walk = all.get();
      unions.push_back(std::move(all));
      passes.push_back(std::move(together));
    } else {
      std::move(apart.begin(), apart.end(), std::back_inserter(passes));
    }
  }
  return passes;
}

std::vector<Hit> merge_hits(std::vector<Hit> hits, std::size_t k) {
  const std::size_t count = std::min(k, hits.size());
  std::partial_sort(hits.begin(), hits.begin() + static_cast<std::ptrdiff_t>(count), hits.end(),
                    better);
  hits.resize(count);
  return hits;
}

void check_scan(const Rows& rows, std::span<const float> probes, std::size_t k,
                std::span<const RowMask* const> masks) {
  const auto require = [](bool holds, const char* what) {
    if (!holds) throw Error(ErrorCode::internal, std::string("search of the matrix: ") + what);
  };
  require(rows.dimension > 0 && probes.size() % rows.dimension == 0, "probes of another dimension");
  require(k > 0, "k is 0");
  const std::size_t count = probes.size() / rows.dimension;
  require(masks.size() <= 1 || masks.size() == count, "masks do not match the probes");
  require(rows.count <= std::numeric_limits<std::uint32_t>::max(), "too many rows");
  for (const RowMask* mask : masks) {
    require(mask == nullptr || mask->all() || mask->words.size() >= (rows.count + 63) / 64,
            "a mask is shorter than the rows");
  }
}

}  // namespace sosia::gallery

// All pairs above a threshold, block by block.

#include "gallery/kernels.hpp"
#include "gallery/vector_block.hpp"
#include "sosia/core/error.hpp"
#include "sosia/gallery/groups.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <mutex>
#include <optional>
#include <string>

namespace sosia::gallery {
namespace {

// Rows a that are compared before pairs are handed on, and rows b per tile: a tile of b and a group
// of a stay in the cache.
constexpr std::size_t kRowsAtOnce = 4 * kProbesPerPass;
constexpr std::size_t kTile = 240;  // a multiple of kRowGroup
static_assert(kTile % kRowGroup == 0);
// Pairs that are held at once (96 MB); more of them are collected for fewer rows at a time.
constexpr std::size_t kMostPairs = 8'000'000;

class PairFinder {
 public:
  PairFinder(std::span<const float> vectors, std::size_t dimension,
             std::span<const std::uint32_t> group, float threshold, RunContext& run)
      : block_(vectors, dimension), group_(group), threshold_(threshold), run_(run) {}

  std::size_t size() const { return block_.size(); }

  // The pairs of rows first <= a < last in order, or nothing when there are too many.
  std::optional<std::vector<AlikePair>> find(std::size_t first, std::size_t last) {
    std::vector<AlikePair> all;
    std::mutex mutex;
    bool overflow = false;
    run_.parallel_for(first / kTile, (size() + kTile - 1) / kTile, 4,
                      [&](std::size_t begin, std::size_t end) {
                        std::vector<AlikePair> found;
                        for (std::size_t tile = begin; tile < end; ++tile) {
                          compare(first, last, tile * kTile, found);
                        }
                        const std::lock_guard lock(mutex);
                        if (overflow || found.empty()) return;
                        overflow = last - first > 1 && all.size() + found.size() > kMostPairs;
                        if (!overflow) all.insert(all.end(), found.begin(), found.end());
                      });
    if (overflow) return std::nullopt;
    std::sort(all.begin(), all.end(), [](const AlikePair& x, const AlikePair& y) {
      return x.a != y.a ? x.a < y.a : x.b < y.b;
    });
    return all;
  }

 private:
  // Rows a in [first, last) with rows b of the tile that starts at `tile`.
  void compare(std::size_t first, std::size_t last, std::size_t tile,
               std::vector<AlikePair>& found) {
    run_.check_cancelled();
    const std::size_t rows = std::min(kTile, size() - tile);
    std::vector<float> scores(kTile * kProbesPerPass);
    std::vector<std::uint64_t> passed(kTile);
    for (std::size_t a = first; a < std::min(last, tile + rows); a += kProbesPerPass) {
      const std::size_t probes = std::min(kProbesPerPass, last - a);
      float thresholds[kProbesPerPass];
      std::fill_n(thresholds, kProbesPerPass, std::numeric_limits<float>::infinity());
      std::fill_n(thresholds, probes, threshold_);
      block_.products(tile, rows, block_, a, probes, scores.data());
      kernels().at_least(scores.data(), thresholds, probes, rows, passed.data());
      for (std::size_t i = 0; i < rows; ++i) {
        for (std::uint64_t bits = passed[i]; bits != 0; bits &= bits - 1) {
          const auto p = static_cast<std::size_t>(std::countr_zero(bits));
          const std::size_t b = tile + i;
          if (a + p >= b || (!group_.empty() && group_[a + p] == group_[b])) continue;
          found.push_back({static_cast<std::uint32_t>(a + p), static_cast<std::uint32_t>(b),
                           scores[i * kProbesPerPass + p]});
        }
      }
    }
  }

  VectorBlock block_;
  std::span<const std::uint32_t> group_;
  float threshold_;
  RunContext& run_;
};

// Pairs (a, b), a < b, with a below `row`.
std::uint64_t pairs_before(std::uint64_t row, std::uint64_t n) {
  return row * n - row * (row + 1) / 2;
}

}  // namespace

void for_each_alike_pair(std::span<const float> vectors, std::size_t dimension,
                         std::span<const std::uint32_t> group, float threshold, RunContext& run,
                         const std::function<bool(const AlikePair&)>& each, RowRange range) {
  const auto refuse = [](std::string message) {
    throw Error(ErrorCode::invalid_argument, std::move(message));
  };
  if (dimension == 0 || vectors.size() % dimension != 0) {
    refuse(std::to_string(vectors.size()) + " numbers are no rows of dimension " +
           std::to_string(dimension));
  }
  const std::size_t n = vectors.size() / dimension;
  if (!group.empty() && group.size() != n) {
    refuse("there are " + std::to_string(n) + " rows and " + std::to_string(group.size()) +
           " groups");
  }
  if (n > std::numeric_limits<std::uint32_t>::max()) refuse("there are more than 2^32 rows");
  if (std::isnan(threshold)) refuse("the threshold is not a number");
  const std::size_t last = std::min(range.last, n);
  if (range.first >= last) return;
  PairFinder finder(vectors, dimension, group, threshold, run);
  std::size_t step = kRowsAtOnce;
  for (std::size_t a = range.first; a < last;) {
    run.progress("comparing pairs", pairs_before(a, n), pairs_before(n, n));
    const std::size_t end = std::min(a + step, last);
    const auto found = finder.find(a, end);
    if (!found) {
      step = std::max<std::size_t>(1, (end - a) / 2);
      continue;
    }
    for (const AlikePair& pair : *found) {
      if (!each(pair)) return;
    }
    a = end;
    step = std::min(kRowsAtOnce, step * 2);
  }
}

}  // namespace sosia::gallery

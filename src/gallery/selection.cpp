#include "gallery/selection.hpp"

#include <algorithm>
#include <limits>

namespace sosia::gallery {

namespace {

double quality_of(const Candidate& candidate) {
  return candidate.quality.value_or(0);
}

double dot(std::span<const float> a, std::span<const float> b) {
  // Four sums: the compiler may not reorder a single one.
  double sums[4] = {0, 0, 0, 0};
  std::size_t i = 0;
  for (; i + 4 <= a.size(); i += 4) {
    for (std::size_t j = 0; j < 4; ++j) sums[j] += static_cast<double>(a[i + j]) * b[i + j];
  }
  for (; i < a.size(); ++i) sums[0] += static_cast<double>(a[i]) * b[i];
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

/// The best of `indices` by quality, the earliest among equals.
std::size_t best_quality(std::span<const Candidate> candidates,
                         std::span<const std::size_t> indices) {
  return *std::max_element(indices.begin(), indices.end(), [&](std::size_t a, std::size_t b) {
    return quality_of(candidates[a]) < quality_of(candidates[b]);
  });
}

}  // namespace

std::vector<std::size_t> choose_templates(std::span<const Candidate> candidates, std::size_t most,
                                          double min_quality) {
  std::vector<std::size_t> all, pool;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    all.push_back(i);
    if (!candidates[i].quality || *candidates[i].quality >= min_quality) pool.push_back(i);
  }
  if (all.empty()) return {};
  if (pool.empty()) return {best_quality(candidates, all)};
  if (pool.size() <= most) return pool;

  std::vector<std::size_t> chosen{best_quality(candidates, pool)};
  std::vector<double> nearest(candidates.size(), -std::numeric_limits<double>::infinity());
  std::vector<bool> taken(candidates.size(), false);
  taken[chosen[0]] = true;
  while (chosen.size() < most) {
    std::size_t best = candidates.size();
    for (const std::size_t i : pool) {
      if (taken[i]) continue;
      nearest[i] = std::max(nearest[i], dot(candidates[i].unit, candidates[chosen.back()].unit));
      if (best == candidates.size() || nearest[i] < nearest[best] ||
          (nearest[i] == nearest[best] &&
           quality_of(candidates[i]) > quality_of(candidates[best]))) {
        best = i;
      }
    }
    taken[best] = true;
    chosen.push_back(best);
  }
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

}  // namespace sosia::gallery

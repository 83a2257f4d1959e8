// Recall of the graph index against the exact scan.

#include "gallery/hnsw.hpp"
#include "gallery/scan_parts.hpp"
#include "sosia/core/rng.hpp"

#include <algorithm>
#include <cmath>

namespace sosia::gallery {

namespace {

constexpr std::size_t kMostProbes = 200;
constexpr std::size_t kWidths[] = {10,  16,  24,  32,  48,  64,   96,   128,
                                   192, 256, 384, 512, 768, 1024, 1536, 2048};
constexpr double kEnough = 0.9995;  // no wider than that

/// A row with noise, of length 1.
void perturb(std::span<float> vector, double spread, RandomStream stream) {
  const double step = spread / std::sqrt(static_cast<double>(vector.size()));
  double sum = 0;
  for (float& x : vector) {
    x += static_cast<float>(step * stream.normal());
    sum += static_cast<double>(x) * x;
  }
  const double scale = sum > 0 ? 1 / std::sqrt(sum) : 0;
  for (float& x : vector) x = static_cast<float>(x * scale);
}

/// Length of noise after which a row is as far from itself as rows are from their nearest other
/// one: a probe is then like one more template of the row's subject.
double usual_spread(const Rows& rows, std::span<const float> sample, const RowMask& live,
                    RunContext& run) {
  const RowMask* const masks[] = {&live};
  std::vector<float> cosines;
  for (const auto& hits : scan(rows, sample, 2, masks, run)) {
    if (hits.size() > 1) cosines.push_back(hits[1].score);
  }
  if (cosines.empty()) return 0.5;
  const auto middle = cosines.begin() + static_cast<std::ptrdiff_t>(cosines.size() / 2);
  std::nth_element(cosines.begin(), middle, cosines.end());
  const double cosine = std::clamp(static_cast<double>(*middle), 0.3, 0.99);
  return std::sqrt(1 / (cosine * cosine) - 1);
}

/// The share of the exact results that was found; equal scores count as found.
double recall_of(const std::vector<std::vector<Hit>>& found,
                 const std::vector<std::vector<Hit>>& exact) {
  double wanted = 0, got = 0;
  for (std::size_t p = 0; p < exact.size(); ++p) {
    wanted += static_cast<double>(exact[p].size());
    if (exact[p].empty()) continue;
    for (const Hit& hit : found[p]) got += hit.score >= exact[p].back().score ? 1 : 0;
  }
  return wanted > 0 ? got / wanted : 1;
}

}  // namespace

void GraphIndex::measure(const Rows& rows, std::size_t k, RunContext& run) {
  std::erase_if(impl_->measured, [&](const Measured& m) { return m.k == k; });
  // Only rows that the index knows and has not erased.
  std::vector<std::uint32_t> known;
  RowMask live;
  live.words.assign((rows.count + 63) / 64, 0);
  for (std::uint32_t row = 0; row < size(); ++row) {
    if (impl_->element_of[row] == Impl::kNone) continue;
    known.push_back(row);
    live.words[row / 64] |= std::uint64_t{1} << (row % 64);
  }
  if (known.empty()) return;
  const std::size_t dimension = rows.dimension, count = std::min(kMostProbes, known.size());
  RandomStream choose(impl_->options.seed, "graph probes");
  std::vector<float> probes(count * dimension);
  for (std::size_t i = 0; i < count; ++i) {
    std::swap(known[i], known[i + choose.below(known.size() - i)]);
    load_row(rows, known[i], std::span(probes).subspan(i * dimension, dimension));
  }
  const double spread = usual_spread(rows, probes, live, run);
  for (std::size_t i = 0; i < count; ++i) {
    perturb(std::span(probes).subspan(i * dimension, dimension), spread,
            RandomStream(impl_->options.seed, "graph noise", i));
  }
  const RowMask* const masks[] = {&live};
  const auto exact = scan(rows, probes, k, masks, run);
  std::size_t last = 0;
  for (const std::size_t wanted : kWidths) {
    const std::size_t width = std::max(wanted, k);
    if (width == last) continue;
    last = width;
    const double recall = recall_of(search(rows, probes, k, width, {}, run), exact);
    impl_->measured.push_back({.k = k, .width = width, .recall = recall, .probes = count});
    if (recall >= kEnough) break;
  }
}

const std::vector<GraphIndex::Measured>& GraphIndex::measured() const noexcept {
  return impl_->measured;
}

std::size_t GraphIndex::width_for(std::size_t k, double recall) const noexcept {
  // A k that was not measured takes the next larger one: fewer neighbours are found more surely.
  std::size_t nearest_k = 0;
  for (const Measured& m : impl_->measured) {
    if (m.k >= k && (nearest_k == 0 || m.k < nearest_k)) nearest_k = m.k;
  }
  std::size_t width = 0;
  for (const Measured& m : impl_->measured) {
    if (m.k == nearest_k && m.recall >= recall && (width == 0 || m.width < width)) width = m.width;
  }
  return width;
}

}  // namespace sosia::gallery

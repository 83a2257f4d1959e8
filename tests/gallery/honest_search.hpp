#pragma once
// Searches of a simulated world whose truth is known, scored against all subjects (mean_top3).

#include "gallery/vector_block.hpp"
#include "worlds.hpp"

#include <functional>
#include <string>
#include <vector>

namespace sosia::gallery {

struct TestProbe {
  bool mated = false;
  std::string subject = {};                   ///< "" when not mated
  std::vector<SubjectMatch> candidates = {};  ///< the best ten subjects, scores falling
};

/// `gallery` was filled by `enrol` with `samples` >= 3 samples a subject. `truth` is empty for
/// probes of nobody in it.
inline std::vector<TestProbe> search_all(const MemoryGallery& gallery, std::size_t d,
                                         std::size_t samples, const std::vector<float>& probes,
                                         const std::vector<std::string>& truth) {
  std::vector<float> rows;
  for (const auto& t : gallery.templates_) {
    rows.insert(rows.end(), t.vector.begin(), t.vector.end());
  }
  const VectorBlock block(rows, d), asked(probes, d);
  std::vector<float> scores(round_up(block.size(), kRowGroup) * kProbesPerPass);
  std::vector<TestProbe> out(asked.size());
  for (std::size_t first = 0; first < out.size(); first += kProbesPerPass) {
    const std::size_t count = std::min(kProbesPerPass, out.size() - first);
    block.products(0, block.size(), asked, first, count, scores.data());
    for (std::size_t p = 0; p < count; ++p) {
      TestProbe& probe = out[first + p];
      probe.mated = !truth.empty();
      if (probe.mated) probe.subject = truth[first + p];
      std::vector<std::pair<float, std::size_t>> ranked;
      for (std::size_t s = 0; s * samples < block.size(); ++s) {
        float best[3] = {-2, -2, -2};
        for (std::size_t i = 0; i < samples; ++i) {
          float score = scores[(s * samples + i) * kProbesPerPass + p];
          for (float& b : best) {
            if (score > b) std::swap(score, b);
          }
        }
        ranked.emplace_back((best[0] + best[1] + best[2]) / 3, s);
      }
      const std::size_t keep = std::min<std::size_t>(10, ranked.size());
      std::partial_sort(ranked.begin(), ranked.begin() + static_cast<std::ptrdiff_t>(keep),
                        ranked.end(), std::greater<>());
      for (std::size_t i = 0; i < keep; ++i) {
        probe.candidates.push_back(
            {gallery.templates_[ranked[i].second * samples].label, "", ranked[i].first});
      }
    }
  }
  return out;
}

}  // namespace sosia::gallery

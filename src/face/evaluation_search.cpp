// Searches of a set in itself (1:N).

#include "face/dot.hpp"
#include "sosia/face/evaluation.hpp"

#include <algorithm>
#include <atomic>
#include <utility>

namespace sosia::face {
namespace {

using evaluate::Search;

constexpr double kNone = -std::numeric_limits<double>::infinity();

/// What one probe finds among all other photos.
struct Found {
  Search with_mate = {};  ///< `mated` false when its subject has no other photo
  Search without = {};    ///< its own subject taken out
};

class Searcher {
 public:
  Searcher(const EvaluationSet& set, const EmbeddedSet& vectors) : set_(set), vectors_(vectors) {
    for (std::uint32_t i = 0; i < set.photos.size(); ++i) {
      if (vectors.states[i] == PhotoState::found) photos_.push_back(i);
    }
  }

  const std::vector<std::uint32_t>& photos() const noexcept { return photos_; }

  /// `best`: room for one score per subject.
  Found search(std::uint32_t probe, std::vector<double>& best) const {
    std::fill(best.begin(), best.end(), kNone);
    const auto asked = vectors_.vector(probe);
    for (const std::uint32_t other : photos_) {
      if (other == probe) continue;
      double& score = best[set_.photos[other].subject];
      score = std::max(score, dot(asked, vectors_.vector(other)));
    }
    const std::uint32_t own = set_.photos[probe].subject;
    Found out;
    out.with_mate.mated = best[own] > kNone;
    out.with_mate.mate_score = best[own];
    out.with_mate.mate_rank = out.with_mate.mated ? 1 : 0;
    for (std::uint32_t s = 0; s < best.size(); ++s) {
      out.with_mate.top_score = std::max(out.with_mate.top_score, best[s]);
      if (s == own) continue;
      out.without.top_score = std::max(out.without.top_score, best[s]);
      // Of equal scores the subject that comes first ranks first.
      const bool before = best[s] > best[own] || (best[s] == best[own] && s < own);
      if (out.with_mate.mated && before) ++out.with_mate.mate_rank;
    }
    return out;
  }

 private:
  const EvaluationSet& set_;
  const EmbeddedSet& vectors_;
  std::vector<std::uint32_t> photos_;
};

void number_subjects(const EvaluationSet& set, SetSearches& out) {
  std::vector<std::uint32_t> numbers(set.subjects.size(), kNobody);
  for (const std::uint32_t probe : out.probes) {
    std::uint32_t& number = numbers[set.photos[probe].subject];
    if (number == kNobody) number = static_cast<std::uint32_t>(out.subject_count++);
    out.subjects.push_back(number);
  }
}

}  // namespace

std::optional<SetSearches> search_set(const EvaluationSet& set, const EmbeddedSet& vectors,
                                      MissingRule missing, RunContext& run) {
  if (set.subjects.empty() || set.subjects_derived) return std::nullopt;
  const Searcher searcher(set, vectors);
  const std::vector<std::uint32_t>& photos = searcher.photos();
  std::vector<Found> found(photos.size());
  std::atomic<std::size_t> done{0};
  run.parallel_for(0, photos.size(), 16, [&](std::size_t first, std::size_t last) {
    std::vector<double> best(set.subjects.size());
    for (std::size_t i = first; i < last; ++i) found[i] = searcher.search(photos[i], best);
    run.progress("searching", done += last - first, photos.size());
  });
  SetSearches out;
  out.gallery_photos = photos.size();
  std::vector<bool> present(set.subjects.size());
  for (std::size_t i = 0; i < photos.size(); ++i) {
    present[set.photos[photos[i]].subject] = true;
    if (!found[i].with_mate.mated) continue;
    out.searches.push_back(found[i].with_mate);
    out.probes.push_back(photos[i]);
  }
  if (out.searches.empty()) return std::nullopt;
  for (std::uint32_t i = 0; i < set.photos.size(); ++i) {
    if (vectors.states[i] == PhotoState::found || !present[set.photos[i].subject]) continue;
    ++out.mated_missing;
    if (missing == MissingRule::exclude) continue;
    out.searches.push_back({.mated = true});
    out.probes.push_back(i);
  }
  out.mated_count = out.searches.size();
  for (std::size_t i = 0; i < photos.size(); ++i) {
    if (found[i].without.top_score == kNone) continue;  // the only subject there is
    out.searches.push_back(found[i].without);
    out.probes.push_back(photos[i]);
  }
  number_subjects(set, out);
  return out;
}

}  // namespace sosia::face

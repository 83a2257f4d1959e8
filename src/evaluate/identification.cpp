#include "sosia/evaluate/identification.hpp"

#include "evaluate/checks.hpp"
#include "evaluate/curve.hpp"
#include "evaluate/radix_sort.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <unordered_map>

#include <fmt/format.h>

namespace sosia::evaluate {

Search make_search(std::span<const Candidate> candidates, std::int64_t probe_subject, bool mated) {
  // Best score and first place of each subject.
  struct Best {
    double score;
    std::size_t place;
  };
  std::unordered_map<std::int64_t, Best> best;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const auto [subject, score] = candidates[i];
    require_finite(std::span(&score, 1), "candidate scores");
    const auto [entry, added] = best.try_emplace(subject, Best{score, i});
    if (!added && score > entry->second.score) entry->second = {score, i};
  }
  Search search;
  search.mated = mated;
  for (const auto& [subject, entry] : best) {
    search.top_score = std::max(search.top_score, entry.score);
  }
  const auto own = best.find(probe_subject);
  if (own == best.end()) return search;
  if (!mated) {
    refuse("a search that is not mated has a candidate of the probe's own subject",
           "mark the probe as mated, or take its subject out of the gallery");
  }
  search.mate_score = own->second.score;
  search.mate_rank = 1;
  for (const auto& [subject, entry] : best) {
    const bool before = entry.score > own->second.score ||
                        (entry.score == own->second.score && entry.place < own->second.place);
    if (before) ++search.mate_rank;
  }
  return search;
}

OpenSet::OpenSet(std::span<const Search> searches, std::size_t rank) {
  std::vector<double> mates, tops;
  for (const Search& search : searches) {
    if (search.mated) {
      ++mated_;
      const bool listed = search.mate_rank > 0 && (rank == 0 || search.mate_rank <= rank);
      if (listed) mates.push_back(search.mate_score);
    } else {
      ++non_mated_;
      if (std::isinf(search.top_score) && search.top_score < 0) continue;
      tops.push_back(search.top_score);
    }
  }
  require_some(mated_, "mated searches", "TPIR needs probes whose subject is enrolled");
  require_some(non_mated_, "non-mated searches", "FPIR needs probes whose subject is not enrolled");
  require_finite(mates, "mate scores");
  require_finite(tops, "top scores");
  sort_ascending(mates);
  sort_ascending(tops);
  points_ = accumulate_points(mates, tops);
}

double OpenSet::fpir(const RocPoint& point) const noexcept {
  return point.false_accepts / static_cast<double>(non_mated_);
}

double OpenSet::tpir(const RocPoint& point) const noexcept {
  return point.true_accepts / static_cast<double>(mated_);
}

OperatingPoint OpenSet::at_threshold(double threshold) const {
  if (std::isnan(threshold)) refuse("the threshold is NaN");
  const auto below =
      std::partition_point(points_.begin(), points_.end(),
                           [&](const RocPoint& point) { return point.threshold >= threshold; });
  const RocPoint& point = below == points_.begin() ? points_.front() : *(below - 1);
  return {threshold, fpir(point), tpir(point)};
}

OperatingPoint OpenSet::at_fpir(double target, AtRule rule) const {
  require_unit_interval(target, "target FPIR");
  return operating_point(points_, static_cast<double>(mated_), static_cast<double>(non_mated_),
                         target, rule);
}

double rank_rate(std::span<const Search> searches, std::size_t rank) {
  if (rank == 0) refuse("ranks count from 1, not 0");
  std::size_t mated = 0, found = 0;
  for (const Search& search : searches) {
    if (!search.mated) continue;
    ++mated;
    if (search.mate_rank > 0 && search.mate_rank <= rank) ++found;
  }
  require_some(mated, "mated searches", "a rank needs probes whose subject is enrolled");
  return static_cast<double>(found) / static_cast<double>(mated);
}

double pooled_closed_set_tpir(std::span<const double> mate_scores,
                              std::span<const double> non_mate_scores, double target) {
  require_some(mate_scores.size(), "mate scores");
  require_finite(mate_scores, "mate scores");
  require_finite(non_mate_scores, "non-mate scores");
  require_unit_interval(target, "target FPIR");
  const auto probes = static_cast<double>(mate_scores.size());
  const auto needed = static_cast<std::size_t>(std::ceil(probes * target));
  if (needed == 0 || needed > non_mate_scores.size()) {
    refuse(fmt::format("a target FPIR of {} of {} probes needs {} non-mate scores, not {}", target,
                       mate_scores.size(), needed, non_mate_scores.size()));
  }
  std::vector<double> sorted(non_mate_scores.begin(), non_mate_scores.end());
  const auto nth = sorted.begin() + static_cast<std::ptrdiff_t>(needed - 1);
  std::nth_element(sorted.begin(), nth, sorted.end(), std::greater<>());
  const auto found = std::count_if(mate_scores.begin(), mate_scores.end(),
                                   [&](double score) { return score > *nth; });
  return static_cast<double>(found) / probes;
}

}  // namespace sosia::evaluate

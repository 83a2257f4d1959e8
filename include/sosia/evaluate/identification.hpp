#pragma once
// Open-set and closed-set identification (1:N): TPIR@FPIR, FNIR, DIR, rank-k rates.

#include "sosia/evaluate/roc.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace sosia::evaluate {

/// One entry of a candidate list.
struct Candidate {
  std::int64_t subject;
  double score;
};

/// What matters of one search of a gallery.
struct Search {
  bool mated = false;  ///< the probe's subject is enrolled in the gallery
  /// Highest score of any candidate; -infinity for an empty list.
  double top_score = -std::numeric_limits<double>::infinity();
  /// Highest score of the probe's own subject; -infinity when it is not among the candidates.
  double mate_score = -std::numeric_limits<double>::infinity();
  /// Rank of the probe's own subject among the distinct subjects of the list, from 1; 0 when it is
  /// not among them. Equal scores rank in the order of the list.
  std::size_t mate_rank = 0;
};

/// Reads a candidate list: a subject counts once, with its best score. Throws invalid_argument for
/// a score that is not finite, and for a candidate of the probe's own subject in a search that is
/// not mated (the gallery would hold it).
Search make_search(std::span<const Candidate> candidates, std::int64_t probe_subject, bool mated);

/// The open-set curve of many searches.
///
/// FPIR(t) is the share of non-mated searches with at least one candidate at score >= t;
/// TPIR(t, k) the share of mated searches whose own subject is among the first k and has a score
/// >= t (DIR in the re-identification literature); FNIR = 1 - TPIR (ISO/IEC 19795-1; NIST FRTE
/// 1:N; Grother and Ngan). A mated search with an empty list is a miss at every threshold.
///
/// Thread-safety: immutable after construction.
class OpenSet {
 public:
  /// `rank`: k; 0 takes the whole list. Throws invalid_argument without mated or without non-mated
  /// searches.
  explicit OpenSet(std::span<const Search> searches, std::size_t rank = 0);

  std::size_t mated_count() const noexcept { return mated_; }
  std::size_t non_mated_count() const noexcept { return non_mated_; }

  /// TPIR (as `tar`) and FPIR (as `far`) at a threshold.
  OperatingPoint at_threshold(double threshold) const;

  /// TPIR at a target FPIR; rules as for ROC curves. Thresholds are observed scores; the curve ends
  /// at the lowest one, which need not accept every search.
  OperatingPoint at_fpir(double target, AtRule rule = AtRule::not_above) const;

  /// (threshold, false positive searches, true positive searches), threshold falling from +inf.
  std::span<const RocPoint> points() const noexcept { return points_; }
  double fpir(const RocPoint& point) const noexcept;
  double tpir(const RocPoint& point) const noexcept;

 private:
  std::vector<RocPoint> points_;
  std::size_t mated_ = 0;
  std::size_t non_mated_ = 0;
};

/// Share of mated searches whose own subject is among the first `rank`, whatever the score (the
/// closed-set CMC). Throws invalid_argument without mated searches or for rank 0.
double rank_rate(std::span<const Search> searches, std::size_t rank);

/// The closed-set form of TPIR@FPIR in the IJB 1:N tool of InsightFace, where every probe is mated:
/// the threshold is the ceil(probes * target)-th highest score of a probe with any subject but its
/// own, pooled over all probes; TPIR is the share of probes whose own score is strictly above it.
/// FPIR is thus counted per probe, not per comparison. `non_mate_scores` may be cut to the highest
/// ones of each probe. Throws invalid_argument when they are fewer than needed.
double pooled_closed_set_tpir(std::span<const double> mate_scores,
                              std::span<const double> non_mate_scores, double target);

}  // namespace sosia::evaluate

#pragma once
// Ranked retrieval as re-identification reports it: CMC, mAP, mINP with the rules of Market-1501.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace sosia::evaluate {

/// What an item of a ranked list is to its query.
enum class Relevance : std::uint8_t {
  wrong,    ///< another subject
  correct,  ///< the same subject, and a fair test
  junk,     ///< taken out of the list before it is scored
};

/// One query's scores after the junk has been taken out.
struct QueryScore {
  /// Average precision: mean over the correct items k = 1..n of k / rank_k. Equals the area under
  /// the step-wise precision-recall curve.
  double ap;
  /// The trapezoidal variant of the Market-1501 Matlab tool and its Python descendants: mean of
  /// (k / rank_k + (k - 1) / (rank_k - 1)) / 2, with the second term 1 at rank 1. Differs by .1-.5
  /// points; say which one you report.
  double ap_trapezoid;
  /// Inverse negative penalty: n / rank of the last correct item (Ye et al., 2021).
  double inp;
  std::size_t first_hit;  ///< rank of the first correct item, from 1
  std::size_t correct;    ///< n
};

/// Scores one list, best item first. Nothing when no correct item remains: such a query is left out
/// of all means, not counted as 0.
std::optional<QueryScore> score_ranking(std::span<const Relevance> ranked);

struct RankingScore {
  double map = 0;            ///< mean AP over valid queries
  double map_trapezoid = 0;  ///< mean of the trapezoidal variant
  double minp = 0;           ///< mean INP
  std::vector<double> cmc;   ///< cmc[r - 1]: share of valid queries with the first hit at rank <= r
  std::size_t queries = 0;   ///< valid ones
  std::size_t skipped = 0;   ///< without a correct item
};

/// Gathers queries one by one. Thread-safety: none.
class RankingAccumulator {
 public:
  /// `ranks`: length of the CMC (at least 1).
  explicit RankingAccumulator(std::size_t ranks = 50);
  /// Scores one list and returns what it gave.
  std::optional<QueryScore> add(std::span<const Relevance> ranked);
  /// The means so far. Throws invalid_argument when no query had a correct item.
  RankingScore result() const;

 private:
  RankingScore sums_;
};

/// Who is in a picture, seen by which camera, in which clothes (0 where unknown).
struct Sighting {
  std::int64_t subject;
  std::int64_t camera;
  std::int64_t clothes = 0;
};

/// Which items are junk to a query.
enum class JunkRule {
  none,    ///< nothing but junk subjects
  market,  ///< same subject and same camera (Market-1501, MSMT17, LTCC general)
  /// As market, and the same subject in the same clothes (LTCC-CC, clothes-changing).
  clothes_changing,
  /// As market, and the same subject in other clothes (LTCC-SC, same clothes).
  same_clothes,
};

struct RankingRule {
  JunkRule junk = JunkRule::market;
  /// Items of this subject are junk to every query (Market-1501: -1, detections that are neither
  /// good nor a distractor).
  std::int64_t junk_subject = -1;
  std::size_t ranks = 50;  ///< length of the CMC
};

/// What `item` is to `query`.
Relevance relevance(const Sighting& query, const Sighting& item, const RankingRule& rule);

/// Scores a whole distance matrix (`queries.size()` rows of `gallery.size()` distances, smaller is
/// nearer). Equal distances rank by gallery index, so that the result does not depend on the sort.
/// Throws invalid_argument for a wrong size, NaN, or no valid query.
RankingScore evaluate_ranking(std::span<const float> distances, std::span<const Sighting> queries,
                              std::span<const Sighting> gallery, const RankingRule& rule = {});

/// The single-shot protocol of the old CUHK03 split: the CMC is the mean over `repeats` galleries
/// with one picture per subject, drawn anew for each query and repeat from stream
/// (seed, "single-shot", query * repeats + repeat), after the market junk rule; AP and INP are
/// those of the whole gallery. Arguments and errors as `evaluate_ranking`.
RankingScore evaluate_single_shot(std::span<const float> distances,
                                  std::span<const Sighting> queries,
                                  std::span<const Sighting> gallery, const RankingRule& rule,
                                  std::size_t repeats, std::uint64_t seed);

}  // namespace sosia::evaluate

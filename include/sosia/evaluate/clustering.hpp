#pragma once
// Scores of a clustering against known subjects: pairwise F, BCubed F, NMI, adjusted Rand index.

#include <cstdint>
#include <span>

namespace sosia::evaluate {

/// Precision, recall and their harmonic mean.
struct PrecisionRecall {
  double precision;
  double recall;
  double f1;  ///< 2 p r / (p + r); 0 when both are 0
};

/// Over pairs of items: precision is the share of pairs put into one cluster that are of one
/// subject, recall the share of pairs of one subject that were put into one cluster. Without any
/// pair to find and any pair claimed both are 1; otherwise 0/0 is 0.
///
/// `clusters[i]` and `subjects[i]` are arbitrary labels of item i. All functions of this file throw
/// invalid_argument for empty lists or lists of different length.
PrecisionRecall pairwise_scores(std::span<const std::int64_t> clusters,
                                std::span<const std::int64_t> subjects);

/// BCubed (Bagga and Baldwin, 1998; Amigo et al., 2009): the mean over items of the share of the
/// item's cluster that has its subject (precision), and of the share of its subject that is in its
/// cluster (recall); the item itself counts.
PrecisionRecall bcubed_scores(std::span<const std::int64_t> clusters,
                              std::span<const std::int64_t> subjects);

/// Normalised mutual information, divided by the arithmetic mean of the two entropies (the default
/// of scikit-learn). 1 when both are a single cluster.
double normalized_mutual_information(std::span<const std::int64_t> clusters,
                                     std::span<const std::int64_t> subjects);

/// Adjusted Rand index (Hubert and Arabie, 1985): 1 for equal partitions, 0 expected by chance.
double adjusted_rand_index(std::span<const std::int64_t> clusters,
                           std::span<const std::int64_t> subjects);

}  // namespace sosia::evaluate

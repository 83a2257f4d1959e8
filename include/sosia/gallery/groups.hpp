#pragma once
// Who is enrolled twice, and who is who in an unlabelled gallery.

#include "sosia/core/run.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace sosia::gallery {

/// Two rows that are alike.
struct AlikePair {
  std::uint32_t a = 0, b = 0;  ///< a < b
  float score = 0;             ///< cosine
};

/// Rows first to last - 1.
struct RowRange {
  std::size_t first = 0;
  std::size_t last = ~std::size_t{0};  ///< cut to the number of rows
};

/// Calls `each` for all pairs of rows whose cosine is at least `threshold`, block by block, in
/// order of (a, b): memory does not grow with the number of rows squared. `vectors` is n x
/// `dimension`, rows of length 1; rows with equal `group` (may be empty: none) are not compared.
/// `range` limits a, not b, so that long work can be taken up where it was left. The result does
/// not depend on threads. Stops when `each` returns false. Throws invalid_argument for a wrong size
/// or a NaN threshold.
void for_each_alike_pair(std::span<const float> vectors, std::size_t dimension,
                         std::span<const std::uint32_t> group, float threshold, RunContext& run,
                         const std::function<bool(const AlikePair&)>& each, RowRange range = {});

struct ClusterOptions {
  double threshold = 0.5;       ///< cosine of an edge
  std::size_t neighbours = 20;  ///< edges are looked for among so many nearest rows, 1 to 1000
  std::size_t min_size = 2;     ///< smaller clusters are noise
};

/// The cluster of each row, numbered from 0 by the first row; -1 for noise.
///
/// Average link along the graph of nearest neighbours: the two clusters with the highest mean
/// cosine over all their pairs are joined, as long as it is at or above the threshold. The mean
/// counts all pairs, so a single row between two clusters does not chain them. Figures of this rule
/// and of seven others: docs/decisions/0011.
std::vector<std::int32_t> cluster(std::span<const float> vectors, std::size_t dimension,
                                  const ClusterOptions& options, RunContext& run);

}  // namespace sosia::gallery

#pragma once
// Which templates of a subject are kept when there are more than a gallery keeps.

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace sosia::gallery {

struct Candidate {
  std::span<const float> unit = {};  ///< length 1
  std::optional<double> quality = {};
};

/// Indices of the candidates to keep, rising; at most `most`. Candidates are in order of enrolment.
///
/// 1. With a floor above 0: candidates of a quality below it are left out; when that leaves none,
///    the one of the highest quality is kept alone. A candidate without quality counts as above.
/// 2. If more than `most` remain: the first is the one of the highest quality (none counts as 0),
///    then, until `most` are chosen, the one whose highest cosine with those chosen is lowest
///    (farthest point: Gonzalez, "Clustering to minimize the maximum intercluster distance", TCS
///    1985).
///
/// Ties go to the higher quality, then to the earlier enrolment. Deterministic.
std::vector<std::size_t> choose_templates(std::span<const Candidate> candidates, std::size_t most,
                                          double min_quality);

}  // namespace sosia::gallery

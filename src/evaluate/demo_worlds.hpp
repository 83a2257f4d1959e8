#pragma once
// Simulated data whose right answers are known in closed form; what `sosia demo` measures.

#include "sosia/core/run.hpp"
#include "sosia/evaluate/confidence.hpp"
#include "sosia/evaluate/identification.hpp"
#include "sosia/evaluate/ranking.hpp"

#include <cstdint>
#include <vector>

namespace sosia::evaluate {

/// Comparison scores of subjects: genuine ones normal with mean `separation`, impostor ones with
/// mean 0, all with variance 1, of which the share `dependence` belongs to the subjects compared.
/// So the comparisons of one subject are alike, as real ones are, and AUC and EER are still
/// Phi(separation / sqrt 2) and Phi(-separation / 2).
struct ComparisonWorld {
  double separation = 2.0;
  std::vector<double> scores;
  std::vector<std::uint8_t> labels;
  std::vector<SubjectPair> subjects;
  double true_auc() const;
  double true_eer() const;
  double true_tar(double far) const;
};
ComparisonWorld make_comparisons(std::uint32_t subjects, std::size_t genuine_each,
                                 double separation, double dependence, const RunContext& run);

/// Searches of a gallery of `gallery` subjects: every other subject scores N(0, 1), the mate
/// N(separation, 1).
struct SearchWorld {
  std::size_t gallery = 0;
  double separation = 3.0;
  std::vector<Search> searches;
  /// Phi(separation - t) with FPIR(t) = 1 - Phi(t)^gallery.
  double true_tpir(double fpir) const;
  /// P(mate above all others): integral of phi(x - separation) Phi(x)^(gallery - 1).
  double true_rank1() const;
};
SearchWorld make_searches(std::size_t mated, std::size_t non_mated, std::size_t gallery,
                          double separation, const RunContext& run);

/// Pictures of subjects by cameras as points: subject + camera + noise. A camera moves all its
/// pictures the same way, so that pictures of one camera look alike.
struct RetrievalWorld {
  std::vector<Sighting> queries, gallery;
  std::vector<float> distances;  ///< Euclidean, row per query
};
RetrievalWorld make_retrieval(std::size_t subjects, std::size_t cameras, const RunContext& run);

/// The share of queries whose nearest gallery picture was taken by the query's own camera.
double own_camera_share(const RetrievalWorld& world);

/// The expected rank-1 rate of a random order: mean over valid queries of correct / kept.
double random_rank1(const RetrievalWorld& world, const RankingRule& rule);

/// Probabilities that are true, and the same with the odds raised to `power`: too sure of itself.
struct ProbabilityWorld {
  double power = 3.0;
  std::vector<double> honest, boastful;
  std::vector<std::uint8_t> labels;
  /// Integral over uniform p of |p - boastful(p)|: the ECE with infinitely many samples and bins.
  double true_boastful_ece() const;
};
ProbabilityWorld make_probabilities(std::size_t count, double power, const RunContext& run);

}  // namespace sosia::evaluate

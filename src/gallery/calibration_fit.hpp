#pragma once
// Collects subject-level scores one by one and fits a calibration: memory does not grow with the
// number of comparisons.

#include "sosia/gallery/decision.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace sosia::gallery {

/// Impostor scores that are kept for thresholds.
inline constexpr std::size_t kTailSize = 10'000;
/// Impostor scores that the log odds are fitted on; of more, every second is dropped as often as
/// needed, in the order of arrival.
inline constexpr std::size_t kFitSize = 1'000'000;

class CalibrationFit {
 public:
  explicit CalibrationFit(std::size_t tail_size = kTailSize, std::size_t fit_size = kFitSize)
      : tail_size_(tail_size), fit_size_(fit_size) {}

  void add_genuine(double score);
  /// `probe` is ignored when `finish` is given no probes.
  void add_impostor(double score, std::uint32_t probe);
  std::uint64_t genuine() const noexcept { return genuine_.size(); }
  std::uint64_t impostor() const noexcept { return impostor_; }
  /// All genuine scores, and the impostor scores that were kept for the fit: for histograms.
  const std::vector<double>& genuine_scores() const noexcept { return genuine_; }
  const std::vector<double>& impostor_scores() const noexcept { return kept_; }

  /// Throws invalid_argument for an empty class or fewer than 2 subjects, and when more impostor
  /// scores than the tail holds are equal to the highest one. `probe_subjects` is empty when the
  /// probes are not known.
  Calibration finish(std::uint64_t subjects, std::vector<std::uint32_t> probe_subjects);

 private:
  struct Tail {
    double score = 0;
    std::uint32_t probe = 0;
  };
  static bool higher(const Tail& a, const Tail& b) {
    return a.score > b.score || (a.score == b.score && a.probe < b.probe);
  }
  void prune_tail();
  void complete_tail(Calibration& out, bool probes_known);
  void fit_odds(Calibration& out) const;

  std::size_t tail_size_, fit_size_;
  std::vector<double> genuine_, kept_;
  std::vector<Tail> tail_;
  // Scores at or below it may have been given up.
  double dropped_ = -std::numeric_limits<double>::infinity();
  bool has_dropped_ = false;
  std::uint64_t impostor_ = 0, stride_ = 1;
};

}  // namespace sosia::gallery

#pragma once
// Presentation attack detection: APCER, BPCER, ACER, HTER (ISO/IEC 30107-3; OULU-NPU;
// Replay-Attack). Scores: higher means more bona fide; accepted when score >= threshold.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace sosia::evaluate {

/// Rates at one threshold.
struct AttackRates {
  double threshold;
  /// Per attack instrument: share of its presentations accepted; NaN without presentations.
  std::vector<double> apcer_by_instrument;
  double apcer;  ///< the largest over the instruments
  double far;    ///< share of all attack presentations accepted (pooled)
  double bpcer;  ///< share of bona fide presentations rejected
  double acer;   ///< (apcer + bpcer) / 2
  double hter;   ///< (far + bpcer) / 2
};

/// `labels`: 1 bona fide, 0 attack. `instruments[i]` < `instrument_count` names the attack
/// instrument of presentation i (ignored for bona fide); empty with count 1 when there is one kind.
/// Throws invalid_argument for an empty class, NaN, or lists of different length.
AttackRates attack_rates(std::span<const double> scores, std::span<const std::uint8_t> labels,
                         std::span<const std::uint32_t> instruments, std::size_t instrument_count,
                         double threshold);

/// The threshold with the smallest |FAR - FRR| of a set: always a score of the set, all attacks
/// pooled (of two equal ones the higher threshold). Take it from the development set: HTER and ACER
/// on the test set are then honest. Taken from the test set itself, HTER is the test set's EER and
/// optimistic; such figures must be labelled "test-EER".
double eer_threshold(std::span<const double> scores, std::span<const std::uint8_t> labels);

/// Video level: one score per clip, the mean over its frames.
struct ClipScores {
  std::vector<double> scores;
  std::vector<std::uint8_t> labels;
  std::vector<std::uint32_t> instruments;
  std::vector<std::size_t> first_row;  ///< where each clip appeared first
};

/// Averages frames by clip, in the order of first appearance. `instruments` may be empty. Throws
/// invalid_argument when the frames of a clip disagree on label or instrument.
ClipScores average_clips(std::span<const double> scores, std::span<const std::uint8_t> labels,
                         std::span<const std::uint32_t> instruments,
                         std::span<const std::uint32_t> clips);

}  // namespace sosia::evaluate

#pragma once
// Calibrated probabilities: two ways to make them from scores (isotonic, Platt), and what they are
// worth (reliability diagram, ECE, Brier score, log-loss).

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace sosia::evaluate {

/// A non-decreasing map from score to probability.
class Isotonic {
 public:
  /// Knots of the map: `x` strictly ascending, `y` non-decreasing, of equal length, not empty.
  Isotonic(std::vector<double> x, std::vector<double> y);
  /// Linear between knots, constant outside.
  double operator()(double score) const;
  const std::vector<double>& x() const noexcept { return x_; }
  const std::vector<double>& y() const noexcept { return y_; }

 private:
  std::vector<double> x_, y_;
};

/// The least-squares non-decreasing fit by pool-adjacent-violators (Ayer et al., 1955; Zadrozny and
/// Elkan, 2002). Targets of equal score are averaged first; of a run of equal values only the two
/// end knots are kept. The result equals scikit-learn's IsotonicRegression(out_of_bounds="clip").
/// `weights` may be empty (all 1). Throws invalid_argument for empty or mismatched lists, NaN, or a
/// weight that is not positive.
Isotonic fit_isotonic(std::span<const double> scores, std::span<const double> targets,
                      std::span<const double> weights = {});

/// The same for labels 0 and 1.
Isotonic fit_isotonic(std::span<const double> scores, std::span<const std::uint8_t> labels);

/// P(same | score) = 1 / (1 + exp(a score + b)); a is negative when higher scores mean the same.
struct Platt {
  double a = 0;
  double b = 0;
  int iterations = 0;      ///< Newton steps taken
  bool converged = false;  ///< gradient below 1e-5 in both directions
  double operator()(double score) const;
};

/// Platt scaling by Newton's method with backtracking and smoothed targets (n_pos + 1) / (n_pos +
/// 2) and 1 / (n_neg + 2) (Lin, Lin and Weng, "A note on Platt's probabilistic outputs for support
/// vector machines", Machine Learning 68, 2007, their algorithm 1: at most 100 steps, ridge 1e-12;
/// no line search where the decrease is below the rounding of the likelihood).
/// Scores are shifted and scaled to mean 0 and variance 1 for the fit. Throws invalid_argument for
/// an empty class, mismatched lists or NaN.
Platt fit_platt(std::span<const double> scores, std::span<const std::uint8_t> labels);

/// How probabilities are put into bins.
enum class BinRule {
  /// [0, 1] cut into equal widths; bin i holds edge_i < p <= edge_(i+1), the first one 0 as well,
  /// with edge_i = i * (1 / bins) in double arithmetic (Guo et al., 2017; scikit-learn's
  /// calibration_curve with strategy "uniform").
  equal_width,
  /// The probabilities in order (ties by index) cut into runs of equal count, the first
  /// n mod bins runs one longer (adaptive ECE; Nguyen and O'Connor, 2015).
  equal_count,
};

struct ReliabilityBin {
  double low;  ///< edges for equal_width, smallest and largest value for equal_count
  double high;
  std::size_t count;
  double mean_probability;  ///< NaN for an empty bin
  double frequency;         ///< share of label 1; NaN for an empty bin
};

/// The reliability diagram; empty bins are kept for equal_width, left out for equal_count. Throws
/// invalid_argument for values outside [0, 1], NaN, mismatched or empty lists, or no bins.
std::vector<ReliabilityBin> reliability(std::span<const double> probabilities,
                                        std::span<const std::uint8_t> labels, std::size_t bins,
                                        BinRule rule = BinRule::equal_width);

/// Expected calibration error: sum over bins of count / n * |frequency - mean probability|.
double expected_calibration_error(std::span<const ReliabilityBin> bins);

/// Maximum calibration error: the largest |frequency - mean probability| of a bin in use.
double maximum_calibration_error(std::span<const ReliabilityBin> bins);

/// Mean of (p - label)^2. Errors as `reliability`.
double brier_score(std::span<const double> probabilities, std::span<const std::uint8_t> labels);

/// Mean of -log P(label), natural logarithm, P clipped to [2^-52, 1 - 2^-52] as scikit-learn does
/// for doubles. Errors as `reliability`.
double log_loss(std::span<const double> probabilities, std::span<const std::uint8_t> labels);

}  // namespace sosia::evaluate

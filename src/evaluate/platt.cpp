// Platt scaling; see calibration.hpp. Reference: H.-T. Lin, C.-J. Lin, R. C. Weng, "A note on
// Platt's probabilistic outputs for support vector machines", Machine Learning 68 (2007), appendix.

#include "evaluate/checks.hpp"
#include "evaluate/moments.hpp"
#include "sosia/evaluate/calibration.hpp"

#include <algorithm>
#include <cmath>

namespace sosia::evaluate {
namespace {

constexpr int kMaxIterations = 100;
constexpr double kMinStep = 1e-10;
constexpr double kRidge = 1e-12;  // keeps the Hessian positive definite
constexpr double kGradientTolerance = 1e-5;
// A decrease that is a smaller part of the likelihood drowns in the rounding of its sum.
constexpr double kVisibleDecrease = 1e-10;

// 1 / (1 + exp(z)) without overflow.
double decreasing_sigmoid(double z) {
  if (z >= 0.0) {
    const double e = std::exp(-z);
    return e / (1.0 + e);
  }
  return 1.0 / (1.0 + std::exp(z));
}

class Likelihood {
 public:
  Likelihood(std::vector<double> scores, std::span<const std::uint8_t> labels)
      : scores_(std::move(scores)), labels_(labels) {
    positives_ = static_cast<double>(std::count(labels.begin(), labels.end(), 1));
    negatives_ = static_cast<double>(labels.size()) - positives_;
  }
  double positives() const { return positives_; }
  double negatives() const { return negatives_; }

  // Negative log-likelihood of the smoothed targets (their equation 5, in the stable form of 2.1).
  double value(double a, double b) const {
    double sum = 0.0;
    for (std::size_t i = 0; i < scores_.size(); ++i) {
      const double z = scores_[i] * a + b;
      const double t = target(i);
      sum += z >= 0.0 ? t * z + std::log1p(std::exp(-z)) : (t - 1.0) * z + std::log1p(std::exp(z));
    }
    return sum;
  }

  struct Derivatives {
    double g1 = 0.0, g2 = 0.0;
    double h11 = kRidge, h22 = kRidge, h21 = 0.0;
  };
  Derivatives derivatives(double a, double b) const {
    Derivatives d;
    for (std::size_t i = 0; i < scores_.size(); ++i) {
      const double p = decreasing_sigmoid(scores_[i] * a + b);
      const double curvature = p * (1.0 - p);
      d.h11 += scores_[i] * scores_[i] * curvature;
      d.h22 += curvature;
      d.h21 += scores_[i] * curvature;
      d.g1 += scores_[i] * (target(i) - p);
      d.g2 += target(i) - p;
    }
    return d;
  }

 private:
  double target(std::size_t i) const {
    return labels_[i] == 1 ? (positives_ + 1.0) / (positives_ + 2.0) : 1.0 / (negatives_ + 2.0);
  }

  std::vector<double> scores_;
  std::span<const std::uint8_t> labels_;
  double positives_ = 0.0;
  double negatives_ = 0.0;
};

Platt newton(const Likelihood& likelihood) {
  Platt fit;
  fit.b = std::log((likelihood.negatives() + 1.0) / (likelihood.positives() + 1.0));
  double value = likelihood.value(fit.a, fit.b);
  for (; fit.iterations < kMaxIterations; ++fit.iterations) {
    const auto d = likelihood.derivatives(fit.a, fit.b);
    if (std::abs(d.g1) < kGradientTolerance && std::abs(d.g2) < kGradientTolerance) {
      fit.converged = true;
      return fit;
    }
    const double determinant = d.h11 * d.h22 - d.h21 * d.h21;
    const double step_a = -(d.h22 * d.g1 - d.h21 * d.g2) / determinant;
    const double step_b = -(d.h11 * d.g2 - d.h21 * d.g1) / determinant;
    const double slope = d.g1 * step_a + d.g2 * step_b;
    if (-slope <= kVisibleDecrease * value) {
      // So close to the optimum the full step is right, and no line search could confirm it.
      fit.a += step_a;
      fit.b += step_b;
      value = likelihood.value(fit.a, fit.b);
      continue;
    }
    double length = 1.0;
    for (; length >= kMinStep; length /= 2.0) {
      const double a = fit.a + length * step_a;
      const double b = fit.b + length * step_b;
      const double next = likelihood.value(a, b);
      if (next < value + 1e-4 * length * slope) {
        fit.a = a;
        fit.b = b;
        value = next;
        break;
      }
    }
    if (length < kMinStep) return fit;
  }
  return fit;
}

}  // namespace

double Platt::operator()(double score) const {
  return decreasing_sigmoid(a * score + b);
}

Platt fit_platt(std::span<const double> scores, std::span<const std::uint8_t> labels) {
  require_same_size(scores.size(), "scores", labels.size(), "labels");
  require_finite(scores, "scores");
  require_binary(labels);
  const auto positives = static_cast<std::size_t>(std::count(labels.begin(), labels.end(), 1));
  require_some(positives, "scores with label 1", "a calibration needs both classes");
  require_some(scores.size() - positives, "scores with label 0",
               "a calibration needs both classes");
  const WideMoments m = wide_moments(scores);
  const long double deviation = m.variance > 0.0L ? std::sqrt(m.variance) : 1.0L;
  std::vector<double> scaled(scores.size());
  std::transform(scores.begin(), scores.end(), scaled.begin(),
                 [&](double score) { return static_cast<double>((score - m.mean) / deviation); });
  Platt fit = newton(Likelihood(std::move(scaled), labels));
  const long double slope = fit.a / deviation;
  fit.a = static_cast<double>(slope);
  fit.b = static_cast<double>(fit.b - slope * m.mean);
  return fit;
}

}  // namespace sosia::evaluate

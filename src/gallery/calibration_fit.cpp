#include "gallery/calibration_fit.hpp"

#include "sosia/core/error.hpp"
#include "sosia/evaluate/calibration.hpp"

#include <algorithm>
#include <cmath>
#include <string>

namespace sosia::gallery {
namespace {

constexpr std::size_t kQuantiles = 1001;

[[noreturn]] void refuse(std::string message, std::string hint = {}) {
  throw Error(ErrorCode::invalid_argument, std::move(message), std::move(hint));
}

void require_finite(double score, const char* what) {
  if (!std::isfinite(score)) {
    refuse(std::string(what) + " score " + std::to_string(score) + " is not finite");
  }
}

// The rank that quantile `i` of `count` values stands for.
std::size_t quantile_rank(std::size_t i, std::size_t quantiles, std::size_t count) {
  return quantiles < 2 ? 0 : (i * (count - 1) + (quantiles - 1) / 2) / (quantiles - 1);
}

}  // namespace

void CalibrationFit::add_genuine(double score) {
  require_finite(score, "genuine");
  genuine_.push_back(score);
}

void CalibrationFit::add_impostor(double score, std::uint32_t probe) {
  require_finite(score, "impostor");
  if (impostor_++ % stride_ == 0) {
    kept_.push_back(score);
    if (kept_.size() > fit_size_) {  // every second of what was kept: again evenly spaced
      for (std::size_t i = 0; 2 * i < kept_.size(); ++i) kept_[i] = kept_[2 * i];
      kept_.resize((kept_.size() + 1) / 2);
      stride_ *= 2;
    }
  }
  if (has_dropped_ && score <= dropped_) return;
  tail_.push_back({score, probe});
  if (tail_.size() >= 2 * tail_size_ + 2) prune_tail();
}

void CalibrationFit::prune_tail() {
  if (tail_.size() <= tail_size_) return;
  const auto cut = tail_.begin() + static_cast<std::ptrdiff_t>(tail_size_);
  std::nth_element(tail_.begin(), cut, tail_.end(), higher);
  dropped_ = has_dropped_ ? std::max(dropped_, cut->score) : cut->score;
  has_dropped_ = true;
  tail_.erase(cut, tail_.end());
}

// Equal scores are in the tail together or not at all: a threshold cannot part them.
void CalibrationFit::complete_tail(Calibration& out, bool probes_known) {
  prune_tail();
  if (has_dropped_) std::erase_if(tail_, [&](const Tail& t) { return t.score <= dropped_; });
  if (tail_.empty()) {
    refuse("more than " + std::to_string(tail_size_) + " impostor scores are equal to the highest",
           "a threshold cannot be set on scores that are all alike; are the vectors all the same?");
  }
  std::sort(tail_.begin(), tail_.end(), higher);
  for (const Tail& t : tail_) {
    out.impostor_tail.push_back(t.score);
    if (probes_known) out.tail_probes.push_back(t.probe);
  }
}

void CalibrationFit::fit_odds(Calibration& out) const {
  std::vector<double> scores = genuine_;
  scores.insert(scores.end(), kept_.begin(), kept_.end());
  std::vector<std::uint8_t> labels(scores.size(), 0);
  std::fill_n(labels.begin(), genuine_.size(), std::uint8_t{1});
  const evaluate::Platt platt = evaluate::fit_platt(scores, labels);
  out.a = platt.a;
  out.b =
      platt.b + std::log(static_cast<double>(genuine_.size()) / static_cast<double>(kept_.size()));
}

Calibration CalibrationFit::finish(std::uint64_t subjects,
                                   std::vector<std::uint32_t> probe_subjects) {
  if (genuine_.empty()) {
    refuse("there is no genuine score", "at least one subject needs two templates");
  }
  if (impostor_ == 0) refuse("there is no impostor score", "at least two subjects are needed");
  if (subjects < 2)
    refuse("the sample has " + std::to_string(subjects) + " subjects; 2 are needed");
  Calibration out;
  out.genuine = genuine_.size();
  out.impostor = impostor_;
  out.subjects = subjects;
  fit_odds(out);
  complete_tail(out, !probe_subjects.empty());
  out.probe_subjects = std::move(probe_subjects);
  std::vector<double> sorted = genuine_;
  std::sort(sorted.begin(), sorted.end());
  const std::size_t quantiles = std::min(kQuantiles, sorted.size());
  for (std::size_t i = 0; i < quantiles; ++i) {
    out.genuine_quantiles.push_back(sorted[quantile_rank(i, quantiles, sorted.size())]);
  }
  return out;
}

double Calibration::probability(double score) const {
  return 1.0 / (1.0 + std::exp(a * score + b));
}

double Calibration::fnmr(double threshold) const {
  const auto& q = genuine_quantiles;
  if (q.empty()) return 0;
  const auto place = std::lower_bound(q.begin(), q.end(), threshold);
  const auto above = static_cast<std::size_t>(place - q.begin());
  const auto count = static_cast<double>(genuine);
  const auto rank = [&](std::size_t i) {
    return static_cast<double>(quantile_rank(i, q.size(), static_cast<std::size_t>(genuine)));
  };
  if (above == 0) return 0;
  if (above == q.size()) return 1;
  // Scores of ranks up to rank(above - 1) are below, that of rank(above) is not.
  const double low = rank(above - 1) + 1, high = rank(above);
  const double share = (threshold - q[above - 1]) / (q[above] - q[above - 1]);
  return (low + share * (high - low)) / count;
}

double Calibration::fmr(double threshold) const {
  const auto above = std::upper_bound(impostor_tail.begin(), impostor_tail.end(), threshold,
                                      [](double t, double score) { return t > score; });
  return static_cast<double>(above - impostor_tail.begin()) / static_cast<double>(impostor);
}

Calibration fit_calibration(std::span<const double> genuine, std::span<const double> impostor,
                            std::uint64_t subjects) {
  CalibrationFit fit;
  for (double score : genuine) fit.add_genuine(score);
  for (double score : impostor) fit.add_impostor(score, 0);
  return fit.finish(subjects, {});
}

Calibration fit_calibration(const ScoreSample& sample) {
  if (sample.impostor_probes.empty()) {
    return fit_calibration(sample.genuine, sample.impostor, sample.subjects);
  }
  if (sample.impostor_probes.size() != sample.impostor.size()) {
    refuse("there are " + std::to_string(sample.impostor.size()) + " impostor scores and " +
           std::to_string(sample.impostor_probes.size()) + " probes of them");
  }
  CalibrationFit fit;
  for (double score : sample.genuine) fit.add_genuine(score);
  for (std::size_t i = 0; i < sample.impostor.size(); ++i) {
    if (sample.impostor_probes[i] >= sample.probe_subjects.size()) {
      refuse("impostor score " + std::to_string(i) + " is of probe " +
             std::to_string(sample.impostor_probes[i]) + ", but there are only " +
             std::to_string(sample.probe_subjects.size()));
    }
    fit.add_impostor(sample.impostor[i], sample.impostor_probes[i]);
  }
  return fit.finish(sample.subjects, sample.probe_subjects);
}

}  // namespace sosia::gallery

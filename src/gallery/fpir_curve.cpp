#include "gallery/fpir_curve.hpp"

#include <algorithm>
#include <cmath>

namespace sosia::gallery {
namespace {

// So many subjects must contribute before the spread over subjects says how alike the probes of
// one subject are (as for a variance: 30 give it within about a quarter).
constexpr std::size_t kEnoughSubjects = 30;

// Sums over subjects from which the rate and its cluster-robust variance follow while probes
// collect false matches.
class ClusterSums {
 public:
  explicit ClusterSums(const Calibration& calibration)
      : subject_(calibration.probe_subjects),
        others_(static_cast<double>(calibration.impostor) / static_cast<double>(subject_.size())) {
    const std::uint32_t last = *std::max_element(subject_.begin(), subject_.end());
    sums_.assign(last + 1, 0.0);
    sizes_.assign(last + 1, 0.0);
    clear_.assign(subject_.size(), 1.0);
    matches_.assign(subject_.size(), 0.0);
    for (std::uint32_t s : subject_) sizes_[s] += 1;
    for (double size : sizes_) {
      size_squares_ += size * size;
      groups_ += size > 0 ? 1 : 0;
    }
  }

  double others() const { return others_; }
  double probes() const { return static_cast<double>(subject_.size()); }
  std::size_t contributing() const { return contributing_; }

  // One more false match of `probe`; `searched` of the others are drawn without replacement, so the
  // probe stays clear with probability prod (M - N - i) / (M - i) over its matches i.
  void add(std::uint32_t probe, double searched) {
    const double i = matches_[probe]++;
    const double before = 1 - clear_[probe];
    clear_[probe] *=
        others_ - i <= 0 ? 0.0 : std::max(0.0, (others_ - searched - i) / (others_ - i));
    const double change = 1 - clear_[probe] - before;
    double& sum = sums_[subject_[probe]];
    if (sum == 0 && change > 0) ++contributing_;
    squares_ += change * (2 * sum + change);
    crossed_ += change * sizes_[subject_[probe]];
    total_ += change;
    sum += change;
  }

  double rate() const { return std::clamp(total_ / probes(), 0.0, 1.0); }

  // F (1 - F) / var F, var the linearised variance of a ratio over subjects; no more than all
  // comparisons in sets of `searched` would be worth, no fewer than one.
  double effective_trials(double searched) const {
    const double f = rate();
    const double spread = std::max(0.0, squares_ - 2 * f * crossed_ + f * f * size_squares_) *
                          groups_ / std::max(1.0, groups_ - 1);
    const double variance = spread / (probes() * probes());
    const double most = probes() * others_ / searched;
    return variance > 0 ? std::clamp(f * (1 - f) / variance, 1.0, most) : groups_;
  }
  double groups() const { return groups_; }
  const std::vector<double>& clear() const { return clear_; }

 private:
  const std::vector<std::uint32_t>& subject_;
  double others_;
  std::vector<double> sums_, sizes_, clear_, matches_;
  double size_squares_ = 0, groups_ = 0, squares_ = 0, crossed_ = 0, total_ = 0;
  std::size_t contributing_ = 0;
};

void add_per_probe_points(FpirCurve& curve, const Calibration& c, double searched) {
  ClusterSums sums(c);
  double reference = 0;  // trials at the first point with enough subjects
  std::size_t without = 0;
  for (std::size_t i = 0; i < c.impostor_tail.size(); ++i) {
    sums.add(c.tail_probes[i], searched);
    if (i + 1 < c.impostor_tail.size() && c.impostor_tail[i + 1] == c.impostor_tail[i]) continue;
    FpirPoint point{c.impostor_tail[i], i + 1, sums.rate(), 0};
    if (sums.contributing() >= kEnoughSubjects) {
      point.trials = sums.effective_trials(searched);
      if (reference == 0) reference = point.trials;
    } else {
      without = curve.points.size() + 1;
    }
    curve.points.push_back(point);
  }
  // Too few subjects at any threshold: as if all probes of a subject were one.
  if (reference == 0) reference = std::min(sums.effective_trials(searched), sums.groups());
  for (std::size_t i = 0; i < without; ++i) curve.points[i].trials = reference;
  curve.zero_trials = reference;
}

}  // namespace

double FpirCurve::search_rate(double rate) const {
  return rate >= 1 ? 1 : -std::expm1(std::log1p(-rate) * exponent);
}

double FpirCurve::trial_rate(double search_rate) const {
  return search_rate >= 1 ? 1 : -std::expm1(std::log1p(-search_rate) / exponent);
}

FpirCurve fpir_curve(const Calibration& c, std::uint64_t subjects, FpirRule rule) {
  const double n = static_cast<double>(std::max<std::uint64_t>(subjects, 1));
  FpirCurve curve;
  curve.rule = c.tail_probes.empty() ? FpirRule::independent : rule;
  if (curve.rule == FpirRule::per_probe) {
    const double others =
        static_cast<double>(c.impostor) / static_cast<double>(c.probe_subjects.size());
    const double searched = std::min(n, others);
    curve.exponent = n / searched;
    add_per_probe_points(curve, c, searched);
    return curve;
  }
  curve.exponent = n;
  const double trials = static_cast<double>(c.impostor);
  curve.zero_trials = trials;
  for (std::size_t i = 0; i < c.impostor_tail.size(); ++i) {
    if (i + 1 < c.impostor_tail.size() && c.impostor_tail[i + 1] == c.impostor_tail[i]) continue;
    curve.points.push_back(
        {c.impostor_tail[i], i + 1, static_cast<double>(i + 1) / trials, trials});
  }
  return curve;
}

std::vector<double> probe_rates(const Calibration& c, std::uint64_t subjects, double threshold) {
  ClusterSums sums(c);
  const double n = static_cast<double>(std::max<std::uint64_t>(subjects, 1));
  for (std::size_t i = 0; i < c.impostor_tail.size() && c.impostor_tail[i] >= threshold; ++i) {
    sums.add(c.tail_probes[i], std::min(n, sums.others()));
  }
  std::vector<double> rates;
  for (double clear : sums.clear()) rates.push_back(1 - clear);
  return rates;
}

}  // namespace sosia::gallery

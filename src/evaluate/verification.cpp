#include "sosia/evaluate/verification.hpp"

#include "evaluate/checks.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

namespace sosia::evaluate {
namespace {

// Distances of one fold by class, ascending, so that counts below a threshold are positions.
struct FoldDistances {
  std::vector<double> same;
  std::vector<double> different;
};

std::vector<FoldDistances> split_folds(std::span<const double> distances,
                                       std::span<const std::uint8_t> same,
                                       std::span<const std::uint32_t> folds) {
  require_same_size(distances.size(), "distances", same.size(), "labels");
  require_same_size(distances.size(), "distances", folds.size(), "fold numbers");
  require_some(distances.size(), "pairs");
  require_finite(distances, "distances");
  require_binary(same);
  const std::uint32_t count = *std::max_element(folds.begin(), folds.end()) + 1;
  if (count < 2) refuse("a cross-validation needs at least 2 folds, not 1");
  if (count > distances.size()) {
    refuse(fmt::format("{} folds are more than {} pairs", count, distances.size()),
           "number the folds from 0 without gaps");
  }
  std::vector<FoldDistances> parts(count);
  for (std::size_t i = 0; i < distances.size(); ++i) {
    FoldDistances& part = parts[folds[i]];
    (same[i] == 1 ? part.same : part.different).push_back(distances[i]);
  }
  for (std::size_t f = 0; f < parts.size(); ++f) {
    if (parts[f].same.empty() && parts[f].different.empty()) {
      refuse(fmt::format("fold {} has no pairs", f), "number the folds from 0 without gaps");
    }
    std::sort(parts[f].same.begin(), parts[f].same.end());
    std::sort(parts[f].different.begin(), parts[f].different.end());
  }
  return parts;
}

void check_thresholds(std::span<const double> thresholds) {
  require_some(thresholds.size(), "thresholds");
  require_finite(thresholds, "thresholds");
  if (!std::is_sorted(thresholds.begin(), thresholds.end())) {
    refuse("the thresholds are not in ascending order");
  }
}

std::size_t count_below(const std::vector<double>& sorted, double threshold) {
  return static_cast<std::size_t>(std::lower_bound(sorted.begin(), sorted.end(), threshold) -
                                  sorted.begin());
}

void mean_and_std(std::span<const double> values, double& mean, double& std) {
  const Moments m = moments(values);
  mean = m.mean;
  std = std::sqrt(m.variance);
}

// Pairs of a fold that are called right - same below the threshold, different not below it - for a
// threshold that only rises: each distance is passed once.
struct FoldCursor {
  const FoldDistances* fold;
  std::size_t same = 0, different = 0;

  std::size_t correct_at(double threshold) {
    while (same < fold->same.size() && fold->same[same] < threshold) ++same;
    while (different < fold->different.size() && fold->different[different] < threshold) {
      ++different;
    }
    return same + fold->different.size() - different;
  }
};

// The first best threshold of every fold in one sweep over the thresholds: the right calls of "the
// other folds" are those of all folds less those of the fold.
std::vector<double> best_thresholds(const std::vector<FoldDistances>& parts,
                                    std::span<const double> thresholds) {
  std::vector<std::size_t> best(parts.size(), 0), right(parts.size());
  std::vector<double> chosen(parts.size(), thresholds.front());
  std::vector<FoldCursor> cursors;
  for (const FoldDistances& part : parts) cursors.push_back({&part});
  for (std::size_t t = 0; t < thresholds.size(); ++t) {
    std::size_t all = 0;
    for (std::size_t f = 0; f < parts.size(); ++f) {
      right[f] = cursors[f].correct_at(thresholds[t]);
      all += right[f];
    }
    for (std::size_t f = 0; f < parts.size(); ++f) {
      if (t > 0 && all - right[f] <= best[f]) continue;
      best[f] = all - right[f];
      chosen[f] = thresholds[t];
    }
  }
  return chosen;
}

// The threshold at which `far`, non-decreasing over `thresholds`, reaches the target.
double interpolated_threshold(std::span<const double> far, std::span<const double> thresholds,
                              double target) {
  if (far.back() < target) return 0.0;
  const auto at =
      static_cast<std::size_t>(std::lower_bound(far.begin(), far.end(), target) - far.begin());
  if (at == 0) return thresholds.front();
  const double share = (target - far[at - 1]) / (far[at] - far[at - 1]);
  return thresholds[at - 1] + share * (thresholds[at] - thresholds[at - 1]);
}

}  // namespace

std::vector<std::uint32_t> contiguous_folds(std::size_t count, std::size_t folds) {
  if (folds < 2) refuse(fmt::format("a cross-validation needs at least 2 folds, not {}", folds));
  if (count < folds) refuse(fmt::format("{} pairs cannot fill {} folds", count, folds));
  std::vector<std::uint32_t> numbers;
  numbers.reserve(count);
  for (std::size_t f = 0; f < folds; ++f) {
    const std::size_t length = count / folds + (f < count % folds ? 1 : 0);
    numbers.insert(numbers.end(), length, static_cast<std::uint32_t>(f));
  }
  return numbers;
}

std::vector<double> lfw_thresholds(double step) {
  if (!(step >= 1e-6 && step < 4.0)) {
    refuse(fmt::format("the threshold step must lie between 1e-6 and 4, not {}", step));
  }
  // As numpy.arange(0, 4, step): ceil(4 / step) values.
  const auto count = static_cast<std::size_t>(std::ceil(4.0 / step));
  std::vector<double> thresholds(count);
  for (std::size_t i = 0; i < count; ++i) thresholds[i] = static_cast<double>(i) * step;
  return thresholds;
}

std::vector<double> exact_thresholds(std::span<const double> distances) {
  require_some(distances.size(), "distances");
  require_finite(distances, "distances");
  std::vector<double> sorted(distances.begin(), distances.end());
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  std::vector<double> thresholds{sorted.front()};
  for (std::size_t i = 1; i < sorted.size(); ++i) {
    const double middle = std::midpoint(sorted[i - 1], sorted[i]);
    // Between neighbouring doubles there is no middle; the upper one separates them as well.
    thresholds.push_back(middle > sorted[i - 1] ? middle : sorted[i]);
  }
  thresholds.push_back(std::nextafter(sorted.back(), std::numeric_limits<double>::infinity()));
  return thresholds;
}

FoldAccuracy fold_accuracy(std::span<const double> distances, std::span<const std::uint8_t> same,
                           std::span<const std::uint32_t> folds,
                           std::span<const double> thresholds) {
  check_thresholds(thresholds);
  const std::vector<FoldDistances> parts = split_folds(distances, same, folds);
  FoldAccuracy result;
  result.thresholds = best_thresholds(parts, thresholds);
  for (std::size_t f = 0; f < parts.size(); ++f) {
    const auto right = static_cast<double>(FoldCursor{&parts[f]}.correct_at(result.thresholds[f]));
    const std::size_t size = parts[f].same.size() + parts[f].different.size();
    result.accuracies.push_back(right / static_cast<double>(size));
  }
  mean_and_std(result.accuracies, result.mean, result.std);
  return result;
}

FoldVal fold_val(std::span<const double> distances, std::span<const std::uint8_t> same,
                 std::span<const std::uint32_t> folds, std::span<const double> thresholds,
                 double far_target) {
  check_thresholds(thresholds);
  require_unit_interval(far_target, "target FAR");
  const std::vector<FoldDistances> parts = split_folds(distances, same, folds);
  for (std::size_t f = 0; f < parts.size(); ++f) {
    require_some(parts[f].same.size(), fmt::format("genuine pairs in fold {}", f));
    require_some(parts[f].different.size(), fmt::format("impostor pairs in fold {}", f));
  }
  FoldVal result;
  std::vector<double> far(thresholds.size());
  for (std::size_t f = 0; f < parts.size(); ++f) {
    for (std::size_t t = 0; t < thresholds.size(); ++t) {
      std::size_t accepts = 0, pairs = 0;
      for (std::size_t other = 0; other < parts.size(); ++other) {
        if (other == f) continue;
        accepts += count_below(parts[other].different, thresholds[t]);
        pairs += parts[other].different.size();
      }
      far[t] = static_cast<double>(accepts) / static_cast<double>(pairs);
    }
    const double threshold = interpolated_threshold(far, thresholds, far_target);
    const FoldDistances& held = parts[f];
    result.thresholds.push_back(threshold);
    result.val.push_back(static_cast<double>(count_below(held.same, threshold)) /
                         static_cast<double>(held.same.size()));
    result.far.push_back(static_cast<double>(count_below(held.different, threshold)) /
                         static_cast<double>(held.different.size()));
  }
  mean_and_std(result.val, result.val_mean, result.val_std);
  result.far_mean = moments(result.far).mean;
  return result;
}

}  // namespace sosia::evaluate

#include "sosia/evaluate/calibration.hpp"

#include "evaluate/checks.hpp"
#include "evaluate/radix_sort.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

namespace sosia::evaluate {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

void check_probabilities(std::span<const double> probabilities,
                         std::span<const std::uint8_t> labels) {
  require_same_size(probabilities.size(), "probabilities", labels.size(), "labels");
  require_some(probabilities.size(), "probabilities");
  require_unit_interval(probabilities, "probabilities");
  require_binary(labels);
}

// Sums of one bin on the way to its means.
struct BinSums {
  double probability = 0.0;
  std::size_t positives = 0;
  std::size_t count = 0;

  void add(double value, std::uint8_t label) {
    probability += value;
    positives += label;
    ++count;
  }
  ReliabilityBin finish(double low, double high) const {
    if (count == 0) return {low, high, 0, kNan, kNan};
    const auto n = static_cast<double>(count);
    return {low, high, count, probability / n, static_cast<double>(positives) / n};
  }
};

std::vector<ReliabilityBin> equal_width_bins(std::span<const double> probabilities,
                                             std::span<const std::uint8_t> labels,
                                             std::size_t bins) {
  const double width = 1.0 / static_cast<double>(bins);
  std::vector<double> edges(bins + 1);
  for (std::size_t i = 0; i <= bins; ++i) edges[i] = static_cast<double>(i) * width;
  edges.back() = 1.0;
  std::vector<BinSums> sums(bins);
  for (std::size_t i = 0; i < probabilities.size(); ++i) {
    // The first inner edge that is not below the value closes its bin.
    const auto closing = std::lower_bound(edges.begin() + 1, edges.end() - 1, probabilities[i]);
    sums[static_cast<std::size_t>(closing - edges.begin()) - 1].add(probabilities[i], labels[i]);
  }
  std::vector<ReliabilityBin> result;
  for (std::size_t b = 0; b < bins; ++b) result.push_back(sums[b].finish(edges[b], edges[b + 1]));
  return result;
}

std::vector<ReliabilityBin> equal_count_bins(std::span<const double> probabilities,
                                             std::span<const std::uint8_t> labels,
                                             std::size_t bins) {
  const std::vector<std::uint32_t> order = stable_order(probabilities);
  std::vector<ReliabilityBin> result;
  std::size_t next = 0;
  for (std::size_t b = 0; b < bins; ++b) {
    const std::size_t count = order.size() / bins + (b < order.size() % bins ? 1 : 0);
    if (count == 0) break;
    BinSums sums;
    for (std::size_t i = next; i < next + count; ++i) {
      sums.add(probabilities[order[i]], labels[order[i]]);
    }
    result.push_back(
        sums.finish(probabilities[order[next]], probabilities[order[next + count - 1]]));
    next += count;
  }
  return result;
}

}  // namespace

std::vector<ReliabilityBin> reliability(std::span<const double> probabilities,
                                        std::span<const std::uint8_t> labels, std::size_t bins,
                                        BinRule rule) {
  check_probabilities(probabilities, labels);
  if (bins == 0 || bins > 100000) {
    refuse(fmt::format("a reliability diagram needs 1 to 100000 bins, not {}", bins));
  }
  return rule == BinRule::equal_width ? equal_width_bins(probabilities, labels, bins)
                                      : equal_count_bins(probabilities, labels, bins);
}

double expected_calibration_error(std::span<const ReliabilityBin> bins) {
  double error = 0.0;
  std::size_t count = 0;
  for (const ReliabilityBin& bin : bins) {
    if (bin.count == 0) continue;
    error += static_cast<double>(bin.count) * std::abs(bin.frequency - bin.mean_probability);
    count += bin.count;
  }
  require_some(count, "probabilities in the bins");
  return error / static_cast<double>(count);
}

double maximum_calibration_error(std::span<const ReliabilityBin> bins) {
  double error = 0.0;
  for (const ReliabilityBin& bin : bins) {
    if (bin.count > 0) error = std::max(error, std::abs(bin.frequency - bin.mean_probability));
  }
  return error;
}

double brier_score(std::span<const double> probabilities, std::span<const std::uint8_t> labels) {
  check_probabilities(probabilities, labels);
  double sum = 0.0;
  for (std::size_t i = 0; i < probabilities.size(); ++i) {
    const double error = probabilities[i] - labels[i];
    sum += error * error;
  }
  return sum / static_cast<double>(probabilities.size());
}

double log_loss(std::span<const double> probabilities, std::span<const std::uint8_t> labels) {
  check_probabilities(probabilities, labels);
  constexpr double kLeast = std::numeric_limits<double>::epsilon();
  double sum = 0.0;
  for (std::size_t i = 0; i < probabilities.size(); ++i) {
    const double given = labels[i] == 1 ? probabilities[i] : 1.0 - probabilities[i];
    sum -= std::log(std::clamp(given, kLeast, 1.0 - kLeast));
  }
  return sum / static_cast<double>(probabilities.size());
}

}  // namespace sosia::evaluate

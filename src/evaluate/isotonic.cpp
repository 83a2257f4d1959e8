// Isotonic regression by pool-adjacent-violators; see calibration.hpp.

#include "evaluate/checks.hpp"
#include "evaluate/radix_sort.hpp"
#include "sosia/evaluate/calibration.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace sosia::evaluate {
namespace {

// A run of neighbouring scores with one fitted value.
struct Block {
  double mean;
  double weight;
  std::size_t last;  // index of its last distinct score
};

struct DistinctScores {
  std::vector<double> x;
  std::vector<double> mean;
  std::vector<double> weight;
};

DistinctScores average_ties(std::span<const double> scores, std::span<const double> targets,
                            std::span<const double> weights) {
  DistinctScores distinct;
  double target_sum = 0.0, weight_sum = 0.0;
  const std::vector<std::uint32_t> order = stable_order(scores);
  for (std::size_t i = 0; i < order.size(); ++i) {
    const std::uint32_t at = order[i];
    const double weight = weights.empty() ? 1.0 : weights[at];
    target_sum += weight * targets[at];
    weight_sum += weight;
    if (i + 1 < order.size() && scores[order[i + 1]] == scores[at]) continue;
    distinct.x.push_back(scores[at]);
    distinct.mean.push_back(target_sum / weight_sum);
    distinct.weight.push_back(weight_sum);
    target_sum = weight_sum = 0.0;
  }
  return distinct;
}

std::vector<Block> pool_violators(const DistinctScores& distinct) {
  std::vector<Block> blocks;
  for (std::size_t i = 0; i < distinct.x.size(); ++i) {
    Block block{distinct.mean[i], distinct.weight[i], i};
    while (!blocks.empty() && blocks.back().mean >= block.mean) {
      const Block& left = blocks.back();
      const double weight = left.weight + block.weight;
      block.mean = (left.mean * left.weight + block.mean * block.weight) / weight;
      block.weight = weight;
      blocks.pop_back();
    }
    blocks.push_back(block);
  }
  return blocks;
}

}  // namespace

Isotonic::Isotonic(std::vector<double> x, std::vector<double> y)
    : x_(std::move(x)), y_(std::move(y)) {
  require_some(x_.size(), "knots");
  require_same_size(x_.size(), "knot positions", y_.size(), "knot values");
  require_finite(x_, "knot positions");
  require_finite(y_, "knot values");
  for (std::size_t i = 1; i < x_.size(); ++i) {
    if (!(x_[i] > x_[i - 1]) || y_[i] < y_[i - 1]) {
      refuse(fmt::format("knot {} at ({}, {}) does not follow ({}, {}) upwards", i, x_[i], y_[i],
                         x_[i - 1], y_[i - 1]));
    }
  }
}

double Isotonic::operator()(double score) const {
  if (std::isnan(score)) refuse("the score is NaN");
  const auto above = std::upper_bound(x_.begin(), x_.end(), score);
  if (above == x_.begin()) return y_.front();
  if (above == x_.end()) return y_.back();
  const auto high = static_cast<std::size_t>(above - x_.begin());
  // Wider than a double: the distance of two knots may exceed the largest one.
  const long double low = x_[high - 1];
  const auto share = static_cast<double>((score - low) / (x_[high] - low));
  return y_[high - 1] + share * (y_[high] - y_[high - 1]);
}

Isotonic fit_isotonic(std::span<const double> scores, std::span<const double> targets,
                      std::span<const double> weights) {
  require_some(scores.size(), "scores to fit");
  require_same_size(scores.size(), "scores", targets.size(), "targets");
  require_finite(scores, "scores");
  require_finite(targets, "targets");
  if (!weights.empty()) {
    require_same_size(scores.size(), "scores", weights.size(), "weights");
    require_finite(weights, "weights");
    for (std::size_t i = 0; i < weights.size(); ++i) {
      if (weights[i] <= 0.0) refuse(fmt::format("weight {} is {}, not positive", i, weights[i]));
    }
  }
  const DistinctScores distinct = average_ties(scores, targets, weights);
  std::vector<double> x, y;
  std::size_t first = 0;
  for (const Block& block : pool_violators(distinct)) {
    x.push_back(distinct.x[first]);
    y.push_back(block.mean);
    if (block.last > first) {
      x.push_back(distinct.x[block.last]);
      y.push_back(block.mean);
    }
    first = block.last + 1;
  }
  return Isotonic(std::move(x), std::move(y));
}

Isotonic fit_isotonic(std::span<const double> scores, std::span<const std::uint8_t> labels) {
  require_binary(labels);
  const std::vector<double> targets(labels.begin(), labels.end());
  return fit_isotonic(scores, targets);
}

}  // namespace sosia::evaluate

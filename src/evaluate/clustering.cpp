#include "sosia/evaluate/clustering.hpp"

#include "evaluate/checks.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <unordered_map>
#include <utility>
#include <vector>

namespace sosia::evaluate {
namespace {

// How many items fall into each (cluster, subject), each cluster and each subject.
struct Contingency {
  struct Cell {
    std::size_t cluster, subject;
    double count;
  };
  std::vector<Cell> cells;  // the non-empty ones
  std::vector<double> clusters, subjects;
  double items = 0;
};

// Numbers arbitrary labels from 0 and counts them.
std::vector<std::size_t> number_labels(std::span<const std::int64_t> labels,
                                       std::vector<double>& counts) {
  std::unordered_map<std::int64_t, std::size_t> number_of;
  std::vector<std::size_t> numbers;
  numbers.reserve(labels.size());
  for (std::int64_t label : labels) {
    const auto [entry, added] = number_of.try_emplace(label, counts.size());
    if (added) counts.push_back(0.0);
    counts[entry->second] += 1.0;
    numbers.push_back(entry->second);
  }
  return numbers;
}

Contingency tabulate(std::span<const std::int64_t> clusters,
                     std::span<const std::int64_t> subjects) {
  require_same_size(clusters.size(), "cluster labels", subjects.size(), "subject labels");
  require_some(clusters.size(), "items");
  Contingency table;
  table.items = static_cast<double>(clusters.size());
  const auto cluster_numbers = number_labels(clusters, table.clusters);
  const auto subject_numbers = number_labels(subjects, table.subjects);
  std::vector<std::pair<std::size_t, std::size_t>> items(clusters.size());
  for (std::size_t i = 0; i < items.size(); ++i)
    items[i] = {cluster_numbers[i], subject_numbers[i]};
  std::sort(items.begin(), items.end());
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i == 0 || items[i] != items[i - 1]) {
      table.cells.push_back({items[i].first, items[i].second, 0.0});
    }
    table.cells.back().count += 1.0;
  }
  return table;
}

double pairs(double n) {
  return n * (n - 1.0) / 2.0;
}

double pairs_within(const std::vector<double>& counts) {
  double sum = 0.0;
  for (double count : counts) sum += pairs(count);
  return sum;
}

double pairs_together(const Contingency& table) {
  double sum = 0.0;
  for (const auto& cell : table.cells) sum += pairs(cell.count);
  return sum;
}

PrecisionRecall with_f1(double precision, double recall) {
  const double sum = precision + recall;
  return {precision, recall, sum > 0.0 ? 2.0 * precision * recall / sum : 0.0};
}

double entropy(const std::vector<double>& counts, double items) {
  double sum = 0.0;
  for (double count : counts) sum -= count / items * std::log(count / items);
  return sum;
}

}  // namespace

PrecisionRecall pairwise_scores(std::span<const std::int64_t> clusters,
                                std::span<const std::int64_t> subjects) {
  const Contingency table = tabulate(clusters, subjects);
  const double together = pairs_together(table);
  const double claimed = pairs_within(table.clusters);
  const double wanted = pairs_within(table.subjects);
  if (claimed == 0.0 && wanted == 0.0) return {1.0, 1.0, 1.0};
  return with_f1(claimed > 0.0 ? together / claimed : 0.0, wanted > 0.0 ? together / wanted : 0.0);
}

PrecisionRecall bcubed_scores(std::span<const std::int64_t> clusters,
                              std::span<const std::int64_t> subjects) {
  const Contingency table = tabulate(clusters, subjects);
  double precision = 0.0, recall = 0.0;
  for (const auto& cell : table.cells) {
    precision += cell.count * cell.count / table.clusters[cell.cluster];
    recall += cell.count * cell.count / table.subjects[cell.subject];
  }
  return with_f1(precision / table.items, recall / table.items);
}

double normalized_mutual_information(std::span<const std::int64_t> clusters,
                                     std::span<const std::int64_t> subjects) {
  const Contingency table = tabulate(clusters, subjects);
  if (table.clusters.size() == 1 && table.subjects.size() == 1) return 1.0;
  double information = 0.0;
  for (const auto& cell : table.cells) {
    information += cell.count / table.items *
                   std::log(cell.count * table.items / table.clusters[cell.cluster] /
                            table.subjects[cell.subject]);
  }
  const double mean =
      (entropy(table.clusters, table.items) + entropy(table.subjects, table.items)) / 2.0;
  return std::clamp(information / mean, 0.0, 1.0);
}

double adjusted_rand_index(std::span<const std::int64_t> clusters,
                           std::span<const std::int64_t> subjects) {
  const Contingency table = tabulate(clusters, subjects);
  const double together = pairs_together(table);
  const double claimed = pairs_within(table.clusters);
  const double wanted = pairs_within(table.subjects);
  if (together == claimed && together == wanted) return 1.0;
  const double expected = claimed * wanted / pairs(table.items);
  return (together - expected) / ((claimed + wanted) / 2.0 - expected);
}

}  // namespace sosia::evaluate

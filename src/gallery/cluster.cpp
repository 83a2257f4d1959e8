// Average-link agglomeration along a graph of near neighbours; see groups.hpp and decision 0011.

#include "gallery/vector_block.hpp"
#include "sosia/core/error.hpp"
#include "sosia/gallery/groups.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <queue>
#include <string>

namespace sosia::gallery {
namespace {

// Two clusters that may be joined, by the mean cosine of all pairs between them. `a` < `b`.
struct Candidate {
  double mean = 0;
  std::uint32_t a = 0, b = 0;
  // Of equal means the first rows go first, so that the result does not depend on anything else.
  friend bool operator<(const Candidate& x, const Candidate& y) {
    if (x.mean != y.mean) return x.mean < y.mean;
    if (x.a != y.a) return x.a > y.a;
    return x.b > y.b;
  }
};

// Clusters are named by numbers that are never used again: rows first, then one for each join.
class Agglomeration {
 public:
  Agglomeration(std::span<const float> vectors, std::size_t d, double threshold)
      : d_(d), threshold_(threshold), rows_(vectors.size() / d) {
    sums_.resize(rows_);
    for (std::size_t i = 0; i < rows_; ++i) {
      const auto row = vectors.subspan(i * d, d);
      sums_[i].assign(row.begin(), row.end());
    }
    sizes_.assign(rows_, 1);
    linked_.resize(rows_);
    parent_.resize(rows_);
    std::iota(parent_.begin(), parent_.end(), 0u);
  }

  void link(std::uint32_t a, std::uint32_t b) {
    linked_[a].push_back(b);
    linked_[b].push_back(a);
  }

  void run(RunContext& run) {
    for (std::uint32_t i = 0; i < rows_; ++i) {
      tidy(linked_[i]);
      for (std::uint32_t other : linked_[i]) {
        if (i < other) offer(i, other);
      }
    }
    std::uint64_t joins = 0;
    while (!queue_.empty()) {
      const Candidate next = queue_.top();
      queue_.pop();
      if (gone(next.a) || gone(next.b)) continue;
      join(next.a, next.b);
      if (++joins % 256 == 0) run.progress("joining clusters", joins, rows_);
    }
  }

  std::uint32_t root(std::uint32_t i) {
    while (parent_[i] != i) i = parent_[i] = parent_[parent_[i]];
    return i;
  }

 private:
  bool gone(std::uint32_t i) const { return parent_[i] != i; }
  static void tidy(std::vector<std::uint32_t>& list) {
    std::sort(list.begin(), list.end());
    list.erase(std::unique(list.begin(), list.end()), list.end());
  }

  // The mean over all pairs is the product of the sums: sum_ij x_i . y_j = (sum_i x_i) . (sum_j
  // y_j)
  void offer(std::uint32_t a, std::uint32_t b) {
    const auto& x = sums_[a];
    const auto& y = sums_[b];
    double dot = 0;
    for (std::size_t i = 0; i < d_; ++i) dot += static_cast<double>(x[i]) * y[i];
    const double mean = dot / (static_cast<double>(sizes_[a]) * static_cast<double>(sizes_[b]));
    if (mean >= threshold_) queue_.push({mean, std::min(a, b), std::max(a, b)});
  }

  void join(std::uint32_t a, std::uint32_t b) {
    const auto made = static_cast<std::uint32_t>(parent_.size());
    parent_[a] = parent_[b] = made;
    parent_.push_back(made);
    sizes_.push_back(sizes_[a] + sizes_[b]);
    std::vector<float> sum = std::move(sums_[a]);
    sums_.push_back(std::move(sum));
    for (std::size_t i = 0; i < d_; ++i) sums_[made][i] += sums_[b][i];
    sums_[b] = {};
    std::vector<std::uint32_t> both = std::move(linked_[a]);
    both.insert(both.end(), linked_[b].begin(), linked_[b].end());
    linked_[a] = linked_[b] = {};
    for (std::uint32_t& other : both) other = root(other);
    std::erase(both, made);
    tidy(both);
    linked_.push_back(std::move(both));
    for (std::uint32_t other : linked_[made]) {
      linked_[other].push_back(made);
      offer(made, other);
    }
  }

  std::size_t d_;
  double threshold_;
  std::size_t rows_;
  std::vector<std::vector<float>> sums_;
  std::vector<std::uint64_t> sizes_;
  std::vector<std::vector<std::uint32_t>> linked_;
  std::vector<std::uint32_t> parent_;
  std::priority_queue<Candidate> queue_;
};

void check(std::span<const float> vectors, std::size_t dimension, const ClusterOptions& options) {
  const auto refuse = [](std::string message) {
    throw Error(ErrorCode::invalid_argument, std::move(message));
  };
  if (dimension == 0 || vectors.size() % dimension != 0) {
    refuse(std::to_string(vectors.size()) + " numbers are no rows of dimension " +
           std::to_string(dimension));
  }
  if (vectors.size() / dimension >= std::size_t{1} << 31) refuse("there are 2^31 rows or more");
  if (std::isnan(options.threshold)) refuse("the threshold is not a number");
  if (options.neighbours < 1 || options.neighbours > 1000) {
    refuse("neighbours is " + std::to_string(options.neighbours) + "; it is 1 to 1000");
  }
}

}  // namespace

std::vector<std::int32_t> cluster(std::span<const float> vectors, std::size_t dimension,
                                  const ClusterOptions& options, RunContext& run) {
  check(vectors, dimension, options);
  const std::size_t n = vectors.size() / dimension;
  Agglomeration clusters(vectors, dimension, options.threshold);
  {
    const VectorBlock block(vectors, dimension);
    constexpr std::size_t kAtOnce = 4096;
    for (std::size_t first = 0; first < n; first += kAtOnce) {
      run.progress("finding neighbours", first, n);
      const std::size_t count = std::min(kAtOnce, n - first);
      const auto hits = scan(block.rows(), vectors.subspan(first * dimension, count * dimension),
                             options.neighbours + 1, {}, run);
      for (std::size_t i = 0; i < count; ++i) {
        const auto row = static_cast<std::uint32_t>(first + i);
        std::size_t used = 0;
        for (const Hit& hit : hits[i]) {
          if (hit.row == row || used == options.neighbours) continue;
          if (hit.score < options.threshold) break;
          clusters.link(row, hit.row);
          ++used;
        }
      }
    }
  }
  clusters.run(run);
  std::vector<std::uint32_t> sizes(2 * n, 0);
  for (std::uint32_t i = 0; i < n; ++i) ++sizes[clusters.root(i)];
  std::vector<std::int32_t> number(2 * n, -1), out(n, -1);
  std::int32_t next = 0;
  for (std::uint32_t i = 0; i < n; ++i) {
    const std::uint32_t root = clusters.root(i);
    if (sizes[root] < options.min_size) continue;
    if (number[root] < 0) number[root] = next++;
    out[i] = number[root];
  }
  return out;
}

}  // namespace sosia::gallery

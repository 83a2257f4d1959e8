// Template pooling of the IJB protocols; see verification.hpp.

#include "evaluate/checks.hpp"
#include "sosia/evaluate/verification.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

namespace sosia::evaluate {
namespace {

void check_features(std::span<const float> features, std::size_t dim, std::size_t rows) {
  require_some(dim, "feature dimensions");
  require_some(rows, "features");
  if (features.size() / dim != rows || features.size() % dim != 0) {
    refuse(fmt::format("{} numbers are not {} rows of {}", features.size(), rows, dim));
  }
  for (std::size_t i = 0; i < features.size(); ++i) {
    if (!std::isfinite(features[i])) {
      refuse(fmt::format("features must be finite, but row {} column {} is {}", i / dim, i % dim,
                         features[i]));
    }
  }
}

double length_of(std::span<const double> vector) {
  double squares = 0.0;
  for (double value : vector) squares += value * value;
  return std::sqrt(squares);
}

// The factor that an image's feature enters its media mean with.
double image_weight(std::span<const float> feature, float detector_score, bool norm_is_quality) {
  if (norm_is_quality) return detector_score;
  double squares = 0.0;
  for (float value : feature) squares += double{value} * value;
  return squares > 0.0 ? detector_score / std::sqrt(squares) : 0.0;
}

}  // namespace

TemplateSet pool_templates(std::span<const float> features, std::size_t dim,
                           std::span<const std::int64_t> template_ids,
                           std::span<const std::int64_t> media_ids,
                           std::span<const float> detector_scores, const TemplateOptions& options) {
  const std::size_t rows = template_ids.size();
  check_features(features, dim, rows);
  require_same_size(rows, "template ids", media_ids.size(), "media ids");
  if (!detector_scores.empty()) {
    require_same_size(rows, "template ids", detector_scores.size(), "detector scores");
  }
  std::vector<std::size_t> order(rows);
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto key = [&](std::size_t row) { return std::pair{template_ids[row], media_ids[row]}; };
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return key(a) < key(b); });

  TemplateSet set;
  set.dim = dim;
  std::vector<double> sum(dim), media(dim);
  for (std::size_t i = 0; i < rows;) {
    const std::int64_t id = template_ids[order[i]];
    std::fill(sum.begin(), sum.end(), 0.0);
    while (i < rows && template_ids[order[i]] == id) {
      const std::size_t first = i;
      std::fill(media.begin(), media.end(), 0.0);
      for (; i < rows && key(order[i]) == key(order[first]); ++i) {
        const std::size_t row = order[i];
        const auto feature = features.subspan(row * dim, dim);
        const float score = detector_scores.empty() ? 1.0f : detector_scores[row];
        const double weight = image_weight(feature, score, options.norm_is_quality);
        for (std::size_t d = 0; d < dim; ++d) media[d] += weight * feature[d];
      }
      for (std::size_t d = 0; d < dim; ++d) sum[d] += media[d] / static_cast<double>(i - first);
    }
    const double length = length_of(sum);
    set.ids.push_back(id);
    for (double value : sum) {
      set.features.push_back(static_cast<float>(length > 0.0 ? value / length : 0.0));
    }
  }
  return set;
}

std::vector<double> template_scores(const TemplateSet& templates,
                                    std::span<const std::pair<std::int64_t, std::int64_t>> pairs) {
  const auto row_of = [&](std::int64_t id) {
    const auto found = std::lower_bound(templates.ids.begin(), templates.ids.end(), id);
    if (found == templates.ids.end() || *found != id) {
      refuse(fmt::format("template {} is in the list of pairs but has no features", id));
    }
    const auto row = static_cast<std::size_t>(found - templates.ids.begin());
    return std::span(templates.features).subspan(row * templates.dim, templates.dim);
  };
  std::vector<double> scores;
  scores.reserve(pairs.size());
  for (const auto& [first, second] : pairs) {
    const auto a = row_of(first);
    const auto b = row_of(second);
    scores.push_back(std::inner_product(a.begin(), a.end(), b.begin(), 0.0, std::plus<>(),
                                        [](float x, float y) { return double{x} * y; }));
  }
  return scores;
}

}  // namespace sosia::evaluate

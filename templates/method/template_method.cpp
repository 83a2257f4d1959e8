#include "template_room/methods/template_method/template_method.hpp"

#include "sosia/core/error.hpp"

#include <algorithm>
#include <cmath>

namespace sosia::template_room::template_method {

void describe(Fields& f, Options& o) {
  f({.name = "train_per_class", .help = "training points of each class", .min = 1, .max = 1e6},
    o.train_per_class);
  f({.name = "test_per_class", .help = "test points of each class", .min = 1, .max = 1e6},
    o.test_per_class);
  f({.name = "dimensions", .help = "coordinates of a point", .symbol = "d", .min = 1, .max = 64},
    o.dimensions);
  f({.name = "separation",
     .help = "distance of the class means, in standard deviations of each coordinate",
     .symbol = "delta",
     .min = 0,
     .max = 10},
    o.separation);
  f({.name = "scale_ratio",
     .help = "standard deviation of a coordinate over that of the one before",
     .min = 0.5,
     .max = 4},
    o.scale_ratio);
  f({.name = "standardise", .help = "divide each coordinate by its deviation within the classes"},
    o.standardise);
}

Points draw_clouds(const Options& options, std::size_t per_class, RandomStream stream) {
  Points points;
  points.dimensions = static_cast<std::size_t>(options.dimensions);
  points.x.reserve(2 * per_class * points.dimensions);
  points.y.reserve(2 * per_class);
  for (std::size_t i = 0; i < 2 * per_class; ++i) {
    const int label = static_cast<int>(i % 2);
    double scale = 1;
    for (std::size_t j = 0; j < points.dimensions; ++j) {
      const double mean = (label - 0.5) * options.separation;
      points.x.push_back(static_cast<float>(scale * (mean + stream.normal())));
      scale *= options.scale_ratio;
    }
    points.y.push_back(label);
  }
  return points;
}

NearestMean::NearestMean(const Points& train, bool standardise) : weight_(train.dimensions) {
  const std::size_t d = train.dimensions;
  std::vector<double> mean[2] = {std::vector<double>(d), std::vector<double>(d)};
  std::size_t count[2] = {0, 0};
  for (std::size_t i = 0; i < train.y.size(); ++i) {
    const std::size_t c = train.y[i] == 0 ? 0 : 1;
    ++count[c];
    for (std::size_t j = 0; j < d; ++j) mean[c][j] += train.row(i)[j];
  }
  if (count[0] == 0 || count[1] == 0) {
    throw Error(ErrorCode::invalid_argument, "the training points hold one class only",
                "give points with label 0 and with label 1");
  }
  std::vector<double> variance(d);
  for (std::size_t c = 0; c < 2; ++c) {
    for (double& m : mean[c]) m /= static_cast<double>(count[c]);
  }
  for (std::size_t i = 0; i < train.y.size(); ++i) {
    const std::vector<double>& m = mean[train.y[i] == 0 ? 0 : 1];
    for (std::size_t j = 0; j < d; ++j) {
      const double difference = train.row(i)[j] - m[j];
      variance[j] += difference * difference;
    }
  }
  for (std::size_t j = 0; j < d; ++j) {
    const double unit = standardise ? variance[j] / static_cast<double>(train.y.size()) : 1;
    // A coordinate without variance cannot be standardised; it gets no weight.
    weight_[j] = unit > 0 ? (mean[1][j] - mean[0][j]) / unit : 0;
    bias_ += weight_[j] * (mean[0][j] + mean[1][j]) / 2;
  }
}

int NearestMean::classify(std::span<const float> point) const {
  double sum = 0;
  for (std::size_t j = 0; j < weight_.size(); ++j) sum += weight_[j] * point[j];
  return sum > bias_ ? 1 : 0;
}

double accuracy(const NearestMean& model, const Points& test) {
  std::size_t right = 0;
  for (std::size_t i = 0; i < test.y.size(); ++i) {
    right += model.classify(test.row(i)) == test.y[i] ? 1 : 0;
  }
  return static_cast<double>(right) / static_cast<double>(std::max<std::size_t>(1, test.y.size()));
}

double bayes_accuracy(const Options& options) {
  const double d_prime = options.separation * std::sqrt(static_cast<double>(options.dimensions));
  return 0.5 * std::erfc(-d_prime / 2 / std::sqrt(2.0));
}

}  // namespace sosia::template_room::template_method

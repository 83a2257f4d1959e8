#pragma once
// Nearest class mean after standardisation, on two Gaussian clouds: a toy that stands where a
// method stands. Replace it.
//
// Reference: authors, "title", venue, year; the sections and equations that are implemented here.
// Deviations: the same list as in CARD.md.

#include "sosia/core/rng.hpp"
#include "template_room/methods/template_method/options.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace sosia::template_room::template_method {

/// Labelled points: `x` is n x d row-major float32, `y` holds 0 or 1 for each row.
struct Points {
  std::vector<float> x = {};
  std::vector<int> y = {};
  std::size_t dimensions = 0;
  std::span<const float> row(std::size_t i) const {
    return std::span(x).subspan(i * dimensions, dimensions);
  }
};

/// `per_class` points of each class. Coordinate j has standard deviation s_j = scale_ratio^j in
/// both classes, and the class means lie at -separation * s_j / 2 and +separation * s_j / 2.
/// Deterministic in the stream.
Points draw_clouds(const Options& options, std::size_t per_class, RandomStream stream);

/// Classifies by the nearer class mean. With `standardise` each coordinate is first divided by its
/// standard deviation within the classes.
///
/// Thread-safety: const members may be called from any thread.
class NearestMean {
 public:
  /// Throws invalid_argument when a class is absent.
  NearestMean(const Points& train, bool standardise);
  /// 0 or 1. `point` has as many coordinates as the training points.
  int classify(std::span<const float> point) const;

 private:
  std::vector<double> weight_;  // the linear rule is weight . x > bias
  double bias_ = 0;
};

/// The share of points that `model` classifies as labelled.
double accuracy(const NearestMean& model, const Points& test);

/// The accuracy of the best possible rule, Phi(separation * sqrt(dimensions) / 2): the clouds are
/// Gaussian with equal covariance, so it has a closed form.
double bayes_accuracy(const Options& options);

}  // namespace sosia::template_room::template_method

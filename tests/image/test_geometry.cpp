// Affine algebra and the least-squares similarity.

#include "sosia/core/error.hpp"
#include "sosia/image/geometry.hpp"

#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace sosia::image {
namespace {

void expect_near(const Affine& a, const Affine& b, double tolerance) {
  for (int i = 0; i < 6; ++i) {
    EXPECT_NEAR(a.m[i], b.m[i], tolerance) << i;
  }
}

/// Solves min |x' - (a x - b y + tx, b x + a y + ty)|^2 by its 4 x 4 normal equations and Gaussian
/// elimination: another way than the closed form under test.
std::array<double, 4> by_normal_equations(const std::vector<Point>& from,
                                          const std::vector<Point>& to) {
  double system[4][5] = {};
  for (std::size_t i = 0; i < from.size(); ++i) {
    const double rows[2][5] = {{from[i].x_px, -from[i].y_px, 1, 0, to[i].x_px},
                               {from[i].y_px, from[i].x_px, 0, 1, to[i].y_px}};
    for (const auto& row : rows) {
      for (int r = 0; r < 4; ++r) {
        for (int c = 0; c < 5; ++c) {
          system[r][c] += row[r] * row[c];
        }
      }
    }
  }
  for (int pivot = 0; pivot < 4; ++pivot) {
    int best = pivot;
    for (int r = pivot + 1; r < 4; ++r) {
      best = std::abs(system[r][pivot]) > std::abs(system[best][pivot]) ? r : best;
    }
    std::swap(system[pivot], system[best]);
    for (int r = 0; r < 4; ++r) {
      const double factor = r == pivot ? 0 : system[r][pivot] / system[pivot][pivot];
      for (int c = pivot; c < 5; ++c) {
        system[r][c] -= factor * system[pivot][c];
      }
    }
  }
  std::array<double, 4> solution{};
  for (int r = 0; r < 4; ++r) {
    solution[r] = system[r][4] / system[r][r];
  }
  return solution;
}

const std::vector<Point> kLandmarks{
    {120.5, 80.25}, {180.0, 92.5}, {149.0, 130.0}, {118.0, 150.5}, {165.5, 161.0}};
/// The five-point template of 112 x 112 face crops.
const std::vector<Point> kTemplate{{38.2946, 51.6963},
                                   {73.5318, 51.5014},
                                   {56.0252, 71.7366},
                                   {41.5493, 92.3655},
                                   {70.7299, 92.2041}};

TEST(Affine, AppliesComposesInverts) {
  const Affine quarter = Affine::similarity(2, std::numbers::pi / 2, 10, 20);
  const Point p = quarter.apply({3, 4});  // x axis turns to the y axis
  EXPECT_NEAR(p.x_px, 2, 1e-12);
  EXPECT_NEAR(p.y_px, 26, 1e-12);
  const Affine skew{{1.5, 0.25, 3, -0.5, 0.75, -7}};
  expect_near(skew.then(skew.inverse()), Affine{}, 1e-12);
  const Affine both = quarter.then(skew);
  const Point direct = both.apply({5, -6});
  const Point stepwise = skew.apply(quarter.apply({5, -6}));
  EXPECT_NEAR(direct.x_px, stepwise.x_px, 1e-12);
  EXPECT_NEAR(direct.y_px, stepwise.y_px, 1e-12);
  EXPECT_EQ(Affine::translation(1, 2).apply({3, 4}), (Point{4, 6}));
}

TEST(Affine, SingularIsRefused) {
  EXPECT_THROW((Affine{{1, 2, 0, 2, 4, 0}}.inverse()), Error);
  EXPECT_THROW((Affine{{0, 0, 0, 0, 0, 0}}.inverse()), Error);
  EXPECT_THROW((Affine{{1, 0, std::nan(""), 0, 1, 0}}.inverse()), Error);
  EXPECT_NO_THROW((Affine{{1e-9, 0, 0, 0, 1e-9, 0}}.inverse()));
}

TEST(Similarity, RecoversAKnownTransform) {
  const Affine known = Affine::similarity(0.37, -2.1, 14, -3);
  std::vector<Point> moved;
  for (const Point& p : kLandmarks) {
    moved.push_back(known.apply(p));
  }
  const SimilarityFit fit = estimate_similarity(kLandmarks, moved);
  expect_near(fit.transform, known, 1e-10);
  EXPECT_NEAR(fit.scale, 0.37, 1e-12);
  EXPECT_NEAR(fit.angle_rad, -2.1, 1e-12);
  EXPECT_LT(fit.rms_px, 1e-10);
}

TEST(Similarity, IsTheLeastSquaresSolution) {
  const SimilarityFit fit = estimate_similarity(kLandmarks, kTemplate);
  const auto [a, b, tx, ty] = by_normal_equations(kLandmarks, kTemplate);
  expect_near(fit.transform, Affine{{a, -b, tx, b, a, ty}}, 1e-8);
  double squares = 0;
  for (std::size_t i = 0; i < 5; ++i) {
    const Point p = fit.transform.apply(kLandmarks[i]);
    squares += std::pow(p.x_px - kTemplate[i].x_px, 2) + std::pow(p.y_px - kTemplate[i].y_px, 2);
  }
  EXPECT_NEAR(fit.rms_px, std::sqrt(squares / 5), 1e-12);
}

TEST(Similarity, NeverReflects) {
  std::vector<Point> mirrored;
  for (const Point& p : kTemplate) {
    mirrored.push_back({112 - p.x_px, p.y_px});
  }
  // The points in mirrored order would fit exactly by a reflection.
  const SimilarityFit fit = estimate_similarity(kTemplate, mirrored);
  EXPECT_GT(fit.transform.determinant(), 0);
  EXPECT_GT(fit.rms_px, 1);
}

TEST(Similarity, RefusesWhatHasNoSolution) {
  const std::vector<Point> one{{1, 1}};
  const std::vector<Point> same{{5, 5}, {5, 5}, {5, 5}};
  const std::vector<Point> line{{0, 0}, {1, 1}, {2, 2}};
  EXPECT_THROW(estimate_similarity(one, one), Error);
  EXPECT_THROW(estimate_similarity(line, one), Error);
  EXPECT_THROW(estimate_similarity(same, line), Error);
  EXPECT_THROW(estimate_similarity(line, same), Error);
  std::vector<Point> bad = line;
  bad[1].y_px = std::numeric_limits<double>::infinity();
  EXPECT_THROW(estimate_similarity(line, bad), Error);
  // Collinear points determine a similarity.
  EXPECT_NEAR(estimate_similarity(line, line).scale, 1, 1e-12);
}

}  // namespace
}  // namespace sosia::image

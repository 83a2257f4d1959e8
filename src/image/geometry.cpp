#include "sosia/image/geometry.hpp"

#include "sosia/core/error.hpp"

#include <algorithm>
#include <cmath>
#include <complex>

#include <fmt/format.h>

namespace sosia::image {
namespace {

using Complex = std::complex<double>;

Complex centroid(std::span<const Point> points) {
  Complex sum = 0;
  for (const Point& p : points) {
    sum += Complex(p.x_px, p.y_px);
  }
  return sum / static_cast<double>(points.size());
}

/// Whether the points are one point but for rounding.
bool coincide(double squared_spread, std::span<const Point> points) {
  double largest = 0;
  for (const Point& p : points) {
    largest = std::max({largest, std::abs(p.x_px), std::abs(p.y_px)});
  }
  return squared_spread <= 1e-24 * largest * largest * static_cast<double>(points.size()) ||
         squared_spread == 0;
}

}  // namespace

Affine Affine::translation(double dx_px, double dy_px) {
  return {{1, 0, dx_px, 0, 1, dy_px}};
}

Affine Affine::similarity(double scale, double angle_rad, double dx_px, double dy_px) {
  const double c = scale * std::cos(angle_rad);
  const double s = scale * std::sin(angle_rad);
  return {{c, -s, dx_px, s, c, dy_px}};
}

Point Affine::apply(Point p) const noexcept {
  return {m[0] * p.x_px + m[1] * p.y_px + m[2], m[3] * p.x_px + m[4] * p.y_px + m[5]};
}

Affine Affine::inverse() const {
  const double d = determinant();
  const double size = std::max({std::abs(m[0]), std::abs(m[1]), std::abs(m[3]), std::abs(m[4])});
  const bool finite = std::all_of(m.begin(), m.end(), [](double v) { return std::isfinite(v); });
  // A determinant that small against its terms is rounding noise.
  if (!finite || !std::isfinite(d) || std::abs(d) <= 1e-12 * size * size) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("the transform [{}, {}, {}; {}, {}, {}] cannot be inverted", m[0], m[1],
                            m[2], m[3], m[4], m[5]));
  }
  const double a = m[4] / d;
  const double b = -m[1] / d;
  const double c = -m[3] / d;
  const double e = m[0] / d;
  return {{a, b, -(a * m[2] + b * m[5]), c, e, -(c * m[2] + e * m[5])}};
}

Affine Affine::then(const Affine& next) const noexcept {
  const auto& n = next.m;
  return {{n[0] * m[0] + n[1] * m[3], n[0] * m[1] + n[1] * m[4], n[0] * m[2] + n[1] * m[5] + n[2],
           n[3] * m[0] + n[4] * m[3], n[3] * m[1] + n[4] * m[4], n[3] * m[2] + n[4] * m[5] + n[5]}};
}

SimilarityFit estimate_similarity(std::span<const Point> from, std::span<const Point> to) {
  if (from.size() != to.size() || from.size() < 2) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("estimate_similarity: {} points onto {}; it takes two or more pairs",
                            from.size(), to.size()));
  }
  for (std::size_t i = 0; i < from.size(); ++i) {
    for (double v : {from[i].x_px, from[i].y_px, to[i].x_px, to[i].y_px}) {
      if (!std::isfinite(v)) {
        throw Error(ErrorCode::invalid_argument,
                    fmt::format("estimate_similarity: point {} has the coordinate {}", i, v));
      }
    }
  }
  const Complex from_mean = centroid(from);
  const Complex to_mean = centroid(to);
  Complex covariance = 0;
  double from_spread = 0;
  double to_spread = 0;
  for (std::size_t i = 0; i < from.size(); ++i) {
    const Complex f = Complex(from[i].x_px, from[i].y_px) - from_mean;
    const Complex t = Complex(to[i].x_px, to[i].y_px) - to_mean;
    covariance += std::conj(f) * t;
    from_spread += std::norm(f);
    to_spread += std::norm(t);
  }
  if (coincide(from_spread, from) || coincide(to_spread, to)) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("estimate_similarity: the {} points to map {} coincide", from.size(),
                            coincide(from_spread, from) ? "from" : "to"));
  }
  const Complex turn = covariance / from_spread;
  const Complex shift = to_mean - turn * from_mean;

  SimilarityFit fit;
  fit.transform = {
      {turn.real(), -turn.imag(), shift.real(), turn.imag(), turn.real(), shift.imag()}};
  fit.scale = std::abs(turn);
  fit.angle_rad = std::arg(turn);
  double squared = 0;
  for (std::size_t i = 0; i < from.size(); ++i) {
    const Point p = fit.transform.apply(from[i]);
    squared += std::norm(Complex(p.x_px - to[i].x_px, p.y_px - to[i].y_px));
  }
  fit.rms_px = std::sqrt(squared / static_cast<double>(from.size()));
  return fit;
}

}  // namespace sosia::image

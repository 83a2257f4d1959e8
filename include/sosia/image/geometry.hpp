#pragma once
// Points, boxes and plane transforms in pixel coordinates.
//
// Coordinates, stated once for the whole room: x grows to the right, y downwards, and the *centre*
// of the top left pixel is (0, 0). A box from x = 10 with width 5 covers the pixels 10 to 14.

#include <array>
#include <span>

namespace sosia::image {

struct Point {
  double x_px = 0;
  double y_px = 0;
  friend bool operator==(const Point&, const Point&) = default;
};

/// An axis-aligned box: top left corner and extent.
struct Box {
  double x_px = 0;
  double y_px = 0;
  double width_px = 0;
  double height_px = 0;
  friend bool operator==(const Box&, const Box&) = default;
};

/// x' = m[0] x + m[1] y + m[2],  y' = m[3] x + m[4] y + m[5]: the 2x3 matrix, row by row.
struct Affine {
  std::array<double, 6> m{1, 0, 0, 0, 1, 0};

  static Affine translation(double dx_px, double dy_px);
  /// Scales about the origin, turns by `angle_rad` (from the x towards the y axis, which is
  /// clockwise on the screen), then moves.
  static Affine similarity(double scale, double angle_rad, double dx_px, double dy_px);

  Point apply(Point p) const noexcept;
  double determinant() const noexcept { return m[0] * m[4] - m[1] * m[3]; }
  /// Throws invalid_argument when the matrix is singular or not finite.
  Affine inverse() const;
  /// The transform that applies *this first and `next` second.
  Affine then(const Affine& next) const noexcept;
};

/// A least-squares similarity with its quality.
struct SimilarityFit {
  Affine transform;
  double scale = 1;
  double angle_rad = 0;  ///< -pi to pi
  double rms_px = 0;     ///< root mean square distance that is left
};

/// The similarity (scale, rotation, translation; never a reflection) that maps `from` onto `to`
/// with the least sum of squared distances. In the plane this is Umeyama's solution ("Least-squares
/// estimation of transformation parameters between two point patterns", PAMI 1991, eqs. 38-43) in
/// closed form: with complex points, scale and rotation are sum(conj(f) t) / sum(|f|^2) about the
/// centroids. Face alignment passes five landmarks and the template. Throws invalid_argument when
/// the sizes differ, fewer than two points are given, a coordinate is not finite, or all points of
/// `from` or all of `to` coincide.
SimilarityFit estimate_similarity(std::span<const Point> from, std::span<const Point> to);

}  // namespace sosia::image

#pragma once
// Pieces of the attack renderer.

#include "sosia/world/attack.hpp"
#include "world/canvas.hpp"

#include <array>

namespace sosia::world {

void check_attack(const AttackParameters& attack);

/// The projective map from the unit square (u to the right, v down) to four corners, and back
/// (P. Heckbert, Fundamentals of Texture Mapping and Image Warping, 1989, section 2.2.3).
class SquareToQuad {
 public:
  explicit SquareToQuad(const std::array<image::Point, 4>& corners);
  image::Point forward(double u, double v) const;
  /// (u, v) of a place in the picture.
  image::Point backward(double x, double y) const;

 private:
  std::array<double, 9> to_, from_;
};

/// Similarity x' = a x - b y + c, y' = b x + a y + d that maps five points onto five others with
/// the least squares; no angle is computed, so no library function either.
struct PlainSimilarity {
  double a = 1, b = 0, c = 0, d = 0;
  image::Point apply(image::Point p) const {
    return {a * p.x_px - b * p.y_px + c, b * p.x_px + a * p.y_px + d};
  }
};
PlainSimilarity fit_similarity(const std::array<image::Point, 5>& from,
                               const std::array<image::Point, 5>& to);

}  // namespace sosia::world

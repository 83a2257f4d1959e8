#include "sosia/face/quality.hpp"

#include "sosia/core/error.hpp"
#include "sosia/image/transform.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include <fmt/format.h>

namespace sosia::face {
namespace {

constexpr double kDegrees = 180 / std::numbers::pi;

/// A mean head in millimetres: x to the right of the picture, y down, z towards the camera,
/// centred. Distances of the eyes (63), eyes to mouth (67), mouth (50) and depth of the nose (30
/// before the eyes, 26 before the corners of the mouth) are those of adults (Farkas, "Anthropometry
/// of the Head and Face", 1994, rounded).
using Point3 = std::array<double, 3>;
constexpr std::array<Point3, 5> kHead{{{-31.5, -35.2, -10.8},
                                       {31.5, -35.2, -10.8},
                                       {0, 6.8, 19.2},
                                       {-25, 31.8, -6.8},
                                       {25, 31.8, -6.8}}};

/// The two rows of the affine camera that maps the centred head to the centred points with least
/// squares: A = P H^T (H H^T)^-1. x of the head is uncorrelated with y and z, so the normal matrix
/// is one number and one 2 x 2 block.
struct Camera {
  Point3 x{}, y{};
};

Camera fit_camera(const Landmarks& points) {
  double mean_x = 0, mean_y = 0;
  for (const image::Point& p : points) mean_x += p.x_px / 5, mean_y += p.y_px / 5;
  double xx = 0, yy = 0, yz = 0, zz = 0;
  Point3 bx{}, by{};
  for (std::size_t i = 0; i < points.size(); ++i) {
    const Point3& h = kHead[i];
    xx += h[0] * h[0], yy += h[1] * h[1], yz += h[1] * h[2], zz += h[2] * h[2];
    for (std::size_t k = 0; k < 3; ++k) {
      bx[k] += (points[i].x_px - mean_x) * h[k];
      by[k] += (points[i].y_px - mean_y) * h[k];
    }
  }
  const double det = yy * zz - yz * yz;
  const auto solve = [&](const Point3& b) {
    return Point3{b[0] / xx, (zz * b[1] - yz * b[2]) / det, (yy * b[2] - yz * b[1]) / det};
  };
  return {solve(bx), solve(by)};
}

/// A rising curve with `f(half) = 1/2`, 0 at 0, towards 1: v / (v + half).
double saturating(double value, double half) {
  return value <= 0 ? 0 : value / (value + half);
}

class GeometricQuality final : public FaceQuality {
 public:
  explicit GeometricQuality(const QualityOptions& options) : options_(options) {
    const bool good = options.low_eye_distance_px > 0 &&
                      options.high_eye_distance_px > options.low_eye_distance_px &&
                      options.half_blur_measure > 0 && options.half_yaw_deg > 0;
    if (!good) {
      throw Error(
          ErrorCode::invalid_argument,
          fmt::format("limits of quality must be positive and rise: eye distances {} and {} "
                      "px, blur {}, yaw {}",
                      options.low_eye_distance_px, options.high_eye_distance_px,
                      options.half_blur_measure, options.half_yaw_deg));
    }
  }

  Quality assess(const Detection& face, const Chip& chip,
                 std::optional<double> embedding_norm) const override {
    image::require_valid(chip.picture, "judging a face");
    Quality q;
    const Landmarks& p = face.landmarks;
    q.eye_distance_px = std::hypot(p[1].x_px - p[0].x_px, p[1].y_px - p[0].y_px);
    q.pose = estimate_pose(p);
    // The eyes of a turned head are nearer to each other: undo that, size is no matter of pose.
    const double turned = std::max(0.5, std::cos(q.pose.yaw_deg / kDegrees));
    q.size = size_part(q.eye_distance_px / turned);
    q.blur_measure = blur_measure(chip.picture);
    q.sharpness = saturating(q.blur_measure, options_.half_blur_measure);
    q.frontality = chip.degenerate ? 0 : frontality_part(q.pose);
    q.detection = std::clamp(face.score, 0.0, 1.0);
    q.embedding_norm = embedding_norm;
    // MagFace and AdaFace: norms of 10 to 30 go from unusable to good.
    if (embedding_norm) q.norm = std::clamp((*embedding_norm - 5) / 20, 0.0, 1.0);
    q.value = q.size * q.sharpness * q.frontality * q.detection * q.norm;
    return q;
  }

 private:
  double size_part(double eye_distance_px) const {
    const double low = options_.low_eye_distance_px, high = options_.high_eye_distance_px;
    if (!std::isfinite(eye_distance_px) || eye_distance_px <= low / 2) return 0;
    if (eye_distance_px <= low) return (eye_distance_px / low - 0.5);
    return std::min(1.0, 0.5 + 0.5 * (eye_distance_px - low) / (high - low));
  }

  /// exp(-ln 2 (yaw / half)^2) and the same for pitch: one half at either limit alone.
  double frontality_part(const Pose& pose) const {
    const double yaw = pose.yaw_deg / options_.half_yaw_deg;
    const double pitch = pose.pitch_deg / (options_.half_yaw_deg * 2 / 3);
    return std::exp2(-(yaw * yaw + pitch * pitch));
  }

  /// Variance of the Laplacian over the variance of the luma, of the middle of the chip at 96
  /// pixels: lighting scales both alike, and chips of 112 and 150 pixels become comparable.
  static double blur_measure(image::ImageView chip) {
    const int margin_x = chip.width_px / 6, margin_y = chip.height_px / 6;
    const image::ImageView inner = chip.width_px < 24 || chip.height_px < 24
                                       ? chip
                                       : chip.crop(margin_x, margin_y, chip.width_px - 2 * margin_x,
                                                   chip.height_px - 2 * margin_y);
    const image::Image grey = image::convert(
        image::resize(inner, 96, 96, image::Interpolation::area), image::Conversion::to_grey);
    double sum = 0, squares = 0;
    for (int y = 0; y < grey.height_px(); ++y) {
      for (int x = 0; x < grey.width_px(); ++x) {
        const double v = *grey.pixel(x, y);
        sum += v, squares += v * v;
      }
    }
    const double n = static_cast<double>(grey.width_px()) * grey.height_px();
    const double variance = squares / n - (sum / n) * (sum / n);
    // Below a contrast of one grey level there is nothing to be sharp.
    return variance < 1 ? 0 : image::laplacian_variance(grey) / variance;
  }

  QualityOptions options_;
};

}  // namespace

Pose estimate_pose(const Landmarks& points) {
  if (!landmark_complaint(points).empty()) return {};
  const Camera camera = fit_camera(points);
  // The camera is scale * R restricted to two rows; the head is turned first (yaw about y), then
  // tipped (pitch about x), then tilted (roll about z). R's middle column is (-sin roll cos pitch,
  // cos roll cos pitch, .), its last one after undoing roll (sin yaw, -sin pitch cos yaw, .).
  const double roll = std::atan2(-camera.x[1], camera.y[1]);
  const double c = std::cos(roll), s = std::sin(roll);
  const auto turned_back = [&](std::size_t k) {
    return std::array<double, 2>{c * camera.x[k] + s * camera.y[k],
                                 -s * camera.x[k] + c * camera.y[k]};
  };
  const auto across = turned_back(0), down = turned_back(1), out = turned_back(2);
  // Rows have the camera's scale as length: (cos yaw, 0, sin yaw) and
  // (sin pitch sin yaw, cos pitch, -sin pitch cos yaw).
  const double yaw = std::atan2(out[0], across[0]);
  const double pitch = std::atan2(-out[1] / std::max(0.2, std::cos(yaw)), down[1]);
  return {yaw * kDegrees, pitch * kDegrees, roll * kDegrees};
}

std::unique_ptr<FaceQuality> make_quality(const QualityOptions& options) {
  return std::make_unique<GeometricQuality>(options);
}

}  // namespace sosia::face

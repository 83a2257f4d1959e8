#pragma once
// Quality: whether a face is worth enrolling or deciding on.

#include "sosia/face/aligner.hpp"
#include "sosia/face/face.hpp"

#include <memory>
#include <optional>

namespace sosia::face {

/// Where the parts of quality reach 1 and where they are 0.
struct QualityOptions {
  /// Distance of the eyes in the picture: 0 at half of `low`, one half at `low`, 1 from `high` on
  /// (ISO/IEC 19794-5 asks for 90 pixels between the eyes, recognisers of 112 pixels see 35).
  double low_eye_distance_px = 16;
  double high_eye_distance_px = 35;
  /// `Quality::blur_measure` at which sharpness is one half.
  double half_blur_measure = 0.01;
  double half_yaw_deg = 45;  ///< frontality is one half at this yaw (and at 2/3 of it of pitch)
};

/// Judges faces. Thread-safety: immutable.
class FaceQuality {
 public:
  virtual ~FaceQuality() = default;
  /// `chip` is the aligned face of `face`. `embedding_norm` is given where the embedder's card says
  /// that the norm tells quality. Throws invalid_argument for an invalid chip.
  virtual Quality assess(const Detection& face, const Chip& chip,
                         std::optional<double> embedding_norm = {}) const = 0;
};

/// Quality from geometry, sharpness and score; no network.
std::unique_ptr<FaceQuality> make_quality(const QualityOptions& options = {});

/// Turn of the head from five points, by the affine camera and a mean head in three dimensions; a
/// few degrees right for frontal faces, a rough figure beyond 40. Points that are no face's give
/// zeros.
Pose estimate_pose(const Landmarks& points);

}  // namespace sosia::face

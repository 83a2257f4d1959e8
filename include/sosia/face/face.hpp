#pragma once
// A face in a picture: where it is, its five points, and how good it is for recognition.

#include "sosia/image/geometry.hpp"

#include <array>
#include <optional>

namespace sosia::face {

/// Left eye, right eye, tip of the nose, left and right corner of the mouth; "left" is the left of
/// the picture, as in alignment templates.
using Landmarks = std::array<image::Point, 5>;

/// A face as a detector gives it, in pixels of the picture that it was given.
struct Detection {
  image::Box box = {};  ///< may leave the picture
  double score = 0;     ///< in [0, 1]; detectors do not share a scale
  Landmarks landmarks = {};
};

/// Turn of the head in degrees, estimated from five points. Signs as in the world room: positive
/// yaw turns the face to the right of the picture, positive pitch looks up, positive roll tilts the
/// head clockwise as seen.
struct Pose {
  double yaw_deg = 0;
  double pitch_deg = 0;
  double roll_deg = 0;
};

/// How good a face is for recognition: one number and what it is made of.
struct Quality {
  double value = 0;  ///< in [0, 1], higher is better: the product of the parts

  // Parts in [0, 1], higher is better.
  double size = 0;        ///< from `eye_distance_px`
  double sharpness = 0;   ///< from `blur_measure`
  double frontality = 0;  ///< from `pose`
  double detection = 0;   ///< from the detector's score
  double norm = 1;        ///< from `embedding_norm`; 1 where the card gives the norm no meaning

  // What was measured.
  double eye_distance_px = 0;  ///< in the picture
  double blur_measure = 0;     ///< variance of the Laplacian of the aligned face, per contrast
  Pose pose = {};
  std::optional<double> embedding_norm = {};  ///< before it was brought to length 1
};

/// Intersection over union of two boxes, in [0, 1]; 0 when one has no area.
double overlap(const image::Box& a, const image::Box& b) noexcept;

}  // namespace sosia::face

#pragma once
// Alignment: from a face in a picture to the small picture that a network wants.

#include "sosia/face/face.hpp"
#include "sosia/image/image.hpp"
#include "sosia/models/card.hpp"

#include <memory>
#include <string>

namespace sosia::face {

/// An aligned face.
struct Chip {
  image::Image picture = {};
  /// From picture to chip.
  image::Affine transform = {};
  /// Pixels of the chip per pixel of the picture: above 1 the face was enlarged.
  double scale = 1;
  /// Root mean square distance of the moved points from the template, in pixels of the chip; 0 for
  /// alignments by box.
  double rms_px = 0;
  /// The points cannot be those of a face (they coincide, are mirrored, or lie far off the
  /// template): the chip was cut from the box, upright, instead.
  bool degenerate = false;
};

/// Cuts faces out. Thread-safety: immutable.
class FaceAligner {
 public:
  virtual ~FaceAligner() = default;
  /// An RGB chip of `extent()`. Outside the picture is black (alignment by points, letterbox) or
  /// the nearest pixel (FaceNet margin and plain boxes are cut to the picture, as their packages
  /// do). Throws invalid_argument for an invalid view, and when the box has no area or is not
  /// finite.
  virtual Chip align(image::ImageView picture, const Detection& face) const = 0;
  virtual image::Extent extent() const noexcept = 0;
  /// What decides which pixels are cut, for `model_hash`: "arcface/112", ...
  virtual const std::string& identity() const noexcept = 0;
};

/// The aligner that a card asks for: arcface_112 (at 112, 128 and their multiples, see
/// `arcface_template`), dlib_150, face_margin, box, box_letterbox. Throws unsupported for
/// alignments that are no face's and for free or impossible extents.
std::unique_ptr<FaceAligner> make_aligner(const models::InputSpec& input);

/// The ArcFace template for a square of `size_px`: five points of 112 x 112 scaled by size / 112;
/// for multiples of 128 scaled by size / 128 and moved right by 8 * size / 128. Throws
/// invalid_argument for other sizes. Reference: insightface, utils/face_align.py (estimate_norm).
Landmarks arcface_template(int size_px);

/// Where dlib's face chips of 150 pixels and padding 0.25 have the five points.
const Landmarks& dlib_template();

/// Whether five points can be those of a face: finite, eyes and mouth apart, in order, mouth below
/// the eyes in the face's own upright, similar to a frontal or profile face. "" when they can, else
/// what is wrong, in a sentence.
std::string landmark_complaint(const Landmarks& points);

}  // namespace sosia::face

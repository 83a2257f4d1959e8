#pragma once
// MTCNN: proposals, refinement, output with five points.
//
// Reference: Zhang et al., "Joint Face Detection and Alignment using Multi-task Cascaded
// Convolutional Networks", arXiv 1604.02878; numbers and conventions as in the package mtcnn 1.0.0
// (stages/*.py, utils/bboxes.py). Deviations: the pyramid goes on until the smallest side is 12, so
// that faces filling the picture are found (the package stops two levels earlier); patches are
// sampled from the pyramid, so that large ones do not alias; and the output net, which finds a face
// in one look, looks at it four times more: in two windows about what it found, each as it is and
// mirrored. The mean of these puts the points on the same places of a face whatever the pyramid,
// and its score tells faces from what is none better than the first (bench/face/face_report).

#include "face/pyramid.hpp"
#include "sosia/face/detector.hpp"
#include "sosia/models/network.hpp"

#include <memory>
#include <span>
#include <string>
#include <vector>

namespace sosia::face {

/// Scales of the pyramid in which faces from `min_face_px` to the shorter side are 12 pixels:
/// 12 / min_face * 0.709^k, at most `max_enlarge`.
std::vector<double> mtcnn_scales(image::Extent extent, double min_face_px, double max_enlarge);

/// A window of the first network: named by its corners, as the package does.
struct Corners {
  double x1 = 0, y1 = 0, x2 = 0, y2 = 0;
  double score = 0;
};

/// Cells of one level whose probability is above `threshold`, as windows of the original.
/// `scores`: 2 x rows x columns, `boxes`: 4 x rows x columns, of which the first `used_rows` and
/// `used_columns` count (the rest saw padding).
struct ProposalMap {
  std::span<const float> scores = {}, boxes = {};
  int rows = 0, columns = 0, used_rows = 0, used_columns = 0;
};
std::vector<Corners> mtcnn_proposals(const ProposalMap& map, double scale_x, double scale_y,
                                     double threshold);

/// Which way round a window is shown to a network.
enum class Side { as_is, mirrored };

/// The last network alone, for boxes that come from other detectors as well.
class OutputNet {
 public:
  OutputNet(const models::ModelStore& store, const models::ModelCard& card,
            const models::NetworkOptions& options);

  /// One detection per window: box, probability and points, by one look. Windows should be square.
  std::vector<Detection> look(const Pyramid& pyramid, std::span<const Corners> windows) const;

  /// Replaces each face by the mean of four looks at it: score, box and points.
  void settle(const Pyramid& pyramid, std::span<Detection> faces) const;

  /// What decides where boxes and points are put, version included. Part of the identity of every
  /// detector that asks this network.
  const std::string& identity() const noexcept { return identity_; }

 private:
  std::vector<Detection> look(const Pyramid& pyramid, std::span<const Corners> windows,
                              Side side) const;

  std::string identity_;
  models::Network net_;
  std::size_t boxes_, landmarks_, scores_;
};

std::unique_ptr<FaceDetector> open_mtcnn(const models::ModelStore& store,
                                         const models::ModelCard& card,
                                         const models::NetworkOptions& options);

}  // namespace sosia::face

#pragma once
// Detectors: from a picture to faces.

#include "sosia/face/face.hpp"
#include "sosia/image/image.hpp"
#include "sosia/models/network.hpp"
#include "sosia/models/store.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sosia::face {

/// The card that is used when none is named: the MTCNN cascade.
inline constexpr std::string_view kDefaultDetector = "mtcnn";

struct DetectOptions {
  /// Faces whose longer side is smaller are not looked for, nor reported; 8 or more.
  double min_face_px = 22;
  /// Detections below it are dropped; nothing takes the card's threshold.
  std::optional<double> min_score = {};
  /// A small picture is enlarged by at most this before it is searched, 1 to 2. More costs
  /// recognition accuracy and finds nothing.
  double max_enlarge = 2;
};

/// Finds faces of all sizes, from `min_face_px` to those that fill the picture.
///
/// Thread-safety: `detect` may be called from any thread; what `models::NetworkOptions::parallel`
/// says bounds the number that proceed at once. The same picture gives the same faces whatever else
/// runs.
class FaceDetector {
 public:
  virtual ~FaceDetector() = default;

  /// Faces in falling order of score. `picture` has 1, 3 or 4 channels (alpha is ignored). No face
  /// is an empty list. Throws invalid_argument for an invalid view or option.
  virtual std::vector<Detection> detect(image::ImageView picture,
                                        const DetectOptions& options = {}) const = 0;

  /// Name of the card.
  virtual const std::string& name() const noexcept = 0;
  /// What decides where points are put: decoder and hashes of all networks, for `model_hash`.
  virtual const std::string& identity() const noexcept = 0;
};

/// Opens a detector by its card: decoder "mtcnn" (a bundle of three nets), "mmod", "scrfd" or
/// "yunet". A detector without points of its own (mmod, SCRFD files with six outputs) takes them
/// from MTCNN's output net, whose card must be there. Throws as `models::Network::open`, and
/// unsupported for a card that is no face detector or whose decoder is not one of these.
std::unique_ptr<FaceDetector> open_detector(const models::ModelStore& store,
                                            std::string_view card = kDefaultDetector,
                                            const models::NetworkOptions& options = {});

}  // namespace sosia::face

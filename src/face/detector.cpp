#include "sosia/face/detector.hpp"

#include "face/anchors.hpp"
#include "face/mmod.hpp"
#include "face/mtcnn.hpp"
#include "sosia/core/error.hpp"

#include <string>

namespace sosia::face {

std::unique_ptr<FaceDetector> open_detector(const models::ModelStore& store, std::string_view card,
                                            const models::NetworkOptions& options) {
  const models::ModelCard& found = store.at(card);
  if (found.role != models::Role::face_detector) {
    throw Error(ErrorCode::unsupported,
                "the card " + found.name + " is one of " + std::string(to_string(found.role)) +
                    ", not of a face detector",
                "sosia models list --role face_detector names those that are");
  }
  const std::string& decoder = found.output.decoder;
  if (decoder == "mtcnn") return open_mtcnn(store, found, options);
  if (decoder == "mmod") return open_mmod(store, found, options);
  if (decoder == "scrfd" || decoder == "yunet") return open_anchors(store, found, options);
  throw Error(ErrorCode::unsupported,
              "the card " + found.name + " has the decoder '" + decoder + "'",
              "known are mtcnn, mmod, scrfd and yunet");
}

}  // namespace sosia::face

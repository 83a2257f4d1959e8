#include "face/mmod.hpp"

#include "face/detector_parts.hpp"
#include "face/geometry.hpp"
#include "face/mtcnn.hpp"
#include "sosia/core/error.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

namespace sosia::face {
namespace {

// The network answers for windows of 80 pixels; cell (x, y) is centred at (8 x + 14, 8 y + 14).
constexpr double kWindow = 80, kStride = 8, kOffset = 14;
constexpr double kStep = 5.0 / 6;  // pyramid_down<6>
// Windows of one face overlap more than this (the detector's own rule covers both shares).
constexpr double kMostUnion = 0.3;

/// The map is a margin: 0 decides, about 1 is sure. As a probability it is 1 / (1 + exp(-2 m)).
double probability(double margin) {
  return 1 / (1 + std::exp(-2 * margin));
}

class Mmod final : public FaceDetector {
 public:
  Mmod(const models::ModelStore& store, const models::ModelCard& card,
       const models::ModelCard& points, const models::NetworkOptions& options)
      : name_(card.name),
        min_score_(card.threshold ? card.threshold->value : 0.5),
        spec_(card.input),
        net_(models::Network::open(card, store, options)),
        output_(store, points, options),
        identity_("mmod/1 " + card.sha256 + " " + output_.identity()) {}

  std::vector<Detection> detect(image::ImageView picture,
                                const DetectOptions& options) const override {
    require_options(picture, options);
    image::Image storage;
    const image::ImageView rgb = as_rgb(picture, storage);
    std::vector<double> scales;
    // Faces larger than the window by half a step are found on the level where they are smaller.
    const double shorter = std::min(rgb.width_px, rgb.height_px);
    for (double s = std::min(kWindow / options.min_face_px, options.max_enlarge);
         scales.empty() || shorter * s >= kWindow / 2; s *= kStep) {
      scales.push_back(s);
    }
    const Pyramid pyramid(rgb, scales);
    const double least = options.min_score.value_or(min_score_);
    std::vector<Detection> faces;
    for (const Level& level : pyramid.levels()) scan(level, least, faces);
    suppress(faces, kMostUnion, OverlapRule::over_union);
    suppress(faces, 0.6, OverlapRule::over_smaller);
    take_points(output_, pyramid, faces);
    drop_small(faces, options.min_face_px);
    return faces;
  }

  const std::string& name() const noexcept override { return name_; }
  const std::string& identity() const noexcept override { return identity_; }

 private:
  void scan(const Level& level, double least, std::vector<Detection>& faces) const {
    const models::Tensor map = net_.run(padded_tensor(spec_, level.picture, 32)).front();
    const std::int64_t rows = map.shape[2], columns = map.shape[3];
    for (std::int64_t y = 0; y < rows; ++y) {
      for (std::int64_t x = 0; x < columns; ++x) {
        const double score = probability(map.values[static_cast<std::size_t>(y * columns + x)]);
        const double cx = kStride * static_cast<double>(x) + kOffset;
        const double cy = kStride * static_cast<double>(y) + kOffset;
        if (!(score > least) || cx >= level.picture.width_px || cy >= level.picture.height_px) {
          continue;
        }
        Detection face;
        face.score = score;
        face.box = {(cx - kWindow / 2) / level.scale_x, (cy - kWindow / 2) / level.scale_y,
                    kWindow / level.scale_x, kWindow / level.scale_y};
        faces.push_back(face);
      }
    }
  }

  std::string name_;
  double min_score_;
  models::InputSpec spec_;
  models::Network net_;
  OutputNet output_;
  std::string identity_;
};

}  // namespace

std::unique_ptr<FaceDetector> open_mmod(const models::ModelStore& store,
                                        const models::ModelCard& card,
                                        const models::NetworkOptions& options) {
  return std::make_unique<Mmod>(store, card, store.at("mtcnn-o"), options);
}

}  // namespace sosia::face

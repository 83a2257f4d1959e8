#include "face/anchors.hpp"

#include "face/detector_parts.hpp"
#include "face/geometry.hpp"
#include "face/mtcnn.hpp"
#include "sosia/core/error.hpp"
#include "sosia/image/transform.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>

namespace sosia::face {
namespace {

// Faces of so many pixels in the network's input are still found.
constexpr double kSmallestPx = 12;
// Pictures are brought to this longer side where small faces do not ask for more: the side that
// these networks were trained at.
constexpr double kUsualSide = 640;
// A second look at this longer side finds faces that fill the picture (insightface 1.0 joins 640
// and 128 for the same reason).
constexpr double kCoarseSide = 160;
// Tiles of a large picture share so much: faces that fit are whole in one of them.
constexpr int kTileOverlap = 128;

/// One run: the picture at `scale`, of which the window at (x, y) goes into the input's top left
/// corner.
struct Pass {
  double scale = 1;
  int x = 0, y = 0, width = 0, height = 0;
};

image::Extent scaled(image::Extent e, double scale) {
  const auto side = [&](int px) { return std::max(1, static_cast<int>(std::lround(px * scale))); };
  return {side(e.width_px), side(e.height_px)};
}

/// Bilinear down to half of the sides, where two by two pixels leave nothing out and cost a tenth
/// of what areas do. MTCNN's first net, which sees faces at 12 pixels, does lose some by it.
image::Image resized(image::ImageView picture, image::Extent e) {
  const bool by_much = 2 * e.width_px < picture.width_px || 2 * e.height_px < picture.height_px;
  return image::resize(picture, e.width_px, e.height_px,
                       by_much ? image::Interpolation::area : image::Interpolation::bilinear);
}

Pass whole(image::Extent e, double scale) {
  const image::Extent s = scaled(e, scale);
  return {scale, 0, 0, s.width_px, s.height_px};
}

/// Start positions of tiles of `tile` that cover `length`.
std::vector<int> tile_starts(int length, int tile) {
  std::vector<int> starts{0};
  if (length <= tile) return starts;
  const int step = std::max(1, tile - kTileOverlap);
  const int count = (length - tile + step - 1) / step;
  for (int i = 1; i <= count; ++i) starts.push_back((length - tile) * i / count);
  return starts;
}

class AnchorDetector final : public FaceDetector {
 public:
  AnchorDetector(const models::ModelStore& store, const models::ModelCard& card,
                 const models::NetworkOptions& options)
      : name_(card.name),
        spec_(card.input),
        net_(models::Network::open(card, store, options)),
        layout_(card.output.decoder == "yunet" ? yunet_layout(net_.outputs())
                                               : scrfd_layout(net_.outputs())),
        yunet_(layout_.kind == AnchorLayout::Kind::yunet),
        min_score_(card.threshold ? card.threshold->value
                   : yunet_       ? 0.7
                                  : 0.5),
        identity_(card.output.decoder + "/2 " + card.sha256) {
    if (!layout_.has_points) {
      points_.emplace(store, store.at("mtcnn-o"), options);
      identity_ += " " + points_->identity();
    }
  }

  std::vector<Detection> detect(image::ImageView picture,
                                const DetectOptions& options) const override {
    require_options(picture, options);
    image::Image storage;
    const image::ImageView rgb = as_rgb(picture, storage);
    const double least = options.min_score.value_or(min_score_);
    std::vector<Detection> faces;
    const std::vector<Pass> passes = plan(rgb.extent(), options);
    image::Image level;
    double level_scale = 0;
    for (const Pass& pass : passes) {
      if (pass.scale != level_scale) {
        const image::Extent e = scaled(rgb.extent(), pass.scale);
        // A smaller level is as good from the one before, unless that was enlarged.
        const bool again = level_scale > 0 && level_scale <= 1 && pass.scale < level_scale;
        level = resized(again ? level.view() : rgb, e);
        level_scale = pass.scale;
      }
      run(level.view().crop(pass.x, pass.y, pass.width, pass.height), pass, least, faces);
    }
    if (yunet_) {
      suppress(faces, 0.3, OverlapRule::over_union);
    } else {
      suppress(faces, 0.4, OverlapRule::over_union, 1);
    }
    // The same face at another scale, or cut by the edge of a tile.
    if (passes.size() > 1) suppress(faces, 0.7, OverlapRule::over_smaller);
    if (points_) {
      const std::vector<double> halves{0.5, 0.25, 0.125};
      take_points(*points_, Pyramid(rgb, halves), faces);
    }
    drop_small(faces, options.min_face_px);
    return faces;
  }

  const std::string& name() const noexcept override { return name_; }
  const std::string& identity() const noexcept override { return identity_; }

 private:
  std::vector<Pass> plan(image::Extent e, const DetectOptions& options) const {
    const double longer = std::max(e.width_px, e.height_px);
    const auto width = spec_.width_px(), height = spec_.height_px();
    const double wanted = kSmallestPx / options.min_face_px;
    std::vector<Pass> passes;
    double scale = 0;
    if (width < 0 || height < 0) {
      scale = std::min(options.max_enlarge, std::max(wanted, kUsualSide / longer));
      passes.push_back(whole(e, scale));
    } else {
      const double fit = std::min({static_cast<double>(width) / e.width_px,
                                   static_cast<double>(height) / e.height_px, options.max_enlarge});
      scale = fit;
      passes.push_back(whole(e, fit));
      if (wanted > fit * 1.05 && fit < options.max_enlarge) {
        const double fine = std::min(wanted, options.max_enlarge);
        const image::Extent s = scaled(e, fine);
        const int tile_width = std::min(static_cast<int>(width), s.width_px);
        const int tile_height = std::min(static_cast<int>(height), s.height_px);
        for (const int y : tile_starts(s.height_px, static_cast<int>(height))) {
          for (const int x : tile_starts(s.width_px, static_cast<int>(width))) {
            passes.push_back({fine, x, y, tile_width, tile_height});
          }
        }
      }
    }
    if (scale * longer > 2 * kCoarseSide) passes.push_back(whole(e, kCoarseSide / longer));
    return passes;
  }

  void run(image::ImageView picture, const Pass& pass, double least,
           std::vector<Detection>& faces) const {
    models::Tensor input;
    image::Extent extent{};
    if (spec_.width_px() < 0 || spec_.height_px() < 0) {
      input = padded_tensor(spec_, picture, 32);
    } else {
      image::Image canvas(static_cast<int>(spec_.width_px()), static_cast<int>(spec_.height_px()),
                          3);
      for (int y = 0; y < std::min(picture.height_px, canvas.height_px()); ++y) {
        const int pixels = std::min(picture.width_px, canvas.width_px());
        std::copy_n(picture.row(y), 3 * static_cast<std::ptrdiff_t>(pixels), canvas.row(y));
      }
      input = models::image_tensor(spec_, canvas);
    }
    extent = {static_cast<int>(input.shape[3]), static_cast<int>(input.shape[2])};
    std::vector<Detection> found = decode_anchors(layout_, net_.run(input), extent, least);
    for (Detection& face : found) {
      const auto back = [&](double v, int offset) { return (v + offset) / pass.scale; };
      face.box = {back(face.box.x_px, pass.x), back(face.box.y_px, pass.y),
                  face.box.width_px / pass.scale, face.box.height_px / pass.scale};
      for (image::Point& p : face.landmarks) {
        p = {back(p.x_px, pass.x), back(p.y_px, pass.y)};
      }
      if (finite(face.box) && finite(face.landmarks)) faces.push_back(face);
    }
  }

  std::string name_;
  models::InputSpec spec_;
  models::Network net_;
  AnchorLayout layout_;
  bool yunet_;
  double min_score_;
  std::string identity_;
  std::optional<OutputNet> points_;
};

}  // namespace

std::unique_ptr<FaceDetector> open_anchors(const models::ModelStore& store,
                                           const models::ModelCard& card,
                                           const models::NetworkOptions& options) {
  return std::make_unique<AnchorDetector>(store, card, options);
}

}  // namespace sosia::face

#include "face/mtcnn.hpp"

#include "face/detector_parts.hpp"
#include "face/geometry.hpp"
#include "sosia/core/error.hpp"
#include "sosia/image/transform.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>

namespace sosia::face {
namespace {

/// Changes whenever boxes or points of the output net move, for whichever detector asks it:
/// vectors of faces that were cut by other points are not compared.
constexpr std::string_view kVersion = "mtcnn/2";

constexpr double kStep = 0.709;  // sqrt(1/2): each level has half the pixels
constexpr int kCell = 12;
constexpr int kStride = 2;
constexpr double kProposalThreshold = 0.6;
constexpr double kRefineThreshold = 0.7;
constexpr double kCandidateThreshold = 0.6;
// Of the settled score. Whatever the smallest face wanted (20 to 24 pixels), each of the 43 faces
// of the nine annotated group photos of dlib has 0.77 or more, and what is no face there at most
// 0.6.
constexpr double kOutputThreshold = 0.7;
// Sides of the windows that settle a face, in sides of the square about its box: with both the
// points depend little on where the first window lay.
constexpr std::array kSettleScales{1.0, 1.2};
// Above so many windows a picture is texture; the best ones are looked at.
constexpr std::size_t kMostWindows = 4096;

double width(const Corners& c) {
  return c.x2 - c.x1;
}
double height(const Corners& c) {
  return c.y2 - c.y1;
}

image::Box box_of(const Corners& c) {
  return {c.x1, c.y1, width(c), height(c)};
}

void suppress_corners(std::vector<Corners>& windows, double most) {
  std::vector<ScoredBox> boxes;
  boxes.reserve(windows.size());
  for (const Corners& w : windows) boxes.push_back({box_of(w), w.score});
  std::vector<Corners> kept;
  for (const std::size_t i : suppress(boxes, most, OverlapRule::over_union)) {
    kept.push_back(windows[i]);
  }
  windows = std::move(kept);
}

void keep_best(std::vector<Corners>& windows) {
  if (windows.size() <= kMostWindows) return;
  std::stable_sort(windows.begin(), windows.end(),
                   [](const Corners& a, const Corners& b) { return a.score > b.score; });
  windows.resize(kMostWindows);
}

/// The square of the longer side about the same centre.
Corners squared(Corners c) {
  const double side = std::max(width(c), height(c));
  c.x1 += (width(c) - side) / 2;
  c.y1 += (height(c) - side) / 2;
  c.x2 = c.x1 + side;
  c.y2 = c.y1 + side;
  return c;
}

/// Moves the corners by offsets that are shares of width and height (each one pixel more, as the
/// package counts them).
Corners adjusted(Corners c, std::span<const float> offsets) {
  const double w = width(c) + 1, h = height(c) + 1;
  c.x1 += offsets[0] * w;
  c.y1 += offsets[1] * h;
  c.x2 += offsets[2] * w;
  c.y2 += offsets[3] * h;
  return c;
}

/// Turns every row of `size` numbers around.
void mirror_rows(std::vector<float>& values, std::size_t size) {
  for (auto at = values.begin(); at != values.end(); at += static_cast<std::ptrdiff_t>(size)) {
    std::reverse(at, at + static_cast<std::ptrdiff_t>(size));
  }
}

/// The square of `scale` times the longer side about the centre of a box.
Corners window_about(const image::Box& box, double scale) {
  Corners c = squared({box.x_px, box.y_px, box.x_px + box.width_px, box.y_px + box.height_px, 0});
  const double more = width(c) * (scale - 1) / 2;
  return {c.x1 - more, c.y1 - more, c.x2 + more, c.y2 + more, 0};
}

/// What was seen in the mirror image of a window, as in the window; `ends` is the sum of its two x.
/// What is on the left of a mirror image is on the right.
Detection mirrored_back(Detection seen, double ends) {
  seen.box.x_px = ends - (seen.box.x_px + seen.box.width_px);
  for (image::Point& p : seen.landmarks) p.x_px = ends - p.x_px;
  std::swap(seen.landmarks[0], seen.landmarks[1]);
  std::swap(seen.landmarks[3], seen.landmarks[4]);
  return seen;
}

/// Adds a share of `seen` to a mean.
void add(Detection& mean, const Detection& seen, double share) {
  mean.score += share * seen.score;
  mean.box.x_px += share * seen.box.x_px;
  mean.box.y_px += share * seen.box.y_px;
  mean.box.width_px += share * seen.box.width_px;
  mean.box.height_px += share * seen.box.height_px;
  for (std::size_t k = 0; k < mean.landmarks.size(); ++k) {
    mean.landmarks[k].x_px += share * seen.landmarks[k].x_px;
    mean.landmarks[k].y_px += share * seen.landmarks[k].y_px;
  }
}

/// Runs `net` over square windows, in batches of 32 and, for what remains, of falling powers of
/// two: the engine prepares itself anew for every shape, so there should be few, and none of a row
/// that is thrown away. Calls `each(window index, outputs, row)`.
template <class Each>
void run_windows(const models::Network& net, const Pyramid& pyramid,
                 std::span<const Corners> windows, int size_px, Side side, const Each& each) {
  constexpr std::size_t kBatch = 32;
  for (std::size_t first = 0, count = kBatch; first < windows.size(); first += count) {
    while (count > windows.size() - first) count /= 2;
    const auto size = static_cast<std::size_t>(size_px);
    models::Tensor batch;
    batch.shape = {static_cast<std::int64_t>(count), 3, size_px, size_px};
    batch.values.resize(count * 3 * size * size);
    for (std::size_t i = 0; i < count; ++i) {
      const Corners& w = windows[first + i];
      sample_square(pyramid, {w.x1, w.y1, width(w)}, size_px, batch, i);
    }
    if (side == Side::mirrored) mirror_rows(batch.values, size);
    const std::vector<models::Tensor> outputs = net.run(batch);
    for (std::size_t i = 0; i < count; ++i) each(first + i, outputs, i);
  }
}

class Mtcnn final : public FaceDetector {
 public:
  Mtcnn(const models::ModelStore& store, const models::ModelCard& card,
        std::array<const models::ModelCard*, 3> parts, const models::NetworkOptions& options)
      : name_(card.name),
        min_score_(card.threshold ? card.threshold->value : kOutputThreshold),
        p_spec_(parts[0]->input),
        p_(models::Network::open(*parts[0], store, options)),
        r_(models::Network::open(*parts[1], store, options)),
        output_(store, *parts[2], options),
        identity_(output_.identity() + " " + parts[0]->sha256 + " " + parts[1]->sha256),
        p_boxes_(p_.output_index("boxes")),
        p_scores_(p_.output_index("scores")),
        r_boxes_(r_.output_index("boxes")),
        r_scores_(r_.output_index("scores")) {}

  std::vector<Detection> detect(image::ImageView picture,
                                const DetectOptions& options) const override {
    require_options(picture, options);
    image::Image storage;
    const image::ImageView rgb = as_rgb(picture, storage);
    const std::vector<double> scales =
        mtcnn_scales(rgb.extent(), options.min_face_px, options.max_enlarge);
    const Pyramid pyramid(rgb, scales);
    std::vector<Corners> windows = propose(pyramid);
    refine(pyramid, windows);
    const double least = options.min_score.value_or(min_score_);
    std::vector<Detection> faces = output_.look(pyramid, windows);
    const double candidate = std::min(kCandidateThreshold, least);
    std::erase_if(faces, [&](const Detection& f) { return f.score <= candidate; });
    suppress(faces, 0.7, OverlapRule::over_smaller);
    output_.settle(pyramid, faces);
    std::erase_if(faces, [&](const Detection& f) { return f.score <= least; });
    suppress(faces, 0.7, OverlapRule::over_smaller);
    drop_small(faces, options.min_face_px);
    return faces;
  }

  const std::string& name() const noexcept override { return name_; }
  const std::string& identity() const noexcept override { return identity_; }

 private:
  std::vector<Corners> propose(const Pyramid& pyramid) const {
    std::vector<Corners> all;
    for (const Level& level : pyramid.levels()) {
      const int columns = cells(level.picture.width_px), rows = cells(level.picture.height_px);
      if (columns < 1 || rows < 1) continue;
      const models::Tensor input = padded_tensor(p_spec_, level.picture, 32);
      const std::vector<models::Tensor> out = p_.run(input);
      const models::Tensor& scores = out[p_scores_];
      const ProposalMap map{scores.values,
                            out[p_boxes_].values,
                            static_cast<int>(scores.shape[2]),
                            static_cast<int>(scores.shape[3]),
                            rows,
                            columns};
      std::vector<Corners> found =
          mtcnn_proposals(map, level.scale_x, level.scale_y, kProposalThreshold);
      keep_best(found);
      suppress_corners(found, 0.5);
      all.insert(all.end(), found.begin(), found.end());
    }
    keep_best(all);
    suppress_corners(all, 0.7);
    for (Corners& c : all) c = squared(c);
    return all;
  }

  /// Windows that lie within a side of `px` pixels.
  static int cells(int px) { return px < kCell ? 0 : (px - kCell) / kStride + 1; }

  void refine(const Pyramid& pyramid, std::vector<Corners>& windows) const {
    std::vector<Corners> kept;
    run_windows(r_, pyramid, windows, 24, Side::as_is,
                [&](std::size_t i, const std::vector<models::Tensor>& out, std::size_t row) {
                  const double score = out[r_scores_].row(row)[1];
                  if (!(score > kRefineThreshold)) return;
                  kept.push_back(adjusted(windows[i], out[r_boxes_].row(row)));
                  kept.back().score = score;
                });
    suppress_corners(kept, 0.7);
    for (Corners& c : kept) c = squared(c);
    windows = std::move(kept);
  }

  std::string name_;
  double min_score_;
  models::InputSpec p_spec_;
  models::Network p_, r_;
  OutputNet output_;
  std::string identity_;
  std::size_t p_boxes_, p_scores_, r_boxes_, r_scores_;
};

}  // namespace

std::vector<double> mtcnn_scales(image::Extent extent, double min_face_px, double max_enlarge) {
  std::vector<double> scales;
  const double shorter = std::min(extent.width_px, extent.height_px);
  for (double scale = std::min(kCell / min_face_px, max_enlarge); shorter * scale >= kCell;
       scale *= kStep) {
    scales.push_back(scale);
  }
  return scales;
}

std::vector<Corners> mtcnn_proposals(const ProposalMap& map, double scale_x, double scale_y,
                                     double threshold) {
  const auto plane = static_cast<std::size_t>(map.rows) * static_cast<std::size_t>(map.columns);
  std::vector<Corners> out;
  for (int y = 0; y < std::min(map.rows, map.used_rows); ++y) {
    for (int x = 0; x < std::min(map.columns, map.used_columns); ++x) {
      const std::size_t at = static_cast<std::size_t>(y) * static_cast<std::size_t>(map.columns) +
                             static_cast<std::size_t>(x);
      const double score = map.scores[plane + at];
      if (!(score > threshold)) continue;
      // generate_bounding_box: the cell's window is named by its second and its last pixel, counted
      // from 0, so its sides are 11.
      const double left = kStride * x + 1, top = kStride * y + 1;
      const double side = kCell - 1;
      out.push_back({(left + map.boxes[at] * side) / scale_x,
                     (top + map.boxes[plane + at] * side) / scale_y,
                     (left + side + map.boxes[2 * plane + at] * side) / scale_x,
                     (top + side + map.boxes[3 * plane + at] * side) / scale_y, score});
    }
  }
  return out;
}

OutputNet::OutputNet(const models::ModelStore& store, const models::ModelCard& card,
                     const models::NetworkOptions& options)
    : identity_(std::string(kVersion) + " " + card.sha256),
      net_(models::Network::open(card, store, options)),
      boxes_(net_.output_index("boxes")),
      landmarks_(net_.output_index("landmarks")),
      scores_(net_.output_index("scores")) {}

std::vector<Detection> OutputNet::look(const Pyramid& pyramid, std::span<const Corners> windows,
                                       Side side) const {
  std::vector<Detection> faces(windows.size());
  run_windows(net_, pyramid, windows, 48, side,
              [&](std::size_t i, const std::vector<models::Tensor>& out, std::size_t row) {
                const Corners& w = windows[i];
                Detection& face = faces[i];
                face.score = std::clamp<double>(out[scores_].row(row)[1], 0, 1);
                face.box = box_of(adjusted(w, out[boxes_].row(row)));
                const std::span<const float> points = out[landmarks_].row(row);
                for (std::size_t k = 0; k < 5; ++k) {  // five x, then five y (adjust_landmarks)
                  face.landmarks[k] = {points[k] * (width(w) + 1) + w.x1 - 1,
                                       points[k + 5] * (height(w) + 1) + w.y1 - 1};
                }
              });
  return faces;
}

std::vector<Detection> OutputNet::look(const Pyramid& pyramid,
                                       std::span<const Corners> windows) const {
  return look(pyramid, windows, Side::as_is);
}

void OutputNet::settle(const Pyramid& pyramid, std::span<Detection> faces) const {
  std::vector<Corners> windows;
  for (const Detection& face : faces) {
    for (const double scale : kSettleScales) windows.push_back(window_about(face.box, scale));
  }
  const std::vector<Detection> seen = look(pyramid, windows, Side::as_is);
  const std::vector<Detection> mirrored = look(pyramid, windows, Side::mirrored);
  constexpr double kShare = 0.5 / kSettleScales.size();
  for (std::size_t i = 0; i < faces.size(); ++i) {
    faces[i] = {};
    for (std::size_t k = i * kSettleScales.size(); k < (i + 1) * kSettleScales.size(); ++k) {
      add(faces[i], seen[k], kShare);
      add(faces[i], mirrored_back(mirrored[k], windows[k].x1 + windows[k].x2), kShare);
    }
  }
}

std::unique_ptr<FaceDetector> open_mtcnn(const models::ModelStore& store,
                                         const models::ModelCard& card,
                                         const models::NetworkOptions& options) {
  if (card.kind != models::CardKind::bundle || card.parts.size() != 3) {
    throw Error(ErrorCode::unsupported,
                "the card " + card.name + " must be a bundle of the three nets of MTCNN",
                "the card mtcnn is one");
  }
  const std::array<const models::ModelCard*, 3> parts{
      &store.at(card.parts[0]), &store.at(card.parts[1]), &store.at(card.parts[2])};
  constexpr std::array kGraphs{models::Graph::mtcnn_p, models::Graph::mtcnn_r,
                               models::Graph::mtcnn_o};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i]->graph != kGraphs[i]) {
      throw Error(ErrorCode::unsupported, "part " + parts[i]->name + " of the card " + card.name +
                                              " is not " + std::string(to_string(kGraphs[i])));
    }
  }
  return std::make_unique<Mtcnn>(store, card, parts, options);
}

}  // namespace sosia::face

#include "sosia/face/aligner.hpp"

#include "face/geometry.hpp"
#include "sosia/core/error.hpp"
#include "sosia/image/transform.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace sosia::face {
namespace {

using image::Affine;
using image::Box;
using image::ImageView;
using image::Point;

/// The picture as RGB; no copy is made of what is RGB already.
image::Image to_rgb(image::Image picture) {
  return picture.channels() == 3 ? std::move(picture)
                                 : image::convert(picture, image::Conversion::to_rgb);
}

/// Bounding box, in pixels of the picture, of what a chip of this extent shows.
struct Window {
  int x = 0, y = 0, width = 0, height = 0;
};

/// The part of the picture that a chip is sampled from, `margin` pixels more on each side; nothing
/// (width 0) when they do not meet.
Window source_window(ImageView picture, const Affine& to_chip, image::Extent chip, double margin) {
  const Affine back = to_chip.inverse();
  double left = 1e300, top = 1e300, right = -1e300, bottom = -1e300;
  for (const double x : {0.0, chip.width_px - 1.0}) {
    for (const double y : {0.0, chip.height_px - 1.0}) {
      const Point p = back.apply({x, y});
      left = std::min(left, p.x_px), right = std::max(right, p.x_px);
      top = std::min(top, p.y_px), bottom = std::max(bottom, p.y_px);
    }
  }
  const auto inside = [](double v, int most) {
    return static_cast<int>(std::clamp(v, 0.0, static_cast<double>(most)));
  };
  const int x0 = inside(std::floor(left - margin), picture.width_px);
  const int y0 = inside(std::floor(top - margin), picture.height_px);
  const int x1 = inside(std::ceil(right + margin) + 1, picture.width_px);
  const int y1 = inside(std::ceil(bottom + margin) + 1, picture.height_px);
  if (x1 <= x0 || y1 <= y0) return {};
  return {x0, y0, x1 - x0, y1 - y0};
}

/// A similarity of the picture, bilinear, black outside. Where it shrinks by more than half, the
/// picture is shrunk by area first: two by two pixels would leave out what lies between.
image::Image warp(ImageView picture, const Affine& to_chip, image::Extent chip) {
  const double scale = std::sqrt(std::abs(to_chip.determinant()));
  const int factor = std::max(1, static_cast<int>(std::floor(1 / scale)));
  const Window w = source_window(picture, to_chip, chip, 2.0 * factor);
  if (w.width == 0) return image::Image(chip.width_px, chip.height_px, 3);
  const ImageView part = picture.crop(w.x, w.y, w.width, w.height);
  const Affine moved = Affine::translation(w.x, w.y).then(to_chip);
  if (factor == 1) return to_rgb(image::warp_affine(part, moved, chip.width_px, chip.height_px));

  const int width = std::max(1, w.width / factor), height = std::max(1, w.height / factor);
  const image::Image small = image::resize(part, width, height, image::Interpolation::area);
  const double grow_x = static_cast<double>(w.width) / width;
  const double grow_y = static_cast<double>(w.height) / height;
  // Pixel areas are mapped onto each other: x = (x' + 0.5) * grow - 0.5.
  const Affine back{{grow_x, 0, 0.5 * grow_x - 0.5, 0, grow_y, 0.5 * grow_y - 0.5}};
  return to_rgb(image::warp_affine(small, back.then(moved), chip.width_px, chip.height_px));
}

void require_face(ImageView picture, const Detection& face, std::string_view doing) {
  image::require_valid(picture, doing);
  const Box& b = face.box;
  if (!finite(b) || !(b.width_px > 0) || !(b.height_px > 0)) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("the box of the face has no area: {} x {} at ({}, {})", b.width_px,
                            b.height_px, b.x_px, b.y_px));
  }
}

/// Similarity of the five points onto a template.
class TemplateAligner final : public FaceAligner {
 public:
  TemplateAligner(const Landmarks& points, int size_px, std::string identity)
      : template_(points), size_px_(size_px), identity_(std::move(identity)) {}

  Chip align(ImageView picture, const Detection& face) const override {
    require_face(picture, face, "aligning a face");
    Chip chip;
    chip.degenerate = !landmark_complaint(face.landmarks).empty();
    if (chip.degenerate) {
      chip.transform = by_box(face.box);
    } else {
      const image::SimilarityFit fit = image::estimate_similarity(face.landmarks, template_);
      chip.transform = fit.transform;
      chip.rms_px = fit.rms_px;
    }
    chip.scale = std::sqrt(std::abs(chip.transform.determinant()));
    chip.picture = warp(picture, chip.transform, extent());
    return chip;
  }

  image::Extent extent() const noexcept override { return {size_px_, size_px_}; }
  const std::string& identity() const noexcept override { return identity_; }

 private:
  /// Upright, the box's centre in the middle and its longer side filling nine tenths.
  Affine by_box(const Box& box) const {
    const double scale = 0.9 * size_px_ / std::max(box.width_px, box.height_px);
    const double middle = (size_px_ - 1) / 2.0;
    const double x = box.x_px + box.width_px / 2, y = box.y_px + box.height_px / 2;
    return Affine::similarity(scale, 0, middle - scale * x, middle - scale * y);
  }

  Landmarks template_;
  int size_px_;
  std::string identity_;
};

enum class BoxRule { margin, plain, letterbox };

/// Upright crops of the detector's box, in whole pixels, as the packages do that the cards follow.
class BoxAligner final : public FaceAligner {
 public:
  BoxAligner(BoxRule rule, double amount, image::Extent extent, std::string identity)
      : rule_(rule), amount_(amount), extent_(extent), identity_(std::move(identity)) {}

  Chip align(ImageView picture, const Detection& face) const override {
    require_face(picture, face, "cutting out a face");
    const Window w = rule_ == BoxRule::margin  ? margin_window(picture, face.box)
                     : rule_ == BoxRule::plain ? plain_window(picture, face.box)
                                               : square_window(face.box);
    const image::Image part = cut(picture, w);
    Chip chip;
    chip.picture =
        to_rgb(image::resize(part, extent_.width_px, extent_.height_px,
                             w.width > 2 * extent_.width_px ? image::Interpolation::area
                                                            : image::Interpolation::bilinear));
    const double x = static_cast<double>(extent_.width_px) / w.width;
    const double y = static_cast<double>(extent_.height_px) / w.height;
    chip.transform = {{x, 0, (0.5 - w.x) * x - 0.5, 0, y, (0.5 - w.y) * y - 0.5}};
    chip.scale = std::sqrt(x * y);
    return chip;
  }

  image::Extent extent() const noexcept override { return extent_; }
  const std::string& identity() const noexcept override { return identity_; }

 private:
  static Window spanning(double x0, double y0, double x1, double y1) {
    const int left = static_cast<int>(x0), top = static_cast<int>(y0);
    return {left, top, std::max(1, static_cast<int>(x1) - left),
            std::max(1, static_cast<int>(y1) - top)};
  }

  /// FaceNet: half of the margin on each side, in proportion to the box. Reference:
  /// facenet-pytorch, models/utils/detect_face.py (extract_face).
  Window margin_window(ImageView picture, const Box& b) const {
    const double mx = amount_ * b.width_px / (extent_.width_px - amount_) / 2;
    const double my = amount_ * b.height_px / (extent_.height_px - amount_) / 2;
    return spanning(std::clamp(b.x_px - mx, 0.0, picture.width_px - 1.0),
                    std::clamp(b.y_px - my, 0.0, picture.height_px - 1.0),
                    std::clamp(b.x_px + b.width_px + mx, 1.0, 1.0 * picture.width_px),
                    std::clamp(b.y_px + b.height_px + my, 1.0, 1.0 * picture.height_px));
  }

  /// Grown about its centre, by less where the picture is too small, and moved inside. Reference:
  /// Silent-Face-Anti-Spoofing, src/generate_patches.py (CropImage).
  Window plain_window(ImageView picture, const Box& b) const {
    const double scale = std::min(
        {(picture.height_px - 1) / b.height_px, (picture.width_px - 1) / b.width_px, amount_});
    const double width = b.width_px * scale, height = b.height_px * scale;
    double x = b.x_px + (b.width_px - width) / 2, y = b.y_px + (b.height_px - height) / 2;
    x = std::clamp(x, 0.0, std::max(0.0, picture.width_px - 1 - width));
    y = std::clamp(y, 0.0, std::max(0.0, picture.height_px - 1 - height));
    const Window w = spanning(x, y, x + width + 1, y + height + 1);
    return {w.x, w.y, std::min(w.width, picture.width_px - w.x),
            std::min(w.height, picture.height_px - w.y)};
  }

  /// A square about the centre with `amount_` times the longer side; black outside the picture.
  /// Reference: hairymax/Face-AntiSpoofing, src/FaceAntiSpoofing.py (increased_crop).
  Window square_window(const Box& b) const {
    const double side = std::max(b.width_px, b.height_px) * amount_;
    const int whole = std::max(1, static_cast<int>(side));
    return {static_cast<int>(b.x_px + b.width_px / 2 - side / 2),
            static_cast<int>(b.y_px + b.height_px / 2 - side / 2), whole, whole};
  }

  /// The window, black where it leaves the picture.
  static image::Image cut(ImageView picture, const Window& w) {
    const int x0 = std::max(0, w.x), y0 = std::max(0, w.y);
    const int x1 = std::min(picture.width_px, w.x + w.width);
    const int y1 = std::min(picture.height_px, w.y + w.height);
    image::Image out(w.width, w.height, picture.channels);
    for (int y = y0; y < y1 && x1 > x0; ++y) {
      std::copy_n(picture.pixel(x0, y), static_cast<std::ptrdiff_t>(x1 - x0) * picture.channels,
                  out.row(y - w.y) + static_cast<std::ptrdiff_t>(x0 - w.x) * picture.channels);
    }
    return out;
  }

  BoxRule rule_;
  double amount_;
  image::Extent extent_;
  std::string identity_;
};

/// The template of 112 x 112 (insightface, utils/face_align.py).
constexpr Landmarks kArcFace112{{{38.2946, 51.6963},
                                 {73.5318, 51.5014},
                                 {56.0252, 71.7366},
                                 {41.5493, 92.3655},
                                 {70.7299, 92.2041}}};

}  // namespace

Landmarks arcface_template(int size_px) {
  if (size_px <= 0 || (size_px % 112 != 0 && size_px % 128 != 0)) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("there is no ArcFace template of {} pixels", size_px),
                "sizes are multiples of 112 or 128");
  }
  const bool of_112 = size_px % 112 == 0;
  const double ratio = size_px / (of_112 ? 112.0 : 128.0);
  Landmarks out = kArcFace112;
  for (Point& p : out) {
    p.x_px = p.x_px * ratio + (of_112 ? 0 : 8 * ratio);
    p.y_px *= ratio;
  }
  return out;
}

const Landmarks& dlib_template() {
  // dlib's mean face (image_transforms/interpolation.h, get_face_chip_details) with the eyes'
  // contours averaged: (p + padding) / (1 + 2 padding) * 150 with padding 0.25.
  static const Landmarks points{{{47.5492, 46.5990},
                                 {100.4755, 46.5990},
                                 {74.0127, 76.5625},
                                 {50.4149, 103.0233},
                                 {97.6104, 103.0233}}};
  return points;
}

std::string landmark_complaint(const Landmarks& points) {
  if (!finite(points)) return "a point is not finite";
  const auto minus = [](Point a, Point b) { return Point{a.x_px - b.x_px, a.y_px - b.y_px}; };
  const auto middle = [](Point a, Point b) {
    return Point{(a.x_px + b.x_px) / 2, (a.y_px + b.y_px) / 2};
  };
  const Point eyes = minus(points[1], points[0]), mouth = minus(points[4], points[3]);
  const Point down = minus(middle(points[3], points[4]), middle(points[0], points[1]));
  const double height = std::hypot(down.x_px, down.y_px);
  if (std::hypot(eyes.x_px, eyes.y_px) < 1e-6 || height < 1e-6) return "points coincide";
  // A mirrored face has its left eye on the right of the line from the mouth up.
  if (eyes.x_px * down.y_px - eyes.y_px * down.x_px <= 0) return "the eyes are exchanged";
  if (mouth.x_px * down.y_px - mouth.y_px * down.x_px < -0.1 * height * height) {
    return "the corners of the mouth are exchanged";
  }
  // Eyes and mouth are about as far apart as the eyes; 0.3 is a head bent by more than 70 degrees.
  if (height < 0.3 * std::hypot(eyes.x_px, eyes.y_px)) return "the mouth lies between the eyes";
  // Frontal faces leave 2 to 4 of 112 pixels, profiles up to 16.
  const double rms = image::estimate_similarity(points, kArcFace112).rms_px;
  if (rms > 20) return fmt::format("they lie {:.0f} of 112 pixels off a face's", rms);
  return {};
}

std::unique_ptr<FaceAligner> make_aligner(const models::InputSpec& input) {
  using models::Alignment;
  const auto width = input.width_px(), height = input.height_px();
  const std::string name(models::to_string(input.alignment));
  if (width < 8 || height < 8 || width > 4096 || height > 4096) {
    throw Error(ErrorCode::unsupported,
                fmt::format("alignment {} needs a fixed input of 8 to 4096 pixels, not {} x {}",
                            name, width, height));
  }
  const image::Extent extent{static_cast<int>(width), static_cast<int>(height)};
  const bool square = width == height;
  const auto by_box = [&](BoxRule rule, double amount) {
    return std::make_unique<BoxAligner>(rule, amount, extent,
                                        fmt::format("{}/{}x{}/{}/1", name, width, height, amount));
  };
  switch (input.alignment) {
    case Alignment::arcface_112:
      if (!square) break;
      return std::make_unique<TemplateAligner>(arcface_template(extent.width_px), extent.width_px,
                                               fmt::format("{}/{}/1", name, width));
    case Alignment::dlib_150:
      if (!square || width != 150) break;
      return std::make_unique<TemplateAligner>(dlib_template(), 150, name + "/1");
    case Alignment::face_margin:
      if (input.margin_px < 0 || input.margin_px >= static_cast<double>(std::min(width, height))) {
        break;
      }
      return by_box(BoxRule::margin, input.margin_px);
    case Alignment::box:
      return by_box(BoxRule::plain, input.box_scale);
    case Alignment::box_letterbox:
      if (!square) break;
      return by_box(BoxRule::letterbox, input.box_scale);
    default:
      throw Error(ErrorCode::unsupported, "alignment " + name + " is not one of faces");
  }
  throw Error(ErrorCode::unsupported,
              fmt::format("alignment {} does not make pictures of {} x {} pixels (margin {})", name,
                          width, height, input.margin_px));
}

}  // namespace sosia::face

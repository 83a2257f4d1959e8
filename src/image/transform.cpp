#include "sosia/image/transform.hpp"

#include "image/cv_gateway.hpp"
#include "sosia/core/error.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace sosia::image {
namespace {

void require_extent(int width_px, int height_px, int most, std::string_view doing) {
  if (width_px < 1 || height_px < 1 || width_px > most || height_px > most) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("{}: the wanted extent is {} x {}; sides are 1 to {}", doing, width_px,
                            height_px, most));
  }
}

int cv_interpolation(Interpolation interpolation) {
  switch (interpolation) {
    case Interpolation::nearest:
      // The exact variant picks the pixel under the centre; INTER_NEAREST is off by half a pixel.
      return cv::INTER_NEAREST_EXACT;
    case Interpolation::bilinear:
      return cv::INTER_LINEAR;
    case Interpolation::area:
      return cv::INTER_AREA;
    case Interpolation::lanczos:
      return cv::INTER_LANCZOS4;
  }
  throw Error(ErrorCode::invalid_argument,
              fmt::format("no interpolation has the number {}", static_cast<int>(interpolation)));
}

int cv_border(Border border) {
  switch (border) {
    case Border::constant:
      return cv::BORDER_CONSTANT;
    case Border::replicate:
      return cv::BORDER_REPLICATE;
    case Border::reflect:
      return cv::BORDER_REFLECT_101;
  }
  throw Error(ErrorCode::invalid_argument,
              fmt::format("no border rule has the number {}", static_cast<int>(border)));
}

template <class Body>
Image same_shape(std::string_view doing, ImageView picture, Body&& body) {
  return filled_by_opencv(doing, picture, picture.extent(), picture.channels,
                          std::forward<Body>(body));
}

}  // namespace

Image resize(ImageView picture, int width_px, int height_px, Interpolation interpolation) {
  require_valid(picture, "resize");
  require_extent(width_px, height_px, kMaxSidePx, "resize");
  int method = cv_interpolation(interpolation);
  if (picture.extent() == Extent{width_px, height_px}) {
    return Image::copy_of(picture);
  }
  if (method == cv::INTER_AREA && (width_px > picture.width_px || height_px > picture.height_px)) {
    method = cv::INTER_LINEAR;
  }
  return filled_by_opencv(
      "resize", picture, {width_px, height_px}, picture.channels,
      [&](const cv::Mat& in, cv::Mat& out) { cv::resize(in, out, out.size(), 0, 0, method); });
}

Extent fit_within(Extent inner, Extent outer) {
  require_extent(inner.width_px, inner.height_px, kMaxSidePx, "fit_within");
  require_extent(outer.width_px, outer.height_px, kMaxSidePx, "fit_within");
  const double scale = std::min(static_cast<double>(outer.width_px) / inner.width_px,
                                static_cast<double>(outer.height_px) / inner.height_px);
  const auto side = [scale](int from, int most) {
    return std::clamp(static_cast<int>(std::lround(from * scale)), 1, most);
  };
  return {side(inner.width_px, outer.width_px), side(inner.height_px, outer.height_px)};
}

Letterboxed letterbox(ImageView picture, int width_px, int height_px,
                      const LetterboxOptions& options) {
  require_valid(picture, "letterbox");
  require_extent(width_px, height_px, kMaxSidePx, "letterbox");
  Extent inner = fit_within(picture.extent(), {width_px, height_px});
  if (!options.enlarge && inner.width_px >= picture.width_px &&
      inner.height_px >= picture.height_px) {
    inner = picture.extent();
  }
  const Image fitted = resize(picture, inner.width_px, inner.height_px, options.interpolation);
  Letterboxed result;
  result.image = Image(width_px, height_px, picture.channels, options.fill);
  const int x = options.centred ? (width_px - inner.width_px) / 2 : 0;
  const int y = options.centred ? (height_px - inner.height_px) / 2 : 0;
  const MutableImageView window =
      result.image.mutable_view().crop(x, y, inner.width_px, inner.height_px);
  for (int row = 0; row < inner.height_px; ++row) {
    std::copy_n(fitted.row(row), static_cast<std::ptrdiff_t>(inner.width_px) * picture.channels,
                window.row(row));
  }
  // Areas map onto areas: centre to centre is (x + 0.5) * scale - 0.5 + offset.
  const double sx = static_cast<double>(inner.width_px) / picture.width_px;
  const double sy = static_cast<double>(inner.height_px) / picture.height_px;
  result.to_output = {{sx, 0, 0.5 * sx - 0.5 + x, 0, sy, 0.5 * sy - 0.5 + y}};
  return result;
}

Image flip_horizontal(ImageView picture) {
  require_valid(picture, "flip_horizontal");
  return same_shape("flip_horizontal", picture,
                    [](const cv::Mat& in, cv::Mat& out) { cv::flip(in, out, 1); });
}

Image flip_vertical(ImageView picture) {
  require_valid(picture, "flip_vertical");
  return same_shape("flip_vertical", picture,
                    [](const cv::Mat& in, cv::Mat& out) { cv::flip(in, out, 0); });
}

Image rotate_90(ImageView picture, int quarter_turns) {
  require_valid(picture, "rotate_90");
  const int turns = (quarter_turns % 4 + 4) % 4;
  if (turns == 0) {
    return Image::copy_of(picture);
  }
  const Extent extent = turns == 2 ? picture.extent() : Extent{picture.height_px, picture.width_px};
  constexpr int kCodes[] = {cv::ROTATE_90_CLOCKWISE, cv::ROTATE_180,
                            cv::ROTATE_90_COUNTERCLOCKWISE};
  return filled_by_opencv(
      "rotate_90", picture, extent, picture.channels,
      [&](const cv::Mat& in, cv::Mat& out) { cv::rotate(in, out, kCodes[turns - 1]); });
}

Image apply_orientation(ImageView picture, Orientation orientation) {
  require_valid(picture, "apply_orientation");
  const auto transposed = [&picture] {
    return filled_by_opencv("apply_orientation", picture, {picture.height_px, picture.width_px},
                            picture.channels,
                            [](const cv::Mat& in, cv::Mat& out) { cv::transpose(in, out); });
  };
  switch (orientation) {
    case Orientation::upright:
      return Image::copy_of(picture);
    case Orientation::mirror:
      return flip_horizontal(picture);
    case Orientation::rotate_180:
      return rotate_90(picture, 2);
    case Orientation::flip:
      return flip_vertical(picture);
    case Orientation::transpose:
      return transposed();
    case Orientation::rotate_90:
      return rotate_90(picture, 1);
    case Orientation::transverse:
      return rotate_90(transposed(), 2);
    case Orientation::rotate_270:
      return rotate_90(picture, 3);
  }
  throw Error(ErrorCode::invalid_argument,
              fmt::format("orientation {} is not one of 1 to 8", static_cast<int>(orientation)));
}

Image warp_affine(ImageView picture, const Affine& to_output, int width_px, int height_px,
                  const WarpOptions& options) {
  require_valid(picture, "warp_affine");
  // OpenCV keeps sampling positions in 16 bits.
  constexpr int kMostPx = 32'766;
  require_extent(width_px, height_px, kMostPx, "warp_affine");
  require_extent(picture.width_px, picture.height_px, kMostPx, "warp_affine of a picture");
  if (options.interpolation == Interpolation::area) {
    throw Error(ErrorCode::invalid_argument, "warp_affine: area interpolation is for resize only",
                "use bilinear, and resize first where the transform shrinks by much");
  }
  const int method = options.interpolation == Interpolation::nearest
                         ? cv::INTER_NEAREST
                         : cv_interpolation(options.interpolation);
  const Affine from_output = to_output.inverse();
  for (const double v : from_output.m) {
    // Beyond this OpenCV's fixed-point positions overflow; everything would be border anyway.
    if (std::abs(v) > 1e5) {
      throw Error(ErrorCode::invalid_argument,
                  fmt::format("warp_affine: the transform's inverse has the coefficient {}", v),
                  "the transform shrinks or moves the picture to nothing; check the landmarks");
    }
  }
  const auto& m = from_output.m;
  return filled_by_opencv("warp_affine", picture, {width_px, height_px}, picture.channels,
                          [&](const cv::Mat& in, cv::Mat& out) {
                            const cv::Matx23d matrix(m[0], m[1], m[2], m[3], m[4], m[5]);
                            cv::warpAffine(in, out, matrix, out.size(),
                                           method | cv::WARP_INVERSE_MAP, cv_border(options.border),
                                           as_scalar(options.fill, picture.channels));
                          });
}

}  // namespace sosia::image

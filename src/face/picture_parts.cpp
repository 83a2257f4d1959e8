#include "face/picture_parts.hpp"

#include "sosia/image/decode.hpp"
#include "sosia/image/draw.hpp"
#include "sosia/image/encode.hpp"
#include "sosia/image/transform.hpp"

#include <algorithm>
#include <utility>

namespace sosia::face {
namespace {

/// The upright picture of a file, decoded at the largest reduction whose longer side is at least
/// `side_px`.
image::Image small_photo(const std::filesystem::path& file, int side_px) {
  const std::vector<std::byte> bytes = read_file(file);
  const image::ImageInfo info = image::probe(bytes);
  const int longer = std::max(info.extent.width_px, info.extent.height_px);
  image::DecodeOptions options;
  while (options.scale_denominator < 8 && longer / (2 * options.scale_denominator) >= side_px) {
    options.scale_denominator *= 2;
  }
  return image::decode(bytes, options).image;
}

}  // namespace

Picture page_picture(image::ImageView picture, std::string caption) {
  image::Encoded encoded = image::encode(picture, image::Format::jpeg, {.quality = 85});
  return {.caption = std::move(caption),
          .media_type = std::move(encoded.media_type),
          .bytes = std::move(encoded.bytes)};
}

image::Image shrunk(image::ImageView picture, int side_px) {
  if (std::max(picture.width_px, picture.height_px) <= side_px) {
    return image::Image::copy_of(picture);
  }
  const image::Extent to = image::fit_within(picture.extent(), {side_px, side_px});
  return image::resize(picture, to.width_px, to.height_px);
}

image::Image marked_photo(const std::filesystem::path& file, image::Extent full,
                          std::span<const FaceMark> marks, int side_px) {
  image::Image photo = shrunk(small_photo(file, side_px), side_px);
  const double gx = static_cast<double>(photo.width_px()) / full.width_px;
  const double gy = static_cast<double>(photo.height_px()) / full.height_px;
  const int thickness = std::max(2, std::max(photo.width_px(), photo.height_px()) / 250);
  const image::MutableImageView view = photo.mutable_view();
  for (const FaceMark& mark : marks) {
    const image::Box box{mark.box.x_px * gx, mark.box.y_px * gy, mark.box.width_px * gx,
                         mark.box.height_px * gy};
    image::draw_box(view, box, mark.colour, thickness);
    if (mark.points) {
      Landmarks points;
      for (std::size_t i = 0; i < points.size(); ++i) {
        points[i] = {(mark.landmarks[i].x_px + 0.5) * gx - 0.5,
                     (mark.landmarks[i].y_px + 0.5) * gy - 0.5};
      }
      image::draw_points(view, points, mark.colour, thickness > 2 ? 2 : 1);
    }
    if (mark.text.empty()) continue;
    constexpr int kTextPx = 14;
    image::draw_label(view, mark.text, {box.x_px, box.y_px - kTextPx - 4}, image::kWhite,
                      mark.colour, kTextPx);
  }
  return photo;
}

}  // namespace sosia::face

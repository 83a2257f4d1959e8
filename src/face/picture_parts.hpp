#pragma once
// Pictures for reports: photos with marks, chips, and nothing larger than a page needs.

#include "sosia/core/report.hpp"
#include "sosia/face/pipeline.hpp"
#include "sosia/image/image.hpp"

#include <filesystem>
#include <span>
#include <string>

namespace sosia::face {

inline constexpr image::Colour kGreen{46, 160, 67, 255}, kRed{218, 54, 51, 255},
    kAmber{210, 153, 34, 255}, kBlue{56, 132, 244, 255};

/// A picture encoded for a page (JPEG).
Picture page_picture(image::ImageView picture, std::string caption);

/// A mark on a photo.
struct FaceMark {
  image::Box box = {};
  Landmarks landmarks = {};
  image::Colour colour = kGreen;
  std::string text = {};  ///< on a plate above the box; may be empty
  bool points = true;     ///< whether the five points are drawn
};

/// A photo, upright, at most `side_px` on its longer side, with `marks` (in pixels of the full
/// picture of `full` extent). Throws as `image::decode_file`.
image::Image marked_photo(const std::filesystem::path& file, image::Extent full,
                          std::span<const FaceMark> marks, int side_px = 640);

/// Shrunk to at most `side_px` on the longer side; smaller pictures are copied.
image::Image shrunk(image::ImageView picture, int side_px);

}  // namespace sosia::face

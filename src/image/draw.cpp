#include "sosia/image/draw.hpp"

#include "image/cv_gateway.hpp"
#include "sosia/core/error.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace sosia::image {
namespace {

constexpr int kFont = cv::FONT_HERSHEY_SIMPLEX;
/// Far outside any picture, and far from overflow in OpenCV's fixed-point coordinates.
constexpr double kFarPx = 1 << 26;

void require_finite(double value, std::string_view doing) {
  if (!std::isfinite(value)) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("{}: the coordinate {} is not finite", doing, value));
  }
}

void require_range(std::string_view name, int value, int least, int most) {
  if (value < least || value > most) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("{} is {}; it must be {} to {}", name, value, least, most));
  }
}

int rounded(double px) {
  return static_cast<int>(std::lround(std::clamp(px, -kFarPx, kFarPx)));
}

/// Fills the part of a rectangle that lies in the picture; `right` and `bottom` are exclusive.
void fill(MutableImageView picture, int left, int top, int right, int bottom, Colour colour) {
  left = std::max(left, 0);
  top = std::max(top, 0);
  right = std::min(right, picture.width_px);
  bottom = std::min(bottom, picture.height_px);
  if (left >= right || top >= bottom) {
    return;
  }
  const cv::Scalar channels = as_scalar(colour, picture.channels);
  for (int y = top; y < bottom; ++y) {
    std::uint8_t* out = picture.pixel(left, y);
    for (int x = left; x < right; ++x, out += picture.channels) {
      for (int c = 0; c < picture.channels; ++c) {
        out[c] = static_cast<std::uint8_t>(channels[c]);
      }
    }
  }
}

/// The text with every character that the font lacks as a question mark, cut to what any picture
/// can show.
std::string in_ascii(std::string_view text) {
  constexpr std::size_t kMostBytes = 4096;
  std::string out;
  for (const char c : text.substr(0, kMostBytes)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f) {
      out += c;
    } else if ((byte & 0xc0) != 0x80 || out.empty() || out.back() != '?') {
      // Continuation bytes belong to the question mark of their first byte.
      out += '?';
    }
  }
  return out;
}

struct Type {
  double scale = 1;
  int stroke_px = 1;
  int ascent_px = 0;   ///< top of the tallest characters to the base line
  int descent_px = 0;  ///< base line to the lowest descender
  int width_px = 0;
};

/// Sets `ascii` so that ascent and descent fill `height_px`.
Type set_type(const std::string& ascii, int height_px) {
  // Measured at scale 1: bars and brackets are 25 units high (capitals 21), descenders reach 7
  // below the base line.
  constexpr double kAscentUnits = 25;
  constexpr double kUnits = kAscentUnits + 7;
  Type type;
  type.stroke_px = std::max(1, height_px / 14);
  type.scale = std::max(height_px - type.stroke_px, 1) / kUnits;
  type.ascent_px = static_cast<int>(std::lround(kAscentUnits * type.scale)) + type.stroke_px / 2;
  type.descent_px = height_px - type.ascent_px;
  int base_line = 0;
  type.width_px = ascii.empty()
                      ? 0
                      : cv::getTextSize(ascii, kFont, type.scale, type.stroke_px, &base_line).width;
  return type;
}

void put_text(MutableImageView picture, const std::string& ascii, int x, int y, const Type& type,
              Colour colour) {
  with_opencv("draw_text", picture, [&] {
    cv::Mat target = as_mat_to_write(picture);
    cv::putText(target, ascii, cv::Point(x, y + type.ascent_px), kFont, type.scale,
                as_scalar(colour, picture.channels), type.stroke_px, cv::LINE_AA);
  });
}

}  // namespace

void draw_box(MutableImageView picture, const Box& box, Colour colour, int thickness_px) {
  require_valid(picture, "draw_box");
  require_range("thickness_px", thickness_px, 1, 100);
  for (const double v : {box.x_px, box.y_px, box.width_px, box.height_px}) {
    require_finite(v, "draw_box");
  }
  const int left = rounded(box.x_px);
  const int top = rounded(box.y_px);
  const int right = rounded(box.x_px + box.width_px);
  const int bottom = rounded(box.y_px + box.height_px);
  if (right <= left || bottom <= top) {
    return;
  }
  const int inner_top = std::min(top + thickness_px, bottom);
  const int inner_bottom = std::max(bottom - thickness_px, inner_top);
  fill(picture, left, top, right, inner_top, colour);
  fill(picture, left, inner_bottom, right, bottom, colour);
  fill(picture, left, inner_top, std::min(left + thickness_px, right), inner_bottom, colour);
  fill(picture, std::max(right - thickness_px, left), inner_top, right, inner_bottom, colour);
}

void draw_points(MutableImageView picture, std::span<const Point> points, Colour colour,
                 int radius_px) {
  require_valid(picture, "draw_points");
  require_range("radius_px", radius_px, 0, 1000);
  for (const Point& point : points) {
    require_finite(point.x_px, "draw_points");
    require_finite(point.y_px, "draw_points");
    const int x = rounded(point.x_px);
    const int y = rounded(point.y_px);
    for (int dy = -radius_px; dy <= radius_px; ++dy) {
      // The disc of radius r + 1/2: without the half, small discs have horns.
      const int reach = static_cast<int>(
          std::sqrt((radius_px + 0.5) * (radius_px + 0.5) - static_cast<double>(dy) * dy));
      fill(picture, x - reach, y + dy, x + reach + 1, y + dy + 1, colour);
    }
  }
}

void draw_line(MutableImageView picture, Point from, Point to, Colour colour, int thickness_px) {
  require_valid(picture, "draw_line");
  require_range("thickness_px", thickness_px, 1, 100);
  for (const double v : {from.x_px, from.y_px, to.x_px, to.y_px}) {
    require_finite(v, "draw_line");
  }
  with_opencv("draw_line", picture, [&] {
    const auto coordinate = [](double px) {
      return static_cast<std::int64_t>(std::llround(std::clamp(px, -kFarPx, kFarPx)));
    };
    cv::Point2l a(coordinate(from.x_px), coordinate(from.y_px));
    cv::Point2l b(coordinate(to.x_px), coordinate(to.y_px));
    // Cut to the picture and a margin in 64 bits; what is left is small enough to draw.
    const std::int64_t margin = thickness_px + 2;
    const cv::Point2l shift(margin, margin);
    a += shift;
    b += shift;
    const cv::Size2l area(picture.width_px + 2 * margin, picture.height_px + 2 * margin);
    if (!cv::clipLine(area, a, b)) {
      return;
    }
    cv::Mat target = as_mat_to_write(picture);
    cv::line(target, cv::Point(a - shift), cv::Point(b - shift),
             as_scalar(colour, picture.channels), thickness_px, cv::LINE_AA);
  });
}

Extent text_extent(std::string_view text, int height_px) {
  require_range("height_px", height_px, 6, 500);
  return {set_type(in_ascii(text), height_px).width_px, height_px};
}

void draw_text(MutableImageView picture, std::string_view text, Point corner, Colour colour,
               int height_px) {
  require_valid(picture, "draw_text");
  require_range("height_px", height_px, 6, 500);
  require_finite(corner.x_px, "draw_text");
  require_finite(corner.y_px, "draw_text");
  const std::string ascii = in_ascii(text);
  const int x = rounded(corner.x_px);
  const int y = rounded(corner.y_px);
  const Type type = set_type(ascii, height_px);
  const bool outside = x >= picture.width_px || y >= picture.height_px || x + type.width_px <= 0 ||
                       y + height_px <= 0;
  if (!ascii.empty() && !outside) {
    put_text(picture, ascii, x, y, type, colour);
  }
}

void draw_label(MutableImageView picture, std::string_view text, Point corner, Colour text_colour,
                Colour plate_colour, int height_px) {
  require_valid(picture, "draw_label");
  require_finite(corner.x_px, "draw_label");
  require_finite(corner.y_px, "draw_label");
  const int padding = std::max(2, height_px / 5);
  const Extent extent = text_extent(text, height_px);
  const int width = extent.width_px + 2 * padding;
  const int height = extent.height_px + 2 * padding;
  const int x = std::max(0, std::min(rounded(corner.x_px), picture.width_px - width));
  const int y = std::max(0, std::min(rounded(corner.y_px), picture.height_px - height));
  fill(picture, x, y, x + width, y + height, plate_colour);
  draw_text(picture, text, {static_cast<double>(x + padding), static_cast<double>(y + padding)},
            text_colour, height_px);
}

}  // namespace sosia::image

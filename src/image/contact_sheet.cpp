#include "sosia/core/error.hpp"
#include "sosia/image/draw.hpp"
#include "sosia/image/transform.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace sosia::image {
namespace {

struct Layout {
  int columns = 1;
  int rows = 1;
  int pitch_x = 0;
  int pitch_y = 0;
  int frame = 0;    ///< kept free around the picture area for borders
  int caption = 0;  ///< height of the caption line with its distance, or 0
};

void check(const SheetOptions& options) {
  const auto require = [](std::string_view name, int value, int least, int most) {
    if (value < least || value > most) {
      throw Error(
          ErrorCode::invalid_argument,
          fmt::format("contact_sheet: {} is {}; it must be {} to {}", name, value, least, most));
    }
  };
  require("columns", options.columns, 0, 10'000);
  require("cell_width_px", options.cell_width_px, 8, 4096);
  require("cell_height_px", options.cell_height_px, 8, 4096);
  require("gap_px", options.gap_px, 0, 256);
  require("border_px", options.border_px, 1, 64);
  require("caption_height_px", options.caption_height_px, 6, 100);
}

Layout lay_out(std::span<const SheetCell> cells, const SheetOptions& options) {
  if (cells.empty()) {
    throw Error(ErrorCode::invalid_argument, "contact_sheet: there is no picture to show");
  }
  const bool captions = std::any_of(cells.begin(), cells.end(),
                                    [](const SheetCell& c) { return !c.caption.empty(); });
  const bool borders = std::any_of(cells.begin(), cells.end(),
                                   [](const SheetCell& c) { return c.border.has_value(); });
  Layout out;
  constexpr std::size_t kMostCells = 1'000'000;
  if (cells.size() > kMostCells) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("contact_sheet: {} pictures; at most {} fit", cells.size(), kMostCells),
                "show a part of them");
  }
  const int count = static_cast<int>(cells.size());
  out.columns =
      options.columns > 0 ? options.columns : static_cast<int>(std::ceil(std::sqrt(count)));
  out.columns = std::min(out.columns, count);
  out.rows = (count + out.columns - 1) / out.columns;
  out.frame = borders ? options.border_px : 0;
  out.caption = captions ? options.caption_height_px + 3 : 0;
  out.pitch_x = options.cell_width_px + 2 * out.frame + options.gap_px;
  out.pitch_y = options.cell_height_px + 2 * out.frame + out.caption + options.gap_px;
  return out;
}

/// Small pictures are shown pixel by pixel, large ones shrunk.
Image fitted(ImageView picture, const SheetOptions& options) {
  Image flat = flatten(picture, options.background);
  if (flat.channels() == 1) {
    flat = convert(flat, Conversion::to_rgb);
  }
  const int factor =
      std::min(options.cell_width_px / flat.width_px(), options.cell_height_px / flat.height_px());
  if (factor >= 1) {
    return resize(flat, flat.width_px() * factor, flat.height_px() * factor,
                  Interpolation::nearest);
  }
  const Extent extent = fit_within(flat.extent(), {options.cell_width_px, options.cell_height_px});
  return resize(flat, extent.width_px, extent.height_px, Interpolation::area);
}

std::string shortened(const std::string& caption, int width_px, int height_px) {
  if (text_extent(caption, height_px).width_px <= width_px) {
    return caption;
  }
  constexpr std::size_t kMostBytes = 1024;
  std::string cut = caption.substr(0, kMostBytes);
  while (!cut.empty() && text_extent(cut + "..", height_px).width_px > width_px) {
    cut.pop_back();
  }
  return cut + "..";
}

void paste(Image& sheet, const Image& picture, int x, int y) {
  const MutableImageView window =
      sheet.mutable_view().crop(x, y, picture.width_px(), picture.height_px());
  for (int row = 0; row < picture.height_px(); ++row) {
    std::copy_n(picture.row(row), static_cast<std::ptrdiff_t>(picture.width_px()) * 3,
                window.row(row));
  }
}

void draw_cell(Image& sheet, const SheetCell& cell, int left, int top, const Layout& layout,
               const SheetOptions& options) {
  const Image picture = fitted(cell.picture, options);
  const int x = left + layout.frame + (options.cell_width_px - picture.width_px()) / 2;
  const int y = top + layout.frame + (options.cell_height_px - picture.height_px()) / 2;
  paste(sheet, picture, x, y);
  const int width = options.cell_width_px + 2 * layout.frame;
  const int height = options.cell_height_px + 2 * layout.frame;
  if (cell.border) {
    const Box box{static_cast<double>(left), static_cast<double>(top), static_cast<double>(width),
                  static_cast<double>(height)};
    draw_box(sheet.mutable_view(), box, *cell.border, options.border_px);
  }
  if (!cell.caption.empty()) {
    const std::string text = shortened(cell.caption, width, options.caption_height_px);
    const int text_width = text_extent(text, options.caption_height_px).width_px;
    const double text_x = left + std::max(0, (width - text_width) / 2);
    draw_text(sheet.mutable_view(), text, {text_x, static_cast<double>(top + height + 3)},
              options.text, options.caption_height_px);
  }
}

}  // namespace

Image contact_sheet(std::span<const SheetCell> cells, const SheetOptions& options) {
  check(options);
  const Layout layout = lay_out(cells, options);
  const std::int64_t width = std::int64_t{layout.columns} * layout.pitch_x + options.gap_px;
  const std::int64_t height = std::int64_t{layout.rows} * layout.pitch_y + options.gap_px;
  constexpr std::int64_t kMostPixels = 200'000'000;
  if (width * height > kMostPixels) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("contact_sheet: {} pictures would take {} x {} pixels; the limit is {}",
                            cells.size(), width, height, kMostPixels),
                "show fewer pictures or make the cells smaller");
  }
  Image sheet(static_cast<int>(width), static_cast<int>(height), 3, options.background);
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const int column = static_cast<int>(i) % layout.columns;
    const int row = static_cast<int>(i) / layout.columns;
    draw_cell(sheet, cells[i], options.gap_px + column * layout.pitch_x,
              options.gap_px + row * layout.pitch_y, layout, options);
  }
  return sheet;
}

}  // namespace sosia::image

#pragma once
// Marks on pictures, and sheets of pictures: for reports and for looking at data. What lies outside
// the picture is clipped. Functions throw invalid_argument for an invalid view, a coordinate that
// is not finite or a parameter out of range.

#include "sosia/image/geometry.hpp"
#include "sosia/image/image.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace sosia::image {

/// The outline of `box`, `thickness_px` (1 to 100) wide, drawn inwards from the box's edge.
void draw_box(MutableImageView picture, const Box& box, Colour colour, int thickness_px = 2);

/// Filled discs of `radius_px` (0 to 1000; 0 is one pixel).
void draw_points(MutableImageView picture, std::span<const Point> points, Colour colour,
                 int radius_px = 2);

void draw_line(MutableImageView picture, Point from, Point to, Colour colour, int thickness_px = 1);

/// Width and height of a line of text, in pixels, as `draw_text` sets it.
Extent text_extent(std::string_view text, int height_px);

/// One line of text with its top left corner at `corner`, `height_px` (6 to 500) from the top of
/// the tallest characters (bars, brackets) to the lowest descender. The font has ASCII only: every
/// other character shows as a question mark. Text beyond 4096 bytes is cut.
void draw_text(MutableImageView picture, std::string_view text, Point corner, Colour colour,
               int height_px = 14);

/// Text on a filled plate, moved as needed to stay inside the picture.
void draw_label(MutableImageView picture, std::string_view text, Point corner, Colour text_colour,
                Colour plate_colour, int height_px = 14);

/// One picture of a contact sheet.
struct SheetCell {
  ImageView picture;
  std::string caption;           ///< one line; cut with ".." where it is too long
  std::optional<Colour> border;  ///< a coloured frame (green for a match, red for a miss, ...)
};

struct SheetOptions {
  int columns = 0;          ///< 0: about as wide as high, in cells
  int cell_width_px = 128;  ///< 8 to 4096; pictures are fitted, aspect ratio kept
  int cell_height_px = 128;
  int gap_px = 8;              ///< 0 to 256
  int border_px = 4;           ///< of cells that have one, 1 to 64; drawn around the picture area
  int caption_height_px = 12;  ///< 6 to 100; no caption line when all captions are empty
  Colour background = kWhite;
  Colour text = kBlack;
};

/// All cells in reading order on one RGB picture. Pictures smaller than their cell are enlarged
/// without smoothing by the largest whole factor that fits; larger ones are shrunk by area; alpha
/// is composited over the background. Throws invalid_argument when there is no cell, or when the
/// sheet would exceed 200 megapixels.
Image contact_sheet(std::span<const SheetCell> cells, const SheetOptions& options = {});

}  // namespace sosia::image

#pragma once
// Resizing, turning, warping, colour and simple filters. All functions return a new picture of the
// input's channels (unless stated), throw invalid_argument for an invalid view or parameter with
// its value and out_of_memory when a result does not fit, and may be called from any thread.
// Channels are treated independently; alpha gets no special treatment.

#include "sosia/image/decode.hpp"
#include "sosia/image/geometry.hpp"
#include "sosia/image/image.hpp"

namespace sosia::image {

enum class Interpolation {
  nearest,
  bilinear,  ///< two by two pixels; aliases when shrinking by more than half
  area,      ///< mean over the covered area: for shrinking; bilinear where a side grows
  lanczos    ///< eight by eight pixels: for enlarging; aliases when shrinking
};

/// To exactly `width_px` x `height_px`. Pixel areas are mapped onto each other (half-pixel
/// centres): output centre x samples (x + 0.5) * in_width / out_width - 0.5; edges replicate.
Image resize(ImageView picture, int width_px, int height_px,
             Interpolation interpolation = Interpolation::area);

/// The largest extent of `inner`'s aspect ratio within `outer`, at least 1 x 1.
Extent fit_within(Extent inner, Extent outer);

struct LetterboxOptions {
  Interpolation interpolation = Interpolation::area;
  Colour fill = kBlack;
  bool centred = true;  ///< otherwise the picture sits in the top left corner
  bool enlarge = true;  ///< otherwise a smaller picture keeps its size
};

struct Letterboxed {
  Image image;
  /// Maps coordinates of the input to `image`; `.inverse()` brings detections back.
  Affine to_output;
};

/// Resized to fit within `width_px` x `height_px`, aspect ratio kept, the rest filled.
Letterboxed letterbox(ImageView picture, int width_px, int height_px,
                      const LetterboxOptions& options = {});

Image flip_horizontal(ImageView picture);
Image flip_vertical(ImageView picture);
/// Clockwise by `quarter_turns` * 90 degrees; any integer.
Image rotate_90(ImageView picture, int quarter_turns);
/// What makes a picture with this EXIF orientation upright.
Image apply_orientation(ImageView picture, Orientation orientation);

/// What a warp sees outside the picture.
enum class Border {
  constant,   ///< the fill colour
  replicate,  ///< aaa|abc|ccc
  reflect     ///< cb|abc|ba (the edge pixel is not repeated)
};

struct WarpOptions {
  /// bilinear, nearest or lanczos; area is refused.
  Interpolation interpolation = Interpolation::bilinear;
  Border border = Border::constant;
  Colour fill = kBlack;
};

/// Warps by an affine transform (a similarity is one). `to_output` maps coordinates of the *input*
/// to the output (what `estimate_similarity(landmarks, template)` gives); it must be invertible.
/// Sampling positions are rounded to 1/32 px. No low-pass filter: shrink with `resize` first where
/// the transform shrinks by much. Input and output sides must stay below 32,767.
Image warp_affine(ImageView picture, const Affine& to_output, int width_px, int height_px,
                  const WarpOptions& options = {});

enum class Conversion {
  to_grey,        ///< 3 or 4 to 1: 0.299 R + 0.587 G + 0.114 B, alpha ignored
  to_rgb,         ///< 1 or 4 to 3: grey repeated, alpha dropped (see `flatten`)
  to_rgba,        ///< 1 or 3 to 4: opaque
  swap_red_blue,  ///< 3 or 4: RGB to BGR and back
  rgb_to_hsv,     ///< 3: H 0..179 (degrees / 2), S and V 0..255
  hsv_to_rgb,
  rgb_to_ycrcb,  ///< 3: full-range BT.601, in the order Y, Cr, Cb, chroma centred at 128
  ycrcb_to_rgb
};

/// A copy where the picture has the wanted layout already (to_grey of grey, ...). Throws
/// invalid_argument for channels that the conversion does not take.
Image convert(ImageView picture, Conversion conversion);

/// 4 channels to 3: composited over `background`, (c * a + b * (255 - a)) / 255 rounded. Copies 1
/// and 3 channels.
Image flatten(ImageView picture, Colour background = kWhite);

/// Gaussian of standard deviation `sigma_px` (0 < sigma <= 500), window of 3 sigma each side,
/// border reflected.
Image gaussian_blur(ImageView picture, double sigma_px);

/// Sharpness: the population variance of the 4-neighbour Laplacian of the luma, border reflected
/// (0 for a flat picture; larger is sharper). Reference: Pech-Pacheco et al., "Diatom autofocusing
/// in brightfield microscopy", ICPR 2000.
double laplacian_variance(ImageView picture);

}  // namespace sosia::image

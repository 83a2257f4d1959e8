#pragma once
// What every format implements. `probe` reads the header; `read` gives the pixels of the extent in
// `info` (or already shrunk to the extent that options.scale_denominator asks for), with 1, 3 or 4
// channels as the format finds natural. Orientation, scale and channels are finished by decode.cpp,
// which has also checked the options and the pixel cap.

#include "image/bytes.hpp"
#include "sosia/image/decode.hpp"

namespace sosia::image {

ImageInfo probe_jpeg(Bytes bytes);
Image read_jpeg(Bytes bytes, const ImageInfo& info, const DecodeOptions& options);
ImageInfo probe_png(Bytes bytes);
Image read_png(Bytes bytes, const ImageInfo& info, const DecodeOptions& options);
ImageInfo probe_webp(Bytes bytes);
Image read_webp(Bytes bytes, const ImageInfo& info, const DecodeOptions& options);
ImageInfo probe_gif(Bytes bytes);
Image read_gif(Bytes bytes, const ImageInfo& info, const DecodeOptions& options);
ImageInfo probe_bmp(Bytes bytes);
Image read_bmp(Bytes bytes, const ImageInfo& info, const DecodeOptions& options);
ImageInfo probe_pnm(Bytes bytes);
Image read_pnm(Bytes bytes, const ImageInfo& info, const DecodeOptions& options);

/// Throws invalid_argument, with the value, for options out of range.
void check_decode_options(const DecodeOptions& options);

/// ceil(side / denominator), both sides.
Extent scaled_extent(Extent extent, int denominator);

}  // namespace sosia::image

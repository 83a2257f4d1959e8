#pragma once
// The marker structure of a JPEG file (ITU-T T.81, annex B), read without decoding: libjpeg-turbo's
// simple interface tells neither EXIF nor Adobe markers nor the number of scans, and these decide
// whether and how a file is decoded.

#include "image/bytes.hpp"

#include <vector>

namespace sosia::image {

struct JpegStructure {
  Extent extent;
  int components = 0;
  bool progressive = false;
  bool adobe = false;  ///< an Adobe APP14 marker was seen: CMYK samples are inverted
  Orientation orientation = Orientation::upright;
  int scans = 0;          ///< start-of-scan markers
  bool complete = false;  ///< the end-of-image marker was seen
  /// Where a sequential file has scan parameters that the standard fixes and some cameras leave
  /// zero: the offset of the three bytes Ss, Se, AhAl.
  std::vector<std::size_t> odd_scan_parameters;
};

/// Walks the markers to the end of the image (`whole`) or to the first scan. Throws unsupported for
/// kinds of JPEG that are not decoded, corrupt_data when the markers make no sense or, before the
/// first scan, end.
JpegStructure read_jpeg_structure(Bytes bytes, bool whole);

}  // namespace sosia::image

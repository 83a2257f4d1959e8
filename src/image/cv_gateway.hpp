#pragma once
// The one way to OpenCV: views become matrix headers without copying, and cv::Exception becomes
// sosia::Error with the shapes and values of the call. Only core and imgproc are used.

#include "sosia/core/error.hpp"
#include "sosia/image/image.hpp"

#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

namespace sosia::image {

/// A header over somebody else's pixels. The constness goes: use it as an input only.
inline cv::Mat as_mat(ImageView view) {
  return cv::Mat(view.height_px, view.width_px, CV_8UC(view.channels),
                 const_cast<std::uint8_t*>(view.data), static_cast<std::size_t>(view.stride_bytes));
}

/// A header over writable pixels.
inline cv::Mat as_mat_to_write(MutableImageView view) {
  return cv::Mat(view.height_px, view.width_px, CV_8UC(view.channels), view.data,
                 static_cast<std::size_t>(view.stride_bytes));
}

inline cv::Scalar as_scalar(Colour colour, int channels) {
  if (channels == 1) {
    const Image one(1, 1, 1, colour);
    return cv::Scalar(one.row(0)[0]);
  }
  return cv::Scalar(colour.red, colour.green, colour.blue, colour.alpha);
}

Error translated(const cv::Exception& e, std::string_view doing, ImageView input);

/// Runs `body`, which calls OpenCV about `input`.
template <class Body>
auto with_opencv(std::string_view doing, ImageView input, Body&& body) {
  try {
    return std::forward<Body>(body)();
  } catch (const cv::Exception& e) {
    throw translated(e, doing, input);
  }
}

/// A new picture that `body(const cv::Mat& input, cv::Mat& output)` fills. OpenCV must not have put
/// the result elsewhere, as it does when it disagrees about the shape.
template <class Body>
Image filled_by_opencv(std::string_view doing, ImageView input, Extent extent, int channels,
                       Body&& body) {
  Image result = Image::for_overwrite(extent.width_px, extent.height_px, channels);
  with_opencv(doing, input, [&] {
    cv::Mat output = as_mat_to_write(result.mutable_view());
    body(as_mat(input), output);
    if (output.data != result.row(0)) {
      throw Error(ErrorCode::internal,
                  fmt::format("{}: OpenCV gave {} x {} with {} channels where "
                              "{} x {} with {} was expected",
                              doing, output.cols, output.rows, output.channels(), extent.width_px,
                              extent.height_px, channels));
    }
  });
  return result;
}

}  // namespace sosia::image

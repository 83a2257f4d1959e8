#include "image/cv_gateway.hpp"

#include "sosia/core/text.hpp"

namespace sosia::image {

Error translated(const cv::Exception& e, std::string_view doing, ImageView input) {
  // Arguments are checked before OpenCV is called: what it still refuses, we let through.
  const ErrorCode code =
      e.code == cv::Error::StsNoMem ? ErrorCode::out_of_memory : ErrorCode::internal;
  return Error(
      code, fmt::format("{} failed in OpenCV for a picture of {} x {} pixels, {} channels, "
                        "stride {} bytes: {}",
                        doing, input.width_px, input.height_px, input.channels, input.stride_bytes,
                        quote(e.err, 200)));
}

}  // namespace sosia::image

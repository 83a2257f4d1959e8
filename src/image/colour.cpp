// Colour conversion and the filters of transform.hpp.

#include "image/cv_gateway.hpp"
#include "sosia/core/error.hpp"
#include "sosia/image/transform.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace sosia::image {
namespace {

struct Rule {
  std::string_view name;
  int result_channels;
  int code_for[5];  ///< OpenCV's code by input channels; kCopy, kRefuse
};
constexpr int kCopy = -1;
constexpr int kRefuse = -2;

/// In the order of Conversion.
const Rule kRules[] = {
    {"to_grey", 1, {kRefuse, kCopy, kRefuse, cv::COLOR_RGB2GRAY, cv::COLOR_RGBA2GRAY}},
    {"to_rgb", 3, {kRefuse, cv::COLOR_GRAY2RGB, kRefuse, kCopy, cv::COLOR_RGBA2RGB}},
    {"to_rgba", 4, {kRefuse, cv::COLOR_GRAY2RGBA, kRefuse, cv::COLOR_RGB2RGBA, kCopy}},
    {"swap_red_blue", 0, {kRefuse, kRefuse, kRefuse, cv::COLOR_RGB2BGR, cv::COLOR_RGBA2BGRA}},
    {"rgb_to_hsv", 3, {kRefuse, kRefuse, kRefuse, cv::COLOR_RGB2HSV, kRefuse}},
    {"hsv_to_rgb", 3, {kRefuse, kRefuse, kRefuse, cv::COLOR_HSV2RGB, kRefuse}},
    {"rgb_to_ycrcb", 3, {kRefuse, kRefuse, kRefuse, cv::COLOR_RGB2YCrCb, kRefuse}},
    {"ycrcb_to_rgb", 3, {kRefuse, kRefuse, kRefuse, cv::COLOR_YCrCb2RGB, kRefuse}},
};

}  // namespace

Image convert(ImageView picture, Conversion conversion) {
  require_valid(picture, "convert");
  const auto index = static_cast<std::size_t>(conversion);
  if (index >= std::size(kRules)) {
    throw Error(ErrorCode::invalid_argument, fmt::format("no conversion has the number {}", index));
  }
  const Rule& rule = kRules[index];
  const int code = rule.code_for[picture.channels];
  if (code == kRefuse) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("{} does not take a picture of {} channel{}", rule.name,
                            picture.channels, picture.channels == 1 ? "" : "s"));
  }
  if (code == kCopy) {
    return Image::copy_of(picture);
  }
  const int channels = rule.result_channels == 0 ? picture.channels : rule.result_channels;
  return filled_by_opencv(rule.name, picture, picture.extent(), channels,
                          [&](const cv::Mat& in, cv::Mat& out) { cv::cvtColor(in, out, code); });
}

Image flatten(ImageView picture, Colour background) {
  require_valid(picture, "flatten");
  if (picture.channels != 4) {
    return Image::copy_of(picture);
  }
  Image result = Image::for_overwrite(picture.width_px, picture.height_px, 3);
  const unsigned behind[3] = {background.red, background.green, background.blue};
  for (int y = 0; y < picture.height_px; ++y) {
    const std::uint8_t* in = picture.row(y);
    std::uint8_t* out = result.row(y);
    for (int x = 0; x < picture.width_px; ++x, in += 4, out += 3) {
      const unsigned alpha = in[3];
      for (int c = 0; c < 3; ++c) {
        out[c] =
            static_cast<std::uint8_t>((in[c] * alpha + behind[c] * (255U - alpha) + 127U) / 255U);
      }
    }
  }
  return result;
}

Image gaussian_blur(ImageView picture, double sigma_px) {
  require_valid(picture, "gaussian_blur");
  if (!(sigma_px > 0 && sigma_px <= 500)) {
    throw Error(
        ErrorCode::invalid_argument,
        fmt::format("gaussian_blur: sigma is {} px; it must be above 0 and at most 500", sigma_px));
  }
  const int side = 2 * static_cast<int>(std::ceil(3 * sigma_px)) + 1;
  return filled_by_opencv("gaussian_blur", picture, picture.extent(), picture.channels,
                          [&](const cv::Mat& in, cv::Mat& out) {
                            cv::GaussianBlur(in, out, cv::Size(side, side), sigma_px, sigma_px,
                                             cv::BORDER_REFLECT_101);
                          });
}

double laplacian_variance(ImageView picture) {
  require_valid(picture, "laplacian_variance");
  const Image converted = picture.channels == 1 ? Image() : convert(picture, Conversion::to_grey);
  const ImageView grey = picture.channels == 1 ? picture : converted.view();
  return with_opencv("laplacian_variance", grey, [&] {
    cv::Mat response;
    cv::Laplacian(as_mat(grey), response, CV_16S, 1, 1, 0, cv::BORDER_REFLECT_101);
    cv::Scalar mean;
    cv::Scalar deviation;
    cv::meanStdDev(response, mean, deviation);
    return deviation[0] * deviation[0];
  });
}

}  // namespace sosia::image

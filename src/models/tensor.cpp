#include "sosia/models/tensor.hpp"

#include "sosia/core/error.hpp"
#include "sosia/image/planar.hpp"
#include "sosia/image/transform.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace sosia::models {
namespace {

/// Whether the card leaves this side free or fixes it at `side`.
bool fits(std::int64_t wanted, int side) {
  return wanted < 0 || wanted == side;
}

void require_extent(const InputSpec& input, image::Extent extent) {
  if (fits(input.width_px(), extent.width_px) && fits(input.height_px(), extent.height_px)) return;
  throw Error(ErrorCode::invalid_argument,
              fmt::format("a picture of {} x {} for a network that takes {}", extent.width_px,
                          extent.height_px, shape_text(input.shape)),
              fmt::format("the card says how pictures are brought to it: alignment {}",
                          to_string(input.alignment)));
}

/// `picture` with the channels that the network wants: itself where it has them, else in `storage`.
image::ImageView with_channels(image::ImageView picture, Colour colour, image::Image& storage) {
  const int wanted = colour == Colour::grey ? 1 : 3;
  if (picture.channels == wanted) return picture;
  storage =
      image::convert(picture, wanted == 1 ? image::Conversion::to_grey : image::Conversion::to_rgb);
  return storage;
}

/// Planes to interleaved.
void interleave(std::span<const float> planes, std::size_t channels, std::span<float> out) {
  const std::size_t pixels = planes.size() / channels;
  for (std::size_t c = 0; c < channels; ++c) {
    for (std::size_t i = 0; i < pixels; ++i) out[i * channels + c] = planes[c * pixels + i];
  }
}

}  // namespace

std::string shape_text(std::span<const std::int64_t> shape) {
  std::string text = "[";
  for (const std::int64_t side : shape) {
    if (text.size() > 1) text += ", ";
    text += side < 0 ? "?" : std::to_string(side);
  }
  return text + "]";
}

Tensor image_tensor(const InputSpec& input, std::span<const image::ImageView> pictures) {
  if (pictures.empty()) throw Error(ErrorCode::invalid_argument, "no picture for a network");
  const image::Extent extent = pictures.front().extent();
  const std::size_t channels = input.colour == Colour::grey ? 1 : 3;
  for (const image::ImageView picture : pictures) {
    image::require_valid(picture, "making the input of a network");
    if (picture.extent() == extent) continue;
    throw Error(
        ErrorCode::invalid_argument,
        fmt::format("pictures of one batch must have one size, but these are {} x {} and "
                    "{} x {}",
                    extent.width_px, extent.height_px, picture.width_px, picture.height_px));
  }
  require_extent(input, extent);
  const image::PlanarOptions options{
      .order = input.colour == Colour::bgr ? image::ChannelOrder::bgr : image::ChannelOrder::rgb,
      .scale = 1,
      .mean = input.mean,
      .deviation = input.deviation};
  const std::size_t pixels =
      static_cast<std::size_t>(extent.width_px) * static_cast<std::size_t>(extent.height_px);
  const std::size_t length = channels * pixels;
  Tensor tensor;
  const auto rows = static_cast<std::int64_t>(pictures.size());
  const auto planes = static_cast<std::int64_t>(channels);
  tensor.shape = input.layout == Layout::nchw
                     ? std::vector<std::int64_t>{rows, planes, extent.height_px, extent.width_px}
                     : std::vector<std::int64_t>{rows, extent.height_px, extent.width_px, planes};
  tensor.values.resize(pictures.size() * length);
  std::vector<float> scratch(input.layout == Layout::nhwc ? length : 0);
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    image::Image storage;
    const image::ImageView picture = with_channels(pictures[i], input.colour, storage);
    const std::span<float> row = std::span(tensor.values).subspan(i * length, length);
    if (input.layout == Layout::nchw) {
      image::to_planar(picture, row, options);
    } else {
      image::to_planar(picture, scratch, options);
      interleave(scratch, channels, row);
    }
  }
  return tensor;
}

Tensor image_tensor(const InputSpec& input, image::ImageView picture) {
  return image_tensor(input, std::span(&picture, 1));
}

std::vector<double> normalise_rows(std::span<float> values, std::size_t dimension) {
  if (dimension == 0 || values.size() % dimension != 0) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("{} numbers are no rows of {}", values.size(), dimension));
  }
  std::vector<double> lengths;
  for (std::size_t at = 0; at < values.size(); at += dimension) {
    const std::span<float> row = values.subspan(at, dimension);
    double sum = 0;
    for (const float value : row) sum += static_cast<double>(value) * value;
    const double length = std::sqrt(sum);
    lengths.push_back(length);
    if (length == 0) continue;
    for (float& value : row) value = static_cast<float>(value / length);
  }
  return lengths;
}

std::vector<double> softmax(std::span<const float> logits) {
  if (logits.empty()) return {};
  const double top = *std::max_element(logits.begin(), logits.end());
  std::vector<double> shares;
  double sum = 0;
  for (const float logit : logits) {
    shares.push_back(std::exp(logit - top));
    sum += shares.back();
  }
  for (double& share : shares) share /= sum;
  return shares;
}

}  // namespace sosia::models

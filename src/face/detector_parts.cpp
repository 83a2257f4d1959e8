#include "face/detector_parts.hpp"

#include "sosia/core/error.hpp"
#include "sosia/image/transform.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

namespace sosia::face {

void require_options(image::ImageView picture, const DetectOptions& options) {
  image::require_valid(picture, "detecting faces");
  const auto refuse = [](const char* what, double value, const char* range) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("{} is {}; it must be {}", what, value, range));
  };
  if (!(options.min_face_px >= 8) || !std::isfinite(options.min_face_px)) {
    refuse("the smallest face wanted, in pixels,", options.min_face_px, "8 or more");
  }
  if (!(options.max_enlarge >= 1) || !(options.max_enlarge <= 2)) {
    refuse("the most that a picture is enlarged by", options.max_enlarge, "1 to 2");
  }
  if (options.min_score && !(*options.min_score >= 0 && *options.min_score <= 1)) {
    refuse("the lowest score", *options.min_score, "0 to 1");
  }
}

image::ImageView as_rgb(image::ImageView picture, image::Image& storage) {
  if (picture.channels == 3) return picture;
  storage = image::convert(picture, image::Conversion::to_rgb);
  return storage;
}

models::Tensor padded_tensor(const models::InputSpec& input, image::ImageView picture,
                             int multiple) {
  const auto up = [&](int px) { return (px + multiple - 1) / multiple * multiple; };
  const int width = up(picture.width_px), height = up(picture.height_px);
  models::Tensor tensor;
  tensor.shape = {1, 3, height, width};
  tensor.values.assign(
      std::size_t{3} * static_cast<std::size_t>(width) * static_cast<std::size_t>(height), 0.0F);
  for (std::size_t c = 0; c < 3; ++c) {
    const std::size_t from = input.colour == models::Colour::bgr ? 2 - c : c;
    std::array<float, 256> table{};
    for (std::size_t v = 0; v < table.size(); ++v) {
      table[v] = static_cast<float>((static_cast<double>(v) - input.mean[c]) / input.deviation[c]);
    }
    for (int y = 0; y < picture.height_px; ++y) {
      const std::uint8_t* in = picture.row(y) + from;
      float* out = tensor.values.data() +
                   (c * static_cast<std::size_t>(height) + static_cast<std::size_t>(y)) *
                       static_cast<std::size_t>(width);
      for (int x = 0; x < picture.width_px; ++x) out[x] = table[in[3 * x]];
    }
  }
  return tensor;
}

void take_points(const OutputNet& net, const Pyramid& pyramid, std::vector<Detection>& faces) {
  std::vector<Corners> windows;
  for (const Detection& face : faces) {
    const image::Box& b = face.box;
    const double side = std::max(b.width_px, b.height_px);
    const double x = b.x_px + (b.width_px - side) / 2, y = b.y_px + (b.height_px - side) / 2;
    windows.push_back({x, y, x + side, y + side, face.score});
  }
  std::vector<Detection> seen = net.look(pyramid, windows);
  for (std::size_t i = 0; i < faces.size(); ++i) {
    // Where the net sees no face, its box means nothing.
    if (!(seen[i].score > 0.5)) seen[i].box = faces[i].box;
  }
  net.settle(pyramid, seen);
  for (std::size_t i = 0; i < faces.size(); ++i) faces[i].landmarks = seen[i].landmarks;
}

void drop_small(std::vector<Detection>& faces, double min_face_px) {
  std::erase_if(faces, [&](const Detection& face) {
    return !(std::max(face.box.width_px, face.box.height_px) >= min_face_px);
  });
}

}  // namespace sosia::face

#include "face/anchors.hpp"
#include "sosia/core/error.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include <fmt/format.h>

namespace sosia::face {
namespace {

std::int64_t last_dimension(const models::Port& port) {
  return port.shape.empty() ? 0 : port.shape.back();
}

[[noreturn]] void refuse(const char* family, std::span<const models::Port> outputs) {
  std::string shapes;
  for (const models::Port& port : outputs) {
    shapes += (shapes.empty() ? "" : ", ") + port.name + " " + models::shape_text(port.shape);
  }
  throw Error(ErrorCode::unsupported,
              fmt::format("the network's outputs are not those of {}: {}", family, shapes));
}

/// The numbers of one output, `each` for every anchor. Rank and a leading 1 do not matter.
std::span<const float> numbers(const models::Tensor& tensor, std::size_t anchors,
                               std::size_t each) {
  if (tensor.values.size() != anchors * each) {
    throw Error(ErrorCode::corrupt_data,
                fmt::format("the detector gave {} for {} cells of {} numbers",
                            models::shape_text(tensor.shape), anchors, each));
  }
  return tensor.values;
}

double unit(float value) {
  return std::clamp(static_cast<double>(value), 0.0, 1.0);
}

/// One stride's numbers.
struct Grid {
  std::span<const float> scores, boxes, points, objectness;
  double stride = 0;

  Detection scrfd(std::size_t i, double x, double y) const {
    Detection face;
    const double left = x - boxes[4 * i] * stride, top = y - boxes[4 * i + 1] * stride;
    const double right = x + boxes[4 * i + 2] * stride, bottom = y + boxes[4 * i + 3] * stride;
    face.box = {left, top, right - left, bottom - top};
    return face;
  }

  Detection yunet(std::size_t i, double x, double y) const {
    Detection face;
    const double cx = x + boxes[4 * i] * stride, cy = y + boxes[4 * i + 1] * stride;
    const double width = std::exp(static_cast<double>(boxes[4 * i + 2])) * stride;
    const double height = std::exp(static_cast<double>(boxes[4 * i + 3])) * stride;
    face.box = {cx - width / 2, cy - height / 2, width, height};
    return face;
  }
};

}  // namespace

AnchorLayout scrfd_layout(std::span<const models::Port> outputs) {
  AnchorLayout layout;
  std::array<std::vector<std::size_t>, 3> by_kind;  // scores, boxes, points
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const std::int64_t last = last_dimension(outputs[i]);
    if (last != 1 && last != 4 && last != 10) refuse("SCRFD", outputs);
    by_kind[last == 1 ? 0 : last == 4 ? 1 : 2].push_back(i);
  }
  const std::size_t count = by_kind[0].size();
  layout.has_points = !by_kind[2].empty();
  const bool complete = by_kind[1].size() == count && (count == 3 || count == 5) &&
                        (!layout.has_points || by_kind[2].size() == count);
  if (!complete) refuse("SCRFD", outputs);
  for (std::size_t k = 0; k < count; ++k) {
    layout.strides.push_back({.stride = 8 << k,
                              .anchors = count == 3 ? 2 : 1,
                              .scores = by_kind[0][k],
                              .boxes = by_kind[1][k],
                              .points = layout.has_points ? by_kind[2][k] : 0});
  }
  return layout;
}

AnchorLayout yunet_layout(std::span<const models::Port> outputs) {
  AnchorLayout layout;
  layout.kind = AnchorLayout::Kind::yunet;
  if (outputs.size() != 12) refuse("YuNet", outputs);
  const auto index = [&](const std::string& name, std::size_t fallback) {
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      if (outputs[i].name == name) return i;
    }
    return fallback;
  };
  constexpr std::array<std::int64_t, 4> kWidths{1, 1, 4, 10};
  constexpr std::array kNames{"cls_", "obj_", "bbox_", "kps_"};
  for (std::size_t k = 0; k < 3; ++k) {
    const int stride = 8 << k;
    std::array<std::size_t, 4> at{};
    for (std::size_t part = 0; part < 4; ++part) {
      at[part] = index(kNames[part] + std::to_string(stride), 3 * part + k);
      if (last_dimension(outputs[at[part]]) != kWidths[part]) refuse("YuNet", outputs);
    }
    layout.strides.push_back({.stride = stride,
                              .anchors = 1,
                              .scores = at[0],
                              .boxes = at[2],
                              .points = at[3],
                              .objectness = at[1]});
  }
  return layout;
}

std::vector<Detection> decode_anchors(const AnchorLayout& layout,
                                      std::span<const models::Tensor> outputs, image::Extent input,
                                      double least) {
  const bool yunet = layout.kind == AnchorLayout::Kind::yunet;
  std::vector<Detection> faces;
  for (const StrideOutputs& s : layout.strides) {
    const auto columns = static_cast<std::size_t>((input.width_px + s.stride - 1) / s.stride);
    const auto rows = static_cast<std::size_t>((input.height_px + s.stride - 1) / s.stride);
    const auto anchors = static_cast<std::size_t>(s.anchors);
    const std::size_t count = columns * rows * anchors;
    Grid grid;
    grid.stride = s.stride;
    grid.scores = numbers(outputs[s.scores], count, 1);
    grid.boxes = numbers(outputs[s.boxes], count, 4);
    if (layout.has_points) grid.points = numbers(outputs[s.points], count, 10);
    if (yunet) grid.objectness = numbers(outputs[s.objectness], count, 1);
    for (std::size_t i = 0; i < count; ++i) {
      const double score =
          yunet ? std::sqrt(unit(grid.scores[i]) * unit(grid.objectness[i])) : unit(grid.scores[i]);
      if (!(score >= least)) continue;
      const std::size_t cell = i / anchors;
      const double x = static_cast<double>(cell % columns) * s.stride;
      const double y = static_cast<double>(cell / columns) * s.stride;
      Detection face = yunet ? grid.yunet(i, x, y) : grid.scrfd(i, x, y);
      face.score = score;
      for (std::size_t k = 0; k < 5 && layout.has_points; ++k) {
        face.landmarks[k] = {x + grid.points[10 * i + 2 * k] * grid.stride,
                             y + grid.points[10 * i + 2 * k + 1] * grid.stride};
      }
      faces.push_back(face);
    }
  }
  return faces;
}

}  // namespace sosia::face

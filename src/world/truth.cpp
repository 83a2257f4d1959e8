#include "world/truth.hpp"

#include "sosia/core/hash.hpp"

#include <cstring>
#include <vector>

#include <fmt/format.h>

namespace sosia::world {

double rounded(double value, int digits) {
  double scale = 1;
  for (int i = 0; i < digits; ++i) scale *= 10;
  const double scaled = value * scale;
  const auto whole = static_cast<std::int64_t>(scaled + (scaled >= 0 ? 0.5 : -0.5));
  return static_cast<double>(whole) / scale;
}

Value numbers(std::span<const double> values, int digits) {
  Value list = Value::list();
  for (const double v : values) list.push(rounded(v, digits));
  return list;
}

Value numbers(std::initializer_list<double> values, int digits) {
  return numbers(std::span<const double>(values.begin(), values.size()), digits);
}

std::string truth_line(const Value& truth) {
  return to_json(truth, -1) + "\n";
}

std::string pixel_hash(const std::uint8_t* data, int width_px, int height_px, int channels,
                       std::ptrdiff_t stride_bytes) {
  const auto row_bytes = static_cast<std::size_t>(width_px) * static_cast<std::size_t>(channels);
  std::vector<std::uint8_t> packed(row_bytes * static_cast<std::size_t>(height_px));
  for (int y = 0; y < height_px; ++y) {
    std::memcpy(packed.data() + static_cast<std::size_t>(y) * row_bytes, data + y * stride_bytes,
                row_bytes);
  }
  return fmt::format("{:016x}", xxh3_64(std::as_bytes(std::span(packed))));
}

}  // namespace sosia::world

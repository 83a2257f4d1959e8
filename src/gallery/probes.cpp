#include "gallery/probes.hpp"

#include "sosia/core/error.hpp"

#include <cmath>
#include <span>

#include <fmt/format.h>

namespace sosia::gallery {

std::vector<float> unit_probes(const SearchRequest& request, std::size_t dimension) {
  if (request.k == 0) {
    throw Error(ErrorCode::invalid_argument, "k is 0; it must be at least 1");
  }
  if (!(request.recall > 0 && request.recall <= 1)) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("recall is {}; it must be in (0, 1]", request.recall));
  }
  if (request.probes.size() % dimension != 0) {
    throw Error(ErrorCode::invalid_argument, fmt::format("{} numbers are no probes of dimension {}",
                                                         request.probes.size(), dimension));
  }
  const std::size_t count = request.probes.size() / dimension;
  if (!request.exclude_cameras.empty() && request.exclude_cameras.size() != count) {
    throw Error(ErrorCode::invalid_argument, fmt::format("{} cameras to exclude for {} probes",
                                                         request.exclude_cameras.size(), count));
  }
  std::vector<float> units(request.probes.begin(), request.probes.end());
  for (std::size_t i = 0; i < count; ++i) {
    const auto unit = std::span(units).subspan(i * dimension, dimension);
    double sum = 0;
    for (const float v : unit) sum += static_cast<double>(v) * v;
    if (!(sum > 0) || !std::isfinite(sum)) {
      throw Error(
          ErrorCode::invalid_argument,
          fmt::format("probe {} {}", i, sum == 0 ? "has length 0" : "holds NaN or infinity"));
    }
    const double norm = std::sqrt(sum);
    for (float& v : unit) v = static_cast<float>(v / norm);
  }
  return units;
}

}  // namespace sosia::gallery

#include "sosia/core/error.hpp"
#include "sosia/gallery.hpp"

#include <algorithm>
#include <cmath>
#include <string>

namespace sosia::gallery {

double pairwise_rate(double max_fpir, std::uint64_t subjects) {
  if (!(max_fpir > 0 && max_fpir < 1)) {
    throw Error(ErrorCode::invalid_argument,
                "max_fpir is " + std::to_string(max_fpir) + "; it must be between 0 and 1");
  }
  // expm1 and log1p: 1 - (1 - f)^(1/n) loses all digits at a million subjects.
  return -std::expm1(std::log1p(-max_fpir) /
                     static_cast<double>(std::max<std::uint64_t>(subjects, 1)));
}

}  // namespace sosia::gallery

#pragma once
// The table of steps that pipelines are made of.

#include "data/resample.hpp"
#include "sosia/core/rng.hpp"
#include "sosia/image/geometry.hpp"
#include "sosia/image/image.hpp"

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace sosia::data {

/// One number that a step takes.
struct Key {
  std::string_view name;
  double value = 0;  ///< the default; NaN: must be given
  double low = 0, high = 0;
};

/// The numbers of a step that was asked for.
using Numbers = std::map<std::string, double, std::less<>>;

/// What a step does: either `apply`, or resize a part of the picture.
struct Action {
  std::function<image::Image(image::Image, RandomStream&)> apply = {};
  /// The part of a picture of that extent.
  std::function<image::Box(image::Extent, RandomStream&)> area = {};
  image::Extent extent = {};  ///< of the result of `area`
  Kernel kernel = Kernel::bilinear;
};

struct Kind {
  std::string_view name;
  std::vector<Key> keys;
  std::function<Action(const Numbers&)> make;
};

const std::vector<Kind>& kinds();

}  // namespace sosia::data

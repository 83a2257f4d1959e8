#pragma once
// What a search request must be: shared by all engines.

#include "sosia/gallery/template.hpp"

#include <cstddef>
#include <vector>

namespace sosia::gallery {

/// The probes with length 1. Throws invalid_argument for k = 0, a recall outside (0, 1], a wrong
/// dimension, NaN, a zero probe, or a wrong number of cameras to exclude.
std::vector<float> unit_probes(const SearchRequest& request, std::size_t dimension);

}  // namespace sosia::gallery

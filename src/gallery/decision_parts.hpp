#pragma once
// What the verbs that search, compare and group share: probes from files, and (by policy.hpp) the
// calibration in force, the threshold that it gives and how these are shown.

#include "sosia/core/run.hpp"
#include "sosia/gallery/policy.hpp"

#include <cstddef>
#include <string>
#include <vector>

namespace sosia::gallery {

/// Vectors of a .npy file, n x dimension (one row may come as a flat array). Throws corrupt_data
/// for another shape or dimension, and for a row with NaN, infinities or only zeros, which it
/// names.
std::vector<float> read_vectors(const std::string& file, std::size_t dimension, RunContext& run);

/// One column of a CSV file, one row for each vector. Throws corrupt_data when the number differs.
std::vector<std::string> read_column(const std::string& file, const std::string& column,
                                     std::size_t rows, RunContext& run);

}  // namespace sosia::gallery

#pragma once
// Sorting of scores by their bits: least-significant-digit radix sort of the order-preserving
// integer image of an IEEE double. Linear in the number of scores; the comparison sorts that it
// replaces are the whole cost of a ROC curve of millions of scores.

#include <cstdint>
#include <span>
#include <vector>

namespace sosia::evaluate {

/// Sorts ascending. The order is that of `<`, with -0.0 before +0.0 (they compare equal). The
/// values must not be NaN. Needs a scratch copy of the same size.
void sort_ascending(std::vector<double>& values);

/// Indices that sort `values` ascending or descending; stable: ties keep the order of their
/// indices (-0.0 and +0.0 tie). The values must not be NaN. At most 2^32 - 1 values.
std::vector<std::uint32_t> stable_order(std::span<const double> values, bool descending = false);

}  // namespace sosia::evaluate

#pragma once
// What the renderings of a report share.

#include "sosia/core/report.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace sosia::report {

/// Throws internal when a row's length differs from its table's columns, or when a series has
/// different numbers of x and y. (Both are public vectors that verbs fill in place.)
void check_shapes(const Report& report);

/// The label, or the key when there is none.
const std::string& label_of(const std::string& key, const std::string& label);

/// How the intervals of some scalars were made, in one sentence each: one when all share level and
/// method, else one per scalar.
std::vector<std::string> interval_notes(const std::vector<const Scalar*>& scalars);

/// "[0.9981, 0.9992]"
std::string interval_text(const Interval& interval);

/// Whether people expect the column right-aligned: at least one number, nothing but numbers and
/// null.
bool is_numeric_column(const Table& table, std::size_t column);

/// A series ready to leave the program: at most `kMostPoints` points.
struct ThinnedSeries {
  std::vector<double> x, y;
  bool decimated = false;
};

inline constexpr std::size_t kMostPoints = 512;

/// Thins a series, deterministically. Kept are the first and last point, the extremes of both
/// coordinates and, for lines, the borders of gaps (as long as they fit into half of the budget);
/// then, for lines, the points that matter most to the drawn shape on the plot's axes (greedy
/// Douglas-Peucker: always the one farthest from the present polyline), for points and bars evenly
/// spaced ones. `most` is at least 16.
/// Reference: D. H. Douglas and T. K. Peucker, Algorithms for the reduction of the number of points
/// required to represent a digitized line or its caricature, Cartographica 10(2), 1973.
ThinnedSeries thin_series(const Series& series, bool x_log, bool y_log,
                          std::size_t most = kMostPoints);

/// The JSON form of a plot, thinned.
Value plot_value(const Plot& plot);

/// A code point at `text[at]`, or one byte that is not valid UTF-8 (`valid` false).
struct Glyph {
  std::string_view bytes;
  char32_t point = 0;
  bool valid = true;
};
Glyph glyph_at(std::string_view text, std::size_t at);

/// Characters that act instead of showing: C0, DEL, C1, line separators, bidirectional overrides.
bool is_control(char32_t point);

}  // namespace sosia::report

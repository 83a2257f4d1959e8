#pragma once
// Files that the build puts into this library (embedded.s.in). They live as long as the program.

#include <string_view>

namespace sosia::embedded {

/// Chart.js, minified, as installed where sosia was built. MIT licence; its banner comes with it.
std::string_view chart_js();

/// assets/report.css
std::string_view report_css();

/// assets/report.js
std::string_view report_js();

}  // namespace sosia::embedded

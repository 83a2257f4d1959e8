#include "core/embedded.hpp"

// Defined in embedded.s.in.
#define SOSIA_EMBEDDED(name)                                                  \
  extern "C" [[gnu::visibility("hidden")]] const char sosia_##name##_begin[]; \
  extern "C" [[gnu::visibility("hidden")]] const char sosia_##name##_end[];   \
  std::string_view sosia::embedded::name() {                                  \
    return {sosia_##name##_begin, sosia_##name##_end};                        \
  }

SOSIA_EMBEDDED(chart_js)
SOSIA_EMBEDDED(report_css)
SOSIA_EMBEDDED(report_js)

#undef SOSIA_EMBEDDED

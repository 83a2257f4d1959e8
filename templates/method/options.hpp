#pragma once
// What can be set in template_method: every member once, with the paper's symbol where it has one.

#include "sosia/core/fields.hpp"

#include <cstdint>

namespace sosia::template_room::template_method {

struct Options {
  std::int64_t train_per_class = 200;
  std::int64_t test_per_class = 2000;
  std::int64_t dimensions = 8;
  double separation = 0.8;
  double scale_ratio = 2;
  bool standardise = true;
};
void describe(Fields& f, Options& o);

}  // namespace sosia::template_room::template_method

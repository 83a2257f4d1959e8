#pragma once
// How the learning rate goes over a run.

#include "sosia/core/fields.hpp"

#include <cstdint>
#include <vector>

namespace sosia::train {

enum class ScheduleKind { constant, cosine, step, poly };
enum class WarmUpKind { linear, constant };

struct ScheduleOptions {
  ScheduleKind kind = ScheduleKind::cosine;
  double final_factor = 0;              ///< cosine, poly: factor at the end
  double power = 2;                     ///< poly
  std::vector<double> milestones = {};  ///< step: epochs after which `gamma` is multiplied in
  double gamma = 0.1;
  double warm_up_epochs = 0;
  WarmUpKind warm_up = WarmUpKind::linear;
  double warm_up_factor = 0;  ///< factor at the start (linear) or throughout (constant)
};
void describe(Fields& f, ScheduleOptions& o);

/// The factor of the learning rate at `epoch` (may be broken: 2.5 is the middle of the third) of
/// `epochs`. Cosine and poly start behind the warm-up; milestones count from the start of the run.
double rate_factor(const ScheduleOptions& options, double epoch, double epochs);

}  // namespace sosia::train

#include "train/schedule.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace sosia::train {

void describe(Fields& f, ScheduleOptions& o) {
  f.choice({.name = "kind", .help = "how the rate falls"}, o.kind,
           {{"constant", ScheduleKind::constant},
            {"cosine", ScheduleKind::cosine},
            {"step", ScheduleKind::step},
            {"poly", ScheduleKind::poly}});
  f({.name = "final_factor",
     .help = "cosine, poly: share of the rate at the end",
     .min = 0,
     .max = 1},
    o.final_factor);
  f({.name = "power", .help = "poly: exponent", .above = 0}, o.power);
  f({.name = "milestones", .help = "step: epochs after which the rate falls", .min = 0},
    o.milestones);
  f({.name = "gamma", .help = "step: factor at each milestone", .max = 1, .above = 0}, o.gamma);
  f({.name = "warm_up_epochs", .help = "epochs of warm-up", .min = 0}, o.warm_up_epochs);
  f.choice({.name = "warm_up", .help = "rising rate, or one low rate"}, o.warm_up,
           {{"linear", WarmUpKind::linear}, {"constant", WarmUpKind::constant}});
  f({.name = "warm_up_factor",
     .help = "share of the rate at the start of the warm-up",
     .min = 0,
     .max = 1},
    o.warm_up_factor);
}

double rate_factor(const ScheduleOptions& o, double epoch, double epochs) {
  double warm = 1;
  if (epoch < o.warm_up_epochs) {
    warm = o.warm_up == WarmUpKind::constant
               ? o.warm_up_factor
               : o.warm_up_factor + (1 - o.warm_up_factor) * epoch / o.warm_up_epochs;
  }
  const double span = std::max(epochs - o.warm_up_epochs, 1e-9);
  const double done = std::clamp((epoch - o.warm_up_epochs) / span, 0.0, 1.0);
  double factor = 1;
  switch (o.kind) {
    case ScheduleKind::constant:
      break;
    case ScheduleKind::cosine:
      factor =
          o.final_factor + (1 - o.final_factor) * 0.5 * (1 + std::cos(std::numbers::pi * done));
      break;
    case ScheduleKind::poly:
      factor = o.final_factor + (1 - o.final_factor) * std::pow(1 - done, o.power);
      break;
    case ScheduleKind::step:
      for (const double milestone : o.milestones) factor *= epoch >= milestone ? o.gamma : 1;
      break;
  }
  return warm * factor;
}

}  // namespace sosia::train

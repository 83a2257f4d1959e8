#pragma once
// Every metric, exactly as the field computes it, with confidence intervals.

#include "sosia/evaluate/attack.hpp"
#include "sosia/evaluate/calibration.hpp"
#include "sosia/evaluate/classification.hpp"
#include "sosia/evaluate/clustering.hpp"
#include "sosia/evaluate/confidence.hpp"
#include "sosia/evaluate/curve_report.hpp"
#include "sosia/evaluate/identification.hpp"
#include "sosia/evaluate/ranking.hpp"
#include "sosia/evaluate/report_parts.hpp"
#include "sosia/evaluate/roc.hpp"
#include "sosia/evaluate/verification.hpp"

#pragma once
// The verbs of this room, one function each; registered in verbs.cpp.

#include "sosia/core/verb.hpp"

namespace sosia::evaluate {

Verb attack_verb();
Verb calibration_verb();
Verb clustering_verb();
Verb demo_verb();
Verb identification_verb();
Verb ranking_verb();
Verb verification_verb();

}  // namespace sosia::evaluate

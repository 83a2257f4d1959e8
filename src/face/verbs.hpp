#pragma once
// The verbs of this room, one function each; registered in verbs.cpp.

#include "sosia/core/verb.hpp"

namespace sosia::face {

Verb cluster_verb();
Verb demo_verb();
Verb detect_verb();
Verb embed_verb();
Verb enrol_verb();
Verb evaluate_verb();
Verb identify_verb();
Verb migrate_verb();
Verb verify_verb();

}  // namespace sosia::face

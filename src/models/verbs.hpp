#pragma once
// The verbs of this room, one function each; registered in verbs.cpp.

#include "sosia/core/verb.hpp"

namespace sosia::models {

Verb add_verb();
Verb list_verb();
Verb run_verb();
Verb show_verb();
Verb verify_verb();

}  // namespace sosia::models

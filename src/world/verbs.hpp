#pragma once
// The verbs of this room, one function each; registered in verbs.cpp.

#include "sosia/core/verb.hpp"

namespace sosia::world {

Verb render_verb();
Verb sheet_verb();
Verb export_verb();
Verb oracle_verb();

}  // namespace sosia::world

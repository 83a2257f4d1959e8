#pragma once
// The verbs of this room, one function each; registered in verbs.cpp.

#include "sosia/core/verb.hpp"

namespace sosia::face {

Verb detect_verb();

}  // namespace sosia::face

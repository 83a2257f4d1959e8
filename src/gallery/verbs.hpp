#pragma once
// The verbs of this room, one function each; registered in verbs.cpp.

#include "sosia/core/verb.hpp"

namespace sosia::gallery {

Verb add_verb();
Verb calibrate_verb();
Verb cluster_verb();
Verb compact_verb();
Verb create_verb();
Verb dedupe_verb();
Verb export_verb();
Verb forget_verb();
Verb import_verb();
Verb search_verb();
Verb stats_verb();
Verb verify_verb();

}  // namespace sosia::gallery

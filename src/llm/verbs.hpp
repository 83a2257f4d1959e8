#pragma once
// The verbs of this room, one function each; registered in verbs.cpp. Those that need libllama
// throw missing_feature in a build without it.

#include "sosia/core/verb.hpp"

namespace sosia::llm {

Verb bench_verb();
Verb generate_verb();
Verb memory_verb();
Verb profile_verb();
Verb replay_verb();

}  // namespace sosia::llm

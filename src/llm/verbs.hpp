#pragma once
// The verbs of this room, one function each; registered in verbs.cpp. Those that need libllama are
// there in a build that has it.

#include "sosia/core/verb.hpp"

namespace sosia::llm {

Verb bench_verb();
Verb generate_verb();
Verb memory_verb();
Verb profile_verb();
Verb replay_verb();

}  // namespace sosia::llm

#pragma once
// Language models: drafts from text seen before, their verification, and the memory that persists.

#include "sosia/llm/draft.hpp"
#include "sosia/llm/engine.hpp"
#include "sosia/llm/json_schema.hpp"
#include "sosia/llm/lookahead.hpp"
#include "sosia/llm/memory.hpp"
#include "sosia/llm/policy.hpp"
#include "sosia/llm/replay.hpp"

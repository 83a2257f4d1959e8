#include "llm/verbs.hpp"

#include "sosia/core/registry.hpp"

namespace sosia::llm {

void register_verbs(Registry& registry) {
#ifdef SOSIA_HAVE_LLAMA
  registry.add(generate_verb());
  registry.add(bench_verb());
  registry.add(profile_verb());
#endif
  registry.add(replay_verb());
  registry.add(memory_verb());
}

}  // namespace sosia::llm

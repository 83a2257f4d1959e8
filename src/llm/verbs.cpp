#include "llm/verbs.hpp"

#include "sosia/core/registry.hpp"

namespace sosia::llm {

void register_verbs(Registry& registry) {
  registry.add(generate_verb());
  registry.add(bench_verb());
  registry.add(profile_verb());
  registry.add(replay_verb());
  registry.add(memory_verb());
}

}  // namespace sosia::llm

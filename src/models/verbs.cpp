#include "models/verbs.hpp"

#include "sosia/core/registry.hpp"

namespace sosia::models {

void register_verbs(Registry& registry) {
  registry.add(list_verb());
  registry.add(show_verb());
  registry.add(add_verb());
  registry.add(verify_verb());
  registry.add(run_verb());
}

}  // namespace sosia::models

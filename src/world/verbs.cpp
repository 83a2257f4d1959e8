#include "world/verbs.hpp"

#include "sosia/core/registry.hpp"

namespace sosia::world {

void register_verbs(Registry& registry) {
  registry.add(render_verb());
  registry.add(sheet_verb());
  registry.add(export_verb());
  registry.add(oracle_verb());
}

}  // namespace sosia::world

#include "face/verbs.hpp"

#include "sosia/core/registry.hpp"

namespace sosia::face {

void register_verbs(Registry& registry) {
  registry.add(detect_verb());
  registry.add(embed_verb());
  registry.add(verify_verb());
  registry.add(enrol_verb());
  registry.add(identify_verb());
  registry.add(cluster_verb());
  registry.add(evaluate_verb());
  registry.add(migrate_verb());
  registry.add(demo_verb());
}

}  // namespace sosia::face

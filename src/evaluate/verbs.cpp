#include "evaluate/verbs.hpp"

#include "sosia/core/registry.hpp"

namespace sosia::evaluate {

void register_verbs(Registry& registry) {
  registry.add(verification_verb());
  registry.add(identification_verb());
  registry.add(ranking_verb());
  registry.add(attack_verb());
  registry.add(calibration_verb());
  registry.add(clustering_verb());
  registry.add(demo_verb());
}

}  // namespace sosia::evaluate

#include "face/verbs.hpp"

#include "sosia/core/registry.hpp"

namespace sosia::face {

void register_verbs(Registry& registry) {
  registry.add(detect_verb());
  registry.add(evaluate_verb());
  registry.add(verify_verb());
}

}  // namespace sosia::face

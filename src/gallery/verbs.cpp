#include "gallery/verbs.hpp"

#include "sosia/core/registry.hpp"

namespace sosia::gallery {

void register_verbs(Registry& registry) {
  registry.add(create_verb());
  registry.add(add_verb());
  registry.add(import_verb());
  registry.add(export_verb());
  registry.add(search_verb());
  registry.add(calibrate_verb());
  registry.add(dedupe_verb());
  registry.add(cluster_verb());
  registry.add(forget_verb());
  registry.add(verify_verb());
  registry.add(compact_verb());
  registry.add(stats_verb());
}

}  // namespace sosia::gallery

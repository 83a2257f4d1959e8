// What the room offers to `sosia train`; it has no verbs of its own.

#include "sosia/core/registry.hpp"
#include "train/supervised.hpp"

namespace sosia::train {

void register_verbs(Registry& registry) {
  registry.add(make_training<SupervisedRecipe>(
      {.method = "supervised",
       .room = "train",
       .title = "an embedding by labels: softmax, ArcFace, CosFace, AdaFace, triplets"},
      train_supervised, plan_supervised));
}

}  // namespace sosia::train

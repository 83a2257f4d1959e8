#pragma once
// Training of an embedding by labels: the `supervised` recipe.

#include "nn/network.hpp"
#include "sosia/data/dataset.hpp"
#include "sosia/data/sampler.hpp"
#include "train/embedding.hpp"
#include "train/loop.hpp"

#include <string>
#include <vector>

namespace sosia::train {

struct SupervisedRecipe {
  enum class Loss { softmax, arcface, cosface, adaface, triplet, softmax_triplet };
  std::string name = "trained";
  std::string role = "face_embedder";
  Loss loss = Loss::cosface;
  double margin = -1;        ///< of the loss; -1: as published
  double scale = 64;         ///< of cosines
  double smoothing = 0;      ///< of labels, eps / C on every class
  double centre_weight = 0;  ///< of the centre loss beside softmax_triplet
  double held_out = 0.1;     ///< share of subjects for evaluation
  std::vector<std::string> transforms = {};
  data::DataSpec data = {};
  data::SamplerSpec sampler = {};
  nn::NetworkSpec network = {};
  InputSpec input = {};
  LoopSpec loop = {};
};
void describe(Fields& f, SupervisedRecipe& o);

Report train_supervised(const SupervisedRecipe& recipe, const TrainingRequest& request,
                        RunContext& run);
Report plan_supervised(const SupervisedRecipe& recipe, const TrainingRequest& request,
                       RunContext& run);

}  // namespace sosia::train

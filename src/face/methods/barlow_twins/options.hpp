#pragma once
// The recipe of Barlow Twins, with the paper's symbols.

#include "nn/network.hpp"
#include "sosia/core/fields.hpp"
#include "sosia/data/dataset.hpp"
#include "sosia/data/sampler.hpp"
#include "train/embedding.hpp"
#include "train/loop.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace sosia::face::barlow_twins {

struct Recipe {
  std::string name = "barlow-twins";
  double lambda = 0.0051;  ///< weight of the redundancy term
  std::vector<std::int64_t> projector{8192, 8192, 8192};
  bool invariance = true, redundancy = true;  ///< the two terms; one alone is an ablation
  /// Steps of each view; empty: those of the published code at the network's size.
  std::vector<std::string> view1 = {}, view2 = {};
  double held_out =
      0.1;  ///< share of subjects that is kept for evaluation; their labels are used there alone
  data::DataSpec data = {};
  data::SamplerSpec sampler = {};
  nn::NetworkSpec network = {};
  train::InputSpec input = {};
  train::LoopSpec loop = {};
};
void describe(Fields& f, Recipe& o);

}  // namespace sosia::face::barlow_twins

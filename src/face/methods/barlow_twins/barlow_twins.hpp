#pragma once
// Barlow Twins: an embedding without labels, from two views of each picture.
//
// Reference: Zbontar et al., "Barlow Twins: self-supervised learning via redundancy reduction",
// ICML 2021 (arXiv 2103.03230), and the authors' code. Views go through the network one after the
// other, so that their batch statistics are apart; the projector is thrown away after training.

#include "face/methods/barlow_twins/options.hpp"
#include "nn/heads.hpp"
#include "nn/loss.hpp"
#include "train/processes.hpp"

#include <functional>
#include <memory>

namespace sosia::face::barlow_twins {

/// The two networks and the loss of a batch of two views.
class BarlowTask final : public train::Task {
 public:
  /// `evaluate`: figures on held-out data, may be empty. `sum`: over all processes.
  BarlowTask(std::shared_ptr<nn::Network> network, const std::vector<std::int64_t>& projector,
             const nn::BarlowOptions& options, at::Device device, at::Generator& generator,
             nn::AllReduce sum = {}, std::function<train::Figures(RunContext&)> evaluate = {});

  std::vector<std::pair<std::string, torch::nn::Module*>> modules() override;
  std::vector<train::ParameterGroup> parameters() override;
  /// Logs the two terms of the loss and the floor that independent noise would give the second one.
  train::StepResult step(const std::vector<at::Tensor>& views, const at::Tensor& subjects) override;
  train::Figures evaluate(RunContext& run) override;

 private:
  std::shared_ptr<nn::Network> network_;
  nn::Projector projector_{nullptr};
  nn::BarlowOptions options_;
  nn::AllReduce sum_;
  std::function<train::Figures(RunContext&)> evaluate_;
};

Report train_barlow_twins(const Recipe& recipe, const TrainingRequest& request, RunContext& run);
Report plan_barlow_twins(const Recipe& recipe, const TrainingRequest& request, RunContext& run);

}  // namespace sosia::face::barlow_twins

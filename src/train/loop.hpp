#pragma once
// One loop for all trainings: steps, schedule, moving average, checkpoints that go on to the bit,
// log.

#include "sosia/core/report.hpp"
#include "sosia/core/run.hpp"
#include "sosia/core/training.hpp"
#include "sosia/data/loader.hpp"
#include "train/optimiser.hpp"
#include "train/processes.hpp"
#include "train/schedule.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace sosia::train {

struct LoopSpec {
  std::int64_t epochs = 10;
  std::int64_t accumulate = 1;        ///< batches of a step
  double clip = 0;                    ///< longest gradient; 0: any
  double ema = 0;                     ///< decay of the moving average of the weights; 0: none
  bool bf16 = false;                  ///< forward passes in bfloat16, where the device gains by it
  std::int64_t log_every = 10;        ///< steps
  std::int64_t checkpoint_every = 1;  ///< epochs
  std::int64_t evaluate_every = 1;    ///< epochs; 0: at the end only
  std::int64_t patience = 0;  ///< stop after so many evaluations without a better one; 0: never
  OptimiserOptions optimiser = {};
  double vector_rate = 1;  ///< learning rate of biases and norms, relative; they never decay
  ScheduleOptions schedule = {};
};
void describe(Fields& f, LoopSpec& o);

using Figures = std::vector<std::pair<std::string, double>>;

/// What one batch came to.
struct StepResult {
  at::Tensor loss;       ///< a scalar with its gradient
  Figures figures = {};  ///< logged beside it
};

/// What is trained. The loop owns no module.
class Task {
 public:
  virtual ~Task() = default;
  /// Everything with weights, by the prefix of its names in checkpoints. The first one is the
  /// model.
  virtual std::vector<std::pair<std::string, torch::nn::Module*>> modules() = 0;
  /// What the optimiser updates, with names that start with the module's prefix.
  virtual std::vector<ParameterGroup> parameters() = 0;
  /// Views float32 [n, channels, height, width] on the device; subjects int64 [n].
  virtual StepResult step(const std::vector<at::Tensor>& views, const at::Tensor& subjects) = 0;
  /// Figures on held-out data, in eval mode; the first one decides which weights are best, higher
  /// is better.
  virtual Figures evaluate(RunContext& run) = 0;
};

/// A line of the log.
struct LogLine {
  std::uint64_t step = 0;
  double epoch = 0;
  double loss = 0, learning_rate = 0;
  Figures figures;
};

struct LoopResult {
  std::uint64_t steps = 0;
  bool stopped_early = false;
  std::vector<LogLine> log;
  std::vector<LogLine> evaluations;  ///< loss is not set
};

/// Trains. `generator` draws for layers; the recipe of `request` is compared when a run goes on.
/// All `processes` begin with the weights of the first one and take the same steps; it alone writes
/// checkpoint/last.safetensors and log.csv in `request.out`, unless that is empty. When the run is
/// cancelled the checkpoint is saved first.
///
/// Throws invalid_argument for a loss that is not finite (with the step and the last good
/// checkpoint), not_found when there is nothing to go on with, corrupt_data for a checkpoint of
/// another recipe, and what the loader and LibTorch throw.
LoopResult run_loop(Task& task, data::Loader& loader, const LoopSpec& spec,
                    at::Generator& generator, Processes& processes, const TrainingRequest& request,
                    RunContext& run);

/// Loss, learning rate and figures as plots; the evaluations as a table.
void add_curves(Report& report, const LoopResult& result);

}  // namespace sosia::train

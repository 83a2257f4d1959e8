#pragma once
// What the reports of all trainings share.

#include "train/loop.hpp"
#include "train/processes.hpp"

namespace sosia::train {

/// Parameters, memory, steps and an estimate of the time from two measured steps. Writes nothing.
Report plan_report(Task& task, data::Loader& loader, const LoopSpec& spec,
                   const std::string& described, RunContext& run);

/// Makes the folder of the run and writes recipe.toml into it. Throws conflict when another run
/// lies there that neither goes on (--resume) nor may be written over (--force).
void begin_run(const TrainingRequest& request, Processes& processes, RunContext& run);

/// Curves, figures at the end, pictures that could not be read, where the model is.
Report training_report(const std::string& name, const TrainingRequest& request,
                       const LoopResult& result, const data::Loader& loader,
                       const std::string& described, RunContext& run);

}  // namespace sosia::train

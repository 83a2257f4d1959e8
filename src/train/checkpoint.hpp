#pragma once
// The state of a run in one file.

#include "train/loop.hpp"

#include <filesystem>

namespace sosia::train {

/// Where a run stands between two steps.
struct Position {
  std::uint64_t epoch = 0, batch = 0, step = 0;
  double best = 0;
  std::int64_t since_best = 0;  ///< evaluations
  bool has_best = false;
};

/// Everything that the next step depends on.
struct RunState {
  Task& task;
  Optimiser& optimiser;
  at::Generator& generator;
  tensor::NamedTensors& average;  ///< moving average of the model; empty: none
  Position position = {};
  std::vector<LogLine> log = {}, evaluations = {};
};

/// The file appears whole or not at all; an older one stays until then. Throws io.
void save_state(const std::filesystem::path& file, const RunState& state,
                const std::string& recipe);
/// Throws not_found, corrupt_data (damaged; of another recipe or architecture).
void load_state(const std::filesystem::path& file, RunState& state, const std::string& recipe);

}  // namespace sosia::train

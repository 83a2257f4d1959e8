#pragma once
// What is tried before a model is trusted: kernels that compute the same for a batch and for single
// tokens, configurations in which they agree to the last bit, and what a step costs.

#include "llm/engine/sequence.hpp"

#include <functional>
#include <memory>
#include <vector>

namespace sosia::llm {

struct Opened {
  std::unique_ptr<LoadedModel> model;
  std::unique_ptr<Sequence> sequence;
};

/// The model on the fastest variant of the kernels that passes. Throws as `open_engine`.
Opened open_tested(const EngineOptions& options);

/// Largest difference of logits of a 16-token batch and single tokens, over the range of the
/// logits. Infinite when one is no number.
double batch_difference(Sequence& sequence, std::size_t vocabulary);

/// Whether steps of all sizes give the bits that steps of one token give, behind a long context.
bool steps_agree(Sequence& sequence, std::size_t vocabulary);

/// t(n) for all shapes at several lengths of context.
std::vector<CostCurve> measure_steps(
    Sequence& sequence, std::size_t vocabulary, int rounds,
    const std::function<void(std::size_t, std::size_t)>& on_progress);

}  // namespace sosia::llm

#pragma once
// How much to draft: what a step of n tokens costs here, how likely a candidate is accepted, and
// the tree that promises the most tokens per time. "No draft" is always a candidate.
//
// The gain of a tree is (1 + sum of path probabilities) / t(n): section 5.5 of the notes on the
// paper; Sequoia (arXiv 2402.12374) and OPT-Tree (arXiv 2406.17276) maximise the same.

#include "sosia/llm/draft.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace sosia::llm {

/// Batch sizes that are worth profiling; a policy drafts no others, so that the engine's graphs are
/// used again.
inline constexpr std::array<std::size_t, 12> kShapes{1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64};

/// Time of a step by the number of tokens verified in it, for one length of context.
struct CostCurve {
  std::size_t context = 0;                                  ///< cells that were attended to
  std::vector<std::pair<std::size_t, double>> points = {};  ///< (n, milliseconds), n ascending
};

/// t(n), measured, and kept up to date while generating. Thread-safety: none.
class StepCost {
 public:
  /// Throws invalid_argument when there is no curve, a curve lacks n = 1, is not ascending in n, or
  /// holds a time that is not positive.
  explicit StepCost(std::vector<CostCurve> curves);
  /// A flat curve is the ideal device: any draft is free. For tests and as a first guess.
  static StepCost flat(double ms = 1);

  /// Milliseconds of a step; between the points by straight lines, beyond the last one along the
  /// last slope. The curve whose context is nearest is taken.
  double ms(std::size_t n, std::size_t context) const;
  /// A step of `n` tokens took `ms`. Load that slows all steps moves the whole curve; what is
  /// peculiar to `n` moves its own point, and those that no step has tried yet with it: a profile
  /// that was measured beside other work is wrong at many points, and the first steps say so.
  void observe(std::size_t n, std::size_t context, double ms);
  const std::vector<CostCurve>& curves() const noexcept { return curves_; }

 private:
  double profiled(std::size_t n, std::size_t context) const;
  std::vector<CostCurve> curves_;
  double load_ = 1;                                   // time over profile, moving average
  std::array<double, kShapes.size()> own_;            // the same for one shape, load divided out
  std::array<std::uint32_t, kShapes.size()> seen_{};  // steps of the shape
  double own_of(std::size_t n) const;
};

/// Learned probabilities of acceptance by source, match length, share and depth. Every cell starts
/// from a guess worth few observations and forgets slowly. Thread-safety: none.
class AcceptanceModel {
 public:
  AcceptanceModel();
  /// P(token is accepted | its parent is).
  double probability(const Candidate& candidate) const;
  void observe(const Candidate& candidate, bool accepted);
  /// Mean squared difference of prediction and outcome so far, and the number of observations.
  std::pair<double, std::uint64_t> brier() const noexcept;

 private:
  struct Cell {
    float accepted = 0, trials = 0;
  };
  static std::size_t index_of(const Candidate& candidate);
  std::vector<Cell> cells_;
  double squares_ = 0;
  std::uint64_t observations_ = 0;
};

struct PolicyOptions {
  bool enabled = true;
  std::size_t max_nodes = 63;  ///< drafted tokens of a step
  std::size_t max_leaves = 8;  ///< branches of a tree; 1: chains only
  double margin = 1.03;        ///< expected gain that a draft must promise
  bool adaptive = true;        ///< false: always as many nodes as `max_nodes` allows
};

/// A draft to be verified: nodes in an order in which parents come first.
struct Draft {
  std::vector<Candidate> nodes = {};
  double expected_gain = 1;  ///< over a step without a draft
  std::size_t leaves() const;
  bool is_chain() const;
};

/// Chooses drafts. Thread-safety: none; one for each stream of requests.
class DraftPolicy {
 public:
  DraftPolicy(PolicyOptions options, StepCost cost);

  /// Another request starts.
  void begin();
  /// The draft for `candidates`; empty when none pays. `room`: at most this many nodes.
  Draft choose(const CandidateTree& candidates, std::size_t context, std::size_t room);
  /// What came of a step: `emitted` tokens follow the root, whatever was drafted. `candidates` are
  /// those of the step, drafted or not: also what was not verified is learned from.
  /// `ms` <= 0: not measured.
  void learn(const CandidateTree& candidates, const Draft& draft, std::span<const Token> emitted,
             std::size_t context, double ms);

  const AcceptanceModel& acceptance() const noexcept { return acceptance_; }
  const StepCost& cost() const noexcept { return cost_; }
  const PolicyOptions& options() const noexcept { return options_; }

 private:
  PolicyOptions options_;
  StepCost cost_;
  AcceptanceModel acceptance_;
  double required_;
  /// Follows `emitted` from node `at`; returns where it ends, or nothing when a token is not there.
  std::optional<std::int32_t> follow(const CandidateTree& tree, std::int32_t at,
                                     std::span<const Token> emitted);
  double won_tokens_ms_ = 0, spent_ms_ = 0;  // of drafted steps, moving sums
  // An earlier step's candidates that have been right so far: what would have come of a long draft
  // is learned without drafting it.
  std::size_t unprobed_ = 0;  // steps without a draft since the last probe
  std::size_t probe_every_;   // of them; more after every probe
  CandidateTree shadow_;
  std::int32_t shadow_at_ = -1;
};

}  // namespace sosia::llm

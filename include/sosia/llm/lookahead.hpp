#pragma once
// Lookahead of one stream of requests: retrieval, choice of drafts, and learning from what came of
// them. It knows no model: the engine verifies, the replay compares with a recording.

#include "sosia/llm/policy.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace sosia::llm {

class PastTexts;
class DraftIndex;

struct LookaheadOptions {
  enum class Index : std::uint8_t {
    context,  ///< hash chains over contexts: the default
    trie,     ///< the paper's
  };
  Index index = Index::context;
  TrieOptions trie = {};
  PolicyOptions policy = {};
  RetrievalLimits limits = {};
  std::size_t prompt_tail = 24;  ///< tokens of the prompt remembered in front of an output
  std::uint64_t memory_bytes = std::uint64_t{256} << 20;  ///< cap of texts in memory
};

/// Counts since the start or the last `reset`.
struct LookaheadStats {
  std::uint64_t requests = 0, steps = 0, drafted_steps = 0;
  std::uint64_t tokens = 0;    ///< emitted
  std::uint64_t drafted = 0;   ///< nodes that were verified
  std::uint64_t accepted = 0;  ///< of them, emitted
  std::array<std::uint64_t, kSources> drafted_by = {}, accepted_by = {};
  std::vector<std::uint64_t> drafted_at = {}, accepted_at = {};  ///< by depth - 1
  double index_us = 0;  ///< retrieving, choosing, inserting
  /// A step emits what was accepted and one token of the model's own.
  double tokens_per_step() const {
    return steps == 0 ? 0 : 1 + static_cast<double>(accepted) / static_cast<double>(steps);
  }
};

/// What proposes the drafts of one stream of requests. `Lookahead` is one; others run in the same
/// loop of the engine and of the replay. Thread-safety: none.
class Drafter {
 public:
  virtual ~Drafter() = default;
  /// A request starts with this prompt, whose last token may be followed by `append`ed ones.
  virtual void begin(std::span<const Token> prompt) = 0;
  /// Tokens that came without a draft (the one that follows the prompt).
  virtual void append(std::span<const Token> tokens) = 0;
  /// The draft that should be verified next, of at most `room` nodes; empty for none. Valid until
  /// the next call.
  virtual const Draft& propose(std::size_t room) = 0;
  /// The step verified `propose`'s draft, or nothing when `verified` is false (the draft was
  /// dropped), and emitted these tokens.
  virtual void accept(std::span<const Token> emitted, double step_ms, bool verified) = 0;
  /// The request is over; `remember`: its output is kept for later ones.
  virtual void end(bool remember) = 0;
};

/// Thread-safety: none; one object for each slot. Several may share `past`.
class Lookahead final : public Drafter {
 public:
  /// `past`: null for texts of this object's own, in memory only.
  Lookahead(const LookaheadOptions& options, StepCost cost, std::shared_ptr<PastTexts> past = {});
  ~Lookahead() override;
  Lookahead(Lookahead&&) noexcept;
  Lookahead& operator=(Lookahead&&) noexcept;

  void begin(std::span<const Token> prompt) override;
  void append(std::span<const Token> tokens) override;
  const Draft& propose(std::size_t room) override;
  void accept(std::span<const Token> emitted, double step_ms, bool verified = true) override;
  void end(bool remember = true) override;
  /// Adds a finished text, as warming up does.
  void learn(std::span<const Token> text);

  const LookaheadStats& stats() const noexcept;
  void reset_stats();
  const DraftPolicy& policy() const noexcept;
  IndexFootprint footprint() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sosia::llm

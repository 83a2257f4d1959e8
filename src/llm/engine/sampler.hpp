#pragma once
// How a token is chosen from logits. State (penalties, grammar, random numbers) advances with
// emitted tokens only, in their order, whatever was drafted.

#include "llm/engine/model.hpp"

#include <optional>
#include <vector>

namespace sosia::llm {

class Sampler {
 public:
  /// Throws invalid_argument for options out of range or a grammar that cannot be read.
  Sampler(const LoadedModel& model, const SamplingOptions& options);

  /// Chooses the next token and advances. Throws corrupt_data when the grammar allows none.
  Token choose(const float* logits);
  /// Difference of the two highest logits, for greedy decoding without a grammar.
  bool is_near_tie(const float* logits, double margin) const;
  bool is_greedy() const noexcept { return !chain_; }
  /// Tokens of the prompt count for penalties.
  void see_prompt(std::span<const Token> prompt);

 private:
  Token choose_by_chain(const float* logits);
  /// The highest logit where the grammar allows it, else nothing. Asks for one token instead of
  /// all.
  std::optional<Token> highest_if_allowed(const float* logits);
  std::size_t vocabulary_;
  bool grammar_ = false;
  std::vector<std::pair<Token, double>> bias_;
  SamplerPtr chain_;  // null: the highest logit
  llama_sampler* penalties_ = nullptr;
  llama_sampler* only_grammar_ =
      nullptr;  // set where nothing but a grammar changes greedy decoding
  std::vector<llama_token_data> candidates_;
};

}  // namespace sosia::llm

#pragma once
// Drafters of other projects in our loop: ngram-cache, ngram-map-k and ngram-mod of llama.cpp, from
// its sources that set-up of the bench has unpacked, and the prompt lookup of llama-cpp-python in a
// Python process of its own.

#include "sosia/core/value.hpp"
#include "sosia/llm/lookahead.hpp"

#include <memory>
#include <string>
#include <vector>

namespace sosia::llm::bench {

/// Drafts without branches, made from the text so far.
class ChainDrafter : public Drafter {
 public:
  void begin(std::span<const Token> prompt) override;
  void append(std::span<const Token> tokens) override;
  const Draft& propose(std::size_t room) override;
  void accept(std::span<const Token> emitted, double step_ms, bool verified) override;
  void end(bool) override {}
  /// Processor time of other processes that draft for this one, in ms since the start.
  virtual double foreign_cpu_ms() const { return 0; }

 protected:
  virtual void started() = 0;
  /// Tokens that may follow `text_`, which is never empty.
  virtual void draft(std::vector<Token>& out) = 0;
  virtual void verified(std::size_t /*accepted*/) {}
  std::vector<Token> text_;      ///< prompt and output, the last token included
  std::size_t prompt_size_ = 0;  ///< of it

 private:
  Draft draft_;
  std::vector<Token> tokens_;
};

/// `kind`: "cache", "map-k", "mod" or "lookup". `settings`: its parameters by their own names, as
/// far as they differ from the defaults. `warm`: texts that are known beforehand; map-k and lookup
/// have no place for them. `python`: command of the process for "lookup". Throws invalid_argument.
std::unique_ptr<ChainDrafter> make_peer(const std::string& kind, const Value& settings,
                                        const std::vector<std::vector<Token>>& warm,
                                        const std::vector<std::string>& python);

}  // namespace sosia::llm::bench

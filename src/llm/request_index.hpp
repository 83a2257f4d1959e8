#pragma once
// The default index of a request: a table of its own prompt and output, and the texts of its
// tenant.

#include "llm/past_texts.hpp"

#include <memory>
#include <vector>

namespace sosia::llm {

class RequestIndex final : public DraftIndex {
 public:
  /// `past` may be null. `prompt_tail`: tokens of the prompt's end that are remembered in front of
  /// an output, so that the first tokens of an answer can be drafted too.
  explicit RequestIndex(std::shared_ptr<PastTexts> past, std::size_t prompt_tail = 24);

  void begin(std::span<const Token> prompt) override;
  void append(std::span<const Token> tokens) override;
  void end() override;
  void learn(std::span<const Token> text) override;
  void retrieve(const RetrievalLimits& limits, CandidateTree& out) const override;
  IndexFootprint footprint() const override;
  void touch(std::uint64_t origin) const;

 private:
  struct Merge;
  void search(const TextPart& part, const RetrievalLimits& limits, Merge& merge) const;

  std::shared_ptr<PastTexts> past_;
  std::size_t prompt_tail_, prompt_size_ = 0;
  ContextTable own_;
  mutable std::vector<Occurrence> occurrences_;  // scratch
};

}  // namespace sosia::llm

#include "sosia/llm/lookahead.hpp"

#include "llm/request_index.hpp"

#include <algorithm>
#include <chrono>

namespace sosia::llm {

namespace {

using Clock = std::chrono::steady_clock;

double us_since(Clock::time_point start) {
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

}  // namespace

struct Lookahead::Impl {
  std::unique_ptr<DraftIndex> index;
  RequestIndex* context_index = nullptr;  // the same object, where it is one
  DraftPolicy policy;
  RetrievalLimits limits;
  CandidateTree candidates = {};
  Draft draft = {};
  std::size_t context = 0;  // tokens of the request so far
  LookaheadStats stats = {};

  Impl(const LookaheadOptions& options, StepCost cost, std::shared_ptr<PastTexts> past)
      : policy(options.policy, std::move(cost)), limits(options.limits) {
    if (options.index == LookaheadOptions::Index::trie) {
      index = make_trie_index(options.trie);
      return;
    }
    if (!past) past = std::make_shared<HeapTexts>(options.memory_bytes);
    auto own = std::make_unique<RequestIndex>(std::move(past), options.prompt_tail);
    context_index = own.get();
    index = std::move(own);
  }

  void count(std::span<const Token> emitted);
};

/// Which nodes of the draft were emitted, and where they came from.
void Lookahead::Impl::count(std::span<const Token> emitted) {
  for (const Candidate& c : draft.nodes) {
    ++stats.drafted_by[static_cast<std::size_t>(c.source)];
    if (stats.drafted_at.size() < c.depth) {
      stats.drafted_at.resize(c.depth);
      stats.accepted_at.resize(c.depth);
    }
    ++stats.drafted_at[c.depth - 1u];
  }
  stats.drafted += draft.nodes.size();
  stats.drafted_steps += draft.nodes.empty() ? 0 : 1;
  std::int32_t at = -1;
  std::uint64_t origin = 0;
  // The last token is the model's own.
  for (std::size_t k = 0; k + 1 < emitted.size(); ++k) {
    std::int32_t accepted = -1;
    for (std::size_t i = static_cast<std::size_t>(at + 1); i < draft.nodes.size(); ++i) {
      if (draft.nodes[i].parent == at && draft.nodes[i].token == emitted[k]) {
        accepted = static_cast<std::int32_t>(i);
        break;
      }
    }
    if (accepted < 0) break;
    const Candidate& c = draft.nodes[static_cast<std::size_t>(accepted)];
    ++stats.accepted;
    ++stats.accepted_by[static_cast<std::size_t>(c.source)];
    ++stats.accepted_at[c.depth - 1u];
    origin = c.origin;
    at = accepted;
  }
  if (context_index != nullptr && origin != 0) context_index->touch(origin);
}

Lookahead::Lookahead(const LookaheadOptions& options, StepCost cost,
                     std::shared_ptr<PastTexts> past)
    : impl_(std::make_unique<Impl>(options, std::move(cost), std::move(past))) {}
Lookahead::~Lookahead() = default;
Lookahead::Lookahead(Lookahead&&) noexcept = default;
Lookahead& Lookahead::operator=(Lookahead&&) noexcept = default;

void Lookahead::begin(std::span<const Token> prompt) {
  const auto start = Clock::now();
  impl_->index->begin(prompt);
  impl_->policy.begin();
  impl_->context = prompt.size();
  impl_->draft = {};
  impl_->candidates.clear();
  ++impl_->stats.requests;
  impl_->stats.index_us += us_since(start);
}

void Lookahead::append(std::span<const Token> tokens) {
  impl_->index->append(tokens);
  impl_->context += tokens.size();
  impl_->stats.tokens += tokens.size();
}

const Draft& Lookahead::propose(std::size_t room) {
  const auto start = Clock::now();
  if (impl_->policy.options().enabled) {
    impl_->index->retrieve(impl_->limits, impl_->candidates);
    impl_->draft = impl_->policy.choose(impl_->candidates, impl_->context, room);
  }
  impl_->stats.index_us += us_since(start);
  return impl_->draft;
}

void Lookahead::accept(std::span<const Token> emitted, double step_ms, bool verified) {
  const auto start = Clock::now();
  if (!verified) impl_->draft = {};
  impl_->policy.learn(impl_->candidates, impl_->draft, emitted, impl_->context, step_ms);
  impl_->count(emitted);
  impl_->index->append(emitted);
  impl_->context += emitted.size();
  ++impl_->stats.steps;
  impl_->stats.tokens += emitted.size();
  impl_->stats.index_us += us_since(start);
}

void Lookahead::end(bool remember) {
  if (remember) {
    impl_->index->end();
  } else {
    impl_->index->begin({});
  }
}

void Lookahead::learn(std::span<const Token> text) {
  impl_->index->learn(text);
}

const LookaheadStats& Lookahead::stats() const noexcept {
  return impl_->stats;
}
void Lookahead::reset_stats() {
  impl_->stats = {};
}
const DraftPolicy& Lookahead::policy() const noexcept {
  return impl_->policy;
}
IndexFootprint Lookahead::footprint() const {
  return impl_->index->footprint();
}

}  // namespace sosia::llm

#include "llm/engine/sampler.hpp"
#include "llm/engine/self_test.hpp"
#include "llm/engine/sequence.hpp"
#include "llm/text_stream.hpp"
#include "sosia/core/text.hpp"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

namespace sosia::llm {

namespace {

using Clock = std::chrono::steady_clock;

double ms_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

class LlamaEngine final : public Engine {
 public:
  LlamaEngine(const EngineOptions& options, std::unique_ptr<LoadedModel> model,
              std::unique_ptr<Sequence> sequence)
      : options_(options), model_(std::move(model)), sequence_(std::move(sequence)) {}

  const ModelInfo& info() const override { return model_->info(); }
  std::size_t context() const override { return sequence_->cells(); }
  std::vector<Token> tokenize(std::string_view text, bool special) const override {
    return model_->tokenize(text, special);
  }
  std::string detokenize(std::span<const Token> tokens) const override {
    std::string text;
    for (const Token token : tokens) {
      check_token(token);
      text += model_->piece(token);
    }
    return text;
  }
  std::string apply_chat(std::span<const ChatMessage> messages) const override {
    return model_->apply_chat(messages);
  }
  Generation generate(std::span<const Token> prompt, const GenerateOptions& options,
                      Drafter* drafter) override;
  std::vector<CostCurve> measure(
      int rounds, const std::function<void(std::size_t, std::size_t)>& on_progress) override {
    return measure_steps(*sequence_, model_->vocabulary(), rounds, on_progress);
  }
  std::vector<float> logits(std::span<const Token> tokens, bool one_by_one) override;

 private:
  struct Run;
  void check_token(Token token) const {
    if (token < 0 || static_cast<std::size_t>(token) >= model_->vocabulary()) {
      throw Error(ErrorCode::invalid_argument,
                  fmt::format("token {} is not one of the {} of the vocabulary", token,
                              model_->vocabulary()));
    }
  }
  /// False when cancelled.
  bool prefill(std::span<const Token> prompt, const GenerateOptions& options, Generation& out);
  /// One decode with what follows from it. Returns false when the text is over.
  bool step(Run& run);
  /// Chooses along the decoded draft; fills `emitted` and the accepted `path`.
  void verify(Run& run, const Draft& draft);
  Draft usable(const Draft& draft) const;

  EngineOptions options_;
  std::unique_ptr<LoadedModel> model_;
  std::unique_ptr<Sequence> sequence_;
};

/// The state of one request.
struct LlamaEngine::Run {
  const GenerateOptions& options;
  Drafter* drafter;
  Sampler sampler;
  TextStream text;
  Generation out = {};
  Token last = kNoToken;  ///< emitted, but not decoded yet
  bool single = false;    ///< the next step is of one token: a near tie
  std::vector<Token> emitted = {};
  std::vector<std::int32_t> path = {};
  bool over = false;

  /// Takes up an emitted token; the text may be over with it.
  void emit(Token token, const LoadedModel& model) {
    emitted.push_back(token);
    last = token;
    if (model.is_end(token) && !options.ignore_end) {
      out.finish = Finish::end_of_text;
      over = true;
      return;
    }
    out.tokens.push_back(token);
    if (!text.add(model.piece(token))) {
      out.finish = Finish::stop_string;
      over = true;
      return;
    }
    if (out.tokens.size() >= options.max_tokens) {
      out.finish = Finish::max_tokens;
      over = true;
    }
  }
};

bool LlamaEngine::prefill(std::span<const Token> prompt, const GenerateOptions& options,
                          Generation& out) {
  const auto start = Clock::now();
  if (prompt.empty()) throw Error(ErrorCode::invalid_argument, "the prompt is empty");
  for (const Token token : prompt) check_token(token);
  if (prompt.size() >= sequence_->cells()) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("the prompt has {} tokens, the context {} cells", prompt.size(),
                            sequence_->cells()),
                "shorten the prompt, or ask for a larger context (--context)");
  }
  // What the last request has computed of the same beginning is used again, but for the last token,
  // whose logits are needed. The exact tier wants cells that depend on nothing before.
  std::size_t same = 0;
  if (options.use_cache && options_.tier != Tier::exact) {
    const auto before = sequence_->tokens();
    while (same + 1 < prompt.size() && same < before.size() && before[same] == prompt[same]) ++same;
  }
  if (!sequence_->truncate(same)) same = 0;
  const bool whole = sequence_->prefill(prompt.subspan(same), options.is_cancelled);
  out.prompt_tokens = prompt.size();
  out.cached_tokens = same;
  out.prefill_ms = ms_since(start);
  if (!whole) out.finish = Finish::cancelled;
  return whole;
}

/// What of a draft this engine can verify: known tokens, and chains only in the exact tier.
Draft LlamaEngine::usable(const Draft& draft) const {
  const bool chain = options_.tier == Tier::exact;
  const auto known = [&](const Candidate& c) {
    return c.token >= 0 && static_cast<std::size_t>(c.token) < model_->vocabulary();
  };
  if (std::all_of(draft.nodes.begin(), draft.nodes.end(), known) && (!chain || draft.is_chain())) {
    return draft;
  }
  return {};
}

void LlamaEngine::verify(Run& run, const Draft& draft) {
  run.emitted.clear();
  run.path.clear();
  std::int32_t at = -1;
  while (true) {
    const float* logits = sequence_->logits(static_cast<std::size_t>(at + 1));
    if (options_.tier == Tier::margin && !draft.nodes.empty() && run.sampler.is_greedy() &&
        run.sampler.is_near_tie(logits, options_.margin)) {
      run.single = true;
      return;
    }
    const Token token = run.sampler.choose(logits);
    run.emit(token, *model_);
    if (run.over) return;
    std::int32_t next = -1;
    for (std::size_t i = static_cast<std::size_t>(at + 1); i < draft.nodes.size(); ++i) {
      if (draft.nodes[i].parent == at && draft.nodes[i].token == token) {
        next = static_cast<std::int32_t>(i);
        break;
      }
    }
    if (next < 0) return;
    run.path.push_back(next);
    at = next;
  }
}

bool LlamaEngine::step(Run& run) {
  if (run.options.is_cancelled && run.options.is_cancelled()) {
    run.out.finish = Finish::cancelled;
    return false;
  }
  const std::size_t left = run.options.max_tokens - run.out.tokens.size(),
                    room = sequence_->cells() - sequence_->size();
  if (room == 0) {
    run.out.finish = Finish::context_full;
    return false;
  }
  Draft draft;
  bool proposed = false;
  if (run.drafter != nullptr) {
    const bool may = !run.single && model_->info().can_roll_back;
    draft = usable(run.drafter->propose(may ? std::min(left, room) - 1 : 0));
    proposed = !draft.nodes.empty();
  }
  run.single = false;
  const auto start = Clock::now();
  const Token root = run.last;
  try {
    sequence_->decode(root, draft);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::out_of_memory || !proposed) throw;
    draft = {};  // cells are scattered: without a draft it may fit
    proposed = false;
    sequence_->decode(root, draft);
  }
  verify(run, draft);
  // The margin guard may give up before the first token: then the root is decoded again, alone.
  if (run.emitted.empty()) {
    sequence_->keep({});
    sequence_->truncate(sequence_->size() - 1);
  } else {
    // The last token is not decoded yet, whether it came from the draft or not.
    const std::size_t kept = std::min(run.path.size(), run.emitted.size() - (run.single ? 0u : 1u));
    sequence_->keep(std::span(run.path).first(kept));
    if (run.single) {
      // Everything on the path was emitted; its last token is the next root.
      sequence_->truncate(sequence_->size() - 1);
    }
  }
  const double ms = ms_since(start);
  ++run.out.steps;
  run.out.drafted += draft.nodes.size();
  run.out.accepted += run.path.size();
  TracedStep traced{{}, run.emitted, ms};
  for (std::size_t i = 0; i < draft.nodes.size(); ++i) {
    const bool accepted =
        std::find(run.path.begin(), run.path.end(), static_cast<std::int32_t>(i)) != run.path.end();
    traced.nodes.push_back(
        {draft.nodes[i].token, draft.nodes[i].parent, draft.nodes[i].source, accepted});
  }
  run.out.trace.push_back(std::move(traced));
  if (run.drafter != nullptr && !run.emitted.empty()) {
    run.drafter->accept(run.emitted, ms, proposed);
  }
  return !run.over;
}

Generation LlamaEngine::generate(std::span<const Token> prompt, const GenerateOptions& options,
                                 Drafter* drafter) {
  Run run{options, drafter, Sampler(*model_, options.sampling),
          TextStream(options.stop, options.on_text)};
  if (!prefill(prompt, options, run.out) || options.max_tokens == 0) return std::move(run.out);
  run.sampler.see_prompt(prompt);
  if (drafter != nullptr) drafter->begin(prompt);
  const auto start = Clock::now();
  // The prompt's logits give the first token.
  run.emit(run.sampler.choose(sequence_->logits(0)), *model_);
  if (drafter != nullptr) drafter->append(run.emitted);
  while (!run.over && step(run)) {
  }
  if (drafter != nullptr) drafter->end(options.remember);
  run.out.decode_ms = ms_since(start);
  run.out.text = run.text.finish();
  return std::move(run.out);
}

std::vector<float> LlamaEngine::logits(std::span<const Token> tokens, bool one_by_one) {
  for (const Token token : tokens) check_token(token);
  sequence_->clear();
  std::vector<float> all;
  const std::size_t size = model_->vocabulary();
  if (tokens.empty()) return all;
  if (one_by_one) {
    for (const Token token : tokens) {
      sequence_->decode(token, {});
      sequence_->keep({});
      const float* row = sequence_->logits(0);
      all.insert(all.end(), row, row + size);
    }
    return all;
  }
  Draft chain;
  for (std::size_t i = 1; i < tokens.size(); ++i) {
    Candidate c;
    c.token = tokens[i];
    c.parent = static_cast<std::int32_t>(i) - 2;
    c.depth = static_cast<std::uint16_t>(i);
    chain.nodes.push_back(c);
  }
  sequence_->decode(tokens[0], chain);
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const float* row = sequence_->logits(i);
    all.insert(all.end(), row, row + size);
  }
  sequence_->keep({});
  sequence_->clear();
  return all;
}

}  // namespace

void require_engine() {}

std::unique_ptr<Engine> open_engine(const EngineOptions& options) {
  if (options.max_leaves < 1 || options.max_leaves > 64) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("max_leaves: {} is out of range: it must be between 1 and 64",
                            options.max_leaves));
  }
  begin_log();
  Opened opened = open_tested(options);
  return std::make_unique<LlamaEngine>(options, std::move(opened.model),
                                       std::move(opened.sequence));
}

}  // namespace sosia::llm

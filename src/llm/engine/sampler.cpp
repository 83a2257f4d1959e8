#include "llm/engine/sampler.hpp"

#include "sosia/core/text.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace sosia::llm {

namespace {

void check(bool holds, std::string_view name, double value, std::string_view rule) {
  if (holds) return;
  throw Error(ErrorCode::invalid_argument,
              fmt::format("{}: {} is out of range: it must be {}", name, value, rule));
}

void check_options(const SamplingOptions& o) {
  check(std::isfinite(o.temperature) && o.temperature >= 0, "temperature", o.temperature,
        "at least 0");
  check(o.top_k >= 0, "top_k", o.top_k, "at least 0");
  check(o.top_p > 0 && o.top_p <= 1, "top_p", o.top_p, "above 0 and at most 1");
  check(o.min_p >= 0 && o.min_p <= 1, "min_p", o.min_p, "between 0 and 1");
  check(std::isfinite(o.repeat_penalty) && o.repeat_penalty > 0, "repeat_penalty", o.repeat_penalty,
        "above 0");
  check(std::isfinite(o.frequency_penalty), "frequency_penalty", o.frequency_penalty, "finite");
  check(std::isfinite(o.presence_penalty), "presence_penalty", o.presence_penalty, "finite");
  check(o.penalty_last_n >= 0, "penalty_last_n", o.penalty_last_n, "at least 0");
}

std::size_t highest(const float* logits, std::size_t count) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < count; ++i) {
    if (logits[i] > logits[best]) best = i;
  }
  return best;
}

}  // namespace

Sampler::Sampler(const LoadedModel& model, const SamplingOptions& o)
    : vocabulary_(model.vocabulary()), bias_(o.logit_bias) {
  check_options(o);
  for (const auto& [token, value] : bias_) {
    check(token >= 0 && static_cast<std::size_t>(token) < vocabulary_, "logit_bias", token,
          "a token of the vocabulary");
    check(!std::isnan(value), "logit_bias", value, "a number");
  }
  const bool penalties =
      o.penalty_last_n > 0 &&
      (o.repeat_penalty != 1 || o.frequency_penalty != 0 || o.presence_penalty != 0);
  grammar_ = !o.grammar.empty();
  if (o.temperature == 0 && !penalties && !grammar_ && bias_.empty()) return;
  chain_.reset(llama_sampler_chain_init(llama_sampler_chain_default_params()));
  const auto add = [&](llama_sampler* part) { llama_sampler_chain_add(chain_.get(), part); };
  if (penalties) {
    penalties_ = llama_sampler_init_penalties(
        static_cast<std::int32_t>(vocabulary_), o.penalty_last_n,
        static_cast<float>(o.repeat_penalty), static_cast<float>(o.frequency_penalty),
        static_cast<float>(o.presence_penalty));
    add(penalties_);
  }
  if (grammar_) {
    take_log();
    llama_sampler* part = nullptr;
    std::string why;
    try {
      part = llama_sampler_init_grammar(model.vocab(), o.grammar.c_str(), "root");
    } catch (const std::exception& error) {
      why = error.what();
    }
    if (part == nullptr) {
      throw Error(ErrorCode::invalid_argument, "the grammar cannot be read",
                  "it is GBNF with a rule `root`; libllama says: " +
                      quote(why.empty() ? take_log() : why, 200));
    }
    add(part);
    if (o.temperature == 0 && !penalties && bias_.empty()) only_grammar_ = part;
  }
  if (o.temperature > 0) {
    if (o.top_k > 0) add(llama_sampler_init_top_k(o.top_k));
    if (o.top_p < 1) add(llama_sampler_init_top_p(static_cast<float>(o.top_p), 1));
    if (o.min_p > 0) add(llama_sampler_init_min_p(static_cast<float>(o.min_p), 1));
    add(llama_sampler_init_temp(static_cast<float>(o.temperature)));
    // libllama takes its default seed as "any": every seed that can be given means itself.
    add(llama_sampler_init_dist(o.seed == LLAMA_DEFAULT_SEED ? o.seed - 1 : o.seed));
  } else {
    add(llama_sampler_init_greedy());
  }
}

void Sampler::see_prompt(std::span<const Token> prompt) {
  if (penalties_ == nullptr) return;
  for (const Token token : prompt) llama_sampler_accept(penalties_, token);
}

Token Sampler::choose(const float* logits) {
  return chain_ ? choose_by_chain(logits) : static_cast<Token>(highest(logits, vocabulary_));
}

std::optional<Token> Sampler::highest_if_allowed(const float* logits) {
  const std::size_t best = highest(logits, vocabulary_);
  llama_token_data one{static_cast<llama_token>(best), logits[best], 0};
  llama_token_data_array array{&one, 1, -1, false};
  llama_sampler_apply(only_grammar_, &array);
  if (std::isinf(one.logit)) return std::nullopt;
  llama_sampler_accept(chain_.get(), one.id);
  return one.id;
}

Token Sampler::choose_by_chain(const float* logits) {
  try {
    if (only_grammar_ != nullptr) {
      if (const auto token = highest_if_allowed(logits)) return *token;
    }
    candidates_.resize(vocabulary_);
    for (std::size_t i = 0; i < vocabulary_; ++i) {
      candidates_[i] = {static_cast<llama_token>(i), logits[i], 0};
    }
    for (const auto& [token, value] : bias_) {
      candidates_[static_cast<std::size_t>(token)].logit += static_cast<float>(value);
    }
    llama_token_data_array array{candidates_.data(), candidates_.size(), -1, false};
    llama_sampler_apply(chain_.get(), &array);
    if (array.selected < 0) throw Error(ErrorCode::internal, "no token was chosen");
    const llama_token_data& chosen = array.data[array.selected];
    if (std::isinf(chosen.logit) && chosen.logit < 0) {
      throw Error(ErrorCode::corrupt_data,
                  grammar_ ? "the grammar allows no token here" : "no token is possible",
                  grammar_ ? "see that the grammar can be satisfied" : "");
    }
    llama_sampler_accept(chain_.get(), chosen.id);
    return chosen.id;
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    throw Error(ErrorCode::corrupt_data, "the grammar allows no token here",
                "libllama says: " + quote(error.what()));
  }
}

bool Sampler::is_near_tie(const float* logits, double margin) const {
  const std::size_t best = highest(logits, vocabulary_);
  for (std::size_t i = 0; i < vocabulary_; ++i) {
    if (i != best && static_cast<double>(logits[best]) - static_cast<double>(logits[i]) < margin) {
      return true;
    }
  }
  return false;
}

}  // namespace sosia::llm

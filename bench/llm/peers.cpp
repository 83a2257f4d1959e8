// The sources of llama.cpp are used as they are. What `common/speculative.cpp` puts around them
// needs contexts of llama.cpp; its rules are followed here: how the text is handed over, when a
// draft is dropped, when a table is emptied.

#include "peers.hpp"

#include "lookup_process.hpp"
#include "ngram-cache.h"
#include "ngram-map.h"
#include "ngram-mod.h"
#include "sosia/core/error.hpp"

#include <algorithm>
#include <optional>

namespace sosia::llm::bench {

namespace {

using Texts = std::vector<std::vector<Token>>;

int setting(const Value& settings, const char* name, int otherwise) {
  const Value* value = settings.find(name);
  return value == nullptr ? otherwise : static_cast<int>(value->as_integer());
}

/// Counts of what follows 1 to 4 tokens; `warm` is what it calls dynamic, with `static` = 1 also
/// what it calls static. Updated with the whole text, as examples/lookup does: the server hands
/// over the new tokens alone, so that most n-grams are never seen.
class NgramCache final : public ChainDrafter {
 public:
  NgramCache(const Value& settings, const Texts& warm) : n_draft_(setting(settings, "n_draft", 8)) {
    for (std::vector<Token> text : warm) {
      const auto size = static_cast<int>(text.size());
      common_ngram_cache_update(dynamic_, LLAMA_NGRAM_MIN, LLAMA_NGRAM_MAX, text, size, false);
      if (setting(settings, "static", 0) == 0) continue;
      common_ngram_cache_update(static_, LLAMA_NGRAM_STATIC, LLAMA_NGRAM_STATIC, text, size, false);
    }
  }

 private:
  void started() override {
    context_.clear();
    known_ = 0;
  }
  void draft(std::vector<Token>& out) override {
    common_ngram_cache_update(context_, LLAMA_NGRAM_MIN, LLAMA_NGRAM_MAX, text_,
                              static_cast<int>(text_.size() - known_), false);
    known_ = text_.size();
    out.push_back(text_.back());
    common_ngram_cache_draft(text_, out, n_draft_, LLAMA_NGRAM_MIN, LLAMA_NGRAM_MAX, context_,
                             dynamic_, static_);
    out.erase(out.begin());
  }

  int n_draft_;
  std::size_t known_ = 0;
  common_ngram_cache context_, dynamic_, static_;
};

/// What followed the last `size_n` tokens before, in this request. The map is new for every
/// request: the server's would keep keys of the one before.
class NgramMapK final : public ChainDrafter {
 public:
  explicit NgramMapK(const Value& settings)
      : size_n_(static_cast<std::uint16_t>(setting(settings, "size_n", 12))),
        size_m_(static_cast<std::uint16_t>(setting(settings, "size_m", 48))) {}

 private:
  void started() override {
    map_.emplace(size_n_, size_m_, true, std::uint16_t{1});
    common_ngram_map_begin(*map_, text_);
  }
  void draft(std::vector<Token>& out) override {
    before_.assign(text_.begin(), text_.end() - 1);
    common_ngram_map_draft(*map_, before_, text_.back(), out);
  }
  void verified(std::size_t accepted) override {
    common_ngram_map_accept(*map_, static_cast<std::uint16_t>(accepted));
  }

  std::uint16_t size_n_, size_m_;
  std::optional<common_ngram_map> map_;
  std::vector<Token> before_;
};

/// A table from the hash of the last `n_match` tokens to the next one, kept across requests when it
/// was warmed.
class NgramMod final : public ChainDrafter {
 public:
  NgramMod(const Value& settings, const Texts& warm)
      : n_match_(static_cast<std::size_t>(setting(settings, "n_match", 24))),
        n_min_(setting(settings, "n_min", 48)),
        n_max_(setting(settings, "n_max", 64)),
        keep_(!warm.empty()),
        table_(static_cast<std::uint16_t>(n_match_), 4 * 1024 * 1024) {
    for (const auto& text : warm) add(text, 0);
  }

 private:
  void add(const std::vector<Token>& text, std::size_t from) {
    for (std::size_t i = from; i + n_match_ < text.size(); ++i) table_.add(text.data() + i);
  }
  void started() override {
    if (!keep_) table_.reset();
    add(text_, 0);
    added_ = text_.size() < n_match_ ? 0 : text_.size() - n_match_;
    if (static_cast<double>(table_.get_used()) > 0.25 * static_cast<double>(table_.size())) {
      table_.reset();
    }
  }
  void draft(std::vector<Token>& out) override {
    drafted_ = 0;
    before_.assign(text_.begin(), text_.end() - 1);
    if (before_.size() < n_match_) return;
    if (added_ + 32 < before_.size()) {
      add(before_, added_);
      added_ = before_.size() - n_match_;
    }
    key_.assign(text_.end() - static_cast<std::ptrdiff_t>(n_match_), text_.end());
    for (int i = 0; i < n_max_; ++i) {
      const Token token = table_.get(key_.data() + i);
      if (token == common_ngram_mod::EMPTY) break;
      key_.push_back(token);
    }
    if (static_cast<int>(key_.size() - n_match_) < n_min_) return;
    out.assign(key_.begin() + static_cast<std::ptrdiff_t>(n_match_), key_.end());
    drafted_ = out.size();
  }
  void verified(std::size_t accepted) override {
    if (drafted_ == 0) return;
    low_ = 4 * accepted < drafted_ ? low_ + 1 : 0;
    if (low_ < 5) return;
    table_.reset();
    low_ = 0;
    added_ = 0;
  }

  std::size_t n_match_;
  int n_min_, n_max_;
  bool keep_;
  common_ngram_mod table_;
  std::size_t added_ = 0, drafted_ = 0;
  int low_ = 0;
  std::vector<Token> before_, key_;
};

/// The class LlamaPromptLookupDecoding of llama-cpp-python, run by Python.
class PromptLookup final : public ChainDrafter {
 public:
  PromptLookup(const Value& settings, std::vector<std::string> python)
      : process_(with_settings(std::move(python), settings)) {}
  double foreign_cpu_ms() const override { return process_.cpu_ms(); }

 private:
  static std::vector<std::string> with_settings(std::vector<std::string> command,
                                                const Value& settings) {
    command.push_back(std::to_string(setting(settings, "max_ngram_size", 2)));
    command.push_back(std::to_string(setting(settings, "num_pred_tokens", 10)));
    return command;
  }
  void started() override { told_ = 0; }
  void draft(std::vector<Token>& out) override {
    process_.draft(told_, std::span(text_).subspan(told_), out);
    told_ = text_.size();
  }

  LookupProcess process_;
  std::size_t told_ = 0;
};

}  // namespace

void ChainDrafter::begin(std::span<const Token> prompt) {
  text_.assign(prompt.begin(), prompt.end());
  prompt_size_ = prompt.size();
  draft_ = {};
  started();
}

void ChainDrafter::append(std::span<const Token> tokens) {
  text_.insert(text_.end(), tokens.begin(), tokens.end());
}

const Draft& ChainDrafter::propose(std::size_t room) {
  tokens_.clear();
  draft(tokens_);
  draft_.nodes.clear();
  const std::size_t count = std::min({tokens_.size(), room, kShapes.back() - 1});
  for (std::size_t i = 0; i < count; ++i) {
    Candidate c;
    c.token = tokens_[i];
    c.parent = static_cast<std::int32_t>(i) - 1;
    c.depth = static_cast<std::uint16_t>(i + 1);
    draft_.nodes.push_back(c);
  }
  return draft_;
}

void ChainDrafter::accept(std::span<const Token> emitted, double, bool was_verified) {
  std::size_t accepted = 0;
  while (was_verified && accepted + 1 < emitted.size() && accepted < draft_.nodes.size() &&
         draft_.nodes[accepted].token == emitted[accepted]) {
    ++accepted;
  }
  if (was_verified) verified(accepted);
  append(emitted);
}

std::unique_ptr<ChainDrafter> make_peer(const std::string& kind, const Value& settings,
                                        const Texts& warm, const std::vector<std::string>& python) {
  if (kind == "cache") return std::make_unique<NgramCache>(settings, warm);
  if (kind == "map-k") return std::make_unique<NgramMapK>(settings);
  if (kind == "mod") return std::make_unique<NgramMod>(settings, warm);
  if (kind == "lookup") return std::make_unique<PromptLookup>(settings, python);
  throw Error(ErrorCode::invalid_argument, "no drafter is called " + kind);
}

}  // namespace sosia::llm::bench

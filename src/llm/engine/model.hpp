#pragma once
// A loaded model and its vocabulary.

#include "llm/engine/library.hpp"
#include "sosia/llm/engine.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sosia::llm {

class LoadedModel {
 public:
  /// Throws not_found or corrupt_data.
  explicit LoadedModel(const std::filesystem::path& path);

  llama_model* get() const noexcept { return model_.get(); }
  const llama_vocab* vocab() const noexcept { return vocab_; }
  const ModelInfo& info() const noexcept { return info_; }
  ModelInfo& info() noexcept { return info_; }
  std::size_t vocabulary() const noexcept { return info_.vocabulary; }

  std::vector<Token> tokenize(std::string_view text, bool special) const;
  /// Bytes of one token; special tokens have none.
  std::string piece(Token token) const;
  bool is_end(Token token) const { return llama_vocab_is_eog(vocab_, token); }
  std::string apply_chat(std::span<const ChatMessage> messages) const;

 private:
  std::string meta(const char* key) const;
  ModelPtr model_;
  const llama_vocab* vocab_ = nullptr;
  ModelInfo info_;
};

}  // namespace sosia::llm

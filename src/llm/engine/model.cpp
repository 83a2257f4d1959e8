#include "llm/engine/model.hpp"

#include "sosia/core/hash.hpp"
#include "sosia/core/text.hpp"

#include <algorithm>
#include <cstring>
#include <fstream>

#include <fmt/format.h>

namespace sosia::llm {
namespace fs = std::filesystem;

namespace {

/// libllama's own messages for files that are no GGUF at all name no cause.
void check_magic(const fs::path& path) {
  std::error_code error;
  if (!fs::exists(path, error)) {
    throw Error(ErrorCode::not_found, fmt::format("there is no model {}", quote(path.string())),
                "give a GGUF file; without --model the one that `make setup` installs is taken");
  }
  std::array<char, 4> magic{};
  std::ifstream file(path, std::ios::binary);
  if (!file.read(magic.data(), magic.size()) || std::memcmp(magic.data(), "GGUF", 4) != 0) {
    throw Error(ErrorCode::corrupt_data, fmt::format("{} is no GGUF file", quote(path.string())),
                "models for libllama are files in that format");
  }
}

/// A hash over all tokens: the same for two files exactly when their token numbers mean the same.
std::string tokenizer_hash(const llama_vocab* vocab) {
  std::uint64_t h = static_cast<std::uint64_t>(llama_vocab_type(vocab));
  const int count = llama_vocab_n_tokens(vocab);
  for (int i = 0; i < count; ++i) {
    const char* text = llama_vocab_get_text(vocab, i);
    h = xxh3_64(std::string_view(text == nullptr ? "" : text),
                h * 31 + static_cast<std::uint64_t>(llama_vocab_get_attr(vocab, i)));
  }
  return fmt::format("{:016x}", h);
}

}  // namespace

LoadedModel::LoadedModel(const fs::path& path) {
  check_magic(path);
  take_log();
  llama_model_params params = llama_model_default_params();
  params.n_gpu_layers = 0;
  model_.reset(llama_model_load_from_file(path.c_str(), params));
  if (!model_) {
    const std::string why = take_log();
    throw Error(ErrorCode::corrupt_data,
                fmt::format("libllama cannot load {}", quote(path.string())),
                why.empty() ? "the file may be cut off" : "it says: " + quote(why, 300));
  }
  vocab_ = llama_model_get_vocab(model_.get());
  if (!llama_model_has_decoder(model_.get()) || llama_model_has_encoder(model_.get())) {
    throw Error(ErrorCode::unsupported, "only models that decode can generate text");
  }
  std::array<char, 256> text{};
  llama_model_desc(model_.get(), text.data(), text.size());
  info_.description = text.data();
  info_.name = meta("general.name");
  if (info_.name.empty()) info_.name = info_.description;
  info_.bytes = llama_model_size(model_.get());
  info_.parameters = llama_model_n_params(model_.get());
  info_.vocabulary = static_cast<std::size_t>(llama_vocab_n_tokens(vocab_));
  info_.trained_context = static_cast<std::size_t>(llama_model_n_ctx_train(model_.get()));
  info_.has_chat_template = llama_model_chat_template(model_.get(), nullptr) != nullptr;
  info_.engine = llama_version();
  info_.key.tokenizer = tokenizer_hash(vocab_);
  info_.key.model =
      fmt::format("{} {} {}", info_.name, info_.description, info_.bytes).substr(0, 200);
}

std::string LoadedModel::meta(const char* key) const {
  std::array<char, 512> text{};
  return llama_model_meta_val_str(model_.get(), key, text.data(), text.size()) < 0
             ? std::string()
             : std::string(text.data());
}

std::vector<Token> LoadedModel::tokenize(std::string_view text, bool special) const {
  if (!valid_utf8(text)) {
    throw Error(ErrorCode::invalid_argument, fmt::format("the text is no UTF-8: {}", quote(text)));
  }
  std::vector<Token> tokens(text.size() + 8);
  const auto length = static_cast<std::int32_t>(text.size());
  try {
    int count = llama_tokenize(vocab_, text.data(), length, tokens.data(),
                               static_cast<std::int32_t>(tokens.size()), true, special);
    if (count < 0 && count != INT32_MIN) {
      tokens.resize(static_cast<std::size_t>(-count));
      count = llama_tokenize(vocab_, text.data(), length, tokens.data(), -count, true, special);
    }
    if (count < 0) throw Error(ErrorCode::invalid_argument, "the text is too long to be tokenized");
    tokens.resize(static_cast<std::size_t>(count));
  } catch (const std::exception& error) {
    if (dynamic_cast<const Error*>(&error) != nullptr) throw;
    throw Error(ErrorCode::invalid_argument,
                "the vocabulary cannot spell the text: " + std::string(error.what()));
  }
  return tokens;
}

std::string LoadedModel::piece(Token token) const {
  std::array<char, 64> text;
  const int size = llama_token_to_piece(vocab_, token, text.data(),
                                        static_cast<std::int32_t>(text.size()), 0, false);
  if (size >= 0) return {text.data(), static_cast<std::size_t>(size)};
  std::string longer(static_cast<std::size_t>(-size), '\0');
  llama_token_to_piece(vocab_, token, longer.data(), -size, 0, false);
  return longer;
}

std::string LoadedModel::apply_chat(std::span<const ChatMessage> messages) const {
  const char* own = llama_model_chat_template(model_.get(), nullptr);
  if (own == nullptr) {
    throw Error(ErrorCode::unsupported, "the model has no chat template",
                "give the prompt as it is (--raw)");
  }
  std::vector<llama_chat_message> chat;
  std::size_t size = 256;
  for (const ChatMessage& m : messages) {
    chat.push_back({m.role.c_str(), m.content.c_str()});
    size += 2 * (m.role.size() + m.content.size());
  }
  std::string text(size, '\0');
  for (int tries = 0; tries < 2; ++tries) {
    const int wrote = llama_chat_apply_template(own, chat.data(), chat.size(), true, text.data(),
                                                static_cast<std::int32_t>(text.size()));
    if (wrote < 0) break;
    const bool fits = static_cast<std::size_t>(wrote) <= text.size();
    text.resize(static_cast<std::size_t>(wrote));
    if (fits) return text;
  }
  throw Error(ErrorCode::unsupported, "libllama does not know the model's chat template",
              "give the prompt in the model's own format, with --raw");
}

}  // namespace sosia::llm

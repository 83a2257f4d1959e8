#pragma once
// Texts as vectors: tokenizer and encoder of sentence-transformers' all-MiniLM-L6-v2.

#include "sosia/models/network.hpp"
#include "sosia/models/store.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sosia::models {

/// BERT's uncased tokenizer: cleaned, CJK characters spaced, lower case, accents stripped, split at
/// spaces and punctuation, then greedy longest-match word pieces.
/// Reference: Devlin et al., arXiv 1810.04805; huggingface/transformers, models/bert.
/// Thread-safety: immutable.
class WordPieceTokenizer {
 public:
  /// From the lines of a vocabulary (line i is token i). Throws corrupt_data when a special token
  /// ([PAD], [UNK], [CLS], [SEP]) is not there or a line is repeated.
  explicit WordPieceTokenizer(std::string_view vocabulary, std::string_view origin = "vocabulary");
  ~WordPieceTokenizer();
  WordPieceTokenizer(WordPieceTokenizer&&) noexcept;
  WordPieceTokenizer& operator=(WordPieceTokenizer&&) noexcept;

  /// Ids with [CLS] in front and [SEP] behind, at most `most` (2 or more) in all: the rest of the
  /// text is cut. Invalid UTF-8 counts as U+FFFD, which is dropped.
  std::vector<std::int32_t> encode(std::string_view text, std::size_t most = 256) const;
  /// The pieces without [CLS] and [SEP], for people and tests.
  std::vector<std::string> tokens(std::string_view text) const;
  std::size_t size() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Sentence vectors: tokens, six layers, mean over tokens, length 1.
///
/// Thread-safety: const members may be called from any thread.
class TextEncoder {
 public:
  /// By the card's name. Throws as `Network::open`.
  explicit TextEncoder(const ModelStore& store, std::string_view card = "minilm-l6",
                       const NetworkOptions& options = {});
  ~TextEncoder();
  TextEncoder(TextEncoder&&) noexcept;
  TextEncoder& operator=(TextEncoder&&) noexcept;

  std::size_t dimension() const noexcept;  ///< 384
  const WordPieceTokenizer& tokenizer() const noexcept;
  /// texts.size() x dimension(), row by row in order; the same text gives the same row whatever
  /// its neighbours are, within rounding. Texts of like lengths are run together, `batch` at a
  /// time.
  std::vector<float> encode(std::span<const std::string> texts, std::size_t batch = 32) const;
  std::vector<float> encode(const std::string& text) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sosia::models

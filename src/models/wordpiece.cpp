// BERT's uncased tokenizer. The order of the steps is that of huggingface/tokenizers
// (normalizers/bert.rs, pre_tokenizers/bert.rs, models/wordpiece), which the reference package
// uses.

#include "models/unicode.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/text.hpp"
#include "sosia/models/text_encoder.hpp"

#include <array>
#include <unordered_map>

#include <fmt/format.h>

namespace sosia::models {
namespace {

/// A longer word is unknown as a whole.
constexpr std::size_t kWordCap = 100;
constexpr std::string_view kUnknown = "[UNK]";
/// Recognised as they stand in a text, before anything else.
constexpr std::array<std::string_view, 5> kSpecial{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};

/// Finds ids without copying the key.
struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>()(text);
  }
};

using Word = std::vector<char32_t>;

/// Cleaned, folded and split into words and single punctuation marks.
std::vector<Word> words_of(std::string_view text) {
  std::vector<Word> words;
  Word word;
  Word folded;
  const auto end_word = [&] {
    if (!word.empty()) words.push_back(std::move(word));
    word.clear();
  };
  for (const char32_t code : code_points(text)) {
    if (code == 0 || code == 0xFFFD || is_control(code)) continue;
    if (is_white_space(code)) {
      end_word();
      continue;
    }
    const bool alone = is_cjk(code);
    if (alone) end_word();
    folded.clear();
    fold(code, folded);
    for (const char32_t part : folded) {
      if (is_white_space(part)) {  // decompositions such as that of U+2000
        end_word();
      } else if (is_punctuation(part)) {
        end_word();
        words.push_back({part});
      } else {
        word.push_back(part);
      }
    }
    if (alone) end_word();
  }
  end_word();
  return words;
}

}  // namespace

struct WordPieceTokenizer::Impl {
  std::unordered_map<std::string, std::int32_t, TextHash, std::equal_to<>> ids;
  std::vector<std::string> pieces;
  std::int32_t unknown = 0, begin = 0, end = 0;

  std::int32_t special(std::string_view piece, std::string_view origin) const {
    const auto found = ids.find(piece);
    if (found == ids.end()) {
      throw Error(ErrorCode::corrupt_data, fmt::format("the vocabulary has no {}", piece), {},
                  std::string(origin));
    }
    return found->second;
  }

  /// Longest match first; a word that cannot be covered is unknown as a whole.
  void split_word(const Word& word, std::vector<std::int32_t>& out) const {
    if (word.size() > kWordCap) {
      out.push_back(unknown);
      return;
    }
    std::string utf8;
    std::vector<std::size_t> starts;  // of each code point, and the end
    for (const char32_t code : word) {
      starts.push_back(utf8.size());
      char bytes[4];
      utf8.append(bytes, encode_utf8(code, bytes));
    }
    starts.push_back(utf8.size());
    const std::size_t before = out.size();
    std::string candidate;
    for (std::size_t from = 0; from < word.size();) {
      std::size_t to = word.size();
      for (; to > from; --to) {
        candidate.assign(from == 0 ? "" : "##");
        candidate.append(utf8, starts[from], starts[to] - starts[from]);
        const auto found = ids.find(candidate);
        if (found == ids.end()) continue;
        out.push_back(found->second);
        break;
      }
      if (to == from) {
        out.resize(before);
        out.push_back(unknown);
        return;
      }
      from = to;
    }
  }

  /// Ids of a text without [CLS] and [SEP]; stops once there are `most`.
  std::vector<std::int32_t> split_text(std::string_view text, std::size_t most) const {
    std::vector<std::int32_t> out;
    while (!text.empty() && out.size() < most) {
      std::size_t at = text.size();
      std::string_view special_piece;
      for (const std::string_view piece : kSpecial) {
        const std::size_t found = text.find(piece);
        if (found < at) {
          at = found;
          special_piece = piece;
        }
      }
      for (const Word& word : words_of(text.substr(0, at))) {
        split_word(word, out);
        if (out.size() >= most) break;
      }
      if (const auto found = ids.find(special_piece);
          !special_piece.empty() && found != ids.end()) {
        out.push_back(found->second);
      }
      text.remove_prefix(std::min(text.size(), at + special_piece.size()));
    }
    if (out.size() > most) out.resize(most);
    return out;
  }
};

WordPieceTokenizer::WordPieceTokenizer(std::string_view vocabulary, std::string_view origin)
    : impl_(std::make_unique<Impl>()) {
  if (vocabulary.ends_with('\n')) vocabulary.remove_suffix(1);
  for (std::string_view line : split(vocabulary, '\n')) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    const auto id = static_cast<std::int32_t>(impl_->pieces.size());
    impl_->pieces.emplace_back(line);
    if (!impl_->ids.emplace(line, id).second) {
      throw Error(ErrorCode::corrupt_data, fmt::format("the vocabulary has {} twice", quote(line)),
                  {}, fmt::format("{}: line {}", origin, id + 1));
    }
  }
  impl_->special("[PAD]", origin);
  impl_->unknown = impl_->special(kUnknown, origin);
  impl_->begin = impl_->special("[CLS]", origin);
  impl_->end = impl_->special("[SEP]", origin);
}

WordPieceTokenizer::~WordPieceTokenizer() = default;
WordPieceTokenizer::WordPieceTokenizer(WordPieceTokenizer&&) noexcept = default;
WordPieceTokenizer& WordPieceTokenizer::operator=(WordPieceTokenizer&&) noexcept = default;

std::size_t WordPieceTokenizer::size() const noexcept {
  return impl_->pieces.size();
}

std::vector<std::int32_t> WordPieceTokenizer::encode(std::string_view text,
                                                     std::size_t most) const {
  if (most < 2) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("a text of {} tokens has no room for its two ends", most));
  }
  std::vector<std::int32_t> ids{impl_->begin};
  for (const std::int32_t id : impl_->split_text(text, most - 2)) ids.push_back(id);
  ids.push_back(impl_->end);
  return ids;
}

std::vector<std::string> WordPieceTokenizer::tokens(std::string_view text) const {
  std::vector<std::string> pieces;
  for (const std::int32_t id : impl_->split_text(text, text.size() + 1)) {
    pieces.push_back(impl_->pieces[static_cast<std::size_t>(id)]);
  }
  return pieces;
}

}  // namespace sosia::models

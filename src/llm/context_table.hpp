#pragma once
// A log of tokens, and for every position the earlier positions with the same last 1, 2, 4, 8 and
// 16 tokens: hash chains, so that appending is O(1) and nothing is ever moved. Texts stand one
// behind the other, each closed by kNoToken; a text that is dropped is overwritten with kNoToken,
// after which no comparison finds it.
//
//   log    4 bytes a token
//   older  4 bytes a token and level: the position before this one in its chain, plus 1
//   heads  4 bytes a bucket and level: the newest position of the chain, plus 1; a power of two of
//          buckets, not fewer than tokens (level 1: at most 2^16)
//
// So 24 to 27 bytes a token and 16 to 36 for the buckets of a large table: at most 64.

#include "sosia/llm/draft.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace sosia::llm {

inline constexpr std::array<std::size_t, 5> kLevels{1, 2, 4, 8, 16};
inline constexpr std::size_t kLevelCount = kLevels.size();
/// Matches are measured up to this length.
inline constexpr std::size_t kMaxMatch = 32;

/// The arrays, wherever they lie: on the heap or in a mapped file. All have the same meaning in
/// both.
struct ContextView {
  std::span<const Token> log = {};
  std::array<std::span<const std::uint32_t>, kLevelCount> older = {};
  std::array<std::span<const std::uint32_t>, kLevelCount> heads = {};  ///< 2^k, or empty
};

/// Where the context was seen before.
struct Occurrence {
  std::uint32_t next = 0;          ///< position of the token that followed
  std::uint16_t match_length = 0;  ///< tokens that agree, at most kMaxMatch
};

/// Bucket of the `length` tokens that end at `last`, out of 2^bits... `mask` + 1 buckets.
std::uint32_t context_bucket(const Token* last, std::size_t length, std::uint32_t mask);

/// Earlier occurrences of the end of `context`, longest matches first as far as the levels tell,
/// newest first within a level; at most `most`. `visits` bounds the positions looked at. Never
/// reads outside the view's arrays, whatever they hold.
void find_occurrences(const ContextView& view, std::span<const Token> context, std::size_t most,
                      std::size_t visits, std::vector<Occurrence>& out);

/// The table on the heap.
class ContextTable {
 public:
  /// Appends one token of the text that is open.
  void append(Token token);
  /// Closes the open text, if any.
  void close();
  /// Overwrites positions [begin, end) so that they are never found. The open text is not touched.
  void erase(std::size_t begin, std::size_t end);
  void clear();
  void reserve(std::size_t tokens);

  std::size_t size() const noexcept { return log_.size(); }
  std::span<const Token> log() const noexcept { return log_; }
  ContextView view() const noexcept;
  std::uint64_t bytes() const noexcept;

 private:
  void push(Token token);
  void link(std::size_t position);
  void make_buckets(std::size_t buckets);
  void grow(std::size_t buckets);

  std::vector<Token> log_;
  std::size_t text_begin_ = 0;  // of the open text
  std::array<std::vector<std::uint32_t>, kLevelCount> older_;
  std::array<std::vector<std::uint32_t>, kLevelCount> heads_;
};

}  // namespace sosia::llm

#include "llm/context_table.hpp"

#include "sosia/core/error.hpp"

#include <algorithm>
#include <bit>

namespace sosia::llm {

namespace {

constexpr std::size_t kFirstBuckets = 256;
/// Single tokens need no more buckets than common vocabularies have tokens.
constexpr std::size_t kMostTokenBuckets = std::size_t{1} << 16;
constexpr std::size_t kMaxTokens = std::size_t{1} << 31;

/// Tokens that agree, counted backwards from the last ones.
std::size_t match_length(std::span<const Token> log, std::size_t position,
                         std::span<const Token> context) {
  const std::size_t most = std::min({kMaxMatch, position + 1, context.size()});
  std::size_t n = 0;
  while (n < most) {
    const Token here = log[position - n];
    if (here == kNoToken || here != context[context.size() - 1 - n]) break;
    ++n;
  }
  return n;
}

}  // namespace

std::uint32_t context_bucket(const Token* last, std::size_t length, std::uint32_t mask) {
  std::uint64_t h = 0x9e3779b97f4a7c15u * length;
  for (std::size_t i = 0; i < length; ++i) {
    h = (h ^ static_cast<std::uint32_t>(last[-static_cast<std::ptrdiff_t>(i)])) *
        0xff51afd7ed558ccdu;
    h ^= h >> 32;
  }
  return static_cast<std::uint32_t>(h >> 8) & mask;
}

void find_occurrences(const ContextView& view, std::span<const Token> context, std::size_t most,
                      std::size_t visits, std::vector<Occurrence>& out) {
  out.clear();
  const std::size_t size = view.log.size();
  std::size_t seen_from = kMaxMatch + 1;  // matches this long were found by a longer level
  bool cut = false;                       // a longer level was not walked to its end
  const auto known = [&](std::size_t next) {
    return std::any_of(out.begin(), out.end(), [&](const Occurrence& o) { return o.next == next; });
  };
  for (std::size_t level = kLevelCount; level-- > 0 && visits > 0;) {
    const std::size_t length = kLevels[level];
    const auto& heads = view.heads[level];
    if (context.size() < length || heads.empty()) continue;
    const auto mask = static_cast<std::uint32_t>(heads.size() - 1);
    std::uint32_t at = heads[context_bucket(&context.back(), length, mask)];
    // Half of what is left: a common short context must not be all that is looked at, and a long
    // one needs few.
    std::size_t budget = std::max<std::size_t>(visits / 2, 4);
    bool whole = true;
    while (at != 0 && at <= size) {
      if (budget == 0 || visits == 0 || out.size() >= most) {
        whole = false;
        break;
      }
      --budget;
      --visits;
      const std::size_t position = at - 1;
      const std::size_t n = match_length(view.log, position, context);
      if (n >= length && n < seen_from && position + 1 < size &&
          view.log[position + 1] != kNoToken && !(cut && known(position + 1))) {
        out.push_back({static_cast<std::uint32_t>(position + 1), static_cast<std::uint16_t>(n)});
      }
      const std::uint32_t before =
          position < view.older[level].size() ? view.older[level][position] : 0;
      if (before >= at) break;  // chains lead backwards; a damaged one ends here
      at = before;
    }
    if (out.size() >= most) break;
    if (whole && !cut) seen_from = length;
    cut = cut || !whole;
  }
}

void ContextTable::append(Token token) {
  if (log_.size() + 1 >= kMaxTokens) {
    throw Error(ErrorCode::out_of_memory, "an index holds at most 2^31 tokens");
  }
  push(token);
  if (log_.size() > heads_[1].size()) grow(std::max(kFirstBuckets, heads_[1].size() * 2));
  link(log_.size() - 1);
}

void ContextTable::push(Token token) {
  // An eighth more at a time: doubling would waste up to 24 bytes a token.
  if (log_.size() == log_.capacity()) {
    const std::size_t capacity = log_.size() + log_.size() / 8 + 64;
    log_.reserve(capacity);
    for (auto& column : older_) column.reserve(capacity);
  }
  log_.push_back(token);
  for (auto& column : older_) column.push_back(0);
}

void ContextTable::link(std::size_t position) {
  const std::size_t known = position + 1 - text_begin_;
  for (std::size_t level = 0; level < kLevelCount && kLevels[level] <= known; ++level) {
    auto& heads = heads_[level];
    const auto mask = static_cast<std::uint32_t>(heads.size() - 1);
    std::uint32_t& head = heads[context_bucket(&log_[position], kLevels[level], mask)];
    older_[level][position] = head;
    head = static_cast<std::uint32_t>(position + 1);
  }
}

void ContextTable::make_buckets(std::size_t buckets) {
  for (std::size_t level = 0; level < kLevelCount; ++level) {
    const std::size_t count = level == 0 ? std::min(buckets, kMostTokenBuckets) : buckets;
    std::vector<std::uint32_t>(count, 0).swap(heads_[level]);
  }
}

void ContextTable::grow(std::size_t buckets) {
  make_buckets(buckets);
  const std::size_t open = text_begin_;
  const std::size_t last = log_.size() - 1;  // the caller links the last one
  text_begin_ = 0;
  for (std::size_t position = 0; position < last; ++position) {
    if (log_[position] == kNoToken) {
      text_begin_ = position + 1;
    } else {
      link(position);
    }
  }
  text_begin_ = open;
}

void ContextTable::close() {
  if (log_.size() == text_begin_) return;
  push(kNoToken);
  text_begin_ = log_.size();
}

void ContextTable::erase(std::size_t begin, std::size_t end) {
  end = std::min(end, text_begin_);
  for (std::size_t i = begin; i < end; ++i) log_[i] = kNoToken;
}

void ContextTable::clear() {
  log_.clear();
  text_begin_ = 0;
  for (auto& column : older_) column.clear();
  for (auto& heads : heads_) std::fill(heads.begin(), heads.end(), 0);
}

void ContextTable::reserve(std::size_t tokens) {
  log_.reserve(tokens);
  for (auto& column : older_) column.reserve(tokens);
  const std::size_t buckets = std::bit_ceil(std::max(tokens, kFirstBuckets));
  if (buckets <= heads_[1].size()) return;
  if (log_.empty()) make_buckets(buckets);
}

ContextView ContextTable::view() const noexcept {
  ContextView view;
  view.log = log_;
  for (std::size_t i = 0; i < kLevelCount; ++i) {
    view.older[i] = older_[i];
    view.heads[i] = heads_[i];
  }
  return view;
}

std::uint64_t ContextTable::bytes() const noexcept {
  std::uint64_t bytes = log_.capacity() * sizeof(Token);
  for (const auto& column : older_) bytes += column.capacity() * sizeof(std::uint32_t);
  for (const auto& heads : heads_) bytes += heads.capacity() * sizeof(std::uint32_t);
  return bytes;
}

}  // namespace sosia::llm

#include "llm/past_texts.hpp"

#include <algorithm>

namespace sosia::llm {

namespace {

/// What a token of a full table costs at most; see context_table.hpp.
constexpr std::uint64_t kBytesPerToken = 64;

}  // namespace

void RecentTexts::learn(std::span<const Token> text, std::uint64_t now) {
  const std::size_t most = static_cast<std::size_t>(cap_bytes_ / kBytesPerToken);
  if (text.empty() || most < 2) return;
  // Of a text that is larger than all the room, the end is the part that is asked for.
  if (text.size() + 1 > most) text = text.last(most - 1);
  make_room(text.size() + 1);
  const std::size_t begin = table_.size();
  for (const Token token : text) table_.append(token);
  table_.close();
  texts_.push_back(
      {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(table_.size()), now});
  live_ += table_.size() - begin;
}

void RecentTexts::touch(std::uint32_t position, std::uint64_t now) {
  auto after = std::upper_bound(texts_.begin(), texts_.end(), position,
                                [](std::uint32_t p, const Text& t) { return p < t.begin; });
  if (after == texts_.begin()) return;
  Text& text = *std::prev(after);
  if (position < text.end && text.used != 0) text.used = now;
}

void RecentTexts::make_room(std::size_t tokens) {
  const auto most = static_cast<std::size_t>(cap_bytes_ / kBytesPerToken);
  if (table_.size() + tokens <= most) return;
  // Down to three quarters, so that the next rebuild is far away.
  const std::size_t wanted = most - std::min(most, std::max(most / 4, tokens));
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < texts_.size(); ++i) order.push_back(i);
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return texts_[a].used < texts_[b].used; });
  for (const std::size_t i : order) {
    if (live_ <= wanted) break;
    live_ -= texts_[i].end - texts_[i].begin;
    texts_[i].used = 0;
  }
  rebuild();
}

void RecentTexts::rebuild() {
  ContextTable fresh;
  fresh.reserve(static_cast<std::size_t>(cap_bytes_ / kBytesPerToken) / 2);
  std::vector<Text> kept;
  for (const Text& text : texts_) {
    if (text.used == 0) continue;
    const std::size_t begin = fresh.size();
    for (const Token token : table_.log().subspan(text.begin, text.end - text.begin - 1)) {
      fresh.append(token);
    }
    fresh.close();
    kept.push_back(
        {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(fresh.size()), text.used});
  }
  table_ = std::move(fresh);
  texts_ = std::move(kept);
}

IndexFootprint RecentTexts::footprint() const {
  return {.tokens = live_ - texts_.size(),
          .bytes = table_.bytes() + texts_.capacity() * sizeof(Text)};
}

void RecentTexts::for_each(
    const std::function<void(std::span<const Token>, std::uint64_t)>& visit) const {
  for (const Text& text : texts_) {
    visit(table_.log().subspan(text.begin, text.end - text.begin - 1), text.used);
  }
}

void HeapTexts::visit(const std::function<void(const TextPart&)>& visit) const {
  const std::shared_lock lock(mutex_);
  visit({past_.table().view(), Source::past, 0});
  if (corpus_.table().size() > 0) visit({corpus_.table().view(), Source::corpus, 1});
}

void HeapTexts::learn(std::span<const Token> text, Source source) {
  const std::unique_lock lock(mutex_);
  (source == Source::corpus ? corpus_ : past_).learn(text, ++clock_);
}

void HeapTexts::touch(std::uint64_t origin) {
  if (origin == 0) return;
  const std::unique_lock lock(mutex_);
  ((origin >> 32) == 2 ? corpus_ : past_).touch(static_cast<std::uint32_t>(origin), ++clock_);
}

IndexFootprint HeapTexts::footprint() const {
  const std::shared_lock lock(mutex_);
  const IndexFootprint a = past_.footprint(), b = corpus_.footprint();
  return {a.tokens + b.tokens, a.bytes + b.bytes};
}

}  // namespace sosia::llm

#include "llm/request_index.hpp"

#include <algorithm>

namespace sosia::llm {

namespace {

/// Positions looked at in one part, and occurrences taken from it: what a step may cost.
constexpr std::size_t kVisits = 48;
constexpr std::size_t kMostOccurrences = 16;

/// How much an occurrence counts beside others: one whose context agrees in twice as many tokens
/// outweighs three of the shorter.
float weight_of(std::size_t match_length) {
  const auto m = static_cast<float>(match_length);
  return m * m;
}

/// A short match is not worth following far.
std::size_t depth_of(std::size_t match_length, std::size_t most) {
  return std::min(most, 8 + 4 * match_length);
}

}  // namespace

std::string_view to_string(Source source) {
  switch (source) {
    case Source::prompt:
      return "prompt";
    case Source::output:
      return "output";
    case Source::past:
      return "past";
    case Source::corpus:
      return "corpus";
    case Source::grammar:
      return "grammar";
  }
  return "";
}

/// Puts occurrences together to a tree. Siblings hang on lists: `first` of a node's children,
/// `next` of a sibling.
struct RequestIndex::Merge {
  CandidateTree& out;
  std::vector<std::int32_t> first = {}, next = {};
  std::int32_t roots = -1;

  std::int32_t first_child(std::int32_t parent) const {
    return parent < 0 ? roots : first[static_cast<std::size_t>(parent)];
  }

  std::int32_t find(std::int32_t parent, Token token) const {
    std::int32_t at = first_child(parent);
    while (at >= 0 && out.nodes[static_cast<std::size_t>(at)].token != token) {
      at = next[static_cast<std::size_t>(at)];
    }
    return at;
  }

  std::int32_t add(std::int32_t parent, Token token) {
    const auto index = static_cast<std::int32_t>(out.nodes.size());
    Candidate node;
    node.token = token;
    node.parent = parent;
    node.depth =
        parent < 0
            ? std::uint16_t{1}
            : static_cast<std::uint16_t>(out.nodes[static_cast<std::size_t>(parent)].depth + 1);
    out.nodes.push_back(node);
    first.push_back(-1);
    std::int32_t& head = parent < 0 ? roots : first[static_cast<std::size_t>(parent)];
    next.push_back(head);
    head = index;
    return index;
  }
};

RequestIndex::RequestIndex(std::shared_ptr<PastTexts> past, std::size_t prompt_tail)
    : past_(std::move(past)), prompt_tail_(prompt_tail) {}

void RequestIndex::begin(std::span<const Token> prompt) {
  own_.clear();
  prompt_size_ = prompt.size();
  for (const Token token : prompt) own_.append(token);
}

void RequestIndex::append(std::span<const Token> tokens) {
  for (const Token token : tokens) own_.append(token);
}

void RequestIndex::end() {
  if (past_ && own_.size() > prompt_size_) {
    past_->learn(own_.log().subspan(prompt_size_ - std::min(prompt_size_, prompt_tail_)),
                 Source::past);
  }
  own_.clear();
  prompt_size_ = 0;
}

void RequestIndex::learn(std::span<const Token> text) {
  if (past_) past_->learn(text, Source::past);
}

void RequestIndex::touch(std::uint64_t origin) const {
  if (past_) past_->touch(origin);
}

void RequestIndex::search(const TextPart& part, const RetrievalLimits& limits, Merge& merge) const {
  const auto log = own_.log();
  find_occurrences(part.view, log.last(std::min(log.size(), kMaxMatch)), kMostOccurrences, kVisits,
                   occurrences_);
  const bool own = part.view.log.data() == log.data();
  for (const Occurrence& o : occurrences_) {
    const float weight = weight_of(o.match_length);
    const std::size_t depth = depth_of(o.match_length, limits.max_depth);
    std::int32_t parent = -1;
    for (std::size_t d = 0; d < depth; ++d) {
      const std::size_t at = o.next + d;
      if (at >= part.view.log.size() || part.view.log[at] < 0) break;
      std::int32_t node = merge.find(parent, part.view.log[at]);
      if (node < 0) {
        if (merge.out.nodes.size() >= limits.max_nodes) break;
        node = merge.add(parent, part.view.log[at]);
      }
      Candidate& c = merge.out.nodes[static_cast<std::size_t>(node)];
      c.weight += weight;
      ++c.support;
      if (o.match_length > c.match_length) {
        c.match_length = o.match_length;
        c.source = !own ? part.source : o.next < prompt_size_ ? Source::prompt : Source::output;
        c.origin = own ? 0 : origin_of(part.part, o.next);
      }
      parent = node;
    }
  }
}

void RequestIndex::retrieve(const RetrievalLimits& limits, CandidateTree& out) const {
  out.clear();
  if (own_.size() == 0) return;
  Merge merge{out};
  search({own_.view(), Source::output, 0}, limits, merge);
  if (past_) past_->visit([&](const TextPart& part) { search(part, limits, merge); });
  // Shares among siblings. Shorter matches must not dilute a longer one (they say what usually
  // comes, it says what comes here), so a node is weighed against those whose match is not shorter.
  for (Candidate& c : out.nodes) {
    float sum = 0;
    for (std::int32_t i = merge.first_child(c.parent); i >= 0;
         i = merge.next[static_cast<std::size_t>(i)]) {
      const Candidate& sibling = out.nodes[static_cast<std::size_t>(i)];
      if (sibling.match_length >= c.match_length) sum += sibling.weight;
    }
    c.share = c.weight / sum;
  }
}

IndexFootprint RequestIndex::footprint() const {
  IndexFootprint total{own_.size(), own_.bytes()};
  if (past_) {
    const IndexFootprint past = past_->footprint();
    total.tokens += past.tokens;
    total.bytes += past.bytes;
  }
  return total;
}

}  // namespace sosia::llm

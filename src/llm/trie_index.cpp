#include "llm/trie_index.hpp"

#include <algorithm>
#include <numeric>

namespace sosia::llm {

namespace {

std::uint64_t edge_key(std::int32_t parent, Token token) {
  return (static_cast<std::uint64_t>(static_cast<std::uint32_t>(parent)) << 32) |
         static_cast<std::uint32_t>(token);
}

}  // namespace

std::unique_ptr<DraftIndex> make_trie_index(const TrieOptions& options) {
  return std::make_unique<TrieIndex>(options);
}

TrieIndex::TrieIndex(const TrieOptions& options) : options_(options) {}

bool TrieIndex::stop_word(Token token) const {
  return std::find(options_.stop_words.begin(), options_.stop_words.end(), token) !=
         options_.stop_words.end();
}

std::int32_t TrieIndex::child(std::int32_t parent, Token token) const {
  const auto found = edges_.find(edge_key(parent, token));
  return found == edges_.end() ? -1 : found->second;
}

std::int32_t TrieIndex::new_node(Token token) {
  std::int32_t index;
  if (free_.empty()) {
    index = static_cast<std::int32_t>(nodes_.size());
    nodes_.emplace_back();
  } else {
    index = free_.back();
    free_.pop_back();
    nodes_[static_cast<std::size_t>(index)] = {};
  }
  nodes_[static_cast<std::size_t>(index)].token = token;
  ++live_nodes_;
  return index;
}

std::int32_t TrieIndex::add_child(std::int32_t parent, Token token) {
  const std::int32_t index = new_node(token);
  Node& above = nodes_[static_cast<std::size_t>(parent)];
  nodes_[static_cast<std::size_t>(index)].next = above.first_child;
  above.first_child = index;
  edges_[edge_key(parent, token)] = index;
  return index;
}

void TrieIndex::count(Tree& tree, Node& node, Mode mode) {
  if (mode == Mode::output) {
    // Also where a path of prompts becomes one of outputs (the published code misses those).
    if (node.output == 0) ++tree.output_nodes;
    node.output += 1;
  } else {
    if (node.prompt == 0) prompt_nodes_.push_back(static_cast<std::int32_t>(&node - nodes_.data()));
    node.prompt += 1;
  }
}

void TrieIndex::insert(Token root, std::span<const Token> path, Mode mode) {
  const auto [place, fresh] = forest_.try_emplace(root);
  Tree& tree = place->second;
  if (fresh) tree.root = new_node(root);
  // New trees count too, so that a large cold load is pruned as well.
  if (!tree.touched) {
    tree.touched = true;
    ++touched_;
  }
  std::int32_t at = tree.root;
  for (const Token token : path) {
    std::int32_t below = child(at, token);
    if (below < 0) {
      below = add_child(at, token);
      ++tree.nodes;
    }
    count(tree, nodes_[static_cast<std::size_t>(below)], mode);
    at = below;
  }
}

void TrieIndex::put(std::span<const Token> text, std::size_t depth, Mode mode) {
  const auto end = std::find(text.begin(), text.end(), options_.end_of_text);
  text = text.first(static_cast<std::size_t>(end - text.begin()));
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    insert(text[i], text.subspan(i + 1, std::min(depth, text.size() - i - 1)), mode);
  }
  tokens_ += text.size();
}

void TrieIndex::stream(std::span<const Token> tokens, bool final) {
  pending_.insert(pending_.end(), tokens.begin(), tokens.end());
  const std::size_t depth = options_.branch_length + 1, size = pending_.size();
  const std::size_t starts = final ? (size > 0 ? size - 1 : 0) : size - std::min(size, depth);
  for (std::size_t i = 0; i < starts; ++i) {
    if (stop_word(pending_[i])) continue;
    insert(pending_[i], std::span(pending_).subspan(i + 1, std::min(depth, size - i - 1)),
           Mode::output);
  }
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(starts));
  if (final) pending_.clear();
}

void TrieIndex::begin(std::span<const Token> prompt) {
  // What a request that was given up has left behind.
  for (const std::int32_t i : prompt_nodes_) nodes_[static_cast<std::size_t>(i)].prompt = 0;
  prompt_nodes_.clear();
  pending_.clear();
  text_.assign(prompt.end() -
                   static_cast<std::ptrdiff_t>(std::min(prompt.size(), options_.max_query_length)),
               prompt.end());
  put(prompt, options_.branch_length + 1, Mode::prompt);
}

void TrieIndex::append(std::span<const Token> tokens) {
  text_.insert(text_.end(), tokens.begin(), tokens.end());
  if (text_.size() > options_.max_query_length) {
    text_.erase(text_.begin(),
                text_.end() - static_cast<std::ptrdiff_t>(options_.max_query_length));
  }
  const auto end = std::find(tokens.begin(), tokens.end(), options_.end_of_text);
  tokens_ += tokens.size();
  stream(tokens.first(static_cast<std::size_t>(end - tokens.begin())), false);
}

void TrieIndex::end() {
  stream({}, true);
  for (const std::int32_t i : prompt_nodes_) nodes_[static_cast<std::size_t>(i)].prompt = 0;
  prompt_nodes_.clear();
  text_.clear();
  if (touched_ >= options_.squeeze_after) squeeze();
}

void TrieIndex::learn(std::span<const Token> text) {
  put(text, options_.branch_length + 1, Mode::output);
  if (touched_ >= options_.squeeze_after) squeeze();
}

void TrieIndex::squeeze() {
  for (auto& [token, tree] : forest_) {
    if (tree.touched &&
        (tree.nodes > options_.max_node || tree.output_nodes > options_.max_output_node)) {
      squeeze_node(tree, tree.root);
    }
    tree.touched = false;
  }
  touched_ = 0;
  // Prompt counts may belong to nodes that are gone.
  std::erase_if(prompt_nodes_,
                [&](std::int32_t i) { return nodes_[static_cast<std::size_t>(i)].prompt == 0; });
}

void TrieIndex::squeeze_node(Tree& tree, std::int32_t parent) {
  std::vector<std::int32_t> open{parent};
  while (!open.empty()) {
    const std::int32_t above = open.back();
    open.pop_back();
    std::int32_t kept = -1;
    for (std::int32_t i = nodes_[static_cast<std::size_t>(above)].first_child; i >= 0;) {
      Node& node = nodes_[static_cast<std::size_t>(i)];
      const std::int32_t next = node.next;
      if (node.output > 1) {
        node.output /= 2;
        node.next = kept;
        kept = i;
        open.push_back(i);
      } else {
        free_children(tree, i);
        edges_.erase(edge_key(above, node.token));
        if (node.output > 0) --tree.output_nodes;
        --tree.nodes;
        --live_nodes_;
        node = {};
        free_.push_back(i);
      }
      i = next;
    }
    nodes_[static_cast<std::size_t>(above)].first_child = kept;
  }
}

void TrieIndex::free_children(Tree& tree, std::int32_t parent) {
  std::vector<std::int32_t> open{parent};
  while (!open.empty()) {
    const std::int32_t above = open.back();
    open.pop_back();
    for (std::int32_t i = nodes_[static_cast<std::size_t>(above)].first_child; i >= 0;) {
      const Node node = nodes_[static_cast<std::size_t>(i)];
      edges_.erase(edge_key(above, node.token));
      if (node.output > 0) --tree.output_nodes;
      --tree.nodes;
      --live_nodes_;
      open.push_back(i);
      i = node.next;
    }
    if (above != parent) {
      nodes_[static_cast<std::size_t>(above)] = {};
      free_.push_back(above);
    }
  }
  nodes_[static_cast<std::size_t>(parent)].first_child = -1;
}

void TrieIndex::collect(std::int32_t match, std::size_t depth, std::vector<Seen>& seen) const {
  seen.clear();
  seen.push_back({match, -1, 0, 0, 0, 0, true});
  for (std::size_t k = 0; k < seen.size(); ++k) {
    if (seen[k].depth == depth) continue;
    for (std::int32_t i = nodes_[static_cast<std::size_t>(seen[k].node)].first_child; i >= 0;
         i = nodes_[static_cast<std::size_t>(i)].next) {
      const Node& node = nodes_[static_cast<std::size_t>(i)];
      const float prompt = options_.use_prompt ? node.prompt : 0;
      const float output = options_.use_output ? node.output : 0;
      if (prompt <= 0 && output <= 0) continue;
      const double w = options_.output_weight;
      seen.push_back({i, static_cast<std::int32_t>(k),
                      static_cast<std::uint16_t>(seen[k].depth + 1), prompt, output,
                      (1 - w) * prompt + w * output, false});
    }
  }
}

void TrieIndex::select(std::vector<Seen>& seen, std::size_t budget) const {
  if (options_.method == TrieOptions::Method::one) {
    std::int32_t at = 0;
    while (at >= 0) {
      seen[static_cast<std::size_t>(at)].kept = true;
      std::int32_t best = -1;
      for (std::size_t i = 1; i < seen.size(); ++i) {
        if (seen[i].parent == at &&
            (best < 0 || seen[i].mixed > seen[static_cast<std::size_t>(best)].mixed)) {
          best = static_cast<std::int32_t>(i);
        }
      }
      at = best;
    }
    return;
  }
  if (seen.size() - 1 <= budget) {
    for (Seen& s : seen) s.kept = true;
    return;
  }
  // Half of the budget by output counts, the rest by the mixed score: what the published code
  // intends, but for a dead branch. Counts never grow towards the leaves, and among equals the
  // parent stands first, so that every kept node has its ancestors.
  std::vector<std::size_t> order(seen.size() - 1);
  std::iota(order.begin(), order.end(), std::size_t{1});
  std::size_t kept = 0;
  const auto take = [&](std::size_t most, auto score) {
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return score(seen[a]) > score(seen[b]); });
    for (const std::size_t i : order) {
      if (kept >= most || score(seen[i]) <= 0) break;
      if (seen[i].kept || !seen[static_cast<std::size_t>(seen[i].parent)].kept) continue;
      seen[i].kept = true;
      ++kept;
    }
  };
  take(budget / 2, [](const Seen& s) { return static_cast<double>(s.output); });
  take(budget, [](const Seen& s) { return s.mixed; });
}

void TrieIndex::emit(const std::vector<Seen>& seen, std::size_t matched, std::size_t budget,
                     CandidateTree& out) const {
  std::vector<std::vector<std::size_t>> children(seen.size());
  for (std::size_t i = 1; i < seen.size(); ++i) {
    if (seen[i].kept) children[static_cast<std::size_t>(seen[i].parent)].push_back(i);
  }
  struct Open {
    std::size_t at;
    std::int32_t parent;
  };
  std::vector<Open> open{{0, -1}};
  std::size_t slots = 0;
  std::uint16_t last_depth = 0;
  while (!open.empty() && slots < budget) {
    const Open now = open.back();
    open.pop_back();
    std::int32_t index = -1;
    if (now.at != 0) {
      const Seen& s = seen[now.at];
      index = static_cast<std::int32_t>(out.nodes.size());
      Candidate c;
      c.token = nodes_[static_cast<std::size_t>(s.node)].token;
      c.parent = now.parent;
      c.depth = s.depth;
      c.match_length = static_cast<std::uint16_t>(matched);
      c.support = static_cast<std::uint32_t>(s.prompt + s.output);
      c.source = s.prompt > 0 ? Source::prompt : Source::past;
      c.weight = static_cast<float>(s.mixed);
      out.nodes.push_back(c);
      // par repeats the shared beginning of every branch, which costs slots.
      slots += options_.method == TrieOptions::Method::par && s.depth <= last_depth ? s.depth : 1;
      last_depth = s.depth;
    }
    auto& below = children[now.at];
    std::stable_sort(below.begin(), below.end(), [&](std::size_t a, std::size_t b) {
      return seen[a].mixed < seen[b].mixed;  // the last one is taken first
    });
    for (const std::size_t i : below) open.push_back({i, index});
  }
}

void TrieIndex::retrieve(const RetrievalLimits& limits, CandidateTree& out) const {
  out.clear();
  const std::size_t depth = std::min(options_.branch_length, limits.max_depth);
  const std::size_t budget =
      std::min(std::max<std::size_t>(options_.decoding_length, 1) - 1, limits.max_nodes);
  const std::size_t enough = options_.method == TrieOptions::Method::one
                                 ? options_.branch_length / 2
                                 : options_.branch_length;
  std::vector<Seen> seen;
  for (std::size_t start = 0; start < text_.size(); ++start) {
    const std::span query = std::span(text_).subspan(start);
    if (query.size() == 1 && stop_word(query[0])) continue;
    const auto tree = forest_.find(query[0]);
    if (tree == forest_.end()) continue;
    std::int32_t at = tree->second.root;
    for (const Token token : query.subspan(1)) {
      at = child(at, token);
      if (at < 0) break;
      const Node& node = nodes_[static_cast<std::size_t>(at)];
      if (!(options_.use_prompt && node.prompt > 0) && !(options_.use_output && node.output > 0)) {
        at = -1;
        break;
      }
    }
    if (at < 0) continue;
    collect(at, depth, seen);
    if (seen.size() == 1) continue;
    select(seen, budget);
    out.clear();
    emit(seen, query.size(), budget, out);
    if (out.nodes.size() >= enough) break;
  }
  std::vector<double> sums(out.nodes.size() + 1, 0);
  for (const Candidate& c : out.nodes) sums[static_cast<std::size_t>(c.parent + 1)] += c.weight;
  for (Candidate& c : out.nodes) {
    c.share = static_cast<float>(c.weight / sums[static_cast<std::size_t>(c.parent + 1)]);
  }
}

IndexFootprint TrieIndex::footprint() const {
  // A map's node: key, value, hash chain pointer, and what the allocator adds; and its bucket.
  constexpr std::uint64_t kEdgeBytes = 8 + 8 + 8 + 8 + 8;
  return {tokens_, nodes_.capacity() * sizeof(Node) + edges_.size() * kEdgeBytes +
                       forest_.size() * (sizeof(Tree) + kEdgeBytes)};
}

}  // namespace sosia::llm

#pragma once
// The paper's index; see make_trie_index.

#include "sosia/llm/draft.hpp"

#include <cstdint>
#include <deque>
#include <unordered_map>
#include <vector>

namespace sosia::llm {

class TrieIndex final : public DraftIndex {
 public:
  explicit TrieIndex(const TrieOptions& options);

  void begin(std::span<const Token> prompt) override;
  void append(std::span<const Token> tokens) override;
  void end() override;
  void learn(std::span<const Token> text) override;
  void retrieve(const RetrievalLimits& limits, CandidateTree& out) const override;
  IndexFootprint footprint() const override;

  std::size_t nodes() const noexcept { return live_nodes_; }

 private:
  enum class Mode : std::uint8_t { prompt, output };

  /// Children hang on a list. A node that was pruned is on the list of free ones.
  struct Node {
    Token token = kNoToken;
    std::int32_t first_child = -1, next = -1;
    float prompt = 0, output = 0;
  };
  struct Tree {
    std::int32_t root = -1;
    std::uint32_t nodes = 0, output_nodes = 0;
    bool touched = false;
  };
  /// A node of the matched subtree while it is selected from.
  struct Seen {
    std::int32_t node, parent;
    std::uint16_t depth;
    float prompt, output;
    double mixed;
    bool kept;
  };

  void put(std::span<const Token> text, std::size_t depth, Mode mode);
  void insert(Token root, std::span<const Token> path, Mode mode);
  void stream(std::span<const Token> tokens, bool final);
  void count(Tree& tree, Node& node, Mode mode);
  std::int32_t child(std::int32_t parent, Token token) const;
  std::int32_t add_child(std::int32_t parent, Token token);
  std::int32_t new_node(Token token);
  void free_children(Tree& tree, std::int32_t parent);
  void squeeze();
  void squeeze_node(Tree& tree, std::int32_t parent);
  void collect(std::int32_t match, std::size_t depth, std::vector<Seen>& seen) const;
  void select(std::vector<Seen>& seen, std::size_t budget) const;
  void emit(const std::vector<Seen>& seen, std::size_t matched, std::size_t budget,
            CandidateTree& out) const;
  bool stop_word(Token token) const;

  TrieOptions options_;
  std::vector<Node> nodes_;
  std::vector<std::int32_t> free_;
  std::size_t live_nodes_ = 0;
  std::unordered_map<Token, Tree> forest_;
  std::unordered_map<std::uint64_t, std::int32_t> edges_;  // (parent, token) -> child
  std::size_t touched_ = 0;
  std::vector<std::int32_t> prompt_nodes_;  // whose prompt counts are to be reset
  std::vector<Token> text_;                 // of the request: the end of prompt and output
  std::vector<Token> pending_;              // output that is not inserted yet
  std::size_t tokens_ = 0;
};

}  // namespace sosia::llm

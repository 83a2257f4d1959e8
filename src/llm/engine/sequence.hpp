#pragma once
// The context of a model as one text that grows: prefill, steps that verify a draft, and what is
// left of it afterwards.
//
// A draft that branches is decoded with one sequence id for every leaf on a unified cache: a node
// carries the ids of the leaves below it, so it sees the text, its ancestors and nothing else.
// Copies between sequences are of what one lacks only: each looks at all cells and moves no data.

#include "llm/engine/model.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace sosia::llm {

struct SequenceOptions {
  std::size_t cells = 4096;
  int threads = 1;
  std::size_t max_leaves = 8;
  std::size_t max_nodes = kShapes.back();
  /// With 16-bit IEEE floats and several threads a step of one token takes another path through
  /// attention than larger ones, and what that rounds differently the quantised layers behind it
  /// amplify: logits of SmolLM2 Q4_1 moved by up to 2.0 behind 422 tokens of context, with bfloat16
  /// or 8 bits by nothing.
  ggml_type cache_type = GGML_TYPE_BF16;
  bool flash_attention = true;
};

class Sequence {
 public:
  /// Throws out_of_memory when the cells cannot be had.
  Sequence(const LoadedModel& model, const SequenceOptions& options);

  std::size_t cells() const noexcept { return cells_; }
  /// Tokens whose cells are computed.
  std::size_t size() const noexcept { return tokens_.size(); }
  std::span<const Token> tokens() const noexcept { return tokens_; }
  llama_context* get() const noexcept { return context_.get(); }

  /// Whether the last tokens can be taken back; see `probe`.
  bool can_roll_back() const noexcept { return can_roll_back_; }
  /// Finds that out. Leaves nothing behind.
  void probe();

  void clear();
  /// Keeps the first `count` tokens. False when the model cannot: the sequence is empty then.
  bool truncate(std::size_t count);
  /// Appends `tokens` in large batches; logits of the last one stand at row 0 afterwards. False
  /// when `is_cancelled`, asked before every batch (null: never), has said so.
  bool prefill(std::span<const Token> tokens, const std::function<bool()>& is_cancelled = {});
  /// Decodes `root`, which follows the text, and the draft below it. Row 0 of the logits belongs to
  /// the root, row 1 + i to node i. Throws out_of_memory when there are too few cells,
  /// invalid_argument for more than `max_nodes` nodes.
  void decode(Token root, const Draft& draft);
  /// Of the last `decode`, the root and the nodes on `path` (root excluded, from the top) stay.
  void keep(std::span<const std::int32_t> path);

  /// Logits of a row of the last decode or of the prefill's last token (row 0).
  const float* logits(std::size_t row) const;

 private:
  void add(Token token, std::size_t position, std::span<const llama_seq_id> ids, bool output);
  void run_batch(const char* doing);
  void share_prefix(std::size_t leaves);
  void remove(llama_seq_id id, std::size_t from);

  ContextPtr context_;
  llama_memory_t memory_ = nullptr;
  std::size_t cells_ = 0, max_nodes_ = 0;
  std::vector<Token> tokens_;
  bool can_roll_back_ = true;
  std::int32_t output_offset_ = 0;

  // The last decode.
  Token root_ = kNoToken;
  std::vector<Token> node_tokens_;
  std::vector<std::int32_t> leaf_of_;  // of each node: one of the sequences that hold it
  std::size_t leaves_ = 1;

  std::vector<std::size_t> shared_;  // tokens that sequence i holds

  // The batch, as libllama wants it.
  std::vector<llama_token> batch_tokens_;
  std::vector<llama_pos> batch_positions_;
  std::vector<std::int32_t> batch_counts_;
  std::vector<std::vector<llama_seq_id>> batch_ids_;
  std::vector<std::int8_t> batch_outputs_;
};

}  // namespace sosia::llm

#include "llm/engine/sequence.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace sosia::llm {

namespace {

constexpr std::size_t kBatch = 512;

}  // namespace

Sequence::Sequence(const LoadedModel& model, const SequenceOptions& options)
    : max_nodes_(options.max_nodes), shared_(std::max<std::size_t>(options.max_leaves, 1), 0) {
  llama_context_params params = llama_context_default_params();
  params.n_ctx = static_cast<std::uint32_t>(options.cells);
  params.n_batch = kBatch;
  params.n_ubatch = kBatch;  // a tree is one micro-batch, so that it fails or succeeds as a whole
  params.n_seq_max = static_cast<std::uint32_t>(shared_.size());
  params.n_outputs_max = static_cast<std::uint32_t>(options.max_nodes + 1);
  params.n_threads = options.threads;
  params.n_threads_batch = options.threads;
  params.flash_attn_type =
      options.flash_attention ? LLAMA_FLASH_ATTN_TYPE_ENABLED : LLAMA_FLASH_ATTN_TYPE_DISABLED;
  params.type_k = options.cache_type;
  params.type_v = options.cache_type;
  params.kv_unified = true;
  params.swa_full = true;  // cells that several sequences share would never be used again
  params.no_perf = true;
  take_log();
  context_.reset(llama_init_from_model(model.get(), params));
  if (!context_) {
    const std::string why = take_log();
    throw Error(ErrorCode::out_of_memory,
                fmt::format("a context of {} cells cannot be made", options.cells),
                why.empty() ? "ask for a smaller one" : why);
  }
  memory_ = llama_get_memory(context_.get());
  cells_ = llama_n_ctx(context_.get());
}

void Sequence::add(Token token, std::size_t position, std::span<const llama_seq_id> ids,
                   bool output) {
  batch_tokens_.push_back(token);
  batch_positions_.push_back(static_cast<llama_pos>(position));
  batch_counts_.push_back(static_cast<std::int32_t>(ids.size()));
  const std::size_t i = batch_tokens_.size() - 1;
  if (batch_ids_.size() <= i) batch_ids_.resize(i + 1);
  batch_ids_[i].assign(ids.begin(), ids.end());
  batch_outputs_.push_back(output ? 1 : 0);
}

void Sequence::run_batch(const char* doing) {
  std::vector<llama_seq_id*> ids;
  for (std::size_t i = 0; i < batch_tokens_.size(); ++i) ids.push_back(batch_ids_[i].data());
  llama_batch batch{};
  batch.n_tokens = static_cast<std::int32_t>(batch_tokens_.size());
  batch.token = batch_tokens_.data();
  batch.pos = batch_positions_.data();
  batch.n_seq_id = batch_counts_.data();
  batch.seq_id = ids.data();
  batch.logits = batch_outputs_.data();
  const int status = llama_decode(context_.get(), batch);
  const std::size_t size = batch_tokens_.size();
  batch_tokens_.clear();
  batch_positions_.clear();
  batch_counts_.clear();
  batch_outputs_.clear();
  if (status == 0) return;
  if (status == 1) {
    throw Error(ErrorCode::out_of_memory,
                fmt::format("the context of {} cells has no room for {} tokens", cells_, size),
                "a larger context needs --context");
  }
  throw Error(status == 2 ? ErrorCode::cancelled : ErrorCode::device,
              fmt::format("libllama failed at {} (status {})", doing, status), take_log());
}

void Sequence::probe() {
  clear();
  const std::vector<Token> two{0, 0};
  prefill(two);
  can_roll_back_ = llama_memory_seq_rm(memory_, 0, 1, -1);
  clear();
}

void Sequence::clear() {
  llama_memory_clear(memory_, false);
  tokens_.clear();
  std::fill(shared_.begin(), shared_.end(), 0);
}

void Sequence::remove(llama_seq_id id, std::size_t from) {
  llama_memory_seq_rm(memory_, id, static_cast<llama_pos>(from), -1);
}

bool Sequence::truncate(std::size_t count) {
  if (count >= tokens_.size()) return true;
  if (count == 0 || !can_roll_back_) {
    clear();
    return count == 0;
  }
  for (std::size_t s = 0; s < shared_.size(); ++s) {
    if (s == 0 || shared_[s] > count) remove(static_cast<llama_seq_id>(s), count);
    shared_[s] = std::min(shared_[s], count);
  }
  tokens_.resize(count);
  return true;
}

bool Sequence::prefill(std::span<const Token> tokens, const std::function<bool()>& is_cancelled) {
  constexpr llama_seq_id kFirst = 0;
  // libllama ends the process when a batch is larger than it was told, or than the context.
  const std::size_t most = std::min<std::size_t>(llama_n_batch(context_.get()), kBatch);
  if (tokens_.size() + tokens.size() > cells_) {
    throw Error(ErrorCode::out_of_memory,
                fmt::format("the context of {} cells has no room for {} more tokens", cells_,
                            tokens.size()));
  }
  for (std::size_t at = 0; at < tokens.size(); at += most) {
    if (is_cancelled && is_cancelled()) return false;
    const std::size_t size = std::min(most, tokens.size() - at);
    for (std::size_t i = 0; i < size; ++i) {
      add(tokens[at + i], tokens_.size() + i, std::span(&kFirst, 1), at + i + 1 == tokens.size());
    }
    run_batch("the prompt");
    tokens_.insert(tokens_.end(), tokens.begin() + static_cast<std::ptrdiff_t>(at),
                   tokens.begin() + static_cast<std::ptrdiff_t>(at + size));
    output_offset_ = static_cast<std::int32_t>(size) - 1;
    shared_[0] = tokens_.size();
  }
  return true;
}

/// Every sequence of the tree must hold the whole text before it is decoded.
void Sequence::share_prefix(std::size_t leaves) {
  for (std::size_t s = 1; s < leaves; ++s) {
    if (shared_[s] == tokens_.size()) continue;
    llama_memory_seq_cp(memory_, 0, static_cast<llama_seq_id>(s),
                        static_cast<llama_pos>(shared_[s]), static_cast<llama_pos>(tokens_.size()));
    shared_[s] = tokens_.size();
  }
}

void Sequence::decode(Token root, const Draft& draft) {
  const std::size_t count = draft.nodes.size(), text = tokens_.size();
  root_ = root;
  node_tokens_.clear();
  leaf_of_.assign(count, -1);
  // Leaves are numbered in the order of the nodes, likeliest first, so that most often the accepted
  // path is sequence 0 and nothing has to be copied back.
  std::vector<std::vector<llama_seq_id>> ids(count + 1);
  std::vector<bool> inner(count, false);
  for (const Candidate& c : draft.nodes) {
    node_tokens_.push_back(c.token);
    if (c.parent >= 0) inner[static_cast<std::size_t>(c.parent)] = true;
  }
  leaves_ = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (inner[i]) continue;
    const auto id = static_cast<llama_seq_id>(leaves_++);
    for (auto node = static_cast<std::int32_t>(i); node >= 0;
         node = draft.nodes[static_cast<std::size_t>(node)].parent) {
      ids[static_cast<std::size_t>(node) + 1].push_back(id);
    }
    ids[0].push_back(id);
  }
  if (leaves_ == 0) {
    ids[0].push_back(0);
    leaves_ = 1;
  }
  if (leaves_ > shared_.size()) {
    throw Error(ErrorCode::internal, fmt::format("a draft has {} branches", leaves_));
  }
  if (count > max_nodes_) {
    throw Error(
        ErrorCode::invalid_argument,
        fmt::format("a step verifies at most {} tokens, not {}", max_nodes_ + 1, count + 1));
  }
  if (text + 1 + count > cells_) {
    throw Error(
        ErrorCode::out_of_memory,
        fmt::format("the context of {} cells has no room for {} more tokens", cells_, count + 1));
  }
  share_prefix(leaves_);
  add(root, text, ids[0], true);
  for (std::size_t i = 0; i < count; ++i) {
    leaf_of_[i] = ids[i + 1].front();
    add(draft.nodes[i].token, text + draft.nodes[i].depth, ids[i + 1], true);
  }
  run_batch("a step");
  output_offset_ = 0;
}

void Sequence::keep(std::span<const std::int32_t> path) {
  const std::size_t text = tokens_.size(), now = text + 1 + path.size();
  const llama_seq_id kept = path.empty() ? 0 : leaf_of_[static_cast<std::size_t>(path.back())];
  for (std::size_t s = 0; s < leaves_; ++s) {
    const auto id = static_cast<llama_seq_id>(s);
    const std::size_t from = id == kept ? now : text + 1;
    if (!node_tokens_.empty()) remove(id, from);
    shared_[s] = from;
  }
  if (kept != 0) {
    llama_memory_seq_cp(memory_, kept, 0, static_cast<llama_pos>(text + 1),
                        static_cast<llama_pos>(now));
    shared_[0] = now;
  }
  tokens_.push_back(root_);
  for (const std::int32_t node : path) {
    tokens_.push_back(node_tokens_[static_cast<std::size_t>(node)]);
  }
}

const float* Sequence::logits(std::size_t row) const {
  const float* values =
      llama_get_logits_ith(context_.get(), output_offset_ + static_cast<std::int32_t>(row));
  if (values == nullptr) throw Error(ErrorCode::internal, "libllama gave no logits");
  return values;
}

}  // namespace sosia::llm

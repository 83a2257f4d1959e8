#pragma once
// Drafts: what may come next, as a tree of tokens, and the indexes that find it in text seen
// before.
//
// Reference: Zhao et al., "Lookahead: an inference acceleration framework for large language model
// with lossless generation accuracy", KDD 2024 (arXiv 2312.12728), for the trie; hash chains over
// contexts of fixed lengths, as in LZ77 compressors, for the default index.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace sosia::llm {

using Token = std::int32_t;

/// Separates texts in a log of tokens; no vocabulary has it.
inline constexpr Token kNoToken = -1;

/// Where a drafted token was seen.
enum class Source : std::uint8_t {
  prompt,   ///< the prompt of this request
  output,   ///< what this request has generated
  past,     ///< outputs of earlier requests
  corpus,   ///< imported texts
  grammar,  ///< forced by the grammar
};
inline constexpr std::size_t kSources = 5;
std::string_view to_string(Source source);

/// One node of a candidate tree. Parents stand before their children.
struct Candidate {
  Token token = kNoToken;
  std::int32_t parent = -1;        ///< index of the parent, -1 for the first level
  std::uint16_t depth = 1;         ///< tokens from the root
  std::uint16_t match_length = 0;  ///< tokens of context that its best occurrence shares with ours
  std::uint32_t support = 0;       ///< occurrences that agree
  Source source = Source::prompt;  ///< of the best occurrence
  float weight = 0;                ///< summed over the occurrences
  float share = 0;                 ///< of the weight of siblings with no shorter match, in (0, 1]
  std::uint64_t origin = 0;  ///< names the text that the best occurrence lies in, 0: this request
};

/// Candidates for what comes after a context, merged from all sources. The first node of the
/// siblings is not the best one: `share` says.
struct CandidateTree {
  std::vector<Candidate> nodes = {};
  void clear() { nodes.clear(); }
};

/// Bounds of one retrieval.
struct RetrievalLimits {
  std::size_t max_nodes = 192;
  std::size_t max_depth = 32;
};

/// Bytes and tokens of an index.
struct IndexFootprint {
  std::uint64_t tokens = 0;  ///< tokens that can be found
  std::uint64_t bytes = 0;   ///< all memory of the index, allocated but unused parts included
};

/// Finds drafts for one request at a time in its own prompt and output, and in texts of earlier
/// requests. Thread-safety: none; one object per slot of a batch.
class DraftIndex {
 public:
  virtual ~DraftIndex() = default;
  /// A request starts. Forgets the prompt and output of the one before.
  virtual void begin(std::span<const Token> prompt) = 0;
  /// The request has generated `tokens`.
  virtual void append(std::span<const Token> tokens) = 0;
  /// The request is over: its output becomes past output where the index keeps that.
  virtual void end() = 0;
  /// Adds a finished text, as warming up does.
  virtual void learn(std::span<const Token> text) = 0;
  /// Fills `out` with what may follow the text of the request so far.
  virtual void retrieve(const RetrievalLimits& limits, CandidateTree& out) const = 0;
  virtual IndexFootprint footprint() const = 0;
};

/// The parameters of the paper's trie, with the symbols' defaults of its published configuration.
struct TrieOptions {
  enum class Method : std::uint8_t { hier, par, one };
  Method method = Method::hier;
  std::size_t decoding_length = 64;    ///< slots of a step, root included
  std::size_t branch_length = 12;      ///< depth of a draft
  std::size_t max_query_length = 2;    ///< tokens of context that are looked up, newest included
  double output_weight = 1e-4;         ///< w: score = (1 - w) f_prompt + w f_output
  std::size_t max_node = 65536;        ///< per tree
  std::size_t max_output_node = 512;   ///< per tree
  std::size_t squeeze_after = 1024;    ///< touched trees
  bool use_prompt = true;              ///< false: output counts only
  bool use_output = true;              ///< false: prompt counts only
  std::vector<Token> stop_words = {};  ///< start no tree of streamed output, ask no query alone
  Token end_of_text = kNoToken;        ///< texts are cut here
};

/// The paper's index: a forest by first token, whose nodes count occurrences in prompts and in
/// outputs. Its candidates are already selected by frequency; `share` is the frequency among
/// siblings. Retrieval keeps the order of the paper's selection: a caller that verifies a fixed
/// budget takes the nodes as they come.
std::unique_ptr<DraftIndex> make_trie_index(const TrieOptions& options = {});

}  // namespace sosia::llm

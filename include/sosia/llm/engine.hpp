#pragma once
// Language models from GGUF files, by libllama: load, tokenize, generate with or without lookahead.
//
// Lossless: every emitted token is chosen by the sampler from the model's own distribution after
// the tokens emitted before; a draft only decides whether that distribution is at hand already.

#include "sosia/llm/lookahead.hpp"
#include "sosia/llm/memory.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sosia::llm {

/// How far the output may differ from decoding one token at a time on the same machine. Kernels for
/// several tokens round differently from those for one, so near ties can fall the other way.
enum class Tier : std::uint8_t {
  distribution,  ///< the model's distribution, up to that rounding: the usual meaning of lossless
  margin,  ///< as above, but near ties are decided by a step of one token (greedy decoding only)
  exact,   ///< bit by bit: a configuration is looked for in which all sizes of steps agree; chains
           ///< only
};
std::string_view to_string(Tier tier);

struct EngineOptions {
  std::filesystem::path model = {};
  int threads = 1;
  std::size_t context = 0;  ///< cells; 0: what the model was trained for, at most 4096
  Tier tier = Tier::distribution;
  double margin = 0.2;         ///< difference of the two highest logits that is no near tie
  std::size_t max_leaves = 8;  ///< branches of a tree, 1 to 64
  std::filesystem::path backends = {};  ///< folder of the CPU variants; empty: of the set-up
  bool self_test = true;                ///< a batch must give what single tokens give
};

struct ModelInfo {
  std::string name = {};         ///< general.name of the file, or its description
  std::string description = {};  ///< architecture, size, quantisation
  MemoryKey key = {};
  std::uint64_t bytes = 0, parameters = 0;
  std::size_t vocabulary = 0, trained_context = 0;
  bool has_chat_template = false;
  bool can_roll_back = true;  ///< false: recurrent or hybrid, so nothing can be drafted
  std::string backend = {};   ///< which variant of the CPU kernels runs
  std::string engine = {};    ///< version of libllama
  std::string exactness =
      {};  ///< what the configuration of the exact tier is, or why there is none
};

struct SamplingOptions {
  double temperature = 0;  ///< 0: the most probable token
  int top_k = 0;           ///< 0: all
  double top_p = 1;        ///< 1: all
  double min_p = 0;
  double repeat_penalty = 1;
  double frequency_penalty = 0, presence_penalty = 0;
  int penalty_last_n = 64;
  std::uint32_t seed = 0;
  std::string grammar = {};  ///< GBNF; empty: none
  std::vector<std::pair<Token, double>> logit_bias = {};
};

enum class Finish : std::uint8_t { end_of_text, stop_string, max_tokens, context_full, cancelled };
std::string_view to_string(Finish finish);

struct GenerateOptions {
  SamplingOptions sampling = {};
  std::size_t max_tokens = 128;
  std::vector<std::string> stop = {};  ///< text ends before the first of these
  bool ignore_end = false;             ///< go on behind the end of text: for benches
  /// Called with whole UTF-8 characters that cannot belong to a stop string any more.
  std::function<void(std::string_view text)> on_text = {};
  /// Asked before every decode, those of the prompt included; true ends the request with what there
  /// is, finish `cancelled`.
  std::function<bool()> is_cancelled = {};
  bool remember = true;  ///< lookahead keeps the output for later requests
  bool use_cache =
      true;  ///< the beginning that this prompt shares with the last one is not computed
};

/// A node that was verified, for pictures of what was drafted.
struct TracedNode {
  Token token = kNoToken;
  std::int32_t parent = -1;
  Source source = Source::prompt;
  bool accepted = false;
};

struct TracedStep {
  std::vector<TracedNode> nodes = {};
  std::vector<Token> emitted = {};
  double ms = 0;
};

struct Generation {
  std::vector<Token> tokens = {};
  std::string text = {};
  Finish finish = Finish::max_tokens;
  std::size_t prompt_tokens = 0, cached_tokens = 0;
  std::size_t steps = 0;     ///< decodes after the prompt's
  std::size_t drafted = 0;   ///< nodes that were verified
  std::size_t accepted = 0;  ///< of them, emitted
  double prefill_ms = 0, decode_ms = 0;
  std::vector<TracedStep> trace = {};
  double tokens_per_s() const;
  double tokens_per_step() const;
};

struct ChatMessage {
  std::string role = {}, content = {};
};

/// One model, one sequence of requests. Thread-safety: none; one object per thread.
class Engine {
 public:
  virtual ~Engine() = default;
  virtual const ModelInfo& info() const = 0;
  virtual std::size_t context() const = 0;
  /// `special`: names of special tokens in the text mean those tokens. Throws invalid_argument for
  /// text that is no UTF-8.
  virtual std::vector<Token> tokenize(std::string_view text, bool special) const = 0;
  virtual std::string detokenize(std::span<const Token> tokens) const = 0;
  /// The messages in the model's own template, ready for the answer. Throws unsupported when it has
  /// none that libllama knows.
  virtual std::string apply_chat(std::span<const ChatMessage> messages) const = 0;
  /// Continues `prompt`. `drafter`: null for plain decoding. Throws invalid_argument for an empty
  /// prompt, one that does not fit the context, tokens outside of the vocabulary, options out of
  /// range or a grammar that cannot be read, corrupt_data when no token satisfies the grammar.
  virtual Generation generate(std::span<const Token> prompt, const GenerateOptions& options,
                              Drafter* drafter) = 0;
  /// Measures t(n) with `rounds` interleaved rounds at each length of context that fits.
  /// `on_progress(done, total)` may be null.
  virtual std::vector<CostCurve> measure(
      int rounds, const std::function<void(std::size_t, std::size_t)>& on_progress) = 0;
  /// Logits after `tokens`, computed in one batch or token by token: for tests.
  virtual std::vector<float> logits(std::span<const Token> tokens, bool one_by_one) = 0;
};

/// Throws missing_feature in a build without libllama.
void require_engine();

/// Loads a model. Throws not_found, corrupt_data for a file that is no (whole) GGUF, out_of_memory,
/// missing_feature in a build without libllama, device when no variant of the kernels passes the
/// self-test, unsupported when the exact tier is asked for and cannot be had.
std::unique_ptr<Engine> open_engine(const EngineOptions& options);

/// t(n) of this model on this machine: from the cache folder of the user, else measured and put
/// there. `fresh`: measured in any case.
StepCost load_profile(Engine& engine, const EngineOptions& options, bool fresh,
                      const std::function<void(std::size_t, std::size_t)>& on_progress = {});

/// The GGUF file that an option means: a path, or the default model of the set-up when empty.
/// Throws not_found.
std::filesystem::path find_model(const std::string& option);

}  // namespace sosia::llm

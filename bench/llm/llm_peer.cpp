// The program that compare_llm.py works with: one engine, and by name the drafters ("columns") that
// take turns in it. Every line of standard input is a request in JSON, answered by one line.
//
//   llm_peer MODEL THREADS CONTEXT LEAVES [COMMAND...]   COMMAND: the Python process for prompt
//                                                        lookup, see lookup_process.hpp
//   llm_peer --requantise FROM TO                        the same model in Q8_0
//
//   {"do": "prompt", "text", "chat"}           its tokens
//   {"do": "column", "name", "kind", "settings", "warm"}
//                                              a drafter: plain, lookahead, trie or one of
//                                              peers.hpp
//   {"do": "answer", "column", "prompt", "max_tokens"}   decodes
//   {"do": "replay", "column", "curve", "recordings"}    the same for recorded answers, no model
//
// "plain" is a drafter that never drafts, so that all columns are timed at the same places.

#include "peers.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/value.hpp"
#include "sosia/llm/engine.hpp"
#include "sosia/llm/replay.hpp"
#include "sosia/version.hpp"

#include <chrono>
#include <cstdio>
#include <ctime>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <llama.h>

namespace {

using namespace sosia;
using namespace sosia::llm;

double process_cpu_ms() {
  timespec t{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return 1e3 * static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_nsec);
}

std::vector<Token> tokens_of(const Value& list) {
  std::vector<Token> tokens;
  for (const Value& v : list.as_list()) tokens.push_back(static_cast<Token>(v.as_integer()));
  return tokens;
}

Value list_of(std::span<const Token> tokens) {
  Value list = Value::list();
  for (const Token t : tokens) list.push(t);
  return list;
}

/// Hands everything on and takes the times: of the processors between the start and the end of
/// decoding, and of the drafting of every step.
class Timed final : public Drafter {
 public:
  explicit Timed(Drafter* inner)
      : inner_(inner), peer_(dynamic_cast<bench::ChainDrafter*>(inner)) {}
  void begin(std::span<const Token> prompt) override {
    if (inner_ != nullptr) inner_->begin(prompt);
    cpu_ms_ = -clock();
  }
  void append(std::span<const Token> tokens) override {
    if (inner_ != nullptr) inner_->append(tokens);
  }
  const Draft& propose(std::size_t room) override {
    if (inner_ == nullptr) return none_;
    const auto start = std::chrono::steady_clock::now();
    const Draft& draft = inner_->propose(room);
    draft_us_.push_back(us_since(start));
    return draft;
  }
  void accept(std::span<const Token> emitted, double step_ms, bool verified) override {
    if (inner_ == nullptr) return;
    const auto start = std::chrono::steady_clock::now();
    inner_->accept(emitted, step_ms, verified);
    draft_us_.back() += us_since(start);
  }
  void end(bool remember) override {
    if (inner_ != nullptr) inner_->end(remember);
    cpu_ms_ += clock();
  }
  double cpu_ms() const { return cpu_ms_; }
  /// Retrieving, choosing and inserting, by step.
  const std::vector<double>& draft_us() const { return draft_us_; }

 private:
  static double us_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start)
        .count();
  }
  double clock() const {
    return process_cpu_ms() + (peer_ != nullptr ? peer_->foreign_cpu_ms() : 0);
  }
  Drafter* inner_;
  bench::ChainDrafter* peer_;
  Draft none_ = {};
  double cpu_ms_ = 0;
  std::vector<double> draft_us_;
};

class Peer {
 public:
  Peer(const EngineOptions& options, std::vector<std::string> python)
      : options_(options), python_(std::move(python)), engine_(open_engine(options)) {}

  Value about();
  Value answer(const Value& request);

 private:
  Value prompt(const Value& request) const;
  Value column(const Value& request);
  Value decode(const Value& request);
  Value replayed(const Value& request);
  LookaheadOptions lookahead_options(const Value& settings) const;
  Drafter* column_of(const Value& request) {
    const auto at = columns_.find(request.at("column").as_text());
    if (at == columns_.end()) throw Error(ErrorCode::not_found, "no such column");
    return at->second.get();
  }

  EngineOptions options_;
  std::vector<std::string> python_;
  std::unique_ptr<Engine> engine_;
  StepCost cost_ = StepCost::flat();
  std::map<std::string, std::unique_ptr<Drafter>> columns_;  // null: plain decoding
};

Value Peer::about() {
  cost_ = load_profile(*engine_, options_, true);
  Value curves = Value::list();
  for (const CostCurve& curve : cost_.curves()) {
    Value points = Value::list();
    for (const auto& [n, ms] : curve.points) points.push(Value::list({n, ms}));
    curves.push(Value::object({{"context", curve.context}, {"points", std::move(points)}}));
  }
  const ModelInfo& info = engine_->info();
  return Value::object({{"commit", version_commit()},
                        {"model", info.name},
                        {"kind", info.description},
                        {"chat", info.has_chat_template},
                        {"kernels", info.backend},
                        {"engine", "libllama " + info.engine},
                        {"threads", options_.threads},
                        {"context", engine_->context()},
                        {"profile", std::move(curves)}});
}

Value Peer::prompt(const Value& request) const {
  const std::string& text = request.at("text").as_text();
  if (!request.at("chat").as_boolean()) {
    return Value::object({{"tokens", list_of(engine_->tokenize(text, true))}});
  }
  const ChatMessage message{"user", text};
  return Value::object(
      {{"tokens", list_of(engine_->tokenize(engine_->apply_chat(std::span(&message, 1)), true))}});
}

LookaheadOptions Peer::lookahead_options(const Value& settings) const {
  LookaheadOptions options;
  const auto number = [&](const char* name, std::size_t otherwise) {
    const Value* v = settings.find(name);
    return v == nullptr ? otherwise : static_cast<std::size_t>(v->as_integer());
  };
  options.policy.max_leaves = number("max_leaves", options_.max_leaves);
  options.policy.max_nodes = number("max_nodes", options.policy.max_nodes);
  options.policy.adaptive = number("adaptive", 1) != 0;
  options.trie.decoding_length = number("decoding_length", options.trie.decoding_length);
  options.trie.branch_length = number("branch_length", options.trie.branch_length);
  return options;
}

Value Peer::column(const Value& request) {
  std::vector<std::vector<Token>> warm;
  for (const Value& text : request.at("warm").as_list()) warm.push_back(tokens_of(text));
  const std::string& kind = request.at("kind").as_text();
  const Value& settings = request.at("settings");
  std::unique_ptr<Drafter> drafter;
  if (kind == "lookahead" || kind == "trie") {
    LookaheadOptions options = lookahead_options(settings);
    if (kind == "trie") options.index = LookaheadOptions::Index::trie;
    const Value* curve = settings.find("curve");
    auto lookahead = std::make_unique<Lookahead>(
        options, curve == nullptr ? cost_ : published_curve(curve->as_text()));
    for (const auto& text : warm) lookahead->learn(text);
    drafter = std::move(lookahead);
  } else if (kind != "plain") {
    drafter = bench::make_peer(kind, settings, warm, python_);
  }
  columns_.insert_or_assign(request.at("name").as_text(), std::move(drafter));
  return Value::object();
}

Value Peer::decode(const Value& request) {
  Timed timed(column_of(request));
  GenerateOptions g;
  g.max_tokens = static_cast<std::size_t>(request.at("max_tokens").as_integer());
  g.remember = false;
  const Generation out = engine_->generate(tokens_of(request.at("prompt")), g, &timed);
  Value sizes = Value::list(), times = Value::list(), drafting = Value::list();
  for (const TracedStep& step : out.trace) {
    sizes.push(step.nodes.size() + 1);
    times.push(step.ms);
  }
  for (const double us : timed.draft_us()) drafting.push(us);
  return Value::object({{"tokens", list_of(out.tokens)},
                        {"accepted", out.accepted},
                        {"ms", out.decode_ms},
                        {"cpu_ms", timed.cpu_ms()},
                        {"step_n", std::move(sizes)},
                        {"step_ms", std::move(times)},
                        {"draft_us", std::move(drafting)}});
}

Value Peer::replayed(const Value& request) {
  Drafter* drafter = column_of(request);
  const std::string& name = request.at("curve").as_text();
  const StepCost truth = name == "measured" ? StepCost(cost_.curves()) : published_curve(name);
  Value rows = Value::list();
  for (const Value& r : request.at("recordings").as_list()) {
    const Recording recording{tokens_of(r.at("prompt")), tokens_of(r.at("output")), ""};
    Timed timed(drafter);
    const ReplayResult one = replay(timed, truth, std::span(&recording, 1), false);
    rows.push(Value::object({{"steps", one.stats.steps},
                             {"accepted", one.stats.accepted},
                             {"drafted", one.stats.drafted},
                             {"plain_ms", one.plain_ms},
                             {"ms", one.replay_ms}}));
  }
  return Value::object({{"rows", std::move(rows)}});
}

Value Peer::answer(const Value& request) {
  const std::string& what = request.at("do").as_text();
  if (what == "prompt") return prompt(request);
  if (what == "column") return column(request);
  if (what == "answer") return decode(request);
  if (what == "replay") return replayed(request);
  throw Error(ErrorCode::usage, "unknown request " + what);
}

/// Writes to a temporary name first: what stands there is whole.
void requantise(const std::string& from, const std::string& to) {
  llama_backend_init();
  llama_log_set([](ggml_log_level, const char*, void*) {}, nullptr);
  llama_model_quantize_params params = llama_model_quantize_default_params();
  params.ftype = LLAMA_FTYPE_MOSTLY_Q8_0;
  params.allow_requantize = true;
  const std::string part = to + ".part";
  if (llama_model_quantize(from.c_str(), part.c_str(), &params) != 0) {
    throw Error(ErrorCode::corrupt_data, "libllama cannot requantise " + from);
  }
  if (std::rename(part.c_str(), to.c_str()) != 0) {
    throw Error(ErrorCode::io, "cannot rename " + part);
  }
}

void serve(int argc, char** argv) {
  EngineOptions options;
  options.model = argv[1];
  options.threads = std::stoi(argv[2]);
  options.context = static_cast<std::size_t>(std::stoi(argv[3]));
  options.max_leaves = static_cast<std::size_t>(std::stoi(argv[4]));
  Peer peer(options, {argv + 5, argv + argc});
  fmt::print("{}\n", to_json(peer.about(), -1));
  std::fflush(stdout);
  for (std::string line; std::getline(std::cin, line);) {
    fmt::print("{}\n", to_json(peer.answer(parse_json(line)), -1));
    std::fflush(stdout);
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const std::string first = argc > 1 ? argv[1] : "";
    if (first == "--requantise" && argc == 4) {
      requantise(argv[2], argv[3]);
    } else if (argc >= 5) {
      serve(argc, argv);
    } else {
      throw Error(ErrorCode::usage, "llm_peer MODEL THREADS CONTEXT LEAVES [COMMAND...]");
    }
    return 0;
  } catch (const std::exception& e) {
    fmt::print(stderr, "llm_peer: {}\n", e.what());
    return 1;
  }
}

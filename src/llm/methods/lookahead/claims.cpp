// The claim of lookahead, and what `sosia reproduce lookahead` runs. The rule is written before the
// run.
//
// The paper's speed is that of its GPUs; what carries over to any device is how many tokens a step
// emits. The default model answers greedily once; every arm then drafts for the same answers.

#include "llm/methods/lookahead/arms.hpp"
#include "llm/methods/lookahead/prompts.hpp"
#include "sosia/core/claim.hpp"
#include "sosia/core/registry.hpp"
#include "sosia/llm/engine.hpp"

#include <cmath>
#include <cstdlib>
#include <filesystem>

namespace sosia::llm::lookahead {
namespace fs = std::filesystem;

namespace {

constexpr double kMargin = 1.05;
constexpr const char* kRule =
    "shown: for every seed the tokens per step of lookahead are at least 1.05 times those of a "
    "single "
    "branch, of the request's own text alone and of the shuffled memory; tied with control: their "
    "mean is less than 1.05 times the shuffled memory's; otherwise not shown here";

fs::path data_folder(const ClaimOptions& claim) {
  if (!claim.data.empty()) return claim.data;
  const char* root = std::getenv("SOSIA_DATA");
  if (root == nullptr) return {};
  const fs::path folder = fs::path(root) / "llm-prompts";
  std::error_code error;
  return fs::is_directory(folder, error) ? folder : fs::path();
}

std::vector<Recording> answer(Engine& engine, const std::vector<std::string>& prompts,
                              std::size_t tokens, RunContext& run, std::uint64_t& done,
                              std::uint64_t total) {
  std::vector<Recording> recordings;
  for (const std::string& prompt : prompts) {
    run.progress("answers", done++, total);
    const ChatMessage message{"user", prompt};
    Recording r;
    r.prompt = engine.tokenize(engine.apply_chat(std::span(&message, 1)), true);
    GenerateOptions g;
    g.max_tokens = tokens;
    r.output = engine.generate(r.prompt, g, nullptr).tokens;
    recordings.push_back(std::move(r));
  }
  return recordings;
}

ClaimRow make_row(std::string arm, ArmRole role, const std::vector<Arms>& all,
                  double Arms::* member, const std::vector<std::uint64_t>& seeds) {
  double mean = 0, square = 0;
  const auto n = static_cast<double>(all.size());
  for (const Arms& a : all) mean += a.*member / n;
  for (const Arms& a : all) square += (a.*member - mean) * (a.*member - mean);
  return {.arm = std::move(arm),
          .role = role,
          .metrics = {{"tokens_per_step", mean}},
          .spreads = {{"tokens_per_step", all.size() > 1 ? std::sqrt(square / (n - 1)) : 0}},
          .seeds = seeds};
}

ClaimVerdict judge(const std::vector<Arms>& all) {
  bool shown = true;
  double own = 0, control = 0;
  for (const Arms& a : all) {
    shown = shown && a.lookahead >= kMargin * a.single_branch &&
            a.lookahead >= kMargin * a.prompt_only && a.lookahead >= kMargin * a.shuffled;
    own += a.lookahead;
    control += a.shuffled;
  }
  if (shown) return ClaimVerdict::shown;
  return own < kMargin * control ? ClaimVerdict::tied_with_control : ClaimVerdict::not_shown_here;
}

ClaimResult run_claim(const ClaimOptions& claim, RunContext& run) {
  const fs::path data = data_folder(claim);
  const std::size_t warm = claim.quick ? 4 : 24, test = claim.quick ? 2 : 8,
                    tokens = claim.quick ? 32 : 96;
  require_engine();
  EngineOptions options;
  options.model = find_model("");
  options.threads = run.threads();
  options.context = 2048;
  const auto engine = open_engine(options);
  std::vector<Arms> all;
  std::vector<std::uint64_t> seeds;
  std::string described;
  std::uint64_t done = 0;
  const auto total = static_cast<std::uint64_t>(claim.seeds) * (warm + test);
  for (std::int64_t i = 0; i < claim.seeds; ++i) {
    const std::uint64_t seed = derive_seed(run.seed(), "lookahead", static_cast<std::uint64_t>(i));
    const Prompts prompts = draw_prompts(data, warm, test, seed);
    described = prompts.described;
    Answers answers;
    answers.warm = answer(*engine, prompts.warm, tokens, run, done, total);
    answers.test = answer(*engine, prompts.test, tokens, run, done, total);
    all.push_back(measure_arms(answers, RandomStream(seed, "shuffle")));
    seeds.push_back(seed);
  }
  return {
      .rows = {make_row("lookahead", ArmRole::method, all, &Arms::lookahead, seeds),
               make_row("the same with the paper's trie", ArmRole::method, all, &Arms::trie, seeds),
               make_row("single branch", ArmRole::ablation, all, &Arms::single_branch, seeds),
               make_row("own text only", ArmRole::ablation, all, &Arms::prompt_only, seeds),
               make_row("shuffled memory", ArmRole::control, all, &Arms::shuffled, seeds),
               make_row("drafts that are always right", ArmRole::oracle, all, &Arms::oracle,
                        seeds)},
      .verdict = judge(all),
      .data_used = described + ", answered by " + engine->info().name};
}

}  // namespace

void register_method(Registry& registry) {
  registry.add(Claim{.method = "lookahead",
                     .room = "llm",
                     .title = "drafts of several branches from prompts and earlier outputs make a "
                              "step emit more tokens than a single branch or the prompt alone",
                     .rule = kRule,
                     .run = run_claim});
}

}  // namespace sosia::llm::lookahead

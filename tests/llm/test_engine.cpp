// The engine on a tiny random model: lossless, and clear about what it refuses.

#include "common.hpp"
#include "errors.hpp"
#include "sosia/llm/engine.hpp"
#include "support.hpp"
#include "tiny_gguf.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <map>

#include <gtest/gtest.h>
#include <unistd.h>

namespace sosia::llm {
namespace {

using test::kTinyVocabulary;
using test::random_tokens;
using test::tiny_gguf;

/// One folder with models for all tests of the program; caches of profiles go there too.
const std::filesystem::path& folder() {
  static const TemporaryFolder instance;
  static const bool once = [] {
    ::setenv("XDG_CACHE_HOME", (instance.path() / "cache").c_str(), 1);
    write_file(instance.path() / "sharp.gguf", tiny_gguf(1, 3));
    write_file(instance.path() / "soft.gguf", tiny_gguf(2, 1.2));
    write_file(instance.path() / "eight.gguf", tiny_gguf(3, 3, true));
    return true;
  }();
  (void)once;
  return instance.path();
}

EngineOptions options_for(const char* name, Tier tier = Tier::distribution) {
  EngineOptions options;
  options.model = folder() / name;
  options.context = 1024;
  options.threads = 2;
  options.tier = tier;
  return options;
}

Engine& shared(const char* name) {
  static std::map<std::string, std::unique_ptr<Engine>> engines;
  auto& engine = engines[name];
  if (!engine) engine = open_engine(options_for(name));
  return *engine;
}

/// Drafts as often and as broadly as the engine allows, whatever it costs.
Lookahead eager(std::size_t leaves = 8, std::size_t nodes = 12) {
  LookaheadOptions options;
  options.policy.adaptive = false;
  options.policy.max_leaves = leaves;
  options.policy.max_nodes = nodes;
  return Lookahead(options, StepCost::flat());
}

std::vector<Token> prompt_of(std::uint64_t seed, std::size_t count = 20) {
  auto tokens = random_tokens(count, kTinyVocabulary - 3, seed);
  for (Token& t : tokens) t += 3;
  return tokens;
}

TEST(Engine, TellsWhatItIs) {
  const ModelInfo& info = shared("sharp.gguf").info();
  EXPECT_EQ(info.name, "tiny random 1");
  EXPECT_EQ(info.vocabulary, kTinyVocabulary);
  EXPECT_TRUE(info.can_roll_back);
  EXPECT_FALSE(info.has_chat_template);
  EXPECT_FALSE(info.backend.empty());
  EXPECT_EQ(info.key.tokenizer, shared("soft.gguf").info().key.tokenizer);
  EXPECT_NE(info.key.model, shared("soft.gguf").info().key.model);
}

TEST(Engine, BatchesAgreeWithSingleTokens) {
  Engine& engine = shared("soft.gguf");
  const auto tokens = prompt_of(1, 30);
  const auto single = engine.logits(tokens, true), batch = engine.logits(tokens, false);
  ASSERT_EQ(single.size(), tokens.size() * kTinyVocabulary);
  ASSERT_EQ(batch.size(), single.size());
  double worst = 0;
  for (std::size_t i = 0; i < single.size(); ++i) {
    worst =
        std::max(worst, std::abs(static_cast<double>(single[i]) - static_cast<double>(batch[i])));
  }
  EXPECT_LT(worst, 0.02);
}

/// Plain greedy decoding by the definition: the highest logit of all tokens so far, computed anew.
std::vector<Token> by_definition(Engine& engine, std::vector<Token> tokens, std::size_t count) {
  std::vector<Token> out;
  for (std::size_t i = 0; i < count; ++i) {
    const auto logits = engine.logits(tokens, true);
    const auto last = logits.end() - static_cast<std::ptrdiff_t>(kTinyVocabulary);
    const auto token = static_cast<Token>(std::max_element(last, logits.end()) - last);
    if (token == 2) break;
    out.push_back(token);
    tokens.push_back(token);
  }
  return out;
}

TEST(Engine, PlainDecodingIsWhatTheDefinitionSays) {
  Engine& engine = shared("sharp.gguf");
  GenerateOptions g;
  g.max_tokens = 25;
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    const auto prompt = prompt_of(seed);
    EXPECT_EQ(engine.generate(prompt, g, nullptr).tokens, by_definition(engine, prompt, 25));
  }
}

/// Difference of the two highest logits after the prompt and the first `count` tokens of `text`.
double gap_after(Engine& engine, std::vector<Token> prompt, const std::vector<Token>& text,
                 std::size_t count) {
  prompt.insert(prompt.end(), text.begin(), text.begin() + static_cast<std::ptrdiff_t>(count));
  const auto all = engine.logits(prompt, true);
  std::vector<float> last(all.end() - static_cast<std::ptrdiff_t>(kTinyVocabulary), all.end());
  std::partial_sort(last.begin(), last.begin() + 2, last.end(), std::greater<>());
  return static_cast<double>(last[0]) - static_cast<double>(last[1]);
}

TEST(Engine, GreedyOutputIsTheSameWithDrafts) {
  Engine& engine = shared("sharp.gguf");
  std::size_t accepted = 0, trees = 0, ties = 0;
  for (const std::size_t leaves : {1u, 3u, 8u}) {
    Lookahead lookahead = eager(leaves);
    for (std::uint64_t seed = 0; seed < 12; ++seed) {
      GenerateOptions g;
      g.max_tokens = 120;
      g.ignore_end = true;
      const auto prompt = prompt_of(seed);
      const Generation plain = engine.generate(prompt, g, nullptr);
      const Generation drafted = engine.generate(prompt, g, &lookahead);
      if (drafted.tokens != plain.tokens) {
        // Only a near tie may fall the other way, and it must be one by the model's own figures.
        const auto at = std::mismatch(plain.tokens.begin(), plain.tokens.end(),
                                      drafted.tokens.begin(), drafted.tokens.end())
                            .first -
                        plain.tokens.begin();
        EXPECT_LT(gap_after(engine, prompt, plain.tokens, static_cast<std::size_t>(at)), 0.02)
            << "leaves " << leaves << ", seed " << seed << ", token " << at;
        ++ties;
      }
      EXPECT_EQ(drafted.accepted + drafted.steps + 1, drafted.tokens.size());
      accepted += drafted.accepted;
      for (const TracedStep& step : drafted.trace) {
        for (std::size_t i = 0; i < step.nodes.size(); ++i) {
          trees += step.nodes[i].parent != static_cast<std::int32_t>(i) - 1;
        }
      }
    }
  }
  EXPECT_LE(ties, 3u);  // observed: 1 of 36
  EXPECT_GT(accepted, 300u);
  EXPECT_GT(trees, 100u);
}

/// Statistic of a two-sample chi-square test and its degrees of freedom, rare cells put together.
std::pair<double, int> chi_square(const std::map<std::vector<Token>, int>& a,
                                  const std::map<std::vector<Token>, int>& b) {
  std::map<std::vector<Token>, std::pair<double, double>> cells;
  double na = 0, nb = 0;
  for (const auto& [k, n] : a) cells[k].first += n, na += n;
  for (const auto& [k, n] : b) cells[k].second += n, nb += n;
  std::pair<double, double> rare{0, 0};
  std::vector<std::pair<double, double>> kept;
  for (const auto& [k, cell] : cells) {
    if (cell.first + cell.second < 20) {
      rare.first += cell.first;
      rare.second += cell.second;
    } else {
      kept.push_back(cell);
    }
  }
  if (rare.first + rare.second > 0) kept.push_back(rare);
  double x = 0;
  for (const auto& [ca, cb] : kept) {
    const double total = ca + cb, ea = total * na / (na + nb), eb = total * nb / (na + nb);
    x += (ca - ea) * (ca - ea) / ea + (cb - eb) * (cb - eb) / eb;
  }
  return {x, static_cast<int>(kept.size()) - 1};
}

/// The statistic as a standard normal (Wilson and Hilferty): above 4, one in 30,000.
double z_of(std::pair<double, int> chi) {
  const double k = chi.second;
  return (std::cbrt(chi.first / k) - (1 - 2 / (9 * k))) / std::sqrt(2 / (9 * k));
}

constexpr int kDraws = 20'000;
using Counts = std::map<std::vector<Token>, int>;

/// Distribution of the 4 tokens after a prompt, every draw with a seed of its own. `lossy` gets the
/// first two of them as an acceptance would give them that takes a rejected draft one time in four.
Counts draw(Engine& engine, Lookahead* lookahead, std::uint32_t first_seed,
            std::size_t* accepted = nullptr, Counts* lossy = nullptr) {
  Counts counts;
  GenerateOptions g;
  g.max_tokens = 4;
  g.ignore_end = true;
  g.sampling.temperature = 1.2;
  const auto prompt = prompt_of(77, 8);
  RandomStream bias(first_seed, "bias");
  for (int i = 0; i < kDraws; ++i) {
    g.sampling.seed = first_seed + static_cast<std::uint32_t>(i);
    const Generation out = engine.generate(prompt, g, lookahead);
    ++counts[out.tokens];
    if (accepted != nullptr) *accepted += out.accepted;
    if (lossy == nullptr) continue;
    std::vector<Token> two(out.tokens.begin(), out.tokens.begin() + 2);
    const auto& nodes = out.trace.at(0).nodes;
    if (!nodes.empty() && bias.below(4) == 0) two[1] = nodes[0].token;
    ++(*lossy)[two];
  }
  return counts;
}

Counts first_two(const Counts& counts) {
  Counts shorter;
  for (const auto& [tokens, n] : counts) shorter[{tokens[0], tokens[1]}] += n;
  return shorter;
}

TEST(Engine, SampledDistributionIsTheModels) {
  EngineOptions options = options_for("sharp.gguf");
  options.threads = 1;
  options.context = 64;
  const auto engine = open_engine(options);
  const Counts plain = draw(*engine, nullptr, 1);
  Lookahead lookahead = eager(6, 10);
  std::size_t accepted = 0;
  Counts lossy;
  const Counts drafted = draw(*engine, &lookahead, 100'000, &accepted, &lossy);
  // Drafts were at work.
  EXPECT_GT(accepted, static_cast<std::size_t>(kDraws) / 4);
  const double four = z_of(chi_square(plain, drafted)),
               two = z_of(chi_square(first_two(plain), first_two(drafted))),
               control = z_of(chi_square(first_two(plain), lossy));
  EXPECT_LT(four, 4);
  EXPECT_LT(two, 4);
  // The control must be seen (observed: 12.4; of the drafts: 0.1 and -0.6).
  EXPECT_GT(control, 4);
}

TEST(Engine, TheSameSeedGivesTheSameText) {
  Engine& engine = shared("soft.gguf");
  Lookahead lookahead = eager(1, 6);
  std::size_t equal = 0;
  for (std::uint32_t seed = 0; seed < 20; ++seed) {
    GenerateOptions g;
    g.max_tokens = 30;
    g.sampling.temperature = 0.7;
    g.sampling.top_k = 20;
    g.sampling.repeat_penalty = 1.2;
    g.sampling.seed = seed;
    const auto prompt = prompt_of(3);
    equal +=
        engine.generate(prompt, g, nullptr).tokens == engine.generate(prompt, g, &lookahead).tokens;
  }
  EXPECT_GE(equal, 19u);  // random numbers are drawn for emitted tokens only; observed: 20
}

TEST(Engine, PenaltiesAdvanceWithEmittedTokensOnly) {
  // In the exact tier nothing but a wrong state of the penalties could make a difference.
  const auto engine = open_engine(options_for("eight.gguf", Tier::exact));
  Lookahead lookahead = eager(1);
  GenerateOptions g;
  g.max_tokens = 60;
  g.ignore_end = true;
  g.sampling.frequency_penalty = 0.5;
  g.sampling.presence_penalty = 0.3;
  g.sampling.logit_bias = {{5, 1.5}, {7, -2}};
  std::size_t accepted = 0;
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    const auto prompt = prompt_of(seed);
    const Generation drafted = engine->generate(prompt, g, &lookahead);
    EXPECT_EQ(drafted.tokens, engine->generate(prompt, g, nullptr).tokens);
    accepted += drafted.accepted;
  }
  EXPECT_GT(accepted, 10u);
}

TEST(Engine, AGrammarHoldsWithDrafts) {
  Engine& engine = shared("sharp.gguf");
  Lookahead lookahead = eager();
  GenerateOptions g;
  g.max_tokens = 60;
  g.sampling.grammar = "root ::= (\"ab\" | \"ba\"){3,9} \".\"";
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    const auto prompt = prompt_of(seed);
    const Generation drafted = engine.generate(prompt, g, &lookahead);
    EXPECT_EQ(drafted.tokens, engine.generate(prompt, g, nullptr).tokens);
    // Asking the grammar about one token gives what asking about all gives; a penalty that changes
    // nothing makes it ask about all.
    GenerateOptions all = g;
    all.sampling.frequency_penalty = 1e-12;
    EXPECT_EQ(drafted.tokens, engine.generate(prompt, all, nullptr).tokens);
    EXPECT_EQ(drafted.finish, Finish::end_of_text);
    ASSERT_GE(drafted.text.size(), 7u);
    EXPECT_EQ(drafted.text.back(), '.');
    EXPECT_EQ(drafted.text.find_first_not_of("ab."), std::string::npos) << drafted.text;
  }
  g.sampling.grammar = "root ::= broken(";
  expect_refused([&] { engine.generate(prompt_of(1), g, nullptr); }, "grammar");
  // Nothing in the vocabulary satisfies it.
  g.sampling.grammar = "root ::= \"\xe2\x82\xac\"";
  expect_refused([&] { engine.generate(prompt_of(1), g, nullptr); }, "allows no token",
                 ErrorCode::corrupt_data);
}

TEST(Engine, TheExactTierGivesTheBitsOfSingleSteps) {
  const auto engine = open_engine(options_for("eight.gguf", Tier::exact));
  EXPECT_FALSE(engine->info().exactness.empty());
  LookaheadOptions options;
  options.policy.adaptive = false;
  options.policy.max_leaves = 1;
  Lookahead lookahead(options, StepCost::flat());
  GenerateOptions g;
  g.max_tokens = 150;
  g.ignore_end = true;
  g.sampling.temperature = 1;
  for (std::uint32_t seed = 0; seed < 10; ++seed) {
    g.sampling.seed = seed;
    const auto prompt = prompt_of(seed, 300);
    // Sampled: one different bit would soon change the text.
    const Generation plain = engine->generate(prompt, g, nullptr);
    const Generation drafted = engine->generate(prompt, g, &lookahead);
    EXPECT_EQ(plain.tokens, drafted.tokens) << seed;
  }
}

TEST(Engine, TheExactTierIsRefusedWhereItCannotBeHad) {
  // The kernels for 32-bit floats sum in another order when there are several tokens.
  try {
    const auto engine = open_engine(options_for("sharp.gguf", Tier::exact));
    EXPECT_FALSE(engine->info().exactness.empty());
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unsupported);
    EXPECT_TRUE(contains(error.render(), "same bits"));
  }
}

TEST(Engine, NearTiesAreDecidedBySingleSteps) {
  EngineOptions options = options_for("sharp.gguf", Tier::margin);
  options.margin = 1;
  const auto engine = open_engine(options);
  Lookahead lookahead = eager(4, 8);
  std::size_t accepted = 0;
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    GenerateOptions g;
    g.max_tokens = 80;
    g.ignore_end = true;
    const auto prompt = prompt_of(seed);
    const Generation plain = engine->generate(prompt, g, nullptr);
    const Generation drafted = engine->generate(prompt, g, &lookahead);
    EXPECT_EQ(plain.tokens, drafted.tokens);
    accepted += drafted.accepted;
  }
  EXPECT_GT(accepted, 20u);
}

TEST(Engine, LimitsAreKept) {
  Engine& engine = shared("sharp.gguf");
  Lookahead lookahead = eager();
  GenerateOptions g;
  g.ignore_end = true;
  const auto prompt = prompt_of(5, 1000);
  g.max_tokens = 500;
  for (Lookahead* drafts : {static_cast<Lookahead*>(nullptr), &lookahead}) {
    const Generation full = engine.generate(prompt, g, drafts);
    EXPECT_EQ(full.finish, Finish::context_full);
    EXPECT_EQ(full.tokens.size(), 1024u - 1000u + 1u);
  }
  g.max_tokens = 7;
  const Generation seven = engine.generate(prompt_of(5), g, &lookahead);
  EXPECT_EQ(seven.tokens.size(), 7u);
  EXPECT_EQ(seven.finish, Finish::max_tokens);
  g.max_tokens = 1;
  EXPECT_EQ(engine.generate(prompt_of(5), g, &lookahead).tokens.size(), 1u);
}

TEST(Engine, TheCommonBeginningIsNotComputedAgain) {
  Engine& engine = shared("sharp.gguf");
  Lookahead lookahead = eager();
  GenerateOptions g;
  g.max_tokens = 40;
  auto prompt = prompt_of(9, 200);
  const Generation first = engine.generate(prompt, g, &lookahead);
  prompt.insert(prompt.end(), first.tokens.begin(), first.tokens.end());
  for (const Token t : prompt_of(10, 5)) prompt.push_back(t);
  const Generation cached = engine.generate(prompt, g, &lookahead);
  EXPECT_GE(cached.cached_tokens, 200u);
  g.use_cache = false;
  const Generation anew = engine.generate(prompt, g, nullptr);
  EXPECT_EQ(anew.cached_tokens, 0u);
  EXPECT_EQ(cached.tokens, anew.tokens);
}

TEST(Engine, StopStringsEndTheText) {
  Engine& engine = shared("soft.gguf");
  GenerateOptions g;
  g.max_tokens = 200;
  g.ignore_end = true;
  const Generation whole = engine.generate(prompt_of(4), g, nullptr);
  ASSERT_GT(whole.text.size(), 40u);
  g.stop = {whole.text.substr(20, 4)};
  std::string streamed;
  g.on_text = [&](std::string_view text) { streamed += text; };
  Lookahead lookahead = eager();
  lookahead.learn(whole.tokens);
  for (Lookahead* drafts : {static_cast<Lookahead*>(nullptr), &lookahead}) {
    streamed.clear();
    const Generation stopped = engine.generate(prompt_of(4), g, drafts);
    EXPECT_EQ(stopped.finish, Finish::stop_string);
    EXPECT_EQ(stopped.text, whole.text.substr(0, whole.text.find(g.stop[0])));
    EXPECT_EQ(streamed, stopped.text);
  }
}

TEST(Engine, ACancelledRequestKeepsWhatThereIs) {
  Engine& engine = shared("soft.gguf");
  GenerateOptions g;
  g.max_tokens = 60;
  g.ignore_end = true;
  g.use_cache = false;
  const auto prompt = prompt_of(4, 600);  // more than one batch
  const Generation whole = engine.generate(prompt, g, nullptr);
  std::string streamed;
  g.on_text = [&](std::string_view text) { streamed += text; };
  int asked = 0;
  g.is_cancelled = [&] { return ++asked > 12; };
  const Generation part = engine.generate(prompt, g, nullptr);
  EXPECT_EQ(part.finish, Finish::cancelled);
  EXPECT_EQ(part.tokens.size(), 11u);  // two batches of the prompt, ten steps
  EXPECT_TRUE(std::equal(part.tokens.begin(), part.tokens.end(), whole.tokens.begin()));
  EXPECT_EQ(streamed, part.text);
  asked = 11;  // in the prompt
  EXPECT_TRUE(engine.generate(prompt, g, nullptr).tokens.empty());
  g.is_cancelled = {};
  EXPECT_EQ(engine.generate(prompt, g, nullptr).tokens, whole.tokens);
}

TEST(Engine, RefusesBadInput) {
  Engine& engine = shared("sharp.gguf");
  GenerateOptions g;
  expect_refused([&] { engine.generate({}, g, nullptr); }, "empty");
  expect_refused([&] { engine.generate(prompt_of(1, 1024), g, nullptr); }, "1024 cells");
  expect_refused([&] { engine.generate(std::vector<Token>{64}, g, nullptr); }, "token 64");
  expect_refused([&] { engine.generate(std::vector<Token>{-1}, g, nullptr); }, "token -1");
  g.sampling.temperature = -1;
  expect_refused([&] { engine.generate(prompt_of(1), g, nullptr); }, "temperature");
  g.sampling.temperature = std::nan("");
  expect_refused([&] { engine.generate(prompt_of(1), g, nullptr); }, "temperature");
  g.sampling = {};
  g.sampling.top_p = 0;
  expect_refused([&] { engine.generate(prompt_of(1), g, nullptr); }, "top_p");
  expect_refused([&] { engine.logits(prompt_of(1, 100), false); }, "at most 65");
  expect_refused([&] { engine.tokenize("a\xff", false); }, "UTF-8");
  expect_refused([&] { engine.apply_chat({}); }, "chat template", ErrorCode::unsupported);
}

TEST(Engine, RefusesBadFiles) {
  EngineOptions options = options_for("absent.gguf");
  expect_refused([&] { open_engine(options); }, "absent.gguf", ErrorCode::not_found);
  options.model = folder() / "text.gguf";
  write_file(options.model, std::string_view("just a text\n"));
  expect_refused([&] { open_engine(options); }, "no GGUF", ErrorCode::corrupt_data);
  const std::string whole = tiny_gguf(1);
  for (const std::size_t size :
       {std::size_t{4}, std::size_t{30}, std::size_t{2000}, whole.size() / 2, whole.size() - 1}) {
    options.model = folder() / ("cut-" + std::to_string(size) + ".gguf");
    write_file(options.model, std::string_view(whole).substr(0, size));
    expect_refused([&] { open_engine(options); }, "cannot load", ErrorCode::corrupt_data);
  }
}

TEST(Engine, KernelsThatCannotBeLoadedAreNoVariant) {
  const TemporaryFolder broken;
  write_file(broken.path() / "libggml-cpu-x64.so", std::string_view("no library"));
  EngineOptions options = options_for("sharp.gguf");
  options.backends = broken.path();
  expect_refused([&] { open_engine(options); }, "make setup", ErrorCode::missing_feature);
}

TEST(Engine, MeasuresSteps) {
  Engine& engine = shared("sharp.gguf");
  const auto curves = engine.measure(2, {});
  ASSERT_EQ(curves.size(), 2u);
  EXPECT_EQ(curves[0].points.size(), kShapes.size());
  EXPECT_EQ(curves[1].points.back().first, 32u);
  EXPECT_NO_THROW(StepCost{curves});
  const EngineOptions options = options_for("sharp.gguf");
  int measured = 0;
  const auto count = [&](std::size_t, std::size_t) { ++measured; };
  load_profile(engine, options, true, count);
  EXPECT_GT(measured, 0);
  measured = 0;
  load_profile(engine, options, false, count);
  EXPECT_EQ(measured, 0);
}

TEST(Engine, MemoriesBelongToAModel) {
  const auto path = folder() / "engine.memory";
  Engine& engine = shared("sharp.gguf");
  Memory::open_for(path, engine.info().key, {.access = MemoryAccess::write});
  expect_refused([&] { Memory::open_for(path, shared("soft.gguf").info().key); }, "belongs",
                 ErrorCode::conflict);
}

}  // namespace
}  // namespace sosia::llm

int main(int argc, char** argv) {
  // OpenMP is loaded with this program and has read its environment by now; see engine.hpp.
  if (std::getenv("OMP_WAIT_POLICY") == nullptr) {
    ::setenv("OMP_WAIT_POLICY", "passive", 1);
    ::execv("/proc/self/exe", argv);
  }
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}

#include "llm/engine/self_test.hpp"

#include "sosia/core/files.hpp"
#include "sosia/core/hash.hpp"
#include "sosia/core/rng.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <limits>

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sosia::llm {
namespace fs = std::filesystem;

namespace {

/// Kernels for batches and for single tokens round differently; broken ones are far beyond this.
constexpr double kMostDifference = 0.1;

std::vector<Token> random_tokens(std::size_t count, std::size_t vocabulary) {
  RandomStream random(1, "self-test");
  std::vector<Token> tokens(count);
  for (Token& t : tokens) t = static_cast<Token>(random.below(vocabulary));
  return tokens;
}

/// `tokens` behind the first as a draft without branches.
Draft chain_of(std::span<const Token> tokens) {
  Draft chain;
  for (std::size_t i = 1; i < tokens.size(); ++i) {
    Candidate c;
    c.token = tokens[i];
    c.parent = static_cast<std::int32_t>(i) - 2;
    c.depth = static_cast<std::uint16_t>(i);
    chain.nodes.push_back(c);
  }
  return chain;
}

std::vector<std::int32_t> whole_path(std::size_t nodes) {
  std::vector<std::int32_t> path(nodes);
  for (std::size_t i = 0; i < nodes; ++i) path[i] = static_cast<std::int32_t>(i);
  return path;
}

SequenceOptions sequence_options(const EngineOptions& o, const LoadedModel& model) {
  SequenceOptions options;
  const std::size_t trained = std::max<std::size_t>(model.info().trained_context, 1);
  options.cells = o.context > 0 ? o.context : std::min<std::size_t>(trained, 4096);
  options.threads = std::max(o.threads, 1);
  options.max_leaves = o.tier == Tier::exact ? 1 : o.max_leaves;
  return options;
}

fs::path backend_folder(const EngineOptions& o) {
  if (!o.backends.empty()) return o.backends;
  return SOSIA_LLAMA_BACKENDS;
}

Opened open_on(const EngineOptions& o, const fs::path& variant) {
  use_variant(variant);
  Opened opened;
  opened.model = std::make_unique<LoadedModel>(o.model);
  opened.sequence = std::make_unique<Sequence>(*opened.model, sequence_options(o, *opened.model));
  opened.sequence->probe();
  opened.model->info().can_roll_back = opened.sequence->can_roll_back();
  opened.model->info().backend = variant_in_use();
  return opened;
}

/// Runs the test in a process of its own, because kernels that are broken may end theirs.
bool passes_apart(const EngineOptions& o, const fs::path& variant) {
  const pid_t child = ::fork();
  if (child < 0) return true;
  if (child == 0) {
    int status = 1;
    try {
      EngineOptions small = o;
      small.context = 256;
      Opened opened = open_on(small, variant);
      const double d = batch_difference(*opened.sequence, opened.model->vocabulary());
      status = d <= kMostDifference ? 0 : 1;
    } catch (const Error& error) {
      // The file is at fault, not the kernels: the parent says so.
      status = error.code() == ErrorCode::device ? 1 : 0;
    } catch (...) {
    }
    ::_exit(status);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/// A file whose presence says that the variant has passed with this model.
fs::path verdict_file(const EngineOptions& o, const fs::path& variant) {
  const fs::path folder = user_folder("XDG_CACHE_HOME", ".cache");
  if (folder.empty()) return {};
  std::string key = variant.string() + o.model.string() + llama_version();
  for (const fs::path& file : {variant, o.model}) {
    std::error_code error;
    key += fmt::format(" {} {}", fs::file_size(file, error),
                       fs::last_write_time(file, error).time_since_epoch().count());
  }
  return folder / "sosia" / "llm" / ("passed-" + sha256_hex(key).substr(0, 32));
}

bool passes(const EngineOptions& o, const fs::path& variant) {
  if (!o.self_test || !variant_in_use().empty()) return true;
  const fs::path verdict = verdict_file(o, variant);
  std::error_code error;
  if (!verdict.empty() && fs::exists(verdict, error)) return true;
  if (!passes_apart(o, variant)) return false;
  if (!verdict.empty()) {
    try {
      fs::create_directories(verdict.parent_path());
      write_file(verdict, std::string_view("passed\n"), Overwrite::replace);
    } catch (const std::exception&) {
      // No place to note it: the next run tests again.
    }
  }
  return true;
}

/// Looks for a configuration in which all steps agree.
void make_exact(const EngineOptions& o, Opened& opened) {
  struct Try {
    ggml_type type;
    int threads;
    const char* what;
  };
  const int threads = std::max(o.threads, 1);
  std::vector<Try> tries{{GGML_TYPE_BF16, threads, "bfloat16 cache"},
                         {GGML_TYPE_Q8_0, threads, "8-bit cache"},
                         {GGML_TYPE_F16, threads, "16-bit cache"}};
  if (threads > 1) {
    tries.push_back({GGML_TYPE_F16, 1, "16-bit cache, one thread"});
    tries.push_back({GGML_TYPE_Q8_0, 1, "8-bit cache, one thread"});
  }
  for (const Try& t : tries) {
    SequenceOptions options = sequence_options(o, *opened.model);
    options.cache_type = t.type;
    options.threads = t.threads;
    opened.sequence.reset();
    try {
      opened.sequence = std::make_unique<Sequence>(*opened.model, options);
    } catch (const Error&) {
      continue;  // a cache type that the model's heads do not fit
    }
    opened.sequence->probe();
    if (!opened.sequence->can_roll_back() ||
        steps_agree(*opened.sequence, opened.model->vocabulary())) {
      opened.model->info().exactness = t.what;
      return;
    }
  }
  throw Error(ErrorCode::unsupported,
              "no configuration of this model decodes batches and single tokens to the same bits",
              "leave --exact out: the distribution is the model's all the same");
}

}  // namespace

Opened open_tested(const EngineOptions& options) {
  const auto variants = cpu_variants(backend_folder(options));
  std::string refused;
  for (const fs::path& variant : variants) {
    // A process keeps the variant that it began with.
    if (!variant_in_use().empty() && variant.stem().string() != "libggml-cpu-" + variant_in_use()) {
      continue;
    }
    if (!passes(options, variant)) {
      refused += " " + variant.stem().string();
      continue;
    }
    Opened opened = open_on(options, variant);
    if (options.tier == Tier::exact) make_exact(options, opened);
    return opened;
  }
  throw Error(ErrorCode::device, "no variant of the CPU kernels passes the self-test:" + refused,
              "`make setup` builds libllama with flags that avoid a known fault of the compiler");
}

double batch_difference(Sequence& sequence, std::size_t vocabulary) {
  constexpr std::size_t kTokens = 16;
  const auto tokens = random_tokens(kTokens, vocabulary);
  std::vector<float> single;
  sequence.clear();
  for (const Token token : tokens) {
    sequence.decode(token, {});
    sequence.keep({});
    single.insert(single.end(), sequence.logits(0), sequence.logits(0) + vocabulary);
  }
  sequence.clear();
  sequence.decode(tokens[0], chain_of(tokens));
  double worst = 0;
  for (std::size_t i = 0; i < kTokens; ++i) {
    const float* a = single.data() + i * vocabulary;
    const float* b = sequence.logits(i);
    const auto [low, high] = std::minmax_element(a, a + vocabulary);
    const double range = std::max(1e-6, static_cast<double>(*high) - static_cast<double>(*low));
    for (std::size_t k = 0; k < vocabulary; ++k) {
      const double d = std::abs(static_cast<double>(a[k]) - static_cast<double>(b[k])) / range;
      if (!std::isfinite(d)) return std::numeric_limits<double>::infinity();
      worst = std::max(worst, d);
    }
  }
  sequence.keep({});
  sequence.clear();
  return worst;
}

bool steps_agree(Sequence& sequence, std::size_t vocabulary) {
  // Long contexts take another path through attention.
  const std::size_t most = kShapes.back() + 1,
                    before = std::min<std::size_t>(700, sequence.cells() - most - 1);
  const auto tokens = random_tokens(before + most, vocabulary);
  const std::span rest = std::span(tokens).subspan(before);
  sequence.clear();
  sequence.prefill(std::span(tokens).first(before), {});
  std::vector<float> single;
  for (const Token token : rest) {
    sequence.decode(token, {});
    sequence.keep({});
    single.insert(single.end(), sequence.logits(0), sequence.logits(0) + vocabulary);
  }
  bool same = true;
  const auto agrees = [&](std::size_t row, std::size_t token) {
    return std::memcmp(sequence.logits(row), single.data() + token * vocabulary,
                       vocabulary * sizeof(float)) == 0;
  };
  for (const std::size_t n : kShapes) {
    if (!same) break;
    sequence.truncate(before);
    sequence.decode(rest[0], chain_of(rest.first(n)));
    for (std::size_t i = 0; i < n && same; ++i) same = agrees(i, i);
    sequence.keep(whole_path(n - 1));
    // The cells that the batch has left give the same as those of single steps.
    if (same) {
      sequence.decode(rest[n], {});
      same = agrees(0, n);
      sequence.keep({});
    }
  }
  sequence.clear();
  return same;
}

std::vector<CostCurve> measure_steps(
    Sequence& sequence, std::size_t vocabulary, int rounds,
    const std::function<void(std::size_t, std::size_t)>& on_progress) {
  using Clock = std::chrono::steady_clock;
  constexpr std::array<std::size_t, 2> kContexts{64, 512};
  // Large steps take long and their times vary less: one round of them is enough.
  constexpr std::size_t kOnceFrom = 24;
  std::vector<CostCurve> curves;
  std::size_t fitting = 0, done = 0;
  for (const std::size_t context : kContexts) {
    fitting += context + kShapes.back() < sequence.cells();
  }
  const std::size_t total = std::max<std::size_t>(fitting, 1) * static_cast<std::size_t>(rounds);
  for (const std::size_t context : kContexts) {
    const bool fits = context + kShapes.back() < sequence.cells();
    if (!fits && !curves.empty()) break;
    const std::size_t length = fits ? context : 1;
    const auto tokens = random_tokens(length + kShapes.back(), vocabulary);
    const std::span rest = std::span(tokens).subspan(length);
    sequence.clear();
    sequence.prefill(std::span(tokens).first(length), {});
    CostCurve curve{length, {}};
    for (const std::size_t n : kShapes) {
      // Behind a long context the largest steps follow from the slope.
      if (length + n < sequence.cells() && (curves.empty() || n <= 32)) {
        curve.points.emplace_back(n, std::numeric_limits<double>::infinity());
      }
    }
    // The first round prepares graphs. The least of the others is what the machine can do; others
    // that use it only ever add.
    for (int round = 0; round <= rounds; ++round) {
      for (auto& [n, best] : curve.points) {
        if (n >= kOnceFrom && round != rounds) continue;
        const Draft chain = chain_of(rest.first(n));
        const auto start = Clock::now();
        sequence.decode(rest[0], chain);
        (void)sequence.logits(0);
        sequence.keep({});
        const double ms = std::chrono::duration<double, std::milli>(Clock::now() - start).count();
        sequence.truncate(length);
        if (round > 0) best = std::min(best, ms);
      }
      if (round > 0 && on_progress) on_progress(++done, total);
    }
    curves.push_back(std::move(curve));
  }
  sequence.clear();
  return curves;
}

}  // namespace sosia::llm

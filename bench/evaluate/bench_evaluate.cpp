// How long the figures of `sosia evaluate verification` take: curve, AUC and EER of scores in
// memory, reading the CSV file, and the bootstrap over subjects. One thread unless the name says
// otherwise. Results are checked before anything is timed.

#include "sosia/core/rng.hpp"
#include "sosia/core/run.hpp"
#include "sosia/evaluate/confidence.hpp"
#include "sosia/evaluate/roc.hpp"
#include "sosia/formats/csv.hpp"
#include "sosia/version.hpp"

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

namespace {

using namespace sosia;
using namespace sosia::evaluate;

constexpr std::uint64_t kSeed = 1;
constexpr double kSeparation = 2.0;
constexpr double kGenuineShare = 0.1;

struct Comparisons {
  std::vector<double> scores;
  std::vector<std::uint8_t> labels;
};

/// Two normal classes; `steps` scores per unit, 0 for scores that hardly ever tie.
Comparisons make_comparisons(std::size_t count, double steps) {
  RandomStream stream(kSeed, "bench comparisons");
  Comparisons list;
  for (std::size_t i = 0; i < count; ++i) {
    const bool genuine = stream.uniform() < kGenuineShare;
    const double score = stream.normal() + (genuine ? kSeparation : 0.0);
    list.scores.push_back(steps > 0.0 ? std::round(score * steps) / steps : score);
    list.labels.push_back(genuine ? 1 : 0);
  }
  return list;
}

std::string make_csv(const Comparisons& list) {
  std::string text = "score,label\n";
  for (std::size_t i = 0; i < list.scores.size(); ++i) {
    fmt::format_to(std::back_inserter(text), "{},{}\n", list.scores[i], list.labels[i]);
  }
  return text;
}

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

void bench_roc_auc_eer(benchmark::State& state, double steps) {
  const Comparisons list = make_comparisons(static_cast<std::size_t>(state.range(0)), steps);
  for (auto _ : state) {
    const Roc roc(split_scores(list.scores, list.labels));
    benchmark::DoNotOptimize(roc.auc());
    benchmark::DoNotOptimize(roc.eer());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

void bench_csv(benchmark::State& state) {
  const std::string text =
      make_csv(make_comparisons(static_cast<std::size_t>(state.range(0)), 0.0));
  for (auto _ : state) {
    formats::CsvReader reader(bytes_of(text), "bench.csv");
    double sum = 0.0;
    while (reader.next()) sum += reader.boolean(1) ? reader.real(0) : 0.0;
    benchmark::DoNotOptimize(sum);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
  state.SetItemsProcessed(state.iterations() * state.range(0));
}

struct SubjectComparisons : Comparisons {
  std::vector<SubjectPair> pairs;
};

/// Ten genuine comparisons a subject, every pair of subjects once.
SubjectComparisons make_subjects(std::uint32_t subjects) {
  RandomStream stream(kSeed, "bench subjects");
  SubjectComparisons list;
  const auto add = [&](double mean, std::uint32_t a, std::uint32_t b) {
    list.scores.push_back(stream.normal() + mean);
    list.labels.push_back(a == b ? 1 : 0);
    list.pairs.push_back({a, b});
  };
  for (std::uint32_t a = 0; a < subjects; ++a) {
    for (int i = 0; i < 10; ++i) add(kSeparation, a, a);
    for (std::uint32_t b = 0; b < a; ++b) add(0.0, a, b);
  }
  return list;
}

VerificationIntervals bootstrap(const SubjectComparisons& list, std::size_t replicates,
                                int threads) {
  RunContext run({.seed = kSeed, .threads = threads});
  const std::vector<double> targets{0.1, 0.01, 0.001};
  return bootstrap_verification(list.scores, list.labels, list.pairs, {targets},
                                {.replicates = replicates}, run);
}

void bench_bootstrap(benchmark::State& state) {
  constexpr std::size_t kReplicates = 100;
  const SubjectComparisons list = make_subjects(static_cast<std::uint32_t>(state.range(0)));
  for (auto _ : state) {
    benchmark::DoNotOptimize(bootstrap(list, kReplicates, static_cast<int>(state.range(1))));
  }
  state.counters["comparisons"] = static_cast<double>(list.scores.size());
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kReplicates) *
                          static_cast<std::int64_t>(list.scores.size()));
}

[[noreturn]] void fail(const std::string& what) {
  fmt::print(stderr, "wrong result, nothing was timed: {}\n", what);
  std::exit(1);
}

void check_near(const std::string& what, double found, double wanted, double tolerance) {
  if (!(std::abs(found - wanted) <= tolerance)) {
    fail(fmt::format("{}: {} instead of {}", what, found, wanted));
  }
}

/// P(genuine > impostor) + P(tie) / 2 by comparing every pair.
double naive_auc(const ScoreSet& set) {
  double wins = 0.0;
  for (double g : set.genuine) {
    for (double i : set.impostor) wins += g > i ? 1.0 : g == i ? 0.5 : 0.0;
  }
  return wins / static_cast<double>(set.genuine.size()) / static_cast<double>(set.impostor.size());
}

void check_results() {
  for (double steps : {0.0, 10.0}) {
    const Comparisons small = make_comparisons(5000, steps);
    const ScoreSet set = split_scores(small.scores, small.labels);
    check_near("AUC of 5000 scores", Roc(set).auc(), naive_auc(set), 1e-12);
  }
  const Comparisons large = make_comparisons(1'000'000, 0.0);
  const Roc roc(split_scores(large.scores, large.labels));
  // Four standard errors at 100 000 genuine scores.
  check_near("AUC against the closed form", roc.auc(), normal_cdf(kSeparation / std::sqrt(2.0)),
             0.002);
  check_near("EER against the closed form", roc.eer().rate, normal_cdf(-kSeparation / 2.0), 0.004);

  const Comparisons list = make_comparisons(1000, 0.0);
  const std::string text = make_csv(list);
  formats::CsvReader reader(bytes_of(text), "bench.csv");
  std::size_t row = 0;
  for (; reader.next(); ++row) {
    if (reader.real(0) != list.scores[row] || reader.boolean(1) != (list.labels[row] == 1)) {
      fail(fmt::format("row {} of the CSV reads back as another value", row));
    }
  }
  if (row != list.scores.size()) fail("rows of the CSV are missing");

  const auto one = bootstrap(make_subjects(50), 50, 1), two = bootstrap(make_subjects(50), 50, 2);
  if (one.auc.low != two.auc.low || one.auc.high != two.auc.high) {
    fail("the bootstrap depends on the number of threads");
  }
  if (!(one.auc.low < one.auc.high)) fail("the bootstrap interval is empty");
}

void register_benches() {
  using benchmark::RegisterBenchmark;
  for (const auto& [name, steps] :
       {std::pair<const char*, double>{"distinct", 0.0}, {"rounded", 1000.0}}) {
    RegisterBenchmark(fmt::format("roc_auc_eer/{}", name).c_str(), bench_roc_auc_eer, steps)
        ->RangeMultiplier(10)
        ->Range(100'000, 10'000'000)
        ->Unit(benchmark::kMillisecond);
  }
  RegisterBenchmark("csv_read", bench_csv)->Arg(1'000'000)->Unit(benchmark::kMillisecond);
  RegisterBenchmark("bootstrap_100", bench_bootstrap)
      ->ArgNames({"subjects", "threads"})
      ->Args({200, 1})
      ->Args({1000, 1})
      ->Args({1000, 2})
      ->UseRealTime()
      ->Unit(benchmark::kMillisecond);
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  check_results();
  benchmark::AddCustomContext("sosia", std::string(version()));
  benchmark::AddCustomContext("commit", std::string(version_commit()));
  benchmark::AddCustomContext("device", "cpu");
  benchmark::AddCustomContext("seed", std::to_string(kSeed));
  register_benches();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}

#include "sosia/core/error.hpp"
#include "sosia/core/execute.hpp"
#include "sosia/core/run.hpp"

#include <atomic>
#include <set>
#include <thread>

#include <gtest/gtest.h>

namespace sosia {
namespace {

TEST(Run, ParallelForCoversTheRangeOnceWhateverTheThreads) {
  for (const int threads : {1, 2, 5}) {
    RunContext run({.threads = threads});
    std::vector<std::atomic<int>> hits(1000);
    run.parallel_for(0, hits.size(), 7, [&](std::size_t first, std::size_t last) {
      for (std::size_t i = first; i < last; ++i) ++hits[i];
    });
    for (const auto& hit : hits) ASSERT_EQ(hit, 1);
  }
}

TEST(Run, NestedLoopsStayInsideTheThreadLimit) {
  RunContext run({.threads = 2});
  std::atomic<int> active{0}, most{0};
  run.parallel_for(0, 8, 1, [&](std::size_t, std::size_t) {
    run.parallel_for(0, 8, 1, [&](std::size_t, std::size_t) {
      const int now = ++active;
      int seen = most;
      while (now > seen && !most.compare_exchange_weak(seen, now)) {
      }
      std::this_thread::sleep_for(std::chrono::microseconds(200));
      --active;
    });
  });
  EXPECT_LE(most, 2);
}

TEST(Run, ExceptionsReachTheCaller) {
  RunContext run;
  EXPECT_THROW(
      run.parallel_for(0, 100, 1,
                       [](std::size_t, std::size_t) { throw Error(ErrorCode::corrupt_data, "x"); }),
      Error);
}

TEST(Run, CancelStopsLoopsAndProgress) {
  auto token = std::make_shared<CancelToken>();
  RunContext run({.threads = 2, .cancel = token});
  std::atomic<int> done{0};
  try {
    run.parallel_for(0, 100000, 1, [&](std::size_t, std::size_t) {
      if (++done == 10) token->cancel();
    });
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::cancelled);
  }
  EXPECT_LT(done, 1000);
  EXPECT_THROW(run.progress("x", 1, 2), Error);
}

TEST(Run, PartsOfAVerdictComeAlsoAfterACancel) {
  struct Sink final : RunSink {
    void progress(std::string_view, std::uint64_t, std::uint64_t) override {}
    void log(LogLevel, std::string_view) override {}
    void verdict_part(std::string_view part) override { text += part; }
    std::string text;
  };
  const auto sink = std::make_shared<Sink>();
  const auto cancel = std::make_shared<CancelToken>();
  RunContext run({.cancel = cancel, .sink = sink});
  run.verdict_part("one ");
  EXPECT_FALSE(run.cancelled());
  cancel->cancel();
  EXPECT_TRUE(run.cancelled());
  run.verdict_part("two");
  EXPECT_EQ(sink->text, "one two");
  RunContext().verdict_part("nobody listens");
}

TEST(Run, RandomStreamsDoNotDependOnTheRun) {
  RunContext one({.seed = 7, .threads = 1}), four({.seed = 7, .threads = 4});
  EXPECT_EQ(one.random("a", 3).next_u64(), four.random("a", 3).next_u64());
}

TEST(Run, OutputsAreWrittenAtomicallyAndNoted) {
  const TemporaryFolder folder;
  RunContext run;
  run.write_output(folder.path() / "a", "text");
  EXPECT_EQ(run.outputs().size(), 1u);
  EXPECT_THROW(run.write_output(folder.path() / "a", "other"), Error);
  RunContext forced({.overwrite = Overwrite::replace});
  forced.write_output(folder.path() / "a", "other");
  EXPECT_EQ(read_text(folder.path() / "a"), "other");
}

class CountingSink final : public RunSink {
 public:
  void progress(std::string_view, std::uint64_t, std::uint64_t) override { ++calls; }
  void log(LogLevel, std::string_view) override { ++calls; }
  int calls = 0;
};

TEST(Run, WhoFollowsWritesAndShowsNothing) {
  const TemporaryFolder folder;
  const auto file = folder.path() / "a.txt";
  auto sink = std::make_shared<CountingSink>();
  auto token = std::make_shared<CancelToken>();
  RunContext run({.cancel = token, .sink = sink});
  run.log(LogLevel::info, "before");
  EXPECT_EQ(sink->calls, 1);
  run.follow();
  run.progress("phase", 1, 2);
  run.log(LogLevel::warning, "line");
  run.write_output(file, "text");
  run.note_output(file);
  EXPECT_EQ(sink->calls, 1);
  EXPECT_FALSE(std::filesystem::exists(file));
  EXPECT_TRUE(run.outputs().empty());
  token->cancel();
  EXPECT_THROW(run.progress("phase", 2, 2), Error);
}

struct WriterOptions {
  std::string out;
  bool follow = false;
};
void describe(Fields& f, WriterOptions& o) {
  f({.name = "out", .help = "folder", .role = FieldRole::output_folder}, o.out);
  f({.name = "follow", .help = "be a later process of the run"}, o.follow);
}
Report write_something(const WriterOptions& options, RunContext& run) {
  if (options.follow) run.follow();
  run.write_output(std::filesystem::path(options.out) / "a.txt", "text");
  return Report("writer", "writer");
}

TEST(Run, OneOfSeveralProcessesWritesTheManifestAndTheReport) {
  const TemporaryFolder folder;
  Catalogue catalogue(folder.path());
  catalogue.add_builtin(make_verb<WriterOptions>(
      {.noun = "",
       .name = "writer",
       .summary = "writes",
       .details = "",
       .examples = {{"sosia writer", "one"}, {"sosia writer --follow", "two"}}},
      write_something));
  for (const bool follow : {true, false}) {
    const auto out = folder.path() / (follow ? "follower" : "first");
    const auto html = folder.path() / (follow ? "follower.html" : "first.html");
    Resolved resolved;
    resolved.verb.set("out", out.string(), "test");
    resolved.verb.set("follow", follow, "test");
    resolved.common.set("html", html.string(), "test");
    const Outcome outcome =
        execute(catalogue, *catalogue.find_verb("writer"), resolved, nullptr, nullptr);
    EXPECT_EQ(outcome.shown_elsewhere, follow);
    EXPECT_EQ(std::filesystem::exists(out / "a.txt"), !follow);
    EXPECT_EQ(std::filesystem::exists(out / "manifest.json"), !follow);
    EXPECT_EQ(std::filesystem::exists(html), !follow);
  }
}

TEST(Run, DevicesAreSpelledInThreeWays) {
  for (const char* good : {"cpu", "cuda", "cuda:0", "cuda:12"}) EXPECT_TRUE(valid_device(good));
  for (const char* bad : {"", "gpu", "CPU", "cuda:", "cuda:x", "cuda:-1", "cudas", "cuda0"}) {
    EXPECT_FALSE(valid_device(bad)) << bad;
  }
}

TEST(Run, ThreadsAreAtMostTheProcessors) {
  EXPECT_EQ(RunContext().threads(), usable_processors());
  EXPECT_EQ(RunContext({.threads = 1}).threads(), 1);
  EXPECT_EQ(RunContext({.threads = 4096}).threads(), usable_processors());
}

TEST(Run, BadConfigurationsAreRefused) {
  EXPECT_THROW(RunContext({.threads = -1}), Error);
  EXPECT_THROW(RunContext({.device = "tpu"}), Error);
}

}  // namespace
}  // namespace sosia

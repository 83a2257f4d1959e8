#include "sosia/core/error.hpp"
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

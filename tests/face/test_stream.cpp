// The ordered stream: order, bounds, errors, cancel.

#include "errors.hpp"
#include "face/ordered_stream.hpp"
#include "face/support.hpp"

#include <atomic>
#include <chrono>
#include <thread>

#include <gtest/gtest.h>

namespace sosia::face {
namespace {

TEST(OrderedStream, KeepsOrderAndStaysBounded) {
  RunContext run({.threads = 4});
  std::atomic<int> in_memory{0};
  int most = 0;
  std::vector<std::size_t> seen;
  const auto work = [&](std::size_t i) {
    ++in_memory;
    // Early ones take longest, so that later ones wait for them.
    std::this_thread::sleep_for(std::chrono::microseconds((i % 7) * 300));
    return i;
  };
  ordered_stream<std::size_t>(
      300, 4, work,
      [&](std::size_t i) {
        most = std::max(most, in_memory.load());
        --in_memory;
        seen.push_back(i);
        return true;
      },
      "test", run);
  ASSERT_EQ(seen.size(), 300u);
  for (std::size_t i = 0; i < seen.size(); ++i) EXPECT_EQ(seen[i], i);
  EXPECT_LE(most, 8);  // 2 * workers
}

TEST(OrderedStream, StopsWhenToldAndWhenWorkFails) {
  RunContext run;
  std::atomic<std::size_t> begun{0};
  const auto count = [&](std::size_t i) { return ++begun, i; };
  ordered_stream<std::size_t>(1000, 2, count, [](std::size_t i) { return i < 3; }, "test", run);
  EXPECT_LT(begun, 20u);
  const auto fails = [](std::size_t i) {
    if (i == 5) throw Error(ErrorCode::corrupt_data, "five");
    return i;
  };
  const auto all = [](std::size_t) { return true; };
  EXPECT_EQ(code_of([&] { ordered_stream<std::size_t>(100, 2, fails, all, "test", run); }),
            ErrorCode::corrupt_data);
  const auto refuses = [](std::size_t) -> bool { throw Error(ErrorCode::io, "full"); };
  EXPECT_EQ(code_of([&] { ordered_stream<std::size_t>(100, 2, count, refuses, "test", run); }),
            ErrorCode::io);
  ordered_stream<std::size_t>(0, 2, fails, refuses, "test", run);
}

TEST(OrderedStream, CancelEndsItSoon) {
  const auto token = std::make_shared<CancelToken>();
  RunContext run({.cancel = token});
  std::atomic<std::size_t> begun{0};
  const auto work = [&](std::size_t i) {
    ++begun;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return i;
  };
  EXPECT_EQ(code_of([&] {
              ordered_stream<std::size_t>(
                  100'000, 2, work,
                  [&](std::size_t i) {
                    if (i == 10) token->cancel();
                    return true;
                  },
                  "test", run);
            }),
            ErrorCode::cancelled);
  EXPECT_LT(begun, 100u);
}

}  // namespace
}  // namespace sosia::face

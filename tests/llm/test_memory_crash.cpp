// A writer that is killed at a random point: the memory opens, and nothing that it acknowledged is
// lost. The writer is this program itself, started anew with --writer.

#include "sosia/llm/memory.hpp"
#include "support.hpp"

#include <array>
#include <csignal>
#include <cstring>
#include <set>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace sosia::llm {
namespace {

#ifndef SOSIA_CRASH_ROUNDS
#define SOSIA_CRASH_ROUNDS 15
#endif

std::vector<Token> text_of(std::uint64_t seed, std::uint64_t step) {
  return test::random_tokens(1 + (seed * 31 + step * 17) % 400, 30'000, seed, step);
}

int write_forever(const std::string& path, std::uint64_t seed) {
  const auto memory = Memory::open(path, {.access = MemoryAccess::write});
  for (std::uint64_t step = 0;; ++step) {
    memory->learn(step % 2 ? "odd" : "even", text_of(seed, step));
    if (::write(STDOUT_FILENO, &step, sizeof step) < 0) return 1;
    if (step % 10 == 9) memory->compact();
  }
}

/// Starts a writer, kills it; returns how many texts it acknowledged.
std::uint64_t one_round(const std::string& path, std::uint64_t seed) {
  int ends[2];
  EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const pid_t child = ::fork();
  if (child < 0) {  // and no signal to everybody
    ADD_FAILURE() << "no process could be started";
    return 0;
  }
  if (child == 0) {
    ::dup2(ends[1], STDOUT_FILENO);
    const std::string number = std::to_string(seed);
    ::execl("/proc/self/exe", "crash", "--writer", path.c_str(), number.c_str(), nullptr);
    std::_Exit(127);
  }
  ::close(ends[1]);
  std::uint64_t step = 0, known = 0;
  // From its first acknowledgement on: how long starting takes depends on the machine.
  if (::read(ends[0], &step, sizeof step) == sizeof step) known = step + 1;
  RandomStream random(seed, "delay");
  ::usleep(static_cast<useconds_t>(random.below(60'000)));
  ::kill(child, SIGKILL);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status)) << WEXITSTATUS(status);
  while (::read(ends[0], &step, sizeof step) == sizeof step) known = step + 1;
  ::close(ends[0]);
  return known;
}

TEST(MemoryCrash, NothingAcknowledgedIsLost) {
  TemporaryFolder folder;
  const std::string path = (folder.path() / "memory").string();
  Memory::create(path, {"tokens", "model"});
  std::multiset<std::vector<Token>> expected;
  std::uint64_t acknowledged = 0;
  for (std::uint64_t seed = 1; seed <= SOSIA_CRASH_ROUNDS; ++seed) {
    const std::uint64_t known = one_round(path, seed);
    acknowledged += known;
    for (std::uint64_t step = 0; step < known; ++step) expected.insert(text_of(seed, step));
    std::multiset<std::vector<Token>> found;
    Memory::open(path)->for_each(
        [&](const MemoryText& t) { found.emplace(t.tokens.begin(), t.tokens.end()); });
    // The text that was being written may be there, whole.
    const auto next = text_of(seed, known);
    if (found.size() == expected.size() + 1) expected.insert(next);
    ASSERT_EQ(found.size(), expected.size()) << "round " << seed;
    EXPECT_TRUE(found == expected) << "round " << seed;
  }
  EXPECT_GT(acknowledged, 2u * SOSIA_CRASH_ROUNDS);
}

}  // namespace
}  // namespace sosia::llm

int main(int argc, char** argv) {
  if (argc == 4 && std::string(argv[1]) == "--writer") {
    return sosia::llm::write_forever(argv[2], std::strtoull(argv[3], nullptr, 10));
  }
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}

#include "errors.hpp"
#include "train/processes.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sys/wait.h>

namespace sosia::train {
namespace {

/// What a command said, and its exit status.
struct Ran {
  int status = -1;
  std::string said;
};

Ran two_processes(const std::string& what) {
  // Root may start processes only when it says so twice; more processes than processors may run.
  const std::string command =
      "OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMP_NUM_THREADS=1 timeout 120 "
      "'" SOSIA_MPIRUN "' --oversubscribe --bind-to none -n 2 '" SOSIA_TRAIN_PEER "' " +
      what + " 2>&1";
  Ran ran;
  std::FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return ran;
  std::array<char, 4096> text{};
  while (std::fgets(text.data(), text.size(), pipe) != nullptr) ran.said += text.data();
  const int status = ::pclose(pipe);
  ran.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return ran;
}

bool mpi_is_missing() {
  return std::string(SOSIA_MPIRUN).empty();
}

class TwoProcesses : public testing::TestWithParam<const char*> {};

TEST_P(TwoProcesses, Agree) {
  if (mpi_is_missing()) GTEST_SKIP() << "built without MPI or mpirun";
  const Ran ran = two_processes(GetParam());
  EXPECT_EQ(ran.status, 0) << ran.said;
}

INSTANTIATE_TEST_SUITE_P(All, TwoProcesses, testing::Values("sums", "broadcast", "missing", "step"),
                         [](const auto& row) { return std::string(row.param); });

TEST(Processes, WhenOneFailsTheOthersDoNotWaitForEver) {
  if (mpi_is_missing()) GTEST_SKIP() << "built without MPI or mpirun";
  const Ran ran = two_processes("abandon");
  EXPECT_NE(ran.status, 0);
  EXPECT_NE(ran.status, 124) << "timed out: " << ran.said;
}

TEST(Processes, OneByItselfChangesNothing) {
  const std::shared_ptr<Processes> one = single_process();
  EXPECT_EQ(one->rank(), 0);
  EXPECT_EQ(one->size(), 1);
  at::Tensor values = at::arange(3);
  one->sum(values);
  one->broadcast(values);
  EXPECT_TRUE(values.equal(at::arange(3)));
  EXPECT_TRUE(one->any(true));
  EXPECT_FALSE(one->any(false));
  EXPECT_FALSE(summer(*one));
}

}  // namespace
}  // namespace sosia::train

#pragma once
// Tests of kernels run once for each instruction set.

#include "gallery/matrix.hpp"

#include <cstdint>

#include <gtest/gtest.h>
#include <hwy/highway.h>

namespace sosia::gallery::test {

/// Runs `body` once for each instruction set that both this machine and this build know.
template <class Body>
void for_each_target(const Body& body) {
  const std::int64_t supported = hwy::SupportedTargets();
  int tried = 0;
  for (std::int64_t rest = supported; rest != 0; rest &= rest - 1) {
    hwy::SetSupportedTargetsForTest(rest & -rest);
    hwy::GetChosenTarget().DeInit();
    SCOPED_TRACE(kernel_target());
    body();
    ++tried;
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().DeInit();
  EXPECT_GE(tried, 1);
}

}  // namespace sosia::gallery::test

#include "sosia/core/error.hpp"

#include <filesystem>
#include <new>
#include <set>
#include <string>

#include <gtest/gtest.h>

namespace sosia {
namespace {

TEST(Error, RendersThreeLinesAndLeavesOutAbsentParts) {
  EXPECT_EQ(Error(ErrorCode::io, "cannot write \"x\"", "free some space", "row 3").render(),
            "error: cannot write \"x\"\n  in row 3\nhelp: free some space");
  EXPECT_EQ(Error(ErrorCode::io, "cannot write").render(), "error: cannot write");
}

TEST(Error, ContextGrowsOutwards) {
  Error error(ErrorCode::corrupt_data, "bad", "", "row 3");
  error.add_context("file.csv");
  EXPECT_EQ(error.context(), "file.csv: row 3");
  EXPECT_NE(std::string(error.what()).find("file.csv: row 3"), std::string::npos);
}

TEST(Error, EveryCodeHasAUniqueNameAndAKnownExitStatus) {
  std::set<std::string_view> names;
  const std::set<int> documented{1, 2, 3, 4, 70, 130};
  for (const ErrorTraits& row : kErrorTable) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_TRUE(documented.contains(row.exit_status)) << row.name;
    EXPECT_GE(row.http_status, 400);
    EXPECT_LT(row.http_status, 600);
    EXPECT_FALSE(row.python_base.empty());
  }
}

ErrorCode code_of(void (*thrower)()) {
  try {
    thrower();
  } catch (...) {
    return current_exception_as_error("testing").code();
  }
  return ErrorCode::internal;
}

TEST(Error, ForeignExceptionsGetACode) {
  EXPECT_EQ(code_of([] { throw std::bad_alloc(); }), ErrorCode::out_of_memory);
  EXPECT_EQ(code_of([] { throw std::runtime_error("x"); }), ErrorCode::internal);
  EXPECT_EQ(code_of([] { throw 3; }), ErrorCode::internal);
  EXPECT_EQ(code_of([] { throw Error(ErrorCode::conflict, "x"); }), ErrorCode::conflict);
  EXPECT_EQ(code_of([] { (void)std::filesystem::file_size("/nonexistent/file"); }),
            ErrorCode::not_found);
}

}  // namespace
}  // namespace sosia

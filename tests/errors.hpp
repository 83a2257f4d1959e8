#pragma once
// How tests look at refusals.

#include "sosia/core/error.hpp"

#include <functional>
#include <string>

#include <gtest/gtest.h>

namespace sosia {

/// The error that `action` throws; a failure of the test when it throws none.
inline Error error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error";
  return Error(ErrorCode::internal, "nothing was thrown");
}

inline ErrorCode code_of(const std::function<void()>& action) {
  return error_of(action).code();
}

/// `action` must be refused, with `part` in the message, the hint or the context.
inline void expect_refused(const std::function<void()>& action, const std::string& part,
                           ErrorCode code = ErrorCode::invalid_argument) {
  const Error error = error_of(action);
  EXPECT_EQ(error.code(), code) << error.render();
  EXPECT_NE(error.render().find(part), std::string::npos) << error.render();
}

}  // namespace sosia

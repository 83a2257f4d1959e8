// A build without libllama.

#include "sosia/core/error.hpp"
#include "sosia/llm/engine.hpp"

#include <gtest/gtest.h>

namespace {

using namespace sosia;

TEST(EngineAbsent, SaysWhatAddsIt) {
  try {
    llm::open_engine({.model = "absent.gguf"});
    FAIL() << "a build without libllama has opened a model";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::missing_feature);
    EXPECT_NE(error.hint().find("make setup"), std::string::npos);
  }
  EXPECT_THROW(llm::require_engine(), Error);
}

}  // namespace

// Instead of src/llm/engine/ in a build without libllama.

#include "sosia/core/error.hpp"
#include "sosia/llm/engine.hpp"

namespace sosia::llm {

std::unique_ptr<Engine> open_engine(const EngineOptions&) {
  throw Error(ErrorCode::missing_feature, "this build has no libllama, which language models need",
              "`make setup` builds it (SOSIA_WITH_LLAMA)");
}

}  // namespace sosia::llm

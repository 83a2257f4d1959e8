// Instead of src/llm/engine/ in a build without libllama.

#include "sosia/core/error.hpp"
#include "sosia/llm/engine.hpp"

namespace sosia::llm {

void require_engine() {
  throw Error(ErrorCode::missing_feature, "this build has no libllama, which language models need",
              "`make setup` builds it, then `make build` (SOSIA_WITH_LLAMA)");
}

std::unique_ptr<Engine> open_engine(const EngineOptions&) {
  require_engine();
  return nullptr;
}

}  // namespace sosia::llm

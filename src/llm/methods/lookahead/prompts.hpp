#pragma once
// The prompts of the claim: those that warm the memory and those that are tested, disjoint.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace sosia::llm::lookahead {

struct Prompts {
  std::vector<std::string> warm = {}, test = {};
  std::string described = {};
};

/// From `folder` (gsm8k/train-1000.jsonl warms, the math questions of spec-bench/question.jsonl are
/// tested); an empty one: small templated tasks that are drawn here. Throws not_found or
/// corrupt_data.
Prompts draw_prompts(const std::filesystem::path& folder, std::size_t warm, std::size_t test,
                     std::uint64_t seed);

}  // namespace sosia::llm::lookahead

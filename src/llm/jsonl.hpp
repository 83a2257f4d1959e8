#pragma once
// JSON lines with prompts, answers and recorded tokens.

#include "sosia/core/run.hpp"
#include "sosia/llm/draft.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace sosia::llm {

/// One line. What a file does not have stays empty.
struct JsonLine {
  std::string prompt = {}, text = {}, task = {}, tenant = {}, source = {};
  std::vector<Token> prompt_tokens = {}, tokens = {};
  std::size_t number = 0;
};

/// All lines of a file, empty ones left out. Throws corrupt_data with the line for what is no
/// object, has a member of the wrong type or a negative token; unknown members are let be.
std::vector<JsonLine> read_json_lines(const std::filesystem::path& path, RunContext& run);

}  // namespace sosia::llm

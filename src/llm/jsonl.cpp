#include "llm/jsonl.hpp"

#include "sosia/core/error.hpp"
#include "sosia/core/files.hpp"
#include "sosia/core/text.hpp"
#include "sosia/core/value.hpp"

#include <limits>

#include <fmt/format.h>

namespace sosia::llm {

namespace {

void take_text(const Value& line, std::string_view key, std::string& out) {
  if (const Value* value = line.find(key); value != nullptr && !value->is_null()) {
    out = value->as_text();
  }
}

void take_tokens(const Value& line, std::string_view key, std::vector<Token>& out) {
  const Value* value = line.find(key);
  if (value == nullptr) return;
  for (const Value& item : value->as_list()) {
    const std::int64_t token = item.as_integer();
    if (token < 0 || token > std::numeric_limits<Token>::max()) {
      throw Error(ErrorCode::corrupt_data, fmt::format("{} is no token", token));
    }
    out.push_back(static_cast<Token>(token));
  }
}

}  // namespace

std::vector<JsonLine> read_json_lines(const std::filesystem::path& path, RunContext& run) {
  run.note_input(path);
  const std::string content = read_text(path);
  std::vector<JsonLine> lines;
  std::size_t number = 0;
  for (const std::string_view text : split(content, '\n')) {
    ++number;
    if (trim(text).empty()) continue;
    run.check_cancelled();
    try {
      const Value value = parse_json(text);
      if (!value.is_object()) {
        throw Error(ErrorCode::corrupt_data, "the line is no JSON object");
      }
      JsonLine line;
      line.number = number;
      take_text(value, "prompt", line.prompt);
      take_text(value, "text", line.text);
      take_text(value, "task", line.task);
      take_text(value, "tenant", line.tenant);
      take_text(value, "source", line.source);
      take_tokens(value, "prompt_tokens", line.prompt_tokens);
      take_tokens(value, "tokens", line.tokens);
      lines.push_back(std::move(line));
    } catch (Error& error) {
      throw error.add_context(fmt::format("{}: line {}", path.string(), number));
    }
  }
  return lines;
}

}  // namespace sosia::llm

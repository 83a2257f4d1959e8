#include "evaluate/verb_parts.hpp"

#include "sosia/core/error.hpp"
#include "sosia/core/text.hpp"

#include <fmt/format.h>

namespace sosia::evaluate {

std::uint32_t Names::number(std::string_view name) {
  const auto found = numbers_.find(name);
  if (found != numbers_.end()) return found->second;
  const auto next = static_cast<std::uint32_t>(names_.size());
  names_.emplace_back(name);
  numbers_.emplace(names_.back(), next);
  return next;
}

std::optional<std::uint32_t> Names::find(std::string_view name) const {
  const auto found = numbers_.find(name);
  if (found == numbers_.end()) return std::nullopt;
  return found->second;
}

std::size_t for_each_record(formats::CsvReader& reader, RunContext& run,
                            const std::function<void()>& row) {
  std::size_t rows = 0;
  while (reader.next()) {
    row();
    if (++rows % 65536 == 0) run.progress("reading", rows);
  }
  if (rows == 0) {
    throw Error(ErrorCode::corrupt_data, "the file has a header but no rows",
                "give at least one row below the column names", reader.where());
  }
  if (reader.encoding() != formats::TextEncoding::utf8) {
    run.log(LogLevel::info, fmt::format("{} was read as {}", reader.origin(),
                                        formats::encoding_name(reader.encoding())));
  }
  return rows;
}

std::string_view name_field(const formats::CsvReader& reader, std::size_t column) {
  const std::string_view name = trim(reader[column]);
  if (name.empty()) reader.fail(column, "is empty");
  return name;
}

}  // namespace sosia::evaluate

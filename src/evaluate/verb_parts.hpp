#pragma once
// What the verbs of this room share: reading columns, names of subjects.

#include "sosia/core/error.hpp"
#include "sosia/core/fields.hpp"
#include "sosia/core/report.hpp"
#include "sosia/core/run.hpp"
#include "sosia/evaluate/confidence.hpp"
#include "sosia/evaluate/report_parts.hpp"
#include "sosia/evaluate/roc.hpp"
#include "sosia/formats/csv.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace sosia::evaluate {

/// Numbers texts from 0 in the order in which they come.
class Names {
 public:
  std::uint32_t number(std::string_view name);
  std::optional<std::uint32_t> find(std::string_view name) const;
  const std::string& name(std::uint32_t number) const { return names_[number]; }
  std::size_t size() const noexcept { return names_.size(); }

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };
  std::unordered_map<std::string, std::uint32_t, Hash, std::equal_to<>> numbers_;
  std::vector<std::string> names_;
};

/// Calls `row` for every record; cancels, reports progress, and says so when the text was not
/// plain UTF-8. Throws corrupt_data for a file without records. Returns their number.
std::size_t for_each_record(formats::CsvReader& reader, RunContext& run,
                            const std::function<void()>& row);

/// A name that must not be empty (a subject, a probe).
std::string_view name_field(const formats::CsvReader& reader, std::size_t column);

}  // namespace sosia::evaluate

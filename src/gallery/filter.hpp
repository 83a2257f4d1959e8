#pragma once
// A filter with its lists as sets.

#include "gallery/block.hpp"
#include "sosia/gallery/template.hpp"

#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_set>

namespace sosia::gallery {

/// Looks into the filter that it was made of.
class FilterSets {
 public:
  explicit FilterSets(const Filter& filter)
      : filter_(filter),
        labels_(filter.labels.begin(), filter.labels.end()),
        cameras_(filter.cameras.begin(), filter.cameras.end()) {}

  bool subject(std::string_view tenant, std::string_view label) const {
    return (!filter_.tenant || *filter_.tenant == tenant) &&
           (labels_.empty() || labels_.contains(label));
  }
  bool camera(std::string_view name) const { return cameras_.empty() || cameras_.contains(name); }
  bool time(std::optional<std::int64_t> time_ms) const {
    if (!filter_.from_ms && !filter_.to_ms) return true;
    return time_ms && (!filter_.from_ms || *time_ms >= *filter_.from_ms) &&
           (!filter_.to_ms || *time_ms < *filter_.to_ms);
  }

 private:
  const Filter& filter_;
  std::unordered_set<std::string_view> labels_, cameras_;
};

}  // namespace sosia::gallery

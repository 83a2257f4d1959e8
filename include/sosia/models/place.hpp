#pragma once
// Which folders of cards and weights a verb looks into: the same option in every room.

#include "sosia/core/fields.hpp"
#include "sosia/core/report.hpp"
#include "sosia/models/store.hpp"

#include <string>
#include <vector>

namespace sosia::models {

/// The option that names folders of cards and weights.
struct StorePlace {
  std::vector<std::string> models = {};
};
void describe_store(Fields& f, StorePlace& o);

/// Throws as the store: not_found for a folder that does not exist.
ModelStore open_store(const StorePlace& o);

/// A warning for each card that could not be read.
void warn_of_broken(Report& report, const ModelStore& store);

}  // namespace sosia::models

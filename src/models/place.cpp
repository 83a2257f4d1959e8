#include "sosia/models/place.hpp"

#include "sosia/core/text.hpp"

#include <fmt/format.h>

namespace sosia::models {

void describe_store(Fields& f, StorePlace& o) {
  f({.name = "models",
     .help = "more folders of cards and weights, searched first",
     .role = FieldRole::input_folder},
    o.models);
}

ModelStore open_store(const StorePlace& o) {
  StoreOptions options;
  options.folders.assign(o.models.begin(), o.models.end());
  return ModelStore(options);
}

void warn_of_broken(Report& report, const ModelStore& store) {
  for (const BrokenCard& card : store.broken()) {
    report.warning(fmt::format("{} is no card that can be read: {}", quote(card.path.string(), 400),
                               card.reason));
  }
}

}  // namespace sosia::models

// `sosia models verify`.

#include "models/verbs.hpp"
#include "sosia/models/place.hpp"

#include <fmt/format.h>

namespace sosia::models {
namespace {

struct VerifyOptions {
  StorePlace place;
  std::vector<std::string> names;
};

void describe(Fields& f, VerifyOptions& o) {
  f({.name = "names", .help = "cards (default: all whose files are here)", .positional = true},
    o.names);
  describe_store(f, o.place);
}

/// The models of `names` with bundles taken apart, or all.
std::vector<const ModelCard*> wanted_models(const ModelStore& store,
                                            const std::vector<std::string>& names) {
  std::vector<const ModelCard*> models;
  if (names.empty()) {
    for (const ModelCard& card : store.cards()) {
      if (card.kind == CardKind::model && store.find_weights(card)) models.push_back(&card);
    }
    return models;
  }
  for (const std::string& name : names) {
    const ModelCard& card = store.at(name);
    if (card.kind == CardKind::model) models.push_back(&card);
    for (const std::string& part : card.parts) models.push_back(&store.at(part));
  }
  return models;
}

Report verify(const VerifyOptions& o, RunContext& run) {
  const ModelStore store = open_store(o.place);
  const std::vector<const ModelCard*> models = wanted_models(store, o.names);
  Report report("models.verify", "files of models");
  Table& table =
      report.table("models", "Files",
                   {{"name", "", ""}, {"state", "", ""}, {"path", "", ""}, {"sha256", "", ""}});
  std::size_t good = 0;
  for (std::size_t i = 0; i < models.size(); ++i) {
    run.progress("models", i, models.size());
    const ModelCard& card = *models[i];
    const WeightState state = store.state(card, true);
    good += state == WeightState::present;
    const auto path = store.find_weights(card);
    table.add({card.name, to_string(state), path ? Value(path->string()) : Value(), card.sha256});
    if (state == WeightState::missing) {
      report.warning(fmt::format("{} has no file {} here; it comes from {}", card.name, card.file,
                                 card.provenance.origin));
    }
    if (state == WeightState::wrong_hash) {
      report.warning(fmt::format("{} is not the file of {}: its SHA-256 is another", path->string(),
                                 card.name));
    }
  }
  report.scalar("good", good);
  report.scalar("checked", models.size());
  report.gate("hashes", good == models.size(),
              fmt::format("{} of {} files are what their cards say", good, models.size()));
  warn_of_broken(report, store);
  report.verdict(fmt::format("{} of {} files are what their cards say", good, models.size()));
  return report;
}

}  // namespace

Verb verify_verb() {
  return make_verb<VerifyOptions>(
      {.noun = "models",
       .name = "verify",
       .summary = "compare the files of models with the SHA-256 in their cards",
       .details = "Exit status 5 when a file is another one, or when a named model has none.",
       .examples = {{"sosia models verify", "all that are here"},
                    {"sosia models verify dlib-resnet mtcnn", "some; a bundle is all its parts"}}},
      verify);
}

}  // namespace sosia::models

// `sosia models add`.

#include "models/verbs.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/hash.hpp"
#include "sosia/core/text.hpp"
#include "sosia/models/network.hpp"
#include "sosia/models/place.hpp"
#include "sosia/models/router.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace sosia::models {
namespace fs = std::filesystem;
namespace {

struct AddOptions {
  StorePlace place;
  std::string file;
  std::string name;
  std::string convention;
  std::string folder;
  bool confirm = false;
};

void describe(Fields& f, AddOptions& o) {
  f({.name = "file",
     .help = "an ONNX file",
     .role = FieldRole::input_file,
     .positional = true,
     .required = true},
    o.file);
  f({.name = "confirm", .help = "write the card and copy the file; else they are only shown"},
    o.confirm);
  f({.name = "name", .help = "of the card (default: from the file name)"}, o.name);
  f({.name = "convention", .help = "card to start from (default: the one that fits)"},
    o.convention);
  f({.name = "folder", .help = "where both go (default: your folder)"}, o.folder);
  describe_store(f, o.place);
}

/// The suggestion by the router; a convention that is named must be one.
Suggestion suggest(const AddOptions& o, const Network& network, const ModelStore& store) {
  if (!o.convention.empty() && store.at(o.convention).kind != CardKind::convention) {
    throw Error(ErrorCode::usage,
                fmt::format("{} is a {}, not a convention", quote(o.convention),
                            to_string(store.at(o.convention).kind)),
                "`sosia models list --conventions` shows them");
  }
  return suggest_card(network.inputs(), network.outputs(), o.file, store.cards(), o.convention);
}

/// The card that goes with the file: one that knows its hash, else a suggestion.
Suggestion card_for(const AddOptions& o, const ModelStore& store, const std::string& hash) {
  Suggestion suggestion;
  if (const ModelCard* known = store.find_by_hash(hash); known != nullptr && o.convention.empty()) {
    suggestion.card = *known;
    suggestion.convention = known->name;
    suggestion.why.push_back(
        fmt::format("its SHA-256 is that of the card {} ({})", known->name, known->source));
  } else {
    const Network network = Network::open_file(o.file, {.threads = 1});
    suggestion = suggest(o, network, store);
    suggestion.card.file = fs::path(o.file).filename().string();
    suggestion.card.sha256 = hash;
  }
  if (!o.name.empty()) suggestion.card.name = o.name;
  // What is written must be what can be read.
  suggestion.card = parse_card(card_to_toml(suggestion.card), "the suggested card");
  return suggestion;
}

void write(const Suggestion& suggestion, const AddOptions& o, const fs::path& folder,
           RunContext& run) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) {
    throw Error(ErrorCode::io, fmt::format("cannot make the folder {}: {}", quote(folder.string()),
                                           error.message()));
  }
  const fs::path weights = folder / suggestion.card.file;
  if (!fs::exists(weights) || !fs::equivalent(weights, o.file)) {
    const MappedFile mapped(o.file);
    run.write_output(weights, mapped.bytes());
  }
  run.write_output(folder / (suggestion.card.name + ".toml"), card_to_toml(suggestion.card));
}

Report report_of(const Suggestion& suggestion, const AddOptions& o, const fs::path& folder,
                 bool written) {
  const ModelCard& card = suggestion.card;
  Report report("models.add", "a card for " + fs::path(o.file).filename().string());
  report.scalar("name", card.name);
  report.scalar("role", to_string(card.role));
  report.scalar("convention", suggestion.convention, "made from");
  report.scalar("written", written);
  report.scalar("folder", folder.string());
  const auto sentences = [&](const char* key, const char* title,
                             const std::vector<std::string>& lines) {
    if (lines.empty()) return;
    Table& table = report.table(key, title, {{"sentence", title, ""}});
    for (const std::string& line : lines) table.add({line});
  };
  sentences("why", "What was seen", suggestion.why);
  sentences("check", "To make sure of", suggestion.check);
  report.text(card_to_toml(card));
  report.data("card", to_value(card));
  report.verdict(written ? fmt::format("{} can be used now: --model {}", card.name, card.name)
                         : "nothing was written: look at the card, then run this with --confirm");
  return report;
}

Report propose(const AddOptions& o, bool keep, RunContext& run) {
  run.note_input(o.file);
  const ModelStore store = open_store(o.place);
  const Suggestion suggestion = card_for(o, store, sha256_file(o.file));
  const fs::path folder = o.folder.empty() ? user_model_folder() : fs::path(o.folder);
  if (keep) write(suggestion, o, folder, run);
  return report_of(suggestion, o, folder, keep);
}

Report plan(const AddOptions& o, RunContext& run) {
  return propose(o, false, run);
}

Report add(const AddOptions& o, RunContext& run) {
  return propose(o, o.confirm, run);
}

}  // namespace

Verb add_verb() {
  return make_verb<AddOptions>(
      {.noun = "models",
       .name = "add",
       .summary = "propose a card for an ONNX file, and keep both when confirmed",
       .details =
           "A file whose SHA-256 a card knows gets that card. For others a card is guessed from "
           "the shapes of inputs and outputs and from the file name, by the conventions of the "
           "field (InsightFace's router, extended). Colour order and normalisation cannot be seen "
           "in a file, and a wrong guess costs accuracy without any error: compare the card with "
           "the source of the file before --confirm. The card can be edited afterwards.",
       .examples = {{"sosia models add network.onnx", "look at the proposal"},
                    {"sosia models add network.onnx --name mine --folder mymodels --confirm",
                     "keep it, in a folder of its own"}}},
      add, plan);
}

}  // namespace sosia::models

// `sosia models list` and `show`.

#include "models/verbs.hpp"
#include "sosia/models/place.hpp"
#include "sosia/models/tensor.hpp"

#include <fmt/format.h>

namespace sosia::models {
namespace {

struct ListOptions {
  StorePlace place;
  std::string role = "all";
  bool conventions = false;
};

void describe(Fields& f, ListOptions& o) {
  std::vector<std::string> roles = role_names();
  roles.insert(roles.begin(), "all");
  f({.name = "role", .help = "only models for this", .choices = std::move(roles)}, o.role);
  f({.name = "conventions", .help = "also the conventions that `models add` starts from"},
    o.conventions);
  describe_store(f, o.place);
}

Value number_or_null(std::int64_t number) {
  return number == 0 ? Value() : Value(number);
}

Report list(const ListOptions& o, RunContext& run) {
  const ModelStore store = open_store(o.place);
  Report report("models.list", "models");
  Table& table = report.table("models", "Models",
                              {{"name", "", ""},
                               {"role", "", ""},
                               {"file", "", ""},
                               {"dimension", "numbers", ""},
                               {"licence", "", ""},
                               {"commercial_use", "commercial", ""},
                               {"kind", "", ""},
                               {"source", "", ""}});
  std::size_t present = 0, models = 0;
  for (const ModelCard& card : store.cards()) {
    run.check_cancelled();
    if (card.kind == CardKind::convention && !o.conventions) continue;
    if (o.role != "all" && to_string(card.role) != o.role) continue;
    const WeightState state = store.state(card, false);
    models += card.kind == CardKind::model;
    present += state == WeightState::present;
    table.add({card.name, to_string(card.role),
               state == WeightState::none ? Value() : Value(to_string(state)),
               number_or_null(card.output.dimension), card.provenance.licence,
               card.provenance.commercial_use, to_string(card.kind), card.source});
  }
  Value folders = Value::list();
  for (const auto& folder : store.folders()) folders.push(folder.string());
  report.data("folders", std::move(folders));
  warn_of_broken(report, store);
  report.verdict(fmt::format("{} of {} models have their file here", present, models));
  return report;
}

struct ShowOptions {
  StorePlace place;
  std::string name;
};

void describe(Fields& f, ShowOptions& o) {
  f({.name = "name", .help = "name of a card", .positional = true, .required = true}, o.name);
  describe_store(f, o.place);
}

std::string triple(const std::array<double, 3>& numbers) {
  if (numbers[0] == numbers[1] && numbers[1] == numbers[2]) return fmt::format("{}", numbers[0]);
  return fmt::format("{}, {}, {}", numbers[0], numbers[1], numbers[2]);
}

void show_input(Report& report, const InputSpec& input) {
  if (input.shape.empty()) return;
  report.scalar("input", fmt::format("{} {}", input.name.empty() ? "(first)" : input.name,
                                     shape_text(input.shape)));
  report.scalar("numbers_are",
                fmt::format("({} byte - {}) / {}", to_string(input.colour), triple(input.mean),
                            triple(input.deviation)),
                "numbers are");
  report.scalar("alignment", to_string(input.alignment));
}

Report show(const ShowOptions& o, RunContext&) {
  const ModelStore store = open_store(o.place);
  const ModelCard& card = store.at(o.name);
  Report report("models.show", card.title);
  report.scalar("name", card.name);
  report.scalar("role", to_string(card.role));
  report.scalar("kind", to_string(card.kind));
  const WeightState state = store.state(card, true);
  report.scalar("state", to_string(state), "file");
  const auto file = store.find_weights(card);
  report.scalar("path", file ? Value(file->string()) : Value());
  if (card.kind == CardKind::model) report.scalar("sha256", card.sha256);
  show_input(report, card.input);
  if (card.output.dimension != 0) report.scalar("dimension", card.output.dimension, "numbers");
  if (card.threshold) {
    report.scalar({.key = "threshold",
                   .value = card.threshold->value,
                   .unit = std::string(to_string(card.threshold->metric)),
                   .note = card.threshold->set});
  }
  report.scalar("licence", card.provenance.licence);
  report.scalar("commercial_use", card.provenance.commercial_use, "commercial use");
  report.scalar("origin", card.provenance.origin);
  report.scalar("training_data", card.provenance.training_data, "trained on");
  report.scalar("source", card.source, "card");
  if (!card.notes.empty()) report.text(card.notes);
  report.data("card", to_value(card));
  if (state == WeightState::wrong_hash) {
    report.warning("the file is not the one that the card means: its SHA-256 is another");
  }
  report.verdict(fmt::format("{}: {}", card.name, card.title));
  return report;
}

}  // namespace

Verb list_verb() {
  return make_verb<ListOptions>(
      {.noun = "models",
       .name = "list",
       .summary = "models that are known, and whether their files are here",
       .details =
           "A model is a card (a TOML file: what the network takes and gives, licence, origin, "
           "SHA-256) and a file of weights. Both are looked for in --models, in your folder "
           "($SOSIA_MODELS, else $XDG_DATA_HOME/sosia/models) and in what comes with sosia. A card "
           "found earlier hides one of the same name. `verify` compares hashes, this does not.",
       .examples = {{"sosia models list", "all models"},
                    {"sosia models list --role liveness --json", "one role, for scripts"}}},
      list);
}

Verb show_verb() {
  return make_verb<ShowOptions>(
      {.noun = "models",
       .name = "show",
       .summary = "everything that the card of a model says",
       .details = "With --json the member `card` is the card itself.",
       .examples = {{"sosia models show dlib-resnet", "the face network that set-up installs"},
                    {"sosia models show convention-adaface --json", "a convention, as data"}}},
      show);
}

}  // namespace sosia::models

// Verbs about sosia itself: doctor, config, papers, reproduce.

#include "core/builtin.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/execute.hpp"
#include "sosia/core/text.hpp"
#include "sosia/version.hpp"

#include <algorithm>
#include <chrono>
#include <set>

namespace sosia {

namespace {

std::string text_of(const Value& object, std::string_view key) {
  const Value* found = object.find(key);
  return found && found->is_text() ? found->as_text() : "unknown";
}

// doctor ------------------------------------------------------------------------------------------

struct DoctorOptions {
  bool load = false;
};
void describe(Fields& f, DoctorOptions& o) {
  f({.name = "load", .help = "also open every module and say which cannot be loaded"}, o.load);
}

void add_features(Report& report, const Value& build) {
  std::vector<std::pair<std::string, Value>> flags;
  Table details{.key = "feature_details",
                .title = "Features",
                .columns = {{"feature", "", ""}, {"present", "", ""}, {"detail", "", ""}},
                .rows = {},
                .note = ""};
  if (const Value* features = build.find("features")) {
    for (const auto& [name, feature] : features->as_object()) {
      flags.emplace_back(name, feature.at("found"));
      details.add({name, feature.at("found"), feature.at("detail")});
    }
  }
  Value object = Value::object();
  for (const auto& [name, found] : flags) object.set(name, found);
  report.data("features", std::move(object));
  report.table(details.key, details.title, details.columns).rows = details.rows;
}

Report doctor(const Catalogue& catalogue, const DoctorOptions& options) {
  const Value& build = catalogue.build();
  Report report("doctor", "sosia on this machine");
  report.scalar("version", kVersion);
  report.scalar("commit", version_commit());
  report.scalar("compiler", text_of(build, "compiler"));
  report.scalar("build_type", text_of(build, "build_type"), "build type");
  report.scalar("processors", usable_processors(), "processors this process may use");
  add_features(report, build);
  Table& devices = report.table("devices", "Devices", {{"device", "", ""}, {"detail", "", ""}});
  devices.add({"cpu", std::to_string(usable_processors()) + " processors"});

  Table& modules = report.table("modules", "Modules",
                                {{"module", "", ""}, {"state", "", ""}, {"detail", "", ""}});
  std::size_t broken = 0;
  for (const std::string& module : catalogue.modules()) {
    std::string state = "indexed", detail;
    if (options.load) {
      try {
        catalogue.load_module(module);
        state = "loads";
      } catch (const Error& error) {
        state = "broken";
        detail = error.message();
        ++broken;
      }
    }
    modules.add({module, state, detail});
  }
  if (const Value* skipped = build.find("skipped")) {
    for (const auto& [room, reason] : skipped->as_object()) {
      modules.add({room, "not built", reason});
    }
  }
  for (const std::string& problem : catalogue.problems()) report.warning(problem);
  report.verdict(broken + catalogue.problems().size() == 0
                     ? "everything that was built is in order"
                     : std::to_string(broken + catalogue.problems().size()) +
                           " parts are not in order; see below");
  return report;
}

// config ------------------------------------------------------------------------------------------

struct ConfigInitOptions {
  std::string file = "sosia.toml";
};
void describe(Fields& f, ConfigInitOptions& o) {
  f({.name = "file",
     .help = "where to write the commented configuration",
     .role = FieldRole::output_file,
     .positional = true},
    o.file);
}

Report config_init(const Catalogue& catalogue, const ConfigInitOptions& options,
                   RunContext& context) {
  context.write_output(options.file, config_template(catalogue));
  Report report("config.init", "configuration file");
  report.scalar("file", options.file);
  report.verdict("wrote " + options.file + "; every option is in it, commented out");
  return report;
}

struct ConfigShowOptions {
  std::vector<std::string> verb;
};
void describe(Fields& f, ConfigShowOptions& o) {
  f({.name = "verb",
     .help = "show the options of this verb too, for example: evaluate ranking",
     .positional = true},
    o.verb);
}

void add_effective(Table& table, const std::string& scope, const Schema& schema,
                   const Settings& given) {
  for (const FieldSpec& spec : schema) {
    if (spec.field.positional) continue;
    const Setting* setting = given.find(spec.path);
    table.add({scope, spec.path, setting ? setting->value : spec.default_value,
               setting ? setting->source : "built-in"});
  }
}

Report config_show(const Catalogue& catalogue, const ConfigShowOptions& options,
                   const RunContext& context) {
  std::string path;
  for (const std::string& word : options.verb) path += (path.empty() ? "" : " ") + word;
  const VerbEntry* verb = catalogue.find_verb(path.empty() ? "config show" : path);
  if (verb == nullptr) {
    std::vector<std::string> paths;
    for (const VerbEntry& entry : catalogue.verbs()) paths.push_back(entry.info.path());
    throw Error(ErrorCode::usage, "there is no verb " + quote(path), did_you_mean(path, paths));
  }
  // What was typed decides which files are read, and stands above them.
  Settings typed;
  for (const auto& [option, setting] : context.given().all()) {
    if (setting.source == kCommandLine && option != "recipe" && option != "set") {
      typed.set(option, setting.value, setting.source);
    }
  }
  const ConfigSources sources = ConfigSources::of_process();
  const Resolved resolved = resolve_options(catalogue, *verb, typed, sources);
  Report report("config.show", "effective options and where they came from");
  Table& table =
      report.table("options", "Options",
                   {{"scope", "", ""}, {"option", "", ""}, {"value", "", ""}, {"source", "", ""}});
  add_effective(table, "run", common_schema(), resolved.common);
  if (!path.empty()) add_effective(table, path, verb->schema, resolved.verb);
  Table& files = report.table("files", "Files read", {{"layer", "", ""}, {"file", "", ""}});
  const Setting* none = typed.find("no_config");
  if (none != nullptr && none->value == Value(true)) return report;
  if (sources.user) files.add({"user", sources.user->string()});
  if (const Setting* given = typed.find("config")) {
    files.add({"--config", given->value});
  } else if (sources.project) {
    files.add({"project", sources.project->string()});
  }
  return report;
}

// papers ------------------------------------------------------------------------------------------

struct PapersOptions {
  std::string query;
};
void describe(Fields& f, PapersOptions& o) {
  f({.name = "query",
     .help = "show only systems whose title, alias, room or method contains this text",
     .positional = true},
    o.query);
}

bool mentions(const Paper& paper, const std::string& query) {
  const std::string wanted = ascii_lower(query);
  std::string text = paper.method + '\n' + paper.system + '\n' + paper.room + '\n' + paper.title +
                     '\n' + paper.state;
  for (const std::string& alias : paper.aliases) text += '\n' + alias;
  return ascii_lower(text).find(wanted) != std::string::npos;
}

Report papers(const Catalogue& catalogue, const PapersOptions& options) {
  Report report("papers", "published systems");
  Table& table = report.table("papers", "Systems",
                              {{"system", "", ""},
                               {"method", "", ""},
                               {"room", "", ""},
                               {"state", "", ""},
                               {"title", "", ""},
                               {"venue", "", ""},
                               {"aliases", "", ""}});
  std::vector<std::string> names;
  std::set<std::string> systems, found_systems;
  for (const Paper& paper : catalogue.papers()) {
    names.push_back(paper.method);
    names.push_back(paper.system);
    systems.insert(paper.system);
    for (const std::string& alias : paper.aliases) names.push_back(alias);
    if (!mentions(paper, options.query)) continue;
    found_systems.insert(paper.system);
    table.add({paper.system, paper.method, paper.room, paper.state, paper.title, paper.venue,
               Value::List(paper.aliases.begin(), paper.aliases.end())});
  }
  std::string verdict =
      std::to_string(found_systems.size()) + " of " + std::to_string(systems.size()) + " systems";
  if (found_systems.empty()) {
    const std::string near = did_you_mean(options.query, names);
    verdict += near.empty() ? "" : "; " + near;
  }
  report.verdict(verdict);
  return report;
}

// reproduce ---------------------------------------------------------------------------------------

struct ReproduceOptions {
  std::string method;
  ClaimOptions claim;
};
void describe(Fields& f, ReproduceOptions& o) {
  f({.name = "method",
     .help = "whose claim to test; without it all claims are listed",
     .positional = true},
    o.method);
  describe(f, o.claim);
}

Report list_claims(const Catalogue& catalogue) {
  Report report("reproduce.list", "claims and their state");
  Table& table =
      report.table("claims", "Claims",
                   {{"method", "", ""}, {"room", "", ""}, {"state", "", ""}, {"claim", "", ""}});
  for (const Paper& paper : catalogue.papers()) {
    const auto claim = std::find_if(catalogue.claims().begin(), catalogue.claims().end(),
                                    [&](const ClaimEntry& c) { return c.method == paper.method; });
    const bool testable = claim != catalogue.claims().end();
    table.add({paper.method, paper.room, testable ? "testable" : paper.state,
               testable ? Value(claim->title) : Value()});
  }
  report.verdict(std::to_string(catalogue.claims().size()) + " of " +
                 std::to_string(catalogue.papers().size()) + " claims can be tested by this build");
  return report;
}

Report reproduce(const Catalogue& catalogue, const ReproduceOptions& options, RunContext& context) {
  if (options.method.empty()) return list_claims(catalogue);
  std::vector<std::string> names;
  for (const ClaimEntry& entry : catalogue.claims()) {
    names.push_back(entry.method);
    if (entry.method != options.method) continue;
    const Claim& claim = catalogue.load_claim(entry);
    const auto begin = std::chrono::steady_clock::now();
    const ClaimResult result = claim.run(options.claim, context);
    const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begin;
    return claim_report(claim, options.claim, result, wall.count());
  }
  for (const Paper& paper : catalogue.papers()) {
    if (paper.method == options.method) {
      throw Error(ErrorCode::missing_feature,
                  "the claim of " + options.method +
                      " cannot be tested by this build: the method is " + paper.state,
                  "`sosia reproduce` lists what can");
    }
  }
  const std::string near = did_you_mean(options.method, names);
  throw Error(ErrorCode::usage, "there is no method " + quote(options.method),
              near.empty() ? "`sosia papers` lists all methods" : near);
}

}  // namespace

void add_builtin_verbs(Catalogue& catalogue) {
  const Catalogue* c = &catalogue;
  catalogue.add_builtin(bound_verb<DoctorOptions>(
      {.noun = "",
       .name = "doctor",
       .summary = "what this build and machine can do, and what is missing",
       .details = "Lists features, devices and modules. A missing part is named with the command "
                  "that adds it.",
       .examples = {{"sosia doctor", "a table for people"},
                    {"sosia doctor --load --json", "open every module; for scripts"}}},
      [c](const DoctorOptions& o, RunContext&) { return doctor(*c, o); }));
  catalogue.add_builtin(bound_verb<ConfigInitOptions>(
      {.noun = "config",
       .name = "init",
       .summary = "write a commented configuration file with every option",
       .details = "The file is read from ./sosia.toml (the project) and from "
                  "$XDG_CONFIG_HOME/sosia/config.toml (the user).",
       .examples = {{"sosia config init", "writes sosia.toml here"},
                    {"sosia config init my.toml", "writes another file, for --config my.toml"}}},
      [c](const ConfigInitOptions& o, RunContext& run) { return config_init(*c, o, run); }));
  catalogue.add_builtin(bound_verb<ConfigShowOptions>(
      {.noun = "config",
       .name = "show",
       .summary = "every effective option and where its value came from",
       .details = "Precedence: built-in < recipe < user config < project config < SOSIA_* "
                  "environment < command line.",
       .examples = {{"sosia config show", "the options that every verb has"},
                    {"sosia config show evaluate ranking", "and those of one verb"}}},
      [c](const ConfigShowOptions& o, RunContext& run) { return config_show(*c, o, run); }));
  catalogue.add_builtin(bound_verb<PapersOptions>(
      {.noun = "",
       .name = "papers",
       .summary = "the published systems that sosia implements, and their state",
       .details = "States: planned; or what is there: faithful (implements the paper), claim shown "
                  "(its claim was tested), usable (on your own files), measured (beside the best "
                  "peer).",
       .examples = {{"sosia papers", "all of them"},
                    {"sosia papers swap", "those about swapping"}}},
      [c](const PapersOptions& o, RunContext&) { return papers(*c, o); }));
  catalogue.add_builtin(bound_verb<ReproduceOptions>(
      {.noun = "",
       .name = "reproduce",
       .summary = "test a paper's claim beside its ablation, control and oracle",
       .details = "A claim's report has four kinds of rows: the method, the method without its "
                  "idea, a control that must fail, and the ceiling. The verdict follows from a "
                  "rule written before the run.",
       .examples = {{"sosia reproduce", "list all claims and their state"},
                    {"sosia reproduce --json", "the same for scripts"}}},
      [c](const ReproduceOptions& o, RunContext& run) { return reproduce(*c, o, run); }));
  catalogue.add_builtin(train_verb(catalogue));
}

}  // namespace sosia

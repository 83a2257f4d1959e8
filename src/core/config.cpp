#include "sosia/core/config.hpp"

#include "sosia/core/error.hpp"
#include "sosia/core/files.hpp"
#include "sosia/core/run.hpp"
#include "sosia/core/text.hpp"

#include <algorithm>
#include <cstdlib>

namespace sosia {

namespace fs = std::filesystem;

void describe(Fields& f, CommonOptions& o) {
  const std::string output = "output", run = "run", config = "configuration";
  f({.name = "json", .help = "print the report as JSON (the stable contract)", .group = output},
    o.json);
  f({.name = "html",
     .help = "also write the report as one HTML file that opens offline",
     .role = FieldRole::output_file,
     .group = output},
    o.html);
  f({.name = "force", .help = "overwrite files that exist", .group = output}, o.force);
  f({.name = "quiet", .help = "no progress and no log lines", .group = output}, o.quiet);
  f({.name = "progress",
     .help = "how progress is shown on standard error",
     .choices = {"auto", "bar", "plain", "none"},
     .group = output},
    o.progress);
  f({.name = "colour",
     .help = "whether the terminal text has colours; NO_COLOR switches auto off",
     .choices = {"auto", "always", "never"},
     .group = output},
    o.colour);
  f({.name = "dry_run",
     .help = "check options and inputs, say what would be done, write nothing",
     .group = run},
    o.dry_run);
  f({.name = "seed", .help = "seed of every random draw", .min = 0, .group = run}, o.seed);
  f({.name = "threads",
     .help = "most threads to use, up to the processors; 0 takes all",
     .min = 0,
     .max = 4096,
     .group = run},
    o.threads);
  f({.name = "device", .help = "cpu, cuda or cuda:<number>", .group = run}, o.device);
  f.require(valid_device(o.device),
            "--device: " + quote(o.device) + " is not cpu, cuda or cuda:<number>");
  f({.name = "recipe",
     .help = "TOML file with this verb's options, below every other layer",
     .role = FieldRole::input_file,
     .group = config},
    o.recipe);
  f({.name = "config",
     .help = "TOML file to use in place of ./sosia.toml",
     .role = FieldRole::input_file,
     .group = config},
    o.config);
  f({.name = "no_config", .help = "read no configuration file", .group = config}, o.no_config);
  f({.name = "set",
     .help = "name=value for any option of the verb; may be repeated",
     .role = FieldRole::assignment,
     .group = config},
    o.set);
}

const Schema& common_schema() {
  static const Schema schema = [] {
    CommonOptions defaults;
    return schema_of([&](Fields& f) { describe(f, defaults); });
  }();
  return schema;
}

ConfigSources ConfigSources::of_process() {
  ConfigSources sources;
  sources.environment = [](const std::string& name) -> std::optional<std::string> {
    const char* text = std::getenv(name.c_str());
    return text ? std::optional<std::string>(text) : std::nullopt;
  };
  std::error_code ignored;
  fs::path user = user_folder("XDG_CONFIG_HOME", ".config");
  if (!user.empty()) user = user / "sosia" / "config.toml";
  if (!user.empty() && fs::is_regular_file(user, ignored)) sources.user = user;
  if (fs::is_regular_file("sosia.toml", ignored)) sources.project = "sosia.toml";
  return sources;
}

std::string environment_name(const VerbEntry* verb, const FieldSpec& spec) {
  // --config and its kin say which files to read; they cannot come from those files or from a
  // variable that would be shared by every run. Positionals belong to one command.
  static const std::vector<std::string> kNever = {"json",   "set",     "config", "no_config",
                                                  "recipe", "dry_run", "html",   "force"};
  if (verb == nullptr && std::find(kNever.begin(), kNever.end(), spec.path) != kNever.end()) {
    return {};
  }
  if (spec.field.positional) return {};
  std::string name = "SOSIA_";
  if (verb != nullptr) name += verb->info.path() + "_";
  name += spec.path;
  for (char& c : name) {
    if (c == ' ' || c == '.' || c == '-') c = '_';
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return name;
}

namespace {

constexpr std::uint64_t kConfigCapBytes = 4 << 20;

std::string dotted(std::string path) {
  std::replace(path.begin(), path.end(), ' ', '.');
  return path;
}

std::vector<std::string> paths_of(const Schema& schema) {
  std::vector<std::string> paths;
  for (const FieldSpec& spec : schema) paths.push_back(spec.path);
  return paths;
}

bool has_path(const Schema& schema, const std::string& path) {
  return std::any_of(schema.begin(), schema.end(),
                     [&](const FieldSpec& spec) { return spec.path == path; });
}

/// Collects what is wrong with a configuration file, so that all of it is reported at once.
class FileChecker {
 public:
  explicit FileChecker(std::string file) : file_(std::move(file)) {}

  void check_table(const Schema& schema, const Settings& table, const std::string& name) {
    for (const auto& [path, setting] : table.all()) {
      if (has_path(schema, path)) continue;
      add("unknown option " + quote(name.empty() ? path : name + "." + path), path,
          paths_of(schema));
    }
  }
  void add(const std::string& what, const std::string& given,
           const std::vector<std::string>& candidates) {
    const std::string near = did_you_mean(given, candidates);
    problems_.push_back(what + (near.empty() ? "" : "; " + near));
  }
  void finish() const {
    if (problems_.empty()) return;
    std::string message = problems_[0];
    if (problems_.size() > 1) {
      message = std::to_string(problems_.size()) + " problems:";
      for (const std::string& problem : problems_) message += "\n  - " + problem;
    }
    throw Error(ErrorCode::usage, message, "`sosia config init` writes a file with every option",
                file_);
  }

 private:
  std::string file_;
  std::vector<std::string> problems_;
};

/// Reads `[run]` and `[<noun>.<verb>]` of a configuration file; checks all of it, keeps what
/// concerns `verb`.
void read_config(const Catalogue& catalogue, const VerbEntry& verb, const fs::path& file,
                 Resolved& into) {
  const std::string name = file.string();
  const Value root = parse_toml(read_text(file, kConfigCapBytes), name);
  FileChecker checker(name);
  std::vector<std::string> tables{"run"};
  for (const VerbEntry& entry : catalogue.verbs()) tables.push_back(dotted(entry.info.path()));

  const auto take = [&](const std::string& table, const Value& content) {
    Settings given;
    given.set_all(content, name);
    if (table == "run") {
      checker.check_table(common_schema(), given, table);
      into.common.merge(given);
      return;
    }
    for (const VerbEntry& entry : catalogue.verbs()) {
      if (dotted(entry.info.path()) != table) continue;
      checker.check_table(entry.schema, given, table);
      if (&entry == &verb) into.verb.merge(given);
    }
  };
  const auto known = [&](const std::string& table) {
    return std::find(tables.begin(), tables.end(), table) != tables.end();
  };
  for (const auto& [key, member] : root.as_object()) {
    if (!member.is_object()) {
      checker.add("the option " + quote(key) + " stands outside a table", key, tables);
    } else if (known(key)) {
      take(key, member);
    } else {
      for (const auto& [sub, content] : member.as_object()) {
        const std::string table = key + "." + sub;
        if (known(table) && content.is_object()) {
          take(table, content);
        } else {
          checker.add("unknown table " + quote(table), table, tables);
        }
      }
    }
  }
  checker.finish();
}

void read_recipe(const VerbEntry& verb, const fs::path& file, Resolved& into) {
  const std::string name = file.string();
  Settings given;
  given.set_all(parse_toml(read_text(file, kConfigCapBytes), name), name);
  FileChecker checker(name);
  checker.check_table(verb.schema, given, "");
  checker.finish();
  into.verb.merge(given);
}

void read_environment(const ConfigSources& sources, const VerbEntry* verb, const Schema& schema,
                      Settings& into) {
  if (!sources.environment) return;
  for (const FieldSpec& spec : schema) {
    const std::string name = environment_name(verb, spec);
    if (name.empty()) continue;
    const std::optional<std::string> text = sources.environment(name);
    if (text) into.set(spec.path, value_from_text(spec, {*text}), name);
  }
}

std::optional<std::string> given_text(const Settings& settings, const std::string& path) {
  const Setting* setting = settings.find(path);
  if (setting == nullptr || !setting->value.is_text() || setting->value.as_text().empty()) {
    return std::nullopt;
  }
  return setting->value.as_text();
}

}  // namespace

void apply_assignments(const Schema& schema, const Settings& common, Settings& into) {
  const Setting* given = common.find("set");
  if (given == nullptr || !given->value.is_list()) return;
  for (const Value& item : given->value.as_list()) {
    const std::string text = item.is_text() ? item.as_text() : to_json(item, -1);
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos) {
      throw Error(ErrorCode::usage, "--set: expected name=value, found " + quote(text));
    }
    std::string path = text.substr(0, equals);
    std::replace(path.begin(), path.end(), '-', '_');
    const auto spec = std::find_if(schema.begin(), schema.end(),
                                   [&](const FieldSpec& s) { return s.path == path; });
    const std::string assigned = text.substr(equals + 1);
    into.set(path, spec == schema.end() ? Value(assigned) : value_from_text(*spec, {assigned}),
             "--set");
  }
}

Resolved resolve_options(const Catalogue& catalogue, const VerbEntry& verb,
                         const Settings& command_line, const ConfigSources& sources) {
  Settings typed_common, typed_verb;
  for (const auto& [path, setting] : command_line.all()) {
    // Unknown paths go to the verb, whose decoder names the nearest option.
    (has_path(common_schema(), path) ? typed_common : typed_verb)
        .set(path, setting.value, setting.source);
  }
  Resolved resolved;
  for (const FieldSpec& spec : common_schema()) resolved.verb.suggest(spec.path);
  if (const auto recipe = given_text(typed_common, "recipe")) {
    read_recipe(verb, *recipe, resolved);
  }
  const Setting* none = typed_common.find("no_config");
  if (none == nullptr || none->value != Value(true)) {
    if (sources.user) read_config(catalogue, verb, *sources.user, resolved);
    if (const auto file = given_text(typed_common, "config")) {
      read_config(catalogue, verb, *file, resolved);
    } else if (sources.project) {
      read_config(catalogue, verb, *sources.project, resolved);
    }
  }
  read_environment(sources, nullptr, common_schema(), resolved.common);
  read_environment(sources, &verb, verb.schema, resolved.verb);
  resolved.common.merge(typed_common);
  if (!verb.info.sets_recipe) apply_assignments(verb.schema, typed_common, resolved.verb);
  resolved.verb.merge(typed_verb);
  return resolved;
}

std::string config_template(const Catalogue& catalogue) {
  std::string text =
      "# sosia configuration. Precedence: built-in < recipe < user config < project config\n"
      "# (./sosia.toml) < SOSIA_* environment < command line. Remove the # to set an option.\n";
  const auto table = [&](const std::string& name, const std::string& summary, const Schema& schema,
                         const VerbEntry* verb) {
    std::string body;
    for (const FieldSpec& spec : schema) {
      if (environment_name(verb, spec).empty()) continue;
      body +=
          "# " + spec.field.help + (spec.field.unit.empty() ? "" : " [" + spec.field.unit + "]");
      if (!spec.field.choices.empty()) body += " (" + enumerate(spec.field.choices, "or") + ")";
      body += "\n#" + spec.path + " = " + to_toml_inline(spec.default_value) + "\n";
    }
    if (!body.empty()) text += "\n# " + summary + "\n[" + name + "]\n" + body;
  };
  table("run", "for every verb", common_schema(), nullptr);
  for (const VerbEntry& entry : catalogue.verbs()) {
    table(dotted(entry.info.path()), entry.info.summary, entry.schema, &entry);
  }
  return text;
}

}  // namespace sosia

#pragma once
// Layered options: built-in < recipe < user config < project config < environment < command line.

#include "sosia/core/catalogue.hpp"
#include "sosia/core/settings.hpp"

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sosia {

/// Options that every verb has, declared once like any other.
struct CommonOptions {
  bool json = false;
  std::string html;
  std::int64_t seed = 0;
  int threads = 0;
  std::string device = "cpu";
  bool force = false;
  bool dry_run = false;
  std::string progress = "auto";
  std::string colour = "auto";
  bool quiet = false;
  std::string recipe;
  std::string config;
  bool no_config = false;
  std::vector<std::string> set;
};
void describe(Fields& f, CommonOptions& o);

/// Where the layers come from. Tests replace them.
struct ConfigSources {
  std::optional<std::filesystem::path> user;     ///< $XDG_CONFIG_HOME/sosia/config.toml
  std::optional<std::filesystem::path> project;  ///< ./sosia.toml
  std::function<std::optional<std::string>(const std::string&)> environment;

  /// Those of this process; files that do not exist are left out.
  static ConfigSources of_process();
};

/// The effective settings of one run.
struct Resolved {
  Settings verb;    ///< options of the verb
  Settings common;  ///< options of `CommonOptions`
};

/// `command_line` holds what was typed: common options and the verb's, by path. Reads the files
/// that the sources and the command line name. Throws usage for unknown tables or keys (with the
/// nearest name), corrupt_data for a file that is no TOML.
Resolved resolve_options(const Catalogue& catalogue, const VerbEntry& verb,
                         const Settings& command_line, const ConfigSources& sources);

/// Adds what `--set path=value` gave in `common` to `into`, typed by `schema`. Unknown paths are
/// added as text: the decoder names the nearest. Throws usage for a text without "=".
void apply_assignments(const Schema& schema, const Settings& common, Settings& into);

/// The environment variable of an option: SOSIA_<NOUN>_<VERB>_<PATH>, or SOSIA_<PATH> for a common
/// option (`verb` nullptr). "" for options that cannot come from there.
std::string environment_name(const VerbEntry* verb, const FieldSpec& spec);

/// The commented file that `sosia config init` writes: every option with help and default,
/// commented out.
std::string config_template(const Catalogue& catalogue);

/// The schema of `CommonOptions`.
const Schema& common_schema();

}  // namespace sosia

#pragma once
// What this installation can do, without loading it. The build writes `<module>.verbs.json` beside
// every module; the catalogue reads those few kilobytes, so that help, completion and suggestions
// open no shared library. A module is opened on first use of one of its verbs,
// claims or trainings.

#include "sosia/core/registry.hpp"

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sosia {

/// A verb as the index describes it.
struct VerbEntry {
  VerbInfo info = {};
  Schema schema = {};
  bool has_plan = false;
  std::string module = {};  ///< empty for a verb that is built in
  std::string target = {};  ///< the verb's own path, when `info` is that of `VerbInfo::also`
};

/// A claim as the index describes it.
struct ClaimEntry {
  std::string method = {};
  std::string room = {};
  std::string title = {};
  std::string rule = {};
  std::string module = {};
};

/// A training as the index describes it.
struct TrainingEntry {
  TrainingInfo info = {};
  Schema schema = {};
  std::string module = {};
};

/// A recipe that came with this installation: `recipes/<method>/<name>.toml` beside the modules.
struct RecipeEntry {
  std::string name = {};
  std::string method = {};
  std::string title = {};
  std::filesystem::path file = {};
};

/// One published system, from docs/papers.toml or the card of its method.
struct Paper {
  std::string method = {};  ///< folder name
  std::string system = {};  ///< what people call it; two methods may belong to one system
  std::string room = {};
  std::string title = {};
  std::string venue = {};
  std::vector<std::string> aliases = {};
  std::string state =
      {};  ///< "planned", or what the card says: faithful, claim shown, usable, measured
  std::string deviations = {};
};

/// The index of one module's registry, as written beside it; and the reverse.
Value registry_to_index(const Registry& registry);

/// Thread-safety: const members may be called from any thread; loading is serialised inside.
class Catalogue {
 public:
  /// Reads the index in `folder` (default: the folder that holds libsosia_core.so). An index that
  /// cannot be read becomes an entry of `problems()` and the rest goes on.
  explicit Catalogue(std::filesystem::path folder = module_folder());
  ~Catalogue();
  Catalogue(Catalogue&&) noexcept;
  Catalogue& operator=(Catalogue&&) noexcept;

  /// Where this process's modules lie.
  static std::filesystem::path module_folder();

  /// Adds a verb that lives in no module. Not to be called once other threads use the catalogue.
  void add_builtin(Verb verb);

  const std::vector<VerbEntry>& verbs() const noexcept;
  const std::vector<ClaimEntry>& claims() const noexcept;
  const std::vector<TrainingEntry>& trainings() const noexcept;
  /// Sorted by method and name; read from disk at every call. One that cannot be read has its
  /// problem as title.
  std::vector<RecipeEntry> recipes() const;
  const std::vector<Paper>& papers() const noexcept;
  /// What the build recorded: version, commit, compiler, build type, features, rooms, skipped
  /// rooms.
  const Value& build() const noexcept;
  const std::vector<std::string>& problems() const noexcept;
  /// Module names, sorted.
  const std::vector<std::string>& modules() const noexcept;

  /// By path ("evaluate ranking"); nullptr when absent.
  const VerbEntry* find_verb(std::string_view path) const noexcept;

  /// The verb itself; opens its module when needed. Throws missing_feature, with what to install,
  /// when the module cannot be loaded.
  const Verb& load_verb(const VerbEntry& entry) const;
  const Claim& load_claim(const ClaimEntry& entry) const;
  const Training& load_training(const TrainingEntry& entry) const;
  /// Opens a module and returns what it registers.
  const Registry& load_module(const std::string& module) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sosia

#include "sosia/core/catalogue.hpp"

#include "sosia/core/error.hpp"
#include "sosia/core/files.hpp"
#include "sosia/core/text.hpp"
#include "sosia/version.hpp"

#include <algorithm>
#include <map>
#include <mutex>

#include <dlfcn.h>

namespace sosia {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kIndexSuffix = ".verbs.json";
constexpr std::uint64_t kIndexCapBytes = 16 << 20;

std::vector<std::string> texts_from_value(const Value& value) {
  std::vector<std::string> texts;
  for (const Value& item : value.as_list()) texts.push_back(item.as_text());
  return texts;
}

VerbEntry verb_from_index(const Value& row, const std::string& module) {
  VerbEntry entry;
  entry.info.noun = row.at("noun").as_text();
  entry.info.name = row.at("name").as_text();
  entry.info.summary = row.at("summary").as_text();
  entry.info.details = row.at("details").as_text();
  for (const Value& example : row.at("examples").as_list()) {
    entry.info.examples.push_back(
        {example.at("command").as_text(), example.at("explains").as_text()});
  }
  if (const Value* also = row.find("also")) entry.info.also = also->as_text();
  entry.schema = schema_from_value(row.at("options"));
  entry.has_plan = row.at("plan").as_boolean();
  entry.module = module;
  return entry;
}

ClaimEntry claim_from_index(const Value& row, const std::string& module) {
  return {row.at("method").as_text(), row.at("room").as_text(), row.at("title").as_text(),
          row.at("rule").as_text(), module};
}

TrainingEntry training_from_index(const Value& row, const std::string& module) {
  return {{row.at("method").as_text(), row.at("room").as_text(), row.at("title").as_text()},
          schema_from_value(row.at("recipe")),
          module};
}

RecipeEntry recipe_from_file(const fs::path& file) {
  RecipeEntry entry{.name = file.stem().string(),
                    .method = file.parent_path().filename().string(),
                    .title = "",
                    .file = file};
  try {
    const Value recipe = parse_toml(read_text(file, kIndexCapBytes), file.string());
    if (const Value* title = recipe.find("title")) entry.title = title->as_text();
  } catch (const Error& error) {
    entry.title = error.message();
  }
  return entry;
}

Paper paper_from_value(const Value& row) {
  return {row.at("method").as_text(), row.at("system").as_text(),
          row.at("room").as_text(),   row.at("title").as_text(),
          row.at("venue").as_text(),  texts_from_value(row.at("aliases")),
          row.at("state").as_text(),  row.at("deviations").as_text()};
}

}  // namespace

Value registry_to_index(const Registry& registry) {
  Value verbs = Value::list();
  for (const Verb& verb : registry.verbs()) {
    Value examples = Value::list();
    for (const Example& example : verb.info().examples) {
      examples.push(Value::object({{"command", example.command}, {"explains", example.explains}}));
    }
    verbs.push(Value::object({{"noun", verb.info().noun},
                              {"name", verb.info().name},
                              {"summary", verb.info().summary},
                              {"details", verb.info().details},
                              {"plan", verb.has_plan()},
                              {"examples", std::move(examples)},
                              {"options", schema_to_value(verb.schema())}}));
    if (!verb.info().also.empty()) verbs.as_list().back().set("also", verb.info().also);
  }
  Value claims = Value::list();
  for (const Claim& claim : registry.claims()) {
    claims.push(Value::object({{"method", claim.method},
                               {"room", claim.room},
                               {"title", claim.title},
                               {"rule", claim.rule}}));
  }
  Value trainings = Value::list();
  for (const Training& training : registry.trainings()) {
    trainings.push(Value::object({{"method", training.info().method},
                                  {"room", training.info().room},
                                  {"title", training.info().title},
                                  {"recipe", schema_to_value(training.schema())}}));
  }
  return Value::object(
      {{"version", kVersion}, {"verbs", verbs}, {"claims", claims}, {"trainings", trainings}});
}

struct Catalogue::Impl {
  fs::path folder;
  std::vector<VerbEntry> verbs;
  std::vector<ClaimEntry> claims;
  std::vector<TrainingEntry> trainings;
  std::vector<Paper> papers;
  std::vector<std::string> problems, modules;
  Value build = Value::object();
  Registry builtin;
  std::mutex mutex;
  // Modules stay open for the life of the process: code of theirs may be on some stack, and
  // libraries such as LibTorch cannot be unloaded.
  std::map<std::string, std::unique_ptr<Registry>> loaded;

  void read_index(const fs::path& file) {
    const std::string module =
        file.filename().string().substr(0, file.filename().string().size() - kIndexSuffix.size());
    try {
      const Value index = parse_json(read_text(file, kIndexCapBytes), file.string());
      if (index.at("version").as_text() != kVersion) {
        throw Error(ErrorCode::missing_feature,
                    "module " + module + " belongs to version " + index.at("version").as_text() +
                        ", this is " + std::string(kVersion),
                    "install all of sosia together");
      }
      for (const Value& row : index.at("verbs").as_list()) {
        verbs.push_back(verb_from_index(row, module));
      }
      for (const Value& row : index.at("claims").as_list()) {
        claims.push_back(claim_from_index(row, module));
      }
      for (const Value& row : index.at("trainings").as_list()) {
        trainings.push_back(training_from_index(row, module));
      }
      modules.push_back(module);
    } catch (const Error& error) {
      problems.push_back(module + ": " + error.message());
    }
  }

  /// Verbs that answer to a second path where nobody has it: so `sosia demo` shows what this build
  /// can do.
  void add_stand_ins() {
    std::vector<VerbEntry> found;
    for (const VerbEntry& verb : verbs) {
      const auto taken = [&](const VerbEntry& other) {
        return other.info.path() == verb.info.also;
      };
      if (verb.info.also.empty() || std::any_of(verbs.begin(), verbs.end(), taken) ||
          std::any_of(found.begin(), found.end(), taken)) {
        continue;
      }
      VerbEntry& entry = found.emplace_back(verb);
      entry.target = verb.info.path();
      entry.info.noun.clear();
      entry.info.name = verb.info.also;
      entry.info.also.clear();
      const std::string before = "sosia " + entry.target;
      for (Example& example : entry.info.examples) {
        if (!example.command.starts_with(before)) continue;
        example.command.replace(0, before.size(), "sosia " + entry.info.name);
      }
    }
    verbs.insert(verbs.end(), found.begin(), found.end());
  }

  /// A file that the build writes; a missing or broken one is a problem, not the end.
  Value read_build_file(const char* name) {
    try {
      return parse_json(read_text(folder / name, kIndexCapBytes), name);
    } catch (const Error& error) {
      problems.push_back(std::string(name) + ": " + error.message());
      return {};
    }
  }
};

fs::path Catalogue::module_folder() {
  Dl_info info{};
  // Any symbol of this library leads to the file that holds it.
  if (::dladdr(reinterpret_cast<const void*>(&registry_to_index), &info) == 0 ||
      info.dli_fname == nullptr) {
    throw Error(ErrorCode::internal, "cannot find the folder of libsosia_core.so");
  }
  std::error_code ignored;
  const fs::path file = fs::canonical(info.dli_fname, ignored);
  return file.parent_path();
}

Catalogue::Catalogue(fs::path folder) : impl_(std::make_unique<Impl>()) {
  impl_->folder = std::move(folder);
  std::vector<fs::path> files;
  std::error_code failed;
  for (const fs::directory_entry& entry : fs::directory_iterator(impl_->folder, failed)) {
    if (entry.path().filename().string().ends_with(kIndexSuffix)) files.push_back(entry.path());
  }
  if (failed) impl_->problems.push_back("cannot read " + quote(impl_->folder.string()));
  std::sort(files.begin(), files.end());
  for (const fs::path& file : files) impl_->read_index(file);
  impl_->add_stand_ins();
  impl_->build = impl_->read_build_file("build.json");
  const Value papers = impl_->read_build_file("papers.json");
  if (papers.is_list()) {
    for (const Value& row : papers.as_list()) impl_->papers.push_back(paper_from_value(row));
  }
}

Catalogue::~Catalogue() = default;
Catalogue::Catalogue(Catalogue&&) noexcept = default;
Catalogue& Catalogue::operator=(Catalogue&&) noexcept = default;

void Catalogue::add_builtin(Verb verb) {
  VerbEntry entry{verb.info(), verb.schema(), verb.has_plan(), "", ""};
  impl_->builtin.add(std::move(verb));
  impl_->verbs.push_back(std::move(entry));
}

const std::vector<VerbEntry>& Catalogue::verbs() const noexcept {
  return impl_->verbs;
}
const std::vector<ClaimEntry>& Catalogue::claims() const noexcept {
  return impl_->claims;
}
const std::vector<TrainingEntry>& Catalogue::trainings() const noexcept {
  return impl_->trainings;
}

std::vector<RecipeEntry> Catalogue::recipes() const {
  std::vector<fs::path> files;
  std::error_code failed;
  const fs::path folder = impl_->folder / "recipes";
  for (fs::recursive_directory_iterator at(folder, failed), end; !failed && at != end;
       at.increment(failed)) {
    if (at->path().extension() == ".toml") files.push_back(at->path());
  }
  std::sort(files.begin(), files.end());
  std::vector<RecipeEntry> entries;
  for (const fs::path& file : files) entries.push_back(recipe_from_file(file));
  return entries;
}

const std::vector<Paper>& Catalogue::papers() const noexcept {
  return impl_->papers;
}
const Value& Catalogue::build() const noexcept {
  return impl_->build;
}
const std::vector<std::string>& Catalogue::problems() const noexcept {
  return impl_->problems;
}
const std::vector<std::string>& Catalogue::modules() const noexcept {
  return impl_->modules;
}

const VerbEntry* Catalogue::find_verb(std::string_view path) const noexcept {
  for (const VerbEntry& entry : impl_->verbs) {
    if (entry.info.path() == path) return &entry;
  }
  return nullptr;
}

const Registry& Catalogue::load_module(const std::string& module) const {
  if (module.empty()) return impl_->builtin;
  const std::lock_guard lock(impl_->mutex);
  if (const auto found = impl_->loaded.find(module); found != impl_->loaded.end()) {
    return *found->second;
  }
  const fs::path file = impl_->folder / ("libsosia_" + module + ".so");
  void* handle = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  const auto refuse = [&](const char* reason) {
    return Error(ErrorCode::missing_feature,
                 "the module " + quote(module) +
                     " cannot be loaded: " + (reason ? quote(reason, 300) : "no reason given"),
                 "`sosia doctor` shows what is missing; `make build` builds it again");
  };
  if (handle == nullptr) throw refuse(::dlerror());
  auto* entry = reinterpret_cast<void (*)(Registry&)>(::dlsym(handle, "sosia_register_module"));
  if (entry == nullptr) throw refuse(::dlerror());
  auto registry = std::make_unique<Registry>();
  entry(*registry);
  return *impl_->loaded.emplace(module, std::move(registry)).first->second;
}

const Verb& Catalogue::load_verb(const VerbEntry& entry) const {
  const std::string path = entry.target.empty() ? entry.info.path() : entry.target;
  const Verb* verb = load_module(entry.module).find_verb(path);
  if (verb == nullptr) {
    throw Error(ErrorCode::internal,
                "module " + quote(entry.module) + " does not hold " + quote(path),
                "build sosia again");
  }
  return *verb;
}

const Claim& Catalogue::load_claim(const ClaimEntry& entry) const {
  const Claim* claim = load_module(entry.module).find_claim(entry.method);
  if (claim == nullptr) {
    throw Error(ErrorCode::internal,
                "module " + quote(entry.module) + " does not hold the claim of " + entry.method,
                "build sosia again");
  }
  return *claim;
}

const Training& Catalogue::load_training(const TrainingEntry& entry) const {
  const Training* training = load_module(entry.module).find_training(entry.info.method);
  if (training == nullptr) {
    throw Error(
        ErrorCode::internal,
        "module " + quote(entry.module) + " does not hold the training of " + entry.info.method,
        "build sosia again");
  }
  return *training;
}

}  // namespace sosia

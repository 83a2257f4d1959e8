#include "sosia/core/execute.hpp"

#include "sosia/core/error.hpp"
#include "sosia/core/hash.hpp"
#include "sosia/core/text.hpp"
#include "sosia/version.hpp"

#include <chrono>
#include <ctime>

namespace sosia {

namespace fs = std::filesystem;

namespace {

using Clock = std::chrono::steady_clock;

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

Value file_entry(const fs::path& path) {
  std::error_code failed;
  Value entry = Value::object({{"path", path.string()}});
  if (fs::is_regular_file(path, failed)) {
    entry.set("bytes", static_cast<std::int64_t>(fs::file_size(path, failed)));
    entry.set("sha256", sha256_file(path));
  }
  return entry;
}

/// The paths that `settings` give to fields of the wanted kind.
template <class Wanted>
std::vector<fs::path> given_paths(const Schema& schema, const Settings& settings, Wanted wanted) {
  std::vector<fs::path> paths;
  for (const FieldSpec& spec : schema) {
    if (!wanted(spec.field.role)) continue;
    const Setting* setting = settings.find(spec.path);
    const Value& value = setting ? setting->value : spec.default_value;
    if (value.is_text() && !value.as_text().empty()) paths.emplace_back(value.as_text());
    if (value.is_list()) {
      for (const Value& item : value.as_list()) paths.emplace_back(item.as_text());
    }
  }
  return paths;
}

bool is_output_folder(FieldRole role) {
  return role == FieldRole::output_folder;
}

bool is_input(FieldRole role) {
  return role == FieldRole::input || role == FieldRole::input_file ||
         role == FieldRole::input_folder;
}

Value sources_of(const Settings& settings) {
  Value sources = Value::object();
  for (const auto& [path, setting] : settings.all()) sources.set(path, setting.source);
  return sources;
}

Value make_manifest(const VerbEntry& entry, const Verb& verb, const Resolved& resolved,
                    const RunContext& context) {
  return Value::object({
      {"schema", "sosia.manifest/1"},
      {"verb", entry.info.path()},
      {"options", verb.effective(resolved.verb)},
      {"option_sources", sources_of(resolved.verb)},
      {"seed", context.seed()},
      {"threads", context.threads()},
      {"device", context.device()},
      {"sosia", kVersion},
      {"commit", version_commit()},
  });
}

/// Hashes what was read and written. Done only for runs that write something: hashing a large input
/// costs as much as reading it.
void add_files(Value& manifest, const VerbEntry& entry, const Resolved& resolved,
               const RunContext& context) {
  Value inputs = Value::list();
  std::vector<fs::path> paths = given_paths(entry.schema, resolved.verb, is_input);
  for (const fs::path& path : context.inputs()) paths.push_back(path);
  for (const fs::path& path : paths) inputs.push(file_entry(path));
  manifest.set("inputs", std::move(inputs));
  Value outputs = Value::list();
  for (const fs::path& path : context.outputs()) outputs.push(file_entry(path));
  manifest.set("outputs", std::move(outputs));
}

fs::path manifest_path(const VerbEntry& entry, const Resolved& resolved,
                       const RunContext& context) {
  const auto folders = given_paths(entry.schema, resolved.verb, is_output_folder);
  if (!folders.empty()) return folders[0] / "manifest.json";
  return context.outputs()[0].string() + ".manifest.json";
}

void make_output_folders(const VerbEntry& entry, const Resolved& resolved) {
  for (const fs::path& folder : given_paths(entry.schema, resolved.verb, is_output_folder)) {
    std::error_code failed;
    fs::create_directories(folder, failed);
    if (failed) {
      throw Error(
          ErrorCode::io,
          "cannot create the folder " + quote(folder.string(), 200) + ": " + failed.message(),
          "choose another place");
    }
  }
}

/// Refuses now what could not be written after an hour of work.
void check_outputs(const VerbEntry& entry, const Resolved& resolved, const CommonOptions& common,
                   const RunContext& context) {
  if (!common.html.empty()) check_writable(common.html, context.overwrite());
  const auto is_file = [](FieldRole role) { return role == FieldRole::output_file; };
  for (const fs::path& path : given_paths(entry.schema, resolved.verb, is_file)) {
    check_writable(path, context.overwrite());
  }
  for (const fs::path& folder : given_paths(entry.schema, resolved.verb, is_output_folder)) {
    check_writable_folder(folder);
  }
}

/// A run on another device than the one that was asked for would be a lie in its manifest.
void check_device(const Catalogue& catalogue, const std::string& device) {
  if (device == "cpu") return;
  const Value* features = catalogue.build().find("features");
  const Value* cuda = features ? features->find("cuda") : nullptr;
  if (cuda != nullptr && cuda->at("found") == Value(true)) return;
  throw Error(ErrorCode::device, "there is no device " + quote(device) + ": this build has no CUDA",
              "use --device cpu; `sosia doctor` lists features and devices");
}

Report plan_report(const VerbEntry& entry, const Verb& verb, const Resolved& resolved,
                   const CommonOptions& common, RunContext& context) {
  for (const fs::path& path : given_paths(entry.schema, resolved.verb, is_input)) {
    std::error_code failed;
    // "-" is standard input.
    if (path != "-" && !fs::exists(path, failed) &&
        path.string().find_first_of("*?[") == std::string::npos) {
      throw Error(ErrorCode::not_found, quote(path.string(), 200) + " does not exist",
                  "check the spelling and the folder you are in");
    }
  }
  if (verb.has_plan()) return verb.plan(resolved.verb, context);
  Report report("plan", "dry run of `sosia " + entry.info.path() + "`");
  Table& options = report.table("options", "Options",
                                {{"option", "", ""}, {"value", "", ""}, {"source", "", ""}});
  Settings effective;
  effective.set_all(verb.effective(resolved.verb), "built-in");
  effective.merge(resolved.verb);
  for (const auto& [path, setting] : effective.all()) {
    options.add({path, to_json(setting.value, -1), setting.source});
  }
  if (!common.html.empty()) report.scalar("html", common.html, "would write");
  report.verdict("the options are valid and the inputs are there; nothing was done");
  return report;
}

/// Decodes both sets of options, so that the problems of both are reported at once.
CommonOptions decode_all(const Verb& verb, const Resolved& resolved) {
  std::optional<Error> first;
  CommonOptions common;
  try {
    common = decode<CommonOptions>(resolved.common);
  } catch (const Error& error) {
    first = error;
  }
  try {
    (void)verb.effective(resolved.verb);
  } catch (const Error& error) {
    if (!first) throw;
    throw Error(ErrorCode::usage, first->message() + "\n" + error.message(), error.hint());
  }
  if (first) throw *first;
  return common;
}

}  // namespace

Outcome execute(const Catalogue& catalogue, const VerbEntry& entry, const Resolved& resolved,
                std::shared_ptr<CancelToken> cancel, std::shared_ptr<RunSink> sink) {
  const Verb& verb = catalogue.load_verb(entry);
  const CommonOptions common = decode_all(verb, resolved);
  RunContext context({.seed = static_cast<std::uint64_t>(common.seed),
                      .threads = common.threads,
                      .device = common.device,
                      .overwrite = common.force ? Overwrite::replace : Overwrite::refuse,
                      .cancel = std::move(cancel),
                      .sink = std::move(sink),
                      .given = resolved.common});
  check_device(catalogue, common.device);
  check_outputs(entry, resolved, common, context);
  if (common.dry_run) {
    Report plan = plan_report(entry, verb, resolved, common, context);
    return {std::move(plan), Value(), context.follows()};
  }
  make_output_folders(entry, resolved);
  const std::string started = utc_now();
  const Clock::time_point begin = Clock::now();
  Report report = verb.run(resolved.verb, context);
  const double wall_s = std::chrono::duration<double>(Clock::now() - begin).count();
  if (context.follows()) return {std::move(report), Value(), true};

  Value manifest = make_manifest(entry, verb, resolved, context);
  manifest.set("started", started);
  manifest.set("wall_s", wall_s);
  const bool wrote = !context.outputs().empty();
  if (wrote || !common.html.empty()) add_files(manifest, entry, resolved, context);
  if (wrote) {
    write_file(manifest_path(entry, resolved, context), to_json(manifest) + "\n",
               Overwrite::replace);
  }
  if (!common.html.empty()) {
    write_file(common.html, render_html(report, manifest), context.overwrite());
  }
  return {std::move(report), std::move(manifest), false};
}

}  // namespace sosia

// What of the engine needs no libllama: names, rates, profiles on disk, which model is meant.

#include "sosia/core/error.hpp"
#include "sosia/core/files.hpp"
#include "sosia/core/hash.hpp"
#include "sosia/core/text.hpp"
#include "sosia/core/value.hpp"
#include "sosia/llm/engine.hpp"

#include <fmt/format.h>

namespace sosia::llm {
namespace fs = std::filesystem;

std::string_view to_string(Tier tier) {
  switch (tier) {
    case Tier::distribution:
      return "distribution";
    case Tier::margin:
      return "margin";
    case Tier::exact:
      return "exact";
  }
  return "";
}

std::string_view to_string(Finish finish) {
  switch (finish) {
    case Finish::end_of_text:
      return "end_of_text";
    case Finish::stop_string:
      return "stop_string";
    case Finish::max_tokens:
      return "max_tokens";
    case Finish::context_full:
      return "context_full";
    case Finish::cancelled:
      return "cancelled";
  }
  return "";
}

double Generation::tokens_per_s() const {
  return decode_ms > 0 ? 1000 * static_cast<double>(tokens.size()) / decode_ms : 0;
}

double Generation::tokens_per_step() const {
  // The first token came with the prompt.
  return steps > 0 && !tokens.empty()
             ? static_cast<double>(tokens.size() - 1) / static_cast<double>(steps)
             : 0;
}

namespace {

constexpr std::string_view kProfileSchema = "sosia.llm.step_cost/1";

fs::path profile_file(const Engine& engine, const EngineOptions& options) {
  const fs::path folder = user_folder("XDG_CACHE_HOME", ".cache");
  if (folder.empty()) return {};
  const ModelInfo& info = engine.info();
  const std::string key =
      fmt::format("{} {} {} {} {} {} {}", info.key.tokenizer, info.key.model, info.backend,
                  info.engine, options.threads, engine.context(), info.exactness);
  return folder / "sosia" / "llm" / ("profile-" + sha256_hex(key).substr(0, 32) + ".json");
}

Value to_value(const std::vector<CostCurve>& curves) {
  Value list = Value::list();
  for (const CostCurve& curve : curves) {
    Value points = Value::list();
    for (const auto& [n, ms] : curve.points) points.push(Value::list({n, ms}));
    list.push(Value::object({{"context", curve.context}, {"points", std::move(points)}}));
  }
  return Value::object({{"schema", std::string(kProfileSchema)}, {"curves", std::move(list)}});
}

std::vector<CostCurve> from_value(const Value& value) {
  if (value.at("schema").as_text() != kProfileSchema) {
    throw Error(ErrorCode::unsupported, "a profile of another version");
  }
  std::vector<CostCurve> curves;
  for (const Value& item : value.at("curves").as_list()) {
    CostCurve curve;
    curve.context = static_cast<std::size_t>(item.at("context").as_integer());
    for (const Value& point : item.at("points").as_list()) {
      const auto& pair = point.as_list();
      if (pair.size() != 2) throw Error(ErrorCode::corrupt_data, "a point is a pair");
      curve.points.emplace_back(static_cast<std::size_t>(pair[0].as_integer()), pair[1].as_real());
    }
    curves.push_back(std::move(curve));
  }
  return curves;
}

}  // namespace

StepCost load_profile(Engine& engine, const EngineOptions& options, bool fresh,
                      const std::function<void(std::size_t, std::size_t)>& on_progress) {
  const fs::path file = profile_file(engine, options);
  if (!fresh && !file.empty()) {
    try {
      return StepCost(from_value(parse_json(read_text(file))));
    } catch (const Error&) {
      // None yet, or one that cannot be read: measured anew.
    }
  }
  constexpr int kRounds = 2;
  std::vector<CostCurve> curves = engine.measure(kRounds, on_progress);
  if (!file.empty()) {
    try {
      fs::create_directories(file.parent_path());
      write_file(file, to_json(to_value(curves)), Overwrite::replace);
    } catch (const std::exception&) {
      // A cache that cannot be written costs the next start some seconds.
    }
  }
  return StepCost(std::move(curves));
}

fs::path find_model(const std::string& option) {
  if (!option.empty()) return option;
  const fs::path file = fs::path(SOSIA_MODELS_DIR) / "smollm2-135m-instruct-q4_1.gguf";
  std::error_code error;
  if (fs::exists(file, error)) return file;
  throw Error(ErrorCode::not_found, "the default language model is not installed",
              "`make setup` installs it, or give a GGUF file with --model");
}

}  // namespace sosia::llm

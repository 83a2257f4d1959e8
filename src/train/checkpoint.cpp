#include "train/checkpoint.hpp"

#include "sosia/core/error.hpp"
#include "sosia/core/text.hpp"
#include "sosia/core/value.hpp"
#include "tensor/device.hpp"

#include <algorithm>

namespace sosia::train {

namespace fs = std::filesystem;

namespace {

Value to_value(const std::vector<LogLine>& lines) {
  Value list = Value::list();
  for (const LogLine& line : lines) {
    Value figures = Value::object();
    for (const auto& [name, value] : line.figures) figures.set(name, value);
    list.push(Value::object({{"step", static_cast<std::int64_t>(line.step)},
                             {"epoch", line.epoch},
                             {"loss", line.loss},
                             {"learning_rate", line.learning_rate},
                             {"figures", figures}}));
  }
  return list;
}

std::vector<LogLine> lines_from(const Value& list) {
  std::vector<LogLine> lines;
  const auto& rows = list.as_list();
  for (const Value& row : rows) {
    LogLine line{.step = static_cast<std::uint64_t>(row.at("step").as_integer()),
                 .epoch = row.at("epoch").as_real(),
                 .loss = row.at("loss").as_real(),
                 .learning_rate = row.at("learning_rate").as_real(),
                 .figures = {}};
    for (const auto& [name, value] : row.at("figures").as_object()) {
      line.figures.emplace_back(name, value.is_null() ? 0 : value.as_real());
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

tensor::NamedTensors all_tensors(const RunState& state) {
  tensor::NamedTensors out;
  for (const auto& [prefix, module] : state.task.modules()) {
    for (const auto& [name, tensor] : tensor::state_of(*module)) {
      out.emplace_back("module." + prefix + "." + name, tensor);
    }
  }
  for (const auto& [name, tensor] : state.optimiser.state()) {
    out.emplace_back("optimiser." + name, tensor);
  }
  for (const auto& [name, tensor] : state.average) out.emplace_back("average." + name, tensor);
  out.emplace_back("generator", tensor::generator_state(state.generator));
  return out;
}

/// The tensors behind `prefix`, without it.
tensor::NamedTensors behind(const tensor::NamedTensors& all, const std::string& prefix) {
  tensor::NamedTensors out;
  for (const auto& [name, tensor] : all) {
    if (name.starts_with(prefix)) out.emplace_back(name.substr(prefix.size()), tensor);
  }
  return out;
}

}  // namespace

void save_state(const fs::path& file, const RunState& state, const std::string& recipe) {
  const Position& at = state.position;
  const Value where = Value::object({{"epoch", static_cast<std::int64_t>(at.epoch)},
                                     {"batch", static_cast<std::int64_t>(at.batch)},
                                     {"step", static_cast<std::int64_t>(at.step)},
                                     {"best", at.best},
                                     {"since_best", at.since_best},
                                     {"has_best", at.has_best},
                                     {"log", to_value(state.log)},
                                     {"evaluations", to_value(state.evaluations)}});
  tensor::write_checkpoint(
      file, all_tensors(state),
      {{"format", "sosia.training/1"}, {"recipe", recipe}, {"state", to_json(where, -1)}},
      Overwrite::replace);
}

void load_state(const fs::path& file, RunState& state, const std::string& recipe) {
  if (!fs::exists(file)) {
    throw Error(ErrorCode::not_found,
                "there is no checkpoint to go on with: " + quote(file.string()),
                "leave --resume out to begin");
  }
  const tensor::Checkpoint found = tensor::read_checkpoint(file);
  const auto text = [&](const char* key) -> std::string {
    for (const auto& [name, value] : found.metadata) {
      if (name == key) return value;
    }
    throw Error(ErrorCode::corrupt_data, "this is no checkpoint of a training", {}, file.string());
  };
  if (text("format") != "sosia.training/1" || text("recipe") != recipe) {
    throw Error(ErrorCode::corrupt_data, "the checkpoint belongs to another recipe",
                "give the recipe that it was made with (recipe.toml of the run), or begin anew "
                "with --force",
                file.string());
  }
  const Value where = parse_json(text("state"), file.string());
  for (const auto& [prefix, module] : state.task.modules()) {
    tensor::load_state(*module, behind(found.tensors, "module." + prefix + "."), file.string());
  }
  state.optimiser.load_state(behind(found.tensors, "optimiser."), file.string());
  state.average = behind(found.tensors, "average.");
  for (const auto& [name, tensor] : found.tensors) {
    if (name == "generator") tensor::set_generator_state(state.generator, tensor);
  }
  state.position = {.epoch = static_cast<std::uint64_t>(where.at("epoch").as_integer()),
                    .batch = static_cast<std::uint64_t>(where.at("batch").as_integer()),
                    .step = static_cast<std::uint64_t>(where.at("step").as_integer()),
                    .best = where.at("best").as_real(),
                    .since_best = where.at("since_best").as_integer(),
                    .has_best = where.at("has_best").as_boolean()};
  state.log = lines_from(where.at("log"));
  state.evaluations = lines_from(where.at("evaluations"));
}

}  // namespace sosia::train

#include "train/loop.hpp"

#include "sosia/core/error.hpp"
#include "sosia/core/text.hpp"
#include "tensor/device.hpp"
#include "tensor/error.hpp"
#include "tensor/image.hpp"
#include "train/checkpoint.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include <ATen/autocast_mode.h>
#include <fmt/format.h>

namespace sosia::train {

namespace fs = std::filesystem;

void describe(Fields& f, LoopSpec& o) {
  f({.name = "epochs", .help = "passes over the data", .min = 1, .max = 1e6}, o.epochs);
  f({.name = "accumulate", .help = "batches of a step", .min = 1, .max = 4096}, o.accumulate);
  f({.name = "clip", .help = "longest gradient; 0: any", .min = 0}, o.clip);
  f({.name = "ema",
     .help = "decay of the moving average of the weights; 0: none",
     .min = 0,
     .below = 1},
    o.ema);
  f({.name = "bf16", .help = "forward passes in bfloat16"}, o.bf16);
  f({.name = "log_every", .help = "steps between lines of the log", .min = 1}, o.log_every);
  f({.name = "checkpoint_every", .help = "epochs between checkpoints", .min = 1},
    o.checkpoint_every);
  f({.name = "evaluate_every", .help = "epochs between evaluations; 0: at the end only", .min = 0},
    o.evaluate_every);
  f({.name = "patience",
     .help = "evaluations without a better one before the run stops; 0: never",
     .min = 0},
    o.patience);
  f.section("optimiser", o.optimiser);
  f({.name = "vector_rate",
     .help = "learning rate of biases and norms, relative",
     .min = 0,
     .max = 100},
    o.vector_rate);
  f.section("schedule", o.schedule);
}

namespace {

/// Forward passes in bfloat16 while it lives.
class Autocast {
 public:
  Autocast(bool on, at::DeviceType device) : on_(on), device_(device) {
    if (!on_) return;
    at::autocast::set_autocast_dtype(device_, at::kBFloat16);
    at::autocast::set_autocast_enabled(device_, true);
    at::autocast::increment_nesting();
  }
  ~Autocast() {
    if (!on_) return;
    at::autocast::decrement_nesting();
    at::autocast::clear_cache();
    at::autocast::set_autocast_enabled(device_, false);
  }
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;

 private:
  bool on_;
  at::DeviceType device_;
};

/// Biases and norms neither decay nor are adapted (split_vectors), and may have a rate of their
/// own.
std::vector<ParameterGroup> groups_of(Task& task, const LoopSpec& spec) {
  std::vector<ParameterGroup> groups = task.parameters();
  for (ParameterGroup& group : groups) {
    if (!group.adapt) group.lr_scale *= spec.vector_rate;
  }
  return groups;
}

/// Shortens all gradients together to the length `most`.
void clip_gradients(const std::vector<ParameterGroup>& groups, double most) {
  double square = 0;
  for (const ParameterGroup& group : groups) {
    for (const auto& [name, value] : group.parameters) {
      if (value.grad().defined()) square += std::pow(value.grad().norm().item<double>(), 2);
    }
  }
  const double length = std::sqrt(square);
  if (length <= most) return;
  const torch::NoGradGuard no_grad;
  for (const ParameterGroup& group : groups) {
    for (const auto& [name, value] : group.parameters) {
      if (value.grad().defined()) value.grad().mul_(most / (length + 1e-6));
    }
  }
}

std::string csv_of(const std::vector<LogLine>& log) {
  std::string out = "step,epoch,loss,learning_rate";
  if (!log.empty()) {
    for (const auto& [name, value] : log.front().figures) out += "," + name;
  }
  out += "\n";
  for (const LogLine& line : log) {
    out += fmt::format("{},{},{},{}", line.step, line.epoch, line.loss, line.learning_rate);
    for (const auto& [name, value] : line.figures) out += fmt::format(",{}", value);
    out += "\n";
  }
  return out;
}

class Loop {
 public:
  Loop(Task& task, data::Loader& loader, const LoopSpec& spec, at::Generator& generator,
       Processes& processes, const TrainingRequest& request, RunContext& run)
      : task_(task),
        loader_(loader),
        spec_(spec),
        recipe_(to_json(request.recipe, -1)),
        processes_(processes),
        request_(request),
        run_(run),
        device_(tensor::find_device(run.device())),
        optimiser_(make_optimiser(spec.optimiser, groups_of(task, spec))),
        state_{task, *optimiser_, generator, average_, {}, {}, {}} {
    tensor::set_threads(run.threads());
    if (spec.ema > 0) {
      for (const auto& [name, tensor] : tensor::state_of(model())) {
        average_.emplace_back(name, tensor.detach().clone());
      }
    }
    if (request.resume) load_state(checkpoint(), state_, recipe_);
    for (const auto& [prefix, module] : task.modules()) {
      broadcast_all(processes_, tensor::state_of(*module));
    }
    loader_.seek(state_.position.epoch, state_.position.batch);
  }

  LoopResult operator()() {
    try {
      while (state_.position.epoch < static_cast<std::uint64_t>(spec_.epochs) && !stopped_) epoch();
    } catch (const Error& error) {
      // Between two steps everything is whole: what was trained is kept.
      if (error.code() == ErrorCode::cancelled) save();
      throw;
    }
    if (state_.evaluations.empty() || state_.evaluations.back().step != state_.position.step)
      evaluate();
    save();
    if (!average_.empty()) take_average();
    return {state_.position.step, stopped_, state_.log, state_.evaluations};
  }

 private:
  torch::nn::Module& model() { return *task_.modules().front().second; }
  fs::path checkpoint() const { return request_.out / "checkpoint" / "last.safetensors"; }

  void set_training(bool on) {
    for (const auto& [prefix, module] : task_.modules()) module->train(on);
  }

  void epoch() {
    Position& at = state_.position;
    const std::uint64_t batches = loader_.batches(at.epoch);
    set_training(true);
    for (std::optional<data::Batch> batch; (batch = loader_.next());) {
      run_.progress("training", at.epoch * batches + batch->number,
                    static_cast<std::uint64_t>(spec_.epochs) * batches);
      one_batch(*batch, batches);
      at.batch = batch->number + 1;
      loader_.recycle(std::move(*batch));
    }
    ++at.epoch;
    at.batch = 0;
    const auto done = static_cast<std::int64_t>(at.epoch);
    if (spec_.evaluate_every > 0 && done % spec_.evaluate_every == 0) evaluate();
    if (done % spec_.checkpoint_every == 0) save();
  }

  void one_batch(data::Batch& batch, std::uint64_t batches) {
    std::vector<at::Tensor> views;
    for (std::vector<float>& view : batch.views) {
      views.push_back(tensor::view_of(view, batch.shape).to(device_));
    }
    const at::Tensor subjects = at::tensor(batch.subjects, at::kLong).to(device_);
    const double epoch = static_cast<double>(batch.epoch) +
                         static_cast<double>(batch.number) / static_cast<double>(batches);
    const auto share = static_cast<std::uint64_t>(spec_.accumulate);
    if (batch.number % share == 0) optimiser_->zero_grad();
    const StepResult result = tensor::guarded("train a step", {{"batch", views.front()}}, [&] {
      StepResult step;
      {
        const Autocast autocast(spec_.bf16, device_.type());
        step = task_.step(views, subjects);
      }
      (step.loss / static_cast<double>(spec_.accumulate)).backward();
      return step;
    });
    const double loss = result.loss.item<double>();
    if (!std::isfinite(loss)) stop_for(loss);
    if ((batch.number + 1) % share != 0 && batch.number + 1 != batches) return;
    const double factor = rate_factor(spec_.schedule, epoch, static_cast<double>(spec_.epochs));
    if (processes_.size() > 1) average_all_gradients();
    if (spec_.clip > 0) clip_gradients(optimiser_->groups(), spec_.clip);
    optimiser_->step(factor);
    ++state_.position.step;
    move_average();
    if (state_.position.step % static_cast<std::uint64_t>(spec_.log_every) == 1 ||
        spec_.log_every == 1) {
      state_.log.push_back(
          {state_.position.step, epoch, loss, spec_.optimiser.lr * factor, result.figures});
    }
  }

  void average_all_gradients() {
    std::vector<at::Tensor> parameters;
    for (const ParameterGroup& group : optimiser_->groups()) {
      for (const auto& [name, value] : group.parameters) parameters.push_back(value);
    }
    average_gradients(processes_, parameters);
  }

  [[noreturn]] void stop_for(double loss) {
    const bool kept = !request_.out.empty() && fs::exists(checkpoint());
    throw Error(
        ErrorCode::invalid_argument,
        fmt::format("the loss is {} at step {} of epoch {}", loss, state_.position.step + 1,
                    state_.position.epoch),
        "lower loop.optimiser.lr, lengthen loop.schedule.warm_up_epochs or set loop.clip",
        kept ? "last good checkpoint: " + checkpoint().string() : "no checkpoint was written yet");
  }

  // Weights are averaged, buffers taken as they are: statistics of norms average themselves.
  void move_average() {
    if (average_.empty()) return;
    const torch::NoGradGuard no_grad;
    const auto parameters = model().named_parameters();
    const auto buffers = model().named_buffers();
    for (auto& [name, mean] : average_) {
      if (const at::Tensor* now = parameters.find(name)) {
        mean.lerp_(*now, 1 - spec_.ema);
      } else if (const at::Tensor* buffer = buffers.find(name)) {
        mean.copy_(*buffer);
      }
    }
  }

  void take_average() { tensor::load_state(model(), average_, "moving average"); }

  void evaluate() {
    tensor::NamedTensors own;
    if (!average_.empty()) {  // what is kept at the end is what is measured
      for (const auto& [name, tensor] : tensor::state_of(model())) {
        own.emplace_back(name, tensor.detach().clone());
      }
      take_average();
    }
    set_training(false);
    Figures figures;
    {
      const torch::NoGradGuard no_grad;
      figures = task_.evaluate(run_);
    }
    set_training(true);
    if (!own.empty()) tensor::load_state(model(), own, "weights");
    Position& at = state_.position;
    state_.evaluations.push_back({at.step, static_cast<double>(at.epoch), 0, 0, figures});
    if (figures.empty()) return;
    const double now = figures.front().second;
    at.since_best = !at.has_best || now > at.best ? 0 : at.since_best + 1;
    if (!at.has_best || now > at.best) at.best = now;
    at.has_best = true;
    stopped_ = spec_.patience > 0 && at.since_best >= spec_.patience;
  }

  void save() {
    if (request_.out.empty() || processes_.rank() != 0) return;
    std::error_code error;
    fs::create_directories(request_.out / "checkpoint", error);
    save_state(checkpoint(), state_, recipe_);
    AtomicFile log(request_.out / "log.csv", Overwrite::replace);
    log.write(csv_of(state_.log));
    log.commit();
  }

  Task& task_;
  data::Loader& loader_;
  const LoopSpec& spec_;
  std::string recipe_;
  Processes& processes_;
  const TrainingRequest& request_;
  RunContext& run_;
  at::Device device_;
  std::unique_ptr<Optimiser> optimiser_;
  tensor::NamedTensors average_;
  RunState state_;
  bool stopped_ = false;
};

}  // namespace

LoopResult run_loop(Task& task, data::Loader& loader, const LoopSpec& spec,
                    at::Generator& generator, Processes& processes, const TrainingRequest& request,
                    RunContext& run) {
  return Loop(task, loader, spec, generator, processes, request, run)();
}

void add_curves(Report& report, const LoopResult& result) {
  const auto plot = [&](const std::string& key, const std::string& title, auto value) {
    Plot out;
    out.key = key;
    out.title = title;
    out.x_label = "step";
    out.y_label = title;
    Series series;
    series.name = title;
    for (const LogLine& line : result.log) {
      series.x.push_back(static_cast<double>(line.step));
      series.y.push_back(value(line));
    }
    out.series.push_back(std::move(series));
    report.plot(std::move(out));
  };
  plot("loss", "loss", [](const LogLine& line) { return line.loss; });
  plot("learning_rate", "learning rate", [](const LogLine& line) { return line.learning_rate; });
  if (!result.log.empty()) {
    for (std::size_t i = 0; i < result.log.front().figures.size(); ++i) {
      const std::string name = result.log.front().figures[i].first;
      plot("step_" + name, name, [i](const LogLine& line) { return line.figures[i].second; });
    }
  }
  if (result.evaluations.empty() || result.evaluations.front().figures.empty()) return;
  std::vector<Column> columns{{"epoch", "", ""}, {"step", "", ""}};
  for (const auto& [name, value] : result.evaluations.front().figures)
    columns.push_back({name, "", ""});
  Table& table = report.table("evaluations", "On held-out data", columns);
  for (const LogLine& line : result.evaluations) {
    std::vector<Value> row{line.epoch, static_cast<std::int64_t>(line.step)};
    for (const auto& [name, value] : line.figures) row.emplace_back(value);
    table.rows.push_back(std::move(row));
  }
}

}  // namespace sosia::train

#include "train/plan.hpp"

#include "sosia/core/error.hpp"
#include "sosia/core/files.hpp"
#include "sosia/core/text.hpp"
#include "sosia/core/value.hpp"
#include "tensor/device.hpp"
#include "tensor/image.hpp"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

namespace sosia::train {

namespace {

constexpr int kMeasured = 2;  // steps; the first one also makes kernels and buffers

double measured_step_s(Task& task, data::Loader& loader, RunContext& run) {
  const at::Device device = tensor::find_device(run.device());
  double least = 0;
  for (int i = 0; i <= kMeasured; ++i) {
    std::optional<data::Batch> batch = loader.next();
    if (!batch) break;
    run.check_cancelled();
    const auto begin = std::chrono::steady_clock::now();
    std::vector<at::Tensor> views;
    for (auto& view : batch->views) views.push_back(tensor::view_of(view, batch->shape).to(device));
    task.step(views, at::tensor(batch->subjects, at::kLong).to(device)).loss.backward();
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - begin;
    least = i <= 1 ? spent.count() : std::min(least, spent.count());
  }
  return least;
}

}  // namespace

Report plan_report(Task& task, data::Loader& loader, const LoopSpec& spec,
                   const std::string& described, RunContext& run) {
  tensor::set_threads(run.threads());
  const std::uint64_t batches = loader.batches(0);
  std::int64_t parameters = 0;
  for (const auto& [prefix, module] : task.modules())
    parameters += tensor::count_parameters(*module);
  const auto steps = batches * static_cast<std::uint64_t>(spec.epochs) /
                     static_cast<std::uint64_t>(spec.accumulate);
  const double step_s = measured_step_s(task, loader, run);
  Report report("train.plan", "what the training would do");
  report.scalar("data", described);
  report.scalar("parameters", parameters);
  report.scalar("steps", static_cast<std::int64_t>(steps));
  report.scalar("measured_step_s", step_s, "a measured step", "s");
  const double total_s = step_s * static_cast<double>(batches) * static_cast<double>(spec.epochs);
  report.scalar("estimated_s", total_s, "estimated time", "s");
  // Weights, gradients, and one (sgd, lars) or two (adam) buffers of the optimiser.
  const bool adam =
      spec.optimiser.kind == OptimiserKind::adam || spec.optimiser.kind == OptimiserKind::adamw;
  const int copies = (adam ? 4 : 3) + (spec.ema > 0 ? 1 : 0);
  report.scalar("weights_bytes", parameters * 4 * copies, "memory of weights and optimiser",
                "bytes");
  report.verdict(fmt::format("{} steps of {:.3g} s: about {:.3g} minutes; nothing was trained",
                             steps, step_s, total_s / 60));
  return report;
}

void begin_run(const TrainingRequest& request, Processes& processes, RunContext& run) {
  if (processes.rank() != 0) return;
  const std::filesystem::path recipe = request.out / "recipe.toml";
  if (std::filesystem::exists(recipe) && !request.resume && run.overwrite() == Overwrite::refuse) {
    throw Error(ErrorCode::conflict, quote(request.out.string()) + " holds another run",
                "--resume goes on with it, --force begins anew, --out takes another folder");
  }
  std::error_code failed;
  std::filesystem::create_directories(request.out, failed);
  AtomicFile file(recipe, Overwrite::replace);
  file.write(to_toml(request.recipe));
  file.commit();
  run.note_output(recipe);
}

Report training_report(const std::string& name, const TrainingRequest& request,
                       const LoopResult& result, const data::Loader& loader,
                       const std::string& described, RunContext& run) {
  run.note_output(request.out / "log.csv");
  Report report("train", name);
  report.scalar("data", described);
  report.scalar("steps", static_cast<std::int64_t>(result.steps));
  if (!result.log.empty())
    report.scalar("loss", result.log.back().loss, "loss of the last logged step");
  if (!result.evaluations.empty()) {
    for (const auto& [key, value] : result.evaluations.back().figures) report.scalar(key, value);
  }
  report.scalar("stopped_early", result.stopped_early);
  report.scalar("model", (request.out / "model.safetensors").string());
  if (loader.unreadable_count() > 0) {
    Table& table = report.table("unreadable", "Pictures that could not be read",
                                {{"file", "", ""}, {"reason", "", ""}});
    for (const data::Unreadable& bad : loader.unreadable()) table.add({bad.name, bad.reason});
    report.warning(
        fmt::format("{} pictures could not be read; others of their subjects took their place",
                    loader.unreadable_count()));
  }
  add_curves(report, result);
  report.verdict(fmt::format("{} steps; the model is {}", result.steps,
                             (request.out / "model.safetensors").string()));
  return report;
}

}  // namespace sosia::train

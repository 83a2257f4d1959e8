#include "face/methods/barlow_twins/barlow_twins.hpp"

#include "sosia/core/error.hpp"
#include "tensor/device.hpp"
#include "train/plan.hpp"

namespace sosia::face::barlow_twins {

void describe(Fields& f, Recipe& o) {
  f({.name = "name", .help = "name of the model's card"}, o.name);
  f({.name = "lambda",
     .help = "weight of the redundancy term",
     .symbol = "lambda",
     .min = 0,
     .max = 10},
    o.lambda);
  f({.name = "projector", .help = "sizes of the projector's layers", .min = 1, .max = 65536},
    o.projector);
  f({.name = "invariance", .help = "the term that pulls the views together"}, o.invariance);
  f({.name = "redundancy", .help = "the term that drives components apart"}, o.redundancy);
  f({.name = "view1", .help = "steps of the first view (default: as published)"}, o.view1);
  f({.name = "view2", .help = "steps of the second view (default: as published)"}, o.view2);
  f({.name = "held_out",
     .help = "share of the subjects that is kept for evaluation",
     .above = 0,
     .below = 1},
    o.held_out);
  f.require(!o.projector.empty(), "projector has at least one size");
  f.require(o.invariance || o.redundancy, "one of invariance and redundancy is needed");
  f.section("data", o.data);
  f.section("sampler", o.sampler);
  f.section("network", o.network);
  f.section("input", o.input);
  f.section("loop", o.loop);
}

BarlowTask::BarlowTask(std::shared_ptr<nn::Network> network,
                       const std::vector<std::int64_t>& projector, const nn::BarlowOptions& options,
                       at::Device device, at::Generator& generator, nn::AllReduce sum,
                       std::function<train::Figures(RunContext&)> evaluate)
    : network_(std::move(network)),
      projector_(network_->dimension(), projector, generator),
      options_(options),
      sum_(std::move(sum)),
      evaluate_(std::move(evaluate)) {
  network_->to(device);
  projector_->to(device);
  if (sum_) {
    nn::synchronise_batch_norms(*network_, sum_);
    nn::synchronise_batch_norms(*projector_, sum_);
  }
}

std::vector<std::pair<std::string, torch::nn::Module*>> BarlowTask::modules() {
  return {{"network", network_.get()}, {"projector", projector_.get()}};
}

std::vector<train::ParameterGroup> BarlowTask::parameters() {
  std::vector<train::ParameterGroup> out;
  for (const auto& [prefix, module] : modules()) {
    for (train::ParameterGroup& group : train::split_vectors(*module, prefix + ".")) {
      out.push_back(std::move(group));
    }
  }
  return out;
}

train::StepResult BarlowTask::step(const std::vector<at::Tensor>& views, const at::Tensor&) {
  const at::Tensor z1 = projector_(network_->forward(views.at(0)));
  const at::Tensor z2 = projector_(network_->forward(views.at(1)));
  const nn::BarlowLoss loss = nn::barlow_loss(z1, z2, options_, sum_);
  return {.loss = loss.loss,
          .figures = {
              {"invariance", loss.invariance},
              {"redundancy", loss.redundancy},
              {"noise_floor", nn::barlow_noise_floor(z1.size(0), z1.size(1), options_.lambda)}}};
}

train::Figures BarlowTask::evaluate(RunContext& run) {
  return evaluate_ ? evaluate_(run) : train::Figures{};
}

namespace {

std::vector<data::Pipeline> views_of(const Recipe& recipe) {
  const bool square = recipe.network.width_px == recipe.network.height_px;
  if ((recipe.view1.empty() || recipe.view2.empty()) && !square) {
    throw Error(ErrorCode::usage,
                "the published views are square, but the network's pictures are not",
                "give the steps of view1 and view2");
  }
  const int side = static_cast<int>(recipe.network.height_px);
  return {data::Pipeline(recipe.view1.empty() ? data::barlow_view(0, side) : recipe.view1),
          data::Pipeline(recipe.view2.empty() ? data::barlow_view(1, side) : recipe.view2)};
}

struct Parts {
  std::shared_ptr<train::Processes> processes;
  at::Generator generator;
  std::shared_ptr<const data::Dataset> train, held_out;
  std::shared_ptr<nn::Network> network;
  std::unique_ptr<BarlowTask> task;
  std::unique_ptr<data::Loader> loader;
};

Parts make_parts(const Recipe& recipe, RunContext& run) {
  Parts out;
  out.processes = train::join_processes();
  const at::Device device = tensor::find_device(run.device());
  out.generator = tensor::make_generator(run.seed(), device);
  std::tie(out.train, out.held_out) =
      data::split_subjects(data::open_dataset(recipe.data), recipe.held_out, run.seed());
  out.network = nn::make_network(recipe.network, out.generator);
  const auto evaluate = [network = out.network, set = out.held_out, &recipe](RunContext& context) {
    std::vector<std::int64_t> labels;
    for (std::size_t i = 0; i < set->size(); ++i) labels.push_back(set->item(i).subject);
    return train::embedding_figures(
        train::embed(*network, set, recipe.network, recipe.input, context), labels);
  };
  out.task = std::make_unique<BarlowTask>(
      out.network, recipe.projector,
      nn::BarlowOptions{recipe.lambda, recipe.invariance, recipe.redundancy}, device, out.generator,
      train::summer(*out.processes), evaluate);
  data::LoaderOptions options;
  options.seed = run.seed();
  options.rank = out.processes->rank();
  options.processes = out.processes->size();
  options.workers = run.threads();
  options.planar = train::planar_of(recipe.input);
  options.grey = recipe.network.channels == 1;
  out.loader = std::make_unique<data::Loader>(out.train, recipe.sampler, views_of(recipe), options);
  return out;
}

}  // namespace

Report plan_barlow_twins(const Recipe& recipe, const TrainingRequest&, RunContext& run) {
  const Parts parts = make_parts(recipe, run);
  return train::plan_report(*parts.task, *parts.loader, recipe.loop, parts.train->described(), run);
}

Report train_barlow_twins(const Recipe& recipe, const TrainingRequest& request, RunContext& run) {
  Parts parts = make_parts(recipe, run);
  train::begin_run(request, *parts.processes, run);
  const train::LoopResult result = train::run_loop(*parts.task, *parts.loader, recipe.loop,
                                                   parts.generator, *parts.processes, request, run);
  parts.processes->finish();
  if (parts.processes->rank() == 0) {
    train::write_model(
        request,
        {.name = recipe.name,
         .title = recipe.network.architecture + ", trained by Barlow Twins without labels",
         .described = parts.train->described(),
         .reference = "Zbontar et al., ICML 2021"},
        *parts.network, recipe.network, recipe.input, run);
  }
  return train::training_report(recipe.name, request, result, *parts.loader,
                                parts.train->described(), run);
}

}  // namespace sosia::face::barlow_twins

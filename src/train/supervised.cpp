#include "train/supervised.hpp"

#include "nn/heads.hpp"
#include "nn/loss.hpp"
#include "nn/margin.hpp"
#include "sosia/core/error.hpp"
#include "tensor/device.hpp"
#include "train/plan.hpp"

#include <fmt/format.h>

namespace sosia::train {

void describe(Fields& f, SupervisedRecipe& o) {
  using Loss = SupervisedRecipe::Loss;
  f({.name = "name", .help = "name of the model's card"}, o.name);
  f({.name = "role",
     .help = "what the embedding is of",
     .choices = {"face_embedder", "person_embedder"}},
    o.role);
  f.choice(
      {.name = "loss", .help = "loss; softmax_triplet is the strong baseline of re-identification"},
      o.loss,
      {{"softmax", Loss::softmax},
       {"arcface", Loss::arcface},
       {"cosface", Loss::cosface},
       {"adaface", Loss::adaface},
       {"triplet", Loss::triplet},
       {"softmax_triplet", Loss::softmax_triplet}});
  f({.name = "margin", .help = "margin of the loss; -1: as published", .min = -1, .max = 10},
    o.margin);
  f({.name = "scale", .help = "scale of cosines", .symbol = "s", .max = 1000, .above = 0}, o.scale);
  f({.name = "smoothing", .help = "label smoothing", .min = 0, .below = 1}, o.smoothing);
  f({.name = "centre_weight", .help = "weight of the centre loss", .min = 0, .max = 10},
    o.centre_weight);
  f({.name = "held_out",
     .help = "share of the subjects that is kept for evaluation",
     .above = 0,
     .below = 1},
    o.held_out);
  f({.name = "transforms", .help = "steps of a picture, each a name and its numbers"},
    o.transforms);
  f.section("data", o.data);
  f.section("sampler", o.sampler);
  f.section("network", o.network);
  f.section("input", o.input);
  f.section("loop", o.loop);
}

namespace {

class Supervised final : public Task {
 public:
  Supervised(const SupervisedRecipe& recipe, std::shared_ptr<nn::Network> network,
             std::shared_ptr<const data::Dataset> held_out, std::int64_t classes, at::Device device,
             at::Generator& generator)
      : recipe_(recipe), network_(std::move(network)), held_out_(std::move(held_out)) {
    using Loss = SupervisedRecipe::Loss;
    const std::int64_t d = network_->dimension();
    const double margin = recipe.margin;
    const auto or_published = [&](double published) { return margin < 0 ? published : margin; };
    switch (recipe.loss) {
      case Loss::arcface:
        angular_ = nn::MarginHead(
            d, classes, nn::MarginOptions{.m2 = or_published(0.5), .m3 = 0, .s = recipe.scale},
            generator);
        break;
      case Loss::cosface:
        angular_ = nn::MarginHead(
            d, classes, nn::MarginOptions{.m2 = 0, .m3 = or_published(0.4), .s = recipe.scale},
            generator);
        break;
      case Loss::adaface:
        adaface_ = nn::AdaFaceHead(
            d, classes, nn::AdaFaceOptions{.m = or_published(0.4), .s = recipe.scale}, generator);
        break;
      case Loss::softmax:
      case Loss::softmax_triplet:
        neck_ = nn::BnNeck(d, classes, generator);
        break;
      case Loss::triplet:
        break;
    }
    if (recipe.centre_weight > 0) centres_ = nn::Centres(d, classes, generator);
    for (const auto& [prefix, module] : modules()) module->to(device);
  }

  std::vector<std::pair<std::string, torch::nn::Module*>> modules() override {
    std::vector<std::pair<std::string, torch::nn::Module*>> out{{"network", network_.get()}};
    if (angular_) out.emplace_back("head", angular_.get());
    if (adaface_) out.emplace_back("head", adaface_.get());
    if (neck_) out.emplace_back("neck", neck_.get());
    if (centres_) out.emplace_back("centres", centres_.get());
    return out;
  }

  std::vector<ParameterGroup> parameters() override {
    std::vector<ParameterGroup> out;
    for (const auto& [prefix, module] : modules()) {
      for (ParameterGroup& group : split_vectors(*module, prefix + "."))
        out.push_back(std::move(group));
      // Published with a step of their own of 0.5 and gradients divided by the weight.
      if (prefix == "centres")
        out.back().lr_scale = 0.5 / recipe_.centre_weight / recipe_.loop.optimiser.lr;
    }
    return out;
  }

  StepResult step(const std::vector<at::Tensor>& views, const at::Tensor& subjects) override {
    using Loss = SupervisedRecipe::Loss;
    const at::Tensor features = network_->forward(views.front());
    StepResult out;
    at::Tensor logits;
    if (angular_) logits = angular_(features, subjects);
    if (adaface_) logits = adaface_(features, subjects);
    if (neck_) logits = neck_->classify(neck_(features));
    if (logits.defined()) {
      out.loss = nn::cross_entropy(logits, subjects, recipe_.smoothing);
      out.figures.emplace_back("accuracy",
                               logits.argmax(1).eq(subjects).to(at::kFloat).mean().item<double>());
    }
    if (recipe_.loss == Loss::triplet || recipe_.loss == Loss::softmax_triplet) {
      const at::Tensor triplet =
          nn::triplet_batch_hard(features, subjects, recipe_.margin < 0 ? 0.3 : recipe_.margin);
      out.loss = out.loss.defined() ? out.loss + triplet : triplet;
      out.figures.emplace_back("triplet", triplet.item<double>());
    }
    if (centres_) {
      out.loss =
          out.loss + recipe_.centre_weight * nn::centre_loss(features, subjects, centres_->weight);
    }
    return out;
  }

  Figures evaluate(RunContext& run) override {
    std::vector<std::int64_t> labels;
    for (std::size_t i = 0; i < held_out_->size(); ++i)
      labels.push_back(held_out_->item(i).subject);
    return embedding_figures(embed(*network_, held_out_, recipe_.network, recipe_.input, run),
                             labels);
  }

 private:
  const SupervisedRecipe& recipe_;
  std::shared_ptr<nn::Network> network_;
  std::shared_ptr<const data::Dataset> held_out_;
  nn::MarginHead angular_{nullptr};
  nn::AdaFaceHead adaface_{nullptr};
  nn::BnNeck neck_{nullptr};
  nn::Centres centres_{nullptr};
};

std::vector<std::string> steps_of(const SupervisedRecipe& recipe) {
  std::vector<std::string> steps = recipe.transforms;
  if (data::Pipeline(steps).extent().width_px == 0) {
    steps.insert(steps.begin(), fmt::format("resize height={} width={}", recipe.network.height_px,
                                            recipe.network.width_px));
  }
  const image::Extent extent = data::Pipeline(steps).extent();
  if (extent.width_px != recipe.network.width_px || extent.height_px != recipe.network.height_px) {
    throw Error(ErrorCode::usage,
                fmt::format("the transforms give pictures of {} x {}, the network takes {} x {}",
                            extent.width_px, extent.height_px, recipe.network.width_px,
                            recipe.network.height_px),
                "set both alike");
  }
  return steps;
}

struct Parts {
  std::shared_ptr<Processes> processes;
  at::Generator generator;
  std::shared_ptr<const data::Dataset> train, held_out;
  std::shared_ptr<nn::Network> network;
  std::unique_ptr<Supervised> task;
  std::unique_ptr<data::Loader> loader;
};

Parts make_parts(const SupervisedRecipe& recipe, RunContext& run) {
  Parts out;
  out.processes = join_processes();
  const at::Device device = tensor::find_device(run.device());
  out.generator = tensor::make_generator(run.seed(), device);
  const auto all = data::open_dataset(recipe.data);
  std::tie(out.train, out.held_out) = data::split_subjects(all, recipe.held_out, run.seed());
  out.network = nn::make_network(recipe.network, out.generator);
  out.task = std::make_unique<Supervised>(recipe, out.network, out.held_out, out.train->subjects(),
                                          device, out.generator);
  if (out.processes->size() > 1) {
    nn::synchronise_batch_norms(*out.network, summer(*out.processes));
  }
  data::LoaderOptions options;
  options.seed = run.seed();
  options.rank = out.processes->rank();
  options.processes = out.processes->size();
  options.workers = run.threads();
  options.planar = planar_of(recipe.input);
  options.grey = recipe.network.channels == 1;
  out.loader = std::make_unique<data::Loader>(
      out.train, recipe.sampler, std::vector<data::Pipeline>{data::Pipeline(steps_of(recipe))},
      options);
  return out;
}

}  // namespace

Report plan_supervised(const SupervisedRecipe& recipe, const TrainingRequest&, RunContext& run) {
  Parts parts = make_parts(recipe, run);
  return plan_report(*parts.task, *parts.loader, recipe.loop, parts.train->described(), run);
}

Report train_supervised(const SupervisedRecipe& recipe, const TrainingRequest& request,
                        RunContext& run) {
  Parts parts = make_parts(recipe, run);
  begin_run(request, *parts.processes, run);
  const LoopResult result = run_loop(*parts.task, *parts.loader, recipe.loop, parts.generator,
                                     *parts.processes, request, run);
  parts.processes->finish();
  if (parts.processes->rank() == 0)
    write_model(request,
                {.name = recipe.name,
                 .role = recipe.role,
                 .title = recipe.network.architecture + ", trained by labels",
                 .described = parts.train->described(),
                 .reference = {}},
                *parts.network, recipe.network, recipe.input, run);
  return training_report(recipe.name, request, result, *parts.loader, parts.train->described(),
                         run);
}

}  // namespace sosia::train

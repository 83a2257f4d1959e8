#include "face/methods/barlow_twins/arms.hpp"

#include "face/methods/barlow_twins/barlow_twins.hpp"
#include "nn/margin.hpp"
#include "sosia/evaluate/roc.hpp"
#include "sosia/image/transform.hpp"
#include "tensor/device.hpp"
#include "tensor/image.hpp"

#include <algorithm>

#include <ATen/ops/linalg_svd.h>
#include <fmt/format.h>

namespace sosia::face::barlow_twins {

namespace {

constexpr double kLambda = 0.02;  // for 256 components; the published 0.0051 is for 8192
constexpr std::int64_t kComponents = 60;
constexpr int kCopies = 4;

/// What both views and the probes went through: no flip, since it makes another face of a face.
const std::vector<std::string> kDistortion{
    fmt::format("resize height={} width={}", kHeightPx, kWidthPx),
    "affine degrees=10 translate=0.08 scale=0.9 scale_to=1.1",
    "colour_jitter brightness=0.4 contrast=0.4 saturation=0 hue=0",
    "blur sigma=0.1 sigma_to=1.2 p=0.5", "cut_out side=0.35 p=0.5"};

nn::NetworkSpec network_spec() {
  nn::NetworkSpec spec;
  spec.architecture = "small_cnn";
  spec.channels = 1;
  spec.height_px = kHeightPx;
  spec.width_px = kWidthPx;
  return spec;
}

/// float32 [n, 1, height, width], bytes mapped to -1..1 as the loader does.
at::Tensor as_tensor(const std::vector<image::Image>& pictures) {
  std::vector<image::Image> greys;
  std::vector<image::ImageView> views;
  for (const image::Image& picture : pictures) {
    greys.push_back(image::convert(picture, image::Conversion::to_grey));
  }
  for (const image::Image& picture : greys) views.push_back(picture);
  return tensor::from_images(views, train::planar_of({}));
}

struct Trial {
  at::Tensor enrolled, probes;
  std::vector<std::int64_t> enrolled_subjects, probe_subjects;
};

Trial make_trial(const Faces& test, std::uint64_t seed) {
  const data::Pipeline distort(kDistortion);
  std::vector<image::Image> enrolled, probes;
  Trial out;
  for (std::size_t i = 0; i < test.pictures.size(); ++i) {
    if (i == 0 || test.subjects[i] != test.subjects[i - 1]) {
      enrolled.push_back(test.pictures[i]);
      out.enrolled_subjects.push_back(test.subjects[i]);
      continue;
    }
    for (std::uint64_t copy = 0; copy < kCopies; ++copy) {
      RandomStream stream(seed, "probe", i * kCopies + copy);
      probes.push_back(distort(test.pictures[i], stream));
      out.probe_subjects.push_back(test.subjects[i]);
    }
  }
  out.enrolled = as_tensor(enrolled);
  out.probes = as_tensor(probes);
  return out;
}

at::Tensor unit_rows(const at::Tensor& rows) {
  const at::Tensor wide = rows.to(at::kDouble);
  return wide / wide.norm(2, 1, true).clamp_min(1e-12);
}

Figures judge(const Trial& trial, const at::Tensor& enrolled, const at::Tensor& probes) {
  const at::Tensor scores = at::mm(unit_rows(probes), unit_rows(enrolled).t()).contiguous();
  const double* row = scores.const_data_ptr<double>();
  const std::size_t columns = trial.enrolled_subjects.size();
  std::vector<double> genuine, impostor;
  std::size_t right = 0;
  for (const std::int64_t subject : trial.probe_subjects) {
    const auto best = static_cast<std::size_t>(std::max_element(row, row + columns) - row);
    right += trial.enrolled_subjects[best] == subject ? 1 : 0;
    for (std::size_t i = 0; i < columns; ++i) {
      (trial.enrolled_subjects[i] == subject ? genuine : impostor).push_back(row[i]);
    }
    row += columns;
  }
  return {.rank1 = static_cast<double>(right) / static_cast<double>(trial.probe_subjects.size()),
          .eer = evaluate::Roc(genuine, impostor).eer().rate,
          .effective_rank = train::effective_rank(probes)};
}

Figures judge(const Trial& trial, nn::Network& network) {
  const torch::NoGradGuard no_grad;
  network.eval();
  return judge(trial, network.forward(trial.enrolled), network.forward(trial.probes));
}

/// The upper bound: the same network with labels, CosFace at a scale for small networks.
class LabelledTask final : public train::Task {
 public:
  LabelledTask(std::shared_ptr<nn::Network> network, std::int64_t classes, at::Generator& generator)
      : network_(std::move(network)),
        head_(network_->dimension(), classes, nn::MarginOptions{.m2 = 0, .m3 = 0.2, .s = 16},
              generator) {}
  std::vector<std::pair<std::string, torch::nn::Module*>> modules() override {
    return {{"network", network_.get()}, {"head", head_.get()}};
  }
  std::vector<train::ParameterGroup> parameters() override {
    std::vector<train::ParameterGroup> out = train::split_vectors(*network_, "network.");
    out.push_back(train::all_parameters(*head_, "head."));
    return out;
  }
  train::StepResult step(const std::vector<at::Tensor>& views,
                         const at::Tensor& subjects) override {
    // Both views, as the other arms see them.
    const at::Tensor both = at::cat(views, 0), labels = at::cat({subjects, subjects}, 0);
    return {.loss = nn::cross_entropy(head_(network_->forward(both), labels), labels),
            .figures = {}};
  }
  train::Figures evaluate(RunContext&) override { return {}; }

 private:
  std::shared_ptr<nn::Network> network_;
  nn::MarginHead head_;
};

/// One trained arm. `make` makes the task around a fresh network of the arm's seed.
template <class F>
Figures train_arm(const Fold& fold, const Trial& trial, const Budget& budget, std::uint64_t seed,
                  RunContext& run, const F& make) {
  at::Generator generator = tensor::make_generator(seed);
  const std::shared_ptr<nn::Network> network = nn::make_network(network_spec(), generator);
  const std::unique_ptr<train::Task> task = make(network, generator);
  data::LoaderOptions options;
  options.seed = seed;
  options.workers = run.threads();
  options.planar = train::planar_of({});
  options.grey = true;
  data::SamplerSpec sampler;
  sampler.batch =
      std::min<std::int64_t>(budget.batch, static_cast<std::int64_t>(fold.train.pictures.size()));
  data::Loader loader(as_dataset(fold.train), sampler,
                      {data::Pipeline(kDistortion), data::Pipeline(kDistortion)}, options);
  train::LoopSpec spec;
  spec.epochs =
      std::max<std::int64_t>(1, budget.steps / static_cast<std::int64_t>(loader.batches(0)));
  spec.evaluate_every = 0;
  spec.optimiser.lr = 1e-3;
  spec.schedule.warm_up_epochs = 1;
  const auto alone = train::single_process();
  train::run_loop(*task, loader, spec, generator, *alone, {}, run);
  return judge(trial, *network);
}

}  // namespace

ArmFigures run_arms(const Fold& fold, const Budget& budget, std::uint64_t seed, RunContext& run) {
  const Trial trial = make_trial(fold.test, seed);
  ArmFigures out;
  const at::Tensor enrolled = trial.enrolled.flatten(1), probes = trial.probes.flatten(1);
  out.pixels = judge(trial, enrolled, probes);
  const at::Tensor train = as_tensor(fold.train.pictures).flatten(1);
  const at::Tensor mean = train.mean(0);
  const at::Tensor directions = std::get<2>(at::linalg_svd(train - mean, false))
                                    .slice(0, 0, std::min(kComponents, train.size(0)))
                                    .t();
  out.pca = judge(trial, at::mm(enrolled - mean, directions), at::mm(probes - mean, directions));
  {
    at::Generator generator = tensor::make_generator(seed);
    out.untrained = judge(trial, *nn::make_network(network_spec(), generator));
  }
  const auto barlow = [&](bool invariance, bool redundancy) {
    return train_arm(fold, trial, budget, seed, run,
                     [&](const std::shared_ptr<nn::Network>& network, at::Generator& generator) {
                       return std::make_unique<BarlowTask>(
                           network, std::vector<std::int64_t>{256, 256, 256},
                           nn::BarlowOptions{kLambda, invariance, redundancy}, at::kCPU, generator);
                     });
  };
  out.full = barlow(true, true);
  out.invariance = barlow(true, false);
  out.redundancy = barlow(false, true);
  const std::int64_t classes = as_dataset(fold.train)->subjects();
  out.supervised =
      train_arm(fold, trial, budget, seed, run,
                [&](const std::shared_ptr<nn::Network>& network, at::Generator& generator) {
                  return std::make_unique<LabelledTask>(network, classes, generator);
                });
  return out;
}

}  // namespace sosia::face::barlow_twins

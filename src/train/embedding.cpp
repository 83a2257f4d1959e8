#include "train/embedding.hpp"

#include "sosia/core/error.hpp"
#include "sosia/core/hash.hpp"
#include "sosia/core/text.hpp"
#include "sosia/evaluate/roc.hpp"
#include "sosia/models/card.hpp"
#include "tensor/device.hpp"
#include "tensor/error.hpp"
#include "tensor/image.hpp"

#include <algorithm>
#include <filesystem>

#include <ATen/ops/linalg_svdvals.h>
#include <fmt/format.h>

namespace sosia::train {

void describe(Fields& f, InputSpec& o) {
  f({.name = "mean", .help = "subtracted from bytes: red, green, blue", .min = 0, .max = 255},
    o.mean);
  f({.name = "deviation",
     .help = "bytes are divided by it: red, green, blue",
     .max = 255,
     .above = 0},
    o.deviation);
  f.require(o.mean.size() == 3 && o.deviation.size() == 3,
            "input.mean and input.deviation have three numbers each");
}

image::PlanarOptions planar_of(const InputSpec& input) {
  image::PlanarOptions out;
  out.scale = 1;
  for (std::size_t c = 0; c < 3; ++c) {
    out.mean[c] = input.mean[c];
    out.deviation[c] = input.deviation[c];
  }
  return out;
}

at::Tensor embed(nn::Network& network, std::shared_ptr<const data::Dataset> set,
                 const nn::NetworkSpec& spec, const InputSpec& input, RunContext& run) {
  const torch::NoGradGuard no_grad;
  const at::Device device = tensor::find_device(run.device());
  const auto count = static_cast<std::int64_t>(set->size());
  std::int64_t batch = std::min<std::int64_t>(64, count);
  while (count % batch != 0) --batch;  // whole batches only
  data::LoaderOptions options;
  options.workers = run.threads();
  options.planar = planar_of(input);
  options.grey = spec.channels == 1;
  data::Loader loader(
      set, {.kind = data::SamplerSpec::Kind::ordered, .batch = batch},
      {data::Pipeline({fmt::format("resize height={} width={}", spec.height_px, spec.width_px)})},
      options);
  std::vector<at::Tensor> parts;
  while (auto made = loader.next()) {
    run.check_cancelled();
    const at::Tensor images = tensor::view_of(made->views.front(), made->shape).to(device);
    parts.push_back(network.forward(images).to(at::kCPU, at::kFloat).clone());
    loader.recycle(std::move(*made));
  }
  for (const data::Unreadable& bad : loader.unreadable()) {
    run.log(LogLevel::warning, quote(bad.name, 200) + " cannot be read: " + bad.reason);
  }
  return at::cat(parts, 0);
}

double effective_rank(const at::Tensor& embeddings) {
  const at::Tensor values = at::linalg_svdvals(embeddings.to(at::kDouble));
  const at::Tensor share = values / values.sum().clamp_min(1e-300);
  return at::exp(-at::xlogy(share, share).sum()).item<double>();
}

Figures embedding_figures(const at::Tensor& embeddings, std::span<const std::int64_t> labels) {
  const auto n = static_cast<std::size_t>(embeddings.size(0));
  if (labels.size() != n) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("{} labels for {}", labels.size(), tensor::describe(embeddings)));
  }
  const at::Tensor rows = embeddings.to(at::kDouble);
  const at::Tensor unit = rows / rows.norm(2, 1, true).clamp_min(1e-12);
  const at::Tensor scores = at::mm(unit, unit.t()).contiguous();
  const double* score = scores.const_data_ptr<double>();
  std::vector<double> genuine, impostor;
  std::size_t asked = 0, right = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const double* row = score + i * n;
    std::size_t best = n;
    bool has_mate = false;
    for (std::size_t j = 0; j < n; ++j) {
      if (j == i) continue;
      has_mate = has_mate || labels[j] == labels[i];
      if (best == n || row[j] > row[best]) best = j;
      if (j > i) (labels[j] == labels[i] ? genuine : impostor).push_back(row[j]);
    }
    if (!has_mate) continue;
    ++asked;
    right += labels[best] == labels[i] ? 1 : 0;
  }
  if (genuine.empty() || impostor.empty()) {
    throw Error(
        ErrorCode::invalid_argument,
        "nothing can be measured: no subject has two pictures, or there is one subject only");
  }
  const evaluate::Roc roc(genuine, impostor);
  return {{"rank1", static_cast<double>(right) / static_cast<double>(asked)},
          {"eer", roc.eer().rate},
          {"tar_at_far_1e-2", roc.at_far(1e-2).tar},
          {"effective_rank", effective_rank(embeddings)}};
}

void write_model(const TrainingRequest& request, const ModelFile& file, nn::Network& network,
                 const nn::NetworkSpec& spec, const InputSpec& input, RunContext& run) {
  const std::filesystem::path weights = request.out / "model.safetensors";
  tensor::write_checkpoint(weights, tensor::state_of(network), {}, Overwrite::replace);
  run.note_output(weights);
  models::ModelCard card;
  card.name = file.name;
  card.title = file.title;
  card.role =
      file.role == "person_embedder" ? models::Role::person_embedder : models::Role::face_embedder;
  card.graph = models::Graph::trained;
  card.file = "model.safetensors";
  card.sha256 = sha256_file(weights);
  card.input.shape = {-1, spec.channels, spec.height_px, spec.width_px};
  card.input.colour = spec.channels == 1 ? models::Colour::grey : models::Colour::rgb;
  for (std::size_t c = 0; c < 3; ++c) {
    card.input.mean[c] = input.mean[c];
    card.input.deviation[c] = input.deviation[c];
  }
  card.input.alignment = models::Alignment::box;
  card.input.box_scale = 1.3;
  card.output.dimension = network.dimension();
  card.output.l2 = true;
  card.network = to_json(encode(spec), -1);
  card.provenance = {.licence = "of its owner",
                     .commercial_use = false,
                     .origin = "sosia train",
                     .training_data = file.described,
                     .reference = file.reference};
  card.notes =
      "Trained here. It has no threshold: `sosia face evaluate --calibration-out` makes one.";
  AtomicFile out(request.out / "model.toml", Overwrite::replace);
  out.write(models::card_to_toml(card));
  out.commit();
  run.note_output(request.out / "model.toml");
}

}  // namespace sosia::train

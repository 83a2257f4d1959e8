#pragma once
// Embeddings of a set, and what they are worth on subjects that were never seen.

#include "nn/network.hpp"
#include "sosia/data/loader.hpp"
#include "train/loop.hpp"

#include <memory>
#include <span>

namespace sosia::train {

/// Which numbers a network takes, of the whole run: pictures of the spec's size and channels.
struct InputSpec {
  std::vector<double> mean{127.5, 127.5, 127.5};  ///< of bytes
  std::vector<double> deviation{127.5, 127.5, 127.5};
};
void describe(Fields& f, InputSpec& o);

/// The loader's conversion that `input` means.
image::PlanarOptions planar_of(const InputSpec& input);

/// float32 [n, d] on the processor: every picture of `set` resized to the network's size. The
/// network's mode is left alone. Pictures that cannot be read are warnings of the run and get the
/// embedding of their substitute.
at::Tensor embed(nn::Network& network, std::shared_ptr<const data::Dataset> set,
                 const nn::NetworkSpec& spec, const InputSpec& input, RunContext& run);

/// Of all pairs of rows by cosine: rank1 (the most alike other row is of the same label; rows whose
/// label is alone do not ask), eer, tar at FAR 1e-2 and effective_rank. Throws invalid_argument
/// when no label has two rows or there is one label only.
Figures embedding_figures(const at::Tensor& embeddings, std::span<const std::int64_t> labels);

/// exp of the entropy of the normalised singular values: how many directions the rows of [n, d]
/// use; 1 when all lie on one line. Reference: Roy and Vetterli, EUSIPCO 2007; RankMe, arXiv
/// 2210.02885.
double effective_rank(const at::Tensor& embeddings);

/// Writes model.safetensors and model.toml, a complete card. `described`: what it was trained on.
struct ModelFile {
  std::string name;  ///< of the card
  std::string role = "face_embedder";
  std::string title, described, reference;
};
void write_model(const TrainingRequest& request, const ModelFile& file, nn::Network& network,
                 const nn::NetworkSpec& spec, const InputSpec& input, RunContext& run);

}  // namespace sosia::train

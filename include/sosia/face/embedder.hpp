#pragma once
// Embedders: from aligned faces to vectors.

#include "sosia/image/image.hpp"
#include "sosia/models/card.hpp"
#include "sosia/models/network.hpp"
#include "sosia/models/store.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sosia::face {

/// The card that is used when none is named: dlib's face ResNet, 128 numbers, free for any use.
inline constexpr std::string_view kDefaultEmbedder = "dlib-resnet";

struct Embeddings {
  std::size_t dimension = 0;
  std::vector<float> vectors = {};  ///< n x dimension, each of length 1
  std::vector<double> norms = {};   ///< lengths before
};

/// Turns chips into vectors whose cosine says how alike two faces are.
///
/// Thread-safety: `embed` may be called from any thread; see `models::Network`.
class FaceEmbedder {
 public:
  virtual ~FaceEmbedder() = default;

  /// One row per chip, in order, by the card: mirror sum where it says `flip_sum`, then length 1. A
  /// row does not depend on its neighbours beyond rounding. Throws invalid_argument for a chip of
  /// another extent than the aligner's.
  virtual Embeddings embed(std::span<const image::ImageView> chips) const = 0;

  virtual std::size_t dimension() const noexcept = 0;
  virtual const models::ModelCard& card() const noexcept = 0;
  /// What decides the numbers: hash, input numbers, mirror sum, precision, for `model_hash`.
  virtual const std::string& identity() const noexcept = 0;
};

struct EmbedderOptions {
  models::NetworkOptions network = {};
  std::size_t batch = 16;  ///< chips in one run of the network, 1 to 1024
  /// Whether the vector of the mirrored chip is added, as verification protocols ask for: twice the
  /// time, other vectors (another `identity`). Nothing does what the card says.
  std::optional<bool> flip_sum = {};
};

/// Opens an embedder by its card. Throws as `models::Network::open`, unsupported for a card whose
/// role is not face_embedder, corrupt_data when the network's output is not the card's dimension.
std::unique_ptr<FaceEmbedder> open_embedder(const models::ModelStore& store,
                                            std::string_view card = kDefaultEmbedder,
                                            const EmbedderOptions& options = {});

}  // namespace sosia::face

#include "sosia/face/embedder.hpp"

#include "sosia/core/error.hpp"
#include "sosia/image/transform.hpp"
#include "sosia/models/tensor.hpp"

#include <algorithm>
#include <bit>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace sosia::face {
namespace {

class NetworkEmbedder final : public FaceEmbedder {
 public:
  NetworkEmbedder(const models::ModelStore& store, models::ModelCard card,
                  const EmbedderOptions& options)
      : card_(std::move(card)),
        flip_sum_(options.flip_sum.value_or(card_.output.flip_sum)),
        batch_(options.batch),
        net_(models::Network::open(card_, store, options.network)),
        output_(card_.output.name.empty() ? 0 : net_.output_index(card_.output.name)),
        dimension_(static_cast<std::size_t>(card_.output.dimension)) {
    const std::vector<std::int64_t>& shape = net_.outputs()[output_].shape;
    const std::int64_t last = shape.empty() ? 0 : shape.back();
    if (dimension_ == 0 && last > 0) dimension_ = static_cast<std::size_t>(last);
    if (dimension_ == 0 || (last > 0 && last != static_cast<std::int64_t>(dimension_))) {
      throw Error(ErrorCode::corrupt_data,
                  fmt::format("the card {} says {} numbers, the network gives {}", card_.name,
                              card_.output.dimension, models::shape_text(shape)));
    }
    const models::InputSpec& in = card_.input;
    identity_ =
        fmt::format("embedder/1 {} {} {},{},{}/{},{},{} flip={} precision={}", card_.sha256,
                    to_string(in.colour), in.mean[0], in.mean[1], in.mean[2], in.deviation[0],
                    in.deviation[1], in.deviation[2], flip_sum_,
                    options.network.precision == models::Precision::exact ? "exact" : "fast");
  }

  Embeddings embed(std::span<const image::ImageView> chips) const override {
    Embeddings out;
    out.dimension = dimension_;
    out.vectors.reserve(chips.size() * dimension_);
    // In batches of falling powers of two: the engine prepares itself anew for every batch size, so
    // there should be few, and none with a row that is thrown away.
    for (std::size_t first = 0, count = std::bit_floor(batch_); first < chips.size();
         first += count) {
      while (count > chips.size() - first) count /= 2;
      const auto part = chips.subspan(first, count);
      std::vector<float> rows = run(part);
      if (flip_sum_) add_mirrored(part, rows);
      out.vectors.insert(out.vectors.end(), rows.begin(), rows.end());
    }
    out.norms = models::normalise_rows(out.vectors, dimension_);
    return out;
  }

  std::size_t dimension() const noexcept override { return dimension_; }
  const models::ModelCard& card() const noexcept override { return card_; }
  const std::string& identity() const noexcept override { return identity_; }

 private:
  std::vector<float> run(std::span<const image::ImageView> chips) const {
    std::vector<models::Tensor> outputs = net_.run(models::image_tensor(card_.input, chips));
    std::vector<float>& values = outputs[output_].values;
    if (values.size() != chips.size() * dimension_) {
      throw Error(
          ErrorCode::corrupt_data,
          fmt::format("the network of {} gave {} for {} faces of {} numbers", card_.name,
                      models::shape_text(outputs[output_].shape), chips.size(), dimension_));
    }
    return std::move(values);
  }

  /// f(x) + f(mirror x), before the length is made 1 (the protocol of face.evoLVe and insightface).
  void add_mirrored(std::span<const image::ImageView> chips, std::vector<float>& rows) const {
    std::vector<image::Image> mirrored;
    mirrored.reserve(chips.size());
    for (const image::ImageView chip : chips) mirrored.push_back(image::flip_horizontal(chip));
    const std::vector<image::ImageView> views(mirrored.begin(), mirrored.end());
    const std::vector<float> more = run(views);
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i] += more[i];
  }

  models::ModelCard card_;
  bool flip_sum_;
  std::size_t batch_;
  models::Network net_;
  std::size_t output_;
  std::size_t dimension_;
  std::string identity_;
};

}  // namespace

std::unique_ptr<FaceEmbedder> open_embedder(const models::ModelStore& store, std::string_view card,
                                            const EmbedderOptions& options) {
  const models::ModelCard& found = store.at(card);
  if (found.role != models::Role::face_embedder || found.kind != models::CardKind::model) {
    throw Error(ErrorCode::unsupported,
                "the card " + found.name + " is a " + std::string(to_string(found.kind)) + " of " +
                    std::string(to_string(found.role)) + ", not a model that embeds faces",
                "sosia models list --role face_embedder names those that are");
  }
  if (options.batch < 1 || options.batch > 1024) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("a batch of {} faces; it must be 1 to 1024", options.batch));
  }
  return std::make_unique<NetworkEmbedder>(store, found, options);
}

}  // namespace sosia::face

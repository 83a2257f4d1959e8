#include "sosia/models/text_encoder.hpp"

#include "sosia/core/error.hpp"
#include "sosia/formats/safetensors.hpp"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

namespace sosia::models {
namespace {

/// Of a text, its two ends included: what the reference package cuts at.
constexpr std::size_t kTokenCap = 256;

const ModelCard& text_card(const ModelStore& store, std::string_view name) {
  const ModelCard& card = store.at(name);
  if (card.role != Role::text_encoder || card.graph != Graph::minilm) {
    throw Error(ErrorCode::unsupported,
                fmt::format("{} encodes no texts: its role is {}, its graph {}", card.name,
                            to_string(card.role), to_string(card.graph)));
  }
  return card;
}

/// The vocabulary lies in the file of the weights, as bytes.
WordPieceTokenizer tokenizer_of(const std::filesystem::path& weights) {
  const formats::SafetensorsFile file(weights);
  const formats::ArrayView bytes = file.view("vocabulary");
  const auto letters = bytes.as<std::uint8_t>();
  return WordPieceTokenizer({reinterpret_cast<const char*>(letters.data()), letters.size()},
                            weights.string());
}

}  // namespace

struct TextEncoder::Impl {
  Network network;
  WordPieceTokenizer tokenizer;
  std::size_t dimension;

  /// Runs texts `which` of `ids` together, padded to the longest, and puts their rows in place.
  void run(const std::vector<std::vector<std::int32_t>>& ids, std::span<const std::size_t> which,
           std::span<float> out) const {
    std::size_t longest = 0;
    for (const std::size_t i : which) longest = std::max(longest, ids[i].size());
    const std::vector<std::int64_t> shape{static_cast<std::int64_t>(which.size()),
                                          static_cast<std::int64_t>(longest)};
    std::vector<float> tokens(which.size() * longest, 0), mask(which.size() * longest, 0);
    for (std::size_t row = 0; row < which.size(); ++row) {
      const auto& text = ids[which[row]];
      std::copy(text.begin(), text.end(),
                tokens.begin() + static_cast<std::ptrdiff_t>(row * longest));
      std::fill_n(mask.begin() + static_cast<std::ptrdiff_t>(row * longest), text.size(), 1.0F);
    }
    const NamedInput inputs[] = {{"input_ids", {shape, tokens}}, {"attention_mask", {shape, mask}}};
    Tensor result = std::move(network.run(inputs).front());
    normalise_rows(result.values, dimension);
    for (std::size_t row = 0; row < which.size(); ++row) {
      std::ranges::copy(result.row(row),
                        out.begin() + static_cast<std::ptrdiff_t>(which[row] * dimension));
    }
  }
};

TextEncoder::TextEncoder(const ModelStore& store, std::string_view card,
                         const NetworkOptions& options) {
  const ModelCard& found = text_card(store, card);
  Network network = Network::open(found, store, options);
  const std::vector<std::int64_t> shape = network.outputs().front().shape;
  impl_ = std::make_unique<Impl>(Impl{std::move(network), tokenizer_of(store.weights(found)),
                                      static_cast<std::size_t>(shape.back())});
}

TextEncoder::~TextEncoder() = default;
TextEncoder::TextEncoder(TextEncoder&&) noexcept = default;
TextEncoder& TextEncoder::operator=(TextEncoder&&) noexcept = default;

std::size_t TextEncoder::dimension() const noexcept {
  return impl_->dimension;
}
const WordPieceTokenizer& TextEncoder::tokenizer() const noexcept {
  return impl_->tokenizer;
}

std::vector<float> TextEncoder::encode(std::span<const std::string> texts,
                                       std::size_t batch) const {
  if (batch == 0) throw Error(ErrorCode::invalid_argument, "a batch of 0 texts");
  std::vector<std::vector<std::int32_t>> ids;
  ids.reserve(texts.size());
  for (const std::string& text : texts) ids.push_back(impl_->tokenizer.encode(text, kTokenCap));
  std::vector<std::size_t> order(texts.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  // Like lengths together: padding is computed as if it were text.
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return ids[a].size() < ids[b].size(); });
  std::vector<float> rows(texts.size() * impl_->dimension);
  for (std::size_t at = 0; at < order.size(); at += batch) {
    impl_->run(ids, std::span(order).subspan(at, std::min(batch, order.size() - at)), rows);
  }
  return rows;
}

std::vector<float> TextEncoder::encode(const std::string& text) const {
  return encode(std::span(&text, 1), 1);
}

}  // namespace sosia::models

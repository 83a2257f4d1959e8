// Networks of the shared data: their outputs beside those that other programs computed (the golden
// files say which), and what their cards say about them.

#include "models/support.hpp"
#include "sosia/image/decode.hpp"

#include <algorithm>
#include <cmath>

namespace sosia::models {
namespace fs = std::filesystem;
namespace {

/// The largest difference, as a share of the largest golden number.
double worst(std::span<const float> have, const Value::List& golden) {
  EXPECT_EQ(have.size(), golden.size());
  double difference = 0, largest = 0;
  for (std::size_t i = 0; i < std::min(have.size(), golden.size()); ++i) {
    difference = std::max(difference, std::abs(have[i] - golden[i].as_real()));
    largest = std::max(largest, std::abs(golden[i].as_real()));
  }
  return difference / largest;
}

std::vector<float> run_on(const Network& network, const ModelCard& card, const fs::path& picture) {
  return network.run(image_tensor(card.input, image::decode_file(picture).image))[0].values;
}

TEST(Golden, AntiSpoofing) {
  SOSIA_NEED(root, "weights-antispoof");
  const ModelStore store = own_store({*root / "hairymax"});
  const Value golden = parse_json(read_text(*root / "golden" / "golden.json"));
  for (const char* name :
       {"hairymax-bin", "hairymax-bin-1.5", "hairymax-print-replay", "hairymax-print-replay-1.5"}) {
    const ModelCard& card = store.at(name);
    const Network network = Network::open(card, store);
    for (const Value& item : golden.at("items").as_list()) {
      const Value& wanted = item.at(card.file);
      const fs::path crop = *root / "golden" / wanted.at("crop").as_text();
      const auto& logits = wanted.at("logits").as_list();
      const std::vector<float> have = run_on(network, card, crop);
      EXPECT_LT(worst(have, logits), 1e-4) << name << " " << crop;  // observed: see decision 0016
      EXPECT_EQ(have.size(), card.output.classes.size());
      // The models with the box x 1.5 tell T1, alive, from the three attacks.
      if (card.input.box_scale == 1.5) {
        const bool live = softmax(have)[0] > card.threshold->value;
        EXPECT_EQ(live, item.at("image").as_text() == "image_T1.jpg") << name << " " << crop;
      }
    }
  }
}

TEST(Golden, PersonEmbedders) {
  SOSIA_NEED(root, "weights-reid-osnet");
  const Value golden = parse_json(read_text(*root / "golden" / "golden.json"));
  for (const auto& [name, folder, key] :
       {std::tuple{"osnet-x0.25-msmt17-torchreid", "torchreid-export", "torchreid_export"},
        std::tuple{"osnet-x0.25-msmt17-boxmot", "boxmot-export", "boxmot_export"}}) {
    const ModelStore store = own_store({*root / folder});
    const ModelCard& card = store.at(name);
    const Network network = Network::open(card, store);
    for (const Value& item : golden.at("items").as_list()) {
      const fs::path crop = *root / "golden" / item.at("file").as_text();
      EXPECT_LT(worst(run_on(network, card, crop), item.at(key).as_list()), 1e-4) << name << crop;
    }
  }
}

TEST(Golden, OneFileNameTwoNetworks) {
  SOSIA_NEED(root, "weights-reid-osnet");
  const ModelStore store = own_store({*root / "boxmot-export", *root / "torchreid-export"});
  for (const char* name : {"osnet-x0.25-msmt17-torchreid", "osnet-x0.25-msmt17-boxmot"}) {
    EXPECT_EQ(store.state(store.at(name), true), WeightState::present) << name;
  }
}

TEST(Golden, MobileFaceNetOnAlignedFaces) {
  SOSIA_NEED(root, "weights-mobilefacenet");
  const ModelStore store = own_store({*root / "foreign-onnx"});
  const ModelCard& card = store.at("mobilefacenet-foreign");
  const Network network = Network::open(card, store);
  // Two crops of each of ten people: every one's nearest other crop is of the same person.
  std::vector<std::string> people;
  std::vector<float> rows;
  std::vector<image::Image> pictures;
  const Value golden = parse_json(read_text(*root / "golden" / "golden.json"));
  for (const Value& item : golden.at("items").as_list()) {
    people.push_back(item.at("identity").as_text());
    pictures.push_back(image::decode_file(*root / "golden" / item.at("file").as_text()).image);
  }
  const std::vector<image::ImageView> views(pictures.begin(), pictures.end());
  Tensor batch = network.run(image_tensor(card.input, views))[0];
  ASSERT_EQ(batch.shape, (std::vector<std::int64_t>{20, 128}));
  normalise_rows(batch.values, 128);
  for (std::size_t i = 0; i < people.size(); ++i) {
    std::size_t nearest = i;
    double best = -2;
    for (std::size_t k = 0; k < people.size(); ++k) {
      double cosine = 0;
      for (std::size_t d = 0; d < 128; ++d) cosine += batch.row(i)[d] * batch.row(k)[d];
      if (k != i && cosine > best) {
        best = cosine;
        nearest = k;
      }
    }
    EXPECT_EQ(people[nearest], people[i]);
  }
  // A batch is the loop.
  for (std::size_t i = 0; i < views.size(); i += 7) {
    Tensor one = network.run(image_tensor(card.input, views[i]))[0];
    normalise_rows(one.values, 128);
    for (std::size_t d = 0; d < 128; ++d) EXPECT_NEAR(one.values[d], batch.row(i)[d], 1e-5);
  }
}

TEST(Golden, DetectorsGiveWhatTheirDecodersExpect) {
  SOSIA_NEED(root, "weights-face-detect");
  const ModelStore store = own_store({*root / "yunet", *root / "scrfd"});
  for (const auto& [name, outputs] : {std::pair{"yunet-n", 12u},
                                      {"yunet-s", 12u},
                                      {"yunet-n-320", 12u},
                                      {"yunet-s-320", 12u},
                                      {"yunet-n-640", 12u},
                                      {"yunet-s-640", 12u},
                                      {"scrfd-500m-kps", 9u},
                                      {"scrfd-2.5g-kps", 9u}}) {
    const ModelCard& card = store.at(name);
    const Network network = Network::open(card, store);
    EXPECT_EQ(network.outputs().size(), outputs) << name;
    const int width = card.input.width_px() < 0 ? 256 : static_cast<int>(card.input.width_px());
    const int height = card.input.height_px() < 0 ? 192 : width;
    const image::Image picture(width, height, 3, {90, 120, 150, 255});
    const std::vector<Tensor> results = network.run(image_tensor(card.input, picture));
    std::size_t cells = 0, found = 0;
    for (const int stride : {8, 16, 32}) {
      cells += static_cast<std::size_t>(width / stride * (height / stride));
    }
    const std::size_t anchors = card.output.decoder == "scrfd" ? 2 : 1;
    for (const Tensor& result : results) {
      if (result.shape.back() == 4) found += result.values.size() / 4;
    }
    EXPECT_EQ(found, cells * anchors) << name;
    const Suggestion guess =
        suggest_card(network.inputs(), network.outputs(), card.file, store.cards());
    EXPECT_EQ(guess.card.output.decoder, card.output.decoder) << name;
    EXPECT_EQ(guess.card.input.colour, card.input.colour) << name;
    EXPECT_EQ(guess.card.input.mean, card.input.mean) << name;
  }
}

}  // namespace
}  // namespace sosia::models

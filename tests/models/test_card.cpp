// Cards: what is read, what is refused, and those that come with sosia.

#include "models/support.hpp"
#include "sosia/core/hash.hpp"

#include <algorithm>
#include <set>

namespace sosia::models {
namespace {

const std::string kHash(64, 'a');

/// A card that is read without complaint, with one line replaced or added.
std::string toml(const std::string& from = "", const std::string& to = "") {
  std::string text =
      "schema = \"sosia.card/1\"\n"
      "name = \"one\"\n"
      "title = \"a test\"\n"
      "kind = \"model\"\n"
      "role = \"face_embedder\"\n"
      "graph = \"onnx\"\n"
      "file = \"one.onnx\"\n"
      "sha256 = \"" +
      kHash +
      "\"\n"
      "notes = \"trap\"\n"
      "[input]\n"
      "name = \"data\"\n"
      "shape = [-1, 3, 112, 96]\n"
      "colour = \"bgr\"\n"
      "mean = 127.5\n"
      "deviation = [128, 64, 32.5]\n"
      "alignment = \"box\"\n"
      "box_scale = 1.5\n"
      "[output]\n"
      "name = \"fc1\"\n"
      "dimension = 512\n"
      "l2 = true\n"
      "flip_sum = true\n"
      "classes = [\"live\", \"spoof\"]\n"
      "live_class = \"live\"\n"
      "[threshold]\n"
      "value = 0.4\n"
      "metric = \"cosine\"\n"
      "set = \"nothing\"\n"
      "[provenance]\n"
      "licence = \"MIT\"\n"
      "commercial_use = true\n"
      "origin = \"here\"\n";
  if (!from.empty()) {
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
  }
  return text;
}

Error refusal(const std::string& from, const std::string& to) {
  const Error error = error_of([&] { parse_card(toml(from, to), "one.toml"); });
  EXPECT_EQ(error.code(), ErrorCode::corrupt_data);
  EXPECT_TRUE(contains(error.context(), "one.toml")) << error.render();
  return error;
}

TEST(Card, EveryKeyIsRead) {
  const ModelCard card = parse_card(toml(), "one.toml");
  EXPECT_EQ(card.name, "one");
  EXPECT_EQ(card.role, Role::face_embedder);
  EXPECT_EQ(card.file, "one.onnx");
  EXPECT_EQ(card.sha256, kHash);
  EXPECT_EQ(card.input.colour, Colour::bgr);
  EXPECT_EQ(card.input.width_px(), 96);
  EXPECT_EQ(card.input.height_px(), 112);
  EXPECT_EQ(card.input.mean, (std::array<double, 3>{127.5, 127.5, 127.5}));
  EXPECT_EQ(card.input.deviation, (std::array<double, 3>{128, 64, 32.5}));
  EXPECT_EQ(card.input.alignment, Alignment::box);
  EXPECT_EQ(card.input.box_scale, 1.5);
  EXPECT_EQ(card.output.dimension, 512);
  EXPECT_TRUE(card.output.l2 && card.output.flip_sum);
  EXPECT_EQ(card.output.live_class, "live");
  ASSERT_TRUE(card.threshold.has_value());
  EXPECT_EQ(card.threshold->set, "nothing");
  EXPECT_TRUE(card.provenance.commercial_use);
  EXPECT_EQ(card.source, "one.toml");
}

TEST(Card, LastSidesOfInterleavedLayout) {
  const ModelCard card = parse_card(
      toml("shape = [-1, 3, 112, 96]", "layout = \"nhwc\"\nshape = [-1, 112, 96, 3]"), "x");
  EXPECT_EQ(card.input.width_px(), 96);
  EXPECT_EQ(card.input.height_px(), 112);
}

TEST(Card, WritesWhatItReads) {
  for (ModelCard card : built_in_cards()) {
    const ModelCard again = parse_card(card_to_toml(card), "again");
    EXPECT_EQ(to_value(again), to_value(card)) << card.name;
  }
  const ModelCard card = parse_card(toml(), "one.toml");
  EXPECT_EQ(to_value(parse_card(card_to_toml(card), "again")), to_value(card));
}

TEST(Card, ATrainedGraphSaysWhichNetwork) {
  const std::string table = "[network]\narchitecture = \"resnet18\"\nwidth = 1.5\n[input]\n";
  std::string text = toml("graph = \"onnx\"", "graph = \"trained\"");
  text.replace(text.find("[input]\n"), 8, table);
  const ModelCard card = parse_card(text, "one.toml");
  EXPECT_EQ(card.graph, Graph::trained);
  EXPECT_EQ(parse_json(card.network, "network").find("architecture")->as_text(), "resnet18");
  EXPECT_EQ(to_value(parse_card(card_to_toml(card), "again")), to_value(card));
  refusal("graph = \"onnx\"", "graph = \"trained\"");  // without the table
  refusal("[input]\n", table);                         // the table without the graph
}

TEST(Card, UnknownKeysNameTheNearest) {
  Error error = refusal("alignment =", "alignmnt =");
  EXPECT_TRUE(contains(error.message(), "input.alignmnt")) << error.message();
  EXPECT_TRUE(contains(error.hint(), "alignment")) << error.hint();
  error = refusal("licence =", "license =");
  EXPECT_TRUE(contains(error.message(), "provenance.license")) << error.message();
  EXPECT_TRUE(contains(error.hint(), "licence")) << error.hint();
  EXPECT_TRUE(contains(refusal("[output]", "[outputs]").hint(), "output"));
}

TEST(Card, UnknownValuesNameTheNearest) {
  const Error error = refusal("\"bgr\"", "\"brg\"");
  EXPECT_TRUE(contains(error.message(), "input.colour")) << error.message();
  EXPECT_TRUE(contains(error.message(), "rgb, bgr or grey")) << error.message();
  EXPECT_TRUE(contains(refusal("face_embedder", "face_embeder").hint(), "face_embedder"));
  EXPECT_TRUE(contains(refusal("live_class = \"live\"", "live_class = \"alive\"").message(),
                       "output.classes"));
}

TEST(Card, WrongTypesAndRanges) {
  EXPECT_TRUE(contains(refusal("mean = 127.5", "mean = \"127\"").message(), "input.mean"));
  EXPECT_TRUE(contains(refusal("mean = 127.5", "mean = [1, 2]").message(), "input.mean"));
  EXPECT_TRUE(contains(refusal("mean = 127.5", "mean = nan").message(), "input.mean"));
  EXPECT_TRUE(contains(refusal("128, 64, 32.5", "128, 0, 32.5").message(), "deviation"));
  EXPECT_TRUE(contains(refusal("l2 = true", "l2 = 1").message(), "output.l2"));
  EXPECT_TRUE(contains(refusal("= 512", "= -1").message(), "output.dimension"));
  EXPECT_TRUE(contains(refusal("[-1, 3, 112, 96]", "[3, 112, 96]").message(), "input.shape"));
  EXPECT_TRUE(contains(refusal("[-1, 3, 112, 96]", "[-1, 4, 112, 96]").message(), "4 channels"));
  EXPECT_TRUE(contains(refusal("[-1, 3, 112, 96]", "[0, 3, 112, 96]").message(), "input.shape"));
  EXPECT_TRUE(contains(refusal("[-1, 3, 112, 96]", "[-1, 3, 1e9, 96]").message(), "input.shape"));
  EXPECT_TRUE(contains(refusal("\"" + kHash + "\"", "\"AB\"").message(), "sha256"));
  EXPECT_TRUE(contains(refusal("name = \"one\"", "name = \"../x\"").message(), "name"));
  EXPECT_TRUE(contains(refusal("\"one.onnx\"", "\"../one.onnx\"").message(), "file"));
  EXPECT_TRUE(contains(refusal("\"one.onnx\"", "\"..\"").message(), "file"));
  EXPECT_TRUE(contains(refusal("set = \"nothing\"\n", "").message(), "threshold.set"));
  EXPECT_TRUE(contains(refusal("sosia.card/1", "sosia.card/2").message(), "sosia.card/1"));
  EXPECT_TRUE(contains(refusal("kind = \"model\"", "kind = \"convention\"").message(), "file"));
  EXPECT_TRUE(contains(refusal("kind = \"model\"", "kind = \"bundle\"").message(), "file"));
}

TEST(Card, TextThatIsNoToml) {
  EXPECT_EQ(error_of([] { parse_card("name = ", "broken.toml"); }).code(), ErrorCode::corrupt_data);
  EXPECT_EQ(error_of([] { parse_card("", "empty.toml"); }).code(), ErrorCode::corrupt_data);
  EXPECT_EQ(error_of([] { parse_card(std::string("\xff\xfe\0", 3), "bytes"); }).code(),
            ErrorCode::corrupt_data);
}

TEST(Card, CalibrationRecord) {
  const std::string record = "\n[calibration]\nrecord = '{\"schema\": \"sosia.calibration/1\"}'\n";
  EXPECT_TRUE(contains(parse_card(toml() + record, "x").calibration, "sosia.calibration/1"));
  const TemporaryFolder folder;
  write_file(folder.path() / "c.json", "{}");
  const std::string file = "\n[calibration]\nfile = \"c.json\"\n";
  EXPECT_EQ(parse_card(toml() + file, "x", folder.path()).calibration, "{}");
  EXPECT_EQ(error_of([&] { parse_card(toml() + file, "x"); }).code(), ErrorCode::corrupt_data);
  const std::string outside = "\n[calibration]\nfile = \"../c.json\"\n";
  EXPECT_EQ(error_of([&] { parse_card(toml() + outside, "x", folder.path()); }).code(),
            ErrorCode::corrupt_data);
  const std::string no_json = "\n[calibration]\nrecord = '{'\n";
  EXPECT_EQ(error_of([&] { parse_card(toml() + no_json, "x"); }).code(), ErrorCode::corrupt_data);
}

TEST(BuiltInCards, AreCompleteAndConsistent) {
  const std::vector<ModelCard> cards = built_in_cards();
  ASSERT_GE(cards.size(), 30u);
  std::set<std::string> names, hashes;
  for (const ModelCard& card : cards) {
    EXPECT_TRUE(names.insert(card.name).second) << card.name;
    EXPECT_FALSE(card.title.empty()) << card.name;
    EXPECT_FALSE(card.provenance.licence.empty()) << card.name;
    EXPECT_FALSE(card.provenance.origin.empty()) << card.name;
    EXPECT_EQ(card.source, "built in");
    if (card.kind == CardKind::model) {
      EXPECT_TRUE(hashes.insert(card.sha256).second) << card.name;
    }
    EXPECT_EQ(card.kind == CardKind::convention, card.name.starts_with("convention-")) << card.name;
    if (card.threshold) {
      EXPECT_FALSE(card.threshold->set.empty()) << card.name;
    }
    for (const std::string& part : card.parts) {
      EXPECT_TRUE(std::any_of(cards.begin(), cards.end(), [&](const ModelCard& other) {
        return other.name == part && other.kind == CardKind::model && other.role == card.role;
      })) << part;
    }
    if (card.role == Role::liveness) {
      EXPECT_FALSE(card.output.live_class.empty()) << card.name;
    }
  }
  for (const char* name : {"dlib-resnet", "dlib-mmod", "mtcnn", "minilm-l6"}) {
    EXPECT_EQ(names.count(name), 1u) << name;
  }
}

}  // namespace
}  // namespace sosia::models

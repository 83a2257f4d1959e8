// Where cards and weights are found.

#include "models/support.hpp"
#include "sosia/core/hash.hpp"

#include <algorithm>

namespace sosia::models {
namespace fs = std::filesystem;
namespace {

/// A card for `content` as the file `file`.
std::string card_for(const std::string& name, const std::string& file, const std::string& content) {
  ModelCard card;
  card.name = name;
  card.title = "t";
  card.file = file;
  card.sha256 = sha256_hex(content);
  card.input.shape = {-1, 3, 112, 112};
  card.provenance.origin = "the test";
  return card_to_toml(card);
}

TEST(Store, EarlierFoldersHideLaterOnes) {
  const TemporaryFolder first, second;
  write_file(first.path() / "a.toml", card_for("dlib-resnet", "x.onnx", "1"));
  write_file(second.path() / "a.toml", card_for("dlib-resnet", "y.onnx", "2"));
  write_file(second.path() / "b.toml", card_for("mine", "y.onnx", "3"));
  const ModelStore store = own_store({first.path(), second.path()});
  EXPECT_EQ(store.at("dlib-resnet").file, "x.onnx");
  EXPECT_EQ(store.at("mine").file, "y.onnx");
  EXPECT_EQ(store.at("minilm-l6").source, "built in");
  EXPECT_EQ(std::count_if(store.cards().begin(), store.cards().end(),
                          [](const auto& card) { return card.name == "dlib-resnet"; }),
            1);
  EXPECT_TRUE(std::is_sorted(store.cards().begin(), store.cards().end(),
                             [](const auto& a, const auto& b) { return a.name < b.name; }));
}

TEST(Store, BrokenCardsAreListedTheRestGoesOn) {
  const TemporaryFolder folder;
  write_file(folder.path() / "good.toml", card_for("good", "x.onnx", "1"));
  write_file(folder.path() / "bad.toml", std::string_view("name = 3\n"));
  write_file(folder.path() / "other.txt", std::string_view("no card"));
  fs::create_directory(folder.path() / "folder.toml");
  const ModelStore store = own_store({folder.path()});
  EXPECT_NE(store.find("good"), nullptr);
  ASSERT_EQ(store.broken().size(), 2u);
  EXPECT_EQ(store.broken()[0].path.filename(), "bad.toml");
  const Error error = error_of([&] { store.at("bad"); });
  EXPECT_EQ(error.code(), ErrorCode::not_found);
  EXPECT_TRUE(contains(error.hint(), "cannot be read")) << error.hint();
}

TEST(Store, APathIsAWordForTheCardBesideIt) {
  const TemporaryFolder folder;
  const fs::path weights = folder.path() / "model.safetensors";
  write_file(weights, std::string_view("w"));
  ModelStore store = own_store();
  EXPECT_EQ(store.resolve("dlib-resnet"), "dlib-resnet");
  EXPECT_EQ(store.resolve("no-such-card"), "no-such-card");  // `at` says what is near
  const Error bare = error_of([&] { store.resolve(weights); });
  EXPECT_TRUE(contains(bare.message(), "no card")) << bare.render();
  write_file(folder.path() / "model.toml", card_for("dlib-resnet", "model.safetensors", "w"));
  EXPECT_EQ(store.resolve(weights), "dlib-resnet");
  EXPECT_EQ(store.weights(store.at("dlib-resnet")), weights);
  EXPECT_EQ(store.resolve(folder.path() / "model.toml"), "dlib-resnet");
  EXPECT_EQ(error_of([&] { store.resolve(folder.path() / "other.onnx"); }).code(),
            ErrorCode::not_found);
}

TEST(Store, UnknownNamesAndFolders) {
  const Error error = error_of([] { own_store().at("dlib-resnt"); });
  EXPECT_EQ(error.code(), ErrorCode::not_found);
  EXPECT_TRUE(contains(error.hint(), "dlib-resnet")) << error.hint();
  EXPECT_EQ(error_of([] { own_store({"/no/such/folder"}); }).code(), ErrorCode::not_found);
}

TEST(Store, WeightsByNameThenByHash) {
  const TemporaryFolder one, two;
  write_file(one.path() / "a.toml", card_for("a", "same.onnx", "first"));
  write_file(one.path() / "b.toml", card_for("b", "same.onnx", "second"));
  write_file(one.path() / "c.toml", card_for("c", "absent.onnx", "third"));
  write_file(one.path() / "d.toml", card_for("d", "wrong.onnx", "fourth"));
  write_file(one.path() / "same.onnx", std::string_view("first"));
  write_file(two.path() / "same.onnx", std::string_view("second"));
  write_file(one.path() / "wrong.onnx", std::string_view("other"));
  const ModelStore store = own_store({one.path(), two.path()});
  EXPECT_EQ(store.weights(store.at("a")), one.path() / "same.onnx");
  EXPECT_EQ(store.weights(store.at("b")), two.path() / "same.onnx");
  EXPECT_EQ(store.state(store.at("a"), true), WeightState::present);
  EXPECT_EQ(store.state(store.at("b"), true), WeightState::present);
  EXPECT_EQ(store.state(store.at("c"), true), WeightState::missing);
  EXPECT_EQ(store.state(store.at("d"), true), WeightState::wrong_hash);
  EXPECT_EQ(store.state(store.at("d"), false), WeightState::present);
  EXPECT_EQ(store.state(store.at("mtcnn"), true), WeightState::none);
  const Error error = error_of([&] { store.weights(store.at("c")); });
  EXPECT_EQ(error.code(), ErrorCode::not_found);
  EXPECT_TRUE(contains(error.message(), one.path().string())) << error.message();
  EXPECT_TRUE(contains(error.hint(), "the test")) << error.hint();
  EXPECT_EQ(error_of([&] { store.weights(store.at("mtcnn")); }).code(),
            ErrorCode::invalid_argument);
  EXPECT_EQ(store.find_by_hash(sha256_hex("second"))->name, "b");
  EXPECT_EQ(store.find_by_hash(sha256_hex("nobody")), nullptr);
}

TEST(Store, FolderOfTheUser) {
  const TemporaryFolder folder;
  write_file(folder.path() / "mine.toml", card_for("mine", "x.onnx", "1"));
  ASSERT_EQ(setenv("SOSIA_MODELS", folder.path().c_str(), 1), 0);
  EXPECT_EQ(user_model_folder(), folder.path());
  EXPECT_NE(ModelStore().find("mine"), nullptr);
  EXPECT_EQ(own_store().find("mine"), nullptr);
  unsetenv("SOSIA_MODELS");
  ASSERT_EQ(setenv("XDG_DATA_HOME", "/somewhere", 1), 0);
  EXPECT_EQ(user_model_folder(), "/somewhere/sosia/models");
  unsetenv("XDG_DATA_HOME");
}

TEST(Store, SetUpMadeWhatTheCardsName) {
  const ModelStore store = own_store();
  SOSIA_NEED_WEIGHTS(store, "dlib-resnet");
  for (const char* name :
       {"dlib-resnet", "dlib-mmod", "mtcnn-p", "mtcnn-r", "mtcnn-o", "minilm-l6"}) {
    EXPECT_EQ(store.state(store.at(name), true), WeightState::present) << name;
  }
}

}  // namespace
}  // namespace sosia::models

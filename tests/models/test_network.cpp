// Networks: shapes, batches, threads, and files that are no networks.

#include "models/support.hpp"
#include "sosia/core/hash.hpp"

#include <cmath>
#include <thread>

namespace sosia::models {
namespace {

constexpr std::size_t kSide = 16;

Network open(const std::string& file, NetworkOptions options = {.threads = 1}) {
  return Network::open_bytes(bytes_of(file), "test.onnx", options);
}

Tensor pictures(std::int64_t rows, std::uint32_t seed = 1) {
  return {{rows, 3, kSide, kSide}, noise(static_cast<std::size_t>(rows) * 3 * kSide * kSide, seed)};
}

/// What `small_recogniser` computes, by hand.
std::vector<float> means(const Tensor& tensor) {
  constexpr std::size_t kPixels = kSide * kSide;
  std::vector<float> out;
  for (std::size_t at = 0; at < tensor.values.size(); at += kPixels) {
    double sum = 0;
    for (std::size_t i = 0; i < kPixels; ++i) sum += tensor.values[at + i];
    out.push_back(static_cast<float>(sum / kPixels));
  }
  return out;
}

void expect_near(std::span<const float> a, std::span<const float> b, double bound) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) ASSERT_NEAR(a[i], b[i], bound) << i;
}

TEST(Network, PortsAndNumbers) {
  const Network network = open(small_recogniser(-1, kSide));
  ASSERT_EQ(network.inputs().size(), 1u);
  EXPECT_EQ(network.inputs()[0].name, "data");
  EXPECT_EQ(network.inputs()[0].shape, (std::vector<std::int64_t>{-1, 3, kSide, kSide}));
  EXPECT_EQ(network.inputs()[0].type, "f32");
  EXPECT_EQ(network.outputs()[0].name, "fc1");
  EXPECT_EQ(network.output_index("fc1"), 0u);
  const Tensor input = pictures(2);
  const std::vector<Tensor> outputs = network.run(input);
  ASSERT_EQ(outputs.size(), 1u);
  EXPECT_EQ(outputs[0].shape, (std::vector<std::int64_t>{2, 3}));
  expect_near(outputs[0].values, means(input), 1e-5);
  const Error error = error_of([&] { network.output_index("fc2"); });
  EXPECT_EQ(error.code(), ErrorCode::not_found);
  EXPECT_TRUE(contains(error.hint(), "fc1")) << error.hint();
}

TEST(Network, BatchEqualsLoop) {
  for (const std::int64_t batch : {-1, 1}) {  // free, and fixed at 1: then run row by row
    const Network network = open(small_recogniser(batch, kSide));
    const Tensor input = pictures(5);
    const std::vector<Tensor> whole = network.run(input);
    EXPECT_EQ(whole[0].shape, (std::vector<std::int64_t>{5, 3}));
    for (std::size_t i = 0; i < 5; ++i) {
      const std::vector<std::int64_t> shape{1, 3, kSide, kSide};
      const std::vector<Tensor> one = network.run(TensorView(shape, input.row(i)));
      expect_near(whole[0].row(i), one[0].values, 1e-6);
    }
  }
}

TEST(Network, ManyThreadsOneNetwork) {
  for (const int parallel : {1, 3}) {
    const Network network = open(small_recogniser(-1, kSide), {.threads = 2, .parallel = parallel});
    std::vector<std::vector<float>> results(6);
    std::vector<std::thread> threads;
    for (std::uint32_t t = 0; t < results.size(); ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 20; ++i) results[t] = network.run(pictures(1 + t % 3, t))[0].values;
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (std::uint32_t t = 0; t < results.size(); ++t) {
      expect_near(results[t], means(pictures(1 + t % 3, t)), 1e-5);
    }
  }
}

TEST(Network, WrongInputs) {
  const Network network = open(small_recogniser(-1, kSide));
  const auto refused = [&](std::vector<std::int64_t> shape, std::size_t count) {
    const std::vector<float> values(count);
    const Error error = error_of([&] { network.run(TensorView(shape, values)); });
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument) << error.render();
    return error.message();
  };
  const std::string message = refused({1, 3, 8, 8}, 192);
  EXPECT_TRUE(contains(message, "[1, 3, 8, 8]")) << message;
  EXPECT_TRUE(contains(message, "[?, 3, 16, 16]")) << message;
  refused({3, 16, 16}, 768);
  refused({1, 3, 16, 16}, 767);
  refused({0, 3, 16, 16}, 0);
  refused({-1, 3, 16, 16}, 768);
  refused({}, 1);
  const Tensor input = pictures(1);
  const NamedInput wrong[] = {{"dat", input}};
  const Error error = error_of([&] { network.run(wrong); });
  EXPECT_TRUE(contains(error.hint(), "data")) << error.render();
  const NamedInput twice[] = {{"data", input}, {"data", input}};
  EXPECT_EQ(error_of([&] { network.run(twice); }).code(), ErrorCode::invalid_argument);
}

TEST(Network, SeveralInputsByName) {
  OnnxGraph graph;
  graph.inputs = {onnx_value("a", {-1, 2}), onnx_value("b", {-1, 2})};
  graph.nodes = {onnx_node("Sub", {"a", "b"}, {"difference"}),
                 onnx_node("Add", {"a", "b"}, {"sum"})};
  graph.outputs = {onnx_value("difference", {-1, 2}), onnx_value("sum", {-1, 2})};
  const Network network = open(graph.file());
  const Tensor a{{1, 2}, {5, 7}}, b{{1, 2}, {2, 3}};
  const NamedInput inputs[] = {{"b", b}, {"a", a}};
  const std::vector<Tensor> outputs = network.run(inputs);
  EXPECT_EQ(outputs[network.output_index("difference")].values, (std::vector<float>{3, 4}));
  EXPECT_EQ(outputs[network.output_index("sum")].values, (std::vector<float>{7, 10}));
  const NamedInput nameless[] = {{"", b}, {"a", a}};
  EXPECT_EQ(error_of([&] { network.run(nameless); }).code(), ErrorCode::invalid_argument);
}

TEST(Network, CompiledOnceFromTheCache) {
  const TemporaryFolder folder;
  const NetworkOptions options{.threads = 1, .cache = folder.path() / "cache"};
  const Tensor input = pictures(1);
  const std::vector<float> first = open(small_recogniser(-1, kSide), options).run(input)[0].values;
  EXPECT_FALSE(std::filesystem::is_empty(folder.path() / "cache"));
  EXPECT_EQ(open(small_recogniser(-1, kSide), options).run(input)[0].values, first);
  // A damaged cache costs time, not answers.
  for (const auto& entry : std::filesystem::directory_iterator(folder.path() / "cache")) {
    std::filesystem::resize_file(entry.path(), 100);
  }
  EXPECT_EQ(open(small_recogniser(-1, kSide), options).run(input)[0].values, first);
}

TEST(BadNetwork, CutOffOrNoNetwork) {
  const std::string file = small_recogniser();
  for (const std::size_t length :
       {std::size_t{0}, std::size_t{1}, file.size() / 3, file.size() / 2, file.size() - 1}) {
    const Error error = error_of([&] { open(file.substr(0, length)); });
    EXPECT_EQ(error.code(), ErrorCode::corrupt_data) << length << ": " << error.render();
    EXPECT_TRUE(contains(error.context(), "test.onnx")) << error.render();
  }
  EXPECT_EQ(error_of([] { open("GIF89a and so on, no network at all"); }).code(),
            ErrorCode::corrupt_data);
  EXPECT_EQ(error_of([] { open(std::string(5000, '\xff')); }).code(), ErrorCode::corrupt_data);
  EXPECT_EQ(error_of([] { Network::open_file("/no/such.onnx"); }).code(), ErrorCode::not_found);
}

TEST(BadNetwork, AFlippedByteIsAnErrorOrANetwork) {
  const std::string good = small_recogniser(-1, kSide);
  for (std::size_t at = 0; at < good.size(); at += 4) {
    std::string file = good;
    file[at] = static_cast<char>(file[at] ^ 0x55);
    try {
      open(file);
    } catch (const Error& error) {
      EXPECT_NE(error.code(), ErrorCode::internal) << at << ": " << error.render();
    }
  }
}

TEST(BadNetwork, UnsupportedOperatorIsNamed) {
  OnnxGraph graph;
  graph.inputs = {onnx_value("data", {1, 3})};
  graph.nodes = {onnx_node("FaceWarp", {"data"}, {"out"}, "own")};
  graph.outputs = {onnx_value("out", {1, 3})};
  graph.own_domain = true;
  const Error error = error_of([&] { open(graph.file()); });
  EXPECT_EQ(error.code(), ErrorCode::unsupported) << error.render();
  EXPECT_TRUE(contains(error.message(), "FaceWarp")) << error.message();
  EXPECT_FALSE(error.hint().empty());
}

TEST(BadNetwork, TwentyGigabytesOfDeclaredShape) {
  OnnxGraph graph;  // the input itself: 3 x 41000 x 41000 floats
  graph.inputs = {onnx_value("data", {1, 3, 41000, 41000})};
  graph.nodes = {onnx_node("Relu", {"data"}, {"out"})};
  graph.outputs = {onnx_value("out", {1, 3, 41000, 41000})};
  const Error error = error_of([&] { open(graph.file()); });
  EXPECT_EQ(error.code(), ErrorCode::out_of_memory) << error.render();
  EXPECT_TRUE(contains(error.message(), "20.2 GB")) << error.message();
  EXPECT_TRUE(contains(error.message(), "41000")) << error.message();
}

TEST(BadNetwork, WeightsThatClaimMoreThanTheFileHolds) {
  OnnxGraph graph;
  graph.inputs = {onnx_value("data", {1, 4})};
  graph.weights = {onnx_weights("w", {50'000, 100'000}, {1, 2, 3, 4})};
  graph.nodes = {onnx_node("Mul", {"data", "w"}, {"out"})};
  graph.outputs = {onnx_value("out", {1, 4})};
  const Error error = error_of([&] { open(graph.file()); });
  EXPECT_TRUE(error.code() == ErrorCode::corrupt_data || error.code() == ErrorCode::out_of_memory)
      << error.render();
}

TEST(BadNetwork, WeightsInAnotherFileAreRefused) {
  const TemporaryFolder folder;
  write_file(folder.path() / "secret.bin", std::string(16, 'x'));
  Proto tensor;
  tensor.number(1, 4).number(2, 1).bytes(8, "w");
  const std::string place = (folder.path() / "secret.bin").string();
  tensor.part(13, Proto().bytes(1, "location").bytes(2, place)).number(14, 1);
  OnnxGraph graph;
  graph.inputs = {onnx_value("data", {1, 4})};
  graph.weights = {tensor};
  graph.nodes = {onnx_node("Mul", {"data", "w"}, {"out"})};
  graph.outputs = {onnx_value("out", {1, 4})};
  write_file(folder.path() / "n.onnx", graph.file());
  EXPECT_EQ(error_of([&] { Network::open_file(folder.path() / "n.onnx"); }).code(),
            ErrorCode::corrupt_data);
}

// --- by card ---

class CardNetwork : public testing::Test {
 protected:
  CardNetwork() {
    content_ = small_recogniser(-1, kSide);
    write_file(folder_.path() / "n.onnx", content_);
    card_.name = "n";
    card_.file = "n.onnx";
    card_.sha256 = sha256_hex(content_);
    card_.input.name = "data";
    card_.input.shape = {-1, 3, kSide, kSide};
    card_.output.name = "fc1";
  }
  Error refusal() {
    return error_of([&] { Network::open(card_, own_store({folder_.path()}), {.threads = 1}); });
  }

  TemporaryFolder folder_;
  std::string content_;
  ModelCard card_;
};

TEST_F(CardNetwork, OpensWhatFits) {
  const Network network = Network::open(card_, own_store({folder_.path()}), {.threads = 1});
  EXPECT_EQ(network.run(pictures(1))[0].values.size(), 3u);
}

TEST_F(CardNetwork, WrongHash) {
  card_.sha256 = std::string(64, '0');
  const Error error = refusal();
  EXPECT_EQ(error.code(), ErrorCode::corrupt_data);
  EXPECT_TRUE(contains(error.message(), sha256_hex(content_))) << error.message();
  EXPECT_TRUE(contains(error.context(), "n.onnx")) << error.context();
  EXPECT_NO_THROW(Network::open(card_, own_store({folder_.path()}), {.check_hash = false}));
}

TEST_F(CardNetwork, CardOfAnotherNetwork) {
  card_.input.shape = {-1, 3, 112, 112};
  EXPECT_TRUE(contains(refusal().message(), "[?, 3, 112, 112]"));
  card_.input.shape = {-1, 3, kSide, kSide};
  card_.input.name = "image";
  EXPECT_TRUE(contains(refusal().message(), "data"));
  card_.input.name = "data";
  card_.output.name = "embedding";
  EXPECT_EQ(refusal().code(), ErrorCode::not_found);
}

TEST_F(CardNetwork, WeightsOfAnotherGraph) {
  const ModelStore store = own_store();
  SOSIA_NEED_WEIGHTS(store, "mtcnn-r");
  ModelCard card = store.at("mtcnn-r");
  card.graph = Graph::dlib_resnet;
  const Error error = error_of([&] { Network::open(card, store); });
  EXPECT_EQ(error.code(), ErrorCode::corrupt_data);
  EXPECT_TRUE(contains(error.message(), "conv0.weight")) << error.message();
  EXPECT_TRUE(contains(error.message(), "[32, 3, 7, 7]")) << error.message();
}

}  // namespace
}  // namespace sosia::models

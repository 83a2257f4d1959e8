// The text encoder with its real weights.

#include "models/support.hpp"

#include <cmath>
#include <thread>

namespace sosia::models {
namespace {

double dot(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * b[i];
  return sum;
}

TEST(TextEncoder, NeighboursInABatchChangeNothing) {
  const ModelStore store = own_store();
  SOSIA_NEED_WEIGHTS(store, "minilm-l6");
  const TextEncoder encoder(store);
  ASSERT_EQ(encoder.dimension(), 384u);
  const std::vector<std::string> texts{
      "Siemens AG", "", "a much longer text about a company that makes trains and turbines",
      "\xE8\xA5\xBF\xE9\x97\xA8\xE5\xAD\x90",
      std::string(3000, 'x') + " " + std::string(9000, ' ')};
  const std::vector<float> rows = encoder.encode(texts, 3);
  ASSERT_EQ(rows.size(), texts.size() * 384);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::span<const float> row = std::span(rows).subspan(i * 384, 384);
    EXPECT_NEAR(dot(row, row), 1, 1e-6);
    const std::vector<float> alone = encoder.encode(texts[i]);
    for (std::size_t k = 0; k < 384; ++k) ASSERT_NEAR(row[k], alone[k], 1e-5) << i;
  }
  EXPECT_TRUE(encoder.encode(std::span<const std::string>()).empty());
}

TEST(TextEncoder, LikeTextsAreNear) {
  const ModelStore store = own_store();
  SOSIA_NEED_WEIGHTS(store, "minilm-l6");
  const TextEncoder encoder(store, "minilm-l6", {.threads = 2, .parallel = 2});
  const std::vector<float> bank = encoder.encode("the bank lends money to a company");
  const std::vector<float> loan = encoder.encode("a firm gets a loan");
  const std::vector<float> cat = encoder.encode("the cat sleeps on the sofa");
  EXPECT_GT(dot(bank, loan), dot(bank, cat) + 0.3);
  std::vector<float> other;
  std::thread thread([&] { other = encoder.encode("a firm gets a loan"); });
  const std::vector<float> here = encoder.encode("the cat sleeps on the sofa");
  thread.join();
  EXPECT_EQ(other, loan);
  EXPECT_EQ(here, cat);
}

TEST(TextEncoder, OnlyItsOwnKind) {
  const Error error = error_of([] { TextEncoder(own_store(), "dlib-resnet"); });
  EXPECT_EQ(error.code(), ErrorCode::unsupported);
  EXPECT_TRUE(contains(error.message(), "face_embedder")) << error.message();
}

}  // namespace
}  // namespace sosia::models

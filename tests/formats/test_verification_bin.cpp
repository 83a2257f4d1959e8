#include "common.hpp"
#include "errors.hpp"
#include "sosia/core/hash.hpp"
#include "sosia/formats/verification_bin.hpp"

namespace sosia::formats {
namespace {

std::vector<std::string> images(std::size_t n) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < n; ++i) {
    out.push_back("\xff\xd8" + std::string(i * 37, static_cast<char>(i)) + "\xff\xd9");
  }
  return out;
}

std::vector<std::span<const std::byte>> spans(const std::vector<std::string>& texts) {
  std::vector<std::span<const std::byte>> out;
  for (const std::string& text : texts) out.push_back(bytes_of(text));
  return out;
}

TEST(VerificationBin, BothFlavoursRoundTrip) {
  const std::vector<std::string> content = images(8);
  const std::vector<bool> same{true, false, true, false};
  const TemporaryFolder folder;
  for (const auto flavour : {VerificationFlavour::numpy, VerificationFlavour::bytes}) {
    const auto path = folder.path() / std::to_string(static_cast<int>(flavour));
    write_verification_bin(path, spans(content), same, flavour);
    const VerificationBin set(path);
    ASSERT_EQ(set.pairs(), 4u);
    for (std::size_t i = 0; i < 8; ++i) {
      const auto image = set.image(i);
      EXPECT_TRUE(std::equal(image.begin(), image.end(), bytes_of(content[i]).begin(),
                             bytes_of(content[i]).end()));
    }
    for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(set.same(i), same[i]);
    EXPECT_EQ(code_of([&] { set.image(8); }), ErrorCode::invalid_argument);
    EXPECT_EQ(code_of([&] { set.same(4); }), ErrorCode::invalid_argument);
  }
}

// CPython 3.11 loads these very bytes as the same images and labels:
//   bins, issame = pickle.load(f, encoding='bytes')
TEST(VerificationBin, BytesAreThoseThatPythonAccepted) {
  const std::vector<std::string> content = images(4);
  EXPECT_EQ(sha256_hex(verification_bin_bytes(spans(content), {true, false})),
            "20ddfe3fe15ec29d3164febc86037c89177eda44c52040c60f523fb9adbb9bed");
  EXPECT_EQ(
      sha256_hex(verification_bin_bytes(spans(content), {true, false}, VerificationFlavour::bytes)),
      "6df2f6de9e32c05627a2b734fa6bcaf543fac883d63eee49a1183c754c5f1e88");
}

TEST(VerificationBin, RefusesOtherPickles) {
  const auto code = [](std::string_view text) {
    return code_of([&] { VerificationBin(bytes_of(text), "x.bin"); });
  };
  EXPECT_EQ(code("N."), ErrorCode::corrupt_data);
  EXPECT_EQ(VerificationBin(bytes_of("(]]t."), "x.bin").pairs(), 0u);
  EXPECT_EQ(code("((S'a'\nl(I01\nlt."), ErrorCode::corrupt_data);    // one image, one label
  EXPECT_EQ(code("((I1\nI2\nl(I01\nlt."), ErrorCode::corrupt_data);  // images that are numbers
  EXPECT_EQ(code("((S'a'\nS'b'\nl(I5\nlt."),
            ErrorCode::corrupt_data);  // a label that is no boolean
  EXPECT_EQ(code_of([] { verification_bin_bytes({}, {true}); }), ErrorCode::invalid_argument);
}

}  // namespace
}  // namespace sosia::formats

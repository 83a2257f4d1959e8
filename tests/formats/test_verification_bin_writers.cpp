#include "common.hpp"
#include "formats/test_pickle_samples.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/files.hpp"
#include "sosia/formats/verification_bin.hpp"

#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace sosia::formats {
namespace {

using namespace std::string_view_literals;

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

const std::string_view kImages[] = {
    "\xff\xd8"
    "A"sv,
    "\xff\xd8\n\r'"sv,
    "\xff\xd8"
    "B\0"sv,
    "\xff\xd8\xce\xed"sv};

struct Sample {
  std::string_view hex;
  std::size_t pairs;
};

class VerificationBinSample : public testing::TestWithParam<Sample> {};

TEST_P(VerificationBinSample, GivesImagesAndLabels) {
  const auto raw = samples::from_hex(GetParam().hex);
  const VerificationBin set(raw, "lfw.bin");
  ASSERT_EQ(set.pairs(), GetParam().pairs);
  for (std::size_t i = 0; i < 2 * set.pairs(); ++i) {
    // One sample's last image is longer.
    EXPECT_TRUE(text_of(set.image(i)).starts_with(kImages[i])) << i;
    if (i < 3) {
      EXPECT_EQ(set.image(i).size(), kImages[i].size());
    }
  }
  EXPECT_TRUE(set.same(0));
  if (set.pairs() > 1) {
    EXPECT_FALSE(set.same(1));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Writers, VerificationBinSample,
    testing::Values(Sample{samples::kNumpy1Bin3, 2}, Sample{samples::kNumpy1Bin5, 1},
                    Sample{samples::kNumpy2Bin0, 1}, Sample{samples::kNumpy2Bin2, 1},
                    Sample{samples::kNumpy2Bin4, 2}, Sample{samples::kNumpy2Bin5, 2},
                    Sample{samples::kPython2Strings0, 1}, Sample{samples::kPython2Strings2, 2},
                    Sample{samples::kPython2Numpy2, 1}));

class VerificationBinFlavour : public testing::TestWithParam<VerificationFlavour> {};

TEST_P(VerificationBinFlavour, IsReadBackFromFileAndMemory) {
  std::vector<std::span<const std::byte>> images;
  for (const std::string_view image : kImages) images.push_back(bytes_of(image));
  const std::string long_image(70'000, '\x0a');
  images.push_back(bytes_of(long_image));
  images.push_back({});
  const std::vector<bool> same{true, false, true};

  const TemporaryFolder folder;
  const auto path = folder.path() / "set.bin";
  write_verification_bin(path, images, same, GetParam());
  const VerificationBin from_file(path);
  const std::string raw = verification_bin_bytes(images, same, GetParam());
  const VerificationBin from_memory(bytes_of(raw), "memory");
  for (const VerificationBin* set : {&from_file, &from_memory}) {
    ASSERT_EQ(set->pairs(), 3u);
    for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(text_of(set->image(i)), text_of(images[i]));
    for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(set->same(i), same[i]);
  }
  EXPECT_THROW(from_file.image(6), Error);
  EXPECT_THROW(from_file.same(3), Error);
  EXPECT_THROW(write_verification_bin(path, images, same, GetParam()), Error);  // it exists
}

INSTANTIATE_TEST_SUITE_P(Both, VerificationBinFlavour,
                         testing::Values(VerificationFlavour::numpy, VerificationFlavour::bytes));

TEST(VerificationBinFile, ViewsSurviveAMove) {
  const TemporaryFolder folder;
  const std::vector<std::span<const std::byte>> images{bytes_of(kImages[0]), bytes_of(kImages[1])};
  write_verification_bin(folder.path() / "set.bin", images, {true});
  VerificationBin first(folder.path() / "set.bin");
  const VerificationBin second(std::move(first));
  EXPECT_EQ(text_of(second.image(1)), kImages[1]);
}

TEST(VerificationBinFile, WantsTwoImagesPerLabel) {
  const std::vector<std::span<const std::byte>> three(3, bytes_of("x"));
  EXPECT_THROW(verification_bin_bytes(three, {true, false}), Error);
}

TEST(VerificationBinFile, OtherPicklesAreCorruptData) {
  const std::string_view programs[] = {
      "N."sv,                    // no pair
      "]]\x86."sv.substr(0, 2),  // cut short
      "](U\1aU\1be](\x88\x89"
      "e\x86."sv,  // two images, two labels
      "](K\1K\2e](\x88"
      "e\x86."sv,                  // images that are numbers
      "](U\1aU\1be](K\2e\x86."sv,  // a label that is neither true nor false
      "](U\1aU\1be](\x88"
      "e]\x87."sv,            // a triple
      "](U\1aU\1be}\x86."sv,  // labels that are a dict
  };
  for (const std::string_view program : programs) {
    try {
      VerificationBin(bytes_of(program), "bad.bin");
      ADD_FAILURE() << "accepted " << testing::PrintToString(std::string(program));
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::corrupt_data) << error.what();
      EXPECT_NE(error.context().find("bad.bin"), std::string::npos) << error.what();
    }
  }
  EXPECT_EQ(VerificationBin(bytes_of("]]\x86."sv), "empty.bin").pairs(), 0u);
}

TEST(VerificationBinFile, NothingIsExecuted) {
  const auto raw = samples::from_hex(samples::kSystem2);
  try {
    const VerificationBin set(raw, "evil.bin");
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unsupported);
    EXPECT_NE(error.message().find("posix.system"), std::string::npos);
  }
}

}  // namespace
}  // namespace sosia::formats

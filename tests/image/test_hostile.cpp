// Files that were cut off, damaged or made to do harm.

#include "../../fuzz/image/exercise.hpp"
#include "image/samples.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/files.hpp"
#include "sosia/core/rng.hpp"
#include "sosia/image/decode.hpp"

#include <filesystem>

#include <gtest/gtest.h>

namespace sosia::image {
namespace {

using namespace testing;

TEST(Hostile, EveryTruncationIsAnError) {
  for (const Sample& sample : all_samples()) {
    for (std::size_t part = 0; part < 50; ++part) {
      const std::size_t size = sample.bytes.size() * part / 50;
      const auto cut = std::span(sample.bytes).first(size);
      try {
        decode(cut);
        ADD_FAILURE() << sample.name << " decodes from " << size << " of " << sample.bytes.size()
                      << " bytes";
      } catch (const Error& e) {
        // A few bytes may not be enough to tell the format.
        EXPECT_TRUE(e.code() == ErrorCode::corrupt_data ||
                    (size < 16 && e.code() == ErrorCode::unsupported))
            << sample.name << " " << size << ": " << e.what();
        EXPECT_FALSE(e.message().empty());
      }
    }
  }
}

/// Changes up to four bytes; sometimes also cuts, doubles or moves a piece.
ByteVector mutated(const ByteVector& bytes, RandomStream& random) {
  ByteVector out = bytes;
  const std::uint64_t changes = 1 + random.below(4);
  for (std::uint64_t i = 0; i < changes; ++i) {
    // Half of them in the first bytes, where headers are.
    const std::size_t range =
        random.below(2) == 0 ? std::min<std::size_t>(out.size(), 64) : out.size();
    const std::size_t at = random.below(range);
    const unsigned values[] = {0, 1, 0x7f, 0x80, 0xff};
    out[at] =
        static_cast<std::byte>(random.below(3) == 0 ? values[random.below(5)] : random.below(256));
  }
  if (random.below(8) == 0) {
    const auto from = static_cast<std::ptrdiff_t>(random.below(out.size()));
    const auto length =
        static_cast<std::ptrdiff_t>(random.below(out.size() - static_cast<std::size_t>(from)));
    if (random.below(2) == 0) {
      out.erase(out.begin() + from, out.begin() + from + length);
    } else {
      const ByteVector piece(out.begin() + from, out.begin() + from + length);
      out.insert(out.begin() + from, piece.begin(), piece.end());
    }
  }
  return out;
}

TEST(Hostile, MutationsDecodeOrThrowErrors) {
  std::size_t refused = 0;
  std::size_t total = 0;
  for (const Sample& sample : all_samples()) {
    RandomStream random(7, sample.name);
    for (int i = 0; i < 300; ++i) {
      const ByteVector bytes = mutated(sample.bytes, random);
      DecodeOptions options;
      options.max_pixels = 1'000'000;
      options.scale_denominator = 1 << random.below(4);
      options.channels = static_cast<Channels>(random.below(4));
      ++total;
      try {
        const Decoded decoded = decode(bytes, options);
        EXPECT_FALSE(decoded.image.empty());
      } catch (const Error& e) {
        ++refused;
        EXPECT_NE(e.code(), ErrorCode::internal) << sample.name << " " << i << ": " << e.what();
        EXPECT_NE(e.code(), ErrorCode::invalid_argument)
            << sample.name << " " << i << ": " << e.what();
      }
      try {
        probe(bytes);
      } catch (const Error& e) {
        EXPECT_NE(e.code(), ErrorCode::internal) << sample.name << " " << i << ": " << e.what();
      }
    }
  }
  // Both outcomes occur, or the mutations test nothing. Observed 54% refused.
  EXPECT_GT(refused, total / 10);
  EXPECT_LT(refused, total * 9 / 10);
}

TEST(Hostile, KeptFuzzInputsStayHarmless) {
  namespace fs = std::filesystem;
  const fs::path corpus = fs::path(SOSIA_SOURCE_DIR) / "fuzz" / "image" / "corpus";
  const std::pair<const char*, void (*)(fuzz::Bytes)> targets[] = {
      {"decode", fuzz::exercise_decode}, {"jpeg_head", fuzz::exercise_jpeg_head}};
  for (const auto& [folder, exercise] : targets) {
    ASSERT_FALSE(fs::is_empty(corpus / folder));
    for (const fs::directory_entry& file : fs::directory_iterator(corpus / folder)) {
      const std::vector<std::byte> bytes = read_file(file.path());
      EXPECT_NO_THROW(exercise(bytes)) << file.path();
    }
  }
}

ByteVector huge_gif() {
  ByteVector bytes = to_bytes("GIF89a");
  append_le16(bytes, 60'000);
  append_le16(bytes, 60'000);
  append_u8(bytes, {0x80, 0, 0, 0, 0, 0, 255, 255, 255, ','});
  for (const unsigned v : {0U, 0U, 60'000U, 60'000U}) {
    append_le16(bytes, v);
  }
  append_u8(bytes, {0, 2, 1, 0x2c, 0, ';'});
  return bytes;
}

ByteVector huge_jpeg() {
  ByteVector bytes = jpeg_of(gradient(16, 16, 3));
  const std::size_t frame = find_marker(bytes, 0xc0);
  for (const std::size_t at : {frame + 5, frame + 7}) {
    bytes[at] = std::byte{60'000 >> 8};
    bytes[at + 1] = std::byte{60'000 & 255};
  }
  return bytes;
}

ByteVector huge_png() {
  ByteVector bytes = encode(noise(4, 4, 3), Format::png).bytes;
  for (const std::size_t at : {16U, 20U}) {
    bytes[at + 2] = std::byte{60'000 >> 8};
    bytes[at + 3] = std::byte{60'000 & 255};
  }
  return bytes;
}

ByteVector huge_bmp() {
  ByteVector bytes = bmp_of(noise(4, 4, 3), BmpKind::bits24);
  for (const std::size_t at : {18U, 22U}) {
    bytes[at] = std::byte{60'000 & 255};
    bytes[at + 1] = std::byte{60'000 >> 8};
  }
  return bytes;
}

TEST(Hostile, ClaimsOfHugeExtentsAreRefusedFromTheHeader) {
  const Sample claims[] = {{"gif", huge_gif()},
                           {"jpeg", huge_jpeg()},
                           {"png", huge_png()},
                           {"bmp", huge_bmp()},
                           {"pnm", to_bytes("P6\n60000 60000\n255\nabc")},
                           {"webp", animated_webp_of(noise(4, 4, 4), {60'000, 60'000})}};
  for (const Sample& claim : claims) {
    EXPECT_EQ(probe(claim.bytes).extent, (Extent{60'000, 60'000})) << claim.name;
    try {
      decode(claim.bytes);
      ADD_FAILURE() << claim.name;
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::out_of_memory) << claim.name << ": " << e.what();
      EXPECT_NE(e.message().find("60000 x 60000"), std::string::npos) << e.message();
      EXPECT_NE(e.hint().find("max_pixels"), std::string::npos);
    }
  }
}

TEST(Hostile, ExtremeSidesAreRefused) {
  // Within the pixel cap, beyond the longest side.
  EXPECT_THROW(decode(to_bytes("P5 100000000 1 255\nabc")), Error);
  EXPECT_THROW(decode(to_bytes("P5 2147483647 2147483647 255\nabc")), Error);
  ByteVector bmp = bmp_of(noise(4, 4, 3), BmpKind::bits24);
  bmp[25] = std::byte{0x80};  // a height of -2147483644
  EXPECT_THROW(decode(bmp), Error);
  bmp[22] = bmp[23] = bmp[24] = std::byte{0};  // -2147483648, which has no positive twin
  EXPECT_THROW(decode(bmp), Error);
}

}  // namespace
}  // namespace sosia::image

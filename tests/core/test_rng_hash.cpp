#include "sosia/core/error.hpp"
#include "sosia/core/files.hpp"
#include "sosia/core/hash.hpp"
#include "sosia/core/rng.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace sosia {
namespace {

TEST(Hash, PublishedVectors) {
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  // RFC 3720, appendix B.4: CRC-32C of "123456789" and of 32 zero bytes.
  const std::string digits = "123456789";
  EXPECT_EQ(crc32c(std::as_bytes(std::span(digits))), 0xe3069283u);
  const std::string zeros(32, '\0');
  EXPECT_EQ(crc32c(std::as_bytes(std::span(zeros))), 0x8a9136aau);
  EXPECT_EQ(xxh3_64(std::string_view("")), 0x2d06800538d394c2u);
}

TEST(Hash, StreamingEqualsOneCall) {
  std::string text(1000, 'q');
  std::iota(text.begin(), text.end(), '\0');
  const auto bytes = std::as_bytes(std::span(text));
  Sha256 hash;
  hash.update(bytes.first(333));
  hash.update(bytes.subspan(333));
  EXPECT_EQ(to_hex(hash.finish()), sha256_hex(bytes));
  EXPECT_EQ(crc32c(bytes.subspan(333), crc32c(bytes.first(333))), crc32c(bytes));
  const TemporaryFolder folder;
  write_file(folder.path() / "f", bytes);
  EXPECT_EQ(sha256_file(folder.path() / "f"), sha256_hex(bytes));
}

TEST(Random, StreamsAreReproducibleAndDistinct) {
  std::set<std::uint64_t> first;
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    for (const char* name : {"a", "b"}) {
      for (std::uint64_t index = 0; index < 10; ++index) {
        RandomStream one(seed, name, index), two(seed, name, index);
        const std::uint64_t value = one.next_u64();
        EXPECT_EQ(value, two.next_u64());
        EXPECT_TRUE(first.insert(value).second);
      }
    }
  }
}

TEST(Random, UniformAndNormalHaveTheirMoments) {
  RandomStream stream(1, "moments");
  constexpr int kDraws = 200000;
  double sum = 0, square = 0, normal_sum = 0, normal_square = 0, fourth = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double u = stream.uniform();
    ASSERT_GE(u, 0);
    ASSERT_LT(u, 1);
    sum += u;
    square += u * u;
    const double z = stream.normal();
    normal_sum += z;
    normal_square += z * z;
    fourth += z * z * z * z;
  }
  // Observed: .4997, .3330, -.0018, 1.0027, 3.018; bounds are about five standard errors.
  EXPECT_NEAR(sum / kDraws, 0.5, 0.0033);
  EXPECT_NEAR(square / kDraws, 1.0 / 3, 0.0034);
  EXPECT_NEAR(normal_sum / kDraws, 0, 0.0112);
  EXPECT_NEAR(normal_square / kDraws, 1, 0.0159);
  EXPECT_NEAR(fourth / kDraws, 3, 0.11);
}

TEST(Random, BelowIsUnbiasedAndShuffleIsAPermutation) {
  RandomStream stream(2, "below");
  int counts[7] = {};
  for (int i = 0; i < 70000; ++i) ++counts[stream.below(7)];
  double chi = 0;
  for (const int count : counts) chi += (count - 10000.0) * (count - 10000.0) / 10000.0;
  EXPECT_LT(chi, 24.3);  // 6 degrees of freedom, p = .0005
  EXPECT_THROW(stream.below(0), Error);
  std::vector<int> items(100);
  std::iota(items.begin(), items.end(), 0);
  stream.shuffle(std::span(items));
  EXPECT_FALSE(std::is_sorted(items.begin(), items.end()));
  EXPECT_EQ(std::set<int>(items.begin(), items.end()).size(), 100u);
}

}  // namespace
}  // namespace sosia

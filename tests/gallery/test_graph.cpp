// The approximate index: recall, filters, erasure, its file, and files that are broken.

#include "errors.hpp"
#include "gallery/matrix.hpp"
#include "matrix_data.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/files.hpp"
#include "sosia/core/hash.hpp"

#include <cstring>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

namespace sosia::gallery {
namespace {

using test::Matrix;

constexpr std::size_t kDimension = 48, kCount = 1400, kSubjects = 170;
constexpr double kSpread = 0.5;

RunContext& run_with(int threads) {
  static RunContext one({.threads = 1}), two({.threads = 2});
  return threads == 1 ? one : two;
}

std::vector<float> probes_of(std::size_t count) {
  return test::clustered(count, kDimension, kSubjects, kSpread, 1, "probes");
}

const Matrix& matrix() {
  static const Matrix kMatrix =
      test::store(test::clustered(kCount, kDimension, kSubjects, kSpread, 1, "rows"), kDimension,
                  StoredType::f16);
  return kMatrix;
}

GraphIndex build(int threads = 1, std::uint64_t seed = 0) {
  return GraphIndex::build(matrix().rows(), {.links = 12, .build_width = 40, .seed = seed},
                           run_with(threads));
}

/// One for all tests that do not change it.
const GraphIndex& built() {
  static const GraphIndex kIndex = build();
  return kIndex;
}

double recall(const std::vector<std::vector<Hit>>& found,
              const std::vector<std::vector<Hit>>& exact) {
  double got = 0, wanted = 0;
  for (std::size_t p = 0; p < exact.size(); ++p) {
    wanted += double(exact[p].size());
    for (const Hit& hit : exact[p])
      got += double(std::count(found[p].begin(), found[p].end(), hit));
  }
  return got / wanted;
}

std::string bytes_of(const std::string& path) {
  return read_text(path);
}

void put(const std::string& path, std::string_view bytes) {
  // Not by write_file: its wait for the disk, thousands of times, takes a minute.
  std::ofstream(path, std::ios::binary) << bytes;
}

/// The bytes with the checksum that they should have: what is broken is not the checksum.
std::string sealed(std::string bytes) {
  const auto body = std::as_bytes(std::span(bytes.data(), bytes.size() - 4));
  const std::uint32_t sum = crc32c(body);
  std::memcpy(bytes.data() + bytes.size() - 4, &sum, 4);
  return bytes;
}

class Graph : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!GraphIndex::available()) GTEST_SKIP() << "this build has no hnswlib";
  }
};

TEST(GraphWithout, ABuildWithoutHnswlibSaysSo) {
  if (GraphIndex::available()) GTEST_SKIP() << "this build has hnswlib";
  EXPECT_EQ(code_of([] { build(); }), ErrorCode::missing_feature);
}

TEST_F(Graph, FindsNearlyAllAndScoresExactly) {
  for (const int threads : {1, 2}) {
    const GraphIndex index = build(threads);
    EXPECT_EQ(index.size(), kCount);
    const auto probes = probes_of(60);
    const auto exact = scan(matrix().rows(), probes, 10, {}, run_with(1));
    const auto found = index.search(matrix().rows(), probes, 10, 100, {}, run_with(threads));
    EXPECT_GE(recall(found, exact), 0.95);  // observed: 1.0 on one thread
    for (std::size_t p = 0; p < found.size(); ++p) {
      ASSERT_EQ(found[p].size(), 10u);
      EXPECT_TRUE(std::is_sorted(found[p].begin(), found[p].end(), better));
      const std::span probe(probes.data() + p * kDimension, kDimension);
      for (const Hit& hit : found[p]) {
        EXPECT_EQ(hit.score, row_score(matrix().rows(), hit.row, probe));
      }
    }
  }
}

TEST_F(Graph, SearchDoesNotDependOnBatchOrThreads) {
  const GraphIndex& index = built();
  const auto probes = probes_of(20);
  const auto all = index.search(matrix().rows(), probes, 5, 30, {}, run_with(2));
  for (std::size_t p = 0; p < 20; ++p) {
    const std::span probe(probes.data() + p * kDimension, kDimension);
    EXPECT_EQ(index.search(matrix().rows(), probe, 5, 30, {}, run_with(1)).front(), all[p]);
  }
}

TEST_F(Graph, SameSeedOnOneThreadGivesTheSameFile) {
  const TemporaryFolder folder;
  const std::string a = folder.path() / "a", b = folder.path() / "b", c = folder.path() / "c";
  built().save(a);
  build().save(b);
  build(1, 7).save(c);
  EXPECT_EQ(bytes_of(a), bytes_of(b));
  EXPECT_NE(bytes_of(a), bytes_of(c));
}

TEST_F(Graph, MasksHold) {
  const GraphIndex& index = built();
  const auto probes = probes_of(30);
  const RowMask mask = test::random_mask(kCount, 4, 3);
  const std::vector<const RowMask*> masks = {&mask};
  const auto exact = scan(matrix().rows(), probes, 10, masks, run_with(1));
  const auto found = index.search(matrix().rows(), probes, 10, 100, masks, run_with(2));
  for (const auto& hits : found) {
    for (const Hit& hit : hits) EXPECT_TRUE(mask.test(hit.row));
  }
  EXPECT_GE(recall(found, exact), 0.95);  // observed: 1.0
  RowMask none;
  none.words.assign((kCount + 63) / 64, 0);
  const std::vector<const RowMask*> nothing = {&none};
  EXPECT_TRUE(index
                  .search(matrix().rows(), std::span(probes).first(kDimension), 10, 50, nothing,
                          run_with(1))
                  .front()
                  .empty());
}

TEST_F(Graph, MeasuredRecallIsThatOfTheScanAndGivesTheWidth) {
  GraphIndex index = build();
  EXPECT_EQ(index.width_for(10, 0.9), 0u);  // nothing is known yet
  index.measure(matrix().rows(), 10, run_with(2));
  ASSERT_FALSE(index.measured().empty());
  std::size_t width = 0;
  for (const auto& m : index.measured()) {
    EXPECT_EQ(m.k, 10u);
    EXPECT_EQ(m.probes, 200u);
    EXPECT_GT(m.width, width);
    width = m.width;
  }
  EXPECT_GE(index.measured().back().recall, 0.99);  // observed: 1.0
  const std::size_t chosen = index.width_for(10, 0.99);
  ASSERT_GE(chosen, 10u);
  EXPECT_EQ(index.width_for(3, 0.99), chosen);  // by the next larger k
  EXPECT_EQ(index.width_for(11, 0.99), 0u);
  // On probes of its own, near what it measured on its own.
  const auto probes = probes_of(100);
  const auto exact = scan(matrix().rows(), probes, 10, {}, run_with(1));
  const auto found = index.search(matrix().rows(), probes, 10, chosen, {}, run_with(1));
  EXPECT_GE(recall(found, exact), 0.95);
  index.measure(matrix().rows(), 10, run_with(1));  // replaces, does not add
  EXPECT_EQ(index.width_for(10, 0.99), chosen);
}

TEST_F(Graph, SavedAndLoadedItAnswersTheSame) {
  const TemporaryFolder folder;
  const std::string path = folder.path() / "graph";
  GraphIndex index = build();
  index.measure(matrix().rows(), 5, run_with(1));
  index.erase(std::vector<std::uint32_t>{3, 4, kCount - 1});
  index.save(path);
  const GraphIndex loaded = GraphIndex::load(path, matrix().rows());
  EXPECT_EQ(loaded.size(), index.size());
  ASSERT_EQ(loaded.measured().size(), index.measured().size());
  for (std::size_t i = 0; i < loaded.measured().size(); ++i) {
    EXPECT_EQ(loaded.measured()[i].width, index.measured()[i].width);
    EXPECT_EQ(loaded.measured()[i].recall, index.measured()[i].recall);
  }
  const auto probes = probes_of(30);
  EXPECT_EQ(loaded.search(matrix().rows(), probes, 10, 40, {}, run_with(1)),
            index.search(matrix().rows(), probes, 10, 40, {}, run_with(1)));
  const std::string again = folder.path() / "again";
  loaded.save(again);
  EXPECT_EQ(bytes_of(path), bytes_of(again));
}

TEST_F(Graph, ErasedRowsAreGoneFromAnswersAndFromTheFile) {
  GraphIndex index = build();
  std::vector<std::uint32_t> victims;
  for (std::uint32_t row = 0; row < kCount; row += 7) victims.push_back(row);
  index.erase(victims);
  index.erase(victims);  // a second time changes nothing
  index.erase(std::vector<std::uint32_t>{static_cast<std::uint32_t>(kCount + 5)});
  EXPECT_EQ(index.size(), kCount);
  // A probe that is an erased row itself does not find it.
  std::vector<float> probe(kDimension);
  for (const std::uint32_t row : {0u, 7u, 700u}) {
    load_row(matrix().rows(), row, probe);
    const auto found = index.search(matrix().rows(), probe, 20, 200, {}, run_with(1));
    for (const Hit& hit : found.front()) {
      EXPECT_NE(hit.row % 7, 0u);
    }
  }
  RowMask left;
  left.words.assign((kCount + 63) / 64, ~std::uint64_t{0});
  for (const std::uint32_t row : victims) left.words[row / 64] &= ~(std::uint64_t{1} << (row % 64));
  const std::vector<const RowMask*> masks = {&left};
  const auto probes = probes_of(50);
  EXPECT_GE(recall(index.search(matrix().rows(), probes, 10, 100, {}, run_with(1)),
                   scan(matrix().rows(), probes, 10, masks, run_with(1))),
            0.9);  // observed: 1.0
  // The rows may be overwritten meanwhile: an erased row's place is not looked at.
  const auto vectors = test::clustered(kCount, kDimension, kSubjects, kSpread, 1, "rows");
  Matrix wiped = test::store(vectors, kDimension, StoredType::f16);
  for (const std::uint32_t row : victims) wiped.set(row, std::vector<float>(kDimension, 0.0f));
  const TemporaryFolder folder;
  index.save(folder.path() / "graph");
  const GraphIndex loaded = GraphIndex::load(folder.path() / "graph", wiped.rows());
  EXPECT_EQ(loaded.search(wiped.rows(), probes, 10, 50, {}, run_with(1)),
            index.search(wiped.rows(), probes, 10, 50, {}, run_with(1)));
}

TEST_F(Graph, TheFileHoldsNoVectors) {
  const TemporaryFolder folder;
  built().save(folder.path() / "graph");
  // 24 links of 4 bytes, a row and a level, and a share of upper levels: below 48 bytes of codes
  // more, let alone 96 of halves.
  EXPECT_LT(bytes_of(folder.path() / "graph").size(), kCount * (24 * 4 + 5 + 2 + 10));
}

TEST_F(Graph, BrokenFilesAreFoundOut) {
  const TemporaryFolder folder;
  const std::string path = folder.path() / "graph";
  built().save(path);
  const std::string good = bytes_of(path);
  const auto load = [&] { GraphIndex::load(path, matrix().rows()); };
  const auto loads_as = [&](std::string_view bytes) {
    put(path, bytes);
    return code_of(load);
  };
  EXPECT_NO_THROW(load());
  EXPECT_EQ(loads_as(""), ErrorCode::corrupt_data);
  EXPECT_EQ(loads_as("SOSIAHNS"), ErrorCode::corrupt_data);
  EXPECT_EQ(loads_as(std::string(500, 'x')), ErrorCode::corrupt_data);
  RandomStream stream(5, "damage");
  for (int i = 0; i < 40; ++i) {
    EXPECT_EQ(loads_as(good.substr(0, stream.below(good.size()))), ErrorCode::corrupt_data);
    std::string flipped = good;
    // Behind the version: another version is `unsupported`.
    const std::size_t at = 12 + stream.below(good.size() - 12);
    flipped[at] = static_cast<char>(flipped[at] ^ (1 << stream.below(8)));
    EXPECT_EQ(loads_as(flipped), ErrorCode::corrupt_data) << at;
  }
  std::string newer = good;
  newer[8] = 2;
  EXPECT_EQ(loads_as(sealed(newer)), ErrorCode::unsupported);
}

TEST_F(Graph, ForgedFilesDoNoHarm) {
  // Damage that carries a right checksum must be refused or be harmless, never read or write
  // beyond memory (the sanitizers watch).
  const TemporaryFolder folder;
  const std::string path = folder.path() / "graph";
  const Matrix small = test::store(test::clustered(40, 8, 10, 0.5, 2, "rows"), 8, StoredType::f16);
  GraphIndex::build(small.rows(), {.links = 4, .build_width = 10}, run_with(1)).save(path);
  const std::string good = bytes_of(path);
  RandomStream stream(6, "forgery");
  const std::vector<float> probe(8, 0.35f);
  int refused = 0;
  for (int i = 0; i < 700; ++i) {
    std::string forged = good;
    for (std::uint64_t n = 1 + stream.below(3); n > 0; --n) {
      const std::size_t at = 12 + stream.below(good.size() - 16);
      forged[at] = static_cast<char>(stream.below(256));
    }
    put(path, sealed(forged));
    try {
      const GraphIndex index = GraphIndex::load(path, small.rows());
      index.search(small.rows(), probe, 5, 10, {}, run_with(1));
    } catch (const Error& error) {
      EXPECT_TRUE(error.code() == ErrorCode::corrupt_data ||
                  error.code() == ErrorCode::out_of_memory)
          << error.what();
      ++refused;
    }
  }
  EXPECT_GT(refused, 200);  // observed: about two thirds
}

TEST_F(Graph, OtherRowsAreFoundOut) {
  const TemporaryFolder folder;
  const std::string path = folder.path() / "graph";
  built().save(path);
  const Matrix other =
      test::store(test::clustered(kCount, kDimension, kSubjects, kSpread, 99, "rows"), kDimension,
                  StoredType::f16);
  EXPECT_EQ(code_of([&] { GraphIndex::load(path, other.rows()); }), ErrorCode::corrupt_data);
  Rows fewer = matrix().rows();
  fewer.count = 100;
  EXPECT_EQ(code_of([&] { GraphIndex::load(path, fewer); }), ErrorCode::corrupt_data);
  EXPECT_EQ(code_of([&] { GraphIndex::load(folder.path() / "none", fewer); }),
            ErrorCode::not_found);
}

TEST_F(Graph, OddDimensionsTypesAndSizes) {
  for (const StoredType type : {StoredType::f16, StoredType::f32}) {
    for (const std::size_t dimension : {1u, 3u, 65u}) {
      for (const std::size_t count : {0u, 1u, 2u, 300u}) {
        const Matrix rows =
            test::store(test::clustered(count, dimension, 50, 0.4, 4, "rows"), dimension, type);
        GraphIndex index =
            GraphIndex::build(rows.rows(), {.links = 8, .build_width = 40}, run_with(2));
        index.measure(rows.rows(), 4, run_with(1));
        const auto probe = test::clustered(1, dimension, 50, 0.4, 4, "probe");
        const auto hits = index.search(rows.rows(), probe, 4, 64, {}, run_with(1)).front();
        EXPECT_EQ(hits.size(), std::min<std::size_t>(count, 4)) << dimension << " " << count;
        const TemporaryFolder folder;
        index.save(folder.path() / "graph");
        EXPECT_EQ(GraphIndex::load(folder.path() / "graph", rows.rows())
                      .search(rows.rows(), probe, 4, 64, {}, run_with(1))
                      .front(),
                  hits);
      }
    }
  }
}

TEST_F(Graph, BadOptionsAndCancelling) {
  const auto with = [](GraphIndex::Options options) {
    return code_of([&] { GraphIndex::build(matrix().rows(), options, run_with(1)); });
  };
  EXPECT_EQ(with({.links = 1}), ErrorCode::invalid_argument);
  EXPECT_EQ(with({.links = 5000}), ErrorCode::invalid_argument);
  EXPECT_EQ(with({.build_width = 0}), ErrorCode::invalid_argument);
  auto token = std::make_shared<CancelToken>();
  token->cancel();
  RunContext run({.threads = 1, .cancel = token});
  EXPECT_EQ(code_of([&] { GraphIndex::build(matrix().rows(), {}, run); }), ErrorCode::cancelled);
}

}  // namespace
}  // namespace sosia::gallery

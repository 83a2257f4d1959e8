#include "errors.hpp"
#include "sosia/core/rng.hpp"
#include "sosia/formats/parquet.hpp"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

namespace sosia::formats {
namespace {

namespace fs = std::filesystem;

class Parquet : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!SOSIA_TEST_ARROW) GTEST_SKIP() << "built without Arrow";
    ASSERT_TRUE(parquet_available());
  }
  fs::path file(const char* name = "t.parquet") const { return folder_.path() / name; }
  TemporaryFolder folder_;
};

const std::vector<ParquetColumn> kColumns = {
    {.name = "label", .type = ParquetType::text},
    {.name = "time", .type = ParquetType::integer},
    {.name = "quality", .type = ParquetType::real},
    {.name = "vector", .type = ParquetType::floats, .width = 3}};

/// Rows [first, first + count) of a table, every third value absent in one column or another.
ParquetBatch rows_of(std::size_t first, std::size_t count) {
  ParquetBatch batch{.rows = count, .columns = std::vector<ParquetBatch::Column>(4)};
  for (std::size_t c = 0; c < 4; ++c) batch.columns[c].present.resize(count);
  for (std::size_t i = first; i < first + count; ++i) {
    RandomStream random(1, "parquet", i);
    const auto there = [&](std::size_t column) { return (i + column) % 3 != 0; };
    for (std::size_t c = 0; c < 4; ++c) batch.columns[c].present[i - first] = there(c);
    batch.columns[0].texts.push_back(there(0) ? "s\xc3\xa4" + std::to_string(i % 7) : "");
    batch.columns[1].integers.push_back(there(1) ? static_cast<std::int64_t>(random.next_u64())
                                                 : 0);
    batch.columns[2].reals.push_back(there(2) ? random.normal() : 0);
    for (int d = 0; d < 3; ++d) {
      batch.columns[3].floats.push_back(there(3) ? static_cast<float>(random.normal()) : 0);
    }
  }
  return batch;
}

void expect_equal(const ParquetBatch& got, const ParquetBatch& want) {
  ASSERT_EQ(got.rows, want.rows);
  ASSERT_EQ(got.columns.size(), want.columns.size());
  for (std::size_t c = 0; c < got.columns.size(); ++c) {
    EXPECT_EQ(got.columns[c].texts, want.columns[c].texts);
    EXPECT_EQ(got.columns[c].integers, want.columns[c].integers);
    EXPECT_EQ(got.columns[c].reals, want.columns[c].reals);
    EXPECT_EQ(got.columns[c].floats, want.columns[c].floats);
    for (std::size_t i = 0; i < got.rows; ++i) {
      EXPECT_EQ(got.columns[c].has(i), want.columns[c].has(i)) << c << " " << i;
    }
  }
}

void write(const fs::path& path, std::size_t rows, std::size_t at_once, bool compress = true) {
  ParquetWriter writer(path, kColumns, {.compress = compress});
  for (std::size_t first = 0; first < rows; first += at_once) {
    writer.write(rows_of(first, std::min(at_once, rows - first)));
  }
  writer.commit();
}

TEST_F(Parquet, WhatWasWrittenComesBackInBatches) {
  for (const bool compress : {true, false}) {
    const fs::path path = file(compress ? "a" : "b");
    write(path, 1000, 300, compress);
    ParquetReader reader(path, {.batch_rows = 128});
    EXPECT_EQ(reader.rows(), 1000u);
    ASSERT_EQ(reader.columns().size(), 4u);
    EXPECT_EQ(reader.columns()[3].width, 3u);
    EXPECT_EQ(reader.columns()[3].type, ParquetType::floats);
    EXPECT_EQ(reader.find_column("time"), 1u);
    EXPECT_EQ(reader.find_column("none"), std::nullopt);
    ParquetBatch batch;
    std::size_t first = 0;
    while (reader.next(batch)) {
      ASSERT_GT(batch.rows, 0u);
      ASSERT_LE(batch.rows, 128u);
      expect_equal(batch, rows_of(first, batch.rows));
      first += batch.rows;
    }
    EXPECT_EQ(first, 1000u);
    EXPECT_FALSE(reader.next(batch));
  }
}

TEST_F(Parquet, ColumnsAreChosenInAnyOrder) {
  write(file(), 50, 50);
  ParquetReader reader(file(), {.columns = {"vector", "label"}});
  ASSERT_EQ(reader.columns().size(), 2u);
  EXPECT_EQ(reader.columns()[0].name, "vector");
  EXPECT_EQ(reader.file_columns().size(), 4u);
  ParquetBatch batch;
  ASSERT_TRUE(reader.next(batch));
  const ParquetBatch want = rows_of(0, 50);
  EXPECT_EQ(batch.columns[0].floats, want.columns[3].floats);
  EXPECT_EQ(batch.columns[1].texts, want.columns[0].texts);
  const Error error = error_of([&] { ParquetReader(file(), {.columns = {"lable"}}); });
  EXPECT_EQ(error.code(), ErrorCode::not_found);
  EXPECT_NE(error.hint().find("label"), std::string::npos);
  EXPECT_EQ(error_of([&] { ParquetReader(file(), {.columns = {"label", "label"}}); }).code(),
            ErrorCode::invalid_argument);
}

TEST_F(Parquet, AnEmptyTableHasColumnsAndNoRows) {
  write(file(), 0, 1);
  ParquetReader reader(file());
  EXPECT_EQ(reader.rows(), 0u);
  EXPECT_EQ(reader.columns().size(), 4u);
  ParquetBatch batch;
  EXPECT_FALSE(reader.next(batch));
}

TEST_F(Parquet, SpecialNumbersStayWhatTheyAre) {
  const float inf = std::numeric_limits<float>::infinity();
  ParquetWriter writer(file(), {{.name = "v", .type = ParquetType::floats, .width = 2},
                                {.name = "i", .type = ParquetType::integer}});
  ParquetBatch batch{.rows = 2, .columns = std::vector<ParquetBatch::Column>(2)};
  batch.columns[0].floats = {inf, -0.0f, std::nanf(""), 1e-45f};
  batch.columns[1].integers = {INT64_MIN, INT64_MAX};
  writer.write(batch);
  writer.commit();
  ParquetBatch back;
  ParquetReader reader(file());
  ASSERT_TRUE(reader.next(back));
  EXPECT_EQ(back.columns[0].floats[0], inf);
  EXPECT_TRUE(std::signbit(back.columns[0].floats[1]));
  EXPECT_TRUE(std::isnan(back.columns[0].floats[2]));
  EXPECT_EQ(back.columns[0].floats[3], 1e-45f);
  EXPECT_EQ(back.columns[1].integers, batch.columns[1].integers);
  EXPECT_TRUE(back.columns[0].present.empty());
}

TEST_F(Parquet, AFileAppearsWholeOrNotAtAll) {
  {
    ParquetWriter writer(file(), kColumns);
    writer.write(rows_of(0, 10));
  }
  EXPECT_FALSE(fs::exists(file()));
  EXPECT_TRUE(fs::is_empty(folder_.path()));
  write(file(), 5, 5);
  EXPECT_EQ(error_of([&] { write(file(), 5, 5); }).code(), ErrorCode::conflict);
  ParquetWriter writer(file(), kColumns, {.overwrite = Overwrite::replace});
  writer.commit();
  EXPECT_EQ(ParquetReader(file()).rows(), 0u);
}

TEST_F(Parquet, BadTablesAreRefused) {
  const auto code = [&](std::vector<ParquetColumn> columns) {
    return error_of([&] { ParquetWriter(file(), std::move(columns)); }).code();
  };
  EXPECT_EQ(code({}), ErrorCode::invalid_argument);
  EXPECT_EQ(code({{.name = ""}}), ErrorCode::invalid_argument);
  EXPECT_EQ(code({{.name = "a"}, {.name = "a"}}), ErrorCode::invalid_argument);
  EXPECT_EQ(code({{.name = "a", .type = ParquetType::floats}}), ErrorCode::invalid_argument);
  EXPECT_EQ(code({{.name = "a", .type = ParquetType::other}}), ErrorCode::invalid_argument);
  ParquetWriter writer(file(), {{.name = "a"}});
  ParquetBatch batch{.rows = 2, .columns = std::vector<ParquetBatch::Column>(1)};
  batch.columns[0].texts = {"x"};
  EXPECT_EQ(error_of([&] { writer.write(batch); }).code(), ErrorCode::invalid_argument);
  batch.columns[0].texts = {"x", "\xff"};
  EXPECT_EQ(error_of([&] { writer.write(batch); }).code(), ErrorCode::invalid_argument);
  batch.columns.clear();
  EXPECT_EQ(error_of([&] { writer.write(batch); }).code(), ErrorCode::invalid_argument);
}

TEST_F(Parquet, ForeignAndMissingFilesAreErrors) {
  EXPECT_EQ(error_of([&] { ParquetReader{file("none")}; }).code(), ErrorCode::not_found);
  EXPECT_EQ(error_of([&] { ParquetReader{folder_.path()}; }).code(), ErrorCode::io);
  for (const std::string_view text :
       {std::string_view(""), std::string_view("PAR1"), std::string_view("label,time\na,1\n"),
        std::string_view("PAR1\x00\x00\x00\x00PAR1", 12),
        std::string_view("PAR1\xff\xff\xff\xffPAR1", 12)}) {
    write_file(file("x"), text, Overwrite::replace);
    EXPECT_EQ(error_of([&] { ParquetReader{file("x")}; }).code(), ErrorCode::corrupt_data);
  }
}

/// Reads to the end; what may leave is an `Error`.
bool reads(const fs::path& path, std::size_t rows) {
  try {
    ParquetReader reader(path, {.batch_rows = 64, .max_bytes = 64 << 20});
    ParquetBatch batch;
    std::size_t first = 0;
    while (reader.next(batch)) {
      if (batch.columns.size() == 4) {
        const ParquetBatch want = rows_of(first, batch.rows);
        for (std::size_t c = 0; c < 4; ++c) {
          EXPECT_EQ(batch.columns[c].texts, want.columns[c].texts);
          EXPECT_EQ(batch.columns[c].integers, want.columns[c].integers);
          EXPECT_EQ(batch.columns[c].reals, want.columns[c].reals);
          EXPECT_EQ(batch.columns[c].floats, want.columns[c].floats);
        }
      }
      first += batch.rows;
    }
    return first == rows;
  } catch (const Error& error) {
    EXPECT_NE(error.code(), ErrorCode::internal) << error.render();
    return false;
  }
}

TEST_F(Parquet, TruncatedFilesAreErrors) {
  write(file(), 200, 100);
  const std::string whole = read_text(file());
  for (std::size_t size = 0; size < whole.size(); size += 1 + whole.size() / 97) {
    write_file(file("cut"), std::string_view(whole).substr(0, size), Overwrite::replace);
    EXPECT_FALSE(reads(file("cut"), 200)) << size;
  }
}

TEST_F(Parquet, FlippedBytesAreNoticedOrHarmless) {
  write(file(), 200, 100, false);
  const std::string whole = read_text(file());
  // The last eight bytes are the length of the footer and the magic word.
  std::uint32_t footer = 0;
  whole.copy(reinterpret_cast<char*>(&footer), 4, whole.size() - 8);
  const std::size_t data_end = whole.size() - 8 - footer;
  std::size_t noticed = 0, in_data = 0;
  for (std::uint64_t i = 0; i < 300; ++i) {
    RandomStream random(2, "flip", i);
    std::string damaged = whole;
    const auto at = static_cast<std::size_t>(random.below(whole.size()));
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << random.below(8)));
    write_file(file("flip"), damaged, Overwrite::replace);
    // Values are compared inside: wherever the flip was, they are right or there is an error.
    const bool read = reads(file("flip"), 200);
    in_data += at < data_end;
    noticed += at < data_end && !read;
  }
  // Flips in page heads may hit what nobody reads (statistics): observed 98 % noticed.
  EXPECT_GT(in_data, 100u);
  EXPECT_GT(static_cast<double>(noticed), 0.9 * static_cast<double>(in_data));
}

TEST_F(Parquet, MemoryIsBounded) {
  ParquetWriter writer(file(), {{.name = "v", .type = ParquetType::floats, .width = 1000}});
  ParquetBatch batch{.rows = 2000, .columns = std::vector<ParquetBatch::Column>(1)};
  batch.columns[0].floats.assign(2'000'000, 1.0f);
  writer.write(batch);
  writer.commit();
  const Error error = error_of([&] {
    ParquetReader reader(file(), {.max_bytes = 1 << 20});
    ParquetBatch back;
    while (reader.next(back)) {
    }
  });
  EXPECT_EQ(error.code(), ErrorCode::out_of_memory) << error.render();
}

TEST(ParquetModule, WithoutItTheMessageSaysWhatAddsIt) {
  if (parquet_available()) GTEST_SKIP() << "the module is here";
  const TemporaryFolder folder;
  const Error error = error_of([&] { ParquetReader{folder.path() / "x"}; });
  EXPECT_EQ(error.code(), ErrorCode::missing_feature);
  EXPECT_NE(error.hint().find("make setup"), std::string::npos);
}

}  // namespace
}  // namespace sosia::formats

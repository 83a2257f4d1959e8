#pragma once
// Apache Parquet: tables of text, numbers and vectors, read and written in batches of rows. Arrow
// does the work in a module of its own (libsosia_formats_parquet.so), opened on first use.

#include "sosia/core/error.hpp"
#include "sosia/core/files.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sosia::formats {

/// What a column holds for us. The file's own types are wider; see `ParquetReader`.
enum class ParquetType : std::uint8_t {
  text,     ///< UTF-8
  integer,  ///< 64 bits with sign
  time,     ///< milliseconds since 1970-01-01 UTC, in `integers`
  real,     ///< f64
  floats,   ///< vectors of one length of f32
  other,    ///< something else; cannot be read
};

/// "text", "integer", "time", "real", "vector", "other", for messages.
std::string_view parquet_type_name(ParquetType type);

struct ParquetColumn {
  std::string name = {};
  ParquetType type = ParquetType::text;
  std::size_t width = 0;    ///< of `floats`; 0 when only the rows can tell (lists of any length)
  std::string stored = {};  ///< the file's own name of the type; empty when written
};

/// Rows by column. Of a column's lists only that of its type is used.
struct ParquetBatch {
  struct Column {
    std::vector<std::string> texts = {};
    std::vector<std::int64_t> integers = {};
    std::vector<double> reals = {};
    std::vector<float> floats = {};  ///< rows x width
    /// 0 where the value is absent (and empty or 0 in its list); empty: all are there.
    std::vector<std::uint8_t> present = {};
    bool has(std::size_t row) const { return present.empty() || present[row] != 0; }
  };
  std::size_t rows = 0;
  std::vector<Column> columns = {};  ///< in the order of the reader's or writer's columns
};

/// Whether the module can be opened.
bool parquet_available();

struct ParquetReadOptions {
  /// Only these columns, in this order; empty: all that can be read, in the file's order.
  std::vector<std::string> columns = {};
  std::size_t batch_rows = 4096;
  std::uint64_t max_bytes = std::uint64_t{4} << 30;  ///< that Arrow may hold at a time
};

/// Reads a file from its first row to its last.
///
/// Taken as text: strings, also dictionaries of them. As integer: integers of any width (unsigned
/// ones must fit), booleans, and dates (days since 1970). As time: times of any unit, rounded down.
/// As real: f16, f32, f64. As floats: lists of f16, f32 or f64 whose rows all have one length. Page
/// checksums are compared where the file has them.
///
/// Throws missing_feature without the module, not_found, io, corrupt_data (no Parquet file, damage,
/// vectors of different lengths, text that is not UTF-8), unsupported (a wanted column of another
/// type, encryption), out_of_memory (beyond `max_bytes`), not_found with the nearest name for a
/// column that is not there. Thread-safety: none.
class ParquetReader {
 public:
  explicit ParquetReader(const std::filesystem::path& path, const ParquetReadOptions& options = {});
  ~ParquetReader();
  ParquetReader(ParquetReader&&) noexcept;
  ParquetReader& operator=(ParquetReader&&) noexcept;

  /// Those that `next` gives.
  const std::vector<ParquetColumn>& columns() const noexcept;
  /// All of the file, those of type `other` included.
  const std::vector<ParquetColumn>& file_columns() const noexcept;
  std::optional<std::size_t> find_column(std::string_view name) const;
  /// Of the whole file.
  std::uint64_t rows() const noexcept;
  /// The next rows, at most `batch_rows`; false at the end.
  bool next(ParquetBatch& batch);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

struct ParquetWriteOptions {
  bool compress = true;  ///< Zstandard
  Overwrite overwrite = Overwrite::refuse;
};

/// Writes a file that appears whole at `commit` or not at all, with page checksums. The same
/// batches give the same bytes (with the same Arrow).
///
/// Throws missing_feature without the module, invalid_argument for columns without name, of type
/// `other`, `floats` without width, names that stand twice, or batches that do not fit; otherwise
/// as `AtomicFile`. Thread-safety: none.
class ParquetWriter {
 public:
  ParquetWriter(const std::filesystem::path& path, std::vector<ParquetColumn> columns,
                const ParquetWriteOptions& options = {});
  ~ParquetWriter();
  ParquetWriter(ParquetWriter&&) noexcept;
  ParquetWriter& operator=(ParquetWriter&&) noexcept;

  void write(const ParquetBatch& batch);
  /// Finishes the file. Call once.
  void commit();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sosia::formats

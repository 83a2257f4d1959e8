#pragma once
// Comma-separated values (RFC 4180) and its relatives with tab, semicolon or bar: a streaming
// reader that never holds more than a record, and a writer.

#include "sosia/core/error.hpp"
#include "sosia/core/files.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sosia::formats {

/// How the characters of a text file are stored.
enum class TextEncoding {
  utf8,
  utf8_bom,     ///< UTF-8 behind a byte order mark
  utf16le,      ///< behind the mark FF FE
  utf16be,      ///< behind the mark FE FF
  windows1252,  ///< Western single-byte; a superset of the printable part of Latin-1
};

/// "UTF-8", "UTF-8 with byte order mark", "UTF-16LE", "UTF-16BE", "windows-1252".
std::string_view encoding_name(TextEncoding encoding);

struct CsvOptions {
  char delimiter = '\0';  ///< '\0' detects one of , ; tab | from the first lines
  bool header = true;     ///< the first record holds the names of the columns
  bool quotes = true;     ///< a field may stand in double quotes, "" inside is one quote
  /// Records whose number of fields differs from the first one's are errors; `true` lets them pass
  /// (missing fields read as empty).
  bool ragged = false;
  /// Detected when absent, see `CsvReader::encoding`.
  std::optional<TextEncoding> encoding;
  std::size_t max_field_bytes = std::size_t{1} << 20;
  std::size_t max_record_bytes = std::size_t{16} << 20;
  std::size_t max_columns = 65536;
};

/// Reads one record after another; fields are views into the reader's buffer, in UTF-8.
///
/// Lines end with LF, CRLF or CR; blank lines are skipped. The byte order mark is removed. Without
/// a mark the text is taken as UTF-8 until a byte is not; if nothing beyond ASCII came before and
/// what follows does not look like UTF-8 either, the rest is read as windows-1252, else the byte is
/// an error. Errors carry file and line: corrupt_data (bad encoding, zero bytes, text behind a
/// closing quote, an unclosed quote, a wrong number of fields, an empty file where a header is
/// wanted), out_of_memory (a field, record or number of columns beyond the options' caps),
/// not_found, io. About 200 MB/s for numbers. Thread-safety: none.
class CsvReader {
 public:
  explicit CsvReader(const std::filesystem::path& path, const CsvOptions& options = {});
  /// Reads from a buffer that outlives the reader; `origin` names it in errors.
  CsvReader(std::span<const std::byte> bytes, std::string origin, const CsvOptions& options = {});
  ~CsvReader();
  CsvReader(CsvReader&&) noexcept;
  CsvReader& operator=(CsvReader&&) noexcept;

  /// Moves to the next record; false at the end. Invalidates all fields of the one before.
  bool next();

  /// The number of fields of the present record.
  std::size_t size() const noexcept { return fields_.size(); }
  /// A field of the present record; empty beyond the last.
  std::string_view operator[](std::size_t column) const noexcept {
    return column < fields_.size() ? fields_[column] : std::string_view();
  }

  /// Fields as numbers, blanks around them ignored. `real` refuses NaN, infinities and text,
  /// `integer` also fractions; `boolean` takes 0, 1, true, false, yes, no in any case. Throw
  /// corrupt_data with column, value, file and line.
  double real(std::size_t column) const;
  std::int64_t integer(std::size_t column) const;
  bool boolean(std::size_t column) const;

  /// Column names in file order, blanks around them removed; empty without a header.
  const std::vector<std::string>& header() const noexcept;
  /// The index of a column: the exact name, else the only one that differs in ASCII case alone.
  /// `find_column` returns nothing when there is none; `column` throws corrupt_data with the
  /// nearest name. Both throw corrupt_data when the name stands twice in the header.
  std::optional<std::size_t> find_column(std::string_view name) const;
  std::size_t column(std::string_view name) const;
  /// All of `names` at once; the error lists every missing one.
  std::vector<std::size_t> columns(std::span<const std::string_view> names) const;
  /// The first of several accepted names that is there ("path", "file", "image").
  std::optional<std::size_t> find_column_of(std::initializer_list<std::string_view> names) const;

  /// The path, or the name that the buffer was given.
  const std::string& origin() const noexcept;
  /// The encoding as far as the file has been read; final when `next` has returned false.
  TextEncoding encoding() const noexcept;
  char delimiter() const noexcept;
  /// The line, from 1, on which the present record starts.
  std::uint64_t line() const noexcept;
  /// "scores.csv: line 12", for errors about the present record.
  std::string where() const;
  /// An error about a field of the present record: `fail(2, "is not a date")`.
  [[noreturn]] void fail(std::size_t column, std::string_view complaint,
                         std::string hint = {}) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
  std::span<const std::string_view> fields_;
};

struct CsvWriterOptions {
  char delimiter = ',';
  bool crlf = false;  ///< end lines with CRLF (RFC 4180) instead of LF
  Overwrite overwrite = Overwrite::refuse;
};

/// Writes UTF-8 without a byte order mark; the file appears whole at `commit` or not at all.
///
/// Fields are quoted when they hold the delimiter, a quote, CR or LF, start or end with a blank, or
/// are the empty only field of a record. Numbers are written with the fewest digits that read back
/// to the same value. Throws invalid_argument when a record's length differs from the header's,
/// otherwise as `AtomicFile`. Thread-safety: none.
class CsvWriter {
 public:
  CsvWriter(const std::filesystem::path& path, std::span<const std::string> header,
            const CsvWriterOptions& options = {});
  ~CsvWriter();
  CsvWriter(CsvWriter&&) noexcept;
  CsvWriter& operator=(CsvWriter&&) noexcept;

  CsvWriter& field(std::string_view text);
  CsvWriter& field(const char* text) { return field(std::string_view(text)); }
  CsvWriter& field(double value);
  CsvWriter& field(std::int64_t value);
  CsvWriter& field(std::uint64_t value);
  CsvWriter& field(int value) { return field(static_cast<std::int64_t>(value)); }
  CsvWriter& field(bool value) { return field(std::int64_t{value}); }
  void end_record();
  /// Finishes the file. Call once, after the last record has been ended.
  void commit();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sosia::formats

#pragma once
// Templates from files: vectors with a table of labels, and JSON lines.

#include "sosia/core/run.hpp"
#include "sosia/gallery/template.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace sosia::gallery {

/// One row of a file. `problem` says why it cannot be enrolled; the template is incomplete then.
struct SourceRow {
  Template content = {};
  std::string problem = {};
  std::string where = {};                   ///< "labels.csv: line 7"
  std::optional<std::int64_t> number = {};  ///< the template's number in the file, if it has one
};

/// Reads rows one after another. Thread-safety: none.
class RowSource {
 public:
  virtual ~RowSource() = default;
  /// False at the end. Throws corrupt_data where the file cannot be read on.
  virtual bool next(SourceRow& out) = 0;
  /// Rows in all; 0 when unknown.
  virtual std::uint64_t total() const { return 0; }
  /// Of the vectors; 0 when each row has its own.
  virtual std::size_t dimension() const { return 0; }
  /// Things to be said once.
  virtual std::vector<std::string> warnings() const { return {}; }
};

/// `vectors`: .npy of n x dimension numbers. `labels`: CSV of n rows with the column label and, if
/// wanted, camera, time, quality, tenant, origin, metadata (a JSON object), template. Throws
/// corrupt_data when the two do not fit together.
std::unique_ptr<RowSource> open_npy_csv(const std::string& vectors, const std::string& labels);

/// One JSON object a line: label, vector, and the other columns as members.
std::unique_ptr<RowSource> open_jsonl(const std::string& path);
/// The same from memory, which outlives it; for tests and the fuzzer.
std::unique_ptr<RowSource> open_jsonl(std::span<const std::byte> bytes, std::string origin);

/// Passes the rows of `source` on, but refuses a second row of the same number.
std::unique_ptr<RowSource> distinct_rows(std::unique_ptr<RowSource> source);

/// By the file's ending: .jsonl or .ndjson, .parquet, or .npy with the labels in a .csv of the same
/// name.
/// Throws unsupported for others.
std::unique_ptr<RowSource> open_rows(const std::string& path);

}  // namespace sosia::gallery

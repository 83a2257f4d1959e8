#pragma once
// The rows of the three collections of a gallery, and which of them a reader may see.
//
//   <name>           templates        id, subject, vector, and everything else of a template
//   <name>_subjects  subjects         one row per version: label, tenant, counts, centroid
//   <name>_meta      documents        state, calibration, claims of writers, audit
//
// Rows are never changed: Milvus shows a replaced row for a moment after the replacement, while new
// and deleted rows are seen at once by strong reads (both measured). Each row says in which
// generation it was born and by which session of a writer; the state says up to which generation
// rows count.

#include "gallery/milvus_client.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace sosia::gallery::milvus {

inline constexpr int kFormatVersion = 1;

/// What every row carries.
struct Birth {
  std::int64_t generation = 0;
  std::int64_t session = 0;
};

struct TemplateRow {
  StoredTemplate value = {};
  std::int64_t subject = 0;
  std::int64_t enrolled_ms = 0;
  Birth birth = {};
};

/// One version of a subject.
struct SubjectRow {
  std::int64_t row = 0;  ///< primary key; each version has its own
  std::int64_t subject = 0;
  std::string label = {}, tenant = {};
  std::string audit_key = {};        ///< 64 hexadecimal digits
  std::int64_t templates = 0;        ///< that it has now
  std::int64_t given_up = 0;         ///< that were given up for others
  std::int64_t oldest_ms = 0;        ///< time of the oldest of those
  double norm = 0;                   ///< length of the sum of all vectors, given up ones included
  std::vector<float> centroid = {};  ///< that sum with length 1; zeros when the sum is 0
  Birth birth = {};
};

enum class Kind : std::int64_t { state = 1, calibration = 2, claim = 3, audit = 4 };

/// Text of any length, cut into rows.
struct Document {
  Kind kind = Kind::state;
  std::int64_t number = 0;  ///< what it is told apart by: sequence, session, place in the audit
  std::string body = {};
  Birth birth = {};
  std::vector<std::int64_t> rows = {};  ///< primary keys
};

/// What every change updates, in one document.
struct State {
  std::string id = {};
  std::size_t dimension = 0;
  StoredType type = StoredType::f16;
  std::size_t max_templates = 16;
  double min_quality = 0;
  std::string model = {};
  std::int64_t sequence = 0;    ///< of the document; the highest one counts
  std::int64_t session = 0;     ///< that wrote it
  std::int64_t generation = 0;  ///< of the content
  std::int64_t next_template = 0, next_subject = 0, next_row = 0, next_audit = 0;
  std::int64_t templates = 0, subjects = 0;
  /// Sum of the checksums of all templates that count: lost and added ones are noticed.
  std::int64_t digest = 0;
  std::int64_t calibration = -1;                     ///< number of the document, -1 for none
  std::vector<std::int64_t> retired_templates = {};  ///< no longer count, perhaps still there
  std::vector<std::int64_t> retired_subject_rows = {};
  std::vector<std::int64_t> forgotten = {};  ///< subjects that no longer count
  /// Writers that were cut off, with the last generation of theirs that counts.
  std::vector<std::pair<std::int64_t, std::int64_t>> fences = {};
  /// Measured widths of the graph index: k, width, recall; empty without one.
  struct Width {
    std::size_t k = 0, width = 0;
    double recall = 0;
    std::size_t probes = 0;
  };
  std::vector<Width> widths = {};
};

Value to_value(const State& state);
/// Throws corrupt_data, or unsupported for a newer version.
State state_from_value(const Value& value);

std::vector<FieldSpec> template_fields(std::size_t dimension);
std::vector<FieldSpec> subject_fields(std::size_t dimension);
std::vector<FieldSpec> document_fields();

/// The fields that `read_*` needs.
std::span<const std::string_view> template_columns();
std::span<const std::string_view> subject_columns();
std::span<const std::string_view> document_columns();

/// A JSON array of rows for `Client::upsert`.
std::string to_rows(std::span<const TemplateRow> rows);
std::string to_rows(std::span<const SubjectRow> rows);
/// Gives each piece of the document a random key.
std::string to_rows(std::span<Document> documents);

/// `check` compares the checksums; a wrong one is thrown as corrupt_data.
std::vector<TemplateRow> read_templates(const Columns& columns);
std::vector<SubjectRow> read_subjects(const Columns& columns);
/// Whole documents only, in order of kind and number.
std::vector<Document> read_documents(const Columns& columns);

/// The expression for rows that count: of templates, and of subject rows.
std::string visible_templates(const State& state);
std::string visible_subjects(const State& state);
/// For documents of the audit and the calibration.
std::string visible_documents(const State& state);

std::int64_t checksum(const TemplateRow& row);
std::int64_t checksum(const SubjectRow& row);
/// a + b and a - b without overflow.
inline std::int64_t plus(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}
inline std::int64_t minus(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}

/// A random number of 62 bits, not negative.
std::int64_t random_number();

}  // namespace sosia::gallery::milvus

#pragma once
// The gallery's file: tables of subjects, templates and what belongs to them, in SQLite. Every row
// carries a checksum over all its fields that is compared whenever the row is read; the state row
// carries counts and sums of those checksums, so that lost and added rows are noticed too.

#include "gallery/sealer.hpp"
#include "gallery/sqlite.hpp"
#include "sosia/gallery/gallery.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sosia::gallery {

inline constexpr std::int64_t kApplicationId = 0x534f4741;  // "SOGA"
inline constexpr std::int64_t kStoreVersion = 1;

/// What is fixed when the file is made.
struct FixedInfo {
  std::string id = {};
  std::size_t dimension = 0;
  StoredType type = StoredType::f16;
  std::size_t max_templates = 16;
  double min_quality = 0;
  bool encrypted = false;
  std::int64_t created_ms = 0;
  std::size_t vector_bytes() const { return dimension * (type == StoredType::f16 ? 2 : 4); }
};

/// Number and order-independent sum of the checksums of a table's rows.
struct Tally {
  std::uint64_t rows = 0;
  std::uint64_t digest = 0;
  void add(std::uint64_t checksum) {
    ++rows;
    digest += checksum;
  }
  void remove(std::uint64_t checksum) {
    --rows;
    digest -= checksum;
  }
  friend bool operator==(const Tally&, const Tally&) = default;
};

/// What every change updates.
struct State {
  std::uint64_t generation = 0;
  std::string model = {};
  std::int64_t next_template = 0, next_subject = 0;
  Tally templates = {}, subjects = {}, centroids = {}, removals = {}, audit = {};
  bool erasing = false;  ///< a forget has removed rows, but not yet proved that the bytes are gone
};

struct SubjectRow {
  std::int64_t id = 0;
  std::string tenant = {}, label = {};
  Key audit_key = {};
  std::uint64_t checksum = 0;
};

struct TemplateRow {
  std::int64_t id = 0;
  std::int64_t subject = 0;
  std::vector<std::byte> vector = {};  ///< in the stored type, without padding
  double norm = 1;                     ///< as it was given, before it was made 1
  std::optional<double> quality = {};
  std::optional<std::int64_t> time_ms = {};
  std::int64_t enrolled_ms = 0;
  std::string camera = {}, origin = {};
  std::string metadata = {};  ///< JSON, "" for null
  std::int64_t generation = 0;
  std::uint64_t checksum = 0;
};

/// Sum of the vectors that a subject had and that were given up for others.
struct CentroidRow {
  std::int64_t subject = 0;
  std::vector<float> sum = {};
  std::int64_t count = 0;
  std::int64_t oldest_ms = 0;  ///< of the vectors in the sum
  std::int64_t generation = 0;
  std::uint64_t checksum = 0;
};

/// An index file that belongs to the gallery.
struct IndexRow {
  std::int64_t rows = 0;        ///< of the cache, from its first
  std::uint64_t ids_hash = 0;   ///< xxh3 of the template ids of those rows
  std::uint64_t file_hash = 0;  ///< of the index file
  double recall = 0;
  std::int64_t recall_probes = 0;
};

/// One connection to the file. Thread-safety: none.
class Store {
 public:
  enum class Access : std::uint8_t { read, write };

  /// Makes a new file. Throws io or conflict.
  static void create(const std::filesystem::path& path, const CreateOptions& options,
                     const Secret& secret);
  /// Throws not_found, corrupt_data, unsupported, invalid_argument, io.
  Store(const std::filesystem::path& path, Access access, const Secret& secret);

  const FixedInfo& fixed() const noexcept { return fixed_; }
  const Sealer& sealer() const noexcept { return *sealer_; }
  sqlite::Connection& connection() noexcept { return connection_; }
  /// Changes when another connection has committed.
  std::int64_t data_version();

  State read_state();
  void write_state(const State& state);

  std::optional<std::int64_t> find_subject(std::string_view tenant, std::string_view label);
  SubjectRow read_subject(std::int64_t id);
  /// In order of id; stops when `each` returns false.
  void for_each_subject(const std::function<bool(const SubjectRow&)>& each);
  void insert_subject(SubjectRow& row);
  void delete_subject(std::int64_t id);

  /// Templates with id >= `first`, in order of id; stops when `each` returns false.
  void for_each_template(std::int64_t first, const std::function<bool(const TemplateRow&)>& each);
  TemplateRow read_template(std::int64_t id);
  std::vector<TemplateRow> templates_of(std::int64_t subject);
  /// Ids of templates that were taken, or without a time enrolled, before a time.
  std::vector<std::int64_t> templates_before(std::int64_t before_ms);
  std::int64_t count_templates_of(std::int64_t subject);
  void insert_template(TemplateRow& row);
  void delete_template(std::int64_t id);

  /// A template's or a subject's fields as they lie in the file, to be searched for.
  struct StoredBytes {
    std::vector<std::byte> vector = {};
    std::vector<std::vector<std::byte>> texts = {};  ///< sealed ones when the gallery is encrypted
  };
  StoredBytes stored_template(std::int64_t id);
  StoredBytes stored_subject(std::int64_t id);  ///< `vector` is the key of the audit
  /// Whether any text of the file holds `piece`.
  bool text_remains(std::string_view piece);

  std::optional<CentroidRow> read_centroid(std::int64_t subject);
  void for_each_centroid(std::int64_t after_generation,
                         const std::function<void(const CentroidRow&)>& each);
  /// Non-empty sums that hold a vector from before a time.
  std::vector<CentroidRow> centroids_before(std::int64_t before_ms);
  void write_centroid(CentroidRow& row);
  void delete_centroid(std::int64_t subject);

  /// Ids of templates that were removed after a generation, rising.
  std::vector<std::int64_t> removed_after(std::uint64_t generation);
  /// The checksum of the new row.
  std::uint64_t insert_removal(std::int64_t id, std::uint64_t generation);
  /// Every row of the table of removals.
  Tally tally_removals();

  /// Slot 0: given at creation; 1: fitted on this gallery.
  std::optional<Calibration> read_calibration(int slot);
  void write_calibration(int slot, const Calibration& calibration);

  std::uint64_t insert_audit(std::int64_t id, const AuditEntry& entry);
  std::vector<AuditEntry> read_audit(Tally& tally);

  std::optional<IndexRow> read_index();
  void write_index(const std::optional<IndexRow>& row);

 private:
  sqlite::Statement& use(const char* sql);
  std::string read_meta(const std::string& name);
  void write_meta(const std::string& name, const std::string& value);
  void check_header();
  void read_fixed(const Secret& secret);
  TemplateRow read_template_row(sqlite::Statement& row);
  CentroidRow read_centroid_row(sqlite::Statement& row);
  SubjectRow read_subject_row(sqlite::Statement& row);
  std::vector<std::byte> seal(std::string_view table, std::string_view column, std::int64_t row,
                              std::span<const std::byte> plain) const;
  std::vector<std::byte> open(std::string_view table, std::string_view column, std::int64_t row,
                              std::span<const std::byte> sealed) const;

  std::filesystem::path path_;
  sqlite::Connection connection_;
  FixedInfo fixed_;
  std::unique_ptr<Sealer> sealer_;
  std::map<const char*, sqlite::Statement> statements_;
};

/// The keyed hash by which the audit table names a subject.
std::vector<std::byte> audit_hash(const SubjectRow& subject);

}  // namespace sosia::gallery

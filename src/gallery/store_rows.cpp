// Templates and the smaller tables of the store.

#include "gallery/bytes.hpp"
#include "gallery/store.hpp"
#include "sosia/core/hash.hpp"
#include "sosia/core/text.hpp"
#include "sosia/core/value.hpp"

#include <cstring>

#include <fmt/format.h>

namespace sosia::gallery {

namespace {

std::span<const std::byte> bytes_of(const std::uint64_t& checksum) {
  return std::as_bytes(std::span(&checksum, 1));
}

void check(const sqlite::Statement& row, int column, std::uint64_t computed, std::string_view what,
           std::int64_t number) {
  const auto stored = row.bytes(column);
  if (stored.size() == sizeof computed &&
      std::memcmp(stored.data(), &computed, sizeof computed) == 0) {
    return;
  }
  throw Error(ErrorCode::corrupt_data, fmt::format("the checksum of {} {} is wrong", what, number),
              "`sosia gallery verify` lists all damage; restore the file from a copy");
}

/// The stored forms of a template's fields.
struct StoredFields {
  std::span<const std::byte> vector, camera, origin, metadata;
};

std::uint64_t template_checksum(const TemplateRow& t, const StoredFields& fields,
                                ByteWriter& writer) {
  writer.clear();
  return writer.text("templates")
      .number(t.id)
      .number(t.subject)
      .bytes(fields.vector)
      .number(t.norm)
      .number(t.quality)
      .number(t.time_ms)
      .number(t.enrolled_ms)
      .bytes(fields.camera)
      .bytes(fields.origin)
      .bytes(fields.metadata)
      .number(t.generation)
      .hash();
}

constexpr const char* kTemplateColumns =
    "SELECT id, subject, vector, norm, quality, time_ms, enrolled_ms, camera, origin, metadata, "
    "generation, checksum FROM templates ";

}  // namespace

TemplateRow Store::read_template_row(sqlite::Statement& row) {
  TemplateRow t;
  t.id = row.integer(0);
  t.subject = row.integer(1);
  t.norm = row.real(3);
  if (!row.is_null(4)) t.quality = row.real(4);
  if (!row.is_null(5)) t.time_ms = row.integer(5);
  t.enrolled_ms = row.integer(6);
  t.generation = row.integer(10);
  const StoredFields fields{row.bytes(2), row.bytes(7), row.bytes(8), row.bytes(9)};
  ByteWriter writer;
  t.checksum = template_checksum(t, fields, writer);
  check(row, 11, t.checksum, "template", t.id);
  if (sealer_->encrypts()) {
    t.vector = open("templates", "vector", t.id, fields.vector);
    t.camera = as_text(open("templates", "camera", t.id, fields.camera));
    t.origin = as_text(open("templates", "origin", t.id, fields.origin));
    t.metadata = as_text(open("templates", "metadata", t.id, fields.metadata));
  } else {
    t.vector.assign(fields.vector.begin(), fields.vector.end());
    t.camera = as_text(fields.camera);
    t.origin = as_text(fields.origin);
    t.metadata = as_text(fields.metadata);
  }
  if (t.vector.size() != fixed_.vector_bytes()) {
    throw Error(ErrorCode::corrupt_data,
                fmt::format("template {} has a vector of {} bytes instead of {}", t.id,
                            t.vector.size(), fixed_.vector_bytes()));
  }
  return t;
}

void Store::for_each_template(std::int64_t first,
                              const std::function<bool(const TemplateRow&)>& each) {
  sqlite::Statement row =
      connection_.prepare(std::string(kTemplateColumns) + "WHERE id>=? ORDER BY id");
  row.bind(1, first);
  while (row.step()) {
    if (!each(read_template_row(row))) return;
  }
}

std::vector<TemplateRow> Store::templates_of(std::int64_t subject) {
  sqlite::Statement& row = use(
      "SELECT id, subject, vector, norm, quality, time_ms, enrolled_ms, camera, origin, metadata, "
      "generation, checksum FROM templates WHERE subject=? ORDER BY id");
  row.bind(1, subject);
  std::vector<TemplateRow> rows;
  while (row.step()) rows.push_back(read_template_row(row));
  row.reset();
  return rows;
}

TemplateRow Store::read_template(std::int64_t id) {
  sqlite::Statement& row = use(
      "SELECT id, subject, vector, norm, quality, time_ms, enrolled_ms, camera, origin, metadata, "
      "generation, checksum FROM templates WHERE id=?");
  row.bind(1, id);
  if (!row.step()) {
    throw Error(ErrorCode::corrupt_data, fmt::format("template {} is missing", id),
                "restore the file from a copy", path_.string());
  }
  TemplateRow found = read_template_row(row);
  row.reset();
  return found;
}

std::vector<std::int64_t> Store::templates_before(std::int64_t before_ms) {
  sqlite::Statement& row =
      use("SELECT id FROM templates WHERE coalesce(time_ms, enrolled_ms)<? ORDER BY id");
  row.bind(1, before_ms);
  std::vector<std::int64_t> ids;
  while (row.step()) ids.push_back(row.integer(0));
  row.reset();
  return ids;
}

std::int64_t Store::count_templates_of(std::int64_t subject) {
  sqlite::Statement& row = use("SELECT count(*) FROM templates WHERE subject=?");
  row.bind(1, subject);
  const std::int64_t count = row.step() ? row.integer(0) : 0;
  row.reset();
  return count;
}

void Store::insert_template(TemplateRow& t) {
  std::vector<std::byte> vector, camera, origin, metadata;
  StoredFields fields{t.vector, as_bytes(t.camera), as_bytes(t.origin), as_bytes(t.metadata)};
  const bool sealed = sealer_->encrypts();
  if (sealed) {
    vector = seal("templates", "vector", t.id, fields.vector);
    camera = seal("templates", "camera", t.id, fields.camera);
    origin = seal("templates", "origin", t.id, fields.origin);
    metadata = seal("templates", "metadata", t.id, fields.metadata);
    fields = {vector, camera, origin, metadata};
  }
  ByteWriter writer;
  t.checksum = template_checksum(t, fields, writer);
  sqlite::Statement& row = use("INSERT INTO templates VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  row.bind(1, t.id).bind(2, t.subject).bind(3, fields.vector).bind(4, t.norm);
  row.bind(5, t.quality).bind(6, t.time_ms).bind(7, t.enrolled_ms);
  const auto bind = [&](int index, std::span<const std::byte> field) {
    if (field.empty()) {
      row.bind_null(index);
    } else if (sealed) {
      row.bind(index, field);
    } else {
      row.bind_text(index, as_text(field));
    }
  };
  bind(8, fields.camera);
  bind(9, fields.origin);
  bind(10, fields.metadata);
  row.bind(11, t.generation).bind(12, bytes_of(t.checksum)).run();
}

void Store::delete_template(std::int64_t id) {
  use("DELETE FROM templates WHERE id=?").bind(1, id).run();
}

// --- bytes to search for ---

namespace {

std::vector<std::byte> copy_of(std::span<const std::byte> bytes) {
  return {bytes.begin(), bytes.end()};
}

}  // namespace

Store::StoredBytes Store::stored_template(std::int64_t id) {
  sqlite::Statement& row = use("SELECT vector, camera, origin, metadata FROM templates WHERE id=?");
  row.bind(1, id);
  StoredBytes stored;
  if (row.step()) {
    stored = {copy_of(row.bytes(0)),
              {copy_of(row.bytes(1)), copy_of(row.bytes(2)), copy_of(row.bytes(3))}};
  }
  row.reset();
  return stored;
}

Store::StoredBytes Store::stored_subject(std::int64_t id) {
  sqlite::Statement& row = use("SELECT audit_key, tenant, label FROM subjects WHERE id=?");
  row.bind(1, id);
  StoredBytes stored;
  if (row.step()) stored = {copy_of(row.bytes(0)), {copy_of(row.bytes(1)), copy_of(row.bytes(2))}};
  row.reset();
  return stored;
}

bool Store::text_remains(std::string_view piece) {
  // As bytes: a piece may start inside of a character.
  static constexpr const char* kQueries[] = {
      "SELECT 1 FROM subjects WHERE instr(CAST(label AS BLOB), ?1)>0 "
      "OR instr(CAST(tenant AS BLOB), ?1)>0 LIMIT 1",
      "SELECT 1 FROM templates WHERE instr(CAST(camera AS BLOB), ?1)>0 "
      "OR instr(CAST(origin AS BLOB), ?1)>0 OR instr(CAST(metadata AS BLOB), ?1)>0 LIMIT 1",
      "SELECT 1 FROM audit WHERE instr(CAST(verb AS BLOB), ?1)>0 "
      "OR instr(CAST(detail AS BLOB), ?1)>0 LIMIT 1",
      "SELECT 1 FROM meta WHERE instr(CAST(value AS BLOB), ?1)>0 "
      "OR instr(CAST(name AS BLOB), ?1)>0 LIMIT 1",
      "SELECT 1 FROM calibration WHERE instr(value, ?1)>0 LIMIT 1",
      "SELECT 1 FROM indexes WHERE instr(CAST(value AS BLOB), ?1)>0 LIMIT 1",
      "SELECT 1 FROM sqlite_schema WHERE instr(CAST(sql AS BLOB), ?1)>0 LIMIT 1",
  };
  for (const char* query : kQueries) {
    sqlite::Statement row = connection_.prepare(query);
    row.bind(1, as_bytes(piece));
    if (row.step()) return true;
  }
  return false;
}

// --- centroids ---

namespace {

std::uint64_t centroid_checksum(const CentroidRow& row, std::span<const std::byte> sum) {
  return ByteWriter()
      .text("centroids")
      .number(row.subject)
      .bytes(sum)
      .number(row.count)
      .number(row.oldest_ms)
      .number(row.generation)
      .hash();
}

}  // namespace

CentroidRow Store::read_centroid_row(sqlite::Statement& row) {
  CentroidRow centroid;
  centroid.subject = row.integer(0);
  centroid.count = row.integer(2);
  centroid.oldest_ms = row.integer(3);
  centroid.generation = row.integer(4);
  centroid.checksum = centroid_checksum(centroid, row.bytes(1));
  check(row, 5, centroid.checksum, "centroid", centroid.subject);
  const auto sum = open("centroids", "sum", centroid.subject, row.bytes(1));
  centroid.sum.resize(sum.size() / sizeof(float));
  if (centroid.sum.size() != fixed_.dimension) {
    throw Error(ErrorCode::corrupt_data,
                fmt::format("centroid {} has a wrong dimension", centroid.subject));
  }
  std::memcpy(centroid.sum.data(), sum.data(), sum.size());
  return centroid;
}

std::optional<CentroidRow> Store::read_centroid(std::int64_t subject) {
  sqlite::Statement& row =
      use("SELECT subject, sum, count, oldest_ms, generation, checksum FROM centroids "
          "WHERE subject=?");
  row.bind(1, subject);
  std::optional<CentroidRow> centroid;
  if (row.step()) centroid = read_centroid_row(row);
  row.reset();
  return centroid;
}

void Store::for_each_centroid(std::int64_t after_generation,
                              const std::function<void(const CentroidRow&)>& each) {
  sqlite::Statement row = connection_.prepare(
      "SELECT subject, sum, count, oldest_ms, generation, checksum FROM centroids "
      "WHERE generation>? ORDER BY subject");
  row.bind(1, after_generation);
  while (row.step()) each(read_centroid_row(row));
}

std::vector<CentroidRow> Store::centroids_before(std::int64_t before_ms) {
  sqlite::Statement& row =
      use("SELECT subject, sum, count, oldest_ms, generation, checksum FROM centroids "
          "WHERE count>0 AND oldest_ms<?");
  row.bind(1, before_ms);
  std::vector<CentroidRow> rows;
  while (row.step()) rows.push_back(read_centroid_row(row));
  row.reset();
  return rows;
}

void Store::write_centroid(CentroidRow& centroid) {
  const auto sum = seal("centroids", "sum", centroid.subject,
                        std::as_bytes(std::span<const float>(centroid.sum)));
  centroid.checksum = centroid_checksum(centroid, sum);
  use("INSERT OR REPLACE INTO centroids VALUES(?, ?, ?, ?, ?, ?)")
      .bind(1, centroid.subject)
      .bind(2, std::span<const std::byte>(sum))
      .bind(3, centroid.count)
      .bind(4, centroid.oldest_ms)
      .bind(5, centroid.generation)
      .bind(6, bytes_of(centroid.checksum))
      .run();
}

void Store::delete_centroid(std::int64_t subject) {
  use("DELETE FROM centroids WHERE subject=?").bind(1, subject).run();
}

// --- removals ---

namespace {

std::uint64_t removal_checksum(std::int64_t id, std::int64_t generation) {
  return ByteWriter().text("removals").number(id).number(generation).hash();
}

}  // namespace

std::vector<std::int64_t> Store::removed_after(std::uint64_t generation) {
  sqlite::Statement& row =
      use("SELECT template, generation, checksum FROM removals WHERE generation>? "
          "ORDER BY template");
  row.bind(1, static_cast<std::int64_t>(generation));
  std::vector<std::int64_t> ids;
  while (row.step()) {
    ids.push_back(row.integer(0));
    check(row, 2, removal_checksum(row.integer(0), row.integer(1)), "removal", row.integer(0));
  }
  row.reset();
  return ids;
}

std::uint64_t Store::insert_removal(std::int64_t id, std::uint64_t generation) {
  const std::uint64_t checksum = removal_checksum(id, static_cast<std::int64_t>(generation));
  use("INSERT INTO removals VALUES(?, ?, ?)")
      .bind(1, id)
      .bind(2, static_cast<std::int64_t>(generation))
      .bind(3, bytes_of(checksum))
      .run();
  return checksum;
}

Tally Store::tally_removals() {
  sqlite::Statement row =
      connection_.prepare("SELECT template, generation, checksum FROM removals");
  Tally tally;
  while (row.step()) {
    const std::uint64_t checksum = removal_checksum(row.integer(0), row.integer(1));
    check(row, 2, checksum, "removal", row.integer(0));
    tally.add(checksum);
  }
  return tally;
}

// --- calibration, audit, index ---

std::optional<Calibration> Store::read_calibration(int slot) {
  sqlite::Statement& row = use("SELECT value, checksum FROM calibration WHERE slot=?");
  row.bind(1, std::int64_t{slot});
  if (!row.step()) {
    row.reset();
    return std::nullopt;
  }
  const std::uint64_t checksum =
      ByteWriter().text("calibration").number(std::int64_t{slot}).bytes(row.bytes(0)).hash();
  check(row, 1, checksum, "calibration", slot);
  const auto text = open("calibration", "value", slot, row.bytes(0));
  row.reset();
  return calibration_from_value(parse_json(as_text(text), path_.string()));
}

void Store::write_calibration(int slot, const Calibration& calibration) {
  const std::string text = to_json(to_value(calibration), -1);
  const auto value = seal("calibration", "value", slot, as_bytes(text));
  const std::uint64_t checksum =
      ByteWriter().text("calibration").number(std::int64_t{slot}).bytes(value).hash();
  use("INSERT OR REPLACE INTO calibration VALUES(?, ?, ?)")
      .bind(1, std::int64_t{slot})
      .bind(2, std::span<const std::byte>(value))
      .bind(3, bytes_of(checksum))
      .run();
}

namespace {

std::uint64_t audit_checksum(std::int64_t id, std::int64_t time_ms, std::string_view verb,
                             std::span<const std::byte> subject, std::string_view detail) {
  return ByteWriter()
      .text("audit")
      .number(id)
      .number(time_ms)
      .text(verb)
      .bytes(subject)
      .text(detail)
      .hash();
}

}  // namespace

std::uint64_t Store::insert_audit(std::int64_t id, const AuditEntry& entry) {
  // In memory and in exports the hash is text, in the file it is 32 bytes.
  std::vector<std::byte> subject;
  for (std::size_t i = 0; i + 1 < entry.subject.size(); i += 2) {
    const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
    subject.push_back(
        static_cast<std::byte>(digit(entry.subject[i]) * 16 + digit(entry.subject[i + 1])));
  }
  const std::uint64_t checksum =
      audit_checksum(id, entry.time_ms, entry.verb, subject, entry.detail);
  sqlite::Statement& row = use("INSERT INTO audit VALUES(?, ?, ?, ?, ?, ?)");
  row.bind(1, id).bind(2, entry.time_ms).bind_text(3, entry.verb);
  if (subject.empty()) {
    row.bind_null(4);
  } else {
    row.bind(4, std::span<const std::byte>(subject));
  }
  row.bind_text(5, entry.detail).bind(6, bytes_of(checksum)).run();
  return checksum;
}

std::vector<AuditEntry> Store::read_audit(Tally& tally) {
  sqlite::Statement row = connection_.prepare(
      "SELECT id, time_ms, verb, subject, detail, checksum FROM audit ORDER BY id");
  std::vector<AuditEntry> entries;
  while (row.step()) {
    const auto subject = row.bytes(3);
    const std::uint64_t checksum =
        audit_checksum(row.integer(0), row.integer(1), row.text(2), subject, row.text(4));
    check(row, 5, checksum, "audit entry", row.integer(0));
    tally.add(checksum);
    entries.push_back(
        {row.integer(1), std::string(row.text(2)),
         to_hex({reinterpret_cast<const std::uint8_t*>(subject.data()), subject.size()}),
         std::string(row.text(4))});
  }
  return entries;
}

std::optional<IndexRow> Store::read_index() {
  sqlite::Statement& row = use("SELECT value, checksum FROM indexes WHERE name='graph'");
  if (!row.step()) {
    row.reset();
    return std::nullopt;
  }
  const std::string text(row.text(0));
  check(row, 1, ByteWriter().text("indexes").text(text).hash(), "index", 0);
  row.reset();
  const Value value = parse_json(text, path_.string());
  IndexRow index;
  index.rows = value.at("rows").as_integer();
  index.ids_hash = std::stoull(value.at("ids_hash").as_text(), nullptr, 16);
  index.file_hash = std::stoull(value.at("file_hash").as_text(), nullptr, 16);
  index.recall = value.at("recall").as_real();
  index.recall_probes = value.at("recall_probes").as_integer();
  return index;
}

void Store::write_index(const std::optional<IndexRow>& index) {
  use("DELETE FROM indexes").run();
  if (!index) return;
  const std::string text =
      to_json(Value::object({{"rows", index->rows},
                             {"ids_hash", fmt::format("{:016x}", index->ids_hash)},
                             {"file_hash", fmt::format("{:016x}", index->file_hash)},
                             {"recall", index->recall},
                             {"recall_probes", index->recall_probes}}),
              -1);
  const std::uint64_t checksum = ByteWriter().text("indexes").text(text).hash();
  use("INSERT INTO indexes VALUES('graph', ?, ?)")
      .bind_text(1, text)
      .bind(2, bytes_of(checksum))
      .run();
}

}  // namespace sosia::gallery

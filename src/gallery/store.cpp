#include "gallery/store.hpp"

#include "gallery/bytes.hpp"
#include "gallery/system.hpp"
#include "sosia/core/hash.hpp"
#include "sosia/core/text.hpp"
#include "sosia/core/value.hpp"

#include <charconv>
#include <cstring>

#include <fmt/format.h>

namespace sosia::gallery {

namespace fs = std::filesystem;

namespace {

constexpr const char* kSchema = R"sql(
CREATE TABLE meta(name TEXT PRIMARY KEY, value NOT NULL, checksum BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE subjects(id INTEGER PRIMARY KEY, lookup BLOB NOT NULL, tenant, label NOT NULL,
  audit_key BLOB NOT NULL, checksum BLOB NOT NULL);
CREATE UNIQUE INDEX subjects_lookup ON subjects(lookup);
CREATE TABLE templates(id INTEGER PRIMARY KEY, subject INTEGER NOT NULL REFERENCES subjects(id),
  vector BLOB NOT NULL, norm REAL NOT NULL, quality REAL, time_ms INTEGER,
  enrolled_ms INTEGER NOT NULL, camera, origin, metadata, generation INTEGER NOT NULL,
  checksum BLOB NOT NULL);
CREATE INDEX templates_subject ON templates(subject);
CREATE TABLE centroids(subject INTEGER PRIMARY KEY REFERENCES subjects(id), sum BLOB NOT NULL,
  count INTEGER NOT NULL, oldest_ms INTEGER NOT NULL, generation INTEGER NOT NULL,
  checksum BLOB NOT NULL);
CREATE TABLE removals(template INTEGER PRIMARY KEY, generation INTEGER NOT NULL,
  checksum BLOB NOT NULL);
CREATE TABLE calibration(slot INTEGER PRIMARY KEY, value BLOB NOT NULL, checksum BLOB NOT NULL);
CREATE TABLE audit(id INTEGER PRIMARY KEY, time_ms INTEGER NOT NULL, verb TEXT NOT NULL,
  subject BLOB, detail TEXT NOT NULL, checksum BLOB NOT NULL);
CREATE TABLE indexes(name TEXT PRIMARY KEY, value TEXT NOT NULL, checksum BLOB NOT NULL)
  WITHOUT ROWID;
)sql";

std::string hex64(std::uint64_t value) {
  return fmt::format("{:016x}", value);
}

std::uint64_t from_hex64(const std::string& text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw Error(ErrorCode::corrupt_data, quote(text) + " is no hexadecimal number");
  }
  return value;
}

std::span<const std::byte> bytes_of(const std::uint64_t& checksum) {
  return std::as_bytes(std::span(&checksum, 1));
}

/// Compares the checksum in a row with the one of its fields.
void check(const sqlite::Statement& row, int column, std::uint64_t computed,
           std::string_view what) {
  const auto stored = row.bytes(column);
  if (stored.size() == sizeof computed &&
      std::memcmp(stored.data(), &computed, sizeof computed) == 0) {
    return;
  }
  throw Error(ErrorCode::corrupt_data, "the checksum of " + std::string(what) + " is wrong",
              "`sosia gallery verify` lists all damage; restore the file from a copy");
}

Value to_value(const Tally& tally) {
  return Value::list({Value(tally.rows), Value(hex64(tally.digest))});
}

Tally tally_from(const Value& value) {
  const Value::List& items = value.as_list();
  if (items.size() != 2) throw Error(ErrorCode::corrupt_data, "a tally lacks its digest");
  return {static_cast<std::uint64_t>(items[0].as_integer()), from_hex64(items[1].as_text())};
}

constexpr std::string_view kCheckText = "sosia gallery key check";

std::string fixed_to_json(const FixedInfo& fixed, const Sealer& sealer) {
  const auto sealed = sealer.seal({"meta", "check", 0}, as_bytes(kCheckText));
  Value value = Value::object(
      {{"id", fixed.id},
       {"dimension", fixed.dimension},
       {"type", fixed.type == StoredType::f16 ? "f16" : "f32"},
       {"max_templates", fixed.max_templates},
       {"min_quality", fixed.min_quality},
       {"encrypted", fixed.encrypted},
       {"created_ms", fixed.created_ms},
       {"check", to_hex({reinterpret_cast<const std::uint8_t*>(sealed.data()), sealed.size()})}});
  return to_json(value, -1);
}

std::vector<std::byte> bytes_from_hex(const std::string& text) {
  std::vector<std::byte> bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    bytes.push_back(static_cast<std::byte>(from_hex64(text.substr(i, 2))));
  }
  return bytes;
}

}  // namespace

void Store::create(const fs::path& path, const CreateOptions& options, const Secret& secret) {
  FixedInfo fixed;
  const auto id = random_bytes(16);
  fixed.id = to_hex({reinterpret_cast<const std::uint8_t*>(id.data()), id.size()});
  fixed.dimension = options.dimension;
  fixed.type = options.type;
  fixed.max_templates = options.max_templates;
  fixed.min_quality = options.min_quality;
  fixed.encrypted = options.encrypt;
  fixed.created_ms = now_ms();
  sqlite::Connection connection(path, sqlite::Mode::create);
  // Large pages: a row of 512 half floats takes 1.1 KB, of which 14 fit into one page.
  connection.execute("PRAGMA page_size=16384; PRAGMA journal_mode=WAL;");
  sqlite::Transaction transaction(connection, sqlite::Transaction::Kind::write);
  connection.execute(kSchema);
  connection.execute(fmt::format("PRAGMA application_id={}; PRAGMA user_version={};",
                                 kApplicationId, kStoreVersion)
                         .c_str());
  const Sealer sealer = options.encrypt ? Sealer(fixed.id, secret) : Sealer(fixed.id);
  const std::string text = fixed_to_json(fixed, sealer);
  const std::uint64_t checksum = ByteWriter().text("gallery").text(text).hash();
  connection.prepare("INSERT INTO meta VALUES('gallery', ?, ?)")
      .bind_text(1, text)
      .bind(2, bytes_of(checksum))
      .run();
  transaction.commit();
}

namespace {

sqlite::Connection connect(const fs::path& path, Store::Access access) {
  std::error_code failed;
  if (!fs::exists(path, failed)) {
    throw Error(ErrorCode::not_found, quote(path.string(), 200) + " does not exist",
                "make a gallery: sosia gallery create " + quote(path.string(), 200) + " --dim 512");
  }
  if (!fs::is_regular_file(path, failed)) {
    throw Error(ErrorCode::corrupt_data, quote(path.string(), 200) + " is no file");
  }
  if (access == Store::Access::write) return {path, sqlite::Mode::write};
  // In a folder where nothing can be made, SQLite cannot keep its journal's index: without a
  // journal the file can be read as it lies.
  const fs::path journal = path.string() + "-wal";
  const bool journal_empty = !fs::exists(journal, failed) || fs::file_size(journal, failed) == 0;
  if (!folder_writable(path) && journal_empty) return {path, sqlite::Mode::read_immutable};
  return {path, sqlite::Mode::read};
}

}  // namespace

Store::Store(const fs::path& path, Access access, const Secret& secret)
    : path_(path), connection_(connect(path, access)) {
  try {
    check_header();
    read_fixed(secret);
  } catch (Error& error) {
    if (error.context().empty()) error.add_context(path.string());
    throw;
  }
}

void Store::check_header() {
  const std::int64_t application = connection_.integer("PRAGMA application_id");
  const std::int64_t version = connection_.integer("PRAGMA user_version");
  if (application != kApplicationId) {
    throw Error(ErrorCode::corrupt_data, "the file is an SQLite database, but not a gallery", {},
                path_.string());
  }
  if (version > kStoreVersion || version < 1) {
    throw Error(ErrorCode::unsupported,
                fmt::format("the gallery has version {}; this sosia reads version {}", version,
                            kStoreVersion),
                "use a newer sosia", path_.string());
  }
}

void Store::read_fixed(const Secret& secret) {
  const Value value = parse_json(read_meta("gallery"), path_.string());
  fixed_.id = value.at("id").as_text();
  fixed_.dimension = static_cast<std::size_t>(value.at("dimension").as_integer());
  fixed_.type = value.at("type").as_text() == "f16" ? StoredType::f16 : StoredType::f32;
  fixed_.max_templates = static_cast<std::size_t>(value.at("max_templates").as_integer());
  fixed_.min_quality = value.at("min_quality").as_real();
  fixed_.encrypted = value.at("encrypted").as_boolean();
  fixed_.created_ms = value.at("created_ms").as_integer();
  if (fixed_.dimension == 0 || fixed_.dimension > 65536) {
    throw Error(ErrorCode::corrupt_data,
                "the gallery states a dimension of " + std::to_string(fixed_.dimension));
  }
  if (!fixed_.encrypted) {
    sealer_ = std::make_unique<Sealer>(fixed_.id);
    return;
  }
  if (secret.empty()) {
    throw Error(ErrorCode::invalid_argument, "the gallery is encrypted and no key was given",
                "give --key-file FILE, or set SOSIA_GALLERY_KEY", path_.string());
  }
  sealer_ = std::make_unique<Sealer>(fixed_.id, secret);
  try {
    (void)sealer_->open({"meta", "check", 0}, bytes_from_hex(value.at("check").as_text()));
  } catch (const Error&) {
    throw Error(ErrorCode::invalid_argument, "the key is not this gallery's",
                "give the key that it was created with", path_.string());
  }
}

sqlite::Statement& Store::use(const char* sql) {
  auto found = statements_.find(sql);
  if (found == statements_.end()) {
    found = statements_.emplace(sql, connection_.prepare(sql)).first;
  }
  found->second.reset();
  return found->second;
}

std::string Store::read_meta(const std::string& name) {
  sqlite::Statement& row = use("SELECT value, checksum FROM meta WHERE name=?");
  row.bind_text(1, name);
  if (!row.step()) {
    throw Error(ErrorCode::corrupt_data, "the gallery lacks its row " + quote(name), {},
                path_.string());
  }
  std::string value(row.text(0));
  check(row, 1, ByteWriter().text(name).text(value).hash(), "the gallery's row " + quote(name));
  row.reset();
  return value;
}

void Store::write_meta(const std::string& name, const std::string& value) {
  const std::uint64_t checksum = ByteWriter().text(name).text(value).hash();
  use("INSERT OR REPLACE INTO meta VALUES(?, ?, ?)")
      .bind_text(1, name)
      .bind_text(2, value)
      .bind(3, bytes_of(checksum))
      .run();
}

std::int64_t Store::data_version() {
  sqlite::Statement& row = use("PRAGMA data_version");
  const std::int64_t version = row.step() ? row.integer(0) : 0;
  row.reset();
  return version;
}

State Store::read_state() {
  const Value value = parse_json(read_meta("state"), path_.string());
  State state;
  state.generation = static_cast<std::uint64_t>(value.at("generation").as_integer());
  state.model = value.at("model").as_text();
  state.next_template = value.at("next_template").as_integer();
  state.next_subject = value.at("next_subject").as_integer();
  state.templates = tally_from(value.at("templates"));
  state.subjects = tally_from(value.at("subjects"));
  state.centroids = tally_from(value.at("centroids"));
  state.removals = tally_from(value.at("removals"));
  state.audit = tally_from(value.at("audit"));
  state.erasing = value.at("erasing").as_boolean();
  return state;
}

void Store::write_state(const State& state) {
  write_meta("state", to_json(Value::object({{"generation", state.generation},
                                             {"model", state.model},
                                             {"next_template", state.next_template},
                                             {"next_subject", state.next_subject},
                                             {"templates", to_value(state.templates)},
                                             {"subjects", to_value(state.subjects)},
                                             {"centroids", to_value(state.centroids)},
                                             {"removals", to_value(state.removals)},
                                             {"audit", to_value(state.audit)},
                                             {"erasing", state.erasing}}),
                              -1));
}

std::vector<std::byte> Store::seal(std::string_view table, std::string_view column,
                                   std::int64_t row, std::span<const std::byte> plain) const {
  if (plain.empty()) return {};
  return sealer_->seal({table, column, row}, plain);
}

std::vector<std::byte> Store::open(std::string_view table, std::string_view column,
                                   std::int64_t row, std::span<const std::byte> sealed) const {
  if (sealed.empty()) return {};
  return sealer_->open({table, column, row}, sealed);
}

std::vector<std::byte> audit_hash(const SubjectRow& subject) {
  ByteWriter writer;
  writer.number(subject.id).text(subject.tenant).text(subject.label);
  return keyed_hash(subject.audit_key, writer.view(), 32);
}

// --- subjects ---

namespace {

std::uint64_t subject_checksum(std::int64_t id, std::span<const std::byte> lookup,
                               std::span<const std::byte> tenant, std::span<const std::byte> label,
                               std::span<const std::byte> audit_key) {
  return ByteWriter()
      .text("subjects")
      .number(id)
      .bytes(lookup)
      .bytes(tenant)
      .bytes(label)
      .bytes(audit_key)
      .hash();
}

std::string text_of(std::span<const std::byte> bytes) {
  return std::string(as_text(bytes));
}

}  // namespace

std::optional<std::int64_t> Store::find_subject(std::string_view tenant, std::string_view label) {
  const auto lookup = sealer_->lookup(tenant, label);
  sqlite::Statement& row = use("SELECT id FROM subjects WHERE lookup=?");
  row.bind(1, std::span<const std::byte>(lookup));
  std::optional<std::int64_t> id;
  if (row.step()) id = row.integer(0);
  row.reset();
  return id;
}

SubjectRow Store::read_subject_row(sqlite::Statement& row) {
  SubjectRow subject;
  subject.id = row.integer(0);
  subject.checksum =
      subject_checksum(subject.id, row.bytes(1), row.bytes(2), row.bytes(3), row.bytes(4));
  check(row, 5, subject.checksum, "subject " + std::to_string(subject.id));
  subject.tenant = text_of(open("subjects", "tenant", subject.id, row.bytes(2)));
  subject.label = text_of(open("subjects", "label", subject.id, row.bytes(3)));
  const auto key = open("subjects", "audit_key", subject.id, row.bytes(4));
  if (key.size() == subject.audit_key.size()) {
    std::memcpy(subject.audit_key.data(), key.data(), key.size());
  }
  return subject;
}

SubjectRow Store::read_subject(std::int64_t id) {
  sqlite::Statement& row =
      use("SELECT id, lookup, tenant, label, audit_key, checksum FROM subjects WHERE id=?");
  row.bind(1, id);
  if (!row.step()) {
    throw Error(ErrorCode::corrupt_data, "subject " + std::to_string(id) + " is missing",
                "restore the file from a copy", path_.string());
  }
  SubjectRow subject = read_subject_row(row);
  row.reset();
  return subject;
}

void Store::for_each_subject(const std::function<bool(const SubjectRow&)>& each) {
  sqlite::Statement row = connection_.prepare(
      "SELECT id, lookup, tenant, label, audit_key, checksum FROM subjects ORDER BY id");
  while (row.step()) {
    if (!each(read_subject_row(row))) return;
  }
}

void Store::insert_subject(SubjectRow& subject) {
  const auto lookup = sealer_->lookup(subject.tenant, subject.label);
  const auto tenant = seal("subjects", "tenant", subject.id, as_bytes(subject.tenant));
  const auto label = seal("subjects", "label", subject.id, as_bytes(subject.label));
  const auto key =
      seal("subjects", "audit_key", subject.id, std::as_bytes(std::span(subject.audit_key)));
  subject.checksum = subject_checksum(subject.id, lookup, tenant, label, key);
  sqlite::Statement& row = use("INSERT INTO subjects VALUES(?, ?, ?, ?, ?, ?)");
  const auto bind = [&](int index, const std::vector<std::byte>& field) {
    if (field.empty()) {
      row.bind_null(index);
    } else if (sealer_->encrypts()) {
      row.bind(index, std::span<const std::byte>(field));
    } else {
      row.bind_text(index, as_text(field));
    }
  };
  row.bind(1, subject.id).bind(2, std::span<const std::byte>(lookup));
  bind(3, tenant);
  bind(4, label);
  row.bind(5, std::span<const std::byte>(key)).bind(6, bytes_of(subject.checksum)).run();
}

void Store::delete_subject(std::int64_t id) {
  use("DELETE FROM subjects WHERE id=?").bind(1, id).run();
}

}  // namespace sosia::gallery

#include "gallery/milvus_rows.hpp"

#include "gallery/bytes.hpp"
#include "gallery/enrol.hpp"
#include "sosia/core/text.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <map>

#include <fmt/format.h>
#include <sodium.h>

namespace sosia::gallery::milvus {
namespace {

using Type = FieldSpec::Type;

constexpr std::size_t kLongestText = 65535;  // of Milvus
/// Room for the escapes of a piece of a document cut at this size.
constexpr std::size_t kPieceBytes = 60'000;
constexpr double kNoQuality = -1;
constexpr std::int64_t kNoTime = std::numeric_limits<std::int64_t>::min();

void check(std::int64_t stored, std::int64_t computed, const char* what, std::int64_t number) {
  if (stored != computed) {
    throw Error(ErrorCode::corrupt_data,
                fmt::format("the checksum of {} {} is wrong", what, number),
                "`sosia gallery verify` lists all damage; restore the collections from a backup");
  }
}

std::string text_of(std::string_view text) {
  return to_json(Value(text), -1);
}

/// "," between rows.
void begin_row(std::string& out) {
  out += out.size() > 1 ? ",{" : "{";
}

std::int64_t integer(const Value& value, std::string_view key) {
  return value.at(key).as_integer();
}

std::vector<std::int64_t> integers(const Value& value, std::string_view key) {
  std::vector<std::int64_t> out;
  for (const Value& v : value.at(key).as_list()) out.push_back(v.as_integer());
  return out;
}

Value list_of(std::span<const std::int64_t> numbers) {
  Value list = Value::list();
  for (const std::int64_t number : numbers) list.push(number);
  return list;
}

std::string born_before(const State& state) {
  std::string out = fmt::format("born <= {}", state.generation);
  for (const auto& [session, last] : state.fences) {
    out += fmt::format(" && !(session == {} && born > {})", session, last);
  }
  return out;
}

void exclude(std::string& out, const char* field, std::span<const std::int64_t> numbers) {
  if (!numbers.empty()) out += fmt::format(" && {} not in {}", field, literal(numbers));
}

}  // namespace

std::int64_t checksum(const TemplateRow& row) {
  const StoredTemplate& t = row.value;
  ByteWriter writer;
  writer.text("template").number(t.id).number(row.subject).text(t.label).text(t.tenant);
  writer.bytes(std::as_bytes(std::span(t.vector))).number(t.quality).number(t.time_ms);
  writer.text(t.camera).text(t.origin).text(t.metadata.is_null() ? "" : to_json(t.metadata, -1));
  writer.number(row.enrolled_ms).number(row.birth.generation).number(row.birth.session);
  return static_cast<std::int64_t>(writer.hash());
}

std::int64_t checksum(const SubjectRow& row) {
  ByteWriter writer;
  writer.text("subject").number(row.row).number(row.subject).text(row.label).text(row.tenant);
  writer.text(row.audit_key).number(row.templates).number(row.given_up).number(row.oldest_ms);
  writer.number(row.norm).bytes(std::as_bytes(std::span(row.centroid)));
  writer.number(row.birth.generation).number(row.birth.session);
  return static_cast<std::int64_t>(writer.hash());
}

Value to_value(const State& s) {
  Value fences = Value::list();
  for (const auto& [session, last] : s.fences) fences.push(Value::list({session, last}));
  Value widths = Value::list();
  for (const State::Width& w : s.widths) {
    widths.push(Value::list({w.k, w.width, w.recall, w.probes}));
  }
  return Value::object({{"schema", fmt::format("sosia.milvus_gallery/{}", kFormatVersion)},
                        {"id", s.id},
                        {"dimension", s.dimension},
                        {"type", s.type == StoredType::f16 ? "f16" : "f32"},
                        {"max_templates", s.max_templates},
                        {"min_quality", s.min_quality},
                        {"model", s.model},
                        {"sequence", s.sequence},
                        {"session", s.session},
                        {"generation", s.generation},
                        {"next_template", s.next_template},
                        {"next_subject", s.next_subject},
                        {"next_row", s.next_row},
                        {"next_audit", s.next_audit},
                        {"templates", s.templates},
                        {"subjects", s.subjects},
                        {"digest", s.digest},
                        {"calibration", s.calibration},
                        {"retired_templates", list_of(s.retired_templates)},
                        {"retired_subject_rows", list_of(s.retired_subject_rows)},
                        {"forgotten", list_of(s.forgotten)},
                        {"fences", std::move(fences)},
                        {"widths", std::move(widths)}});
}

State state_from_value(const Value& v) {
  const std::string wanted = fmt::format("sosia.milvus_gallery/{}", kFormatVersion);
  if (const std::string& schema = v.at("schema").as_text(); schema != wanted) {
    throw Error(
        ErrorCode::unsupported,
        fmt::format("the gallery has the format {}; this sosia knows {}", quote(schema), wanted),
        "use a newer sosia");
  }
  State s;
  s.id = v.at("id").as_text();
  s.dimension = static_cast<std::size_t>(integer(v, "dimension"));
  s.type = v.at("type").as_text() == "f16" ? StoredType::f16 : StoredType::f32;
  s.max_templates = static_cast<std::size_t>(integer(v, "max_templates"));
  s.min_quality = v.at("min_quality").as_real();
  s.model = v.at("model").as_text();
  s.sequence = integer(v, "sequence");
  s.session = integer(v, "session");
  s.generation = integer(v, "generation");
  s.next_template = integer(v, "next_template");
  s.next_subject = integer(v, "next_subject");
  s.next_row = integer(v, "next_row");
  s.next_audit = integer(v, "next_audit");
  s.templates = integer(v, "templates");
  s.subjects = integer(v, "subjects");
  s.digest = integer(v, "digest");
  s.calibration = integer(v, "calibration");
  s.retired_templates = integers(v, "retired_templates");
  s.retired_subject_rows = integers(v, "retired_subject_rows");
  s.forgotten = integers(v, "forgotten");
  for (const Value& fence : v.at("fences").as_list()) {
    s.fences.emplace_back(fence.as_list().at(0).as_integer(), fence.as_list().at(1).as_integer());
  }
  for (const Value& w : v.at("widths").as_list()) {
    const Value::List& list = w.as_list();
    s.widths.push_back({static_cast<std::size_t>(list.at(0).as_integer()),
                        static_cast<std::size_t>(list.at(1).as_integer()), list.at(2).as_real(),
                        static_cast<std::size_t>(list.at(3).as_integer())});
  }
  if (s.dimension == 0 || s.max_templates == 0) {
    throw Error(ErrorCode::corrupt_data, "the state of the gallery has no dimension");
  }
  return s;
}

std::vector<FieldSpec> template_fields(std::size_t dimension) {
  return {{"id", Type::int64, 0, true},
          {"subject", Type::int64},
          {"label", Type::text, kMaxLabelBytes},
          {"tenant", Type::text, kMaxTextBytes},
          {"camera", Type::text, kMaxTextBytes},
          {"origin", Type::text, kMaxTextBytes},
          {"metadata", Type::text, kLongestText},
          {"quality", Type::real},
          {"time_ms", Type::int64},
          {"timed", Type::boolean},
          {"enrolled_ms", Type::int64},
          {"born", Type::int64},
          {"session", Type::int64},
          {"checksum", Type::int64},
          {"vector", Type::vector, dimension}};
}

std::vector<FieldSpec> subject_fields(std::size_t dimension) {
  return {{"id", Type::int64, 0, true},
          {"subject", Type::int64},
          {"label", Type::text, kMaxLabelBytes},
          {"tenant", Type::text, kMaxTextBytes},
          {"audit_key", Type::text, 64},
          {"templates", Type::int64},
          {"given_up", Type::int64},
          {"oldest_ms", Type::int64},
          {"norm", Type::real},
          {"born", Type::int64},
          {"session", Type::int64},
          {"checksum", Type::int64},
          {"vector", Type::vector, dimension}};
}

std::vector<FieldSpec> document_fields() {
  return {{"id", Type::int64, 0, true}, {"kind", Type::int64},
          {"number", Type::int64},      {"part", Type::int64},
          {"parts", Type::int64},       {"born", Type::int64},
          {"session", Type::int64},     {"body", Type::text, kLongestText},
          {"vector", Type::vector, 2}};  // Milvus 2.3 wants one in every collection
}

std::span<const std::string_view> template_columns() {
  static constexpr std::string_view names[] = {
      "id",      "subject", "label",       "tenant", "camera",  "origin",   "metadata", "quality",
      "time_ms", "timed",   "enrolled_ms", "born",   "session", "checksum", "vector"};
  return names;
}

std::span<const std::string_view> subject_columns() {
  static constexpr std::string_view names[] = {
      "id",        "subject", "label", "tenant",  "audit_key", "templates", "given_up",
      "oldest_ms", "norm",    "born",  "session", "checksum",  "vector"};
  return names;
}

std::span<const std::string_view> document_columns() {
  static constexpr std::string_view names[] = {"id",    "kind", "number",  "part",
                                               "parts", "born", "session", "body"};
  return names;
}

std::string to_rows(std::span<const TemplateRow> rows) {
  std::string out = "[";
  for (const TemplateRow& row : rows) {
    const StoredTemplate& t = row.value;
    begin_row(out);
    fmt::format_to(
        std::back_inserter(out),
        R"("id":{},"subject":{},"label":{},"tenant":{},"camera":{},"origin":{},"metadata":{},)"
        R"("quality":{},"time_ms":{},"timed":{},"enrolled_ms":{},"born":{},"session":{},)"
        R"("checksum":{},"vector":)",
        t.id, row.subject, text_of(t.label), text_of(t.tenant), text_of(t.camera),
        text_of(t.origin), text_of(t.metadata.is_null() ? "" : to_json(t.metadata, -1)),
        t.quality.value_or(kNoQuality), t.time_ms.value_or(kNoTime), t.time_ms.has_value(),
        row.enrolled_ms, row.birth.generation, row.birth.session, checksum(row));
    append_vector(out, t.vector);
    out += '}';
  }
  return out + "]";
}

std::string to_rows(std::span<const SubjectRow> rows) {
  std::string out = "[";
  for (const SubjectRow& row : rows) {
    begin_row(out);
    fmt::format_to(std::back_inserter(out),
                   R"("id":{},"subject":{},"label":{},"tenant":{},"audit_key":{},"templates":{},)"
                   R"("given_up":{},"oldest_ms":{},"norm":{},"born":{},"session":{},)"
                   R"("checksum":{},"vector":)",
                   row.row, row.subject, text_of(row.label), text_of(row.tenant),
                   text_of(row.audit_key), row.templates, row.given_up, row.oldest_ms, row.norm,
                   row.birth.generation, row.birth.session, checksum(row));
    append_vector(out, row.centroid);
    out += '}';
  }
  return out + "]";
}

std::string to_rows(std::span<Document> documents) {
  std::string out = "[";
  for (Document& document : documents) {
    const std::size_t parts =
        std::max<std::size_t>(1, (document.body.size() + kPieceBytes - 1) / kPieceBytes);
    document.rows.clear();
    std::size_t begin = 0;
    for (std::size_t part = 0; part < parts; ++part) {
      // Cut between characters: half of one is no UTF-8.
      std::size_t end = part + 1 == parts ? document.body.size()
                                          : std::min(document.body.size(), begin + kPieceBytes);
      while (end < document.body.size() && (document.body[end] & 0xc0) == 0x80) --end;
      document.rows.push_back(random_number());
      begin_row(out);
      fmt::format_to(std::back_inserter(out),
                     R"("id":{},"kind":{},"number":{},"part":{},"parts":{},"born":{},)"
                     R"("session":{},"body":{},"vector":[1,0]}})",
                     document.rows.back(), static_cast<std::int64_t>(document.kind),
                     document.number, part, parts, document.birth.generation,
                     document.birth.session,
                     text_of(std::string_view(document.body).substr(begin, end - begin)));
      begin = end;
    }
  }
  return out + "]";
}

std::vector<TemplateRow> read_templates(const Columns& c) {
  std::vector<TemplateRow> rows(c.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    StoredTemplate& t = rows[i].value;
    t.id = c.integers("id")[i];
    rows[i].subject = c.integers("subject")[i];
    t.label = c.texts("label")[i];
    t.tenant = c.texts("tenant")[i];
    t.camera = c.texts("camera")[i];
    t.origin = c.texts("origin")[i];
    if (const std::string& text = c.texts("metadata")[i]; !text.empty()) {
      t.metadata = parse_json(text, fmt::format("metadata of template {}", t.id));
    }
    if (const double quality = c.reals("quality")[i]; quality != kNoQuality) t.quality = quality;
    if (c.boolean("timed", i)) t.time_ms = c.integers("time_ms")[i];
    rows[i].enrolled_ms = c.integers("enrolled_ms")[i];
    rows[i].birth = {c.integers("born")[i], c.integers("session")[i]};
    const auto vector = c.vector("vector", i);
    t.vector.assign(vector.begin(), vector.end());
    check(c.integers("checksum")[i], checksum(rows[i]), "template", t.id);
  }
  return rows;
}

std::vector<SubjectRow> read_subjects(const Columns& c) {
  std::vector<SubjectRow> rows(c.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    SubjectRow& row = rows[i];
    row.row = c.integers("id")[i];
    row.subject = c.integers("subject")[i];
    row.label = c.texts("label")[i];
    row.tenant = c.texts("tenant")[i];
    row.audit_key = c.texts("audit_key")[i];
    row.templates = c.integers("templates")[i];
    row.given_up = c.integers("given_up")[i];
    row.oldest_ms = c.integers("oldest_ms")[i];
    row.norm = c.reals("norm")[i];
    row.birth = {c.integers("born")[i], c.integers("session")[i]};
    const auto vector = c.vector("vector", i);
    row.centroid.assign(vector.begin(), vector.end());
    check(c.integers("checksum")[i], checksum(row), "subject", row.subject);
  }
  return rows;
}

std::vector<Document> read_documents(const Columns& c) {
  // Two writers may write documents of one number; so they are told apart by session too.
  struct Pieces {
    std::map<std::int64_t, std::string> bodies;
    std::int64_t parts = 0;
    Document document;
  };
  std::map<std::array<std::int64_t, 4>, Pieces> found;
  for (std::size_t i = 0; i < c.size(); ++i) {
    const std::int64_t kind = c.integers("kind")[i], number = c.integers("number")[i];
    const Birth birth{c.integers("born")[i], c.integers("session")[i]};
    Pieces& pieces = found[{kind, number, birth.session, birth.generation}];
    pieces.parts = c.integers("parts")[i];
    pieces.bodies[c.integers("part")[i]] = c.texts("body")[i];
    pieces.document.kind = static_cast<Kind>(kind);
    pieces.document.number = number;
    pieces.document.birth = birth;
    pieces.document.rows.push_back(c.integers("id")[i]);
  }
  std::vector<Document> documents;
  for (auto& [key, pieces] : found) {
    if (static_cast<std::int64_t>(pieces.bodies.size()) != pieces.parts) continue;
    for (const auto& [part, body] : pieces.bodies) pieces.document.body += body;
    documents.push_back(std::move(pieces.document));
  }
  return documents;
}

std::string visible_templates(const State& state) {
  std::string out = born_before(state);
  exclude(out, "id", state.retired_templates);
  exclude(out, "subject", state.forgotten);
  return out;
}

std::string visible_subjects(const State& state) {
  std::string out = born_before(state);
  exclude(out, "id", state.retired_subject_rows);
  exclude(out, "subject", state.forgotten);
  return out;
}

std::string visible_documents(const State& state) {
  return born_before(state);
}

std::int64_t random_number() {
  std::int64_t number = 0;
  randombytes_buf(&number, sizeof number);
  return number & ((std::int64_t{1} << 62) - 1);
}

}  // namespace sosia::gallery::milvus

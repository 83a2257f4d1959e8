#include "gallery/milvus_gallery.hpp"

#include "gallery/bytes.hpp"
#include "gallery/milvus_change.hpp"
#include "sosia/core/hash.hpp"
#include "sosia/core/text.hpp"
#include "sosia/formats/array.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>

#include <fmt/format.h>
#include <sodium.h>

namespace sosia::gallery {

using milvus::Birth;
using milvus::Consistency;
using milvus::Document;
using milvus::IndexSpec;
using milvus::Kind;
using milvus::Names;
using milvus::Session;
using milvus::State;
using milvus::SubjectRow;
using milvus::TemplateRow;

namespace milvus {
namespace {

std::array<std::uint8_t, 32> key_bytes(const std::string& hex) {
  std::array<std::uint8_t, 32> key{};
  std::size_t length = 0;
  if (sodium_hex2bin(key.data(), key.size(), hex.data(), hex.size(), nullptr, &length, nullptr) !=
          0 ||
      length != key.size()) {
    throw Error(ErrorCode::corrupt_data, "the audit key of a subject is no key");
  }
  return key;
}

/// The keyed hash by which the audit names a subject; its key goes with the subject.
std::string audit_hash(const SubjectRow& subject) {
  ByteWriter writer;
  writer.number(subject.subject).text(subject.tenant).text(subject.label);
  const auto key = key_bytes(subject.audit_key);
  std::array<std::uint8_t, 32> hash{};
  crypto_generichash(hash.data(), hash.size(),
                     reinterpret_cast<const unsigned char*>(writer.view().data()),
                     writer.view().size(), key.data(), key.size());
  return to_hex(hash);
}

}  // namespace

Document audit_document(State& next, Birth birth, const std::string& verb,
                        const SubjectRow* subject, const std::string& detail) {
  Document document{.kind = Kind::audit, .number = next.next_audit++, .birth = birth};
  document.body =
      to_json(Value::object({{"time_ms", now_ms()},
                             {"verb", verb},
                             {"subject", subject == nullptr ? "" : audit_hash(*subject)},
                             {"detail", detail}}),
              -1);
  return document;
}

void set_centroid(SubjectRow& subject, std::span<const double> sum) {
  double square = 0;
  for (const double v : sum) square += v * v;
  subject.norm = std::sqrt(square);
  subject.centroid.assign(sum.size(), 0.0f);
  for (std::size_t i = 0; i < sum.size() && subject.norm > 0; ++i) {
    subject.centroid[i] = static_cast<float>(sum[i] / subject.norm) + 0.0f;
  }
}

std::vector<float> stored_vector(std::span<const float> unit, StoredType type) {
  std::vector<float> out(unit.begin(), unit.end());
  for (float& v : out) {
    if (type == StoredType::f16) v = formats::half_to_float(formats::float_to_half(v));
    v += 0.0f;  // -0 is printed as "-0", which comes back as 0
  }
  return out;
}

std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::size_t rows_at_once(std::size_t dimension) {
  constexpr std::size_t kNumbers = 400'000;  // about 4 MB of text
  return std::clamp<std::size_t>(kNumbers / dimension, 1, 2000);
}

std::string filter_expression(const State& state, const Filter& filter) {
  std::string out = visible_templates(state);
  if (!filter.labels.empty()) {
    out += fmt::format(" && label in {}", literal(std::span<const std::string>(filter.labels)));
  }
  if (!filter.cameras.empty()) {
    out += fmt::format(" && camera in {}", literal(std::span<const std::string>(filter.cameras)));
  }
  if (filter.tenant) out += fmt::format(" && tenant == {}", literal(*filter.tenant));
  // The grammar has no literal for the least number; nothing was taken then.
  const auto number = [](std::int64_t v) { return std::max(v, std::int64_t{-INT64_MAX}); };
  if (filter.from_ms || filter.to_ms) out += " && timed == true";
  if (filter.from_ms) out += fmt::format(" && time_ms >= {}", number(*filter.from_ms));
  if (filter.to_ms) out += fmt::format(" && time_ms < {}", number(*filter.to_ms));
  return out;
}

}  // namespace milvus

MilvusGallery::MilvusGallery(const MilvusAddress& address, const OpenOptions& options)
    : address_(address), names_(address.collection), options_(options), client_(address) {
  RunContext run;
  if (!client_.has_collection(names_.meta, run) || !client_.has_collection(names_.templates, run)) {
    throw Error(ErrorCode::not_found,
                fmt::format("there is no gallery {}", quote(address.text(), 200)),
                "`sosia gallery create` makes one");
  }
  const std::string description = client_.description(names_.meta, run);
  if (!description.starts_with("sosia gallery")) {
    throw Error(ErrorCode::corrupt_data,
                fmt::format("the collection {} was not made by sosia", quote(names_.meta)));
  }
  (void)state(true, run);
  if (options.access == Access::write) {
    session_ = std::make_unique<Session>(
        client_, names_, options.who.empty() ? "a writer" : options.who, address.lease_ms);
    remember(session_->begin(run));
  }
}

void MilvusGallery::create(const MilvusAddress& address, const CreateOptions& options,
                           const OpenOptions& open, RunContext& run) {
  if (options.encrypt) {
    throw Error(
        ErrorCode::unsupported,
        "a Milvus gallery cannot be encrypted: the server must read vectors to compare them",
        "let the server's storage encrypt its disks, or use a gallery file");
  }
  const Names names(address.collection);
  milvus::Client client(address);
  for (const std::string& name : {names.templates, names.subjects, names.meta}) {
    if (!client.has_collection(name, run)) continue;
    if (!options.replace) {
      throw Error(ErrorCode::conflict,
                  fmt::format("the collection {} exists already on {}:{}", quote(name),
                              address.host, address.port),
                  "choose another name, or overwrite it with --force");
    }
    client.drop_collection(name, run);
  }
  const std::string about = fmt::format("sosia gallery/{}", milvus::kFormatVersion);
  client.create_collection(names.meta, milvus::document_fields(), 1, about, run);
  client.create_collection(names.subjects, milvus::subject_fields(options.dimension), 1, about,
                           run);
  client.create_collection(names.templates, milvus::template_fields(options.dimension),
                           address.shards, about, run);
  for (const std::string& name : {names.meta, names.subjects, names.templates}) {
    client.create_index(name, IndexSpec{}, run);
    client.load(name, run);
  }
  for (const std::string& name : {names.meta, names.subjects, names.templates}) {
    client.wait_loaded(name, run);
  }
  std::array<std::uint8_t, 16> id{};
  randombytes_buf(id.data(), id.size());
  State first;
  first.id = to_hex(id);
  first.dimension = options.dimension;
  first.type = options.type;
  first.max_templates = options.max_templates;
  first.min_quality = options.min_quality;
  first.model = options.model;
  Session session(client, names, open.who.empty() ? "create" : open.who, address.lease_ms);
  session.found(first, run);
  State next = session.begin(run);
  const Birth birth = session.birth(next);
  next.generation = birth.generation;
  std::vector<Document> documents = {
      milvus::audit_document(next, birth, open.who.empty() ? "create" : open.who, nullptr,
                             fmt::format("dimension {}", options.dimension))};
  if (options.calibration) {
    next.calibration = next.generation;
    documents.push_back({.kind = Kind::calibration,
                         .number = next.calibration,
                         .body = to_json(to_value(*options.calibration), -1),
                         .birth = birth});
  }
  client.upsert(names.meta, milvus::to_rows(std::span(documents)), run);
  session.commit(next, run);
}

State MilvusGallery::state(bool fresh, RunContext& run) {
  {
    const std::lock_guard lock(read_mutex_);
    if (!fresh && seen_) return *seen_;
  }
  State now = milvus::read_state(client_, names_, run);
  remember(now);
  return now;
}

void MilvusGallery::remember(const State& state) {
  const std::lock_guard lock(read_mutex_);
  seen_ = state;
}

Session& MilvusGallery::writer() {
  if (!session_) {
    throw Error(ErrorCode::invalid_argument, "the gallery was opened for reading only");
  }
  return *session_;
}

GalleryInfo MilvusGallery::info() {
  RunContext run;
  const State now = state(true, run);
  GalleryInfo info{.place = address_.text(),
                   .engine = "milvus",
                   .id = now.id,
                   .dimension = now.dimension,
                   .type = now.type,
                   .model = now.model,
                   .max_templates = now.max_templates,
                   .min_quality = now.min_quality,
                   .subjects = static_cast<std::uint64_t>(now.subjects),
                   .templates = static_cast<std::uint64_t>(now.templates),
                   .generation = static_cast<std::uint64_t>(now.generation)};
  const std::string type = client_.index_type(names_.templates, run);
  info.index = "none";
  if (type != "FLAT") {
    info.index = type;
    for (const State::Width& w : now.widths) {
      info.index += fmt::format(", recall@{} {:.4f} at width {}", w.k, w.recall, w.width);
    }
  }
  return info;
}

std::vector<Document> MilvusGallery::documents(Kind kind, const State& now, RunContext& run) {
  const std::string expression =
      fmt::format("kind == {} && {}", static_cast<std::int64_t>(kind), visible_documents(now));
  return milvus::read_documents(
      client_.query(names_.meta, expression, milvus::document_columns(), Consistency::strong, run));
}

std::optional<Calibration> MilvusGallery::calibration() {
  RunContext run;
  return steady(run, [&](const State& now) -> std::optional<Calibration> {
    if (now.calibration < 0) return std::nullopt;
    for (const Document& document : documents(Kind::calibration, now, run)) {
      if (document.number == now.calibration) {
        return calibration_from_value(parse_json(document.body, "calibration of the gallery"));
      }
    }
    throw Error(ErrorCode::corrupt_data, "the calibration of the gallery is missing");
  });
}

void MilvusGallery::set_calibration(const Calibration& calibration, RunContext& run) {
  change([&](Session& session) {
    State next = milvus::next_state(session.begin(run));
    const Birth birth = session.birth(next);
    const std::int64_t before = next.calibration;
    next.generation = next.calibration = birth.generation;
    std::vector<Document> documents = {
        {.kind = Kind::calibration,
         .number = next.calibration,
         .body = to_json(to_value(calibration), -1),
         .birth = birth},
        milvus::audit_document(next, birth, options_.who.empty() ? "calibrate" : options_.who,
                               nullptr,
                               fmt::format("calibration of {} genuine and {} impostor scores",
                                           calibration.genuine, calibration.impostor))};
    client_.upsert(names_.meta, milvus::to_rows(std::span(documents)), run);
    session.commit(next, run);
    remember(next);
    if (before < 0) return;
    static constexpr std::string_view id[] = {"id"};
    const auto old = client_.query(names_.meta, fmt::format("kind == 2 && number == {}", before),
                                   id, Consistency::strong, run);
    if (old.size() > 0) client_.erase(names_.meta, old.integers("id"), run);
  });
}

std::vector<AuditEntry> MilvusGallery::audit() {
  RunContext run;
  std::vector<AuditEntry> entries;
  steady(run, [&](const State& now) {
    entries.clear();
    for (const Document& document : documents(Kind::audit, now, run)) {
      const Value v = parse_json(document.body, "audit of the gallery");
      entries.push_back({v.at("time_ms").as_integer(), v.at("verb").as_text(),
                         v.at("subject").as_text(), v.at("detail").as_text()});
    }
    return 0;
  });
  return entries;
}

std::unique_ptr<Gallery> create_milvus(const MilvusAddress& address, const CreateOptions& options,
                                       const OpenOptions& open) {
  RunContext run;
  MilvusGallery::create(address, options, open, run);
  return open_milvus(address, open);
}

std::unique_ptr<Gallery> open_milvus(const MilvusAddress& address, const OpenOptions& open) {
  return std::make_unique<MilvusGallery>(address, open);
}

}  // namespace sosia::gallery

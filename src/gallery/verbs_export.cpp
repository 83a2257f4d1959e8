// `sosia gallery export`.

#include "gallery/parquet_rows.hpp"
#include "gallery/system.hpp"
#include "gallery/verb_parts.hpp"
#include "gallery/verbs.hpp"
#include "sosia/core/files.hpp"
#include "sosia/core/text.hpp"
#include "sosia/core/value.hpp"
#include "sosia/formats/csv.hpp"
#include "sosia/formats/npy.hpp"

#include <array>
#include <filesystem>

#include <fmt/format.h>

namespace sosia::gallery {

namespace fs = std::filesystem;

namespace {

struct ExportOptions {
  GalleryPlace place;
  std::string output;
  std::string audit;
  std::vector<std::string> label, camera;
  std::string tenant;
};

void describe(Fields& f, ExportOptions& o) {
  describe_place(f, o.place);
  f({.name = "output",
     .help = "templates: a .jsonl or .parquet file, or a .npy file (and its .csv)",
     .role = FieldRole::output_file},
    o.output);
  f({.name = "audit", .help = "the audit table, as a .csv file", .role = FieldRole::output_file},
    o.audit);
  f({.name = "label", .help = "only these subjects", .group = "filter"}, o.label);
  f({.name = "camera", .help = "only these cameras", .group = "filter"}, o.camera);
  f({.name = "tenant", .help = "only this tenant", .group = "filter"}, o.tenant);
}

/// Where exported templates go.
class RowSink {
 public:
  virtual ~RowSink() = default;
  virtual void add(const StoredTemplate& t) = 0;
  virtual std::vector<fs::path> finish() = 0;
};

class JsonlSink final : public RowSink {
 public:
  JsonlSink(const std::string& path, Overwrite overwrite) : path_(path), file_(path, overwrite) {}
  void add(const StoredTemplate& t) override {
    Value line = Value::object({{"template", t.id}, {"label", t.label}});
    if (!t.tenant.empty()) line.set("tenant", t.tenant);
    if (!t.camera.empty()) line.set("camera", t.camera);
    if (t.time_ms) line.set("time", format_time(*t.time_ms));
    if (t.quality) line.set("quality", *t.quality);
    if (!t.origin.empty()) line.set("origin", t.origin);
    if (!t.metadata.is_null()) line.set("metadata", t.metadata);
    Value::List numbers;
    numbers.reserve(t.vector.size());
    for (const float v : t.vector) numbers.emplace_back(v);
    line.set("vector", Value(std::move(numbers)));
    file_.write(to_json(line, -1) + "\n");
  }
  std::vector<fs::path> finish() override {
    file_.commit();
    return {path_};
  }

 private:
  fs::path path_;
  AtomicFile file_;
};

class ParquetSink final : public RowSink {
 public:
  ParquetSink(const std::string& path, std::size_t dimension, Overwrite overwrite)
      : path_(path), table_(path, dimension, overwrite) {}
  void add(const StoredTemplate& t) override { table_.add(t); }
  std::vector<fs::path> finish() override {
    table_.finish();
    return {path_};
  }

 private:
  fs::path path_;
  ParquetTemplates table_;
};

class NpyCsvSink final : public RowSink {
 public:
  NpyCsvSink(const std::string& path, std::size_t dimension, Overwrite overwrite)
      : path_(path),
        labels_(fs::path(path).replace_extension(".csv")),
        dimension_(dimension),
        rows_(path, overwrite),
        csv_(labels_, kHeader, {.overwrite = overwrite}) {
    rows_.write(head(0));
  }
  void add(const StoredTemplate& t) override {
    rows_.write(std::as_bytes(std::span<const float>(t.vector)));
    csv_.field(t.id).field(t.label).field(t.tenant).field(t.camera);
    csv_.field(t.time_ms ? format_time(*t.time_ms) : std::string());
    if (t.quality) {
      csv_.field(*t.quality);
    } else {
      csv_.field("");
    }
    csv_.field(t.origin).field(t.metadata.is_null() ? std::string() : to_json(t.metadata, -1));
    csv_.end_record();
    ++count_;
  }
  std::vector<fs::path> finish() override {
    // The number of rows is known now; the head has room for any.
    rewrite_head();
    rows_.commit();
    csv_.commit();
    return {path_, labels_};
  }

 private:
  static constexpr std::size_t kHeadBytes = 128;
  inline static const std::array<std::string, 8> kHeader = {
      "template", "label", "tenant", "camera", "time", "quality", "origin", "metadata"};

  std::string head(std::size_t rows) const {
    std::string text = fmt::format(
        "{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}), }}", rows, dimension_);
    const std::size_t space = kHeadBytes - 10;
    text += std::string(space - 1 - text.size(), ' ') + "\n";
    return std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(space) + '\0' + text;
  }
  void rewrite_head();

  fs::path path_, labels_;
  std::size_t dimension_;
  AtomicFile rows_;
  formats::CsvWriter csv_;
  std::size_t count_ = 0;
};

void NpyCsvSink::rewrite_head() {
  const fs::path temporary = rows_.temporary_path();
  const std::string text = head(count_);
  write_at(open_in_place(temporary), 0, std::as_bytes(std::span(text)), temporary);
}

std::unique_ptr<RowSink> open_sink(const std::string& path, std::size_t dimension,
                                   Overwrite overwrite) {
  const std::string ending = ascii_lower(fs::path(path).extension().string());
  if (ending == ".jsonl" || ending == ".ndjson") {
    return std::make_unique<JsonlSink>(path, overwrite);
  }
  if (ending == ".parquet") return std::make_unique<ParquetSink>(path, dimension, overwrite);
  if (ending == ".npy") return std::make_unique<NpyCsvSink>(path, dimension, overwrite);
  throw Error(ErrorCode::usage, quote(path, 200) + " is of no kind that can be exported",
              "name it .jsonl, .parquet or .npy");
}

void export_audit(const std::vector<AuditEntry>& entries, const std::string& path,
                  RunContext& run) {
  const std::array<std::string, 4> header = {"time", "verb", "subject", "detail"};
  formats::CsvWriter csv(path, header, {.overwrite = run.overwrite()});
  for (const AuditEntry& entry : entries) {
    csv.field(format_time(entry.time_ms)).field(entry.verb).field(entry.subject);
    csv.field(entry.detail).end_record();
  }
  csv.commit();
  run.note_output(path);
}

Report export_gallery(const ExportOptions& o, RunContext& run) {
  if (o.output.empty() && o.audit.empty()) {
    throw Error(ErrorCode::usage, "nothing is to be exported", "give --output or --audit, or both");
  }
  const auto gallery = open_place(o.place, Access::read, "gallery export");
  Report report("gallery.export", "templates exported");
  if (!o.output.empty()) {
    const GalleryInfo info = gallery->info();
    const auto sink = open_sink(o.output, info.dimension, run.overwrite());
    Filter filter;
    filter.labels = o.label;
    filter.cameras = o.camera;
    if (!o.tenant.empty()) filter.tenant = o.tenant;
    std::uint64_t count = 0;
    gallery->scan(
        filter,
        [&](const StoredTemplate& t) {
          if (count % 256 == 0) run.progress("exporting", count, info.templates);
          sink->add(t);
          ++count;
          return true;
        },
        run);
    std::vector<std::string> files;
    for (const fs::path& path : sink->finish()) {
      run.note_output(path);
      files.push_back(path.string());
    }
    report.scalar("templates", count);
    report.verdict(fmt::format("{} templates in {}", count, enumerate(files)));
  }
  if (!o.audit.empty()) {
    const auto entries = gallery->audit();
    export_audit(entries, o.audit, run);
    report.scalar("audit_entries", entries.size(), "audit entries");
    if (o.output.empty()) {
      report.verdict(fmt::format("{} audit entries in {}", entries.size(), o.audit));
    }
  }
  return report;
}

}  // namespace

Verb export_verb() {
  return make_verb<ExportOptions>(
      {.noun = "gallery",
       .name = "export",
       .summary = "write templates or the audit table to files",
       .details =
           "By the ending of --output: .jsonl has one object a line (template, label, tenant, "
           "camera, time, quality, origin, metadata, vector; absent ones left out); .parquet has "
           "the "
           "same as columns, time as a time of the table; .npy has the "
           "vectors as 32-bit floats, and the other columns come row by row into a .csv file of "
           "the same name. `sosia gallery import` reads all of them; vectors come back bit for "
           "bit.\n\n"
           "The audit table says when, by which verb, and which subject as a keyed hash. The key "
           "is deleted together with the subject: what the table says of a forgotten one cannot be "
           "tied to a name any more.\n\n"
           "An exported file is in the clear, and a later forget does not reach it.",
       .examples = {{"sosia gallery export faces.sosia --output templates.jsonl --force",
                     "everything, one object a line"},
                    {"sosia gallery export faces.sosia --output all.npy --audit audit.csv",
                     "vectors, labels and the audit table"}}},
      export_gallery);
}

}  // namespace sosia::gallery

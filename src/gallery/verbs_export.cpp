// `sosia gallery export`.

#include "gallery/verb_parts.hpp"
#include "gallery/verbs.hpp"
#include "sosia/core/files.hpp"
#include "sosia/core/text.hpp"
#include "sosia/formats/csv.hpp"
#include "sosia/gallery/sink.hpp"

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
     .help = "templates: a .jsonl, .parquet or .csv file, or a .npy or .npz file (and its .csv)",
     .role = FieldRole::output_file},
    o.output);
  f({.name = "audit", .help = "the audit table, as a .csv file", .role = FieldRole::output_file},
    o.audit);
  f({.name = "label", .help = "only these subjects", .group = "filter"}, o.label);
  f({.name = "camera", .help = "only these cameras", .group = "filter"}, o.camera);
  f({.name = "tenant", .help = "only this tenant", .group = "filter"}, o.tenant);
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
    const auto sink = open_template_sink(o.output, info.dimension, run.overwrite());
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
           "the same name. `sosia gallery import` reads these three; vectors come back bit for "
           "bit. For other programs there are .npz (the array `vectors`, and the same .csv file) "
           "and .csv (the numbers as columns v0, v1, ...).\n\n"
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

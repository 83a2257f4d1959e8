// `sosia gallery add` and `sosia gallery import`.

#include "gallery/enrol_rows.hpp"
#include "gallery/verb_parts.hpp"
#include "gallery/verbs.hpp"
#include "sosia/core/text.hpp"

#include <fmt/format.h>

namespace sosia::gallery {
namespace {

constexpr const char* kResume =
    "Rows are enrolled in transactions of 8192: what an interrupted run has reported as done is "
    "durable. Run it again with the same files and it goes on: a row is passed over when the "
    "gallery held a template with the same subject, vector and other fields before this run "
    "(--keep-duplicates enrols it again). A template that was given up for others of its subject "
    "is not remembered and competes again.\n\n"
    "Rows that cannot be enrolled are refused one by one, with the reason, and the others go on: "
    "NaN, infinite or zero vectors, a wrong dimension, an empty label, labels of more than 1024 "
    "bytes or with control characters, a quality outside of [0, 1], a number of a template that "
    "stands twice. Refused rows use up a number: in a new gallery template i is row i.";

constexpr const char* kTimes =
    "time is a date, an ISO 8601 time (without a zone: UTC), or seconds (milliseconds from 1e11 "
    "on) since 1970.";

struct AddOptions {
  GalleryPlace place;
  std::string vectors;
  std::string labels;
  EnrolOptions enrol;
};

void describe_enrol(Fields& f, EnrolOptions& o) {
  f({.name = "model", .help = "hash of the model that made the vectors; must be the gallery's"},
    o.model);
  f({.name = "keep_duplicates", .help = "enrol rows again that the gallery holds already"},
    o.keep_duplicates);
}

void describe(Fields& f, AddOptions& o) {
  describe_place(f, o.place);
  f({.name = "vectors",
     .help = "NumPy file of n x dimension numbers",
     .role = FieldRole::input_file,
     .required = true},
    o.vectors);
  f({.name = "labels",
     .help = "CSV file with the column label, row by row as the vectors",
     .role = FieldRole::input_file,
     .required = true},
    o.labels);
  describe_enrol(f, o.enrol);
}

void finish(Report& report, Gallery& gallery, const EnrolOutcome& outcome) {
  add_to_report(report, outcome);
  const GalleryInfo info = gallery.info();
  report.scalar("templates", info.templates, "templates in the gallery");
  report.scalar("subjects", info.subjects, "subjects in the gallery");
  report.verdict(
      fmt::format("{} of {} rows enrolled; the gallery holds {} templates of {} subjects",
                  outcome.enrolled, outcome.rows, info.templates, info.subjects));
}

Report add(const AddOptions& o, RunContext& run) {
  const auto source = open_npy_csv(o.vectors, o.labels);
  const auto gallery = open_place(o.place, Access::write, "gallery add");
  Report report("gallery.add", "templates enrolled");
  for (const std::string& warning : source->warnings()) report.warning(warning);
  EnrolOutcome outcome;
  try {
    enrol_all(*gallery, *source, o.enrol, run, outcome);
  } catch (Error& error) {
    if (error.context().empty()) error.add_context(o.vectors);
    throw;
  }
  finish(report, *gallery, outcome);
  return report;
}

struct ImportOptions {
  GalleryPlace place;
  std::vector<std::string> files;
  EnrolOptions enrol;
};

void describe(Fields& f, ImportOptions& o) {
  describe_place(f, o.place);
  f({.name = "files",
     .help = "JSON lines (.jsonl), Parquet (.parquet), or .npy files with a .csv of the same name; "
             "folders and patterns too",
     .role = FieldRole::input,
     .positional = true,
     .required = true},
    o.files);
  describe_enrol(f, o.enrol);
}

Report import_files(const ImportOptions& o, RunContext& run) {
  static constexpr std::string_view kEndings[] = {".jsonl", ".ndjson", ".npy", ".parquet"};
  const auto files = expand_paths(o.files, kEndings);
  const auto gallery = open_place(o.place, Access::write, "gallery import");
  Report report("gallery.import", "templates imported");
  EnrolOutcome total;
  std::vector<std::vector<Value>> rows;
  std::size_t broken = 0;
  for (const auto& file : files) {
    EnrolOutcome outcome;
    std::string problem;
    try {
      const auto source = open_rows(file.string());
      for (const std::string& warning : source->warnings()) report.warning(warning);
      enrol_all(*gallery, *source, o.enrol, run, outcome);
    } catch (const Error& error) {
      // One bad file does not end a folder; a single one is the error itself.
      const bool of_file =
          error.code() == ErrorCode::corrupt_data || error.code() == ErrorCode::unsupported ||
          error.code() == ErrorCode::not_found || error.code() == ErrorCode::invalid_argument;
      if (!of_file || files.size() == 1) throw;
      problem = error.message();
      ++broken;
    }
    rows.push_back({file.string(), outcome.rows, outcome.enrolled, outcome.already,
                    outcome.refused_rows, problem});
    total.rows += outcome.rows;
    total.enrolled += outcome.enrolled;
    total.dropped += outcome.dropped;
    total.new_subjects += outcome.new_subjects;
    total.already += outcome.already;
    total.refused_rows += outcome.refused_rows;
    total.refused.insert(total.refused.end(), outcome.refused.begin(), outcome.refused.end());
  }
  finish(report, *gallery, total);
  Table& listed = report.table("files", "Files",
                               {{"file", "", ""},
                                {"rows", "", ""},
                                {"enrolled", "", ""},
                                {"already_enrolled", "held already", ""},
                                {"refused", "", ""},
                                {"problem", "", ""}});
  for (auto& row : rows) listed.add(std::move(row));
  if (broken > 0) {
    report.warning(
        fmt::format("{} of {} files could not be read to the end", broken, files.size()));
  }
  return report;
}

}  // namespace

Verb add_verb() {
  return make_verb<AddOptions>(
      {.noun = "gallery",
       .name = "add",
       .summary = "enrol vectors with their labels",
       .details = std::string("The labels' file has the column label and, if wanted, camera, time, "
                              "quality, tenant, origin and metadata (a JSON object); its rows are "
                              "those of the vectors. ") +
                  kTimes + "\n\n" + kResume,
       .examples = {{"sosia gallery add faces.sosia --vectors vectors.npy --labels labels.csv",
                     "row i of both files is one template"},
                    {"sosia gallery add faces.sosia --vectors vectors.npy --labels labels.csv "
                     "--json",
                     "what was enrolled and refused, for scripts"}}},
      add);
}

Verb import_verb() {
  return make_verb<ImportOptions>(
      {.noun = "gallery",
       .name = "import",
       .summary = "enrol templates from JSON lines, Parquet or exported files",
       .details =
           std::string(
               "A line of a .jsonl file is an object with label and vector and, if "
               "wanted, camera, time, quality, tenant, origin, metadata (an object) "
               "and template (a number that must not stand twice; new numbers are "
               "given). A .parquet file has the same as columns, vector as a list of numbers "
               "and metadata as text; other columns are not used. A .npy file needs "
               "its labels in a .csv of the same name. "
               "What `sosia gallery export` writes comes back the same, but for "
               "the numbers of the templates. ") +
           kTimes + "\n\n" + kResume,
       .examples = {{"sosia gallery import faces.sosia templates.jsonl", "one object a line"},
                    {"sosia gallery import faces.sosia vectors.npy --json",
                     "with the labels in vectors.csv"}}},
      import_files);
}

}  // namespace sosia::gallery

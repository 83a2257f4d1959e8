// `sosia gallery forget`, `verify`, `compact` and `stats`.

#include "gallery/system.hpp"
#include "gallery/verb_parts.hpp"
#include "gallery/verbs.hpp"
#include "sosia/core/text.hpp"

#include <cmath>

#include <fmt/format.h>

namespace sosia::gallery {
namespace {

// --- forget ---

struct ForgetOptions {
  GalleryPlace place;
  std::string label;
  std::string tenant;
  std::string before;
  std::optional<double> older_than_days;
};

void describe(Fields& f, ForgetOptions& o) {
  describe_place(f, o.place);
  f({.name = "label", .help = "the subject", .positional = true}, o.label);
  f({.name = "tenant", .help = "whose subject it is"}, o.tenant);
  f({.name = "before",
     .help = "instead: all templates taken before this time (date, ISO 8601, seconds)"},
    o.before);
  f({.name = "older_than_days", .help = "instead: all templates older than this", .min = 0},
    o.older_than_days);
}

Report forget(const ForgetOptions& o, RunContext& run) {
  const int given =
      (o.label.empty() ? 0 : 1) + (o.before.empty() ? 0 : 1) + (o.older_than_days ? 1 : 0);
  if (given != 1) {
    throw Error(ErrorCode::usage,
                given == 0 ? "nothing says what is to be forgotten"
                           : "too much says what is to be forgotten",
                "give a label, --before or --older-than-days, and only one of them");
  }
  std::optional<std::int64_t> before_ms = time_option("--before", o.before);
  if (o.older_than_days) {
    before_ms = now_ms() - std::llround(*o.older_than_days * 86'400'000.0);
  }
  const auto gallery = open_place(o.place, Access::write, "gallery forget");
  const ForgetReport done =
      before_ms ? gallery->forget_before(*before_ms, run) : gallery->forget(o.label, o.tenant, run);
  const GalleryInfo info = gallery->info();
  Report report("gallery.forget", "templates forgotten");
  report.scalar("forgotten", done.templates, "templates forgotten");
  report.scalar("templates", info.templates, "templates left");
  report.scalar("subjects", info.subjects, "subjects left");
  report.scalar({.key = "bytes_scanned",
                 .label = "searched for what was forgotten",
                 .value = done.bytes_scanned,
                 .unit = "bytes"});
  report.scalar("strings_searched", done.strings_searched, "pieces searched for");
  report.scalar("strings_left_out", done.strings_left_out, "pieces left out",
                "too short to tell from chance, or part of what remains");
  Table& files = report.table("files", "Searched files", {{"file", "", ""}});
  for (const std::string& file : done.files_scanned) files.add({file});
  if (done.templates == 0) {
    report.verdict("nothing was to be forgotten");
  } else if (done.note.empty()) {
    report.verdict(fmt::format("{} templates are gone; their bytes are in no file of the gallery",
                               done.templates));
  } else {
    report.verdict(
        fmt::format("{} templates are gone from every answer; erasure of their bytes is "
                    "not proven",
                    done.templates));
    report.warning(done.note);
  }
  return report;
}

// --- verify ---

struct VerifyOptions {
  GalleryPlace place;
};

void describe(Fields& f, VerifyOptions& o) {
  describe_place(f, o.place);
}

Report verify(const VerifyOptions& o, RunContext& run) {
  const auto gallery = open_place(o.place, Access::read, "gallery verify");
  const std::vector<Damage> damages = gallery->verify(run);
  if (!damages.empty()) {
    constexpr std::size_t kShown = 100;
    std::string message = fmt::format("{} is damaged in {} place{}", quote(o.place.gallery, 200),
                                      damages.size(), damages.size() == 1 ? "" : "s");
    for (std::size_t i = 0; i < std::min(kShown, damages.size()); ++i) {
      message += "\n  " + quote(damages[i].file, 200) + ": " + damages[i].what;
    }
    if (damages.size() > kShown) message += fmt::format("\n  and {} more", damages.size() - kShown);
    throw Error(ErrorCode::corrupt_data, message,
                "a damaged cache or index can be deleted: it is made anew; a damaged gallery is "
                "restored from a copy");
  }
  const GalleryInfo info = gallery->info();
  Report report("gallery.verify", "a gallery verified");
  report.scalar("templates", info.templates);
  report.scalar("subjects", info.subjects);
  report.scalar("generation", info.generation);
  report.data("damages", Value::list());
  report.verdict(
      fmt::format("all checksums of {} templates are right, and cache and index agree "
                  "with them",
                  info.templates));
  return report;
}

// --- compact ---

struct CompactOptions {
  GalleryPlace place;
  Gallery::IndexChoice index = Gallery::IndexChoice::automatic;
  double recall = 0.99;
};

void describe(Fields& f, CompactOptions& o) {
  describe_place(f, o.place);
  f.choice({.name = "index", .help = "graph index for approximate search (automatic: by size)"},
           o.index,
           {{"automatic", Gallery::IndexChoice::automatic},
            {"graph", Gallery::IndexChoice::graph},
            {"none", Gallery::IndexChoice::none}});
  f({.name = "recall", .help = "recall at 10 wanted of the index", .max = 1, .above = 0}, o.recall);
}

Report compact(const CompactOptions& o, RunContext& run) {
  const auto gallery = open_place(o.place, Access::write, "gallery compact");
  const Gallery::Compacted done = gallery->compact(o.index, o.recall, run);
  Report report("gallery.compact", "a gallery rewritten");
  report.scalar(
      {.key = "bytes_before", .label = "before", .value = done.bytes_before, .unit = "bytes"});
  report.scalar(
      {.key = "bytes_after", .label = "after", .value = done.bytes_after, .unit = "bytes"});
  report.scalar("index", done.index);
  report.scalar("recall", done.recall_probes > 0 ? Value(done.recall) : Value(),
                "recall at 10 of the index", "against the exact search");
  report.scalar("recall_probes", done.recall_probes, "probes of that");
  if (done.recall_probes > 0 && done.recall < o.recall) {
    report.warning(
        fmt::format("the index reaches a recall of {:.4f}, not {}: searches that ask "
                    "for more are exact",
                    done.recall, o.recall));
  }
  report.verdict(fmt::format("{} bytes before, {} after; index: {}", done.bytes_before,
                             done.bytes_after, done.index));
  return report;
}

// --- stats ---

struct StatsOptions {
  GalleryPlace place;
};

void describe(Fields& f, StatsOptions& o) {
  describe_place(f, o.place);
}

Report stats(const StatsOptions& o, RunContext& run) {
  run.check_cancelled();
  const auto gallery = open_place(o.place, Access::read, "gallery stats");
  const GalleryInfo info = gallery->info();
  const auto calibration = gallery->calibration();
  Report report("gallery.stats", "what is in a gallery");
  report.scalar("gallery", info.place);
  report.scalar("engine", info.engine);
  report.scalar("id", info.id);
  report.scalar("subjects", info.subjects);
  report.scalar("templates", info.templates);
  report.scalar("dimension", info.dimension);
  report.scalar("type", info.type == StoredType::f16 ? "f16" : "f32", "stored as");
  report.scalar("model", info.model.empty() ? Value() : Value(info.model));
  report.scalar("max_templates", info.max_templates, "templates kept per subject");
  report.scalar("min_quality", info.min_quality, "quality floor");
  report.scalar("encrypted", info.encrypted);
  report.scalar("generation", info.generation);
  report.scalar({.key = "bytes", .label = "all files", .value = info.bytes, .unit = "bytes"});
  report.scalar("index", info.index);
  report.scalar("calibration", calibration ? Value(calibration->set) : Value(), "calibrated on");
  report.verdict(fmt::format("{} templates of {} subjects, dimension {}", info.templates,
                             info.subjects, info.dimension));
  return report;
}

}  // namespace

Verb forget_verb() {
  return make_verb<ForgetOptions>(
      {.noun = "gallery",
       .name = "forget",
       .summary = "remove a subject, or old templates, and prove it",
       .details =
           "Removes the rows from the file, its journal, the cache and the index, deletes the key "
           "by which the audit table named the subject, and then searches every file of the "
           "gallery for the forgotten bytes: 16-byte pieces of the stored vectors, the label, "
           "camera, origin and metadata. It returns when none is found. Pieces that remaining "
           "templates have as well are left out and counted.\n\n"
           "By age: templates whose time (without one: of enrolment) is before the given one. Sums "
           "of given-up templates that reach back so far are deleted too.\n\n"
           "Copies, exports, file system snapshots and the blocks that a disk has set aside are "
           "out "
           "of reach.",
       .examples = {{"sosia gallery forget faces.sosia s3", "the subject s3"},
                    {"sosia gallery forget faces.sosia --older-than-days 365",
                     "retention: a year"}}},
      forget);
}

Verb verify_verb() {
  return make_verb<VerifyOptions>(
      {.noun = "gallery",
       .name = "verify",
       .summary = "check every checksum of a gallery, and cache and index against it",
       .details =
           "Reads every row and compares its checksum, the counts and digests that each change "
           "updates, the structure of the SQLite file, every block of the cache, every row of the "
           "cache with the file's, and the hash of the index. Exit status 0 when all is well, 3 "
           "when anything is damaged: the error names file and place of each damage.",
       .examples = {{"sosia gallery verify faces.sosia", "0 or 3"},
                    {"sosia gallery verify faces.sosia --json", "for scripts"}}},
      verify);
}

Verb compact_verb() {
  return make_verb<CompactOptions>(
      {.noun = "gallery",
       .name = "compact",
       .summary = "rewrite a gallery without gaps and build cache and index",
       .details =
           "The graph index (HNSW) makes searches of large galleries faster and approximate; its "
           "recall against the exact search is measured when it is built. With --index automatic "
           "it is built from 50000 templates on. Encrypted galleries get neither cache nor index. "
           "Readers are not disturbed.",
       .examples = {{"sosia gallery compact faces.sosia", "index by size"},
                    {"sosia gallery compact faces.sosia --index none", "no index"}}},
      compact);
}

Verb stats_verb() {
  return make_verb<StatsOptions>(
      {.noun = "gallery",
       .name = "stats",
       .summary = "what is in a gallery",
       .details = "Numbers of subjects and templates, dimension, model, size of all files, index "
                  "and calibration.",
       .examples = {{"sosia gallery stats faces.sosia", "for people"},
                    {"sosia gallery stats faces.sosia --json", "for scripts"}}},
      stats);
}

}  // namespace sosia::gallery

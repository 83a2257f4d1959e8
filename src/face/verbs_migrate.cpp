// `sosia face migrate`: the subjects of a gallery in vectors of another model.

#include "face/enrolment.hpp"
#include "face/verb_parts.hpp"
#include "face/verbs.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/text.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

namespace sosia::face {
namespace {

constexpr double kSamePlace = 0.3;  // shared area of two detectors' boxes of one face

struct MigrateVerbOptions {
  gallery::GalleryPlace place;
  std::string out;
  FaceOptions faces;
};

void describe(Fields& f, MigrateVerbOptions& o) {
  gallery::describe_place(f, o.place);
  f({.name = "out", .help = "the new gallery, a file or address", .required = true}, o.out);
  describe_faces(f, o.faces);
}

/// A template that is to be made anew, without its vector.
struct Old {
  gallery::Template what;
  std::optional<Detection> face;
};

/// The templates of a gallery by the photo that they come from.
struct OldTemplates {
  std::map<std::string, std::vector<Old>> by_photo;
  std::vector<std::vector<Value>> lost;  ///< rows of the table of those that cannot be migrated
  std::uint64_t all = 0;
};

void lose(OldTemplates& old, const gallery::Template& t, std::string reason) {
  old.lost.push_back({t.label, t.origin.empty() ? Value() : Value(t.origin), std::move(reason)});
}

OldTemplates read_old(gallery::Gallery& gallery, RunContext& run) {
  OldTemplates out;
  const std::uint64_t total = gallery.info().templates;
  gallery.scan(
      {},
      [&](const gallery::StoredTemplate& t) {
        if (++out.all % 1024 == 0) run.progress("reading the gallery", out.all, total);
        if (t.origin.empty()) {
          lose(out, t, "it does not say which photo it was made from");
          return true;
        }
        gallery::Template what = t;
        what.vector.clear();
        out.by_photo[t.origin].push_back({std::move(what), noted_face(t.metadata)});
        return true;
      },
      run);
  return out;
}

/// The face of the photo that a template was made from: the one at its place, or the only one.
const DescribedFace* face_of(const Analysis& analysis, const Old& old) {
  if (!old.face) return analysis.faces.size() == 1 ? &analysis.faces[0] : nullptr;
  const DescribedFace* best = nullptr;
  double most = kSamePlace;
  for (const DescribedFace& face : analysis.faces) {
    const double shared = overlap(face.box, old.face->box);
    if (shared >= most) most = shared, best = &face;
  }
  return best;
}

/// All templates of one photo.
void migrate_photo(const Analysis& analysis, std::vector<Old>& templates, Enroller& enroller,
                   OldTemplates& old, std::uint64_t& held) {
  if (analysis.error) {
    for (const Old& t : templates) lose(old, t.what, analysis.error->message());
    return;
  }
  const std::string digest = photo_digest(analysis.file);
  for (Old& t : templates) {
    const Value* noted = t.what.metadata.find("photo");
    if (noted != nullptr && noted->is_text() && noted->as_text() != digest) {
      lose(old, t.what, "its photo has changed since");
      continue;
    }
    const DescribedFace* face = face_of(analysis, t);
    if (face == nullptr || face->degenerate) {
      lose(old, t.what, "the face was not found again");
      continue;
    }
    if (enroller.holds(t.what.label, digest)) {
      ++held;
      continue;
    }
    enroller.add(std::move(t.what), *face, digest);
  }
}

Report migrate(const MigrateVerbOptions& o, RunContext& run) {
  if (o.out == o.place.gallery) {
    throw Error(ErrorCode::usage, "the new gallery is the old one",
                "give --out another name; the old gallery stays as it is");
  }
  Report report("face.migrate", "a gallery in vectors of another model");
  const auto source = open_place(o.place, gallery::Access::read, "face migrate");
  const gallery::GalleryInfo before = source->info();
  OldTemplates old = read_old(*source, run);
  FileList list;
  for (const auto& [photo, templates] : old.by_photo) list.files.emplace_back(photo);
  const FacePipeline pipeline = open_pipeline(o.faces, {.files = list.files.size()}, report, run);
  // A sealed gallery becomes a sealed one, by the same key.
  Enroller enroller({.gallery = o.out, .key_file = before.encrypted ? o.place.key_file : ""},
                    {.max_templates = static_cast<std::int64_t>(before.max_templates),
                     .encrypt = before.encrypted,
                     .min_quality = before.min_quality,
                     .type = before.type},
                    pipeline, "face migrate", run);
  FileCounts counts;
  std::uint64_t held = 0;
  try {
    if (!list.files.empty()) {
      counts = stream_files(
          pipeline, list,
          [&](Analysis&& analysis) {
            migrate_photo(analysis, old.by_photo.at(analysis.file.string()), enroller, old, held);
          },
          run);
    }
  } catch (...) {
    enroller.flush();
    throw;
  }
  enroller.flush();
  for (const auto& [origin, reason] : enroller.refused()) {
    old.lost.push_back({nullptr, origin, reason});
  }
  report.scalar("gallery", o.place.gallery, "from");
  report.scalar("out", o.out, "to");
  report.scalar("model", pipeline.embedder().card().name, "embedder");
  report.scalar("model_hash", pipeline.model_hash(), "model hash");
  add_counts(report, counts);
  report.scalar("templates", old.all, "templates there");
  report.scalar("migrated", enroller.totals().enrolled, "migrated");
  report.scalar("already_migrated", held, "held already");
  report.scalar("lost_templates", old.lost.size(), "not migrated");
  if (!old.lost.empty()) {
    report.warning(fmt::format("{} templates were not migrated: they are listed with the reasons",
                               old.lost.size()));
  }
  add_table(report, {.key = "lost",
                     .title = "Templates that were not migrated",
                     .columns = {{"label", "subject", ""}, {"file", "", ""}, {"reason", "", ""}},
                     .rows = std::move(old.lost)});
  report.verdict(fmt::format("{} of {} templates are in {} now{}",
                             enroller.totals().enrolled + held, old.all, o.out,
                             enroller.made() || enroller.gallery() ? "" : ", which was not made"));
  return report;
}

Report plan(const MigrateVerbOptions& o, RunContext& run) {
  const auto source = open_place(o.place, gallery::Access::read, "face migrate");
  const OldTemplates old = read_old(*source, run);
  std::error_code ignored;
  const auto present = std::count_if(
      old.by_photo.begin(), old.by_photo.end(),
      [&](const auto& photo) { return std::filesystem::exists(photo.first, ignored); });
  Report report("face.migrate.plan", "what migrate would do");
  report.scalar("templates", old.all);
  report.scalar("photos", old.by_photo.size());
  report.scalar("photos_present", present, "photos that are still there");
  report.verdict(fmt::format("would embed the faces of {} photos again", present));
  return report;
}

}  // namespace

Verb migrate_verb() {
  return make_verb<MigrateVerbOptions>(
      {.noun = "face",
       .name = "migrate",
       .summary = "make a gallery anew for another model, from its photos",
       .details =
           "Vectors of two models cannot be compared, so a gallery changes its model by embedding "
           "its photos again: every template notes the path of its photo and the place of the face "
           "in it. Labels, times, cameras, tenants and metadata are kept. Photos that are gone or "
           "have changed, and faces that are not found again, are listed; those templates are not "
           "in the new gallery. The old gallery is not touched, and the same command goes on where "
           "an interrupted run ended.\n\n"
           "The new gallery has the calibration of the new embedder's card, if it carries one.",
       .examples = {{"sosia face migrate people.sosia --out new.sosia --detector dlib-mmod",
                     "the same embedder behind another detector"},
                    {"sosia face migrate people.sosia --out new.sosia --precision fast --dry-run",
                     "how many photos are still there"}}},
      migrate, plan);
}

}  // namespace sosia::face

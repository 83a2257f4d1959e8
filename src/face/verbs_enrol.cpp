// `sosia face enrol`: photos of known subjects into a gallery.

#include "face/enrolment.hpp"
#include "face/picture_parts.hpp"
#include "face/verb_parts.hpp"
#include "face/verbs.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/text.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

namespace sosia::face {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostPictures = 40;

struct EnrolVerbOptions {
  std::vector<std::string> inputs;
  gallery::GalleryPlace place;
  std::string label;
  SeveralFaces several = SeveralFaces::dominant;
  double min_quality = 0;
  NewGallery make;
  FaceOptions faces;
};

void describe(Fields& f, EnrolVerbOptions& o) {
  describe_inputs(f, o.inputs,
                  "folders that hold one folder per subject; with --label also pictures, patterns, "
                  "or - for a list on standard input");
  gallery::describe_place(f, o.place, gallery::PlaceForm::named);
  f({.name = "label", .help = "the subject of all inputs (default: the folder below the input)"},
    o.label);
  f.choice({.name = "several",
            .help = "in photos with several faces: dominant takes the largest when the next has at "
                    "most a third of its area, largest takes it anyway, refuse takes none",
            .group = "which face"},
           o.several,
           {{"dominant", SeveralFaces::dominant},
            {"largest", SeveralFaces::largest},
            {"refuse", SeveralFaces::refuse}});
  f({.name = "min_quality",
     .help = "faces of a lower quality are refused",
     .min = 0,
     .max = 1,
     .group = "which face"},
    o.min_quality);
  describe_faces(f, o.faces);
  f({.name = "max_templates",
     .help = "templates kept of each subject",
     .min = 1,
     .max = 1024,
     .group = "new gallery"},
    o.make.max_templates);
  f({.name = "encrypt",
     .help = "seal vectors, labels and metadata; the key is that of --key-file or "
             "SOSIA_GALLERY_KEY",
     .group = "new gallery"},
    o.make.encrypt);
}

/// The photos that are meant, with their labels, and what cannot be one.
struct PhotoList {
  std::vector<LabelledPhoto> photos;
  std::vector<SkippedFile> skipped;
};

PhotoList collect_photos(const EnrolVerbOptions& o) {
  PhotoList out;
  std::set<std::string> seen;
  const auto take = [&](const fs::path& file, std::string label) {
    if (seen.insert(fs::absolute(file).lexically_normal().string()).second) {
      out.photos.push_back({file, std::move(label)});
    }
  };
  for (const std::string& input : with_standard_input(o.inputs)) {
    std::error_code ignored;
    const bool folder = fs::is_directory(input, ignored);
    if (!folder && o.label.empty() && fs::exists(input, ignored)) {
      throw Error(ErrorCode::usage, quote(input, 200) + " is a file: nothing says who is on it",
                  "give --label, or a folder that holds one folder per subject");
    }
    const std::string inputs[] = {input};
    FileList list = collect_files(inputs);
    for (SkippedFile& file : list.skipped) out.skipped.push_back(std::move(file));
    for (const fs::path& file : list.files) {
      if (!o.label.empty()) {
        take(file, o.label);
        continue;
      }
      const fs::path inside = folder ? file.lexically_relative(input) : file.filename();
      const auto depth = std::distance(inside.begin(), inside.end());
      if (depth >= 2) {
        take(file, inside.begin()->string());
      } else {
        out.skipped.push_back({file, "it lies in no folder of a subject"});
      }
    }
  }
  if (out.photos.empty()) {
    std::string why = out.skipped.empty() ? std::string()
                                          : ": " + quote(out.skipped[0].path.string(), 200) + ": " +
                                                out.skipped[0].reason;
    throw Error(ErrorCode::not_found, "there is no photo to enrol" + why,
                "give a folder that holds one folder per subject, or --label with photos");
  }
  return out;
}

/// What became of the photos, by subject.
class EnrolLog {
 public:
  explicit EnrolLog(bool draw) : draw_(draw) {}

  void enrolled(const std::string& label) { ++subjects_[label].enrolled; }
  void held(const std::string& label) {
    ++subjects_[label].held;
    ++held_;
  }
  void photo(const std::string& label) { ++subjects_[label].photos; }
  void refuse(const LabelledPhoto& photo, std::string reason) {
    ++subjects_[photo.label].refused;
    refused_.push_back({photo.file.string(), photo.label, std::move(reason)});
  }
  /// A refused photo for the page.
  void draw(const Analysis& analysis, const std::string& reason) {
    if (!draw_ || refused_pictures_.size() >= kMostPictures) return;
    std::vector<FaceMark> marks;
    for (const DescribedFace& face : analysis.faces) {
      marks.push_back({.box = face.box, .landmarks = face.landmarks, .colour = kRed});
    }
    refused_pictures_.push_back(
        page_picture(marked_photo(analysis.file, analysis.extent, marks, 320),
                     analysis.file.filename().string() + ": " + reason));
  }
  void remark(const fs::path& file, const std::string& remark) {
    remarks_.push_back({file.string(), remark});
  }

  std::uint64_t held_count() const { return held_; }
  std::size_t refused_count() const { return refused_.size(); }

  void add_to(Report& report) {
    Table& table = report.table("subjects", "Subjects",
                                {{"label", "subject", ""},
                                 {"photos", "", ""},
                                 {"enrolled", "", ""},
                                 {"already_enrolled", "held already", ""},
                                 {"refused", "", ""}});
    for (const auto& [label, s] : subjects_) {
      table.add({label, s.photos, s.enrolled, s.held, s.refused});
    }
    add_table(report, {.key = "refused",
                       .title = "Photos that were not enrolled",
                       .columns = {{"file", "", ""}, {"label", "subject", ""}, {"reason", "", ""}},
                       .rows = std::move(refused_)});
    add_table(report, {.key = "remarks",
                       .title = "Enrolled, but worth a look",
                       .columns = {{"file", "", ""}, {"remark", "", ""}},
                       .rows = std::move(remarks_)});
    if (!refused_pictures_.empty()) {
      report.pictures({.key = "refused",
                       .title = "Photos that were not enrolled",
                       .pictures = std::move(refused_pictures_)});
    }
  }

 private:
  struct Subject {
    std::uint64_t photos = 0, enrolled = 0, held = 0, refused = 0;
  };
  bool draw_;
  std::map<std::string, Subject> subjects_;
  std::uint64_t held_ = 0;
  std::vector<std::vector<Value>> refused_, remarks_;
  std::vector<Picture> refused_pictures_;
};

/// Takes photos out that the gallery holds already, so that a run that is repeated goes on.
void drop_held(std::vector<LabelledPhoto>& photos, const Enroller& enroller, EnrolLog& log,
               RunContext& run) {
  if (enroller.empty()) return;
  std::vector<LabelledPhoto> left;
  for (std::size_t i = 0; i < photos.size(); ++i) {
    run.progress("comparing with what is enrolled", i, photos.size());
    bool held = false;
    try {
      held = enroller.holds(photos[i].label, photo_digest(photos[i].file));
    } catch (const Error&) {  // its reason comes when it is decoded
    }
    if (held) {
      log.held(photos[i].label);
    } else {
      left.push_back(std::move(photos[i]));
    }
  }
  photos = std::move(left);
}

/// One photo: its face goes to the gallery, or its reason on the list.
void enrol_photo(const EnrolVerbOptions& o, Enroller& enroller, const LabelledPhoto& photo,
                 const Analysis& analysis, EnrolLog& log) {
  const ChosenFace chosen = choose_face(analysis, o.several, o.min_quality);
  if (chosen.face == nullptr) {
    log.refuse(photo, chosen.problem);
    log.draw(analysis, chosen.problem);
    return;
  }
  const std::string digest = photo_digest(photo.file);
  if (enroller.holds(photo.label, digest)) {
    log.held(photo.label);
    return;
  }
  gallery::Template t;
  t.label = photo.label;
  t.origin = fs::absolute(photo.file).lexically_normal().string();
  enroller.add(std::move(t), *chosen.face, digest);
  log.enrolled(photo.label);
  if (!chosen.remark.empty()) log.remark(photo.file, chosen.remark);
}

void finish(Report& report, const EnrolVerbOptions& o, const FacePipeline& pipeline,
            Enroller& enroller, EnrolLog& log, const FileCounts& counts) {
  report.scalar("gallery", o.place.gallery);
  report.scalar("created", enroller.made(), "made now");
  report.scalar("model", pipeline.embedder().card().name, "embedder");
  report.scalar("model_hash", pipeline.model_hash(), "model hash");
  add_counts(report, counts);
  const auto& totals = enroller.totals();
  report.scalar("enrolled", totals.enrolled, "templates enrolled");
  report.scalar("already_enrolled", log.held_count(), "photos held already");
  report.scalar("dropped", totals.dropped, "templates given up",
                "subjects keep --max-templates, those farthest from each other");
  for (const auto& [file, reason] : enroller.refused()) log.refuse({file, ""}, reason);
  log.add_to(report);
  if (log.refused_count() > 0) {
    report.warning(fmt::format("{} photos were not enrolled: they are listed with the reasons",
                               log.refused_count()));
  }
  if (enroller.gallery() == nullptr) {
    report.scalar("calibration", nullptr, "calibrated on");
    report.verdict("nothing was enrolled, and no gallery was made");
    return;
  }
  const gallery::GalleryInfo info = enroller.gallery()->info();
  const auto calibration = enroller.gallery()->calibration();
  report.scalar("templates", info.templates, "templates in the gallery");
  report.scalar("enrolled_subjects", info.subjects, "subjects in the gallery");
  report.scalar("calibration", calibration ? Value(calibration->set) : Value(), "calibrated on");
  if (!calibration) {
    report.warning(
        "the gallery has no calibration and the card carries none: `face identify` gives scores, "
        "no decisions, until `sosia gallery calibrate " +
        o.place.gallery + "` was run");
  }
  report.verdict(fmt::format(
      "{} photos enrolled{}; the gallery holds {} templates of {} subjects", totals.enrolled,
      log.held_count() == 0 ? std::string()
                            : fmt::format(", {} were held already", log.held_count()),
      info.templates, info.subjects));
}

Report enrol(const EnrolVerbOptions& o, RunContext& run) {
  Report report("face.enrol", "photos enrolled");
  PhotoList list = collect_photos(o);
  const FacePipeline pipeline = open_pipeline(o.faces, {.files = list.photos.size()}, report, run);
  Enroller enroller(o.place, o.make, pipeline, "face enrol", run);
  EnrolLog log(html_wanted(run));
  for (const LabelledPhoto& photo : list.photos) log.photo(photo.label);
  drop_held(list.photos, enroller, log, run);
  FileList files{.files = {}, .skipped = std::move(list.skipped)};
  for (const LabelledPhoto& photo : list.photos) files.files.push_back(photo.file);
  FileCounts counts;
  try {
    if (!files.files.empty()) {
      counts = stream_files(
          pipeline, files,
          [&](Analysis&& analysis) {
            const LabelledPhoto& photo = list.photos[analysis.index];
            if (!analysis.error) enrol_photo(o, enroller, photo, analysis, log);
          },
          run);
    } else {
      counts.bad = files.skipped;
      counts.files = files.skipped.size();
    }
  } catch (...) {
    enroller.flush();  // what was worked out is kept, whatever ended the run
    throw;
  }
  enroller.flush();
  finish(report, o, pipeline, enroller, log, counts);
  return report;
}

Report plan(const EnrolVerbOptions& o, RunContext& run) {
  run.check_cancelled();
  Report report("face.enrol.plan", "what enrol would do");
  const PhotoList list = collect_photos(o);
  std::set<std::string> labels;
  for (const LabelledPhoto& photo : list.photos) labels.insert(photo.label);
  bool there = true;
  const gallery::Secret secret = secret_of(o.place);
  try {
    (void)gallery::open_place(o.place, gallery::Access::read, "face enrol");
  } catch (const Error& error) {
    if (error.code() != ErrorCode::not_found) throw;
    there = false;
  }
  report.scalar("photos", list.photos.size());
  report.scalar("subjects", labels.size());
  report.scalar("skipped", list.skipped.size(), "files passed over");
  report.scalar("gallery", o.place.gallery, "gallery", there ? "is there" : "would be made");
  report.verdict(fmt::format("would look for faces in {} photos of {} subjects", list.photos.size(),
                             labels.size()));
  return report;
}

}  // namespace

Verb enrol_verb() {
  return make_verb<EnrolVerbOptions>(
      {.noun = "face",
       .name = "enrol",
       .summary = "put photos of known subjects into a gallery",
       .details =
           "DIR/<subject>/.../<photo> is the layout; --label names the subject of other inputs. "
           "One face of each photo becomes a template: its vector, quality, the path of the photo "
           "and the place of the face in it, never the picture. Photos without a face, with "
           "several of which none is by far the largest, and of a quality below --min-quality are "
           "listed with the reason.\n\n"
           "A gallery that does not exist is made with the hash of the models and the calibration "
           "of the embedder's card. Templates are written in batches: what an interrupted run has "
           "done is kept, and the same command goes on where it ended, because a photo is known by "
           "its content. A template that was given up for others of its subject is not remembered "
           "and competes again.\n\n"
           "Faces are personal data: enrol people who agreed to it, or where the law allows it.",
       .examples = {{"sosia face enrol photos --gallery new.sosia", "a folder per subject"},
                    {"sosia face enrol photos/group.png --label Ada --several largest "
                     "--gallery people.sosia",
                     "one subject, the largest face"}}},
      enrol, plan);
}

}  // namespace sosia::face

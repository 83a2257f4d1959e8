// `sosia face detect`: where are faces?

#include "face/picture_parts.hpp"
#include "face/verb_parts.hpp"
#include "face/verbs.hpp"
#include "sosia/core/error.hpp"
#include "sosia/face/aligner.hpp"
#include "sosia/face/quality.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

namespace sosia::face {
namespace {

constexpr std::size_t kChipsOfAPhoto = 24;

struct DetectVerbOptions {
  std::vector<std::string> inputs;
  FaceOptions faces;
  std::int64_t pictures = 50;
};

void describe(Fields& f, DetectVerbOptions& o) {
  describe_inputs(f, o.inputs);
  describe_detector(f, o.faces);
  f({.name = "pictures",
     .help = "most photos that the page of --html shows",
     .min = 0,
     .max = 10'000},
    o.pictures);
}

Value face_value(const DescribedFace& face) {
  const Pose pose = estimate_pose(face.landmarks);
  const Landmarks& p = face.landmarks;
  return Value::object(
      {{"box", to_value(face.box)},
       {"score", rounded(face.score, 4)},
       {"landmarks", to_value(p)},
       {"eye_distance_px", rounded(std::hypot(p[1].x_px - p[0].x_px, p[1].y_px - p[0].y_px), 2)},
       {"yaw_deg", rounded(pose.yaw_deg, 1)},
       {"pitch_deg", rounded(pose.pitch_deg, 1)},
       {"roll_deg", rounded(pose.roll_deg, 1)}});
}

Value file_value(const Analysis& analysis) {
  Value faces = Value::list();
  for (const DescribedFace& face : analysis.faces) faces.push(face_value(face));
  if (analysis.error) {
    return Value::object({{"file", analysis.file.string()},
                          {"faces", std::move(faces)},
                          {"error", analysis.error->message()}});
  }
  return Value::object({{"file", analysis.file.string()},
                        {"width_px", analysis.extent.width_px},
                        {"height_px", analysis.extent.height_px},
                        {"min_face_px", rounded(analysis.min_face_px, 1)},
                        {"faces", std::move(faces)},
                        {"error", nullptr}});
}

std::vector<FaceMark> marks_of(const Analysis& analysis) {
  std::vector<FaceMark> marks;
  for (const DescribedFace& face : analysis.faces) {
    marks.push_back({.box = face.box,
                     .landmarks = face.landmarks,
                     .text = fmt::format("{}: {:.2f}", marks.size() + 1, face.score)});
  }
  return marks;
}

/// A photo with its faces marked, and the faces cut out as recognisers see them.
PictureRow photo_row(const Analysis& analysis, const FaceAligner& aligner, std::size_t number) {
  PictureRow row{.key = fmt::format("photo_{}", number), .title = analysis.file.string()};
  const std::vector<FaceMark> marks = marks_of(analysis);
  row.pictures.push_back(page_picture(
      marked_photo(analysis.file, analysis.extent, marks),
      fmt::format("{} x {} px, {} face{}", analysis.extent.width_px, analysis.extent.height_px,
                  analysis.faces.size(), analysis.faces.size() == 1 ? "" : "s")));
  if (analysis.faces.empty()) return row;
  const image::Image photo = image::decode_file(analysis.file).image;
  for (std::size_t i = 0; i < std::min(kChipsOfAPhoto, analysis.faces.size()); ++i) {
    row.pictures.push_back(
        page_picture(aligner.align(photo, analysis.faces[i]).picture, fmt::format("{}", i + 1)));
  }
  return row;
}

/// Collects what the report shows, file by file.
class DetectReport {
 public:
  DetectReport(const DetectVerbOptions& options, bool draw)
      : most_pictures_(draw ? static_cast<std::size_t>(options.pictures) : 0),
        aligner_(make_aligner(
            {.shape = {1, 3, 112, 112}, .alignment = models::Alignment::arcface_112})) {}

  void add(const Analysis& analysis) {
    results_.push(file_value(analysis));
    for (std::size_t i = 0; i < analysis.faces.size() && rows_.size() < kTableRows; ++i) {
      const DescribedFace& face = analysis.faces[i];
      const Pose pose = estimate_pose(face.landmarks);
      rows_.push_back({analysis.file.string(), rounded(face.box.x_px, 1), rounded(face.box.y_px, 1),
                       rounded(face.box.width_px, 1), rounded(face.box.height_px, 1),
                       rounded(face.score, 4), rounded(pose.yaw_deg, 1)});
    }
    if (analysis.error || pictures_.size() >= most_pictures_) return;
    pictures_.push_back(photo_row(analysis, *aligner_, pictures_.size()));
  }

  void finish(Report& report, const FileList& list, const FileCounts& counts) {
    Table& table = report.table("found", "Faces",
                                {{"file", "", ""},
                                 {"x", "", "px"},
                                 {"y", "", "px"},
                                 {"width", "", "px"},
                                 {"height", "", "px"},
                                 {"score", "", ""},
                                 {"yaw", "", "deg"}});
    table.rows = std::move(rows_);
    if (table.rows.size() < counts.faces) {
      report.text(fmt::format("The table shows the first {} of {} faces; --json has all.",
                              table.rows.size(), counts.faces));
    }
    for (PictureRow& row : pictures_) report.pictures(std::move(row));
    for (const SkippedFile& file : list.skipped) {
      results_.push(Value::object(
          {{"file", file.path.string()}, {"faces", Value::list()}, {"error", file.reason}}));
    }
    report.data("results", std::move(results_));
  }

 private:
  std::size_t most_pictures_;
  std::unique_ptr<FaceAligner> aligner_;
  Value results_ = Value::list();
  std::vector<std::vector<Value>> rows_;
  std::vector<PictureRow> pictures_;
};

Report detect(const DetectVerbOptions& o, RunContext& run) {
  Report report("face.detect", "faces in pictures");
  const FileList list = collect_inputs(o.inputs);
  const FacePipeline pipeline =
      open_pipeline(o.faces, {.files = list.files.size(), .embed = false}, report, run);
  DetectReport found(o, html_wanted(run));
  const FileCounts counts =
      stream_files(pipeline, list, [&](Analysis&& analysis) { found.add(analysis); }, run);
  report.scalar("detector", o.faces.detector, "detector");
  add_counts(report, counts);
  found.finish(report, list, counts);
  report.verdict(fmt::format(
      "{} faces in {} pictures{}", counts.faces, counts.read,
      counts.without_face == 0 ? "" : fmt::format(", none in {} of them", counts.without_face)));
  return report;
}

}  // namespace

Verb detect_verb() {
  return make_verb<DetectVerbOptions>(
      {.noun = "face",
       .name = "detect",
       .summary = "find faces: boxes, five points, pose",
       .details =
           "Folders are searched with all folders below; what is no picture is listed with its "
           "reason and the rest goes on. Pictures are turned upright as their EXIF entry says; "
           "boxes ([x, y, width, height]) and points (left eye, right eye, nose, left and right "
           "corner of the mouth, left as seen) are in pixels of the upright picture. Scores of "
           "different detectors are not alike. The pose is estimated from the five points.\n\n"
           "With --html the page shows the photos with their faces marked and cut out.",
       .examples = {{"sosia face detect photos", "all pictures of a folder"},
                    {"sosia face detect photos/group.png --html faces.html --json",
                     "for scripts, and as a page with the faces marked"}}},
      detect);
}

}  // namespace sosia::face

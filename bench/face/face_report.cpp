// Figures of detectors and embedders on the shared data, and calibration records.
//
//   face_report detect DETECTOR [MIN_FACE_PX [MIN_SCORE]]
//       found and false faces, milliseconds of the processor
//   face_report show DETECTOR FILE [OUT [MIN_FACE_PX [MIN_SCORE]]]
//       boxes, printed and drawn
//   face_report embed EMBEDDER [DETECTOR]                   ORL and johns: rank-1, AUC, TAR
//   face_report calibrate EMBEDDER DIR OUT                  folder per subject -> record (JSON)

#include "face/support.hpp"
#include "sosia/core/value.hpp"

#include <cstdio>
#include <ctime>
#include <string>
#include <vector>

#include <fmt/format.h>

namespace sosia::face::testing {
namespace {

/// Processor time of this process: others on the machine do not count.
double now_ms() {
  return 1000.0 * static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

std::filesystem::path need(const std::string& name) {
  const auto path = shared_data(name);
  if (!path) throw Error(ErrorCode::not_found, "the shared data hold no " + name);
  return *path;
}

void report_detect(const std::vector<std::string>& args) {
  const models::ModelStore store = test_store();
  DetectOptions options;
  if (args.size() > 1) options.min_face_px = std::stod(args[1]);
  if (args.size() > 2) options.min_score = std::stod(args[2]);
  const auto detector = open_detector(store, args.at(0), {.threads = 1});
  int found = 0, several = 0;
  double spent = 0;
  for (const auto& subject : formats::list_subjects(need("faces-orl")).subjects) {
    for (const std::string& name : subject.images) {
      const image::Image picture = image::decode_file(name).image;
      const double start = now_ms();
      const auto faces = detector->detect(picture, options);
      spent += now_ms() - start;
      found += !faces.empty();
      several += faces.size() > 1;
    }
  }
  fmt::print("{}: ORL {}/400 found, {} with several, {:.1f} ms a photo\n", args[0], found, several,
             spent / 400);
  DetectionCount all;
  int of_any_size = 0, boxes = 0;
  spent = 0;
  double pixels = 0;
  for (const AnnotatedPhoto& photo : read_dlib_boxes(need("faces-dlib/faces"))) {
    const image::Image picture = image::decode_file(photo.file).image;
    (void)detector->detect(picture, options);
    const double start = now_ms();
    const auto faces = detector->detect(picture, options);
    spent += now_ms() - start;
    pixels += double{1} * picture.width_px() * picture.height_px();
    const DetectionCount c = count_detections(faces, photo.boxes, 32);
    const DetectionCount any = count_detections(faces, photo.boxes, 0);
    all.annotated += c.annotated, all.found += c.found, all.false_ones += c.false_ones;
    of_any_size += any.found, boxes += any.annotated;
    if (c.found < c.annotated || c.false_ones > 0) {
      fmt::print("  {} {}x{}: {}/{} found, {} false:", photo.file.filename().string(),
                 picture.width_px(), picture.height_px(), c.found, c.annotated, c.false_ones);
      for (const auto& f : faces) {
        fmt::print(" [{:.0f},{:.0f} {:.0f}x{:.0f} {:.3f}]", f.box.x_px, f.box.y_px, f.box.width_px,
                   f.box.height_px, f.score);
      }
      fmt::print("\n");
    }
  }
  fmt::print(
      "{}: groups {}/{} of 32 px or more, {}/{} of any size, {} false, {:.1f} ms a megapixel\n",
      args[0], all.found, all.annotated, of_any_size, boxes, all.false_ones,
      spent / (pixels / 1e6));
}

void report_embed(const std::vector<std::string>& args) {
  const models::ModelStore store = test_store();
  PipelineOptions options;
  options.embedder = args.at(0);
  if (args.size() > 1) options.detector = args[1];
  options.keep_chips = false;
  const FacePipeline pipeline(store, options);
  for (const char* set : {"faces-orl", "faces-dlib/johns"}) {
    const double start = now_ms();
    const FolderFaces f = embed_folders(pipeline, need(set));
    const double spent = now_ms() - start;
    const FolderScores s = score_all(f.faces);
    const evaluate::Roc roc(s.scores);
    const evaluate::OperatingPoint at = roc.at_far(1e-3, evaluate::AtRule::not_above);
    fmt::print(
        "{} with {} on {}: {}/{} found, rank-1 {:.4f}, AUC {:.5f}, EER {:.4f}, TAR@1e-3 {:.4f} "
        "(at {:.4f}), {:.1f} photos/s\n",
        options.embedder, options.detector, set, f.photos - f.missed.size(), f.photos, s.rank1,
        roc.auc(), roc.eer().rate, at.tar, at.threshold,
        1000.0 * static_cast<double>(f.photos) / spent);
  }
}

void report_calibrate(const std::vector<std::string>& args) {
  const models::ModelStore store = test_store();
  PipelineOptions options;
  options.embedder = args.at(0);
  options.keep_chips = false;
  const FacePipeline pipeline(store, options);
  const FolderFaces f = embed_folders(pipeline, args.at(1));
  const gallery::Calibration calibration = calibrate_faces(
      f.faces,
      fmt::format("{}, {} photos, faces by {}",
                  std::filesystem::path(args[1]).lexically_normal().filename().string(),
                  f.faces.subjects.size(), options.detector),
      pipeline.model_hash());
  AtomicFile out(args.at(2), Overwrite::replace);
  out.write(to_json(gallery::to_value(calibration)) + "\n");
  out.commit();
  fmt::print("{} genuine, {} impostor scores of {} subjects; P(same) is 1/2 at {:.4f}\n",
             calibration.genuine, calibration.impostor, calibration.subjects,
             -calibration.b / calibration.a);
}

void report_show(const std::vector<std::string>& args) {
  const models::ModelStore store = test_store();
  DetectOptions options;
  if (args.size() > 3) options.min_face_px = std::stod(args[3]);
  if (args.size() > 4) options.min_score = std::stod(args[4]);
  image::Image picture = image::decode_file(args.at(1)).image;
  const auto detector = open_detector(store, args[0], {.threads = 1});
  double start = now_ms();
  std::vector<Detection> faces = detector->detect(picture, options);
  const double first = now_ms() - start;
  start = now_ms();
  for (int i = 0; i < 5; ++i) faces = detector->detect(picture, options);
  fmt::print("{} {}x{}: {} faces, {:.0f} ms at first, then {:.0f}\n", args[1], picture.width_px(),
             picture.height_px(), faces.size(), first, (now_ms() - start) / 5);
  for (const Detection& f : faces) {
    image::draw_box(picture.mutable_view(), f.box, {0, 255, 0, 255});
    image::draw_points(picture.mutable_view(), f.landmarks, {255, 0, 0, 255}, 1);
    fmt::print("  [{:.1f},{:.1f} {:.1f}x{:.1f} {:.3f}]\n", f.box.x_px, f.box.y_px, f.box.width_px,
               f.box.height_px, f.score);
  }
  if (args.size() > 2) image::save(args[2], picture, {}, Overwrite::replace);
}

int run(const std::vector<std::string>& args) {
  const std::vector<std::string> rest(args.begin() + (args.empty() ? 0 : 1), args.end());
  if (!rest.empty() && args[0] == "detect") return report_detect(rest), 0;
  if (rest.size() >= 2 && args[0] == "show") return report_show(rest), 0;
  if (!rest.empty() && args[0] == "embed") return report_embed(rest), 0;
  if (rest.size() == 3 && args[0] == "calibrate") return report_calibrate(rest), 0;
  fmt::print(stderr, "face_report detect|embed|calibrate ...; see the source\n");
  return 2;
}

}  // namespace
}  // namespace sosia::face::testing

int main(int argc, char** argv) {
  try {
    return sosia::face::testing::run({argv + 1, argv + argc});
  } catch (const std::exception& e) {
    fmt::print(stderr, "{}\n", e.what());
    return 1;
  }
}

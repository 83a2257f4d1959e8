// Figures of detectors and embedders on the shared data, and calibration records.
//
//   face_report detect DETECTOR [MIN_FACE_PX [MIN_SCORE]]
//       found and false faces, milliseconds of the processor
//   face_report show DETECTOR FILE [OUT [MIN_FACE_PX [MIN_SCORE]]]
//       boxes, printed and drawn
//   face_report embed EMBEDDER [DETECTOR [MIN_FACE_PX]]     ORL and johns: rank-1, AUC, TAR
//   face_report calibrate EMBEDDER DIR OUT [SET]
//       folder per subject -> record of a card, with the set's name
//   face_report judge EMBEDDER DIR
//       what the card's record promises, and what happens on the folder's pairs
//   face_report drift EMBEDDER DIR                          precision fast against exact
//   face_report halves EMBEDDER DIR
//       calibration fitted on half of the subjects, judged on the others: rates promised and met

#include "face/support.hpp"
#include "sosia/core/rng.hpp"
#include "sosia/core/value.hpp"

#include <cstdio>
#include <ctime>
#include <map>
#include <numeric>
#include <set>
#include <span>
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
  if (args.size() > 2) options.detect.min_face_px = std::stod(args[2]);
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

std::size_t subject_count(const LabelledFaces& f) {
  return std::set(f.subjects.begin(), f.subjects.end()).size();
}

/// JSON on one line as lines of about 100 characters.
std::string wrapped(const std::string& json) {
  std::string out;
  std::size_t column = 0;
  for (const char c : json) {
    out += c;
    if (++column > 90 && c == ',') out += '\n', column = 0;
  }
  return out;
}

void report_calibrate(const std::vector<std::string>& args) {
  const models::ModelStore store = test_store();
  PipelineOptions options;
  options.embedder = args.at(0);
  options.keep_chips = false;
  const FacePipeline pipeline(store, options);
  const FolderFaces f = embed_folders(pipeline, args.at(1));
  const gallery::Calibration calibration = calibrate_card(
      f.faces,
      fmt::format("{}, {} photos of {} subjects, faces by {}",
                  args.size() > 3
                      ? args[3]
                      : std::filesystem::path(args[1]).lexically_normal().filename().string(),
                  f.faces.subjects.size(), subject_count(f.faces), options.detector),
      pipeline.model_hash());
  AtomicFile out(args.at(2), Overwrite::replace);
  out.write(wrapped(to_json(gallery::to_value(calibration), -1)) + "\n");
  out.commit();
  fmt::print("{} genuine, {} impostor scores of {} subjects; P(same) is 1/2 at {:.4f}\n",
             calibration.genuine, calibration.impostor, calibration.subjects,
             -calibration.b / calibration.a);
}

/// The faces of some subjects, numbered anew.
LabelledFaces part_of(const LabelledFaces& f, const std::vector<std::uint32_t>& subjects) {
  LabelledFaces out;
  out.dimension = f.dimension;
  for (std::size_t i = 0; i < f.subjects.size(); ++i) {
    const auto at = std::find(subjects.begin(), subjects.end(), f.subjects[i]);
    if (at == subjects.end()) continue;
    const auto row = std::span(f.vectors).subspan(i * f.dimension, f.dimension);
    out.vectors.insert(out.vectors.end(), row.begin(), row.end());
    out.subjects.push_back(static_cast<std::uint32_t>(at - subjects.begin()));
  }
  return out;
}

double share_from(const std::vector<double>& scores, double threshold) {
  return static_cast<double>(std::count_if(scores.begin(), scores.end(),
                                           [&](double s) { return s >= threshold; })) /
         static_cast<double>(scores.size());
}

/// Share of probes that find another subject among all others, of whom each has `enrolled` photos.
double realised_fpir(const LabelledFaces& f, double threshold, std::size_t enrolled) {
  std::vector<std::size_t> number(f.subjects.size());
  std::map<std::uint32_t, std::size_t> seen;
  for (std::size_t i = 0; i < number.size(); ++i) number[i] = seen[f.subjects[i]]++;
  std::size_t probes = 0, wrong = 0;
  for (std::size_t p = 0; p < number.size(); ++p) {
    if (number[p] < enrolled) continue;
    ++probes;
    for (std::size_t t = 0; t < number.size(); ++t) {
      if (number[t] >= enrolled || f.subjects[t] == f.subjects[p]) continue;
      if (cosine(f, p, t) >= threshold) {
        ++wrong;
        break;
      }
    }
  }
  return static_cast<double>(wrong) / static_cast<double>(probes);
}

void report_drift(const std::vector<std::string>& args) {
  const models::ModelStore store = test_store();
  PipelineOptions options;
  options.embedder = args.at(0);
  options.keep_chips = false;
  const FacePipeline exact(store, options);
  options.precision = models::Precision::fast;
  const FacePipeline fast(store, options);
  double start = now_ms();
  const LabelledFaces a = embed_folders(exact, args.at(1)).faces;
  const double exact_ms = now_ms() - start;
  start = now_ms();
  const LabelledFaces b = embed_folders(fast, args.at(1)).faces;
  const double fast_ms = now_ms() - start;
  if (a.subjects != b.subjects) fmt::print("not the same faces are found\n");
  double least = 1, sum = 0, most_moved = 0;
  for (std::size_t i = 0; i < a.subjects.size(); ++i) {
    double same = 0;
    for (std::size_t k = 0; k < a.dimension; ++k) {
      same += double{a.vectors[i * a.dimension + k]} * b.vectors[i * a.dimension + k];
    }
    least = std::min(least, same);
    sum += same;
    for (std::size_t j = 0; j < i; ++j) {
      most_moved = std::max(most_moved, std::abs(cosine(a, i, j) - cosine(b, i, j)));
    }
  }
  const FolderScores scores = score_all(b);
  fmt::print(
      "fast against exact: cosine of a face with itself {:.5f} or more, {:.5f} on average; scores "
      "of "
      "pairs move by {:.4f} at most; TAR@1e-3 {:.4f}; {:.2f} times the speed\n",
      least, sum / static_cast<double>(a.subjects.size()), most_moved,
      evaluate::Roc(scores.scores).at_far(1e-3, evaluate::AtRule::not_above).tar,
      exact_ms / fast_ms);
}

void report_judge(const std::vector<std::string>& args) {
  const models::ModelStore store = test_store();
  PipelineOptions options;
  options.embedder = args.at(0);
  options.keep_chips = false;
  const FacePipeline pipeline(store, options);
  const auto card = card_calibration(pipeline);
  if (!card) throw Error(ErrorCode::not_found, "the card has no calibration");
  const gallery::Calibration& c = card->calibration;
  const FolderScores all = score_all(embed_folders(pipeline, args.at(1)).faces);
  const auto& [genuine, impostor] = all.scores;
  fmt::print("{} {}: {} genuine, {} impostor pairs\n", c.set, card->warning, genuine.size(),
             impostor.size());
  for (const double wanted : {0.0001, 0.001, 0.01, 0.05}) {
    const gallery::OperatingPolicy policy = gallery::make_policy(c, wanted, 1);
    fmt::print(
        "promised {}: at {:.4f} FMR {:.5f}, FNMR {:.4f} (on its own set {:.5f} and {:.4f})\n",
        wanted, policy.threshold, share_from(impostor, policy.threshold),
        1 - share_from(genuine, policy.threshold), policy.observed_fmr, policy.fnmr);
  }
  // Brier and log loss at equal priors: both classes weigh the same.
  const auto losses = [&](const std::vector<double>& scores, bool same) {
    double brier = 0, log_loss = 0;
    for (const double score : scores) {
      const double right = same ? c.probability(score) : 1 - c.probability(score);
      brier += (1 - right) * (1 - right);
      log_loss -= std::log(std::max(right, 1e-15));
    }
    const auto n = static_cast<double>(scores.size());
    return std::pair{brier / n, log_loss / n};
  };
  const auto [brier_same, log_same] = losses(genuine, true);
  const auto [brier_other, log_other] = losses(impostor, false);
  fmt::print("probabilities at equal priors: Brier {:.4f}, log loss {:.4f} (0.6931 says nothing)\n",
             (brier_same + brier_other) / 2, (log_same + log_other) / 2);
}

void report_halves(const std::vector<std::string>& args) {
  const models::ModelStore store = test_store();
  PipelineOptions options;
  options.embedder = args.at(0);
  options.keep_chips = false;
  const FacePipeline pipeline(store, options);
  const FolderFaces all = embed_folders(pipeline, args.at(1));
  std::vector<std::uint32_t> order(subject_count(all.faces));
  std::iota(order.begin(), order.end(), 0U);
  constexpr int kSplits = 20;
  constexpr std::size_t kTemplates = 5;
  for (const double wanted : {0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1}) {
    double fmr = 0, most = 0, fnmr = 0, promised = 0, fpir = 0, fpir_most = 0;
    int above = 0;
    for (int split = 0; split < kSplits; ++split) {
      RandomStream random(0, "halves", static_cast<std::uint64_t>(split));
      std::vector<std::uint32_t> shuffled = order;
      random.shuffle(std::span(shuffled));
      const auto middle = shuffled.begin() + static_cast<std::ptrdiff_t>(shuffled.size() / 2);
      const LabelledFaces test = part_of(all.faces, {middle, shuffled.end()});
      const gallery::Calibration c =
          calibrate_card(part_of(all.faces, {shuffled.begin(), middle}), "half", "");
      const gallery::OperatingPolicy one = gallery::make_policy(c, wanted, 1);
      const FolderScores scores = score_all(test);
      const double rate = share_from(scores.scores.impostor, one.threshold);
      fmr += rate, most = std::max(most, rate), above += rate > wanted;
      fnmr += 1 - share_from(scores.scores.genuine, one.threshold);
      promised += one.observed_fmr;
      const auto templates = (subject_count(test) - 1) * kTemplates;
      try {
        const double among =
            realised_fpir(test, gallery::make_policy(c, wanted, templates).threshold, kTemplates);
        fpir += among, fpir_most = std::max(fpir_most, among);
      } catch (const Error&) {
        fpir = std::nan("");
      }
    }
    fmt::print(
        "promised {}: FMR {:.5f} (on the half that fitted {:.5f}), at most {:.5f}, above the "
        "promise in {} of {}, FNMR {:.4f}; FPIR among {} templates {:.4f}, at most {:.4f}\n",
        wanted, fmr / kSplits, promised / kSplits, most, above, kSplits, fnmr / kSplits,
        (order.size() / 2 - 1) * kTemplates, fpir / kSplits, fpir_most);
  }
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
  if (rest.size() >= 3 && args[0] == "calibrate") return report_calibrate(rest), 0;
  if (rest.size() == 2 && args[0] == "drift") return report_drift(rest), 0;
  if (rest.size() == 2 && args[0] == "judge") return report_judge(rest), 0;
  if (rest.size() == 2 && args[0] == "halves") return report_halves(rest), 0;
  fmt::print(stderr,
             "face_report detect|show|embed|calibrate|judge|halves|drift ...; see the source\n");
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

// `sosia face verify`: is it the same person in two photos?

#include "face/dot.hpp"
#include "face/picture_parts.hpp"
#include "face/verb_parts.hpp"
#include "face/verbs.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/files.hpp"
#include "sosia/face/calibration.hpp"
#include "sosia/face/evaluation.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace sosia::face {
namespace {

/// The rate of false matches that is asked for when the user names none.
constexpr double kDefaultFmr = 0.001;

/// Which faces of photos with several are compared.
enum class FaceChoice { main, best };

struct VerifyVerbOptions {
  std::string a, b;
  FaceOptions faces;
  FaceChoice face = FaceChoice::main;
  std::string calibration;
  std::optional<double> threshold, max_fmr;
  bool require_same = false;
};

void describe(Fields& f, VerifyVerbOptions& o) {
  f({.name = "a",
     .help = "a photo",
     .role = FieldRole::input_file,
     .positional = true,
     .required = true},
    o.a);
  f({.name = "b",
     .help = "another photo",
     .role = FieldRole::input_file,
     .positional = true,
     .required = true},
    o.b);
  f.choice({.name = "face",
            .help = "which faces of photos with several are compared: the large and central one of "
                    "each, or the two that are most alike (the threshold then allows for every "
                    "pair of faces)"},
           o.face, {{"main", FaceChoice::main}, {"best", FaceChoice::best}});
  f({.name = "calibration",
     .help = "what scores mean, as face evaluate --calibration-out writes it (default: the card's)",
     .role = FieldRole::input_file},
    o.calibration);
  f({.name = "max_fmr",
     .help = "false match rate that sets the threshold (default: 0.001, or what the calibration "
             "supports)",
     .above = 0,
     .below = 1},
    o.max_fmr);
  f({.name = "threshold",
     .help = "the same from this score on, instead of the calibration's threshold",
     .min = -1,
     .max = 1},
    o.threshold);
  f({.name = "require_same", .help = "fail unless the faces are of one person", .group = "gates"},
    o.require_same);
  describe_faces(f, o.faces);
  f.require(!o.threshold || !o.max_fmr, "threshold and max_fmr exclude each other");
}

/// A photo and the face in it that is compared.
struct Side {
  std::string file;
  Analysis photo;
  std::optional<std::size_t> face;  ///< in `photo.faces`; nothing: none that can be compared

  const DescribedFace& compared() const { return photo.faces[*face]; }
};

Side look_at(const FacePipeline& pipeline, const std::string& file, RunContext& run) {
  run.check_cancelled();
  run.note_input(file);
  Side side{file, pipeline.analyse_file(file), std::nullopt};
  side.face = main_face(side.photo);
  // A face that could not be aligned has no vector worth comparing.
  if (side.face && side.compared().degenerate) side.face.reset();
  return side;
}

double score_of(const Side& a, const Side& b) {
  return dot(a.compared().embedding, b.compared().embedding);
}

/// The two faces that are most alike; how many pairs there were.
std::uint64_t choose_best(Side& a, Side& b) {
  std::uint64_t pairs = 0;
  std::optional<double> best;
  for (std::size_t i = 0; i < a.photo.faces.size(); ++i) {
    for (std::size_t k = 0; k < b.photo.faces.size(); ++k) {
      const DescribedFace &x = a.photo.faces[i], &y = b.photo.faces[k];
      if (x.degenerate || y.degenerate) continue;
      ++pairs;
      const double score = dot(x.embedding, y.embedding);
      if (best && score <= *best) continue;
      best = score;
      a.face = i, b.face = k;
    }
  }
  return std::max<std::uint64_t>(pairs, 1);
}

std::optional<gallery::Calibration> find_calibration(const VerifyVerbOptions& o,
                                                     const FacePipeline& pipeline, Report& report,
                                                     RunContext& run) {
  if (o.calibration.empty()) {
    std::optional<CardCalibration> card = card_calibration(pipeline);
    if (!card) return std::nullopt;
    if (!card->warning.empty()) report.warning(card->warning);
    return std::move(card->calibration);
  }
  run.note_input(o.calibration);
  gallery::Calibration c;
  try {
    constexpr std::uint64_t kMostBytes = std::uint64_t{64} << 20;
    c = gallery::calibration_from_value(
        parse_json(read_text(o.calibration, kMostBytes), o.calibration));
  } catch (Error& error) {
    if (error.context().starts_with(o.calibration)) throw;
    throw error.add_context(o.calibration);
  }
  if (!c.model.empty() && c.model != pipeline.model_hash()) {
    throw Error(ErrorCode::invalid_argument,
                "the calibration belongs to another model, detector or precision than these",
                "make one with these by face evaluate --calibration-out, or name the parts that it "
                "was made with (--model, --detector, --precision)",
                o.calibration);
  }
  return c;
}

/// P(same) of the best of `pairs` comparisons, when beforehand it is as likely as not that one of
/// them is genuine: each of them then is by 1 / pairs of that.
double probability_of(const gallery::Calibration& c, double score, std::uint64_t pairs) {
  const double p = c.probability(score), others = static_cast<double>(pairs);
  return p / (p + (1 - p) * others);
}

/// The score from which on faces count as the same, and where it comes from.
struct Bound {
  double threshold = 0;
  std::string set = {};
  std::optional<gallery::OperatingPolicy> policy = {};
};

std::optional<Bound> find_bound(const VerifyVerbOptions& o,
                                const std::optional<gallery::Calibration>& c, std::uint64_t pairs,
                                Report& report) {
  if (o.threshold) return Bound{*o.threshold, "given by --threshold", {}};
  if (!c) return std::nullopt;
  // Of several pairs the best one is taken: as a search among so many subjects.
  const double least = gallery::smallest_fpir(*c, pairs);
  double rate = o.max_fmr.value_or(kDefaultFmr);
  if (!o.max_fmr && least > rate) {
    if (least >= 1) {
      report.warning("the calibration from " + c->set + " is too small for any threshold");
      return std::nullopt;
    }
    report.warning(
        fmt::format("the calibration from {} supports no false match rate below {:.4g}; "
                    "the threshold is for that one",
                    c->set, least));
    rate = least;
  }
  gallery::OperatingPolicy policy = gallery::make_policy(*c, rate, pairs);
  for (const std::string& warning : policy.warnings) report.warning(warning);
  return Bound{policy.threshold, c->set.empty() ? "not named" : c->set, std::move(policy)};
}

Value side_value(const Side& side) {
  Value out = Value::object({{"file", side.file}, {"faces", side.photo.faces.size()}});
  if (!side.face) {
    out.set("box", nullptr);
    return out;
  }
  const DescribedFace& face = side.compared();
  out.set("box", to_value(face.box));
  out.set("detection_score", rounded(face.score, 4));
  out.set("quality", rounded(face.quality.value, 4));
  return out;
}

std::string faceless(const Side& side) {
  return (side.photo.faces.empty() ? "no face was found in "
                                   : "the face could not be aligned in ") +
         side.file;
}

void add_pictures(Report& report, const Side& a, const Side& b, bool same_known, bool same) {
  const image::Colour frame = !same_known ? kAmber : same ? kGreen : kRed;
  PictureRow chips{.key = "faces", .title = "The two faces"};
  PictureRow photos{.key = "photos", .title = "Where they are"};
  for (const Side* side : {&a, &b}) {
    std::vector<FaceMark> marks;
    for (std::size_t i = 0; i < side->photo.faces.size(); ++i) {
      const DescribedFace& face = side->photo.faces[i];
      const bool compared = side->face == i;
      marks.push_back({.box = face.box,
                       .landmarks = face.landmarks,
                       .colour = compared ? frame : kBlue,
                       .text = compared ? "compared" : "",
                       .points = compared});
    }
    photos.pictures.push_back(
        page_picture(marked_photo(side->file, side->photo.extent, marks), side->file));
    if (side->face) chips.pictures.push_back(page_picture(side->compared().chip, side->file));
  }
  if (!chips.pictures.empty()) report.pictures(std::move(chips));
  report.pictures(std::move(photos));
}

void warn_of_several(Report& report, const Side& side, FaceChoice choice) {
  if (side.photo.faces.size() < 2) return;
  report.warning(
      fmt::format("{} shows {} faces; the {} was compared{}", side.file, side.photo.faces.size(),
                  choice == FaceChoice::main ? "large and central one" : "most alike one",
                  choice == FaceChoice::main ? " (--face best compares all)" : ""));
}

void add_answer(Report& report, std::optional<double> score, std::optional<double> probability,
                const std::optional<Bound>& bound) {
  report.scalar("score", score ? Value(*score) : Value(), "", "cosine");
  report.scalar("probability", probability ? Value(*probability) : Value(),
                "probability of one person", "one half before the photos were seen");
  report.scalar("same", score && bound ? Value(*score >= bound->threshold) : Value(), "same person",
                "score >= threshold");
  report.scalar("threshold", bound ? Value(bound->threshold) : Value());
  report.scalar("threshold_set", bound ? Value(bound->set) : Value(), "threshold comes from");
  if (bound && bound->policy) {
    const gallery::OperatingPolicy& p = *bound->policy;
    report.scalar("max_fmr", p.max_fpir, "wanted false match rate");
    report.scalar({.key = "observed_fmr",
                   .label = "FMR of the calibration there",
                   .value = p.observed_fmr,
                   .interval = p.fmr_interval});
    report.scalar("expected_fnmr", p.fnmr, "FNMR of the calibration there");
  }
}

std::string verdict_of(const Side& a, const Side& b, std::optional<double> score,
                       std::optional<double> probability, const std::optional<Bound>& bound) {
  if (!score) {
    std::string text = faceless(a.face ? b : a);
    if (!a.face && !b.face) text += ", and " + faceless(b);
    return text + ": there is nothing to compare";
  }
  const std::string sure =
      probability ? fmt::format("score {:.4f}, probability {:.4f}", *score, *probability)
                  : fmt::format("score {:.4f}", *score);
  if (!bound) return sure + "; without a threshold nothing is decided";
  return fmt::format("{}: {}, threshold {:.4f} ({})",
                     *score >= bound->threshold ? "the same person" : "different persons", sure,
                     bound->threshold, bound->set);
}

Report verify(const VerifyVerbOptions& o, RunContext& run) {
  Report report("face.verify", "the same person in two photos?");
  const FacePipeline pipeline =
      open_pipeline(o.faces, {.files = 1, .keep_chips = html_wanted(run)}, report, run);
  const auto calibration = find_calibration(o, pipeline, report, run);
  Side a = look_at(pipeline, o.a, run);
  Side b = look_at(pipeline, o.b, run);
  const std::uint64_t pairs = o.face == FaceChoice::best ? choose_best(a, b) : 1;
  std::optional<double> score;
  if (a.face && b.face) score = score_of(a, b);
  std::optional<double> probability;
  if (score && calibration) probability = probability_of(*calibration, *score, pairs);
  const auto bound = find_bound(o, calibration, pairs, report);
  add_answer(report, score, probability, bound);
  report.scalar("pairs_compared", score ? pairs : 0, "pairs of faces compared");
  report.scalar("model", pipeline.embedder().card().name, "embedder");
  report.data("photos", Value::list({side_value(a), side_value(b)}));
  for (const Side* side : {&a, &b}) {
    if (!side->face) report.warning(faceless(*side));
    warn_of_several(report, *side, o.face);
  }
  if (!calibration) {
    report.warning(
        bound ? "there is no probability: the card has no calibration (--calibration FILE gives "
                "one)"
              : "neither probability nor decision: the card has no calibration; give --calibration "
                "FILE (face evaluate --calibration-out makes one) or --threshold");
  }
  const bool same = score && bound && *score >= bound->threshold;
  if (html_wanted(run)) add_pictures(report, a, b, score && bound, same);
  const std::string verdict = verdict_of(a, b, score, probability, bound);
  if (o.require_same) report.gate("require_same", same, verdict);
  report.verdict(verdict);
  return report;
}

}  // namespace

Verb verify_verb() {
  return make_verb<VerifyVerbOptions>(
      {.noun = "face",
       .name = "verify",
       .summary = "compare the faces of two photos",
       .details =
           "The score is the cosine of the two vectors. What it means comes from a calibration: "
           "that of --calibration, else of the embedder's card. Its threshold is the lowest at "
           "which the false match rate of the calibration's set is at most --max-fmr with 95 % "
           "confidence; the probability takes both answers as equally likely beforehand. Without a "
           "calibration probability and same are null.\n\n"
           "Of several faces the large and central one is compared, which the report states. A "
           "photo without a face is an answer (null), not an error. The set that a threshold came "
           "from is part of the answer: another kind of photos has other rates.",
       .examples = {{"sosia face verify subjects/00000/0000.png subjects/00000/0001.png",
                     "score, probability and decision"},
                    {"sosia face verify subjects/00000/0000.png subjects/00000/0000.png "
                     "--require-same --json",
                     "exit status 5 unless it is the same person"}}},
      verify);
}

}  // namespace sosia::face

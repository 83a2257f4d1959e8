// `sosia demo`: enrol, identify and sort photos, from portraits, the user's own or rendered people.

#include "face/demo_sets.hpp"
#include "face/grouping.hpp"
#include "face/identify.hpp"
#include "face/verbs.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/text.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace sosia::face {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostPictures = 60;
constexpr const char* kConsent =
    "Faces are personal data: use your own photos only with the consent of the people on them, or "
    "where the law allows it.";

struct DemoOptions {
  std::string out = "demo";
  std::string photos;
  bool world = false;
  std::int64_t subjects = 12;
  std::optional<double> max_fpir;
  FaceOptions faces;
};

void describe(Fields& f, DemoOptions& o) {
  f({.name = "out",
     .help = "folder for report.html and the gallery people.sosia",
     .role = FieldRole::output_folder},
    o.out);
  f({.name = "photos",
     .help = "instead of the portraits: a folder of yours that holds one folder per subject",
     .role = FieldRole::input_folder},
    o.photos);
  f({.name = "world", .help = "instead: people who do not exist, rendered now; no photo is needed"},
    o.world);
  f({.name = "subjects",
     .help = "rendered people that are enrolled, and as many strangers",
     .min = 2,
     .max = 500},
    o.subjects);
  f({.name = "max_fpir",
     .help = "false positive identification rate of the decisions (default 0.01)",
     .above = 0,
     .below = 1},
    o.max_fpir);
  describe_faces(f, o.faces);
}

DemoSet make_set(const DemoOptions& o, const FacePipeline& pipeline, RunContext& run) {
  if (o.world) {
    return world_set({.subjects = o.subjects, .out = fs::path(o.out) / "world"}, pipeline, run);
  }
  return o.photos.empty() ? portrait_set() : photo_set(o.photos);
}

/// An empty gallery with the calibration that the set's faces need.
void create_gallery(const std::string& place, const DemoSet& set, const FacePipeline& pipeline,
                    RunContext& run) {
  gallery::CreateOptions options;
  options.dimension = pipeline.dimension();
  options.model = pipeline.model_hash();
  options.calibration = set.calibration ? set.calibration : starting_calibration(pipeline);
  options.replace = run.overwrite() == Overwrite::replace;
  (void)gallery::create_gallery(place, options, {.access = gallery::Access::write, .who = "demo"});
  run.note_output(place);
}

/// The files of a set in one list, with the index at which the probes begin.
FileList files_of(const DemoSet& set) {
  FileList list{.files = {}, .skipped = set.skipped};
  for (const LabelledPhoto& photo : set.enrol) list.files.push_back(photo.file);
  for (const DemoProbe& probe : set.probes) list.files.push_back(probe.file);
  return list;
}

/// What the demo shows, step by step.
class Demo {
 public:
  Demo(const DemoOptions& options, const DemoSet& set, const FacePipeline& pipeline,
       RunContext& run)
      : options_(options),
        set_(set),
        pipeline_(pipeline),
        run_(run),
        place_((fs::path(options.out) / "people.sosia").string()),
        grouping_(pipeline, {.calibration = set.calibration, .thumbnails = true}) {}

  void work() {
    create_gallery(place_, set_, pipeline_, run_);
    const FileList list = files_of(set_);
    std::vector<SourceItem> probes;
    Enroller enroller({.gallery = place_}, {}, pipeline_, "demo", run_);
    // Enrolment comes first in the list; probes are asked when all of it is in the gallery.
    std::unique_ptr<Identifier> identifier;
    counts_ = stream_files(
        pipeline_, list,
        [&](Analysis&& analysis) {
          SourceItem item{.analysis = std::move(analysis)};
          grouping_.add(item);
          if (item.analysis.index < set_.enrol.size()) {
            enrol(set_.enrol[item.analysis.index], item.analysis, enroller);
            return;
          }
          if (!identifier) identifier = ask(enroller);
          identifier->add(std::move(item));
        },
        run_);
    if (!identifier) identifier = ask(enroller);
    identifier->finish();
    grouping_.group(run_);
    identifier_ = std::move(identifier);
  }

  Report report();

 private:
  void enrol(const LabelledPhoto& photo, const Analysis& analysis, Enroller& enroller) {
    std::string problem;
    if (analysis.error) {
      problem = analysis.error->message();
    } else {
      const ChosenFace chosen = choose_face(analysis, SeveralFaces::dominant, 0);
      problem = chosen.problem;
      if (chosen.face != nullptr) {
        const std::string digest = photo_digest(photo.file);
        gallery::Template t;
        t.label = photo.label;
        t.origin = fs::absolute(photo.file).lexically_normal().string();
        enroller.add(std::move(t), *chosen.face, digest);
      }
    }
    enrolled_.push_back({photo.file.filename().string(), photo.label,
                         problem.empty() ? Value("enrolled") : Value(problem)});
    enrolled_count_ += problem.empty();
  }

  std::unique_ptr<Identifier> ask(Enroller& enroller) {
    enroller.flush();
    gallery_ = gallery::open_place({.gallery = place_}, gallery::Access::read, "demo");
    return std::make_unique<Identifier>(
        *gallery_, pipeline_,
        IdentifySettings{.max_fpir = options_.max_fpir, .pictures = kMostPictures}, run_);
  }

  void add_identified(Report& report);

  const DemoOptions& options_;
  const DemoSet& set_;
  const FacePipeline& pipeline_;
  RunContext& run_;
  std::string place_;
  Grouping grouping_;
  FileCounts counts_;
  std::vector<std::vector<Value>> enrolled_;
  std::uint64_t enrolled_count_ = 0;
  std::unique_ptr<gallery::Gallery> gallery_;
  std::unique_ptr<Identifier> identifier_;
  std::uint64_t right_ = 0, judged_ = 0, false_accepts_ = 0;
};

/// One answer for a photo: whom its faces are said to be.
struct PhotoAnswer {
  std::string text = {};
  Value probability = {}, score = {};
  bool decided = false, no_face = false;
  std::vector<std::string> accepted = {};
};

PhotoAnswer answer_of(const Value& result) {
  PhotoAnswer out;
  if (const Value& error = result.at("error"); !error.is_null()) {
    out.text = error.as_text();
    return out;
  }
  const Value::List& faces = result.at("faces").as_list();
  out.no_face = faces.empty();
  if (out.no_face) out.text = "no face";
  for (const Value& face : faces) {
    const Value& decision = face.at("decision");
    out.decided |= decision.is_text();
    const bool accept = decision == Value("accept");
    if (accept) out.accepted.push_back(face.at("label").as_text());
    std::string said = "not decided";
    if (decision.is_text()) said = accept ? face.at("label").as_text() : decision.as_text();
    out.text += (out.text.empty() ? "" : ", ") + said;
    // The figures of the face that decides: the first that is accepted, else the first.
    if (!out.probability.is_null() && !(accept && out.accepted.size() == 1)) continue;
    const Value& p = face.at("probability");
    out.probability = p;
    const Value::List& candidates = face.at("candidates").as_list();
    if (!candidates.empty()) out.score = rounded(candidates[0].at("score").as_real(), 3);
  }
  return out;
}

void Demo::add_identified(Report& report) {
  Table table{.key = "identified",
              .title = "Identified",
              .columns = {{"photo", "", ""},
                          {"answer", "", ""},
                          {"probability", "", ""},
                          {"score", "best score", ""},
                          {"truth", "", ""},
                          {"right", "", ""}}};
  const Value::List& results = identifier_->results().as_list();
  for (std::size_t i = 0; i < results.size(); ++i) {
    const PhotoAnswer answer = answer_of(results[i]);
    const auto& truth = set_.probes[i].truth;
    Value right;
    // An enrolled subject whose face is not found is missed; of a stranger that says nothing.
    const bool missed = answer.no_face && truth && !truth->empty() && identifier_->choice().policy;
    if (truth && (answer.decided || missed)) {
      const bool others = std::any_of(answer.accepted.begin(), answer.accepted.end(),
                                      [&](const std::string& label) { return label != *truth; });
      const bool found = !answer.accepted.empty() && !others;
      right = truth->empty() ? answer.accepted.empty() : found;
      right_ += right == Value(true);
      ++judged_;
      false_accepts_ += others;
    }
    if (table.rows.size() >= kTableRows) continue;
    table.add({set_.probes[i].file.filename().string(), answer.text, answer.probability,
               answer.score, truth ? Value(truth->empty() ? "stranger" : *truth) : Value(),
               std::move(right)});
  }
  add_table(report, std::move(table));
}

Report Demo::report() {
  Report report("demo", "sosia demo: who is who on " + set_.title);
  report.text(set_.story + " " + kConsent);
  add_table(report, {.key = "enrolled",
                     .title = "Enrolled",
                     .columns = {{"photo", "", ""}, {"subject", "", ""}, {"outcome", "", ""}},
                     .rows = std::move(enrolled_)});
  add_identified(report);
  report.scalar("right", right_, "answers that are right",
                fmt::format("of {} whose truth is known", judged_));
  report.scalar("false_accepts", false_accepts_, "taken for somebody else");
  Table persons{.key = "sorted",
                .title = "Sorted by person, without names",
                .columns = {{"person", "", ""}, {"files", "", ""}}};
  Value clusters = Value::list();
  const auto names = [&](std::int32_t cluster) {
    Value list = Value::list();
    for (const std::size_t file : grouping_.files_of(cluster)) {
      list.push(fs::path(grouping_.files()[file]).filename().string());
    }
    return list;
  };
  for (std::size_t c = 0; c < grouping_.clusters(); ++c) {
    persons.add({fmt::format("person {}", c + 1), names(static_cast<std::int32_t>(c))});
  }
  if (const Value rest = names(-1); !rest.as_list().empty()) persons.add({"like no other", rest});
  add_table(report, std::move(persons));
  grouping_.add_sheets(report);
  identifier_->add_pictures(report);
  add_counts(report, counts_);
  if (identifier_->choice().policy) {
    add_policy(report, *identifier_->choice().calibration, *identifier_->choice().policy);
    if (!identifier_->remark().empty()) report.warning(identifier_->remark());
  } else {
    report.warning("no decisions: " + (identifier_->choice().why_none.empty()
                                           ? std::string("nobody was enrolled")
                                           : identifier_->choice().why_none));
  }
  report.scalar("model", pipeline_.embedder().card().name, "embedder");
  report.scalar("gallery", place_);
  report.scalar("page", (fs::path(options_.out) / "report.html").string(), "drawn in");
  report.data("results", std::move(identifier_->results()));
  report.verdict(judged_ == 0
                     ? fmt::format("{}; {} persons", identifier_->summary(), grouping_.clusters())
                     : fmt::format("{} of {} photos are answered rightly, {} taken for somebody "
                                   "else; {}",
                                   right_, judged_, false_accepts_, identifier_->summary()));
  return report;
}

Report demo(const DemoOptions& o, RunContext& run) {
  if (o.world && !o.photos.empty()) {
    throw Error(ErrorCode::usage, "--photos and --world exclude each other", "give one of them");
  }
  const fs::path page = fs::path(o.out) / "report.html";
  check_writable(page, run.overwrite());
  Report scratch("demo", "");
  const FacePipeline pipeline =
      open_pipeline(o.faces, {.files = 100, .keep_chips = true}, scratch, run);
  const DemoSet set = make_set(o, pipeline, run);
  Demo demo(o, set, pipeline, run);
  demo.work();
  Report report = demo.report();
  for (const std::string& warning : scratch.warnings()) report.warning(warning);
  run.write_output(page, render_html(report));
  return report;
}

Report plan(const DemoOptions& o, RunContext&) {
  Report report("plan", "dry run of `sosia demo`");
  report.scalar("page", (fs::path(o.out) / "report.html").string(), "would write");
  report.scalar("gallery", (fs::path(o.out) / "people.sosia").string(), "would write");
  report.scalar("photos",
                o.world            ? std::string("rendered")
                : o.photos.empty() ? portrait_folder().string()
                                   : o.photos,
                "from");
  report.verdict("the options are valid; nothing was done");
  return report;
}

}  // namespace

Verb demo_verb() {
  return make_verb<DemoOptions>(
      {.noun = "",
       .name = "demo",
       .summary = "enrol, identify and sort portraits, and draw the report",
       .details =
           "Set-up fetches portraits that Python packages carry. Two subjects are enrolled from "
           "one photo each; other photos, two of them of a part of the face, and a stranger are "
           "identified; then all are sorted by person. Nothing is canned: every figure is computed "
           "now, and thresholds come from the calibration of the embedder's card.\n\n"
           "--photos takes a folder of yours with one folder per subject: the first half of each "
           "subject's photos is enrolled, the rest identified, folders with one photo are "
           "strangers. --world renders people who do not exist. `sosia evaluate demo` measures "
           "simulated scores against known truth.\n\n" +
           std::string(kConsent),
       .examples = {{"sosia demo --out demo", "writes demo/report.html"},
                    {"sosia demo --world --subjects 4 --out demo2", "without any photo"}}},
      demo, plan);
}

}  // namespace sosia::face

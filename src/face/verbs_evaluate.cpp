// `sosia face evaluate`: how good is the recogniser on photos whose subjects are known?

#include "face/evaluate_report.hpp"
#include "face/verbs.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/text.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace sosia::face {
namespace {

void describe_set(Fields& f, EvaluateVerbOptions& o) {
  f({.name = "pairs",
     .help = "list of pairs: LFW's pairs.txt, lines \"photo photo label\", or a CSV file with "
             "a,b,same and optionally fold; needs --images",
     .role = FieldRole::input_file},
    o.pairs);
  f({.name = "images",
     .help = "folder that the photos of --pairs are relative to",
     .role = FieldRole::input_folder},
    o.images);
  f({.name = "folders",
     .help = "folder with one folder of photos per subject",
     .role = FieldRole::input_folder},
    o.folders);
  f({.name = "bin", .help = "verification set of InsightFace", .role = FieldRole::input_file},
    o.bin);
  f({.name = "rec",
     .help = "training set of InsightFace (RecordIO)",
     .role = FieldRole::input_file},
    o.rec);
  f({.name = "groups",
     .help = "CSV file with a column path or subject and a column of groups to compare",
     .role = FieldRole::input_file,
     .group = "groups"},
    o.groups);
  f({.name = "group_column", .help = "column of --groups that names the group", .group = "groups"},
    o.group_column);
  evaluate::describe_group_far(f, o.group_far, "groups");
  f({.name = "max_subjects",
     .help = "of folders and record sets, at most so many subjects, drawn at random",
     .min = 2,
     .max = 1e9,
     .group = "sample"},
    o.max_subjects);
  f({.name = "max_impostors",
     .help = "of folders and record sets, about so many comparisons of different subjects, drawn "
             "at random",
     .min = 100,
     .max = 2e9,
     .group = "sample"},
    o.max_impostors);
}

void describe_vectors(Fields& f, EvaluateVerbOptions& o) {
  describe_faces(f, o.faces);
  f.choice(
      {.name = "aligned",
       .help = "whether pictures are faces cut out by the ArcFace template, which are not "
               "searched for faces; auto: those of --bin and --rec are",
       .group = "faces"},
      o.aligned,
      {{"auto", AlignedChoice::automatic}, {"yes", AlignedChoice::yes}, {"no", AlignedChoice::no}});
  f.choice({.name = "mirror",
            .help = "whether the vector of the mirrored face is added: as the card says, or always "
                    "(the LFW protocol); auto: always for --pairs and --bin",
            .group = "faces"},
           o.mirror,
           {{"auto", MirrorChoice::automatic},
            {"card", MirrorChoice::card},
            {"sum", MirrorChoice::sum}});
  f({.name = "cache",
     .help = "folder that keeps vectors for the next run; it holds biometric templates, not "
             "encrypted"},
    o.cache);
}

void describe_figures(Fields& f, EvaluateVerbOptions& o) {
  f.choice({.name = "missing",
            .help = "comparisons with a photo without a face: left out and counted, or scored as "
                    "rejections",
            .group = "sample"},
           o.missing, {{"exclude", MissingRule::exclude}, {"reject", MissingRule::reject}});
  evaluate::describe_tar(f, o.far, o.rule, "figures");
  f({.name = "ranks", .help = "ranks of the rank-k rates", .min = 1, .group = "figures"}, o.ranks);
  f({.name = "fpir",
     .help = "false positive identification rates to report TPIR at",
     .max = 1,
     .above = 0,
     .group = "figures"},
    o.fpir);
  f({.name = "threshold", .help = "also report the decisions at this score", .group = "figures"},
    o.threshold);
  f({.name = "worst",
     .help = "worst errors of each kind to list, and to show with --html",
     .min = 0,
     .max = 1000,
     .group = "figures"},
    o.worst);
  describe(f, o.bootstrap, "over subjects");
  f.require(!o.far.empty() && !o.ranks.empty() && !o.fpir.empty(),
            "far, ranks and fpir need at least one value each");
  evaluate::require_distinct(f, "far", o.far);
  evaluate::require_distinct(f, "ranks", o.ranks);
  evaluate::require_distinct(f, "fpir", o.fpir);
}

EvaluationSet read_set(const EvaluateVerbOptions& o, RunContext& run) {
  EvaluationSet set = !o.pairs.empty()     ? read_pair_set(o.pairs, o.images)
                      : !o.folders.empty() ? read_folder_set(o.folders)
                      : !o.bin.empty()     ? read_bin_set(o.bin)
                                           : read_record_set(o.rec);
  for (const std::string* file : {&o.pairs, &o.bin, &o.rec, &o.groups}) {
    if (!file->empty()) run.note_input(*file);
  }
  if (o.max_subjects) keep_subjects(set, static_cast<std::size_t>(*o.max_subjects), run);
  if (!o.groups.empty()) assign_groups(set, o.groups, o.group_column);
  return set;
}

EmbedSetOptions how_to_embed(const EvaluateVerbOptions& o, const FacePipeline& pipeline,
                             bool listed) {
  EmbedSetOptions how{.cache = o.cache};
  if (o.aligned != AlignedChoice::automatic) how.aligned = o.aligned == AlignedChoice::yes;
  const bool automatic_sum = listed && o.calibration_out.empty();
  if (o.mirror == MirrorChoice::sum || (o.mirror == MirrorChoice::automatic && automatic_sum)) {
    how.mirror_sum = true;
  }
  if (pipeline.embedder().card().output.flip_sum) how.mirror_sum.reset();
  return how;
}

void check(const EvaluateVerbOptions& o) {
  const std::array<const std::string*, 4> sources{&o.pairs, &o.folders, &o.bin, &o.rec};
  const auto given =
      std::count_if(sources.begin(), sources.end(), [](const auto* s) { return !s->empty(); });
  if (given != 1) {
    throw Error(ErrorCode::usage,
                given == 0 ? "no set is named"
                           : "--pairs, --folders, --bin and --rec exclude each "
                             "other",
                "give --pairs LIST --images DIR, or --folders DIR, or --bin FILE, or --rec FILE");
  }
  if (o.pairs.empty() != o.images.empty()) {
    throw Error(ErrorCode::usage, "--pairs and --images go together",
                "--images is the folder that the photos of --pairs are relative to");
  }
  if (!o.set_name.empty() && o.calibration_out.empty()) {
    throw Error(ErrorCode::usage, "--set-name is for --calibration-out", "give both");
  }
  if (o.mirror == MirrorChoice::sum && !o.calibration_out.empty()) {
    throw Error(ErrorCode::usage,
                "a calibration must come from vectors as galleries hold them: --mirror sum and "
                "--calibration-out exclude each other",
                "run twice");
  }
}

void write_calibration(const Measured& m, const EvaluateVerbOptions& o,
                       const FacePipeline& pipeline, const EmbedSetOptions& how, Report& report,
                       RunContext& run) {
  const std::string name =
      !o.set_name.empty()
          ? o.set_name
          : fmt::format("{}, {} photos, faces by {}", m.set.name,
                        m.vectors.count(PhotoState::found), pipeline.detector().name());
  const gallery::Calibration c = evaluate::of_file(
      m.set.name, [&] { return calibrate_set(m.set, m.vectors, m.pairs, name, pipeline, how); });
  run.write_output(o.calibration_out, to_json(gallery::to_value(c)) + "\n");
  report.group("calibration", "Calibration written",
               {{"file", o.calibration_out},
                {"set", c.set},
                {"genuine", c.genuine},
                {"impostor", c.impostor},
                {"even_score", c.a < 0 ? Value(-c.b / c.a) : Value()},
                {"smallest_fpir", gallery::smallest_fpir(c, 1)}},
               "even score: P(same) is one half at equal priors; smallest rate of false matches of "
               "single comparisons that it supports");
}

void add_gates(Report& report, const EvaluateVerbOptions& o, const evaluate::Roc& roc,
               std::optional<double> rank1, std::optional<double> accuracy) {
  const double none = std::numeric_limits<double>::quiet_NaN();
  evaluate::add_gate(report, "min_auc", roc.auc(), o.min_auc);
  evaluate::add_gate(report, "max_eer", roc.eer().rate, o.max_eer, false);
  evaluate::add_gate(report, "min_tar", roc.at_far(o.gate_far, o.rule).tar, o.min_tar);
  evaluate::add_gate(report, "min_rank1", rank1.value_or(none), o.min_rank1);
  evaluate::add_gate(report, "min_accuracy", accuracy.value_or(none), o.min_accuracy);
}

void add_verdict(Report& report, const Measured& m, const EvaluateVerbOptions& o,
                 const evaluate::Roc& roc, std::optional<double> rank1,
                 std::optional<double> accuracy) {
  using evaluate::percent;
  std::string text;
  if (accuracy) text += "accuracy " + percent(*accuracy) + ", ";
  if (rank1) text += "rank-1 " + percent(*rank1) + ", ";
  const double far = o.far[std::min<std::size_t>(2, o.far.size() - 1)];
  report.verdict(text + fmt::format("AUC {:.4f}, EER {}, TAR {} at FAR {}, over {} genuine and {} "
                                    "impostor comparisons; {} of {} photos have a face",
                                    roc.auc(), percent(roc.eer().rate),
                                    percent(roc.at_far(far, o.rule).tar), evaluate::rate_key(far),
                                    roc.genuine_count(), roc.impostor_count(),
                                    m.vectors.count(PhotoState::found), m.set.photos.size()));
}

Report evaluate_set(const EvaluateVerbOptions& o, RunContext& run) {
  check(o);
  Report report("face.evaluate", "how well faces are recognised");
  Measured m;
  m.set = read_set(o, run);
  const FacePipeline pipeline =
      open_pipeline(o.faces, {.files = m.set.photos.size(), .keep_chips = true}, report, run);
  const EmbedSetOptions how = how_to_embed(o, pipeline, m.set.listed);
  m.vectors = embed_set(pipeline, m.set, how, run);
  const CompareOptions compare{.missing = o.missing,
                               .most_impostors = static_cast<std::uint64_t>(o.max_impostors)};
  m.pairs =
      evaluate::of_file(m.set.name, [&] { return compare_set(m.set, m.vectors, compare, run); });
  m.searches = search_set(m.set, m.vectors, o.missing, run);

  const bool mirrored = how.mirror_sum.value_or(pipeline.embedder().card().output.flip_sum);
  const std::optional<double> rank1 = add_rank1(report, m, o, run);
  const CurveFigures curve = curve_figures(m, o, report, run);
  add_curve(report, m, curve, o);
  const std::optional<double> accuracy = add_folds(report, m, mirrored);
  add_searches(report, m, o, run);
  add_groups(report, m, curve.roc, o, run);
  add_worst(report, m, o, html_wanted(run) ? &pipeline : nullptr, how, run);
  report.scalar("set", m.set.name);
  report.scalar("model", pipeline.embedder().card().name, "embedder");
  report.scalar("detector", pipeline.detector().name());
  report.scalar("model_hash", pipeline.model_hash());
  report.scalar("aligned", how.aligned.value_or(m.set.aligned), "pictures are aligned crops");
  report.scalar("mirror_sum", mirrored, "the mirrored face is added");
  add_photos(report, m, o);
  if (!o.calibration_out.empty()) write_calibration(m, o, pipeline, how, report, run);
  if (curve.roc.auc() < 0.5) {
    report.warning("AUC below one half: is this the model that the pictures were made for?");
  }
  add_gates(report, o, curve.roc, rank1, accuracy);
  add_verdict(report, m, o, curve.roc, rank1, accuracy);
  return report;
}

Report plan(const EvaluateVerbOptions& o, RunContext& run) {
  check(o);
  const EvaluationSet set = read_set(o, run);
  Report report("face.evaluate.plan", "what evaluate would do");
  report.scalar("photos", set.photos.size());
  report.scalar("subjects", set.subjects.size());
  report.scalar("pairs", set.listed ? Value(set.pairs.size()) : Value(), "",
                set.listed ? "" : "every photo with every other one");
  report.scalar("groups", set.groups.size());
  for (const std::string& warning : set.warnings) report.warning(warning);
  report.verdict(fmt::format("would embed {} photos of {} and compare {}{}", set.photos.size(),
                             set.name,
                             set.listed ? fmt::format("{} listed pairs", set.pairs.size())
                                        : "every one with every other one",
                             o.calibration_out.empty() ? "" : ", then write " + o.calibration_out));
  return report;
}

}  // namespace

void describe(Fields& f, EvaluateVerbOptions& o) {
  describe_set(f, o);
  describe_vectors(f, o);
  describe_figures(f, o);
  f({.name = "calibration_out",
     .help = "write what scores mean here to this JSON file, for cards, galleries and face verify",
     .role = FieldRole::output_file},
    o.calibration_out);
  f({.name = "set_name", .help = "how the calibration names the set", .group = "sample"},
    o.set_name);
  evaluate::describe_gate(f, "min_auc", "fail below this AUC", o.min_auc);
  evaluate::describe_gate(f, "max_eer", "fail above this EER", o.max_eer);
  evaluate::describe_gate(f, "min_tar", "fail below this TAR at the false accept rate gate_far",
                          o.min_tar);
  evaluate::describe_gate(f, "min_rank1", "fail below this rank-1 rate", o.min_rank1);
  evaluate::describe_gate(f, "min_accuracy", "fail below this accuracy over folds", o.min_accuracy);
  f({.name = "gate_far",
     .help = "false accept rate of min_tar",
     .max = 1,
     .above = 0,
     .group = "gates"},
    o.gate_far);
}

Verb evaluate_verb() {
  return make_verb<EvaluateVerbOptions>(
      {.noun = "face",
       .name = "evaluate",
       .summary = "accuracy on photos whose subjects are known",
       .details =
           "Every photo is embedded once; of several faces the one nearest to the middle counts, "
           "of "
           "those with at least half the area of the largest. A photo without a face is a failure "
           "to acquire: it is "
           "never replaced by a crop of the middle. Its comparisons are left out and counted, or "
           "with --missing reject scored -1.\n\n"
           "1:1: listed pairs, or every photo with every other one. AUC counts ties one half, EER "
           "is interpolated, TAR is read off the curve by --rule. For lists the accuracy over ten "
           "folds follows LFW: the vector of the mirrored face is added before the length is made "
           "1; folds are those of the list or ten runs of it, never shuffled; thresholds 0, 0.01, "
           ".. 3.99 on squared distances, the first best of nine folds applied to the tenth. "
           "1:N: every photo against all others, a subject scoring by its nearest photo; the same "
           "search without the own subject is that of a stranger (FPIR, FNIR). Intervals are a "
           "bootstrap over subjects.\n\n"
           "--groups compares groups of people: comparisons within a group, FMR and FNMR at a "
           "threshold shared by all, and the gap between groups. --calibration-out writes what "
           "scores mean on this set.",
       .examples = {{"sosia face evaluate --folders subjects", "a folder per subject"},
                    {"sosia face evaluate --pairs pairs.txt --images subjects --html pairs.html",
                     "the LFW protocol; a page with the worst errors"}}},
      evaluate_set, plan);
}

}  // namespace sosia::face

#pragma once
// The parts of the report of `sosia face evaluate`.

#include "face/verb_parts.hpp"
#include "sosia/evaluate/curve_report.hpp"
#include "sosia/evaluate/report_parts.hpp"
#include "sosia/face/evaluation.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sosia::face {

/// Whether pictures are searched for faces; whether the mirrored face is added.
enum class AlignedChoice : std::uint8_t { automatic, yes, no };
enum class MirrorChoice : std::uint8_t { automatic, card, sum };

struct EvaluateVerbOptions {
  // The set.
  std::string pairs, images, folders, bin, rec;
  std::string groups, group_column = "group";
  std::optional<std::int64_t> max_subjects;
  // Vectors.
  FaceOptions faces;
  AlignedChoice aligned = AlignedChoice::automatic;
  MirrorChoice mirror = MirrorChoice::automatic;
  std::string cache;
  // Figures.
  MissingRule missing = MissingRule::exclude;
  std::int64_t max_impostors = 2'000'000;
  std::vector<double> far{1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6};
  evaluate::AtRule rule = evaluate::AtRule::not_above;
  std::vector<std::int64_t> ranks{1, 5, 10};
  std::vector<double> fpir{0.1, 0.01};
  double group_far = 0.01;
  std::optional<double> threshold;
  evaluate::BootstrapFields bootstrap;
  std::int64_t worst = 12;
  // Results.
  std::string calibration_out, set_name;
  std::optional<double> min_auc, max_eer, min_tar, min_rank1, min_accuracy;
  double gate_far = 1e-3;
};
void describe(Fields& f, EvaluateVerbOptions& o);

/// What was measured.
struct Measured {
  EvaluationSet set = {};
  EmbeddedSet vectors = {};
  Comparisons pairs = {};
  std::optional<SetSearches> searches = {};
};

/// Photos, faces, failures to acquire.
void add_photos(Report& report, const Measured& m, const EvaluateVerbOptions& o);

/// What is read off the curve of all comparisons.
struct CurveFigures {
  evaluate::Roc roc;
  evaluate::CurveIntervals intervals = {};
};
CurveFigures curve_figures(const Measured& m, const EvaluateVerbOptions& o, Report& report,
                           RunContext& run);
void add_curve(Report& report, const Measured& m, const CurveFigures& curve,
               const EvaluateVerbOptions& o);

/// Rank-1 first of all figures (null where the set has no searches); returned for gates.
std::optional<double> add_rank1(Report& report, const Measured& m, const EvaluateVerbOptions& o,
                                RunContext& run);
/// Rank-k rates, TPIR and FNIR at FPIR.
void add_searches(Report& report, const Measured& m, const EvaluateVerbOptions& o, RunContext& run);

/// The LFW protocol; its mean accuracy, when there is one.
std::optional<double> add_folds(Report& report, const Measured& m, bool mirror_sum);

/// Figures by group and the gap between them.
void add_groups(Report& report, const Measured& m, const evaluate::Roc& roc,
                const EvaluateVerbOptions& o, RunContext& run);

/// The most alike impostors and the least alike genuine pairs; with their faces when `pipeline` is
/// given.
void add_worst(Report& report, const Measured& m, const EvaluateVerbOptions& o,
               const FacePipeline* pipeline, const EmbedSetOptions& how, RunContext& run);

}  // namespace sosia::face

#include "gallery/decision_parts.hpp"

#include "sosia/core/error.hpp"
#include "sosia/core/text.hpp"
#include "sosia/formats/array.hpp"
#include "sosia/formats/csv.hpp"
#include "sosia/formats/npy.hpp"

#include <cmath>

#include <fmt/format.h>

namespace sosia::gallery {

std::vector<float> read_vectors(const std::string& file, std::size_t dimension, RunContext& run) {
  const formats::Array array = formats::read_npy(file);
  run.note_input(file);
  const auto refuse = [&](std::string message, std::string hint = {}) {
    throw Error(ErrorCode::corrupt_data, std::move(message), std::move(hint), file);
  };
  const bool one = array.shape.size() == 1 && array.shape[0] == dimension;
  if (!one && array.shape.size() != 2) {
    refuse("the array has shape " + formats::shape_text(array.shape),
           "one vector per row is wanted: shape [n, " + std::to_string(dimension) + "]");
  }
  if (!one && array.shape[1] != dimension) {
    refuse(fmt::format("the vectors have dimension {}, the gallery's have {}", array.shape[1],
                       dimension),
           "were they made by the model that the gallery was made with?");
  }
  std::vector<float> vectors = formats::to_f32(array.view());
  for (std::size_t row = 0; row * dimension < vectors.size(); ++row) {
    if (row % 4096 == 0) run.check_cancelled();
    double squares = 0;
    for (std::size_t i = 0; i < dimension; ++i) {
      const double x = vectors[row * dimension + i];
      squares += x * x;
    }
    if (!std::isfinite(squares)) refuse(fmt::format("row {} holds NaN or an infinity", row));
    if (squares == 0) refuse(fmt::format("row {} holds zeros only: it has no direction", row));
  }
  return vectors;
}

std::vector<std::string> read_column(const std::string& file, const std::string& column,
                                     std::size_t rows, RunContext& run) {
  formats::CsvReader reader(file);
  run.note_input(file);
  const std::size_t place = reader.column(column);
  std::vector<std::string> out;
  while (reader.next()) {
    if (out.size() % 4096 == 0) run.check_cancelled();
    out.emplace_back(trim(reader[place]));
  }
  if (out.size() != rows) {
    throw Error(ErrorCode::corrupt_data,
                fmt::format("the file has {} rows for {} vectors", out.size(), rows),
                "one row is wanted for each vector, in the same order", file);
  }
  return out;
}

PolicyChoice choose_policy(Gallery& gallery, std::optional<SubjectRule> rule,
                           std::optional<double> max_fpir, std::uint64_t subjects, FpirRule fpir) {
  PolicyChoice choice;
  std::optional<Calibration> calibration = gallery.calibration();
  const GalleryInfo info = gallery.info();
  if (!calibration) {
    choice.why_none = "the gallery has no calibration: run sosia gallery calibrate " + info.place;
    return choice;
  }
  if (rule && calibration->rule != *rule) {
    choice.why_none = fmt::format(
        "the calibration is for subject scores by the rule {}, not {}: run sosia gallery calibrate "
        "--rule {}",
        to_string(calibration->rule), to_string(*rule), to_string(*rule));
    return choice;
  }
  if (!calibration->model.empty() && !info.model.empty() && calibration->model != info.model) {
    choice.why_none = fmt::format(
        "the calibration from {} is of vectors of another model ({}, the gallery's is {})",
        calibration->set, quote(calibration->model, 16), quote(info.model, 16));
    return choice;
  }
  try {
    choice.policy = make_policy(*calibration, max_fpir.value_or(kDefaultFpir), subjects, fpir);
    choice.calibration = std::move(calibration);
  } catch (const Error& error) {
    if (max_fpir || error.code() != ErrorCode::unsupported) throw;
    choice.why_none = error.message() + "; " + error.hint() + " (--max-fpir)";
  }
  return choice;
}

void add_policy(Report& report, const Calibration& c, const OperatingPolicy& p) {
  report.scalar("calibration_set", c.set.empty() ? "not named" : c.set, "threshold comes from",
                fmt::format("{} genuine and {} impostor scores of {} subjects, rule {}", c.genuine,
                            c.impostor, c.subjects, to_string(c.rule)));
  report.scalar("max_fpir", p.max_fpir, "wanted FPIR", "false positive identification rate");
  report.scalar("subjects_searched", p.subjects, "subjects searched");
  report.scalar("pairwise_fmr", p.pairwise_fmr, "pairwise FMR needed",
                "were comparisons independent: 1 - (1 - FPIR)^(1 / subjects)");
  report.scalar("threshold", p.threshold, "threshold", "accepted means score >= threshold");
  report.scalar({.key = "observed_fmr",
                 .label = "FMR of the calibration there",
                 .value = p.observed_fmr,
                 .interval = p.fmr_interval});
  report.scalar({.key = "expected_fpir",
                 .label = "FPIR expected there",
                 .value = p.expected_fpir,
                 .interval = p.fpir_interval,
                 .note = p.rule == FpirRule::per_probe ? "share of the calibration's probes"
                                                       : "comparisons taken as independent"});
  report.scalar("expected_fnmr", p.fnmr, "FNMR of the calibration there");
  for (const std::string& warning : p.warnings) report.warning(warning);
}

OperatingPolicy pairwise_policy(Gallery& gallery, double max_fmr) {
  const std::optional<Calibration> calibration = gallery.calibration();
  if (!calibration) {
    throw Error(ErrorCode::invalid_argument,
                "there is no threshold: the gallery has no calibration to take one from",
                "give --threshold, or run sosia gallery calibrate " + gallery.info().place);
  }
  return make_policy(*calibration, max_fmr, 1, FpirRule::independent);
}

}  // namespace sosia::gallery

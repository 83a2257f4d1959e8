#include "sosia/gallery/policy.hpp"

#include "sosia/core/error.hpp"
#include "sosia/core/text.hpp"

#include <utility>

#include <fmt/format.h>

namespace sosia::gallery {

PolicyChoice choose_policy(std::optional<Calibration> calibration, const GalleryInfo& info,
                           std::optional<SubjectRule> rule, std::optional<double> max_fpir,
                           std::uint64_t subjects, FpirRule fpir) {
  PolicyChoice choice;
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

#pragma once
// Genuine and impostor scores of a gallery's own templates, or of labelled probes.

#include "sosia/core/run.hpp"
#include "sosia/gallery/decision.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace sosia::gallery {

class Gallery;

struct CalibrateOptions {
  SubjectRule rule = SubjectRule::mean_top3;
  /// Probes are drawn from the templates at random: one of each subject first, then a second one.
  std::size_t probes = 2000;
  /// A gallery with more templates is represented by a random part of its subjects.
  std::size_t templates = 131'072;
};

/// Probes whose subject is known. One that is not enrolled gives impostor scores only.
struct LabelledProbes {
  std::span<const float> vectors = {};   ///< n x dimension
  std::vector<std::string> labels = {};  ///< n
  std::string tenant = {};
};

/// A calibration and what it was made from.
struct CalibrationRun {
  Calibration calibration = {};
  std::uint64_t subjects_enrolled = 0;  ///< in the gallery
  std::uint64_t subjects_used = 0;      ///< compared
  std::uint64_t templates_used = 0;
  std::uint64_t probes_enrolled = 0;  ///< templates, or labelled probes, that could have been used
  std::vector<double> genuine = {};   ///< scores, for histograms
  std::vector<double> impostor = {};  ///< an evenly thinned part
};

/// Calibrates on the gallery's own templates: a probe is compared with the other templates of its
/// subject (genuine: as a search would, had it not been enrolled) and with all other subjects
/// (impostor). Work is bounded by the options; what is drawn depends on the run's seed only.
/// Throws invalid_argument when there are fewer than two subjects or no subject with two templates.
CalibrationRun calibrate_gallery(Gallery& gallery, const CalibrateOptions& options,
                                 RunContext& run);

/// Calibrates on labelled probes against the enrolled templates. Throws invalid_argument as above,
/// and for a wrong dimension or NaN.
CalibrationRun calibrate_probes(Gallery& gallery, const LabelledProbes& probes,
                                const CalibrateOptions& options, RunContext& run);

}  // namespace sosia::gallery

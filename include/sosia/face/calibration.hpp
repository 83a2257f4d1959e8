#pragma once
// Calibration of an embedder on faces whose subjects are known, and the record that a card carries.

#include "sosia/core/run.hpp"
#include "sosia/face/pipeline.hpp"
#include "sosia/gallery/decision.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace sosia::face {

/// What the card of the pipeline's embedder says about its scores.
struct CardCalibration {
  gallery::Calibration calibration = {};
  /// The record was fitted with other parts (detector, alignment, precision) than this pipeline's;
  /// "" when it fits. For people.
  std::string warning = {};
};

/// The calibration of the pipeline's embedder card, or nothing when the card has none. Throws
/// corrupt_data when the record is damaged, invalid_argument without embedder.
std::optional<CardCalibration> card_calibration(const FacePipeline& pipeline);

/// Labelled faces: n vectors and the subject of each.
struct LabelledFaces {
  std::size_t dimension = 0;
  std::vector<float> vectors = {};           ///< n x dimension, length 1
  std::vector<std::uint32_t> subjects = {};  ///< n, numbered from 0
};

/// Fits a calibration for comparisons of one probe with one template: every face is a probe against
/// every other face, each of which stands for a subject with a single template. That is the case of
/// `face verify`. A gallery whose subjects have several templates gives a probe more chances: ask
/// `gallery::make_policy` for as many "subjects" as there are templates, and the promised rate
/// holds under the rule `maximum`. Throws invalid_argument for fewer than two subjects or no
/// subject with two faces.
gallery::Calibration calibrate_faces(const LabelledFaces& faces, const std::string& set,
                                     const std::string& model_hash);

/// The same as a card carries it: the curve alone. Scores have five decimals, of the impostor
/// scores the 2000 highest are kept, and what each came from is left out: cards are calibrated on
/// sets of some tens of subjects, which by the per-probe rule support no rate worth having (40 of
/// them 0.07). So `gallery::make_policy` takes the comparisons as independent, and says so in its
/// warnings.
gallery::Calibration calibrate_card(const LabelledFaces& faces, const std::string& set,
                                    const std::string& model_hash);

}  // namespace sosia::face

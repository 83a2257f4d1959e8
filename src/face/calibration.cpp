#include "sosia/face/calibration.hpp"

#include "sosia/core/error.hpp"
#include "sosia/core/value.hpp"

#include <algorithm>
#include <string>

#include <fmt/format.h>

namespace sosia::face {

std::optional<CardCalibration> card_calibration(const FacePipeline& pipeline) {
  const models::ModelCard& card = pipeline.embedder().card();
  if (card.calibration.empty()) return std::nullopt;
  CardCalibration out;
  out.calibration = gallery::calibration_from_value(
      parse_json(card.calibration, "calibration of the card " + card.name));
  if (!out.calibration.model.empty() && out.calibration.model != pipeline.model_hash()) {
    out.warning = "the calibration of the card " + card.name +
                  " was fitted with another detector, alignment or precision; probabilities are "
                  "less sure";
  }
  return out;
}

gallery::Calibration calibrate_faces(const LabelledFaces& faces, const std::string& set,
                                     const std::string& model_hash) {
  const std::size_t d = faces.dimension, n = faces.subjects.size();
  if (d == 0 || faces.vectors.size() != n * d) {
    throw Error(
        ErrorCode::invalid_argument,
        fmt::format("{} numbers are not {} faces of {} numbers", faces.vectors.size(), n, d));
  }
  const std::uint32_t subjects =
      n == 0 ? 0 : *std::max_element(faces.subjects.begin(), faces.subjects.end()) + 1;
  gallery::ScoreSample sample;
  sample.subjects = subjects;
  sample.probe_subjects = faces.subjects;
  // As a search scores subjects by the rule `maximum`: the best of a subject's other faces.
  std::vector<double> best(subjects);
  std::vector<bool> seen(subjects);
  for (std::size_t p = 0; p < n; ++p) {
    std::fill(seen.begin(), seen.end(), false);
    for (std::size_t t = 0; t < n; ++t) {
      if (t == p) continue;
      double sum = 0;
      for (std::size_t k = 0; k < d; ++k) {
        sum += double{faces.vectors[p * d + k]} * faces.vectors[t * d + k];
      }
      const std::uint32_t s = faces.subjects[t];
      best[s] = seen[s] ? std::max(best[s], sum) : sum;
      seen[s] = true;
    }
    for (std::uint32_t s = 0; s < subjects; ++s) {
      if (!seen[s]) continue;
      if (s == faces.subjects[p]) {
        sample.genuine.push_back(best[s]);
      } else {
        sample.impostor.push_back(best[s]);
        sample.impostor_probes.push_back(static_cast<std::uint32_t>(p));
      }
    }
  }
  gallery::Calibration out = gallery::fit_calibration(sample);
  out.set = set;
  out.model = model_hash;
  out.rule = gallery::SubjectRule::maximum;
  return out;
}

}  // namespace sosia::face

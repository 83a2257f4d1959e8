#include "sosia/face/calibration.hpp"

#include "sosia/core/error.hpp"
#include "sosia/core/value.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace sosia::face {

namespace {

/// Scores of all pairs. With `probes`, every face is a probe: impostor pairs count for both of
/// their faces; without, and for genuine pairs, a pair counts once.
gallery::ScoreSample compare_all(const LabelledFaces& faces, bool probes) {
  const std::size_t d = faces.dimension, n = faces.subjects.size();
  if (d == 0 || faces.vectors.size() != n * d) {
    throw Error(
        ErrorCode::invalid_argument,
        fmt::format("{} numbers are not {} faces of {} numbers", faces.vectors.size(), n, d));
  }
  gallery::ScoreSample sample;
  // Subjects without a face leave gaps, which a record may not have.
  std::map<std::uint32_t, std::uint32_t> numbers;
  for (const std::uint32_t subject : faces.subjects) numbers.emplace(subject, 0);
  for (std::uint32_t next = 0; auto& [subject, number] : numbers) number = next++;
  sample.subjects = numbers.size();
  if (probes) {
    for (const std::uint32_t subject : faces.subjects) {
      sample.probe_subjects.push_back(numbers.at(subject));
    }
  }
  for (std::size_t p = 0; p < n; ++p) {
    for (std::size_t t = 0; t < n; ++t) {
      const bool same = faces.subjects[p] == faces.subjects[t];
      if (t == p || (t < p && (same || !probes))) continue;
      double score = 0;
      for (std::size_t k = 0; k < d; ++k) {
        score += double{faces.vectors[p * d + k]} * faces.vectors[t * d + k];
      }
      (same ? sample.genuine : sample.impostor).push_back(score);
      if (!same && probes) sample.impostor_probes.push_back(static_cast<std::uint32_t>(p));
    }
  }
  return sample;
}

gallery::Calibration named(gallery::Calibration calibration, const std::string& set,
                           const std::string& model_hash) {
  calibration.set = set;
  calibration.model = model_hash;
  calibration.rule = gallery::SubjectRule::maximum;
  return calibration;
}

}  // namespace

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
  return named(gallery::fit_calibration(compare_all(faces, true)), set, model_hash);
}

gallery::Calibration calibrate_card(const LabelledFaces& faces, const std::string& set,
                                    const std::string& model_hash) {
  constexpr std::size_t kTail = 2000;
  const gallery::ScoreSample sample = compare_all(faces, false);
  gallery::Calibration out =
      gallery::fit_calibration(sample.genuine, sample.impostor, sample.subjects);
  const auto round = [](double& score) { score = std::round(score * 1e5) / 1e5; };
  std::for_each(out.impostor_tail.begin(), out.impostor_tail.end(), round);
  std::for_each(out.genuine_quantiles.begin(), out.genuine_quantiles.end(), round);
  std::vector<double>& tail = out.impostor_tail;
  if (tail.size() > kTail) {
    // Equal scores are in the tail together or not at all.
    const double dropped = tail[kTail];
    tail.resize(kTail);
    while (tail.size() > 1 && tail.back() <= dropped) tail.pop_back();
  }
  return named(std::move(out), set, model_hash);
}

}  // namespace sosia::face

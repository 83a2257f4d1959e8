#include "sosia/evaluate/attack.hpp"

#include "evaluate/checks.hpp"
#include "sosia/evaluate/roc.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_map>

#include <fmt/format.h>

namespace sosia::evaluate {

AttackRates attack_rates(std::span<const double> scores, std::span<const std::uint8_t> labels,
                         std::span<const std::uint32_t> instruments, std::size_t instrument_count,
                         double threshold) {
  require_same_size(scores.size(), "scores", labels.size(), "labels");
  if (!instruments.empty()) {
    require_same_size(scores.size(), "scores", instruments.size(), "instruments");
  }
  require_some(instrument_count, "attack instruments");
  require_finite(scores, "scores");
  require_binary(labels);
  if (std::isnan(threshold)) refuse("the threshold is NaN");

  std::vector<std::size_t> attacks(instrument_count), accepted(instrument_count);
  std::size_t bona_fide = 0, rejected = 0;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const bool accept = scores[i] >= threshold;
    if (labels[i] == 1) {
      ++bona_fide;
      rejected += accept ? 0 : 1;
      continue;
    }
    const std::size_t instrument = instruments.empty() ? 0 : instruments[i];
    if (instrument >= instrument_count) {
      refuse(fmt::format("instrument {} of presentation {} is not below {}", instrument, i,
                         instrument_count));
    }
    ++attacks[instrument];
    accepted[instrument] += accept ? 1 : 0;
  }
  require_some(bona_fide, "bona fide presentations", "give at least one with label 1");
  require_some(scores.size() - bona_fide, "attack presentations", "give at least one with label 0");

  AttackRates rates{threshold, {}, 0.0, 0.0, 0.0, 0.0, 0.0};
  std::size_t all_accepted = 0;
  for (std::size_t k = 0; k < instrument_count; ++k) {
    all_accepted += accepted[k];
    if (attacks[k] == 0) {
      rates.apcer_by_instrument.push_back(std::numeric_limits<double>::quiet_NaN());
      continue;
    }
    const double apcer = static_cast<double>(accepted[k]) / static_cast<double>(attacks[k]);
    rates.apcer_by_instrument.push_back(apcer);
    rates.apcer = std::max(rates.apcer, apcer);
  }
  rates.far = static_cast<double>(all_accepted) / static_cast<double>(scores.size() - bona_fide);
  rates.bpcer = static_cast<double>(rejected) / static_cast<double>(bona_fide);
  rates.acer = (rates.apcer + rates.bpcer) / 2.0;
  rates.hter = (rates.far + rates.bpcer) / 2.0;
  return rates;
}

double eer_threshold(std::span<const double> scores, std::span<const std::uint8_t> labels) {
  return Roc(split_scores(scores, labels)).eer(EerRule::nearest).threshold;
}

ClipScores average_clips(std::span<const double> scores, std::span<const std::uint8_t> labels,
                         std::span<const std::uint32_t> instruments,
                         std::span<const std::uint32_t> clips) {
  require_same_size(scores.size(), "scores", labels.size(), "labels");
  require_same_size(scores.size(), "scores", clips.size(), "clips");
  if (!instruments.empty()) {
    require_same_size(scores.size(), "scores", instruments.size(), "instruments");
  }
  require_finite(scores, "scores");
  ClipScores result;
  std::vector<long double> sums;  // of the largest finite scores as well
  std::vector<std::size_t> frames;
  std::unordered_map<std::uint32_t, std::size_t> place_of;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const std::uint32_t instrument = instruments.empty() ? 0 : instruments[i];
    const auto [entry, added] = place_of.try_emplace(clips[i], sums.size());
    const std::size_t place = entry->second;
    if (added) {
      sums.push_back(0.0L);
      result.labels.push_back(labels[i]);
      result.instruments.push_back(instrument);
      result.first_row.push_back(i);
      frames.push_back(0);
    } else if (result.labels[place] != labels[i] || result.instruments[place] != instrument) {
      refuse(fmt::format("frames {} and {} belong to one clip but differ in label or instrument",
                         result.first_row[place], i),
             "give every clip one label and one instrument");
    }
    sums[place] += scores[i];
    ++frames[place];
  }
  for (std::size_t place = 0; place < frames.size(); ++place) {
    result.scores.push_back(
        static_cast<double>(sums[place] / static_cast<long double>(frames[place])));
  }
  return result;
}

}  // namespace sosia::evaluate

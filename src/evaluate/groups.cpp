// Verification rates per group of people; see verification.hpp.

#include "evaluate/checks.hpp"
#include "sosia/evaluate/verification.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace sosia::evaluate {
namespace {

std::vector<double> defined(std::span<const GroupRates> rates, double GroupRates::* figure) {
  std::vector<double> values;
  for (const GroupRates& rate : rates) {
    if (!std::isnan(rate.*figure)) values.push_back(rate.*figure);
  }
  return values;
}

double share(std::size_t part, std::size_t whole) {
  return static_cast<double>(part) / static_cast<double>(whole);
}

GroupRates rates_of(ScoreSet scores, double threshold, double far_target) {
  GroupRates rates;
  rates.genuine = scores.genuine.size();
  rates.impostor = scores.impostor.size();
  const auto accepted = [&](const std::vector<double>& list) {
    return static_cast<std::size_t>(
        std::count_if(list.begin(), list.end(), [&](double score) { return score >= threshold; }));
  };
  if (rates.genuine > 0) rates.fnmr = 1.0 - share(accepted(scores.genuine), rates.genuine);
  if (rates.impostor > 0) rates.fmr = share(accepted(scores.impostor), rates.impostor);
  if (rates.genuine > 0 && rates.impostor > 0) {
    const Roc roc(std::move(scores));
    rates.auc = roc.auc();
    rates.eer = roc.eer().rate;
    rates.tar = roc.at_far(far_target, AtRule::not_above).tar;
  }
  return rates;
}

}  // namespace

std::vector<GroupRates> group_rates(std::span<const double> scores,
                                    std::span<const std::uint8_t> labels,
                                    std::span<const std::uint32_t> groups, std::size_t group_count,
                                    double threshold, double far_target) {
  require_same_size(scores.size(), "scores", labels.size(), "labels");
  require_same_size(scores.size(), "scores", groups.size(), "groups");
  require_finite(scores, "scores");
  require_binary(labels);
  require_unit_interval(far_target, "target FAR");
  std::vector<ScoreSet> sets(group_count);
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (groups[i] >= group_count) {
      refuse(fmt::format("group {} of comparison {} is not below {}", groups[i], i, group_count));
    }
    ScoreSet& set = sets[groups[i]];
    (labels[i] == 1 ? set.genuine : set.impostor).push_back(scores[i]);
  }
  std::vector<GroupRates> rates;
  for (ScoreSet& set : sets) rates.push_back(rates_of(std::move(set), threshold, far_target));
  return rates;
}

GroupGap group_gap(std::span<const GroupRates> rates) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  GroupGap gap{kNan, kNan, kNan, kNan};
  const auto range = [](const std::vector<double>& values) {
    return std::minmax_element(values.begin(), values.end());
  };
  if (const auto fnmr = defined(rates, &GroupRates::fnmr); fnmr.size() > 1) {
    const auto [low, high] = range(fnmr);
    gap.fnmr_difference = *high - *low;
  }
  if (const auto fmr = defined(rates, &GroupRates::fmr); fmr.size() > 1) {
    const auto [low, high] = range(fmr);
    gap.fmr_ratio = *high == *low ? 1.0 : *high / *low;
  }
  if (const auto eer = defined(rates, &GroupRates::eer); eer.size() > 1) {
    const auto [low, high] = range(eer);
    gap.eer_difference = *high - *low;
    gap.eer_std = std::sqrt(moments(eer).variance);
  }
  return gap;
}

}  // namespace sosia::evaluate

#include "sosia/evaluate/ranking.hpp"

#include "evaluate/checks.hpp"
#include "sosia/core/rng.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include <fmt/format.h>

namespace sosia::evaluate {
namespace {

void check_matrix(std::span<const float> distances, std::size_t queries, std::size_t gallery) {
  require_some(queries, "queries");
  require_some(gallery, "gallery items");
  if (distances.size() / gallery != queries || distances.size() % gallery != 0) {
    refuse(fmt::format("{} distances are not {} rows of {}", distances.size(), queries, gallery));
  }
  for (std::size_t i = 0; i < distances.size(); ++i) {
    if (std::isnan(distances[i])) {
      refuse(fmt::format("the distance of query {} to gallery item {} is NaN", i / gallery,
                         i % gallery));
    }
  }
}

// Gallery indices by (distance, index).
std::vector<std::uint32_t> rank_row(std::span<const float> row) {
  std::vector<std::uint32_t> order(row.size());
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return row[a] != row[b] ? row[a] < row[b] : a < b;
  });
  return order;
}

}  // namespace

std::optional<QueryScore> score_ranking(std::span<const Relevance> ranked) {
  QueryScore score{0.0, 0.0, 0.0, 0, 0};
  std::size_t rank = 0, last_hit = 0;
  for (Relevance item : ranked) {
    if (item == Relevance::junk) continue;
    ++rank;
    if (item != Relevance::correct) continue;
    const auto before = static_cast<double>(score.correct);
    ++score.correct;
    const double precision = static_cast<double>(score.correct) / static_cast<double>(rank);
    const double old_precision = rank == 1 ? 1.0 : before / static_cast<double>(rank - 1);
    score.ap += precision;
    score.ap_trapezoid += (old_precision + precision) / 2.0;
    if (score.first_hit == 0) score.first_hit = rank;
    last_hit = rank;
  }
  if (score.correct == 0) return std::nullopt;
  const auto correct = static_cast<double>(score.correct);
  score.ap /= correct;
  score.ap_trapezoid /= correct;
  score.inp = correct / static_cast<double>(last_hit);
  return score;
}

RankingAccumulator::RankingAccumulator(std::size_t ranks) {
  if (ranks == 0) refuse("a CMC needs at least 1 rank");
  sums_.cmc.assign(ranks, 0.0);
}

std::optional<QueryScore> RankingAccumulator::add(std::span<const Relevance> ranked) {
  const std::optional<QueryScore> score = score_ranking(ranked);
  if (!score) {
    ++sums_.skipped;
    return score;
  }
  ++sums_.queries;
  sums_.map += score->ap;
  sums_.map_trapezoid += score->ap_trapezoid;
  sums_.minp += score->inp;
  if (score->first_hit <= sums_.cmc.size()) sums_.cmc[score->first_hit - 1] += 1.0;
  return score;
}

RankingScore RankingAccumulator::result() const {
  require_some(sums_.queries, "queries with a correct item",
               "check that query and item subjects use the same names, and the camera rule");
  RankingScore score = sums_;
  const auto count = static_cast<double>(score.queries);
  score.map /= count;
  score.map_trapezoid /= count;
  score.minp /= count;
  std::partial_sum(score.cmc.begin(), score.cmc.end(), score.cmc.begin());
  for (double& rate : score.cmc) rate /= count;
  return score;
}

Relevance relevance(const Sighting& query, const Sighting& item, const RankingRule& rule) {
  if (item.subject == rule.junk_subject) return Relevance::junk;
  if (item.subject != query.subject) return Relevance::wrong;
  if (rule.junk == JunkRule::none) return Relevance::correct;
  if (item.camera == query.camera) return Relevance::junk;
  const bool other_clothes = item.clothes != query.clothes;
  if (rule.junk == JunkRule::clothes_changing && !other_clothes) return Relevance::junk;
  if (rule.junk == JunkRule::same_clothes && other_clothes) return Relevance::junk;
  return Relevance::correct;
}

RankingScore evaluate_ranking(std::span<const float> distances, std::span<const Sighting> queries,
                              std::span<const Sighting> gallery, const RankingRule& rule) {
  check_matrix(distances, queries.size(), gallery.size());
  RankingAccumulator accumulator(rule.ranks);
  std::vector<Relevance> ranked(gallery.size());
  for (std::size_t q = 0; q < queries.size(); ++q) {
    const auto order = rank_row(distances.subspan(q * gallery.size(), gallery.size()));
    std::transform(order.begin(), order.end(), ranked.begin(),
                   [&](std::uint32_t item) { return relevance(queries[q], gallery[item], rule); });
    accumulator.add(ranked);
  }
  return accumulator.result();
}

RankingScore evaluate_single_shot(std::span<const float> distances,
                                  std::span<const Sighting> queries,
                                  std::span<const Sighting> gallery, const RankingRule& rule,
                                  std::size_t repeats, std::uint64_t seed) {
  check_matrix(distances, queries.size(), gallery.size());
  require_some(repeats, "repeats");
  RankingAccumulator accumulator(rule.ranks);
  std::vector<double> hits(rule.ranks, 0.0);
  std::vector<Relevance> ranked(gallery.size());
  for (std::size_t q = 0; q < queries.size(); ++q) {
    const auto order = rank_row(distances.subspan(q * gallery.size(), gallery.size()));
    std::map<std::int64_t, std::vector<std::size_t>> places;  // of each subject, junk left out
    for (std::size_t place = 0; place < order.size(); ++place) {
      ranked[place] = relevance(queries[q], gallery[order[place]], rule);
      if (ranked[place] == Relevance::junk) continue;
      places[gallery[order[place]].subject].push_back(place);
    }
    if (!accumulator.add(ranked)) continue;
    for (std::size_t repeat = 0; repeat < repeats; ++repeat) {
      RandomStream stream(seed, "single-shot", q * repeats + repeat);
      std::size_t own = 0;
      std::vector<std::size_t> drawn;
      for (const auto& [subject, of_subject] : places) {
        drawn.push_back(of_subject[stream.below(of_subject.size())]);
        if (subject == queries[q].subject) own = drawn.back();
      }
      const auto rank = static_cast<std::size_t>(std::count_if(
          drawn.begin(), drawn.end(), [&](std::size_t place) { return place < own; }));
      if (rank < hits.size()) hits[rank] += 1.0;
    }
  }
  RankingScore score = accumulator.result();
  std::partial_sum(hits.begin(), hits.end(), score.cmc.begin());
  for (double& rate : score.cmc) rate /= static_cast<double>(score.queries * repeats);
  return score;
}

}  // namespace sosia::evaluate

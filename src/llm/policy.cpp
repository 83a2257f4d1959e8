#include "sosia/llm/policy.hpp"

#include "sosia/core/error.hpp"

#include <algorithm>
#include <cmath>
#include <queue>
#include <string>

namespace sosia::llm {

namespace {

/// Steps without a draft before one is drafted to see what it costs.
constexpr std::size_t kFirstUnprobed = 8, kMostUnprobed = 64;

constexpr std::size_t kMatchBuckets = 6, kShareBuckets = 5, kDepthBuckets = 3;

std::size_t shape_index(std::size_t n) {
  const auto at = std::upper_bound(kShapes.begin(), kShapes.end(), n);
  return static_cast<std::size_t>(at - kShapes.begin()) - (at == kShapes.begin() ? 0 : 1);
}

/// The length of the match as far as the node: its ancestors were accepted, so they agree too.
std::size_t match_bucket(const Candidate& c) {
  const std::size_t m = c.match_length + c.depth - 1u;
  return m < 2 ? 0 : m < 4 ? 1 : m < 8 ? 2 : m < 16 ? 3 : m < 32 ? 4 : 5;
}

std::size_t share_bucket(const Candidate& c) {
  if (c.share >= 0.95f) return c.support >= 3 ? 0 : 1;
  return c.share >= 0.5f ? 2 : c.share >= 0.2f ? 3 : 4;
}

std::size_t depth_bucket(const Candidate& c) {
  return c.depth == 1 ? 0 : c.depth <= 4 ? 1 : 2;
}

double middle(double x, double low, double high) {
  return std::clamp(x, low, high);
}

}  // namespace

// --- step cost

StepCost::StepCost(std::vector<CostCurve> curves) : curves_(std::move(curves)) {
  own_.fill(1);
  const auto bad = [](const std::string& what) {
    throw Error(ErrorCode::invalid_argument, "a profile of step costs " + what);
  };
  if (curves_.empty()) bad("needs a curve");
  for (const CostCurve& curve : curves_) {
    if (curve.points.empty() || curve.points.front().first != 1) bad("begins at n = 1");
    for (std::size_t i = 0; i < curve.points.size(); ++i) {
      const auto [n, ms] = curve.points[i];
      if (!(ms > 0) || !std::isfinite(ms)) bad("holds positive times");
      if (i > 0 && n <= curve.points[i - 1].first) bad("has ascending n");
    }
  }
}

StepCost StepCost::flat(double ms) {
  return StepCost({{0, {{1, ms}, {64, ms}}}});
}

double StepCost::profiled(std::size_t n, std::size_t context) const {
  const CostCurve* curve = &curves_.front();
  const auto away = [&](const CostCurve& c) {
    return c.context > context ? c.context - context : context - c.context;
  };
  for (const CostCurve& c : curves_) {
    if (away(c) < away(*curve)) curve = &c;
  }
  const auto& points = curve->points;
  if (points.size() == 1) return points[0].second * static_cast<double>(n);
  std::size_t i = 1;
  while (i + 1 < points.size() && points[i].first < n) ++i;
  const auto [n0, t0] = points[i - 1];
  const auto [n1, t1] = points[i];
  const double slope = (t1 - t0) / static_cast<double>(n1 - n0);
  return std::max(t0 * 1e-3, t0 + slope * (static_cast<double>(n) - static_cast<double>(n0)));
}

/// The factor of a shape, or of the nearest smaller one that was tried, else of the nearest larger.
double StepCost::own_of(std::size_t n) const {
  const std::size_t at = shape_index(n);
  for (std::size_t i = at + 1; i-- > 1;) {
    if (seen_[i] > 0) return own_[i];
  }
  for (std::size_t i = at + 1; at > 0 && i < seen_.size(); ++i) {
    if (seen_[i] > 0) return own_[i];
  }
  return own_[at];
}

double StepCost::ms(std::size_t n, std::size_t context) const {
  return profiled(n, context) * load_ * own_of(n);
}

void StepCost::observe(std::size_t n, std::size_t context, double ms) {
  if (!(ms > 0)) return;
  // In logarithms and cut: one step that the machine was taken away from must not move the curve
  // far.
  const auto off = [&] {
    return middle(std::log(ms / (profiled(n, context) * load_ * own_of(n))), -1, 1);
  };
  if (const std::size_t at = shape_index(n); at > 0) {
    own_[at] = own_of(n);
    const double rate = std::max(0.03, 0.5 / (1 + static_cast<double>(seen_[at])));
    own_[at] = middle(own_[at] * std::exp(rate * off()), 0.1, 10);
    ++seen_[at];
  }
  load_ *= std::exp(0.1 * off());
}

// --- acceptance

AcceptanceModel::AcceptanceModel()
    : cells_(kSources * kMatchBuckets * kShareBuckets * kDepthBuckets) {
  constexpr std::array<double, kMatchBuckets> kByMatch{0.15, 0.35, 0.55, 0.7, 0.8, 0.85};
  constexpr std::array<double, kShareBuckets> kByShare{1.1, 1.0, 0.7, 0.35, 0.12};
  constexpr double kWorth = 6;
  for (std::size_t i = 0; i < cells_.size(); ++i) {
    const std::size_t share = i / kDepthBuckets % kShareBuckets,
                      match = i / (kDepthBuckets * kShareBuckets) % kMatchBuckets,
                      source = i / (kDepthBuckets * kShareBuckets * kMatchBuckets);
    const bool forced = source == static_cast<std::size_t>(Source::grammar);
    const double p = forced ? 0.98 : std::min(0.95, kByMatch[match] * kByShare[share]);
    cells_[i] = {static_cast<float>(kWorth * p), static_cast<float>(kWorth)};
  }
}

std::size_t AcceptanceModel::index_of(const Candidate& c) {
  return ((static_cast<std::size_t>(c.source) * kMatchBuckets + match_bucket(c)) * kShareBuckets +
          share_bucket(c)) *
             kDepthBuckets +
         depth_bucket(c);
}

double AcceptanceModel::probability(const Candidate& candidate) const {
  const Cell& cell = cells_[index_of(candidate)];
  return static_cast<double>(cell.accepted) / static_cast<double>(cell.trials);
}

void AcceptanceModel::observe(const Candidate& candidate, bool accepted) {
  constexpr float kMostTrials = 200;
  Cell& cell = cells_[index_of(candidate)];
  const double error = probability(candidate) - (accepted ? 1 : 0);
  squares_ += error * error;
  ++observations_;
  cell.trials += 1;
  if (accepted) cell.accepted += 1;
  if (cell.trials > kMostTrials) {
    const float scale = kMostTrials / cell.trials;
    cell.trials *= scale;
    cell.accepted *= scale;
  }
}

std::pair<double, std::uint64_t> AcceptanceModel::brier() const noexcept {
  return {observations_ == 0 ? 0 : squares_ / static_cast<double>(observations_), observations_};
}

// --- choice

std::size_t Draft::leaves() const {
  std::vector<bool> has_child(nodes.size(), false);
  for (const Candidate& c : nodes) {
    if (c.parent >= 0) has_child[static_cast<std::size_t>(c.parent)] = true;
  }
  return static_cast<std::size_t>(std::count(has_child.begin(), has_child.end(), false));
}

bool Draft::is_chain() const {
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    if (nodes[i].parent != static_cast<std::int32_t>(i) - 1) return false;
  }
  return true;
}

DraftPolicy::DraftPolicy(PolicyOptions options, StepCost cost)
    : options_(options),
      cost_(std::move(cost)),
      required_(options.margin),
      probe_every_(kFirstUnprobed) {}

namespace {

struct Ranked {
  double q;
  std::size_t node;
  /// Higher probability first; among equals the one that was added first.
  bool operator<(const Ranked& o) const { return q != o.q ? q < o.q : node > o.node; }
};

/// The most probable nodes, parents before children, within `most` nodes and `leaves` branches.
std::vector<Ranked> rank(const CandidateTree& tree, const AcceptanceModel& model, std::size_t most,
                         std::size_t leaves) {
  const std::size_t count = tree.nodes.size();
  std::vector<std::int32_t> first(count + 1, -1), next(count, -1);
  for (std::size_t i = count; i-- > 0;) {
    std::int32_t& head = first[static_cast<std::size_t>(tree.nodes[i].parent + 1)];
    next[i] = head;
    head = static_cast<std::int32_t>(i);
  }
  std::priority_queue<Ranked> open;
  const auto push_children = [&](std::size_t slot, double q) {
    for (std::int32_t i = first[slot]; i >= 0; i = next[static_cast<std::size_t>(i)]) {
      const auto node = static_cast<std::size_t>(i);
      open.push({q * model.probability(tree.nodes[node]), node});
    }
  };
  std::vector<Ranked> chosen;
  std::vector<bool> has_child(count + 1, false);
  std::size_t ends = 1;  // the root is a leaf
  push_children(0, 1);
  while (!open.empty() && chosen.size() < most) {
    const Ranked best = open.top();
    open.pop();
    if (best.q < 1e-3) break;
    const auto parent = static_cast<std::size_t>(tree.nodes[best.node].parent + 1);
    if (has_child[parent]) {
      if (ends >= leaves) continue;
      ++ends;
    }
    has_child[parent] = true;
    chosen.push_back(best);
    push_children(best.node + 1, best.q);
  }
  return chosen;
}

}  // namespace

Draft DraftPolicy::choose(const CandidateTree& candidates, std::size_t context, std::size_t room) {
  Draft draft;
  const std::size_t most = std::min({room, options_.max_nodes, kShapes.back() - 1});
  if (!options_.enabled || most == 0 || candidates.nodes.empty()) return draft;
  const std::vector<Ranked> ranked =
      rank(candidates, acceptance_, most, std::max<std::size_t>(options_.max_leaves, 1));
  const double plain = cost_.ms(1, context);
  std::size_t best = options_.adaptive ? 0 : ranked.size();
  double best_gain = required_, expected = 1;
  std::size_t used = 0;
  for (const std::size_t n : kShapes) {
    if (n == 1 || n - 1 > ranked.size() || !options_.adaptive) continue;
    for (; used < n - 1; ++used) expected += ranked[used].q;
    const double gain = expected * plain / cost_.ms(n, context);
    if (gain > best_gain) {
      best_gain = gain;
      best = n - 1;
    }
  }
  // A profile that was measured on a busy machine may say that nothing ever pays. Now and then what
  // is likely is drafted all the same, so that the cost of it is seen: soon at first, seldom later.
  constexpr double kLikely = 0.7;
  if (best == 0 && options_.adaptive && ++unprobed_ >= probe_every_ && !ranked.empty() &&
      ranked[0].q >= kLikely) {
    unprobed_ = 0;
    probe_every_ = std::min(2 * probe_every_, kMostUnprobed);
    best = ranked.size() >= 3 && ranked[2].q >= kLikely ? 3 : 1;
  }
  if (best == 0) return draft;
  std::vector<std::int32_t> place(candidates.nodes.size() + 1, -1);
  for (std::size_t i = 0; i < best; ++i) {
    Candidate c = candidates.nodes[ranked[i].node];
    c.parent = place[static_cast<std::size_t>(c.parent + 1)];
    place[ranked[i].node + 1] = static_cast<std::int32_t>(i);
    draft.nodes.push_back(c);
  }
  draft.expected_gain = best_gain;
  return draft;
}

std::optional<std::int32_t> DraftPolicy::follow(const CandidateTree& tree, std::int32_t at,
                                                std::span<const Token> emitted) {
  const auto& nodes = tree.nodes;
  for (const Token token : emitted) {
    std::int32_t accepted = -1;
    for (std::size_t i = static_cast<std::size_t>(at + 1); i < nodes.size(); ++i) {
      if (nodes[i].parent != at) continue;
      const bool right = nodes[i].token == token;
      acceptance_.observe(nodes[i], right);
      if (right) accepted = static_cast<std::int32_t>(i);
    }
    if (accepted < 0) return std::nullopt;
    at = accepted;
  }
  return at;
}

void DraftPolicy::learn(const CandidateTree& candidates, const Draft& draft,
                        std::span<const Token> emitted, std::size_t context, double ms) {
  const auto end = follow(candidates, -1, emitted);
  if (!shadow_.nodes.empty()) {
    const auto at = follow(shadow_, shadow_at_, emitted);
    if (at) {
      shadow_at_ = *at;
    } else {
      shadow_.clear();
    }
  } else if (end) {
    shadow_ = candidates;
    shadow_at_ = *end;
  }
  if (!(ms > 0)) return;
  const std::size_t n = draft.nodes.size() + 1;
  cost_.observe(n, context, ms);
  if (n == 1) {
    // Time heals: drafts that did not pay for a while are tried again.
    required_ += 0.01 * (options_.margin - required_);
    return;
  }
  // Did the drafts of late pay, in time that was measured and not promised?
  constexpr double kForget = 0.95;
  won_tokens_ms_ =
      kForget * won_tokens_ms_ + static_cast<double>(emitted.size()) * cost_.ms(1, context);
  spent_ms_ = kForget * spent_ms_ + ms;
  if (won_tokens_ms_ < spent_ms_) {
    required_ = std::min(required_ * 1.03, 4.0);
  } else {
    required_ += 0.1 * (options_.margin - required_);
  }
}

void DraftPolicy::begin() {
  shadow_.clear();
}

}  // namespace sosia::llm

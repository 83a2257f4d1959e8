// The claim of template_method, and what `sosia reproduce template_method` runs. The rule is
// written before the run and never fitted to its outcome.

#include "sosia/core/claim.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/registry.hpp"
#include "template_room/methods/template_method/template_method.hpp"

#include <cmath>

namespace sosia::template_room::template_method {

namespace {

constexpr double kMargin = 0.05;
constexpr const char* kRule =
    "shown: for every seed the accuracy of the method is at least 0.05 above that of the ablation "
    "and of the control; tied with control: its mean is less than 0.05 above the control's; "
    "otherwise not shown here";
/// One model that was trained on shuffled labels is right by luck half of the time; the mean over
/// several is not.
constexpr int kShuffles = 20;

ClaimRow make_row(std::string arm, ArmRole role, const std::vector<double>& values,
                  const std::vector<std::uint64_t>& seeds) {
  const auto n = static_cast<double>(values.size());
  double mean = 0, square = 0;
  for (const double v : values) mean += v / n;
  for (const double v : values) square += (v - mean) * (v - mean);
  const double spread = values.size() > 1 ? std::sqrt(square / (n - 1)) : 0;
  return {.arm = std::move(arm),
          .role = role,
          .metrics = {{"accuracy", mean}},
          .spreads = {{"accuracy", spread}},
          .seeds = seeds};
}

double shuffled_accuracy(const Points& train, const Points& test, const Options& options,
                         RandomStream stream) {
  Points shuffled = train;
  double sum = 0;
  for (int i = 0; i < kShuffles; ++i) {
    stream.shuffle(std::span(shuffled.y));
    sum += accuracy(NearestMean(shuffled, options.standardise), test);
  }
  return sum / kShuffles;
}

ClaimVerdict judge(const std::vector<double>& method, const std::vector<double>& ablation,
                   const std::vector<double>& control) {
  bool shown = true;
  double above_control = 0;
  for (std::size_t i = 0; i < method.size(); ++i) {
    shown = shown && method[i] >= ablation[i] + kMargin && method[i] >= control[i] + kMargin;
    above_control += (method[i] - control[i]) / static_cast<double>(method.size());
  }
  if (shown) return ClaimVerdict::shown;
  return above_control < kMargin ? ClaimVerdict::tied_with_control : ClaimVerdict::not_shown_here;
}

ClaimResult run_claim(const ClaimOptions& claim, RunContext& run) {
  if (!claim.data.empty()) {
    throw Error(ErrorCode::usage, "the claim of template_method takes no data of yours",
                "leave --data out: it draws its points itself");
  }
  Options options;
  if (claim.quick) options.test_per_class = 200;
  const auto per_class = static_cast<std::size_t>(options.train_per_class);
  const auto test_per_class = static_cast<std::size_t>(options.test_per_class);
  const auto count = static_cast<std::uint64_t>(claim.seeds);
  std::vector<double> method, ablation, control;
  std::vector<std::uint64_t> seeds;
  for (std::uint64_t i = 0; i < count; ++i) {
    run.progress("seeds", i, count);
    const std::uint64_t seed = derive_seed(run.seed(), "template_method", i);
    const Points train = draw_clouds(options, per_class, RandomStream(seed, "train"));
    const Points test = draw_clouds(options, test_per_class, RandomStream(seed, "test"));
    method.push_back(accuracy(NearestMean(train, true), test));
    ablation.push_back(accuracy(NearestMean(train, false), test));
    control.push_back(shuffled_accuracy(train, test, options, RandomStream(seed, "shuffle")));
    seeds.push_back(seed);
  }
  const std::vector<double> oracle(method.size(), bayes_accuracy(options));
  return {.rows = {make_row("nearest mean, standardised", ArmRole::method, method, seeds),
                   make_row("without standardisation", ArmRole::ablation, ablation, seeds),
                   make_row("trained on shuffled labels", ArmRole::control, control, seeds),
                   make_row("best possible rule", ArmRole::oracle, oracle, seeds)},
          .verdict = judge(method, ablation, control),
          .data_used = "two Gaussian clouds, drawn by the claim itself"};
}

}  // namespace

void register_method(Registry& registry) {
  registry.add(Claim{.method = "template_method",
                     .room = "template_room",
                     .title = "coordinates of unequal scale must be standardised before the "
                              "nearest mean is taken",
                     .rule = kRule,
                     .run = run_claim});
}

}  // namespace sosia::template_room::template_method

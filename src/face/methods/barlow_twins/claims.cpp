// The claim of Barlow Twins, and what `sosia reproduce barlow_twins` runs. The rule is written
// before the run.
//
// The paper's figures are of ImageNet: linear probe 71.4 with both terms, 57.3 with the invariance
// term alone, 0.1 with the redundancy term alone (300 epochs). What is tested here is that order,
// on faces of people that were never seen.

#include "face/methods/barlow_twins/arms.hpp"
#include "face/methods/barlow_twins/barlow_twins.hpp"
#include "sosia/core/claim.hpp"
#include "sosia/core/registry.hpp"

#include <cmath>
#include <cstdlib>
#include <filesystem>

namespace sosia::face::barlow_twins {

namespace {

namespace fs = std::filesystem;

constexpr double kMargin = 0.02;
constexpr double kShare = 0.8;
constexpr const char* kRule =
    "shown: the mean rank-1 rate of both terms together is at least 0.02 above that of pixels, of "
    "principal "
    "components, of the untrained network and of either term alone, and it is above each of them "
    "in at least "
    "four fifths of all folds and seeds; tied with control: its mean is less than 0.02 above the "
    "untrained "
    "network's; otherwise not shown here";

struct Row {
  const char* arm;
  ArmRole role;
  Figures ArmFigures::* member;
};
constexpr Row kRows[] = {
    {"both terms", ArmRole::method, &ArmFigures::full},
    {"invariance term alone", ArmRole::ablation, &ArmFigures::invariance},
    {"redundancy term alone", ArmRole::ablation, &ArmFigures::redundancy},
    {"untrained network", ArmRole::control, &ArmFigures::untrained},
    {"pixels", ArmRole::control, &ArmFigures::pixels},
    {"60 principal components", ArmRole::control, &ArmFigures::pca},
    {"the same network with labels", ArmRole::oracle, &ArmFigures::supervised}};

std::pair<double, double> mean_and_spread(const std::vector<double>& values) {
  double mean = 0, square = 0;
  const auto n = static_cast<double>(values.size());
  for (const double v : values) mean += v / n;
  for (const double v : values) square += (v - mean) * (v - mean);
  return {mean, values.size() > 1 ? std::sqrt(square / (n - 1)) : 0};
}

ClaimRow make_row(const Row& row, const std::vector<ArmFigures>& all,
                  const std::vector<std::uint64_t>& seeds) {
  ClaimRow out{.arm = row.arm, .role = row.role, .metrics = {}, .spreads = {}, .seeds = seeds};
  for (const auto& [name, figure] :
       {std::pair{"rank1", &Figures::rank1}, std::pair{"eer", &Figures::eer},
        std::pair{"effective_rank", &Figures::effective_rank}}) {
    std::vector<double> values;
    for (const ArmFigures& one : all) values.push_back(one.*row.member.*figure);
    const auto [mean, spread] = mean_and_spread(values);
    out.metrics.emplace_back(name, mean);
    out.spreads.emplace_back(name, spread);
  }
  return out;
}

ClaimVerdict judge(const std::vector<ArmFigures>& all) {
  bool shown = true;
  double above_untrained = 0;
  for (const Row& row : kRows) {
    if (row.role == ArmRole::method || row.role == ArmRole::oracle) continue;
    double gain = 0, above = 0;
    for (const ArmFigures& one : all) {
      const double difference = one.full.rank1 - (one.*row.member).rank1;
      gain += difference / static_cast<double>(all.size());
      above += difference > 0 ? 1 : 0;
    }
    shown = shown && gain >= kMargin && above >= kShare * static_cast<double>(all.size());
    if (row.member == &ArmFigures::untrained) above_untrained = gain;
  }
  if (shown) return ClaimVerdict::shown;
  return above_untrained < kMargin ? ClaimVerdict::tied_with_control : ClaimVerdict::not_shown_here;
}

/// ORL, when the user or $SOSIA_DATA has it; else nothing.
fs::path data_folder(const ClaimOptions& claim) {
  if (!claim.data.empty()) return claim.data;
  const char* root = std::getenv("SOSIA_DATA");
  if (root == nullptr) return {};
  const fs::path folder = fs::path(root) / "faces-orl";
  std::error_code error;
  return fs::is_directory(folder, error) ? folder : fs::path();
}

ClaimResult run_claim(const ClaimOptions& claim, RunContext& run) {
  constexpr std::size_t kFolds = 4;
  const std::size_t folds = claim.quick ? 1 : kFolds;
  const Budget budget{.steps = claim.quick ? 12 : 400, .batch = 96};
  const fs::path data = data_folder(claim);
  const Faces faces = data.empty() ? render_faces(run.seed(), 40, 10, kWidthPx, kHeightPx, run)
                                   : read_faces(data, kWidthPx, kHeightPx, 8, run);
  std::vector<ArmFigures> all;
  std::vector<std::uint64_t> seeds;
  for (std::int64_t s = 0; s < claim.seeds; ++s) {
    const std::uint64_t seed =
        derive_seed(run.seed(), "barlow_twins", static_cast<std::uint64_t>(s));
    seeds.push_back(seed);
    for (std::size_t fold = 0; fold < folds; ++fold) {
      run.progress("folds and seeds", all.size(), static_cast<std::uint64_t>(claim.seeds) * folds);
      all.push_back(run_arms(split(faces, kFolds, fold, run.seed()), budget, seed, run));
    }
  }
  ClaimResult out;
  for (const Row& row : kRows) out.rows.push_back(make_row(row, all, seeds));
  out.verdict = judge(all);
  out.data_used = faces.described + ", a quarter of the people in turn for testing";
  return out;
}

}  // namespace

void register_method(Registry& registry) {
  registry.add(
      Claim{.method = "barlow_twins",
            .room = "face",
            .title = "pulling two views of a picture together while driving the components of the "
                     "embedding apart learns who is seen, without labels and without collapse; "
                     "either term alone is worse",
            .rule = kRule,
            .run = run_claim});
  registry.add(make_training<Recipe>(
      {.method = "barlow_twins",
       .room = "face",
       .title = "an embedding without labels, by the cross-correlation of two views"},
      train_barlow_twins, plan_barlow_twins));
}

}  // namespace sosia::face::barlow_twins

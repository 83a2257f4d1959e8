#pragma once
// Protocols of 1:1 face verification: LFW-style folds (LFW, CFP-FP, AgeDB-30, CALFW, CPLFW, RFW),
// IJB-style templates, and rates per group of people.

#include "sosia/evaluate/roc.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <vector>

namespace sosia::evaluate {

/// Fold of each of `count` pairs when the list is cut into `folds` runs in its own order, as
/// KFold(folds) without shuffling: the first count mod folds runs are one longer. Throws
/// invalid_argument for fewer than 2 folds or fewer pairs than folds.
std::vector<std::uint32_t> contiguous_folds(std::size_t count, std::size_t folds = 10);

/// The threshold grid of the LFW tools, on squared Euclidean distances of unit vectors: i * step
/// for 0 <= i * step < 4. Step 0.01 (400 thresholds) for accuracy, 0.001 (4000) for VAL.
std::vector<double> lfw_thresholds(double step);

/// Squared Euclidean distance of two unit vectors with cosine `c`: 2 - 2 c.
constexpr double squared_distance(double cosine) {
  return 2.0 - 2.0 * cosine;
}

/// Thresholds between all distinct distances: the grid for scores of any scale. The smallest
/// distance first (nothing accepted), then midpoints, then the next double above the largest.
std::vector<double> exact_thresholds(std::span<const double> distances);

struct FoldAccuracy {
  std::vector<double> accuracies;  ///< of each held-out fold
  std::vector<double> thresholds;  ///< chosen on the other folds
  double mean = 0;
  double std = 0;  ///< over folds, divided by their number (numpy.std)
};

/// The LFW accuracy: for each fold, the FIRST threshold with the highest accuracy on the other
/// folds, applied to the fold. A pair is called the same when distance < threshold, strictly.
///
/// `same[i]` 1 or 0; `folds[i]` numbers from 0, every number up to the largest in use; `thresholds`
/// ascending. Throws invalid_argument for lists of different length, NaN, an empty fold, fewer
/// than 2 folds, no thresholds, or thresholds out of order.
FoldAccuracy fold_accuracy(std::span<const double> distances, std::span<const std::uint8_t> same,
                           std::span<const std::uint32_t> folds,
                           std::span<const double> thresholds);

struct FoldVal {
  std::vector<double> val;         ///< true accepts of each held-out fold (TAR)
  std::vector<double> far;         ///< false accepts of each held-out fold
  std::vector<double> thresholds;  ///< interpolated on the other folds
  double val_mean = 0;
  double val_std = 0;  ///< divided by the number of folds
  double far_mean = 0;
};

/// VAL at a FAR target (facenet, InsightFace): for each fold, the threshold at which the FAR of the
/// other folds reaches the target, linear between the last grid threshold with a lower FAR and the
/// first with a FAR at or above it; 0 when no threshold reaches the target. Then TAR and FAR of the
/// held-out fold with distance < threshold. Arguments as `fold_accuracy`; every fold needs both
/// classes.
FoldVal fold_val(std::span<const double> distances, std::span<const std::uint8_t> same,
                 std::span<const std::uint32_t> folds, std::span<const double> thresholds,
                 double far_target = 1e-3);

/// Unit-length templates of an IJB protocol.
struct TemplateSet {
  std::size_t dim = 0;
  std::vector<std::int64_t> ids;  ///< ascending
  std::vector<float> features;    ///< ids.size() rows of `dim`
};

struct TemplateOptions {
  /// True: the norm of an image's feature acts as its quality (the protocol's use_norm_score).
  /// False: every feature is brought to length 1 first.
  bool norm_is_quality = true;
};

/// Pools image features to templates as the IJB-B/IJB-C tools do: the mean of the features that
/// share a media id inside a template, the sum over its media, then length 1 (a zero sum stays
/// zero). Sums are taken in double.
///
/// `features`: template_ids.size() rows of `dim`, already summed over image and mirror image.
/// `detector_scores`: one factor per row, or empty. Throws invalid_argument for mismatched sizes or
/// NaN.
TemplateSet pool_templates(std::span<const float> features, std::size_t dim,
                           std::span<const std::int64_t> template_ids,
                           std::span<const std::int64_t> media_ids,
                           std::span<const float> detector_scores = {},
                           const TemplateOptions& options = {});

/// Cosine of the listed pairs of templates. Throws invalid_argument for an id that is not there.
std::vector<double> template_scores(const TemplateSet& templates,
                                    std::span<const std::pair<std::int64_t, std::int64_t>> pairs);

/// What one group of people sees. Figures whose class is empty in the group are NaN.
struct GroupRates {
  std::size_t genuine = 0;
  std::size_t impostor = 0;
  double auc = std::numeric_limits<double>::quiet_NaN();
  double eer = std::numeric_limits<double>::quiet_NaN();
  double fmr = std::numeric_limits<double>::quiet_NaN();   ///< at the shared threshold
  double fnmr = std::numeric_limits<double>::quiet_NaN();  ///< at the shared threshold
  double tar = std::numeric_limits<double>::quiet_NaN();   ///< at the group's own FAR target
};

/// Rates of each group: AUC and EER of its own curve, FMR and FNMR at the `threshold` shared by
/// all, TAR at `far_target` on its own curve (not_above). `groups[i]` < `group_count`.
std::vector<GroupRates> group_rates(std::span<const double> scores,
                                    std::span<const std::uint8_t> labels,
                                    std::span<const std::uint32_t> groups, std::size_t group_count,
                                    double threshold, double far_target);

/// Differences between groups, over the groups that define the figure; NaN when fewer than two do.
struct GroupGap {
  double fnmr_difference;  ///< largest minus smallest FNMR at the shared threshold
  double fmr_ratio;        ///< largest over smallest FMR at the shared threshold (may be infinite)
  double eer_difference;
  double eer_std;  ///< standard deviation over groups, divided by their number
};
GroupGap group_gap(std::span<const GroupRates> rates);

}  // namespace sosia::evaluate

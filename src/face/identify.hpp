#pragma once
// Faces asked of a gallery: candidates, decisions, and the pairs of faces that show why.

#include "face/picture_parts.hpp"
#include "face/sources.hpp"
#include "sosia/gallery/gallery.hpp"
#include "sosia/gallery/policy.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sosia::face {

struct IdentifySettings {
  std::optional<double> max_fpir = {};
  double prior = 0.5;
  std::size_t candidates = 5;  ///< subjects listed for each face
  double min_quality = 0;      ///< faces below it are not asked
  std::size_t pictures = 0;    ///< faces shown with their nearest template; 0 draws nothing
};

/// The answer about one face.
struct FaceAnswer {
  image::Box box = {};
  double score = 0, quality = 0;
  std::optional<gallery::Verdict> verdict = {};  ///< none without a calibration
  std::vector<gallery::SubjectMatch> candidates = {};
  std::vector<std::int64_t> nearest = {};  ///< template of each candidate; -1 unknown
};

/// Identifies item after item. Faces are searched in batches; results come out in order.
class Identifier {
 public:
  /// `gallery` and `pipeline` outlive it. Throws as `gallery::choose_policy` for a rate that was
  /// asked for and cannot be promised.
  Identifier(gallery::Gallery& gallery, const FacePipeline& pipeline,
             const IdentifySettings& settings, RunContext& run);

  void add(SourceItem&& item);
  /// Searches what is left.
  void finish();

  /// {"file", "faces": [...], "error"} of every item, in order.
  const Value& results() const noexcept { return results_; }
  Value& results() noexcept { return results_; }

  /// Scalars, the table of decisions, policy or the reason why there is none, pictures.
  void add_to(Report& report);
  /// "3 accepted, 1 unknown, 0 ambiguous of 4 faces ..."
  std::string summary() const;

  /// The evidence alone; `add_to` includes it.
  void add_pictures(Report& report);
  const gallery::PolicyChoice& choice() const noexcept { return choice_; }
  const std::string& remark() const noexcept { return remark_; }

 private:
  /// A face whose evidence is drawn when all is known: its chip and the templates beside it.
  struct Evidence {
    std::string title = {};
    std::vector<Picture> pictures = {};  ///< photo, then the probe's chip
    std::int64_t template_id = -1;
    std::string label = {};
    float score = 0;
  };

  gallery::PolicyChoice choice_at(std::optional<double> max_fpir) const;
  /// The smallest rate that the calibration supports, where the default one is too small.
  void take_least_rate();
  void answer();
  void decide(FaceAnswer& answer, const gallery::SearchResult& result);
  void report_item(SourceItem& item, std::vector<FaceAnswer>& answers);
  void draw(const SourceItem& item, const std::vector<FaceAnswer>& answers);

  gallery::Gallery& gallery_;
  const FacePipeline& pipeline_;
  IdentifySettings settings_;
  RunContext& run_;
  gallery::GalleryInfo info_;
  std::optional<gallery::Calibration> calibration_;
  /// How many comparisons of a search the calibration must answer for.
  std::uint64_t comparisons_ = 0;
  gallery::SubjectRule rule_ = gallery::SubjectRule::mean_top3;
  gallery::PolicyChoice choice_;
  std::string remark_;
  std::vector<SourceItem> waiting_;
  std::size_t waiting_faces_ = 0;
  Value results_ = Value::list();
  std::vector<std::vector<Value>> rows_;
  std::uint64_t faces_ = 0, undecided_ = 0, poor_ = 0;
  std::uint64_t counts_[3] = {};
  std::vector<Evidence> evidence_;
};

}  // namespace sosia::face

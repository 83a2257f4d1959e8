#pragma once
// Faces without names, sorted by person.

#include "face/sources.hpp"
#include "sosia/gallery/decision.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sosia::face {

struct GroupingSettings {
  std::optional<double> threshold = {};  ///< mean cosine from which clusters are joined
  double max_fmr = 1e-3;                 ///< else that of a calibration at this rate
  std::optional<gallery::Calibration> calibration = {};  ///< instead of the card's
  std::size_t min_size = 2;                              ///< smaller clusters are noise
  double min_quality = 0;                                ///< faces below it are left out
  bool thumbnails = false;                               ///< keep small pictures for contact sheets
};

/// A threshold and where it comes from.
struct GroupingThreshold {
  double value = 0;
  std::string note = {};
  std::vector<std::string> warnings = {};
};
/// Throws invalid_argument when neither the settings nor the embedder's card give one.
GroupingThreshold grouping_threshold(const FacePipeline& pipeline,
                                     const GroupingSettings& settings);

/// Faces as they come and what became of them.
class Grouping {
 public:
  Grouping(const FacePipeline& pipeline, const GroupingSettings& settings);

  /// Takes the faces of a picture or clip.
  void add(const SourceItem& item);
  /// Clusters all faces; clusters are numbered by falling size.
  void group(RunContext& run);

  struct Face {
    std::size_t file = 0;  ///< of `files`
    std::size_t index = 0;
    image::Box box = {};
    std::int32_t cluster = -1;  ///< -1: noise
    std::vector<std::byte> thumbnail = {};
  };
  const std::vector<std::string>& files() const noexcept { return files_; }
  const std::vector<Face>& faces() const noexcept { return faces_; }
  std::size_t clusters() const noexcept { return members_.size() - 1; }
  /// The files of a cluster, each once, in order; of the noise with -1.
  std::vector<std::size_t> files_of(std::int32_t cluster) const;
  std::size_t noise() const noexcept { return members_.back().size(); }  ///< faces
  /// Files that were read and hold no face (that is good enough).
  const std::vector<std::size_t>& without_face() const noexcept { return without_face_; }

  /// "threshold", "clusters", "noise" and the other members, tables, contact sheets.
  void add_to(Report& report) const;
  /// The contact sheets alone; `add_to` includes them.
  void add_sheets(Report& report) const;

 private:
  GroupingSettings settings_;
  GroupingThreshold threshold_;
  std::size_t dimension_;
  std::vector<std::string> files_;
  std::vector<Face> faces_;
  std::vector<float> vectors_;
  std::vector<std::size_t> without_face_;
  std::uint64_t poor_ = 0;
  /// Faces of each cluster, then those of the noise.
  std::vector<std::vector<std::size_t>> members_ = std::vector<std::vector<std::size_t>>(1);
};

}  // namespace sosia::face

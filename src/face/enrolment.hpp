#pragma once
// Photos of known subjects on their way into a gallery: which face is meant, what is noted beside
// its vector, and what was enrolled before.

#include "sosia/core/report.hpp"
#include "sosia/core/run.hpp"
#include "sosia/face/calibration.hpp"
#include "sosia/face/pipeline.hpp"
#include "sosia/gallery/gallery.hpp"
#include "sosia/gallery/place.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

namespace sosia::face {

/// Which face of a photo with several is enrolled.
enum class SeveralFaces {
  dominant,  ///< the largest, when the next has at most a third of its area
  largest,
  refuse,
};

/// A photo with the label that its subject has.
struct LabelledPhoto {
  std::filesystem::path file = {};
  std::string label = {};
};

/// What is noted as the metadata of a template: where in its photo the face is, so that it can be
/// shown and embedded again, the photo's content, and the cards. Keys: photo, box, landmarks,
/// score, detector, model.
Value enrolment_note(const DescribedFace& face, const FacePipeline& pipeline,
                     const std::string& photo);

/// What `enrolment_note` says about the place of a face; nothing when there is no such note.
std::optional<Detection> noted_face(const Value& metadata);

/// The face of a template, cut out of the photo that it was made from anew; or why that cannot be
/// done (the photo is gone or another one by now).
struct EnrolledChip {
  image::Image picture = {};
  std::string problem = {};
};
EnrolledChip enrolled_chip(const gallery::StoredTemplate& t, const FacePipeline& pipeline);

/// 32 hexadecimal digits of a file's content: the same photo is known again wherever it lies.
std::string photo_digest(const std::filesystem::path& file);

/// The face of a photo that may be enrolled; or why there is none, in `problem`.
struct ChosenFace {
  const DescribedFace* face = nullptr;
  std::string problem = {};
  std::string remark = {};  ///< said about a face that was taken all the same
};
ChosenFace choose_face(const Analysis& analysis, SeveralFaces several, double min_quality);

/// How a new gallery is made.
struct NewGallery {
  std::int64_t max_templates = 16;
  bool encrypt = false;
  double min_quality = 0;
  gallery::StoredType type = gallery::StoredType::f16;
};

/// Throws conflict, naming the cards that made the gallery, when its vectors are of other models.
void require_same_model(gallery::Gallery& gallery, const FacePipeline& pipeline, RunContext& run);

/// The calibration that a gallery of this pipeline begins with; nothing when the card has none.
/// One that was fitted with other parts says so in its set.
std::optional<gallery::Calibration> starting_calibration(const FacePipeline& pipeline);

/// A gallery that grows by batches: each is durable when it was written, and what was collected is
/// written even when the run is cancelled in between. A gallery that does not exist is made with
/// the first batch.
class Enroller {
 public:
  /// Opens the gallery when it exists; reads which photos it holds. Throws conflict when its
  /// vectors are of another model.
  Enroller(const gallery::GalleryPlace& place, const NewGallery& make, const FacePipeline& pipeline,
           const std::string& verb, RunContext& run);

  /// Whether the gallery holds this photo of this subject (or the batch does).
  bool holds(const std::string& label, const std::string& photo) const;
  bool empty() const noexcept { return held_.empty(); }
  /// Puts `face` of the photo of this digest on the batch, as a template with the label, origin and
  /// metadata of `t`; writes the batch when it is large or old.
  void add(gallery::Template t, const DescribedFace& face, const std::string& photo);
  /// Writes what is left. Throws what the gallery throws, but never cancelled.
  void flush();

  /// What became of the templates, in all.
  struct Totals {
    std::uint64_t enrolled = 0, dropped = 0, new_subjects = 0;
  };
  const Totals& totals() const noexcept { return totals_; }
  /// Refused by the gallery: file and reason.
  const std::vector<std::pair<std::string, std::string>>& refused() const noexcept {
    return refused_;
  }
  bool made() const noexcept { return made_; }
  /// nullptr when nothing was enrolled and there was no gallery.
  gallery::Gallery* gallery() noexcept { return gallery_.get(); }

 private:
  void create();

  gallery::GalleryPlace place_;
  NewGallery make_;
  const FacePipeline& pipeline_;
  std::string verb_;
  std::unique_ptr<gallery::Gallery> gallery_;
  bool made_ = false;
  std::unordered_set<std::string> held_;
  std::vector<gallery::Template> batch_;
  std::int64_t batch_begun_ms_ = 0;
  Totals totals_;
  std::vector<std::pair<std::string, std::string>> refused_;
};

}  // namespace sosia::face

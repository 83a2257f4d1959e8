#pragma once
// From pictures to described faces: decode, detect, align, embed, judge.
//
//   models::ModelStore store;
//   const face::FacePipeline pipeline(store);
//   for (const face::DescribedFace& f : pipeline.analyse_file("photo.jpg").faces) ...
//
// For folders, `stream` keeps all processors busy and memory bounded.

#include "sosia/core/error.hpp"
#include "sosia/core/run.hpp"
#include "sosia/face/aligner.hpp"
#include "sosia/face/detector.hpp"
#include "sosia/face/embedder.hpp"
#include "sosia/face/face.hpp"
#include "sosia/face/quality.hpp"
#include "sosia/gallery/decision.hpp"
#include "sosia/image/decode.hpp"

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace sosia::face {

struct PipelineOptions {
  std::string detector{kDefaultDetector};  ///< card
  std::string embedder{kDefaultEmbedder};  ///< card; "" finds faces only
  DetectOptions detect = {};
  QualityOptions quality = {};
  /// Most processors to use; 0 takes all that this process may use.
  int threads = 0;
  /// Pictures that are worked on at once, each with threads / parallel threads; 0: as many as
  /// `threads`, which is fastest for many pictures. 1 is quickest for a single one.
  int parallel = 0;
  models::Precision precision = models::Precision::exact;
  std::optional<bool> flip_sum = {};  ///< see `EmbedderOptions`
  /// Folder of compiled networks; "" compiles anew each time.
  std::filesystem::path cache = models::default_cache_folder();
  bool keep_chips = true;     ///< results carry the aligned faces
  std::size_t max_faces = 0;  ///< of a picture, those of highest score; 0 keeps all
  /// For files: `scale_denominator` is chosen by the pipeline, `channels` is rgb.
  image::DecodeOptions decode = {};
  /// Faces are looked for as if in a picture of at most so many pixels: in larger ones the smallest
  /// face wanted grows by the square root of the ratio (22 pixels are 54 in 12 megapixels), and
  /// JPEG files are decoded at half, a quarter or an eighth as long as they keep so many. Faces are
  /// cut out of the full picture all the same where the reduced one has too few pixels for the
  /// embedder. 0 looks at every picture in full.
  std::int64_t detection_pixels = 2'000'000;
};

/// A face with everything that is known about it.
struct DescribedFace : Detection {
  Quality quality = {};
  std::vector<float> embedding = {};  ///< length 1; empty without an embedder
  double norm = 0;                    ///< length of the embedding before; 0 without an embedder
  image::Image chip = {};             ///< the aligned face; empty when not kept
  /// The five points were no face's, so the chip was cut by the box: do not enrol it.
  bool degenerate = false;
};

/// What was found in one picture.
struct Analysis {
  std::filesystem::path file = {};  ///< "" for a picture in memory
  std::size_t index = 0;            ///< in the list that was streamed
  image::Extent extent = {};        ///< of the upright full picture; boxes and points refer to it
  std::vector<DescribedFace> faces = {};  ///< falling score; empty: no face
  std::optional<Error> error = {};        ///< why the file was not read; `faces` is empty then
  int scale_denominator = 1;              ///< the file was decoded at 1 / this for detection
  /// Longer side of the smallest face that was looked for, in pixels of the full picture.
  double min_face_px = 0;
};

/// Detector, aligner, embedder and quality, chosen by cards.
///
/// Thread-safety: const members may be called from any thread; `options().parallel` calls proceed
/// at once, more wait.
class FacePipeline {
 public:
  /// Opens the networks (0.3 to 0.5 s, less when compiled ones are cached). Throws as
  /// `open_detector` and `open_embedder`, invalid_argument for options out of range.
  explicit FacePipeline(const models::ModelStore& store, const PipelineOptions& options = {});
  ~FacePipeline();
  FacePipeline(FacePipeline&&) noexcept;
  FacePipeline& operator=(FacePipeline&&) noexcept;

  /// Faces of a picture of 1, 3 or 4 channels. Throws invalid_argument for an invalid view.
  Analysis analyse(image::ImageView picture) const;
  /// Faces of a file, upright. Throws as `image::decode_file`.
  Analysis analyse_file(const std::filesystem::path& file) const;

  /// Analyses all files and calls `each` in the order of the list, one call at a time, from the
  /// calling thread. Decoding, detection and embedding of different files overlap. A file that
  /// cannot be read has its reason in `Analysis::error` and does not stop the rest. At most a few
  /// pictures per thread are in memory, whatever the length of the list; a slow `each` slows the
  /// rest. `each` returns false to stop early.
  /// Throws cancelled; what `each` throws; out_of_memory or internal when the machine fails.
  void stream(std::span<const std::filesystem::path> files,
              const std::function<bool(Analysis&&)>& each, RunContext& run) const;

  const PipelineOptions& options() const noexcept;
  const FaceDetector& detector() const noexcept;
  /// Throw invalid_argument for a pipeline without embedder.
  const FaceEmbedder& embedder() const;
  const FaceAligner& aligner() const;
  std::size_t dimension() const noexcept;  ///< 0 without embedder

  /// What a gallery notes beside its templates: a SHA-256 over the identities of detector, aligner
  /// and embedder with its precision. Vectors of equal hash may be compared, others not. "" without
  /// embedder.
  const std::string& model_hash() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace sosia::face

#pragma once
// The inside of the pipeline.

#include "sosia/face/pipeline.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace sosia::face {

/// A file, decoded for detection.
struct Decoded {
  std::vector<std::byte> bytes = {};  ///< of the file, for a second look in full
  image::ImageInfo info = {};
  image::Image picture = {};
  int denominator = 1;
};

struct FacePipeline::Impl {
  PipelineOptions options;
  std::unique_ptr<FaceDetector> detector = {};
  std::unique_ptr<FaceAligner> aligner = {};
  std::unique_ptr<FaceEmbedder> embedder = {};
  std::unique_ptr<FaceQuality> quality = {};
  std::string model_hash = {};

  Impl(const models::ModelStore& store, PipelineOptions given);

  /// What to look for in a picture of `shown` that stands for one of `full_pixels`.
  DetectOptions detect_options(image::Extent shown, std::int64_t full_pixels) const;
  /// By how much a JPEG file is reduced on the way.
  int denominator(const image::ImageInfo& info) const;
  Decoded decode(const std::filesystem::path& file) const;

  /// Detections, in pixels of `picture`. `analysis.extent` is that of the full picture.
  void find(image::ImageView picture, Analysis& analysis) const;
  /// Whether chips cut from `picture` would hold no fewer details than the embedder can see.
  bool enough_pixels(std::span<const DescribedFace> faces, image::ImageView picture) const;
  /// Chips, embeddings and qualities of faces in pixels of `picture`.
  void describe(image::ImageView picture, std::span<DescribedFace> faces) const;
  /// Boxes and points from one extent to another.
  static void enlarge(std::span<DescribedFace> faces, image::Extent from, image::Extent to);
  /// The quality of a face that was cut from a reduced picture, as of the full one.
  void rescale_quality(DescribedFace& face, int denominator) const;

  Analysis analyse_picture(image::ImageView picture) const;
  Analysis analyse_decoded(const std::filesystem::path& file, Decoded decoded) const;
};

}  // namespace sosia::face

#include "sosia/face/pipeline.hpp"

#include "face/ordered_stream.hpp"
#include "face/pipeline_parts.hpp"
#include "sosia/core/hash.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace sosia::face {
namespace {

constexpr int kMostThreads = 256;

void require_options(const PipelineOptions& o) {
  const auto refuse = [](const std::string& what) {
    throw Error(ErrorCode::invalid_argument, what);
  };
  if (o.threads < 0 || o.threads > kMostThreads) {
    refuse(fmt::format("{} threads; it must be 0 to {}", o.threads, kMostThreads));
  }
  if (o.parallel < 0 || o.parallel > kMostThreads) {
    refuse(fmt::format("{} pictures at once; it must be 0 to {}", o.parallel, kMostThreads));
  }
  if (o.detection_pixels < 0) {
    refuse(fmt::format("detection in {} pixels; it must be 0 or more", o.detection_pixels));
  }
}

PipelineOptions completed(PipelineOptions o) {
  require_options(o);
  if (o.threads == 0) o.threads = usable_processors();
  if (o.parallel == 0) o.parallel = o.threads;
  o.threads = std::max(o.threads, o.parallel);
  o.decode.channels = image::Channels::rgb;
  o.decode.scale_denominator = 1;
  return o;
}

}  // namespace

FacePipeline::FacePipeline(const models::ModelStore& store, const PipelineOptions& options)
    : impl_(std::make_unique<Impl>(store, completed(options))) {}
FacePipeline::~FacePipeline() = default;
FacePipeline::FacePipeline(FacePipeline&&) noexcept = default;
FacePipeline& FacePipeline::operator=(FacePipeline&&) noexcept = default;

FacePipeline::Impl::Impl(const models::ModelStore& store, PipelineOptions given)
    : options(std::move(given)), quality(make_quality(options.quality)) {
  const models::NetworkOptions network{.threads = options.threads,
                                       .parallel = options.parallel,
                                       .precision = options.precision,
                                       .cache = options.cache};
  detector = open_detector(store, options.detector, network);
  if (options.embedder.empty()) return;
  embedder =
      open_embedder(store, options.embedder, {.network = network, .flip_sum = options.flip_sum});
  aligner = make_aligner(embedder->card().input);
  model_hash = sha256_hex("sosia.face/1\n" + detector->identity() + "\n" + aligner->identity() +
                          "\n" + embedder->identity());
}

DetectOptions FacePipeline::Impl::detect_options(image::Extent shown,
                                                 std::int64_t full_pixels) const {
  DetectOptions out = options.detect;
  const auto pixels = static_cast<double>(shown.width_px) * shown.height_px;
  const auto full = static_cast<double>(full_pixels);
  // The smallest face in the full picture, then in the one that is shown.
  if (options.detection_pixels > 0) {
    out.min_face_px *=
        std::sqrt(std::max(1.0, full / static_cast<double>(options.detection_pixels)));
  }
  out.min_face_px = std::max(8.0, out.min_face_px * std::sqrt(pixels / full));
  return out;
}

void FacePipeline::Impl::find(image::ImageView picture, Analysis& analysis) const {
  const auto pixels =
      static_cast<std::int64_t>(analysis.extent.width_px) * analysis.extent.height_px;
  const DetectOptions wanted = detect_options(picture.extent(), pixels);
  const double grow = static_cast<double>(analysis.extent.width_px) / picture.width_px;
  analysis.min_face_px = wanted.min_face_px * grow;
  std::vector<Detection> found = detector->detect(picture, wanted);
  if (options.max_faces > 0 && found.size() > options.max_faces) found.resize(options.max_faces);
  for (const Detection& face : found) {
    analysis.faces.emplace_back();
    static_cast<Detection&>(analysis.faces.back()) = face;
  }
}

bool FacePipeline::Impl::enough_pixels(std::span<const DescribedFace> faces,
                                       image::ImageView picture) const {
  if (!aligner) return true;
  // Without cutting: five points that span the template's distance of the eyes or more.
  const double chip = std::max(aligner->extent().width_px, aligner->extent().height_px);
  return std::all_of(faces.begin(), faces.end(), [&](const DescribedFace& face) {
    return std::min(std::max(face.box.width_px, face.box.height_px),
                    static_cast<double>(picture.height_px)) >= chip;
  });
}

void FacePipeline::Impl::describe(image::ImageView picture, std::span<DescribedFace> faces) const {
  if (!aligner || faces.empty()) return;
  std::vector<Chip> chips;
  std::vector<image::ImageView> views;
  chips.reserve(faces.size());
  for (DescribedFace& face : faces) {
    chips.push_back(aligner->align(picture, face));
    face.degenerate = chips.back().degenerate;
  }
  for (const Chip& chip : chips) views.push_back(chip.picture);
  const Embeddings embedded = embedder->embed(views);
  for (std::size_t i = 0; i < faces.size(); ++i) {
    const auto row =
        std::span(embedded.vectors).subspan(i * embedded.dimension, embedded.dimension);
    faces[i].embedding.assign(row.begin(), row.end());
    faces[i].norm = embedded.norms[i];
    const bool norm_counts = embedder->card().output.norm_is_quality;
    faces[i].quality = quality->assess(
        faces[i], chips[i], norm_counts ? std::optional(embedded.norms[i]) : std::nullopt);
    if (options.keep_chips) faces[i].chip = std::move(chips[i].picture);
  }
}

void FacePipeline::Impl::enlarge(std::span<DescribedFace> faces, image::Extent from,
                                 image::Extent to) {
  if (from == to) return;
  const double gx = static_cast<double>(to.width_px) / from.width_px;
  const double gy = static_cast<double>(to.height_px) / from.height_px;
  for (DescribedFace& face : faces) {
    // Edges of pixels map to edges, centres of pixels lie half a pixel inside.
    face.box = {face.box.x_px * gx, face.box.y_px * gy, face.box.width_px * gx,
                face.box.height_px * gy};
    for (image::Point& p : face.landmarks) {
      p = {(p.x_px + 0.5) * gx - 0.5, (p.y_px + 0.5) * gy - 0.5};
    }
  }
}

Analysis FacePipeline::Impl::analyse_picture(image::ImageView picture) const {
  image::require_valid(picture, "looking for faces");
  Analysis analysis;
  analysis.extent = picture.extent();
  find(picture, analysis);
  describe(picture, analysis.faces);
  return analysis;
}

int FacePipeline::Impl::denominator(const image::ImageInfo& info) const {
  if (options.detection_pixels <= 0 || info.format != image::Format::jpeg) return 1;
  const auto pixels = static_cast<std::int64_t>(info.extent.width_px) * info.extent.height_px;
  int out = 1;
  while (out < 8 && pixels / (4 * out * out) >= options.detection_pixels) out *= 2;
  return out;
}

Decoded FacePipeline::Impl::decode(const std::filesystem::path& file) const {
  Decoded out;
  try {
    out.bytes = read_file(file);
    out.info = image::probe(out.bytes);
    image::DecodeOptions wanted = options.decode;
    wanted.scale_denominator = out.denominator = denominator(out.info);
    out.picture = image::decode(out.bytes, wanted).image;
  } catch (Error& e) {
    throw e.add_context(file.string());
  }
  return out;
}

Analysis FacePipeline::Impl::analyse_decoded(const std::filesystem::path& file,
                                             Decoded decoded) const {
  Analysis analysis;
  analysis.file = file;
  analysis.scale_denominator = decoded.denominator;
  const image::Extent shown = decoded.picture.extent();
  analysis.extent = decoded.denominator == 1           ? shown
                    : options.decode.apply_orientation ? decoded.info.upright_extent()
                                                       : decoded.info.extent;
  find(decoded.picture, analysis);
  if (decoded.denominator == 1 || enough_pixels(analysis.faces, decoded.picture)) {
    describe(decoded.picture, analysis.faces);
    // Quality speaks of the full picture.
    for (DescribedFace& face : analysis.faces) rescale_quality(face, decoded.denominator);
    enlarge(analysis.faces, shown, analysis.extent);
    return analysis;
  }
  enlarge(analysis.faces, shown, analysis.extent);
  decoded.picture = {};
  try {
    describe(image::decode(decoded.bytes, options.decode).image, analysis.faces);
  } catch (Error& e) {
    throw e.add_context(file.string());
  }
  return analysis;
}

void FacePipeline::Impl::rescale_quality(DescribedFace& face, int denominator) const {
  if (denominator == 1 || !aligner) return;
  // Only the distance of the eyes counts pixels; faces that come here fill the chip, so their size
  // part is 1 in the reduced picture already or nearly so.
  face.quality.eye_distance_px *= denominator;
  const double before = face.quality.size;
  face.quality.size = 1;
  if (before > 0) face.quality.value = std::min(1.0, face.quality.value / before);
}

Analysis FacePipeline::analyse(image::ImageView picture) const {
  return impl_->analyse_picture(picture);
}

Analysis FacePipeline::analyse_file(const std::filesystem::path& file) const {
  return impl_->analyse_decoded(file, impl_->decode(file));
}

void FacePipeline::stream(std::span<const std::filesystem::path> files,
                          const std::function<bool(Analysis&&)>& each, RunContext& run) const {
  const auto work = [&](std::size_t index) {
    Analysis out;
    try {
      out = impl_->analyse_decoded(files[index], impl_->decode(files[index]));
    } catch (const Error& e) {
      // Internal errors are no property of the file.
      if (e.code() == ErrorCode::internal || e.code() == ErrorCode::cancelled ||
          e.code() == ErrorCode::device) {
        throw;
      }
      out.file = files[index];
      out.error = e;
    }
    out.index = index;
    return out;
  };
  const int workers = std::max(1, std::min(impl_->options.parallel, run.threads()));
  ordered_stream<Analysis>(files.size(), workers, work, each, "looking for faces", run);
}

const PipelineOptions& FacePipeline::options() const noexcept {
  return impl_->options;
}
const FaceDetector& FacePipeline::detector() const noexcept {
  return *impl_->detector;
}

const FaceEmbedder& FacePipeline::embedder() const {
  if (!impl_->embedder) throw Error(ErrorCode::invalid_argument, "the pipeline has no embedder");
  return *impl_->embedder;
}

const FaceAligner& FacePipeline::aligner() const {
  if (!impl_->aligner) throw Error(ErrorCode::invalid_argument, "the pipeline has no embedder");
  return *impl_->aligner;
}

std::size_t FacePipeline::dimension() const noexcept {
  return impl_->embedder ? impl_->embedder->dimension() : 0;
}

const std::string& FacePipeline::model_hash() const noexcept {
  return impl_->model_hash;
}

}  // namespace sosia::face

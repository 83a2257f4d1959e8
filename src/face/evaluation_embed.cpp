// The vectors of a set, computed once.

#include "face/embedding_cache.hpp"
#include "face/ordered_stream.hpp"
#include "sosia/core/files.hpp"
#include "sosia/face/evaluation.hpp"
#include "sosia/image/decode.hpp"
#include "sosia/image/transform.hpp"

#include <algorithm>
#include <cmath>
#include <system_error>
#include <utility>

#include <fmt/format.h>

namespace sosia::face {
namespace {

namespace fs = std::filesystem;

/// Aligned crops that go through the network together.
constexpr std::size_t kCropBatch = 16;

struct Embedded {
  std::uint32_t photo = 0;
  PhotoState state = PhotoState::unreadable;
  std::uint32_t faces = 0;
  float norm = 0;
  std::vector<float> vector = {};
  std::optional<Error> error = {};
};

/// How photos of a set become vectors.
class SetEmbedder {
 public:
  SetEmbedder(const FacePipeline& pipeline, const EvaluationSet& set,
              const EmbedSetOptions& options)
      : pipeline_(pipeline),
        set_(set),
        card_(pipeline.embedder().card()),
        aligned_(options.aligned.value_or(set.aligned)) {
    const bool by_card = card_.output.flip_sum;
    if (options.mirror_sum == false && by_card) {
      throw Error(ErrorCode::invalid_argument,
                  "the embedder " + card_.name + " always adds the mirrored face",
                  "change flip_sum in its card");
    }
    add_mirror_ = options.mirror_sum.value_or(by_card) && !by_card;
    if (add_mirror_ && !pipeline.options().keep_chips) {
      throw Error(ErrorCode::invalid_argument,
                  "adding the mirrored face needs a pipeline that keeps chips");
    }
    using models::Alignment;
    const Alignment alignment = card_.input.alignment;
    if (aligned_ && alignment != Alignment::arcface_112 && alignment != Alignment::dlib_150) {
      throw Error(ErrorCode::unsupported,
                  "pictures of aligned faces have no box, which the alignment " +
                      std::string(to_string(alignment)) + " of " + card_.name + " needs",
                  "search them for faces (--aligned no), or take another --model");
    }
  }

  bool aligned() const noexcept { return aligned_; }

  /// All that decides a vector, for the cache.
  std::string identity() const {
    const PipelineOptions& o = pipeline_.options();
    return fmt::format(
        "evaluation/1 {} mirror={} aligned={} min_face={} min_score={} enlarge={} pixels={} "
        "most={} decode={},{}",
        pipeline_.model_hash(), add_mirror_, aligned_, o.detect.min_face_px,
        o.detect.min_score ? fmt::to_string(*o.detect.min_score) : "card", o.detect.max_enlarge,
        o.detection_pixels, o.max_faces, o.decode.max_pixels, o.decode.apply_orientation);
  }

  /// The key of a photo in the cache; nothing for a file that is not there.
  std::optional<CacheKey> key(std::uint32_t photo) const {
    const SetPhoto& p = set_.photos[photo];
    const fs::path file = p.file.empty() ? set_.container : p.file;
    std::error_code error;
    const auto bytes = fs::file_size(file, error);
    if (error) return std::nullopt;
    const auto time = fs::last_write_time(file, error).time_since_epoch().count();
    if (error) return std::nullopt;
    const fs::path place = fs::absolute(file, error).lexically_normal();
    return cache_key(fmt::format("{}\n{}\n{}\n{}", place.string(), bytes, time,
                                 p.file.empty() ? fmt::to_string(p.key) : ""));
  }

  Analysis analyse(std::uint32_t photo) const {
    const SetPhoto& p = set_.photos[photo];
    if (aligned_) return analyse_crop(photo);
    if (!p.file.empty()) return pipeline_.analyse_file(p.file);
    return pipeline_.analyse(decode(photo));
  }

  std::vector<Embedded> embed(std::span<const std::uint32_t> photos) const {
    std::vector<Embedded> out;
    std::vector<image::Image> chips;
    std::vector<std::size_t> owners;
    for (const std::uint32_t photo : photos) {
      Embedded& e = out.emplace_back();
      e.photo = photo;
      try {
        if (aligned_) {
          chips.push_back(crop_chip(photo));
          owners.push_back(out.size() - 1);
          e.state = PhotoState::found;
          e.faces = 1;
        } else {
          embed_photo(e);
        }
      } catch (const Error& error) {
        // These are no property of the photo.
        if (error.code() == ErrorCode::internal || error.code() == ErrorCode::cancelled ||
            error.code() == ErrorCode::device) {
          throw;
        }
        e = {.photo = photo, .error = error};
      }
    }
    embed_chips(chips, owners, out);
    return out;
  }

 private:
  image::Image decode(std::uint32_t photo) const {
    const SetPhoto& p = set_.photos[photo];
    try {
      std::vector<std::byte> scratch;
      if (!p.file.empty()) return image::decode_file(p.file, pipeline_.options().decode).image;
      return image::decode(set_.encoded(p.key, scratch), pipeline_.options().decode).image;
    } catch (Error& error) {
      if (!p.file.empty()) throw;
      throw error.add_context(set_.container.string() + ": " + p.name);
    }
  }

  /// The face of an aligned crop: its five points are where the template has them.
  static Detection crop_face(const image::Image& picture, const SetPhoto& photo) {
    const int side = picture.width_px();
    if (side != picture.height_px() || (side % 112 != 0 && side % 128 != 0)) {
      throw Error(ErrorCode::unsupported,
                  fmt::format("a picture of {} x {} pixels is no aligned face; those are squares "
                              "of multiples of 112 or 128",
                              side, picture.height_px()),
                  "search the pictures for faces: --aligned no",
                  photo.file.empty() ? photo.name : photo.file.string());
    }
    const auto extent = static_cast<double>(side);
    return {.box = {0, 0, extent, extent}, .score = 1, .landmarks = arcface_template(side)};
  }

  image::Image crop_chip(std::uint32_t photo) const {
    const image::Image picture = decode(photo);
    return pipeline_.aligner().align(picture, crop_face(picture, set_.photos[photo])).picture;
  }

  Analysis analyse_crop(std::uint32_t photo) const {
    const image::Image picture = decode(photo);
    Analysis out;
    out.file = set_.photos[photo].file;
    out.extent = picture.extent();
    DescribedFace& face = out.faces.emplace_back();
    static_cast<Detection&>(face) = crop_face(picture, set_.photos[photo]);
    face.chip = pipeline_.aligner().align(picture, face).picture;
    return out;
  }

  void embed_photo(Embedded& out) const {
    const Analysis analysis = analyse(out.photo);
    out.faces = static_cast<std::uint32_t>(analysis.faces.size());
    const std::optional<std::size_t> best = main_face(analysis);
    if (!best) {
      out.state = PhotoState::no_face;
      return;
    }
    const DescribedFace& face = analysis.faces[*best];
    if (face.degenerate) {
      out.state = PhotoState::not_aligned;
      return;
    }
    out.state = PhotoState::found;
    out.vector = face.embedding;
    out.norm = static_cast<float>(face.norm);
    if (!add_mirror_) return;
    const image::Image mirrored = image::flip_horizontal(face.chip);
    const image::ImageView view = mirrored;
    const Embeddings other = pipeline_.embedder().embed(std::span(&view, 1));
    add(out, other, 0);
  }

  void embed_chips(std::span<const image::Image> chips, std::span<const std::size_t> owners,
                   std::span<Embedded> out) const {
    if (chips.empty()) return;
    std::vector<image::ImageView> views(chips.begin(), chips.end());
    std::vector<image::Image> mirrored;
    if (add_mirror_) {
      mirrored.reserve(chips.size());
      for (const image::Image& chip : chips) mirrored.push_back(image::flip_horizontal(chip));
      views.insert(views.end(), mirrored.begin(), mirrored.end());
    }
    const Embeddings all = pipeline_.embedder().embed(views);
    for (std::size_t i = 0; i < owners.size(); ++i) {
      Embedded& e = out[owners[i]];
      const auto row = std::span(all.vectors).subspan(i * all.dimension, all.dimension);
      e.vector.assign(row.begin(), row.end());
      e.norm = static_cast<float>(all.norms[i]);
      if (add_mirror_) add(e, all, chips.size() + i);
    }
  }

  /// f(x) + f(mirror x) from their unit vectors and lengths, made 1 afterwards (6.1 of the
  /// specification).
  static void add(Embedded& out, const Embeddings& all, std::size_t row) {
    double squares = 0;
    std::vector<double> sum(all.dimension);
    for (std::size_t k = 0; k < all.dimension; ++k) {
      sum[k] = double{out.vector[k]} * out.norm +
               double{all.vectors[row * all.dimension + k]} * all.norms[row];
      squares += sum[k] * sum[k];
    }
    const double length = std::sqrt(squares);
    out.norm = static_cast<float>(length);
    if (!(length > 0)) return;
    for (std::size_t k = 0; k < sum.size(); ++k) {
      out.vector[k] = static_cast<float>(sum[k] / length);
    }
  }

  const FacePipeline& pipeline_;
  const EvaluationSet& set_;
  const models::ModelCard& card_;
  bool aligned_;
  bool add_mirror_ = false;
};

/// Photos whose rows are not in the cache; the others are put in place.
std::vector<std::uint32_t> take_cached(const SetEmbedder& embedder, const EmbeddingCache& cache,
                                       std::vector<std::optional<CacheKey>>& keys,
                                       EmbeddedSet& out) {
  std::vector<std::uint32_t> pending;
  for (std::uint32_t i = 0; i < keys.size(); ++i) {
    keys[i] = embedder.key(i);
    const auto row = keys[i] ? cache.find(*keys[i]) : std::nullopt;
    if (!row) {
      pending.push_back(i);
      continue;
    }
    out.states[i] = row->state;
    out.faces[i] = row->faces;
    out.norms[i] = row->norm;
    std::copy(row->vector.begin(), row->vector.end(),
              out.vectors.begin() + static_cast<std::ptrdiff_t>(i * out.dimension));
    ++out.from_cache;
  }
  return pending;
}

void place(Embedded&& e, EmbeddedSet& out) {
  out.states[e.photo] = e.state;
  out.faces[e.photo] = e.faces;
  out.norms[e.photo] = e.norm;
  std::copy(e.vector.begin(), e.vector.end(),
            out.vectors.begin() + static_cast<std::ptrdiff_t>(e.photo * out.dimension));
  if (e.error) out.unreadable.push_back({e.photo, std::move(*e.error)});
}

void save(EmbeddingCache& cache, EmbeddedSet& out) {
  try {
    cache.save();
  } catch (const Error& error) {
    out.warnings.push_back("the vectors were not kept: " + error.message());
  }
}

/// Embeds what is pending; what was done is kept when it is interrupted.
void embed_pending(const SetEmbedder& embedder, std::span<const std::uint32_t> pending,
                   std::span<const std::optional<CacheKey>> keys, EmbeddingCache* cache,
                   int workers, EmbeddedSet& out, RunContext& run) {
  const std::size_t batch = embedder.aligned() ? kCropBatch : 1;
  const std::size_t batches = (pending.size() + batch - 1) / batch;
  const auto work = [&](std::size_t i) {
    return embedder.embed(pending.subspan(i * batch, std::min(batch, pending.size() - i * batch)));
  };
  const auto each = [&](std::vector<Embedded>&& done) {
    for (Embedded& e : done) {
      if (cache != nullptr && keys[e.photo] && e.state != PhotoState::unreadable) {
        cache->add(*keys[e.photo], {e.state, e.faces, e.norm, e.vector});
      }
      place(std::move(e), out);
    }
    return true;
  };
  try {
    ordered_stream<std::vector<Embedded>>(
        batches, workers, work, each, batch > 1 ? "embedding batches" : "embedding photos", run);
  } catch (...) {
    if (cache != nullptr) save(*cache, out);
    throw;
  }
  if (cache != nullptr) save(*cache, out);
}

/// Not one photo could be read. That crops are none is a matter of the options.
[[noreturn]] void refuse(const EmbeddedSet& set, bool aligned) {
  const Error& first = set.unreadable.front().error;
  if (aligned && first.code() == ErrorCode::unsupported) throw first;
  throw Error(ErrorCode::corrupt_data,
              fmt::format("none of the {} photos could be read; the first: {}",
                          set.unreadable.size(), first.message()),
              first.hint(), first.context());
}

/// A face of less than this share of the largest one's area is somebody in the background.
constexpr double kRivalShare = 0.5;

double area(const DescribedFace& face) {
  return face.box.width_px * face.box.height_px;
}

double squared_offset(const DescribedFace& face, image::Extent extent) {
  const double x = face.box.x_px + face.box.width_px / 2 - extent.width_px / 2.0;
  const double y = face.box.y_px + face.box.height_px / 2 - extent.height_px / 2.0;
  return x * x + y * y;
}

}  // namespace

std::optional<std::size_t> main_face(const Analysis& photo) {
  const bool all_degenerate = std::all_of(photo.faces.begin(), photo.faces.end(),
                                          [](const DescribedFace& f) { return f.degenerate; });
  const auto counts = [&](const DescribedFace& f) { return all_degenerate || !f.degenerate; };
  double largest = 0;
  for (const DescribedFace& face : photo.faces) {
    if (counts(face)) largest = std::max(largest, area(face));
  }
  std::optional<std::size_t> best;
  double nearest = 0;
  for (std::size_t i = 0; i < photo.faces.size(); ++i) {
    const DescribedFace& face = photo.faces[i];
    if (!counts(face) || area(face) < kRivalShare * largest) continue;
    const double offset = squared_offset(face, photo.extent);
    if (best && offset >= nearest) continue;
    best = i;
    nearest = offset;
  }
  return best;
}

std::size_t EmbeddedSet::count(PhotoState state) const {
  return static_cast<std::size_t>(std::count(states.begin(), states.end(), state));
}

EmbeddedSet embed_set(const FacePipeline& pipeline, const EvaluationSet& set,
                      const EmbedSetOptions& options, RunContext& run) {
  const SetEmbedder embedder(pipeline, set, options);
  const std::size_t n = set.photos.size();
  EmbeddedSet out;
  out.dimension = pipeline.dimension();
  out.vectors.resize(n * out.dimension);
  out.states.resize(n, PhotoState::unreadable);
  out.norms.resize(n);
  out.faces.resize(n);
  std::vector<std::optional<CacheKey>> keys(n);
  std::vector<std::uint32_t> pending;
  std::optional<EmbeddingCache> cache;
  if (options.cache.empty()) {
    for (std::uint32_t i = 0; i < n; ++i) pending.push_back(i);
  } else {
    cache.emplace(options.cache, embedder.identity(), out.dimension);
    if (!cache->complaint().empty()) {
      out.warnings.push_back(cache->path().string() + " was made anew: " + cache->complaint());
    }
    pending = take_cached(embedder, *cache, keys, out);
  }
  const int workers = std::max(1, std::min(pipeline.options().parallel, run.threads()));
  embed_pending(embedder, pending, keys, cache ? &*cache : nullptr, workers, out, run);
  if (n > 0 && out.unreadable.size() == n) refuse(out, embedder.aligned());
  return out;
}

Analysis analyse_photo(const FacePipeline& pipeline, const EvaluationSet& set, std::uint32_t photo,
                       const EmbedSetOptions& options) {
  Analysis out = SetEmbedder(pipeline, set, options).analyse(photo);
  const std::optional<std::size_t> best = main_face(out);
  if (!best) return out;
  if (*best != 0) std::swap(out.faces.front(), out.faces[*best]);
  out.faces.resize(1);
  return out;
}

}  // namespace sosia::face

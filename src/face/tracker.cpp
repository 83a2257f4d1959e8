#include "sosia/face/tracker.hpp"

#include "face/geometry.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/text.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

namespace sosia::face {
namespace {

double cosine(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) sum += double{a[i]} * b[i];
  return sum;
}

/// Adds `weight` times `b` to the unit vector `a` that stands for `total` and makes it 1 long
/// again.
void add_weighted(std::vector<float>& a, double total, std::span<const float> b, double weight) {
  double squares = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    a[i] = static_cast<float>(total * a[i] + weight * b[i]);
    squares += double{a[i]} * a[i];
  }
  const double length = std::sqrt(squares);
  for (float& v : a) v = length > 0 ? static_cast<float>(v / length) : 0;
}

/// A face that may belong to a track.
struct Pairing {
  std::size_t track = 0, face = 0;
  double likeness = 0;  ///< boxes that overlap come first, then likeness of faces
};

}  // namespace

FaceTracker::FaceTracker(const TrackOptions& options) : options_(options) {
  const bool good = options.min_overlap > 0 && options.min_overlap <= 1 &&
                    options.min_cosine <= 1 && options.max_unlike <= options.min_cosine;
  if (!good) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("tracking with overlap {} and cosines {} and {}", options.min_overlap,
                            options.min_cosine, options.max_unlike),
                "overlap lies in (0, 1], max_unlike is at most min_cosine");
  }
}

void FaceTracker::add(std::int64_t frame, double time_ms, std::span<const DescribedFace> faces) {
  if (frame <= last_frame_) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("frame {} after frame {}", frame, last_frame_));
  }
  const std::int64_t before = std::exchange(last_frame_, frame);
  std::vector<Pairing> pairs;
  for (std::size_t t = 0; t < tracks_.size(); ++t) {
    const Sighting& last = tracks_[t].sightings.back();
    const std::int64_t gap = frame - last.frame - 1;
    if (options_.max_gap_frames >= 0 && gap > options_.max_gap_frames) continue;
    for (std::size_t f = 0; f < faces.size(); ++f) {
      const double like = cosine(tracks_[t].embedding, faces[f].embedding);
      // Boxes tell something only about the frame just before.
      const double shared = last.frame == before ? overlap(last.face.box, faces[f].box) : 0;
      const bool near = shared >= options_.min_overlap && like >= options_.max_unlike;
      if (near || like >= options_.min_cosine) pairs.push_back({t, f, like + (near ? shared : 0)});
    }
  }
  std::stable_sort(pairs.begin(), pairs.end(),
                   [](const Pairing& a, const Pairing& b) { return a.likeness > b.likeness; });
  std::vector<bool> taken(tracks_.size()), placed(faces.size());
  const auto append = [&](Track& track, const DescribedFace& face) {
    // A face without quality still counts a little.
    const double weight = std::max(0.01, face.quality.value);
    double total = 0;
    for (const Sighting& s : track.sightings) total += std::max(0.01, s.quality);
    add_weighted(track.embedding, total, face.embedding, weight);
    if (track.sightings.empty() || face.quality.value > track.best.quality.value) {
      track.best = face;
      track.best_frame = frame;
    }
    track.sightings.push_back({frame, time_ms, face, face.quality.value});
  };
  for (const Pairing& pair : pairs) {
    if (taken[pair.track] || placed[pair.face]) continue;
    taken[pair.track] = placed[pair.face] = true;
    append(tracks_[pair.track], faces[pair.face]);
  }
  for (std::size_t f = 0; f < faces.size(); ++f) {
    if (placed[f]) continue;
    Track& track = tracks_.emplace_back();
    track.embedding = faces[f].embedding;
    append(track, faces[f]);
  }
}

std::vector<Track> FaceTracker::tracks() const {
  std::vector<Track> out;
  for (const Track& track : tracks_) {
    if (track.sightings.size() < options_.min_length) continue;
    out.push_back(track);
    out.back().id = out.size() - 1;
  }
  return out;
}

ClipTracks track_frames(const FacePipeline& pipeline, image::FrameSource& source,
                        const TrackOptions& options, RunContext& run) {
  pipeline.embedder();  // throws when there is none
  FaceTracker tracker(options);
  ClipTracks out;
  const auto total =
      static_cast<std::uint64_t>(std::max<std::int64_t>(0, source.frame_count().value_or(0)));
  while (true) {
    run.progress("tracking faces", static_cast<std::uint64_t>(out.frames), total);
    std::optional<image::Frame> frame;
    try {
      frame = source.next();
    } catch (const Error& e) {
      if (e.code() == ErrorCode::cancelled || e.code() == ErrorCode::internal) throw;
      out.bad.push_back({e.context(), e.message()});
      // A source that fails without moving on would never end.
      if (out.bad.size() > 10'000) throw;
      continue;
    }
    if (!frame) break;
    ++out.frames;
    tracker.add(frame->index, frame->time_ms, pipeline.analyse(frame->image).faces);
  }
  out.tracks = tracker.tracks();
  return out;
}

}  // namespace sosia::face

#pragma once
// Tracking: the faces of a clip, put together to one track per person.

#include "sosia/core/run.hpp"
#include "sosia/face/pipeline.hpp"
#include "sosia/image/frames.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace sosia::face {

struct TrackOptions {
  double min_overlap = 0.3;  ///< intersection over union with the track's last box, (0, 1]
  /// Faces that overlap less, or after a gap, join a track when the cosine with its mean embedding
  /// is at least this; faces that overlap but are less alike than `max_unlike` start a new one.
  double min_cosine = 0.93;
  double max_unlike = 0.8;
  /// A track may be taken up again after so many frames without the face; -1: at any time.
  std::int64_t max_gap_frames = -1;
  std::size_t min_length = 1;  ///< shorter tracks are dropped
};

/// One sighting of a track.
struct Sighting {
  std::int64_t frame = 0;
  double time_ms = 0;
  Detection face = {};
  double quality = 0;
};

/// One person of a clip.
struct Track {
  std::size_t id = 0;  ///< numbered from 0 in the order of first sighting
  std::vector<Sighting> sightings = {};
  std::vector<float> embedding = {};  ///< quality-weighted mean, length 1
  DescribedFace best = {};            ///< the sighting of highest quality, with chip when kept
  std::int64_t best_frame = 0;
};

/// Puts faces of consecutive frames together, greedily by falling similarity; two faces of one
/// frame never share a track. Thread-safety: one thread per object.
class FaceTracker {
 public:
  explicit FaceTracker(const TrackOptions& options = {});
  /// Faces of the next frame. Frames come in rising order, else invalid_argument.
  void add(std::int64_t frame, double time_ms, std::span<const DescribedFace> faces);
  /// All tracks so far that are long enough.
  std::vector<Track> tracks() const;

 private:
  TrackOptions options_;
  std::vector<Track> tracks_;
  std::int64_t last_frame_ = -1;
};

/// What became of a clip.
struct ClipTracks {
  std::vector<Track> tracks = {};
  std::int64_t frames = 0;  ///< that were read
  struct Bad {
    std::string where = {};
    std::string reason = {};
  };
  std::vector<Bad> bad = {};  ///< frames that could not be read
};

/// Reads all frames of `source`, describes their faces and tracks them. Throws invalid_argument for
/// a pipeline without embedder, cancelled.
ClipTracks track_frames(const FacePipeline& pipeline, image::FrameSource& source,
                        const TrackOptions& options, RunContext& run);

}  // namespace sosia::face

#pragma once
// Pictures, or clips: what the verbs that describe faces go through, one item after the other.

#include "face/verb_parts.hpp"
#include "sosia/face/tracker.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace sosia::face {

/// Whether inputs are clips (video files, folders of frames), and how they are read.
struct ClipOptions {
  bool track = false;
  std::int64_t step = 1;
  std::int64_t min_frames = 3;
};
void describe_clips(Fields& f, ClipOptions& o);

/// When a face of a clip was seen.
struct TrackSpan {
  std::size_t frames = 0;
  std::int64_t first = 0, last = 0, best = 0;  ///< numbers of frames
  double first_ms = 0, last_ms = 0;
};

/// A picture with its faces, or a clip with one face per person: the best sighting, with the mean
/// embedding of all.
struct SourceItem {
  Analysis analysis = {};
  std::vector<TrackSpan> spans = {};  ///< of a clip, as long as the faces; else empty
  std::int64_t frames = 0;            ///< of a clip
};

/// The items that a verb's inputs mean.
struct SourceList {
  FileList list = {};  ///< pictures, or with `clips` video files and folders of frames
  bool clips = false;
};

/// Throws not_found, with reasons, when there is none. With clips, a folder that holds pictures is
/// one clip; one that holds none gives what lies in it.
SourceList collect_sources(const std::vector<std::string>& inputs, const ClipOptions& clips);

/// Goes through all of them in order and calls `each`, those with an error included; counts. Throws
/// corrupt_data, with reasons, when not one could be read.
FileCounts stream_sources(const FacePipeline& pipeline, const SourceList& sources,
                          const ClipOptions& clips, const std::function<void(SourceItem&&)>& each,
                          RunContext& run);

/// Adds `frames`, `first_frame`, `last_frame`, `first_s`, `last_s` to a face of a clip.
void add_span(Value& face, const SourceItem& item, std::size_t index);

/// Tables and results of files that were not even opened: {"file", "faces": [], "error"}.
void push_skipped(Value& results, const SourceList& sources);

}  // namespace sosia::face

#include "face/sources.hpp"

#include "sosia/core/error.hpp"
#include "sosia/image/decode.hpp"
#include "sosia/image/frames.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <set>
#include <utility>

#include <fmt/format.h>

namespace sosia::face {
namespace {

namespace fs = std::filesystem;

bool is_picture(const fs::path& path) {
  std::array<char, 16> head{};
  std::ifstream in(path, std::ios::binary);
  in.read(head.data(), head.size());
  const auto count = static_cast<std::size_t>(in.gcount());
  return count > 0 && image::looks_decodable(std::as_bytes(std::span(head).first(count)));
}

/// Puts the clips of an input on a list.
class ClipCollector {
 public:
  void add(const fs::path& path) {
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (!fs::exists(status)) return skip(path, "there is no such file");
    if (!fs::is_directory(status)) return list_.files.push_back(path);
    folder(path);
  }
  FileList result() && { return std::move(list_); }

 private:
  void skip(const fs::path& path, std::string reason) {
    list_.skipped.push_back({path, std::move(reason)});
  }

  void folder(const fs::path& path) {
    std::error_code error;
    // A folder that a link leads to again is taken once.
    const fs::path real = fs::canonical(path, error);
    if (error) return skip(path, error.message());
    if (!seen_.insert(real.string()).second) return;
    std::vector<fs::path> inside;
    fs::directory_iterator it(path, error);
    for (; !error && it != fs::directory_iterator(); it.increment(error)) {
      if (!it->path().filename().string().starts_with('.')) inside.push_back(it->path());
    }
    if (error) return skip(path, error.message());
    std::sort(inside.begin(), inside.end());
    for (const fs::path& entry : inside) {
      if (fs::is_regular_file(entry, error) && is_picture(entry)) {
        return list_.files.push_back(path);
      }
    }
    for (const fs::path& entry : inside) {
      if (fs::is_directory(entry, error)) {
        folder(entry);
      } else {
        list_.files.push_back(entry);  // a video, or a reason when it is opened
      }
    }
  }

  FileList list_;
  std::set<std::string> seen_;
};

SourceItem read_clip(const FacePipeline& pipeline, const fs::path& path, const ClipOptions& clips,
                     RunContext& run) {
  SourceItem item;
  item.analysis.file = path;
  try {
    const auto source = image::frames(
        path, {.decode = {.channels = image::Channels::rgb}, .step = static_cast<int>(clips.step)});
    ClipTracks found = track_frames(
        pipeline, *source, {.min_length = static_cast<std::size_t>(clips.min_frames)}, run);
    item.frames = found.frames;
    if (found.frames == 0) {
      throw Error(ErrorCode::corrupt_data,
                  found.bad.empty() ? "it has no frame that could be read" : found.bad[0].reason);
    }
    for (Track& track : found.tracks) {
      DescribedFace& face = item.analysis.faces.emplace_back(std::move(track.best));
      face.embedding = std::move(track.embedding);
      const Sighting &first = track.sightings.front(), &last = track.sightings.back();
      item.spans.push_back({.frames = track.sightings.size(),
                            .first = first.frame,
                            .last = last.frame,
                            .best = track.best_frame,
                            .first_ms = first.time_ms,
                            .last_ms = last.time_ms});
    }
  } catch (const Error& e) {
    if (e.code() == ErrorCode::internal || e.code() == ErrorCode::cancelled ||
        e.code() == ErrorCode::device || e.code() == ErrorCode::invalid_argument) {
      throw;
    }
    item.analysis.error = e;
  }
  return item;
}

}  // namespace

void describe_clips(Fields& f, ClipOptions& o) {
  f({.name = "track",
     .help = "the inputs are clips (video files, folders of frames): the faces of a person in one "
             "clip become one",
     .group = "clips"},
    o.track);
  f({.name = "step",
     .help = "of a clip every n-th frame",
     .min = 1,
     .max = 100'000,
     .group = "clips"},
    o.step);
  f({.name = "min_frames",
     .help = "faces seen in fewer frames of a clip are dropped",
     .min = 1,
     .max = 1'000'000,
     .group = "clips"},
    o.min_frames);
}

SourceList collect_sources(const std::vector<std::string>& inputs, const ClipOptions& clips) {
  if (!clips.track) return {collect_inputs(inputs), false};
  ClipCollector collector;
  for (const std::string& input : with_standard_input(inputs)) collector.add(input);
  SourceList out{std::move(collector).result(), true};
  if (out.list.files.empty()) {
    const bool one = !out.list.skipped.empty();
    throw Error(ErrorCode::not_found,
                one ? "there is no clip: " + out.list.skipped[0].path.string() + ": " +
                          out.list.skipped[0].reason
                    : std::string("there is no clip"),
                "name video files, or folders that hold the frames of one clip each");
  }
  return out;
}

FileCounts stream_sources(const FacePipeline& pipeline, const SourceList& sources,
                          const ClipOptions& clips, const std::function<void(SourceItem&&)>& each,
                          RunContext& run) {
  if (!sources.clips) {
    return stream_files(
        pipeline, sources.list,
        [&](Analysis&& analysis) {
          SourceItem item;
          item.analysis = std::move(analysis);
          each(std::move(item));
        },
        run);
  }
  FileCounts counts;
  for (const fs::path& path : sources.list.files) {
    SourceItem item = read_clip(pipeline, path, clips, run);
    item.analysis.index = counts.files;
    counts.add(item.analysis);
    each(std::move(item));
  }
  counts.files += sources.list.skipped.size();
  counts.bad.insert(counts.bad.end(), sources.list.skipped.begin(), sources.list.skipped.end());
  require_readable(counts);
  return counts;
}

void add_span(Value& face, const SourceItem& item, std::size_t index) {
  if (item.spans.empty()) return;
  const TrackSpan& span = item.spans[index];
  face.set("frames", span.frames);
  face.set("first_frame", span.first);
  face.set("last_frame", span.last);
  face.set("best_frame", span.best);
  face.set("first_s", rounded(span.first_ms / 1000, 3));
  face.set("last_s", rounded(span.last_ms / 1000, 3));
}

void push_skipped(Value& results, const SourceList& sources) {
  for (const SkippedFile& file : sources.list.skipped) {
    results.push(Value::object(
        {{"file", file.path.string()}, {"faces", Value::list()}, {"error", file.reason}}));
  }
}

}  // namespace sosia::face

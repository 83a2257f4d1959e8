#pragma once
// What the verbs of this room share: which pictures, which networks, and what became of the files.

#include "sosia/core/fields.hpp"
#include "sosia/core/report.hpp"
#include "sosia/core/run.hpp"
#include "sosia/face/files.hpp"
#include "sosia/face/pipeline.hpp"
#include "sosia/models/place.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sosia::face {

/// Rows of a table for people; JSON has all.
inline constexpr std::size_t kTableRows = 200;

/// The options that say how faces are found and described.
struct FaceOptions {
  std::string detector{kDefaultDetector};
  std::string model{kDefaultEmbedder};
  double min_face = DetectOptions{}.min_face_px;
  std::optional<double> min_score = {};
  std::int64_t max_faces = 0;
  models::Precision precision = models::Precision::exact;
  models::StorePlace store = {};
};
/// `--detector`, `--min-face`, `--min-score`, `--max-faces`, `--precision`, `--models`.
void describe_detector(Fields& f, FaceOptions& o);
/// The same and `--model`, the card of the embedder.
void describe_faces(Fields& f, FaceOptions& o);
/// The positional list of files, folders, patterns, and "-" for a list on standard input.
void describe_inputs(Fields& f, std::vector<std::string>& inputs,
                     const char* help =
                         "pictures, folders, patterns, or - for a list of them on "
                         "standard input");

/// The pipeline of `options` for about `files` pictures, with the run's threads; without an
/// embedder when `embed` is false. Cards that cannot be read become warnings of `report`. Throws as
/// `FacePipeline`.
struct PipelineWish {
  std::size_t files = 0;
  bool embed = true;
  bool keep_chips = false;
};
FacePipeline open_pipeline(const FaceOptions& options, const PipelineWish& wish, Report& report,
                           RunContext& run);

/// `inputs` with "-" replaced by the lines of standard input.
std::vector<std::string> with_standard_input(std::span<const std::string> inputs);

/// The pictures that `inputs` mean. Throws not_found, with reasons, when there is none.
FileList collect_inputs(std::span<const std::string> inputs);

/// What became of the files of a run.
struct FileCounts {
  std::uint64_t files = 0;         ///< that were meant, the unreadable ones included
  std::uint64_t read = 0;          ///< whole
  std::uint64_t without_face = 0;  ///< of those that were read
  std::uint64_t faces = 0;
  std::vector<SkippedFile> bad = {};  ///< not read, and why

  /// Counts one analysis.
  void add(const Analysis& analysis);
};

/// Analyses all files of `list` in order and calls `each` for every one, those with an error
/// included; counts. Throws corrupt_data, with reasons, when not one could be read.
FileCounts stream_files(const FacePipeline& pipeline, const FileList& list,
                        const std::function<void(Analysis&&)>& each, RunContext& run);

/// Throws corrupt_data, with reasons, when files were meant and none was read.
void require_readable(const FileCounts& counts);
/// Counts as scalars, the bad files as the table "problems", their number as a warning.
void add_counts(Report& report, const FileCounts& counts);

/// A table when it has rows, else only its empty list for machines.
void add_table(Report& report, Table table);

/// [x, y, width, height] in pixels, to a hundredth.
Value to_value(const image::Box& box);
/// [[x, y], ...] of the five points.
Value to_value(const Landmarks& points);
/// A number to so many decimals, for JSON that people read as well.
double rounded(double value, int decimals);

/// Whether the run writes a page: pictures are not worth encoding otherwise.
bool html_wanted(const RunContext& run);

}  // namespace sosia::face

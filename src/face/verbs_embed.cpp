// `sosia face embed`: faces as vectors, in files.

#include "face/sources.hpp"
#include "face/verbs.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/text.hpp"
#include "sosia/gallery/sink.hpp"

#include <fmt/format.h>

namespace sosia::face {
namespace {

struct EmbedVerbOptions {
  std::vector<std::string> inputs;
  std::string out;
  std::string label;
  FaceOptions faces;
  ClipOptions clips;
};

void describe(Fields& f, EmbedVerbOptions& o) {
  describe_inputs(f, o.inputs);
  f({.name = "out",
     .help = "file of vectors: .npy or .npz (and a .csv beside it), .jsonl, .parquet or .csv",
     .role = FieldRole::output_file,
     .required = true},
    o.out);
  f({.name = "label", .help = "label of all rows (default: the folder that a file lies in)"},
    o.label);
  describe_faces(f, o.faces);
  describe_clips(f, o.clips);
}

/// A face as a row of the file.
gallery::StoredTemplate row_of(const EmbedVerbOptions& o, const SourceItem& item, std::size_t index,
                               std::int64_t number) {
  const DescribedFace& face = item.analysis.faces[index];
  gallery::StoredTemplate row;
  row.id = number;
  row.label = o.label.empty()
                  ? std::filesystem::absolute(item.analysis.file).parent_path().filename().string()
                  : o.label;
  row.vector = face.embedding;
  row.quality = face.quality.value;
  row.origin = item.analysis.file.string();
  row.metadata = Value::object({{"face", index},
                                {"box", to_value(face.box)},
                                {"score", rounded(face.score, 4)},
                                {"landmarks", to_value(face.landmarks)}});
  if (face.degenerate) row.metadata.set("degenerate", true);
  add_span(row.metadata, item, index);
  return row;
}

Report embed(const EmbedVerbOptions& o, RunContext& run) {
  Report report("face.embed", "faces as vectors");
  const SourceList sources = collect_sources(o.inputs, o.clips);
  const FacePipeline pipeline =
      open_pipeline(o.faces, {.files = sources.list.files.size()}, report, run);
  const auto sink = gallery::open_template_sink(o.out, pipeline.dimension(), run.overwrite());
  std::int64_t rows = 0;
  std::size_t degenerate = 0;
  std::vector<std::vector<Value>> shown;
  const auto each = [&](SourceItem&& item) {
    for (std::size_t i = 0; i < item.analysis.faces.size(); ++i) {
      const DescribedFace& face = item.analysis.faces[i];
      const gallery::StoredTemplate row = row_of(o, item, i, rows);
      degenerate += face.degenerate;
      sink->add(row);
      if (shown.size() < kTableRows) {
        shown.push_back({rows, row.origin, row.label, rounded(face.score, 4),
                         rounded(face.quality.value, 3), rounded(face.quality.eye_distance_px, 1),
                         rounded(face.quality.pose.yaw_deg, 1)});
      }
      ++rows;
    }
  };
  const FileCounts counts = stream_sources(pipeline, sources, o.clips, each, run);
  std::vector<std::string> files;
  for (const auto& path : sink->finish()) {
    run.note_output(path);
    files.push_back(path.string());
  }
  report.scalar("rows", rows, "vectors");
  report.scalar("dimension", pipeline.dimension());
  report.scalar("model", pipeline.embedder().card().name, "embedder");
  report.scalar("model_hash", pipeline.model_hash(), "model hash",
                "of detector, alignment and embedder: give it to gallery create --model");
  add_counts(report, counts);
  Table& table = report.table("vectors", "Faces",
                              {{"row", "", ""},
                               {"file", "", ""},
                               {"label", "", ""},
                               {"score", "", ""},
                               {"quality", "", ""},
                               {"eye_distance", "between the eyes", "px"},
                               {"yaw", "", "deg"}});
  table.rows = std::move(shown);
  if (degenerate > 0) {
    report.warning(fmt::format("the points of {} faces are no face's: they were cut by their box",
                               degenerate));
  }
  report.verdict(fmt::format("{} faces of {} files in {}", rows, counts.read, enumerate(files)));
  return report;
}

}  // namespace

Verb embed_verb() {
  return make_verb<EmbedVerbOptions>(
      {.noun = "face",
       .name = "embed",
       .summary = "turn faces into vectors for other programs",
       .details =
           "Every face of every picture gives a row of length 1, in the order of the files and of "
           "falling detector score: label, quality, origin (the file) and metadata (box, points, "
           "score) stand beside it, by the columns that `sosia gallery import` reads from .npy, "
           ".jsonl and .parquet. The vectors of two runs may be compared when their model hashes "
           "are equal.\n\n"
           "With --track every input is a clip, and a person in it gives one row: the mean of the "
           "sightings, weighted by quality.",
       .examples = {{"sosia face embed photos --out faces.npy", "vectors, and faces.csv beside"},
                    {"sosia face embed photos --out faces.jsonl --json",
                     "one object a line; the report for scripts"}}},
      embed);
}

}  // namespace sosia::face

// `sosia face identify`: who is this, if anybody?

#include "face/identify.hpp"
#include "face/verbs.hpp"
#include "sosia/core/error.hpp"
#include "sosia/gallery/place.hpp"

#include <fmt/format.h>

namespace sosia::face {
namespace {

struct IdentifyVerbOptions {
  std::vector<std::string> inputs;
  gallery::GalleryPlace place;
  std::optional<double> max_fpir;
  double prior = 0.5;
  std::int64_t k = 5;
  double min_quality = 0;
  std::int64_t pictures = 100;
  FaceOptions faces;
  ClipOptions clips;
};

void describe(Fields& f, IdentifyVerbOptions& o) {
  describe_inputs(f, o.inputs);
  gallery::describe_place(f, o.place, gallery::PlaceForm::named);
  f({.name = "max_fpir",
     .help = "false positive identification rate of the decisions (default 0.01, where the "
             "calibration supports it)",
     .above = 0,
     .below = 1},
    o.max_fpir);
  f({.name = "prior",
     .help = "probability that a face's subject is enrolled",
     .above = 0,
     .below = 1,
     .group = "decisions"},
    o.prior);
  f({.name = "k", .help = "candidates listed for each face", .min = 1, .max = 1000}, o.k);
  f({.name = "min_quality",
     .help = "faces of a lower quality are left out",
     .min = 0,
     .max = 1,
     .group = "faces"},
    o.min_quality);
  f({.name = "pictures",
     .help = "most faces that the page of --html shows, each beside its nearest template's; 0 "
             "keeps the page without pictures",
     .min = 0,
     .max = 10'000,
     .group = "page"},
    o.pictures);
  describe_faces(f, o.faces);
  describe_clips(f, o.clips);
}

Report identify(const IdentifyVerbOptions& o, RunContext& run) {
  Report report("face.identify", "who is this, if anybody?");
  const SourceList sources = collect_sources(o.inputs, o.clips);
  const auto gallery = open_place(o.place, gallery::Access::read, "face identify");
  const std::size_t pictures = html_wanted(run) ? static_cast<std::size_t>(o.pictures) : 0;
  const FacePipeline pipeline = open_pipeline(
      o.faces, {.files = sources.list.files.size(), .keep_chips = pictures > 0}, report, run);
  Identifier identifier(*gallery, pipeline,
                        {.max_fpir = o.max_fpir,
                         .prior = o.prior,
                         .candidates = static_cast<std::size_t>(o.k),
                         .min_quality = o.min_quality,
                         .pictures = pictures},
                        run);
  const FileCounts counts = stream_sources(
      pipeline, sources, o.clips, [&](SourceItem&& item) { identifier.add(std::move(item)); }, run);
  identifier.finish();
  report.scalar("gallery", o.place.gallery);
  report.scalar("model", pipeline.embedder().card().name, "embedder");
  add_counts(report, counts);
  identifier.add_to(report);
  push_skipped(identifier.results(), sources);
  report.verdict(identifier.summary());
  report.data("results", std::move(identifier.results()));
  return report;
}

}  // namespace

Verb identify_verb() {
  return make_verb<IdentifyVerbOptions>(
      {.noun = "face",
       .name = "identify",
       .summary = "say who is on photos, or that it is nobody enrolled",
       .details =
           "Every face is accept (one subject), unknown (nobody enrolled) or ambiguous (two "
           "subjects nearly as probable), with the probability of that answer and the candidates. "
           "Thresholds come from the gallery's calibration, at first that of the embedder's card: "
           "the lowest at which more than --max-fpir of the faces of strangers finding anybody is "
           "excluded at 95 %, among as many subjects as are enrolled. Without a calibration "
           "decision and probability are null: see gallery calibrate.\n\n"
           "JSON: results has for every file its faces (box [x, y, width, height], decision, "
           "label, probability, candidates) and error, null when it was read.\n\n"
           "With --track every input is a clip, and a person in it is one face. With --html the "
           "page shows each face beside the nearest template's, cut out of the photo that was "
           "enrolled if that is still there: a gallery holds no pictures. Nothing is logged.",
       .examples = {{"sosia face identify photos --gallery people.sosia",
                     "everybody on the photos"},
                    {"sosia face identify photos/group.png --gallery people.sosia --max-fpir 0.05 "
                     "--html who.html --json",
                     "at another rate, with the evidence as a page"}}},
      identify);
}

}  // namespace sosia::face

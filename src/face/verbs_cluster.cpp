// `sosia face cluster`: an unlabelled folder, sorted by person.

#include "face/grouping.hpp"
#include "face/verbs.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/text.hpp"

#include <fmt/format.h>

namespace sosia::face {
namespace {

namespace fs = std::filesystem;

struct ClusterVerbOptions {
  std::vector<std::string> inputs;
  std::optional<double> threshold;
  double max_fmr = 1e-3;
  std::int64_t min_size = 2;
  double min_quality = 0;
  std::string copy_to, link_to;
  FaceOptions faces;
  ClipOptions clips;
};

void describe(Fields& f, ClusterVerbOptions& o) {
  describe_inputs(f, o.inputs);
  f({.name = "threshold",
     .help = "mean cosine from which faces are one person's",
     .min = -1,
     .max = 1},
    o.threshold);
  f({.name = "max_fmr",
     .help = "without a threshold: that of the card's calibration at this false match rate",
     .above = 0,
     .below = 1},
    o.max_fmr);
  f({.name = "min_size", .help = "smaller clusters are noise", .min = 1, .max = 1'000'000'000},
    o.min_size);
  f({.name = "min_quality",
     .help = "faces of a lower quality are left out",
     .min = 0,
     .max = 1,
     .group = "faces"},
    o.min_quality);
  f({.name = "copy_to",
     .help = "copy the files to folders person_1, person_2, ..., noise and no_face here",
     .role = FieldRole::output_folder},
    o.copy_to);
  f({.name = "link_to",
     .help = "the same with symbolic links instead of copies",
     .role = FieldRole::output_folder},
    o.link_to);
  describe_faces(f, o.faces);
  describe_clips(f, o.clips);
}

/// Refuses a folder that holds something: what is not ours stays as it is.
void require_free(const std::string& folder, Overwrite overwrite) {
  std::error_code ignored;
  if (folder.empty() || overwrite == Overwrite::replace || !fs::exists(folder, ignored) ||
      fs::is_empty(folder, ignored)) {
    return;
  }
  throw Error(ErrorCode::conflict, quote(folder, 200) + " is not empty",
              "choose another folder, or --force to add to it");
}

/// A name in `folder` that is not taken: photo.jpg, photo_2.jpg, ...
fs::path free_name(const fs::path& folder, const fs::path& name) {
  fs::path path = folder / name;
  std::error_code ignored;
  for (int n = 2; fs::exists(fs::symlink_status(path, ignored)); ++n) {
    path = folder / fmt::format("{}_{}{}", name.stem().string(), n, name.extension().string());
  }
  return path;
}

/// One tree of folders with the files of each person.
class Tree {
 public:
  Tree(fs::path root, bool link, RunContext& run)
      : root_(std::move(root)), link_(link), run_(run) {}

  void add(const std::string& folder, const Grouping& grouping,
           const std::vector<std::size_t>& files) {
    if (files.empty()) return;
    const fs::path place = root_ / folder;
    fs::create_directories(place);
    for (const std::size_t index : files) {
      run_.progress(link_ ? "linking files" : "copying files", ++done_);
      const fs::path from = fs::absolute(grouping.files()[index]).lexically_normal();
      const fs::path to = free_name(place, from.filename());
      if (link_ || fs::is_directory(from)) {
        fs::create_symlink(from, to);
      } else {
        fs::copy_file(from, to);
      }
    }
  }
  std::uint64_t done() const { return done_; }

 private:
  fs::path root_;
  bool link_;
  RunContext& run_;
  std::uint64_t done_ = 0;
};

/// Writes the tree of a folder option. Returns how many files it holds.
std::uint64_t write_tree(const std::string& root, bool link, const Grouping& grouping,
                         RunContext& run) {
  if (root.empty()) return 0;
  Tree tree(root, link, run);
  for (std::size_t c = 0; c < grouping.clusters(); ++c) {
    tree.add(fmt::format("person_{}", c + 1), grouping,
             grouping.files_of(static_cast<std::int32_t>(c)));
  }
  tree.add("noise", grouping, grouping.files_of(-1));
  tree.add("no_face", grouping, grouping.without_face());
  run.note_output(root);
  return tree.done();
}

Report cluster(const ClusterVerbOptions& o, RunContext& run) {
  Report report("face.cluster", "who is on these photos?");
  require_free(o.copy_to, run.overwrite());
  require_free(o.link_to, run.overwrite());
  const SourceList sources = collect_sources(o.inputs, o.clips);
  const bool draw = html_wanted(run);
  const FacePipeline pipeline =
      open_pipeline(o.faces, {.files = sources.list.files.size(), .keep_chips = draw}, report, run);
  Grouping grouping(pipeline, {.threshold = o.threshold,
                               .max_fmr = o.max_fmr,
                               .min_size = static_cast<std::size_t>(o.min_size),
                               .min_quality = o.min_quality,
                               .thumbnails = draw});
  const FileCounts counts = stream_sources(
      pipeline, sources, o.clips, [&](SourceItem&& item) { grouping.add(item); }, run);
  grouping.group(run);
  std::uint64_t placed = write_tree(o.copy_to, false, grouping, run);
  placed += write_tree(o.link_to, true, grouping, run);
  report.scalar("model", pipeline.embedder().card().name, "embedder");
  add_counts(report, counts);
  grouping.add_to(report);
  if (!o.copy_to.empty() || !o.link_to.empty()) {
    report.scalar("placed", placed, "files copied or linked");
  }
  report.verdict(fmt::format("{} persons on {} files; {} faces are like no other",
                             grouping.clusters(), counts.read, grouping.noise()));
  return report;
}

Report plan(const ClusterVerbOptions& o, RunContext& run) {
  require_free(o.copy_to, run.overwrite());
  require_free(o.link_to, run.overwrite());
  const SourceList sources = collect_sources(o.inputs, o.clips);
  Report report("face.cluster.plan", "what cluster would do");
  report.scalar("files", sources.list.files.size());
  report.scalar("skipped", sources.list.skipped.size(), "files passed over");
  report.verdict(fmt::format("would look for faces in {} files", sources.list.files.size()));
  return report;
}

}  // namespace

Verb cluster_verb() {
  return make_verb<ClusterVerbOptions>(
      {.noun = "face",
       .name = "cluster",
       .summary = "sort photos by person without knowing anybody",
       .details =
           "Every face of every photo is described, and faces are joined to persons as `gallery "
           "cluster` does: those whose mean cosine over all pairs is highest first, as long as it "
           "is at or above a threshold. That is --threshold, or the one of the card's calibration "
           "at --max-fmr, or else the card's own.\n\n"
           "JSON: clusters holds for each person, the most frequent first, the files; noise the "
           "files of faces that are like no other, no_face those without any; faces says which "
           "face of a file went where. A file with several faces stands in several lists.\n\n"
           "With --html the page has a contact sheet for every person. --copy-to and --link-to "
           "make a folder per person.",
       .examples = {{"sosia face cluster photos", "who is on how many"},
                    {"sosia face cluster photos --link-to persons --html persons.html --json",
                     "a folder of links per person, a page, and JSON"}}},
      cluster, plan);
}

}  // namespace sosia::face

// `sosia gallery cluster`: who is who in a gallery without names?

#include "gallery/decision_parts.hpp"
#include "gallery/enrolled.hpp"
#include "gallery/verb_parts.hpp"
#include "gallery/verbs.hpp"
#include "sosia/core/error.hpp"
#include "sosia/evaluate/clustering.hpp"
#include "sosia/formats/csv.hpp"
#include "sosia/gallery/groups.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <tuple>

#include <fmt/format.h>

namespace sosia::gallery {
namespace {

constexpr std::size_t kMostAssignments = 100'000;  // in the report
constexpr std::size_t kTableRows = 50;

struct ClusterVerbOptions {
  GalleryPlace place;
  std::optional<double> threshold;
  double max_fmr = 1e-3;
  std::int64_t neighbours = 20, min_size = 2;
  std::string tenant, out;
  std::optional<double> min_f1;
};

void describe(Fields& f, ClusterVerbOptions& o) {
  describe_place(f, o.place);
  f({.name = "threshold",
     .help = "mean cosine from which two clusters are joined",
     .min = -1,
     .max = 1},
    o.threshold);
  f({.name = "max_fmr",
     .help = "without a threshold: that of the calibration at this false match rate",
     .above = 0,
     .below = 1},
    o.max_fmr);
  f({.name = "neighbours",
     .help = "clusters are joined along so many nearest templates of each",
     .min = 1,
     .max = 1000},
    o.neighbours);
  f({.name = "min_size", .help = "smaller clusters are noise", .min = 1, .max = 1e9}, o.min_size);
  f({.name = "tenant", .help = "templates of this tenant only"}, o.tenant);
  f({.name = "out",
     .help = "write template, label and cluster of every template to this CSV file",
     .role = FieldRole::output_file},
    o.out);
  f({.name = "min_f1",
     .help = "fail below this pairwise F1 against the labels",
     .min = 0,
     .max = 1,
     .group = "gates"},
    o.min_f1);
}

double threshold_of(Gallery& gallery, const ClusterVerbOptions& o, Report& report) {
  if (o.threshold) {
    report.scalar("threshold", *o.threshold, "threshold", "as given");
    return *o.threshold;
  }
  const OperatingPolicy policy = pairwise_policy(gallery, o.max_fmr);
  report.scalar(
      "threshold", policy.threshold, "threshold",
      fmt::format("of the calibration from {} at FMR {:g}", gallery.calibration()->set, o.max_fmr));
  for (const std::string& warning : policy.warnings) report.warning(warning);
  return policy.threshold;
}

// Against the labels, when they can say anything: some subject has two templates.
void add_scores(Report& report, const Enrolled& rows, std::span<const std::int32_t> clusters,
                const ClusterVerbOptions& o) {
  double f1 = std::numeric_limits<double>::quiet_NaN();
  if (rows.names.size() < rows.size()) {
    std::vector<std::int64_t> found(clusters.begin(), clusters.end());
    for (std::size_t i = 0; i < found.size(); ++i) {
      if (found[i] < 0) found[i] = -1 - static_cast<std::int64_t>(i);  // noise is alone
    }
    const std::vector<std::int64_t> truth(rows.subjects.begin(), rows.subjects.end());
    const auto pairs = evaluate::pairwise_scores(found, truth);
    const auto bcubed = evaluate::bcubed_scores(found, truth);
    f1 = pairs.f1;
    for (const auto& [key, label, s] : {std::tuple{"pairwise", "Pairs of templates", pairs},
                                        std::tuple{"bcubed", "BCubed", bcubed}}) {
      report.group(key, label, {{"precision", s.precision}, {"recall", s.recall}, {"f1", s.f1}},
                   "against the labels; noise counts as clusters of one");
    }
    report.scalar("nmi", evaluate::normalized_mutual_information(found, truth), "NMI",
                  "divided by the mean of the entropies");
  } else if (rows.size() > 0) {
    report.text("Every template has a label of its own, so there is nothing to compare with.");
  }
  if (o.min_f1) {
    report.gate("min_f1", f1 >= *o.min_f1,
                std::isnan(f1) ? "there are no labels to compare with"
                               : fmt::format("pairwise F1 {:.4f}", f1));
  }
}

void add_clusters(Report& report, const Enrolled& rows, std::span<const std::int32_t> clusters) {
  struct Cluster {
    std::int32_t number = 0;
    std::size_t size = 0;
    std::map<std::uint32_t, std::size_t> labels = {};
  };
  std::vector<Cluster> list;
  for (std::size_t i = 0; i < clusters.size(); ++i) {
    if (clusters[i] < 0) continue;
    const auto c = static_cast<std::size_t>(clusters[i]);
    if (c >= list.size()) list.resize(c + 1);
    list[c].number = clusters[i];
    ++list[c].size;
    ++list[c].labels[rows.subjects[i]];
  }
  report.scalar("clusters", list.size());
  std::stable_sort(list.begin(), list.end(),
                   [](const Cluster& a, const Cluster& b) { return a.size > b.size; });
  Table& table = report.table("largest", "Largest clusters",
                              {{"cluster", "", ""},
                               {"size", "templates", ""},
                               {"labels", "labels in it", ""},
                               {"label", "most frequent", ""},
                               {"share", "its share", ""}});
  for (std::size_t i = 0; i < std::min(kTableRows, list.size()); ++i) {
    const Cluster& c = list[i];
    const auto most =
        std::max_element(c.labels.begin(), c.labels.end(),
                         [](const auto& a, const auto& b) { return a.second < b.second; });
    table.add({c.number, c.size, c.labels.size(), rows.names[most->first].label,
               static_cast<double>(most->second) / static_cast<double>(c.size)});
  }
}

void add_assignments(Report& report, const Enrolled& rows, std::span<const std::int32_t> clusters) {
  if (rows.size() > kMostAssignments) {
    report.warning(
        fmt::format("the report leaves out the clusters of {} templates; --out writes "
                    "them",
                    rows.size()));
    return;
  }
  Value list = Value::list();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    list.push(Value::object({{"template", rows.ids[i]},
                             {"label", rows.names[rows.subjects[i]].label},
                             {"cluster", clusters[i] < 0 ? Value() : Value(clusters[i])}}));
  }
  report.data("assignments", std::move(list));
}

void write_assignments(const std::string& out, const Enrolled& rows,
                       std::span<const std::int32_t> clusters, RunContext& run) {
  const std::string header[] = {"template", "label", "tenant", "cluster"};
  formats::CsvWriter csv(out, header, {.overwrite = run.overwrite()});
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (i % 4096 == 0) run.progress("writing clusters", i, rows.size());
    const auto& name = rows.names[rows.subjects[i]];
    csv.field(rows.ids[i]).field(name.label).field(name.tenant);
    csv.field(clusters[i] < 0 ? std::string() : std::to_string(clusters[i])).end_record();
  }
  csv.commit();
  run.note_output(out);
}

Report cluster_gallery(const ClusterVerbOptions& o, RunContext& run) {
  if (!o.out.empty()) AtomicFile(o.out, run.overwrite());
  const auto gallery = open_place(o.place, Access::read, "cluster");
  Report report("gallery.cluster", "cluster: who is who?");
  const double threshold = threshold_of(*gallery, o, report);
  Filter filter;
  if (!o.tenant.empty()) filter.tenant = o.tenant;
  const Enrolled rows = load_enrolled(*gallery, filter, 0, run);
  const std::vector<std::int32_t> clusters =
      cluster(rows.vectors, rows.dimension,
              {.threshold = threshold,
               .neighbours = static_cast<std::size_t>(o.neighbours),
               .min_size = static_cast<std::size_t>(o.min_size)},
              run);
  if (!o.out.empty()) write_assignments(o.out, rows, clusters, run);
  const auto noise = static_cast<std::size_t>(std::count(clusters.begin(), clusters.end(), -1));
  report.scalar("templates", rows.size());
  report.scalar("noise", noise, "templates in no cluster",
                fmt::format("clusters smaller than {}", o.min_size));
  add_clusters(report, rows, clusters);
  add_scores(report, rows, clusters, o);
  add_assignments(report, rows, clusters);
  const std::int32_t count =
      clusters.empty() ? 0 : *std::max_element(clusters.begin(), clusters.end()) + 1;
  report.verdict(fmt::format("{} clusters and {} templates in none, of {} templates", count, noise,
                             rows.size()));
  return report;
}

Report plan(const ClusterVerbOptions& o, RunContext& run) {
  if (!o.out.empty()) AtomicFile(o.out, run.overwrite());
  const auto gallery = open_place(o.place, Access::read, "cluster");
  const GalleryInfo info = gallery->info();
  Report report("gallery.cluster.plan", "what cluster would do");
  threshold_of(*gallery, o, report);
  report.scalar("templates", info.templates);
  report.scalar("memory_bytes", 3 * info.templates * info.dimension * sizeof(float), "memory",
                "for the vectors");
  report.verdict(o.out.empty() ? "would show clusters" : "would write " + o.out);
  return report;
}

}  // namespace

Verb cluster_verb() {
  return make_verb<ClusterVerbOptions>(
      {.noun = "gallery",
       .name = "cluster",
       .summary = "group templates by subject without using labels",
       .details =
           "Joins templates and then clusters whose mean cosine over all pairs is highest, as long "
           "as it is at or above a threshold, along the graph of each template's nearest "
           "neighbours. One template between two clusters does not join them, because the mean "
           "counts all pairs. The threshold is --threshold, or that of the calibration at "
           "--max-fmr. The same gallery gives the same clusters.\n\n"
           "When some label has two templates, the clusters are scored against the labels: "
           "pairwise and BCubed F, NMI. The rule and the others that it was compared with: "
           "docs/decisions/0011.",
       .examples = {{"sosia gallery cluster faces.sosia --threshold 0.5", "a threshold by hand"},
                    {"sosia gallery cluster faces.sosia --threshold 0.4 --out groups.csv",
                     "every template's cluster, in a file"}}},
      cluster_gallery, plan);
}

}  // namespace sosia::gallery

// `sosia evaluate clustering`: clusters against known subjects.

#include "evaluate/verb_parts.hpp"
#include "evaluate/verbs.hpp"
#include "sosia/evaluate/clustering.hpp"

#include <fmt/format.h>

namespace sosia::evaluate {
namespace {

struct ClusteringOptions {
  std::string file;
  std::string cluster_column = "cluster";
  std::string subject_column = "subject";
  std::optional<double> min_f1;
};

void describe(Fields& f, ClusteringOptions& o) {
  f({.name = "file",
     .help = "CSV with columns cluster and subject: one row per item",
     .role = FieldRole::input_file,
     .positional = true,
     .required = true},
    o.file);
  f({.name = "cluster_column", .help = "name of the column with the clusters"}, o.cluster_column);
  f({.name = "subject_column", .help = "name of the column with the subjects"}, o.subject_column);
  describe_gate(f, "min_f1", "fail below this pairwise F1", o.min_f1);
}

void add_scores(Report& report, const std::string& key, const std::string& label,
                const PrecisionRecall& scores) {
  report.group(key, label,
               {{"precision", scores.precision}, {"recall", scores.recall}, {"f1", scores.f1}});
}

Report clustering(const ClusteringOptions& o, RunContext& run) {
  formats::CsvReader reader(o.file);
  const std::size_t cluster = reader.column(o.cluster_column),
                    subject = reader.column(o.subject_column);
  Names cluster_names, subject_names;
  std::vector<std::int64_t> clusters, subjects;
  for_each_record(reader, run, [&] {
    clusters.push_back(cluster_names.number(name_field(reader, cluster)));
    subjects.push_back(subject_names.number(name_field(reader, subject)));
  });
  const PrecisionRecall pairs = pairwise_scores(clusters, subjects);
  const PrecisionRecall bcubed = bcubed_scores(clusters, subjects);
  const double nmi = normalized_mutual_information(clusters, subjects);
  Report report("evaluate.clustering", "clustering: are the groups the subjects?");
  add_scores(report, "pairwise", "Pairs of items", pairs);
  add_scores(report, "bcubed", "BCubed", bcubed);
  report.scalar("nmi", nmi, "NMI", "divided by the mean of the entropies");
  report.scalar("ari", adjusted_rand_index(clusters, subjects), "adjusted Rand index");
  report.scalar("items", clusters.size());
  report.scalar("clusters", cluster_names.size());
  report.scalar("subjects", subject_names.size());
  add_gate(report, "min_f1", pairs.f1, o.min_f1);
  if (subject_names.size() == 1) {
    report.warning("all items are of one subject: precision cannot fail");
  }
  report.verdict(
      fmt::format("pairwise F1 {:.4f}, BCubed F1 {:.4f}, NMI {:.4f}: {} clusters for {} "
                  "subjects",
                  pairs.f1, bcubed.f1, nmi, cluster_names.size(), subject_names.size()));
  return report;
}

}  // namespace

Verb clustering_verb() {
  return make_verb<ClusteringOptions>(
      {.noun = "evaluate",
       .name = "clustering",
       .summary = "pairwise F1, BCubed, NMI and adjusted Rand index of clusters",
       .details =
           "Columns: cluster and subject, or as --cluster-column and --subject-column name them; "
           "one row per item. Pairwise precision is the share of pairs in one cluster that are of "
           "one subject, recall the share of pairs of one subject in one cluster. BCubed averages "
           "over items. NMI is divided by the arithmetic mean of the two entropies, as "
           "scikit-learn does by default.",
       .examples = {{"sosia evaluate clustering ranking.csv --cluster-column item_camera "
                     "--subject-column item_subject",
                     "a control: cameras are not subjects"},
                    {"sosia evaluate clustering scores.csv --cluster-column group "
                     "--subject-column label --min-f1 0.1",
                     "exit status 5 when F1 is lower"}}},
      clustering);
}

}  // namespace sosia::evaluate

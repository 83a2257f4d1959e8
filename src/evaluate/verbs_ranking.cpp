// `sosia evaluate ranking`: ranked lists of re-identification.

#include "evaluate/verb_parts.hpp"
#include "evaluate/verbs.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/text.hpp"
#include "sosia/evaluate/confidence.hpp"
#include "sosia/evaluate/ranking.hpp"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

namespace sosia::evaluate {
namespace {

struct RankingOptions {
  std::string file;
  bool distances = false;
  JunkRule rule = JunkRule::market;
  std::string junk_subject = "-1";
  std::vector<std::int64_t> ranks{1, 5, 10, 20};
  BootstrapFields bootstrap;
  std::optional<double> min_map, min_rank1;
};

void describe(Fields& f, RankingOptions& o) {
  f({.name = "file",
     .help =
         "CSV with columns query,query_subject,query_camera,item,item_subject,item_camera,score",
     .role = FieldRole::input_file,
     .positional = true,
     .required = true},
    o.file);
  f({.name = "distances", .help = "the column score holds distances: smaller is more alike"},
    o.distances);
  f.choice({.name = "rule",
            .help = "items of the query's subject that are left out: market those of the query's "
                    "camera; clothes rules need the columns query_clothes and item_clothes"},
           o.rule,
           {{"market", JunkRule::market},
            {"none", JunkRule::none},
            {"clothes_changing", JunkRule::clothes_changing},
            {"same_clothes", JunkRule::same_clothes}});
  f({.name = "junk_subject", .help = "items of this subject are left out of every list"},
    o.junk_subject);
  f({.name = "ranks", .help = "ranks of the CMC to report", .min = 1, .max = 100000}, o.ranks);
  describe(f, o.bootstrap, "over query subjects");
  describe_gate(f, "min_map", "fail below this mAP", o.min_map);
  describe_gate(f, "min_rank1", "fail below this rank-1 rate", o.min_rank1);
  f.require(!o.ranks.empty(), "ranks needs at least one rank");
  require_distinct(f, "ranks", o.ranks);
}

struct Item {
  double distance;
  std::uint32_t item;
  Relevance relevance;
};

struct Query {
  Sighting who;
  std::vector<Item> items;
};

struct Lists {
  Names query_names, item_names, subjects;
  std::vector<Query> queries;
};

class Reader {
 public:
  Reader(const RankingOptions& o, Lists& lists) : reader_(o.file), options_(o), lists_(lists) {
    static constexpr std::string_view kNames[] = {
        "query", "query_subject", "query_camera", "item", "item_subject", "item_camera", "score"};
    columns_ = reader_.columns(kNames);
    if (o.rule == JunkRule::clothes_changing || o.rule == JunkRule::same_clothes) {
      query_clothes_ = reader_.column("query_clothes");
      item_clothes_ = reader_.column("item_clothes");
    }
    rule_.junk = o.rule;
    rule_.junk_subject = lists.subjects.number(o.junk_subject);
  }

  void read(RunContext& run) {
    for_each_record(reader_, run, [&] { add_record(); });
    for (std::size_t q = 0; q < lists_.queries.size(); ++q) refuse_repeated_items(q);
  }

 private:
  std::int64_t camera(std::size_t column) { return cameras_.number(name_field(reader_, column)); }
  std::int64_t clothes(const std::optional<std::size_t>& column) {
    return column ? clothes_.number(name_field(reader_, *column)) : 0;
  }

  void add_record() {
    const std::uint32_t number = lists_.query_names.number(name_field(reader_, columns_[0]));
    const Sighting who{lists_.subjects.number(name_field(reader_, columns_[1])),
                       camera(columns_[2]), clothes(query_clothes_)};
    if (number == lists_.queries.size()) lists_.queries.push_back({who, {}});
    Query& query = lists_.queries[number];
    if (query.who.subject != who.subject || query.who.camera != who.camera ||
        query.who.clothes != who.clothes) {
      reader_.fail(columns_[0], "has another subject, camera or clothes in an earlier row");
    }
    const std::uint32_t item = lists_.item_names.number(name_field(reader_, columns_[3]));
    const Sighting seen{lists_.subjects.number(name_field(reader_, columns_[4])),
                        camera(columns_[5]), clothes(item_clothes_)};
    const double score = reader_.real(columns_[6]);
    query.items.push_back({options_.distances ? score : -score, item, relevance(who, seen, rule_)});
  }

  void refuse_repeated_items(std::size_t q) const {
    std::vector<std::uint32_t> items;
    for (const Item& item : lists_.queries[q].items) items.push_back(item.item);
    std::sort(items.begin(), items.end());
    const auto twice = std::adjacent_find(items.begin(), items.end());
    if (twice == items.end()) return;
    throw Error(ErrorCode::corrupt_data,
                fmt::format("item {} stands twice in the list of query {}",
                            quote(lists_.item_names.name(*twice)),
                            quote(lists_.query_names.name(static_cast<std::uint32_t>(q)))),
                "give every item a name of its own", options_.file);
  }

  formats::CsvReader reader_;
  const RankingOptions& options_;
  Lists& lists_;
  Names cameras_, clothes_;
  RankingRule rule_;
  std::vector<std::size_t> columns_;
  std::optional<std::size_t> query_clothes_, item_clothes_;
};

struct Scored {
  std::uint32_t query;
  std::uint32_t subject;  // numbered from 0 without gaps
  QueryScore score;
};

struct Scores {
  RankingScore means;
  std::vector<Scored> valid;
  std::size_t subject_count = 0;
};

Scores score_lists(Lists& lists, std::size_t ranks) {
  RankingAccumulator accumulator(ranks);
  Scores scores;
  Names subjects;
  std::vector<Relevance> ranked;
  for (std::size_t q = 0; q < lists.queries.size(); ++q) {
    auto& items = lists.queries[q].items;
    // Stable: equal scores rank in the order of the file.
    std::stable_sort(items.begin(), items.end(),
                     [](const Item& a, const Item& b) { return a.distance < b.distance; });
    ranked.clear();
    for (const Item& item : items) ranked.push_back(item.relevance);
    const auto score = accumulator.add(ranked);
    if (!score) continue;
    const auto subject = static_cast<std::uint32_t>(lists.queries[q].who.subject);
    scores.valid.push_back(
        {static_cast<std::uint32_t>(q), subjects.number(lists.subjects.name(subject)), *score});
  }
  scores.means = accumulator.result();
  scores.subject_count = subjects.size();
  return scores;
}

// mAP, mINP, rank 1 over query subjects.
std::vector<Interval> intervals_of(const Scores& scores, const RankingOptions& o, RunContext& run) {
  if (o.bootstrap.replicates == 0 || scores.subject_count < 2) return {};
  const auto statistic = [&](std::span<const std::uint32_t> draws, std::span<double> out) {
    double count = 0.0, ap = 0.0, inp = 0.0, first = 0.0;
    for (const Scored& query : scores.valid) {
      const double weight = draws[query.subject];
      count += weight;
      ap += weight * query.score.ap;
      inp += weight * query.score.inp;
      first += query.score.first_hit == 1 ? weight : 0.0;
    }
    out[0] = ap / count;
    out[1] = inp / count;
    out[2] = first / count;
  };
  return bootstrap_subjects(scores.subject_count, 3, statistic, o.bootstrap.options(), run);
}

std::size_t cmc_length(const RankingOptions& o) {
  return static_cast<std::size_t>(
      std::max<std::int64_t>(50, *std::max_element(o.ranks.begin(), o.ranks.end())));
}

void add_plots(Report& report, const Scores& scores) {
  Plot cmc{.key = "cmc", .title = "CMC", .x_label = "rank", .y_label = "share of queries"};
  Series series{.name = "queries"};
  for (std::size_t r = 0; r < scores.means.cmc.size(); ++r) {
    series.x.push_back(static_cast<double>(r + 1));
    series.y.push_back(scores.means.cmc[r]);
  }
  cmc.series.push_back(std::move(series));
  report.plot(std::move(cmc));
  std::vector<double> aps;
  for (const Scored& query : scores.valid) aps.push_back(query.score.ap);
  const NamedScores lists[] = {{"queries", aps}};
  Plot histogram = histogram_plot("ap", "Average precision of the queries", "AP", lists, 20);
  histogram.y_label = "share of the queries";
  report.plot(std::move(histogram));
}

void add_hardest(Report& report, const Lists& lists, const Scores& scores) {
  std::vector<const Scored*> order;
  for (const Scored& query : scores.valid) order.push_back(&query);
  std::stable_sort(order.begin(), order.end(),
                   [](const Scored* a, const Scored* b) { return a->score.ap < b->score.ap; });
  order.resize(std::min<std::size_t>(order.size(), 10));
  Table& table = report.table("hardest", "Hardest queries",
                              {{"query", "", ""},
                               {"subject", "", ""},
                               {"ap", "AP", ""},
                               {"first_hit", "rank of first hit", ""},
                               {"correct", "correct items", ""}});
  for (const Scored* query : order) {
    const auto subject = static_cast<std::uint32_t>(lists.queries[query->query].who.subject);
    table.add({lists.query_names.name(query->query), lists.subjects.name(subject), query->score.ap,
               query->score.first_hit, query->score.correct});
  }
}

void add_warnings(Report& report, const Lists& lists, const Scores& scores) {
  if (scores.means.skipped > 0) {
    report.warning(fmt::format("{} of {} queries have no correct item and are left out",
                               scores.means.skipped, lists.queries.size()));
  }
  const auto [least, most] = std::minmax_element(
      lists.queries.begin(), lists.queries.end(),
      [](const Query& a, const Query& b) { return a.items.size() < b.items.size(); });
  if (least->items.size() != most->items.size()) {
    report.warning(
        fmt::format("lists have {} to {} items; a list that was cut hides late correct "
                    "items, and mAP and mINP come out too high",
                    least->items.size(), most->items.size()));
  }
  if (scores.subject_count == 1) {
    report.warning("all queries are of one subject: nothing can be said about other subjects");
  }
}

Report ranking(const RankingOptions& o, RunContext& run) {
  Lists lists;
  Reader(o, lists).read(run);
  const Scores scores = of_file(o.file, [&] { return score_lists(lists, cmc_length(o)); });
  const RankingScore& means = scores.means;
  const std::vector<Interval> intervals = intervals_of(scores, o, run);
  const auto interval = [&](std::size_t i) {
    return intervals.empty() ? std::nullopt : std::optional(intervals[i]);
  };
  Report report("evaluate.ranking", "ranking: how early does the same one come?");
  report.scalar({.key = "map",
                 .label = "mAP",
                 .value = means.map,
                 .interval = interval(0),
                 .note = "mean of k / rank of the k-th correct item"});
  report.scalar({.key = "minp",
                 .label = "mINP",
                 .value = means.minp,
                 .interval = interval(1),
                 .note = "mean of correct items / rank of the last one"});
  report.scalar(
      {.key = "rank1", .label = "rank-1 rate", .value = means.cmc[0], .interval = interval(2)});
  report.scalar("map_trapezoid", means.map_trapezoid, "mAP, trapezoidal",
                "the Market-1501 Matlab variant");
  report.scalar("mean_map_rank1", (means.map + means.cmc[0]) / 2.0, "mean of mAP and rank 1");
  report.scalar("queries", means.queries, "valid queries");
  report.scalar("skipped", means.skipped, "queries without a correct item");
  std::vector<std::pair<std::string, Value>> cmc;
  for (std::int64_t rank : o.ranks) {
    cmc.emplace_back(std::to_string(rank), means.cmc[static_cast<std::size_t>(rank - 1)]);
  }
  report.group("cmc", "CMC: share of queries with a hit up to this rank", std::move(cmc));
  add_plots(report, scores);
  add_hardest(report, lists, scores);
  add_warnings(report, lists, scores);
  add_gate(report, "min_map", means.map, o.min_map);
  add_gate(report, "min_rank1", means.cmc[0], o.min_rank1);
  report.verdict(fmt::format("mAP {}, rank-1 rate {}, mINP {}, over {} queries of {} subjects",
                             percent(means.map), percent(means.cmc[0]), percent(means.minp),
                             means.queries, scores.subject_count));
  return report;
}

}  // namespace

Verb ranking_verb() {
  return make_verb<RankingOptions>(
      {.noun = "evaluate",
       .name = "ranking",
       .summary = "CMC, mAP and mINP of ranked lists by the Market-1501 rule",
       .details =
           "Columns: query, query_subject, query_camera, item, item_subject, item_camera, score: "
           "one "
           "row per query and gallery item, in any order; higher scores rank first (--distances: "
           "smaller ones), equal scores in file order. Optional: query_clothes, item_clothes.\n\n"
           "Left out of a list are items of subject --junk-subject, and items of the query's own "
           "subject seen by the query's camera (--rule market). --rule clothes_changing also "
           "leaves "
           "out the subject in the same clothes, same_clothes the subject in other clothes. A "
           "query "
           "without a correct item left is not counted. AP is the mean over the correct items of "
           "k / rank; the trapezoidal variant is reported beside it. Intervals are a bootstrap "
           "over "
           "query subjects.",
       .examples = {{"sosia evaluate ranking ranking.csv", "mAP, mINP, CMC"},
                    {"sosia evaluate ranking ranking.csv --rule none --ranks 1,3",
                     "no camera rule, other ranks"}}},
      ranking);
}

}  // namespace sosia::evaluate

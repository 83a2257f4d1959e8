// `sosia gallery search`: who is this, if anybody?

#include "gallery/decision_parts.hpp"
#include "gallery/verb_parts.hpp"
#include "gallery/verbs.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/text.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace sosia::gallery {
namespace {

constexpr std::size_t kProbesAtOnce = 256;
constexpr std::size_t kTableRows = 200;

struct SearchOptions {
  GalleryPlace place;
  std::string vectors;
  std::int64_t k = 10;
  bool exact = false, approximate = false, prefilter = false;
  double recall = 0.99;
  SubjectRule rule = SubjectRule::mean_top3;
  std::optional<double> max_fpir;
  FpirRule fpir_rule = FpirRule::per_probe;
  double prior = 0.5;
  std::vector<std::string> label, camera;
  std::string from, to, tenant, query_cameras;
};

void describe_filter(Fields& f, SearchOptions& o) {
  f({.name = "label", .help = "look at these subjects only", .group = "filters"}, o.label);
  f({.name = "camera", .help = "look at templates of these cameras only", .group = "filters"},
    o.camera);
  f({.name = "from",
     .help = "look at templates taken at or after this time (2024-05-01, 2024-05-01T12:00:00Z)",
     .group = "filters"},
    o.from);
  f({.name = "to", .help = "look at templates taken before this time", .group = "filters"}, o.to);
  f({.name = "tenant", .help = "look at subjects of this tenant only", .group = "filters"},
    o.tenant);
  f({.name = "query_cameras",
     .help = "CSV with a column camera, one row per query: a query is not compared with templates "
             "of its own camera",
     .role = FieldRole::input_file,
     .group = "filters"},
    o.query_cameras);
}

void describe(Fields& f, SearchOptions& o) {
  describe_place(f, o.place);
  f({.name = "vectors",
     .help = "npy file with one query vector per row",
     .role = FieldRole::input_file,
     .required = true},
    o.vectors);
  f({.name = "k", .help = "nearest templates shown for each query", .min = 1, .max = 100'000}, o.k);
  f.choice({.name = "rule", .help = "how the templates of a subject become its score"}, o.rule,
           {{"mean_top3", SubjectRule::mean_top3},
            {"maximum", SubjectRule::maximum},
            {"centroid", SubjectRule::centroid}});
  f({.name = "max_fpir",
     .help = "false positive identification rate of the decisions (default 0.01, where the "
             "calibration supports it)",
     .above = 0,
     .below = 1,
     .group = "decisions"},
    o.max_fpir);
  f.choice({.name = "fpir_rule",
            .help = "how the calibration's comparisons become that rate",
            .group = "decisions"},
           o.fpir_rule,
           {{"per_probe", FpirRule::per_probe}, {"independent", FpirRule::independent}});
  f({.name = "prior",
     .help = "probability that a query's subject is enrolled",
     .above = 0,
     .below = 1,
     .group = "decisions"},
    o.prior);
  f({.name = "exact", .help = "compare every template", .group = "how to search"}, o.exact);
  f({.name = "prefilter",
     .help = "int8 bounds first, with the same result as exact",
     .group = "how to search"},
    o.prefilter);
  f({.name = "approximate", .help = "use the graph index", .group = "how to search"},
    o.approximate);
  f({.name = "recall",
     .help = "recall wanted of the graph index, in (0, 1]",
     .max = 1,
     .above = 0,
     .group = "how to search"},
    o.recall);
  f.require(o.exact + o.approximate + o.prefilter <= 1,
            "--exact, --prefilter and --approximate exclude each other");
  describe_filter(f, o);
}

SearchMode mode_of(const SearchOptions& o) {
  if (o.exact) return SearchMode::exact;
  if (o.prefilter) return SearchMode::prefiltered;
  return o.approximate ? SearchMode::approximate : SearchMode::automatic;
}

std::string_view name_of(SearchMode mode) {
  switch (mode) {
    case SearchMode::automatic:
      return "automatic";
    case SearchMode::exact:
      return "exact";
    case SearchMode::prefiltered:
      return "prefiltered";
    case SearchMode::approximate:
      return "approximate";
  }
  return "";
}

Filter filter_of(const SearchOptions& o) {
  Filter filter;
  filter.labels = o.label;
  filter.cameras = o.camera;
  filter.from_ms = time_option("--from", o.from);
  filter.to_ms = time_option("--to", o.to);
  if (!o.tenant.empty()) filter.tenant = o.tenant;
  return filter;
}

// Searches in batches, so that progress is shown and cancelling is prompt. Decisions look at more
// templates than are shown: ten templates may be of one subject and hide the second.
SearchAnswer search_all(Gallery& gallery, const GalleryInfo& info, const SearchOptions& o,
                        std::span<const float> probes, RunContext& run) {
  const std::size_t d = info.dimension, n = probes.size() / d;
  SearchRequest request{
      .filter = filter_of(o), .rule = o.rule, .mode = mode_of(o), .recall = o.recall};
  const auto k = static_cast<std::size_t>(o.k);
  request.k = std::max(k, 2 * std::max<std::size_t>(info.max_templates, 8));
  std::vector<std::string> cameras;
  if (!o.query_cameras.empty()) cameras = read_column(o.query_cameras, "camera", n, run);
  SearchAnswer all;
  if (info.templates == 0) {
    all.results.resize(n);
    return all;
  }
  for (std::size_t first = 0; first < n; first += kProbesAtOnce) {
    run.progress("searching", first, n);
    const std::size_t count = std::min(kProbesAtOnce, n - first);
    request.probes = probes.subspan(first * d, count * d);
    if (!cameras.empty()) {
      request.exclude_cameras.assign(cameras.begin() + static_cast<std::ptrdiff_t>(first),
                                     cameras.begin() + static_cast<std::ptrdiff_t>(first + count));
    }
    SearchAnswer part = gallery.search(request, run);
    for (SearchResult& result : part.results) {
      if (result.templates.size() > k) result.templates.resize(k);
      all.results.push_back(std::move(result));
    }
    all.used = part.used;
    all.note = std::move(part.note);
    all.subjects_searched = std::max(all.subjects_searched, part.subjects_searched);
  }
  return all;
}

Value as_value(const SearchResult& result) {
  Value list = Value::list();
  for (const Match& m : result.templates) {
    Value item =
        Value::object({{"label", m.label}, {"template", m.template_id}, {"score", m.score}});
    if (!m.camera.empty()) item.set("camera", m.camera);
    if (!m.tenant.empty()) item.set("tenant", m.tenant);
    list.push(std::move(item));
  }
  return list;
}

// A query without a verdict is not decided; one with an empty list is nobody's.
Value as_value(const std::optional<Verdict>& verdict, const SearchResult& result) {
  Value item = Value::object({{"decision", nullptr}, {"label", nullptr}, {"probability", nullptr}});
  if (!result.subjects.empty()) item.set("score", result.subjects[0].score);
  if (!verdict) {
    if (!result.subjects.empty()) item.set("label", result.subjects[0].label);
    return item;
  }
  item.set("decision", to_string(verdict->decision));
  item.set("probability", verdict->probability);
  if (verdict->decision == Decision::unknown) return item;
  item.set("label", verdict->label);
  if (!verdict->tenant.empty()) item.set("tenant", verdict->tenant);
  return item;
}

void add_table(Report& report, const SearchAnswer& answer,
               std::span<const std::optional<Verdict>> verdicts) {
  Table& table = report.table("best", "Best candidates",
                              {{"query", "query", ""},
                               {"decision", "decision", ""},
                               {"subject", "best subject", ""},
                               {"score", "score", ""},
                               {"probability", "probability", ""},
                               {"template", "nearest template", ""},
                               {"cosine", "its cosine", ""},
                               {"second", "second subject", ""},
                               {"second_score", "its score", ""}},
                              "probability of the decision; a rejected best subject is shown, too");
  const std::size_t shown = std::min(kTableRows, answer.results.size());
  for (std::size_t q = 0; q < shown; ++q) {
    const SearchResult& r = answer.results[q];
    const auto& v = verdicts[q];
    const auto subject = [&](std::size_t i) {
      return i < r.subjects.size() ? Value(r.subjects[i].label) : Value();
    };
    const auto score = [&](std::size_t i) {
      return i < r.subjects.size() ? Value(r.subjects[i].score) : Value();
    };
    table.add({q, v ? Value(to_string(v->decision)) : Value(), subject(0), score(0),
               v ? Value(v->probability) : Value(),
               r.templates.empty() ? Value() : Value(r.templates[0].template_id),
               r.templates.empty() ? Value() : Value(r.templates[0].score), subject(1), score(1)});
  }
  if (shown < answer.results.size()) {
    report.text(fmt::format("The table shows the first {} of {} queries; --json has all.", shown,
                            answer.results.size()));
  }
}

void add_plot(Report& report, const SearchAnswer& answer, const PolicyChoice& choice) {
  Series best{.name = "best subject", .style = SeriesStyle::points};
  Series second{.name = "second subject", .style = SeriesStyle::points};
  for (std::size_t q = 0; q < answer.results.size(); ++q) {
    const auto& subjects = answer.results[q].subjects;
    for (std::size_t i = 0; i < std::min<std::size_t>(2, subjects.size()); ++i) {
      Series& series = i == 0 ? best : second;
      series.x.push_back(static_cast<double>(q));
      series.y.push_back(subjects[i].score);
    }
  }
  if (best.x.empty()) return;
  Plot plot{.key = "scores", .title = "Scores", .x_label = "query", .y_label = "score"};
  plot.series = {std::move(best), std::move(second)};
  if (choice.policy) {
    const double t = choice.policy->threshold;
    plot.series.push_back({.name = "threshold",
                           .x = {0, static_cast<double>(answer.results.size())},
                           .y = {t, t},
                           .style = SeriesStyle::dashed});
  }
  report.plot(std::move(plot));
}

std::string summary(std::span<const std::optional<Verdict>> verdicts, const PolicyChoice& choice) {
  if (verdicts.empty()) return "there is no query";
  if (!verdicts[0]) return fmt::format("{} queries searched, none decided", verdicts.size());
  std::size_t counts[3] = {};
  for (const auto& v : verdicts) ++counts[static_cast<std::size_t>(v->decision)];
  return fmt::format("{} accepted, {} unknown, {} ambiguous of {} queries{}", counts[0], counts[1],
                     counts[2], verdicts.size(),
                     choice.policy ? fmt::format(" at FPIR {:g}", choice.policy->max_fpir)
                                   : std::string(": nobody was searched"));
}

Report search(const SearchOptions& o, RunContext& run) {
  const auto gallery = open_place(o.place, Access::read, "search");
  const GalleryInfo info = gallery->info();
  const std::vector<float> probes = read_vectors(o.vectors, info.dimension, run);
  const SearchAnswer answer = search_all(*gallery, info, o, probes, run);
  PolicyChoice choice;
  const bool nobody = answer.subjects_searched == 0;
  if (!nobody) {
    choice = choose_policy(gallery->calibration(), gallery->info(), o.rule, o.max_fpir,
                           answer.subjects_searched, o.fpir_rule);
  }
  if (choice.policy) choice.policy->prior = o.prior;
  std::vector<std::optional<Verdict>> verdicts(answer.results.size());
  for (std::size_t q = 0; q < verdicts.size(); ++q) {
    if (choice.policy) {
      verdicts[q] = decide(*choice.calibration, *choice.policy, answer.results[q].subjects);
    } else if (nobody) {
      verdicts[q] = Verdict{.probability = 1};
    }
  }
  Report report("gallery.search", "search: who is this, if anybody?");
  report.verdict(summary(verdicts, choice));
  add_table(report, answer, verdicts);
  report.scalar("queries", answer.results.size());
  report.scalar("templates", info.templates, "templates enrolled");
  report.scalar("mode", name_of(answer.used), "searched", answer.note);
  if (choice.policy) {
    add_policy(report, *choice.calibration, *choice.policy);
  } else {
    report.scalar("subjects_searched", answer.subjects_searched, "subjects searched");
    report.warning(nobody ? info.templates == 0
                                ? std::string("the gallery is empty: every query is unknown")
                                : std::string("no template passes the filter: every query is "
                                              "unknown")
                          : "no decisions: " + choice.why_none);
  }
  add_plot(report, answer, choice);
  Value results = Value::list(), decisions = Value::list();
  for (std::size_t q = 0; q < verdicts.size(); ++q) {
    results.push(as_value(answer.results[q]));
    decisions.push(as_value(verdicts[q], answer.results[q]));
  }
  report.data("results", std::move(results));
  report.data("decisions", std::move(decisions));
  return report;
}

}  // namespace

Verb search_verb() {
  return make_verb<SearchOptions>(
      {.noun = "gallery",
       .name = "search",
       .summary = "nearest templates of query vectors, and who each query is",
       .details =
           "Vectors are compared by cosine. JSON: results holds for each query, in query order, "
           "its k nearest templates (label, template, score, falling); decisions says for each "
           "query accept (one subject), unknown (nobody enrolled) or ambiguous (two subjects "
           "nearly as probable), the label, and the probability of that answer. decision and "
           "probability are null when the gallery has no calibration that fits: see gallery "
           "calibrate.\n\n"
           "A query is accepted when its best subject's score is at or above a threshold. The "
           "threshold is the lowest at which the calibration sample excludes, at 95 %, that more "
           "than --max-fpir of the queries of strangers find anybody, among as many subjects as "
           "were searched. The pairwise false match rate that this needs is printed. A rate that "
           "the sample cannot support is refused. Probabilities are Bayes' rule over all subjects "
           "searched with --prior shared equally among them.\n\n"
           "k counts templates. Decisions look at twice as many templates as a subject can have, "
           "at least, so that one subject's templates do not hide the second.",
       .examples = {{"sosia gallery search faces.sosia --vectors probes.npy", "with decisions"},
                    {"sosia gallery search faces.sosia --vectors probes.npy --k 3 --exact --json",
                     "for scripts"},
                    {"sosia gallery search faces.sosia --vectors probes.npy --max-fpir 0.1 "
                     "--html search.html",
                     "a page with all candidates"}}},
      search);
}

}  // namespace sosia::gallery

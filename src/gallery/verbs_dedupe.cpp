// `sosia gallery dedupe`: who is enrolled twice?

#include "gallery/decision_parts.hpp"
#include "gallery/enrolled.hpp"
#include "gallery/pair_file.hpp"
#include "gallery/verb_parts.hpp"
#include "gallery/verbs.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/hash.hpp"
#include "sosia/formats/csv.hpp"
#include "sosia/gallery/groups.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>

#include <fmt/format.h>

namespace sosia::gallery {
namespace {

// Rows between two notes of progress on disk.
constexpr std::size_t kRowsPerNote = 2048;
// Pairs of subjects that are counted; beyond, only pairs of templates are.
constexpr std::size_t kMostSubjectPairs = 1'000'000;

struct DedupeOptions {
  GalleryPlace place;
  std::optional<double> threshold, max_fpir;
  bool within = false;
  std::string tenant, out;
  std::int64_t limit = 100;
};

void describe(Fields& f, DedupeOptions& o) {
  describe_place(f, o.place);
  f({.name = "threshold", .help = "cosine from which two templates are alike", .min = -1, .max = 1},
    o.threshold);
  f({.name = "max_fpir",
     .help = "without a threshold: that of the calibration at this false positive identification "
             "rate (default 0.01)",
     .above = 0,
     .below = 1},
    o.max_fpir);
  f({.name = "within", .help = "also compare templates of the same subject"}, o.within);
  f({.name = "tenant", .help = "subjects of this tenant only"}, o.tenant);
  f({.name = "limit",
     .help = "pairs listed in the report, the most alike ones",
     .min = 0,
     .max = 100'000},
    o.limit);
  f({.name = "out",
     .help = "write all pairs to this CSV file; a run that was stopped goes on where it was",
     .role = FieldRole::output_file},
    o.out);
  f.require(!o.threshold || !o.max_fpir, "--threshold and --max-fpir exclude each other");
}

Filter filter_of(const DedupeOptions& o) {
  Filter filter;
  if (!o.tenant.empty()) filter.tenant = o.tenant;
  return filter;
}

double threshold_of(Gallery& gallery, const DedupeOptions& o, Report& report) {
  if (o.threshold) {
    report.scalar("threshold", *o.threshold, "threshold", "as given");
    return *o.threshold;
  }
  const std::uint64_t subjects = std::max<std::uint64_t>(gallery.info().subjects, 1);
  const PolicyChoice choice = choose_policy(gallery.calibration(), gallery.info(), std::nullopt,
                                            o.max_fpir, subjects, FpirRule::per_probe);
  if (!choice.policy) {
    throw Error(ErrorCode::invalid_argument, "there is no threshold: " + choice.why_none,
                "give --threshold, or another --max-fpir");
  }
  add_policy(report, *choice.calibration, *choice.policy);
  report.text(
      "The threshold is that of a search: a template that reaches it would be taken for "
      "the other subject by its nearest template alone. A first look at the pairs tells "
      "whether to go higher.");
  return choice.policy->threshold;
}

// The most alike pairs, and how many pairs two subjects have.
class Findings {
 public:
  Findings(const Enrolled& rows, std::size_t limit, bool subjects)
      : rows_(rows), limit_(limit), subjects_(subjects) {}

  void add(const AlikePair& pair) {
    ++count_;
    if (limit_ > 0) {
      best_.push_back(pair);
      if (best_.size() >= 2 * limit_ + 64) cut();
    }
    if (!subjects_) return;
    const std::uint32_t a = rows_.subjects[pair.a], b = rows_.subjects[pair.b];
    const auto key = std::pair{std::min(a, b), std::max(a, b)};
    const auto found = by_subject_.find(key);
    if (found == by_subject_.end() && by_subject_.size() >= kMostSubjectPairs) {
      overflow_ = true;
      return;
    }
    auto& [count, score] = found == by_subject_.end() ? by_subject_[key] : found->second;
    ++count;
    score = std::max(score, pair.score);
  }

  std::uint64_t count() const { return count_; }
  void show(Report& report);

 private:
  static bool better(const AlikePair& x, const AlikePair& y) {
    if (x.score != y.score) return x.score > y.score;
    return x.a != y.a ? x.a < y.a : x.b < y.b;
  }
  void cut() {
    std::sort(best_.begin(), best_.end(), better);
    if (best_.size() > limit_) best_.resize(limit_);
  }

  const Enrolled& rows_;
  std::size_t limit_;
  bool subjects_;
  std::uint64_t count_ = 0;
  std::vector<AlikePair> best_;
  struct Seen {
    std::uint64_t count = 0;
    float score = -2;
  };
  std::map<std::pair<std::uint32_t, std::uint32_t>, Seen> by_subject_;
  bool overflow_ = false;
};

void Findings::show(Report& report) {
  cut();
  if (subjects_) {
    report.scalar("subject_pairs", by_subject_.size(), "pairs of subjects");
    std::vector<std::pair<std::pair<std::uint32_t, std::uint32_t>, Seen>> list(by_subject_.begin(),
                                                                               by_subject_.end());
    std::stable_sort(list.begin(), list.end(),
                     [](const auto& x, const auto& y) { return x.second.score > y.second.score; });
    if (list.size() > limit_) list.resize(limit_);
    Table& table = report.table("subjects", "Subjects that look like one",
                                {{"a", "subject", ""},
                                 {"b", "and", ""},
                                 {"pairs", "pairs of templates", ""},
                                 {"score", "highest cosine", ""}});
    for (const auto& [key, seen] : list) {
      table.add(
          {rows_.names[key.first].label, rows_.names[key.second].label, seen.count, seen.score});
    }
    if (overflow_) {
      report.warning(
          fmt::format("more than {} pairs of subjects: not all are counted; is the "
                      "threshold too low?",
                      kMostSubjectPairs));
    }
  }
  Table& table = report.table("pairs", "Templates that are alike",
                              {{"template_a", "template", ""},
                               {"template_b", "and", ""},
                               {"label_a", "of", ""},
                               {"label_b", "and of", ""},
                               {"score", "cosine", ""}});
  for (const AlikePair& p : best_) {
    table.add({rows_.ids[p.a], rows_.ids[p.b], rows_.names[rows_.subjects[p.a]].label,
               rows_.names[rows_.subjects[p.b]].label, p.score});
  }
  if (count_ > best_.size()) {
    report.text(fmt::format("The {} most alike of {} pairs are listed (--limit); --out writes all.",
                            best_.size(), count_));
  }
}

// What the pairs on disk belong to: the same rows, compared in the same way.
std::string work_key(const Enrolled& rows, double threshold, const DedupeOptions& o) {
  const std::uint64_t ids = xxh3_64(std::as_bytes(std::span(rows.ids)));
  const std::uint64_t subjects = xxh3_64(std::as_bytes(std::span(rows.subjects)), ids);
  const std::uint64_t all = xxh3_64(std::as_bytes(std::span(rows.vectors)), subjects);
  return fmt::format("{:016x} {} {}", all, threshold, o.within);
}

void write_pairs(const std::string& out, PairFile& file, const Enrolled& rows, RunContext& run) {
  const std::string header[] = {"template_a", "template_b", "score",   "label_a",
                                "label_b",    "tenant_a",   "tenant_b"};
  formats::CsvWriter csv(out, header, {.overwrite = run.overwrite()});
  std::uint64_t done = 0;
  file.for_each([&](const AlikePair& p) {
    if (++done % 4096 == 0) run.progress("writing pairs", done, file.pairs());
    const auto& a = rows.names[rows.subjects[p.a]];
    const auto& b = rows.names[rows.subjects[p.b]];
    csv.field(rows.ids[p.a]).field(rows.ids[p.b]).field(static_cast<double>(p.score));
    csv.field(a.label).field(b.label).field(a.tenant).field(b.tenant).end_record();
  });
  csv.commit();
  run.note_output(out);
  file.finish();
}

std::uint64_t all_pairs(std::uint64_t n) {
  return n * (n - std::min<std::uint64_t>(n, 1)) / 2;
}

Report dedupe(const DedupeOptions& o, RunContext& run) {
  // An existing result is refused before the work, not after it.
  if (!o.out.empty()) AtomicFile(o.out, run.overwrite());
  const auto gallery = open_place(o.place, Access::read, "dedupe");
  Report report("gallery.dedupe", "dedupe: who is enrolled twice?");
  const double threshold = threshold_of(*gallery, o, report);
  const Enrolled rows = load_enrolled(*gallery, filter_of(o), 0, run);
  std::unique_ptr<PairFile> file;
  Findings findings(rows, static_cast<std::size_t>(o.limit), !o.within);
  if (!o.out.empty()) {
    file = std::make_unique<PairFile>(o.out, work_key(rows, threshold, o));
    if (file->next_row() > 0) {
      report.text(fmt::format("An earlier run had compared {} of {} templates.", file->next_row(),
                              rows.size()));
      file->for_each([&](const AlikePair& p) { findings.add(p); });
    }
  }
  const std::span<const std::uint32_t> group =
      o.within ? std::span<const std::uint32_t>() : std::span(rows.subjects);
  std::size_t row = file ? file->next_row() : 0;
  const std::size_t step = file ? kRowsPerNote : std::max<std::size_t>(rows.size(), 1);
  for (; row < rows.size(); row += step) {
    for_each_alike_pair(rows.vectors, rows.dimension, group, static_cast<float>(threshold), run,
                        [&](const AlikePair& pair) {
                          if (file) file->add(pair);
                          findings.add(pair);
                          return true;
                        },
                        {row, row + step});
    if (file) file->done_to(std::min(row + step, rows.size()));
  }
  if (file) write_pairs(o.out, *file, rows, run);
  report.scalar("templates", rows.size());
  report.scalar("compared", all_pairs(rows.size()), "pairs compared",
                o.within ? "" : "those of one subject left out");
  report.scalar("count", findings.count(), "pairs found");
  findings.show(report);
  report.verdict(fmt::format("{} pairs of {} templates have a cosine of {:.4g} or more",
                             findings.count(), rows.size(), threshold));
  return report;
}

Report plan(const DedupeOptions& o, RunContext& run) {
  if (!o.out.empty()) AtomicFile(o.out, run.overwrite());
  const auto gallery = open_place(o.place, Access::read, "dedupe");
  const GalleryInfo info = gallery->info();
  Report report("gallery.dedupe.plan", "what dedupe would do");
  threshold_of(*gallery, o, report);
  report.scalar("templates", info.templates);
  report.scalar("compared", all_pairs(info.templates), "pairs to compare");
  report.scalar("memory_bytes", 2 * info.templates * info.dimension * sizeof(float), "memory",
                "for the vectors");
  report.verdict(o.out.empty() ? "would list pairs" : "would write " + o.out);
  return report;
}

}  // namespace

Verb dedupe_verb() {
  return make_verb<DedupeOptions>(
      {.noun = "gallery",
       .name = "dedupe",
       .summary = "find subjects that are enrolled twice",
       .details =
           "Compares all templates with all others and lists pairs of different subjects whose "
           "cosine is at or above a threshold: --threshold, or that of the calibration at "
           "--max-fpir among the gallery's subjects. The list has the most alike pairs; --out "
           "writes all of them, in order of template, with columns template_a, template_b, score, "
           "label_a, label_b, tenant_a, tenant_b.\n\n"
           "Memory is twice the vectors as f32, whatever the number of pairs. A run with --out "
           "that "
           "is stopped leaves OUT.partial and OUT.partial.json; the same command goes on from "
           "there, if the gallery has not changed.",
       .examples = {{"sosia gallery dedupe faces.sosia --threshold 0.9", "a threshold by hand"},
                    {"sosia gallery dedupe faces.sosia --threshold 0.8 --out pairs.csv",
                     "all pairs, in a file"}}},
      dedupe, plan);
}

}  // namespace sosia::gallery

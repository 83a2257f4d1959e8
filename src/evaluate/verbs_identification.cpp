// `sosia evaluate identification`: candidate lists of searches in a gallery.

#include "evaluate/checks.hpp"
#include "evaluate/verb_parts.hpp"
#include "evaluate/verbs.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/text.hpp"
#include "sosia/evaluate/confidence.hpp"
#include "sosia/evaluate/identification.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include <fmt/format.h>

namespace sosia::evaluate {
namespace {

struct IdentificationOptions {
  std::string file;
  std::string gallery;
  std::vector<double> fpir{1e-1, 1e-2, 1e-3};
  AtRule rule = AtRule::not_above;
  std::int64_t tpir_rank = 1;
  std::vector<std::int64_t> ranks{1, 5, 10};
  std::optional<double> threshold;
  BootstrapFields bootstrap;
  std::optional<double> min_tpir, min_rank1;
  double gate_fpir = 1e-2;
};

void describe(Fields& f, IdentificationOptions& o) {
  f({.name = "file",
     .help = "CSV with columns probe,probe_subject,candidate_subject,score and optionally mated",
     .role = FieldRole::input_file,
     .positional = true,
     .required = true},
    o.file);
  f({.name = "gallery",
     .help = "CSV with a column subject: who is enrolled; default: every candidate of the file",
     .role = FieldRole::input_file},
    o.gallery);
  f({.name = "fpir",
     .help = "false positive identification rates to report TPIR at",
     .max = 1,
     .above = 0},
    o.fpir);
  f.choice({.name = "rule", .help = "how TPIR is read off the curve at a rate"}, o.rule,
           {{"not_above", AtRule::not_above},
            {"nearest", AtRule::nearest},
            {"interpolated", AtRule::interpolated}});
  f({.name = "tpir_rank",
     .help = "a mate counts within this rank of its candidate list, 0 for any rank",
     .min = 0,
     .max = 1e6},
    o.tpir_rank);
  f({.name = "ranks", .help = "ranks of the closed-set rates", .min = 1, .max = 1e6}, o.ranks);
  f({.name = "threshold", .help = "also report the rates at this score"}, o.threshold);
  describe(f, o.bootstrap, "over probe subjects");
  describe_gate(f, "min_tpir", "fail below this TPIR at the rate gate_fpir", o.min_tpir);
  f({.name = "gate_fpir", .help = "rate of min_tpir", .max = 1, .above = 0, .group = "gates"},
    o.gate_fpir);
  describe_gate(f, "min_rank1", "fail below this rank-1 rate", o.min_rank1);
  f.require(!o.fpir.empty(), "fpir needs at least one rate");
  require_distinct(f, "fpir", o.fpir);
  f.require(!o.ranks.empty(), "ranks needs at least one rank");
  require_distinct(f, "ranks", o.ranks);
}

struct Probe {
  std::uint32_t subject = 0;
  std::optional<bool> mated;
  std::vector<Candidate> candidates;
};

struct Searches {
  std::vector<Search> searches;
  std::vector<std::uint32_t> subjects;  // of each probe, numbered from 0 without gaps
  std::vector<double> non_mate_scores;  // of all subjects in a list but the probe's own
  std::size_t subject_count = 0;
  std::size_t enrolled = 0;
};

class Reader {
 public:
  explicit Reader(const IdentificationOptions& o) : options_(o) {}

  Searches read(Report& report, RunContext& run) {
    read_probes(run);
    std::vector<char> enrolled = enrolled_subjects(report, run);
    Searches all;
    all.enrolled = static_cast<std::size_t>(std::count(enrolled.begin(), enrolled.end(), 1));
    Names probe_subjects;
    for (const Probe& probe : probes_) {
      const bool mated = probe.mated.value_or(enrolled[probe.subject] == 1);
      all.searches.push_back(make_search(probe.candidates, probe.subject, mated));
      all.subjects.push_back(probe_subjects.number(subjects_.name(probe.subject)));
      add_non_mates(probe, all.non_mate_scores);
    }
    all.subject_count = probe_subjects.size();
    return all;
  }

 private:
  // A subject counts once per list, with its best score.
  static void add_non_mates(const Probe& probe, std::vector<double>& scores) {
    std::unordered_map<std::int64_t, double> best;
    for (const Candidate& c : probe.candidates) {
      if (c.subject == probe.subject) continue;
      const auto [entry, added] = best.try_emplace(c.subject, c.score);
      if (!added) entry->second = std::max(entry->second, c.score);
    }
    for (const auto& [subject, score] : best) scores.push_back(score);
  }

  void read_probes(RunContext& run) {
    formats::CsvReader reader(options_.file);
    const std::size_t probe = reader.column("probe"), subject = reader.column("probe_subject"),
                      candidate = reader.column("candidate_subject"),
                      score = reader.column("score");
    const auto mated = reader.find_column("mated");
    Names probes;
    for_each_record(reader, run, [&] {
      const std::uint32_t number = probes.number(name_field(reader, probe));
      const std::uint32_t own = subjects_.number(name_field(reader, subject));
      if (number == probes_.size()) probes_.push_back({own, std::nullopt, {}});
      Probe& entry = probes_[number];
      if (entry.subject != own) reader.fail(subject, "differs from an earlier row of this probe");
      if (mated) {
        const bool value = reader.boolean(*mated);
        if (entry.mated.value_or(value) != value) {
          reader.fail(*mated, "differs from an earlier row of this probe");
        }
        entry.mated = value;
      }
      // A row without candidate stands for an empty list.
      if (trim(reader[candidate]).empty() && trim(reader[score]).empty()) return;
      const std::uint32_t found = subjects_.number(name_field(reader, candidate));
      candidates_.resize(std::max<std::size_t>(candidates_.size(), found + 1), 0);
      candidates_[found] = 1;
      if (entry.mated == false && found == own) {
        reader.fail(candidate, "is the probe's own subject, but the probe is not mated");
      }
      entry.candidates.push_back({found, reader.real(score)});
    });
    mated_known_ = mated.has_value();
  }

  std::vector<char> enrolled_subjects(Report& report, RunContext& run) {
    if (options_.gallery.empty()) {
      candidates_.resize(subjects_.size(), 0);
      if (!mated_known_) {
        report.warning(
            "who is enrolled was taken from the candidates of the file; a subject that no search "
            "returned counts as not enrolled. Give a column mated, or --gallery");
      }
      return candidates_;
    }
    formats::CsvReader reader(options_.gallery);
    const std::size_t subject = reader.column("subject");
    std::vector<char> enrolled;
    for_each_record(reader, run, [&] {
      const std::uint32_t number = subjects_.number(name_field(reader, subject));
      enrolled.resize(std::max<std::size_t>(enrolled.size(), number + 1), 0);
      enrolled[number] = 1;
    });
    enrolled.resize(subjects_.size(), 0);
    for (std::size_t i = 0; i < candidates_.size(); ++i) {
      if (candidates_[i] == 1 && enrolled[i] == 0) {
        throw Error(ErrorCode::corrupt_data,
                    "candidate subject " + quote(subjects_.name(static_cast<std::uint32_t>(i))) +
                        " is not in the gallery",
                    "give the list of all enrolled subjects", options_.gallery);
      }
    }
    return enrolled;
  }

  const IdentificationOptions& options_;
  Names subjects_;
  std::vector<Probe> probes_;
  std::vector<char> candidates_;  // by subject: returned by some search
  bool mated_known_ = false;
};

// Rank rates first, then TPIR at each rate (not_above); one bootstrap over probe subjects.
std::vector<Interval> intervals_of(const Searches& all, const IdentificationOptions& o, bool open,
                                   RunContext& run) {
  const std::size_t figures = o.ranks.size() + (open ? o.fpir.size() : 0);
  if (o.bootstrap.replicates == 0 || all.subject_count < 2) return {};
  const auto statistic = [&](std::span<const std::uint32_t> draws, std::span<double> out) {
    std::vector<Search> drawn;
    for (std::size_t i = 0; i < all.searches.size(); ++i) {
      drawn.insert(drawn.end(), draws[all.subjects[i]], all.searches[i]);
    }
    const bool mated = std::any_of(drawn.begin(), drawn.end(), [](auto& s) { return s.mated; });
    const bool other = std::any_of(drawn.begin(), drawn.end(), [](auto& s) { return !s.mated; });
    std::fill(out.begin(), out.end(), std::numeric_limits<double>::quiet_NaN());
    if (!mated) return;
    for (std::size_t r = 0; r < o.ranks.size(); ++r) {
      out[r] = rank_rate(drawn, static_cast<std::size_t>(o.ranks[r]));
    }
    if (!open || !other) return;
    const OpenSet curve(drawn, static_cast<std::size_t>(o.tpir_rank));
    for (std::size_t i = 0; i < o.fpir.size(); ++i) {
      out[o.ranks.size() + i] = curve.at_fpir(o.fpir[i], o.rule).tar;
    }
  };
  return bootstrap_subjects(all.subject_count, figures, statistic, o.bootstrap.options(), run);
}

void add_open_set(Report& report, const OpenSet& curve, const IdentificationOptions& o,
                  std::span<const Interval> intervals) {
  const std::string rank =
      o.tpir_rank == 0 ? "mate at any rank" : fmt::format("mate within rank {}", o.tpir_rank);
  const auto note = fmt::format("rule: {}; {}", rule_name(o.rule), rank);
  report.group("tpir_at_fpir", "TPIR at FPIR",
               by_rate(o.fpir, [&](double f) { return curve.at_fpir(f, o.rule).tar; }), note);
  report.group("fnir_at_fpir", "FNIR at FPIR",
               by_rate(o.fpir, [&](double f) { return curve.at_fpir(f, o.rule).frr(); }), note);
  Table& table = report.table("operating_points", "Operating points",
                              {{"target", "target FPIR", ""},
                               {"threshold", "", ""},
                               {"fpir", "FPIR reached", ""},
                               {"tpir", "TPIR", ""},
                               {"tpir_low", "TPIR from", ""},
                               {"tpir_high", "TPIR to", ""}},
                              intervals.empty() ? note : note + "; " + intervals[0].method);
  for (std::size_t i = 0; i < o.fpir.size(); ++i) {
    const OperatingPoint p = curve.at_fpir(o.fpir[i], o.rule);
    table.add({o.fpir[i], p.threshold, p.far, p.tar,
               intervals.empty() ? Value() : Value(intervals[i].low),
               intervals.empty() ? Value() : Value(intervals[i].high)});
  }
  if (o.threshold) {
    const OperatingPoint p = curve.at_threshold(*o.threshold);
    report.group(
        "at_threshold", fmt::format("Rates at score >= {:g}", *o.threshold),
        {{"threshold", *o.threshold}, {"fpir", p.far}, {"tpir", p.tar}, {"fnir", p.frr()}});
  }
  Plot tpir{.key = "tpir",
            .title = "Open-set identification",
            .x_label = "FPIR",
            .y_label = "TPIR",
            .x_log = true};
  tpir.series.push_back(curve_series("searches", curve.points(), [&](const RocPoint& p) {
    return std::pair{curve.fpir(p), curve.tpir(p)};
  }));
  report.plot(std::move(tpir));
  Plot det{.key = "det",
           .title = "DET of identification",
           .x_label = "FPIR",
           .y_label = "FNIR",
           .x_log = true,
           .y_log = true};
  det.series.push_back(curve_series("searches", curve.points(), [&](const RocPoint& p) {
    return std::pair{curve.fpir(p), 1.0 - curve.tpir(p)};
  }));
  report.plot(std::move(det));
}

void add_summary(Report& report, const Searches& all, const IdentificationOptions& o,
                 std::span<const Interval> intervals, std::size_t mated) {
  Scalar first{.key = "rank1",
               .label = "rank-1 rate",
               .value = rank_rate(all.searches, 1),
               .note = "closed set: mated searches, whatever the score"};
  const auto place = std::find(o.ranks.begin(), o.ranks.end(), 1);
  if (!intervals.empty() && place != o.ranks.end()) {
    first.interval = intervals[static_cast<std::size_t>(place - o.ranks.begin())];
  }
  report.scalar(std::move(first));
  report.scalar("mated", mated, "mated searches");
  report.scalar("non_mated", all.searches.size() - mated, "non-mated searches");
  report.scalar("enrolled", all.enrolled, "enrolled subjects");
}

void add_ranks(Report& report, const Searches& all, const IdentificationOptions& o) {
  std::vector<std::pair<std::string, Value>> rates;
  for (std::int64_t rank : o.ranks) {
    rates.emplace_back(std::to_string(rank),
                       rank_rate(all.searches, static_cast<std::size_t>(rank)));
  }
  report.group("rank_rates", "Rank-k rates", std::move(rates), "closed set");
  Plot cmc{.key = "cmc", .title = "CMC", .x_label = "rank", .y_label = "share of mated searches"};
  Series series{.name = "searches"};
  for (std::size_t rank = 1; rank <= 50; ++rank) {
    series.x.push_back(static_cast<double>(rank));
    series.y.push_back(rank_rate(all.searches, rank));
  }
  cmc.series.push_back(std::move(series));
  report.plot(std::move(cmc));
}

// Where every probe is mated, false positives are counted over the other subjects' scores.
void add_closed_set(Report& report, const Searches& all, const IdentificationOptions& o) {
  std::vector<double> mates;
  for (const Search& s : all.searches) mates.push_back(s.mate_score);
  report.warning("every probe is mated: there is no open-set FPIR");
  if (std::any_of(mates.begin(), mates.end(), [](double s) { return std::isinf(s); })) return;
  std::vector<std::pair<std::string, Value>> items;
  for (double rate : o.fpir) {
    const double needed = std::ceil(rate * static_cast<double>(mates.size()));
    const bool enough = needed <= static_cast<double>(all.non_mate_scores.size());
    items.emplace_back(
        rate_key(rate),
        enough ? Value(pooled_closed_set_tpir(mates, all.non_mate_scores, rate)) : Value());
  }
  report.group("closed_set_tpir_at_fpir", "TPIR at FPIR, closed set", std::move(items),
               "threshold from the pooled scores of other subjects, as InsightFace's IJB 1:N tool");
}

Report identification(const IdentificationOptions& o, RunContext& run) {
  Report report("evaluate.identification",
                "identification: who of the gallery is this, if anybody?");
  const Searches all = Reader(o).read(report, run);
  const auto mated = static_cast<std::size_t>(std::count_if(
      all.searches.begin(), all.searches.end(), [](const Search& s) { return s.mated; }));
  const std::size_t other = all.searches.size() - mated;
  of_file(o.file,
          [&] { require_some(mated, "mated searches", "some probe's subject must be enrolled"); });
  const bool open = other > 0;
  const std::vector<Interval> intervals = intervals_of(all, o, open, run);
  const std::span<const Interval> parts(intervals);
  add_summary(report, all, o, parts.first(intervals.empty() ? 0 : o.ranks.size()), mated);
  add_ranks(report, all, o);
  const double rank1 = rank_rate(all.searches, 1);
  add_gate(report, "min_rank1", rank1, o.min_rank1);
  if (!open) {
    add_closed_set(report, all, o);
    add_gate(report, "min_tpir", std::numeric_limits<double>::quiet_NaN(), o.min_tpir);
    report.verdict(fmt::format("rank-1 rate {} over {} mated searches; no open-set probes",
                               percent(rank1), mated));
    return report;
  }
  const OpenSet curve(all.searches, static_cast<std::size_t>(o.tpir_rank));
  add_open_set(report, curve, o, parts.subspan(intervals.empty() ? 0 : o.ranks.size()));
  warn_rule_of_30(report, o.fpir, other, "FPIR", "non-mated searches");
  add_gate(report, "min_tpir", curve.at_fpir(o.gate_fpir, o.rule).tar, o.min_tpir);
  report.verdict(
      fmt::format("TPIR {} at FPIR {}, rank-1 rate {}, over {} mated and {} non-mated "
                  "searches",
                  percent(curve.at_fpir(o.fpir[0], o.rule).tar), rate_key(o.fpir[0]),
                  percent(rank1), mated, other));
  return report;
}

}  // namespace

Verb identification_verb() {
  return make_verb<IdentificationOptions>(
      {.noun = "evaluate",
       .name = "identification",
       .summary = "open-set TPIR@FPIR, FNIR and rank-k rates from candidate lists",
       .details =
           "Columns: probe (one search), probe_subject, candidate_subject, score (higher is more "
           "alike): one row per candidate; a probe with an empty list has one row with empty "
           "candidate_subject and score. Optional: mated (1 when the probe's subject is enrolled, "
           "0 "
           "when not). Without it a probe is mated when its subject is in the column subject of "
           "--gallery, or else among the candidates of the file.\n\n"
           "A subject counts once per list, with its best score; equal scores rank in file order. "
           "FPIR is the share of non-mated searches with any candidate at score >= threshold, TPIR "
           "the share of mated searches whose mate is within --tpir-rank and at score >= "
           "threshold, "
           "FNIR = 1 - TPIR (ISO/IEC 19795-1). Intervals are a bootstrap over probe subjects.",
       .examples = {{"sosia evaluate identification identification.csv", "all figures"},
                    {"sosia evaluate identification identification.csv --tpir-rank 0 --fpir 0.1",
                     "a mate at any rank counts"}}},
      identification);
}

}  // namespace sosia::evaluate

// `sosia evaluate attack`: presentation attack detection scores.

#include "evaluate/checks.hpp"
#include "evaluate/verb_parts.hpp"
#include "evaluate/verbs.hpp"
#include "sosia/core/error.hpp"
#include "sosia/core/text.hpp"
#include "sosia/evaluate/attack.hpp"
#include "sosia/evaluate/confidence.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace sosia::evaluate {
namespace {

struct AttackOptions {
  std::string file;
  std::optional<double> threshold;
  bool frames = false;
  double level = 0.95;
  std::optional<double> max_acer, max_hter, min_auc;
};

void describe(Fields& f, AttackOptions& o) {
  f({.name = "file",
     .help = "CSV with columns score,label and optionally instrument, split, clip",
     .role = FieldRole::input_file,
     .positional = true,
     .required = true},
    o.file);
  f({.name = "threshold",
     .help = "accept at scores from here on; default: the EER threshold of the rows of split dev"},
    o.threshold);
  f({.name = "frames", .help = "score each frame by itself even when there is a column clip"},
    o.frames);
  f({.name = "level",
     .help = "level of confidence intervals",
     .above = 0,
     .below = 1,
     .group = "confidence"},
    o.level);
  describe_gate(f, "max_acer", "fail above this ACER", o.max_acer);
  describe_gate(f, "max_hter", "fail above this HTER", o.max_hter);
  describe_gate(f, "min_auc", "fail below this AUC", o.min_auc);
}

struct Presentations {
  std::vector<double> scores;
  std::vector<std::uint8_t> labels;
  std::vector<std::uint32_t> instruments, clips;
};

struct AttackFile {
  Presentations dev, test;
  Names instruments;
  bool has_split = false, has_clips = false;
};

AttackFile read_attacks(const std::string& file, RunContext& run) {
  formats::CsvReader reader(file);
  const std::size_t score = reader.column("score"), label = reader.column("label");
  const auto instrument = reader.find_column("instrument"), split = reader.find_column("split"),
             clip = reader.find_column("clip");
  AttackFile all;
  all.has_split = split.has_value();
  all.has_clips = clip.has_value();
  Names clips;  // by label, instrument and name: data sets reuse names between real and attack
  for_each_record(reader, run, [&] {
    const std::string part = split ? ascii_lower(trim(reader[*split])) : "test";
    if (part != "dev" && part != "test") reader.fail(*split, "is neither dev nor test");
    Presentations& p = part == "dev" ? all.dev : all.test;
    p.scores.push_back(reader.real(score));
    p.labels.push_back(reader.boolean(label) ? 1 : 0);
    // Bona fide rows have no instrument; whatever stands there is ignored.
    const bool attack = p.labels.back() == 0;
    p.instruments.push_back(
        attack ? all.instruments.number(instrument ? name_field(reader, *instrument) : "attack")
               : 0);
    if (!clip) return;
    p.clips.push_back(clips.number(
        fmt::format("{}/{}/{}", p.labels.back(), p.instruments.back(), name_field(reader, *clip))));
  });
  return all;
}

void average(Presentations& p) {
  if (p.scores.empty()) return;
  ClipScores clips = average_clips(p.scores, p.labels, p.instruments, p.clips);
  p.scores = std::move(clips.scores);
  p.labels = std::move(clips.labels);
  p.instruments = std::move(clips.instruments);
}

// Where the threshold comes from; figures at a threshold of the test set itself are labelled.
struct Choice {
  double threshold;
  std::string source;  // JSON: "given", "dev_eer", "test_eer"
  std::string suffix;  // of labels
};

Choice choose_threshold(const AttackFile& all, const AttackOptions& o, Report& report) {
  if (o.threshold) return {*o.threshold, "given", " (given threshold)"};
  if (!all.dev.scores.empty()) {
    const auto live = static_cast<std::size_t>(
        std::count(all.dev.labels.begin(), all.dev.labels.end(), std::uint8_t{1}));
    const double threshold = of_file(o.file, [&] {
      const std::string hint = "an EER threshold needs both classes; or give --threshold";
      require_some(live, "bona fide rows in split dev", hint);
      require_some(all.dev.labels.size() - live, "attacks in split dev", hint);
      return eer_threshold(all.dev.scores, all.dev.labels);
    });
    return {threshold, "dev_eer", " (dev threshold)"};
  }
  report.warning(
      "no development rows and no --threshold: the threshold is the EER threshold of the test set "
      "itself, which makes APCER, BPCER, ACER and HTER optimistic (test-EER)");
  return {eer_threshold(all.test.scores, all.test.labels), "test_eer", " (test-EER)"};
}

void add_rates(Report& report, const AttackRates& rates, const Choice& choice) {
  report.scalar("apcer", rates.apcer, "APCER" + choice.suffix, "largest over the instruments");
  report.scalar("bpcer", rates.bpcer, "BPCER" + choice.suffix);
  report.scalar("acer", rates.acer, "ACER" + choice.suffix, "mean of APCER and BPCER");
  report.scalar("hter", rates.hter, "HTER" + choice.suffix, "mean of FAR over all attacks and FRR");
  report.scalar("threshold", rates.threshold, "threshold" + choice.suffix);
}

void add_instruments(Report& report, const AttackFile& all, const AttackRates& rates,
                     double level) {
  Table& table = report.table("instruments", "Attack instruments",
                              {{"instrument", "", ""},
                               {"presentations", "", ""},
                               {"apcer", "APCER", ""},
                               {"low", "from", ""},
                               {"high", "to", ""}},
                              "Wilson intervals: presentations taken as independent");
  std::vector<std::size_t> counts(all.instruments.size(), 0);
  for (std::size_t i = 0; i < all.test.scores.size(); ++i) {
    if (all.test.labels[i] == 0) ++counts[all.test.instruments[i]];
  }
  for (std::uint32_t k = 0; k < counts.size(); ++k) {
    if (counts[k] == 0) {
      report.warning("instrument " + all.instruments.name(k) + " has no test presentations");
      continue;
    }
    const double rate = rates.apcer_by_instrument[k];
    const double accepted = std::round(rate * static_cast<double>(counts[k]));
    const Interval i = wilson_interval(static_cast<std::uint64_t>(accepted), counts[k], level);
    table.add({all.instruments.name(k), counts[k], rate, i.low, i.high});
  }
}

void add_curves(Report& report, const AttackFile& all, const Roc& roc) {
  const std::vector<double> apcers{0.1, 0.05, 0.01};
  report.group("bpcer_at_apcer", "BPCER at pooled APCER",
               by_rate(apcers, [&](double rate) { return roc.fnmr_at_fmr(rate); }),
               "test scores; lowest BPCER with the APCER of all attacks not above the target");
  report.group("tpr_at_fpr", "TPR at FPR", by_rate(std::vector<double>{0.01}, [&](double rate) {
                 return roc.at_far(rate, AtRule::not_above).tar;
               }));
  std::vector<double> live;
  std::vector<std::vector<double>> attacks(all.instruments.size());
  for (std::size_t i = 0; i < all.test.scores.size(); ++i) {
    auto& list = all.test.labels[i] == 1 ? live : attacks[all.test.instruments[i]];
    list.push_back(all.test.scores[i]);
  }
  std::vector<NamedScores> lists{{"bona fide", live}};
  for (std::uint32_t k = 0; k < attacks.size(); ++k) {
    lists.push_back({all.instruments.name(k), attacks[k]});
  }
  report.plot(histogram_plot("scores", "Scores of the test set", "score", lists));
  Plot roc_curve = roc_plot(roc);
  roc_curve.x_label = "share of attacks accepted";
  roc_curve.y_label = "share of bona fide accepted";
  report.plot(std::move(roc_curve));
  Plot det = det_plot(roc);
  det.x_label = "APCER (all attacks)";
  det.y_label = "BPCER";
  report.plot(std::move(det));
}

Report attack(const AttackOptions& o, RunContext& run) {
  AttackFile all = read_attacks(o.file, run);
  const bool clips = all.has_clips && !o.frames;
  if (clips) {
    average(all.dev);
    average(all.test);
  }
  Report report("evaluate.attack", "attack: is this one real?");
  if (all.test.scores.empty()) {
    throw Error(ErrorCode::corrupt_data, "no row has the split test",
                "mark the rows to be evaluated with test", o.file);
  }
  const Roc roc =
      of_file(o.file, [&] { return Roc(split_scores(all.test.scores, all.test.labels)); });
  const std::size_t kinds = std::max<std::size_t>(all.instruments.size(), 1);
  const Choice choice = choose_threshold(all, o, report);
  const auto rates_at = [&](double threshold) {
    return attack_rates(all.test.scores, all.test.labels, all.test.instruments, kinds, threshold);
  };
  const AttackRates rates = rates_at(choice.threshold);
  const AttackRates own = rates_at(eer_threshold(all.test.scores, all.test.labels));
  add_rates(report, rates, choice);
  report.scalar("auc", roc.auc(), "AUC", "threshold-free, all attacks pooled");
  report.scalar("eer", roc.eer().rate, "EER of the test set");
  report.scalar("hter_test_eer", own.hter, "HTER (test-EER)",
                "optimistic: threshold chosen on the test set");
  report.scalar("acer_test_eer", own.acer, "ACER (test-EER)",
                "optimistic: threshold chosen on the test set");
  report.scalar("bona_fide", roc.genuine_count(), clips ? "bona fide clips" : "bona fide");
  report.scalar("attacks", roc.impostor_count(), clips ? "attack clips" : "attacks");
  report.data("threshold_source", choice.source);
  report.data("level", clips ? "clip" : "frame");
  add_instruments(report, all, rates, o.level);
  add_curves(report, all, roc);
  add_gate(report, "max_acer", rates.acer, o.max_acer, false);
  add_gate(report, "max_hter", rates.hter, o.max_hter, false);
  add_gate(report, "min_auc", roc.auc(), o.min_auc);
  report.verdict(fmt::format(
      "ACER {} (APCER {}, BPCER {}){}, AUC {:.4f}, over {} bona fide and {} "
      "attack {}",
      percent(rates.acer), percent(rates.apcer), percent(rates.bpcer), choice.suffix, roc.auc(),
      roc.genuine_count(), roc.impostor_count(), clips ? "clips" : "presentations"));
  return report;
}

}  // namespace

Verb attack_verb() {
  return make_verb<AttackOptions>(
      {.noun = "evaluate",
       .name = "attack",
       .summary = "APCER, BPCER, ACER and HTER of presentation attack detection",
       .details =
           "Columns: score (higher is more bona fide), label (1 bona fide, 0 attack). Optional: "
           "instrument (the kind of attack), split (dev or test), clip (frames of one clip, which "
           "is named within its split, label and instrument, are averaged first, unless "
           "--frames).\n\n"
           "A presentation is accepted when score >= threshold. The threshold is --threshold, else "
           "the EER threshold of the dev rows; without either it is that of the test rows, and all "
           "figures that depend on it are labelled test-EER, because they are optimistic. APCER is "
           "the largest share of accepted presentations over the attack instruments (ISO/IEC "
           "30107-3), BPCER the share of rejected bona fide ones, ACER their mean; HTER is the "
           "mean "
           "of FAR over all attacks and FRR.",
       .examples = {{"sosia evaluate attack attack.csv", "threshold from the dev rows"},
                    {"sosia evaluate attack attack.csv --threshold 0.5 --frames",
                     "a fixed threshold, frame by frame"}}},
      attack);
}

}  // namespace sosia::evaluate

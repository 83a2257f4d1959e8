// How honest are thresholds and probabilities? Realised FPIR and TPIR of both rules on simulated
// worlds with known truth, many calibrations each; the figures of docs/decisions/0010.
//
//   decide_worlds [calibrations] [max_fpir] [number of a world, from 0]
//
// Each calibration has a population, a gallery and 2000 non-mated and 500 mated test probes of its
// own. "over" is the share of calibrations whose realised FPIR is above the wanted one beyond the
// binomial noise of the test (its 95 % Wilson interval excludes the wanted rate).

#include "gallery/fpir_curve.hpp"
#include "gallery/honest_search.hpp"
#include "sosia/evaluate/calibration.hpp"
#include "sosia/evaluate/confidence.hpp"
#include "sosia/gallery/calibrate.hpp"

#include <cstdio>
#include <cstdlib>

using namespace sosia;
using namespace sosia::gallery;

namespace {

constexpr std::size_t kSamples = 5;

struct Arm {
  const char* name;
  FpirRule rule;
  bool bound;  // upper end of the interval, or the estimate itself
  double fpir = 0, tpir = 0, over = 0, supported = 0;
};

double point_threshold(const Calibration& c, double fpir, std::uint64_t n, FpirRule rule) {
  const FpirCurve curve = fpir_curve(c, n, rule);
  double threshold = std::nextafter(c.impostor_tail[0], 2.0);
  for (const FpirPoint& p : curve.points) {
    if (curve.search_rate(p.rate) > fpir) break;
    threshold = p.threshold;
  }
  return threshold;
}

}  // namespace

int main(int argc, char** argv) {
  const int runs = argc > 1 ? std::atoi(argv[1]) : 20;
  const double wanted = argc > 2 ? std::atof(argv[2]) : 0.01;
  const char* names[] = {"plain", "goats", "wolves", "lambs", "families"};
  // Gallery searched, subjects of the calibration sample (0: the gallery itself).
  const std::pair<std::size_t, std::size_t> sizes[] = {{10, 0},    {10, 500}, {100, 0},
                                                       {100, 500}, {1000, 0}, {1000, 300}};
  std::printf("wanted FPIR %g, %d calibrations\n", wanted, runs);
  std::printf("%-9s %5s %6s  %-18s %9s %7s %6s %8s | %6s %6s\n", "world", "N", "sample", "arm",
              "mean FPIR", "TPIR", "over", "refused", "ECE", "ECE-");
  const int only = argc > 3 ? std::atoi(argv[3]) : -1;
  for (int kind = 0; kind < 5; ++kind) {
    if (only >= 0 && kind != only) continue;
    for (const auto& [n, sample] : sizes) {
      Arm arms[] = {{"pairwise, estimate", FpirRule::independent, false},
                    {"pairwise, bound", FpirRule::independent, true},
                    {"per probe, estimate", FpirRule::per_probe, false},
                    {"per probe, bound", FpirRule::per_probe, true}};
      std::vector<double> probabilities, unmated_probabilities;
      std::vector<std::uint8_t> labels, unmated_labels;
      for (int r = 0; r < runs; ++r) {
        const std::uint64_t seed = static_cast<std::uint64_t>(r);
        const Population people({.kind = static_cast<WorldKind>(kind), .seed = seed});
        const auto subjects = shuffled_subjects(seed, 2 * n + 4000);
        MemoryGallery gallery(64);
        enrol(gallery, people, std::span(subjects).first(n), kSamples);
        RunContext run({.seed = seed, .threads = 2});
        Calibration c;
        if (sample == 0) {
          c = calibrate_gallery(gallery, {}, run).calibration;
        } else {
          const Population others(
              {.kind = static_cast<WorldKind>(kind), .seed = seed, .name = "elsewhere"});
          MemoryGallery set(64);
          const auto chosen = shuffled_subjects(seed, 2 * sample);
          enrol(set, others, std::span(chosen).first(sample), kSamples);
          c = calibrate_gallery(set, {}, run).calibration;
        }
        std::vector<float> unmated, mated;
        std::vector<std::string> truth;
        const auto append = [](std::vector<float>& list, const std::vector<float>& v) {
          list.insert(list.end(), v.begin(), v.end());
        };
        for (std::size_t i = 0; i < 2000; ++i) append(unmated, people.sample(subjects[n + i], 0));
        for (std::size_t i = 0; i < 500; ++i) {
          const std::uint64_t s = subjects[i % n];
          append(mated, people.sample(s, 100 + i));
          truth.push_back("s" + std::to_string(s));
        }
        const auto strangers = search_all(gallery, 64, kSamples, unmated, {});
        const auto known = search_all(gallery, 64, kSamples, mated, truth);
        for (Arm& arm : arms) {
          double threshold = 0;
          try {
            threshold = arm.bound ? make_policy(c, wanted, n, arm.rule).threshold
                                  : point_threshold(c, wanted, n, arm.rule);
          } catch (const Error&) {
            continue;
          }
          std::uint64_t wrong = 0, right = 0;
          for (const auto& p : strangers) wrong += p.candidates[0].score >= threshold;
          for (const auto& p : known) {
            right += p.candidates[0].score >= threshold && p.candidates[0].label == p.subject;
          }
          arm.supported += 1;
          arm.fpir += static_cast<double>(wrong) / static_cast<double>(strangers.size());
          arm.tpir += static_cast<double>(right) / static_cast<double>(known.size());
          arm.over += evaluate::wilson_interval(wrong, strangers.size()).low > wanted;
        }
        // Probability that the best candidate is right: mated and non-mated probes half and half.
        OperatingPolicy policy;
        policy.threshold = -2;
        policy.subjects = n;
        const auto judge = [&](const TestProbe& p) {
          const Verdict v = decide(c, policy, p.candidates);
          probabilities.push_back(v.probability);
          labels.push_back(p.mated && p.candidates[0].label == p.subject);
          policy.threshold = 3;
          unmated_probabilities.push_back(decide(c, policy, p.candidates).probability);
          unmated_labels.push_back(!p.mated);
          policy.threshold = -2;
        };
        for (const auto& p : known) judge(p);
        for (std::size_t i = 0; i < known.size(); ++i) judge(strangers[i]);
      }
      const double ece =
          evaluate::expected_calibration_error(evaluate::reliability(probabilities, labels, 15));
      const double ece_none = evaluate::expected_calibration_error(
          evaluate::reliability(unmated_probabilities, unmated_labels, 15));
      for (const Arm& arm : arms) {
        const double k = std::max(1.0, arm.supported);
        std::printf("%-9s %5zu %6zu  %-18s %9.4f %7.4f %6.2f %8.2f | %6.4f %6.4f\n", names[kind], n,
                    sample, arm.name, arm.fpir / k, arm.tpir / k, arm.over / k,
                    1 - arm.supported / runs, ece, ece_none);
      }
      std::fflush(stdout);
    }
  }
  return 0;
}

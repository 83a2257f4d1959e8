// Thresholds for a promised rate, and decisions.

#include "gallery/fpir_curve.hpp"
#include "sosia/evaluate/confidence.hpp"
#include "worlds.hpp"

#include <bit>
#include <functional>

#include <gtest/gtest.h>

namespace sosia::gallery {
namespace {

// `each` impostor scores for each of `probes` probes; score j of probe p is uniform in [0, 1).
ScoreSample uniform_sample(std::size_t probes, std::size_t each) {
  RandomStream stream(2, "uniform");
  ScoreSample sample{.genuine = {0.95, 0.97, 0.99}, .subjects = each + 1};
  for (std::size_t p = 0; p < probes; ++p) {
    sample.probe_subjects.push_back(static_cast<std::uint32_t>(p));
    for (std::size_t j = 0; j < each; ++j) {
      sample.impostor.push_back(stream.uniform());
      sample.impostor_probes.push_back(static_cast<std::uint32_t>(p));
    }
  }
  return sample;
}

TEST(PairwiseRate, KnownValues) {
  EXPECT_DOUBLE_EQ(pairwise_rate(0.01, 1), 0.01);
  EXPECT_DOUBLE_EQ(pairwise_rate(0.01, 0), 0.01);
  EXPECT_NEAR(pairwise_rate(0.19, 2), 0.1, 1e-12);  // 1 - 0.9^2
  EXPECT_NEAR(pairwise_rate(0.01, 1'000'000), 1.00503e-8, 1e-13);
  EXPECT_THROW(pairwise_rate(0, 5), Error);
  EXPECT_THROW(pairwise_rate(1, 5), Error);
}

// Four probes with three others each; the matches of each at score >= 0.5: 2, 1, 0, 0.
ScoreSample four_probes() {
  return {.genuine = {0.9, 1.0},
          .impostor = {0.9, 0.8, 0.1, 0.7, 0.2, 0.1, 0.3, 0.2, 0.1, 0.3, 0.2, 0.1},
          .impostor_probes = {0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3},
          .probe_subjects = {0, 1, 2, 3},
          .subjects = 4};
}

TEST(FpirCurve, ShareOfProbesByHand) {
  const Calibration c = fit_calibration(four_probes());
  // Among all three others: half of the probes have a match at 0.5.
  const FpirCurve all = fpir_curve(c, 3, FpirRule::per_probe);
  ASSERT_EQ(all.points.size(), 6u);
  EXPECT_DOUBLE_EQ(all.points[0].rate, 0.25);  // 0.9
  EXPECT_DOUBLE_EQ(all.points[1].rate, 0.25);  // 0.8 is of the same probe
  EXPECT_DOUBLE_EQ(all.points[2].rate, 0.5);   // 0.7
  EXPECT_DOUBLE_EQ(all.points[3].rate, 1.0);   // 0.3, two probes
  // Among two of three: the first probe has two matches, any two others hold one; the second has
  // one, missed by one of the three choices.
  const FpirCurve two = fpir_curve(c, 2, FpirRule::per_probe);
  EXPECT_DOUBLE_EQ(two.points[0].rate, 2.0 / 3 / 4);
  EXPECT_DOUBLE_EQ(two.points[1].rate, 1.0 / 4);
  EXPECT_DOUBLE_EQ(two.points[2].rate, (1.0 + 2.0 / 3) / 4);
  EXPECT_DOUBLE_EQ(two.exponent, 1.0);
  // Among one: the pooled false match rate.
  EXPECT_NEAR(fpir_curve(c, 1, FpirRule::per_probe).points[2].rate, 3.0 / 12, 1e-12);
  // Among six: two galleries of three.
  const FpirCurve six = fpir_curve(c, 6, FpirRule::per_probe);
  EXPECT_DOUBLE_EQ(six.search_rate(six.points[2].rate), 0.75);
  EXPECT_DOUBLE_EQ(six.trial_rate(0.75), 0.5);
  const FpirCurve independent = fpir_curve(c, 2, FpirRule::independent);
  EXPECT_DOUBLE_EQ(independent.points[2].rate, 3.0 / 12);
  EXPECT_DOUBLE_EQ(independent.search_rate(0.25), 1 - 0.75 * 0.75);
  // At 0.7, of three others: by probe.
  EXPECT_EQ(probe_rates(c, 3, 0.7), (std::vector<double>{1, 1, 0, 0}));
}

// All choices of N of the others, by enumeration.
TEST(FpirCurve, EqualsTheMeanOverAllChoicesOfSubjects) {
  constexpr std::size_t kOthers = 8;
  const ScoreSample sample = uniform_sample(6, kOthers);
  const Calibration c = fit_calibration(sample);
  for (std::size_t n = 1; n <= kOthers; ++n) {
    const FpirCurve curve = fpir_curve(c, n, FpirRule::per_probe);
    for (const FpirPoint& point : curve.points) {
      double hits = 0, choices = 0;
      for (unsigned set = 0; set < 1u << kOthers; ++set) {
        if (static_cast<std::size_t>(std::popcount(set)) != n) continue;
        for (std::size_t p = 0; p < 6; ++p) {
          bool hit = false;
          for (std::size_t j = 0; j < kOthers; ++j) {
            hit |= (set >> j & 1) != 0 && sample.impostor[p * kOthers + j] >= point.threshold;
          }
          hits += hit;
          choices += 1;
        }
      }
      EXPECT_NEAR(point.rate, hits / choices, 1e-12) << n << " " << point.threshold;
    }
  }
}

TEST(FpirCurve, EffectiveTrials) {
  // Independent probes count as many as they are (1500 observed within a few per cent).
  const Calibration single = fit_calibration(uniform_sample(1'500, 40));
  EXPECT_NEAR(fpir_curve(single, 40, FpirRule::per_probe).zero_trials, 1'500, 75);
  // Every probe five times: a fifth of them.
  ScoreSample repeated = uniform_sample(300, 40);
  const ScoreSample once = repeated;
  for (std::uint32_t copy = 1; copy < 5; ++copy) {
    for (std::size_t p = 0; p < 300; ++p) {
      repeated.probe_subjects.push_back(static_cast<std::uint32_t>(p));
    }
    for (std::size_t i = 0; i < once.impostor.size(); ++i) {
      repeated.impostor.push_back(once.impostor[i]);
      repeated.impostor_probes.push_back(once.impostor_probes[i] + 300 * copy);
    }
  }
  const Calibration five = fit_calibration(repeated);
  EXPECT_NEAR(fpir_curve(five, 40, FpirRule::per_probe).zero_trials, 300, 30);
  // A search among few subjects is tried often by one probe that meets many.
  EXPECT_GT(fpir_curve(single, 2, FpirRule::per_probe).zero_trials, 10'000);
}

TEST(MakePolicy, ThresholdKeepsTheUpperEndBelowTheRate) {
  const Calibration c = fit_calibration(uniform_sample(2'000, 50));
  double last = 2;
  for (double rate : {0.003, 0.01, 0.03, 0.1, 0.3}) {
    const OperatingPolicy p = make_policy(c, rate, 50);
    EXPECT_LT(p.threshold, last);  // a laxer rate lowers the threshold
    last = p.threshold;
    EXPECT_LT(p.expected_fpir, rate);
    EXPECT_LE(p.fpir_interval.low, p.expected_fpir);
    EXPECT_GE(p.fpir_interval.high, p.expected_fpir);
    EXPECT_DOUBLE_EQ(p.pairwise_fmr, pairwise_rate(rate, 50));
    EXPECT_DOUBLE_EQ(p.observed_fmr, c.fmr(p.threshold));
    // The truth is 1 - t^50.
    EXPECT_LT(1 - std::pow(p.threshold, 50), rate * 1.02) << rate;
  }
}

TEST(MakePolicy, RefusesWhatTheSampleCannotSupport) {
  const Calibration c = fit_calibration(uniform_sample(200, 50));
  // None of 200 searches: rates from 3/200 on are excluded.
  const double least = smallest_fpir(c, 50);
  EXPECT_NEAR(least, 0.015, 0.003);
  EXPECT_NO_THROW(make_policy(c, least, 50));
  try {
    make_policy(c, 0.001, 50);
    ADD_FAILURE() << "a rate of 0.001 was promised";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unsupported);
    EXPECT_NE(error.hint().find("ask for 0.01"), std::string::npos) << error.render();
  }
  // 3 / rate impostor scores by the independent rule: 10000 comparisons, 0.0003 but not 0.00029.
  ScoreSample plain = uniform_sample(200, 50);
  const Calibration pairs = fit_calibration(plain.genuine, plain.impostor, 51);
  EXPECT_NO_THROW(make_policy(pairs, 0.0003, 1));
  EXPECT_THROW(make_policy(pairs, 0.00029, 1), Error);
  EXPECT_THROW(make_policy(pairs, 0.0, 1), Error);
  EXPECT_THROW(make_policy(pairs, 1.0, 1), Error);
}

TEST(MakePolicy, WarnsByTheRuleOf30AndAboutUnknownProbes) {
  const auto says = [](const OperatingPolicy& p, const std::string& part) {
    return std::any_of(p.warnings.begin(), p.warnings.end(),
                       [&](const auto& w) { return w.find(part) != std::string::npos; });
  };
  ScoreSample sample = uniform_sample(400, 50);
  const Calibration c = fit_calibration(sample);
  EXPECT_TRUE(says(make_policy(c, 0.05, 50), "independent searches"));
  EXPECT_FALSE(says(make_policy(c, 0.2, 50), "independent searches"));
  const Calibration pairs = fit_calibration(sample.genuine, sample.impostor, 51);
  EXPECT_TRUE(says(make_policy(pairs, 0.2, 50), "were taken as independent"));
  // Genuine and impostor exchanged.
  const Calibration swapped = fit_calibration(sample.impostor, std::vector<double>(500, 0.9), 51);
  EXPECT_TRUE(says(make_policy(swapped, 0.2, 1), "probabilities mean nothing"));
}

TEST(MakePolicy, TheStoredTailIsNotLeft) {
  const Calibration c = fit_calibration(uniform_sample(400, 50));  // 20000 scores, 10000 stored
  const OperatingPolicy p = make_policy(c, 0.9, 1);
  EXPECT_DOUBLE_EQ(p.threshold, c.impostor_tail.back());
  EXPECT_NE(p.warnings.back().find("stricter"), std::string::npos);
}

// --- decisions ---

// LR(s) = exp(10 (s - 0.5)), no genuine score below 0.5.
Calibration simple_calibration() {
  Calibration c;
  c.genuine = 99;
  c.impostor = 1'000;
  c.subjects = 10;
  c.a = -10;
  c.b = 5;
  c.genuine_quantiles = {0.5, 0.6, 0.7};
  c.impostor_tail = {0.5};
  return c;
}

TEST(Decide, AcceptUnknownAmbiguousByHand) {
  const Calibration c = simple_calibration();
  OperatingPolicy policy;
  policy.threshold = 0.6;
  policy.subjects = 2;
  // Odds of x, y, none: 0.5/2 e^4, 0.5/2 e^-3, 0.5. Nobody is left unlisted.
  const SubjectMatch far[] = {{"x", "t", 0.9f}, {"y", "", 0.2f}};
  Verdict v = decide(c, policy, far);
  EXPECT_EQ(v.decision, Decision::accept);
  EXPECT_EQ(v.label, "x");
  EXPECT_EQ(v.tenant, "t");
  const double x = 0.25 * std::exp(4.0), y = 0.25 * std::exp(-3.0);
  const double missed = 0.0;
  EXPECT_NEAR(v.probability, x / (x + y + 0.5 + missed), 1e-6);

  // e^(10 * 0.2) = 7.4 < 9: ambiguous; 0.22 apart: accepted.
  const SubjectMatch close[] = {{"x", "", 0.9f}, {"y", "", 0.7f}};
  EXPECT_EQ(decide(c, policy, close).decision, Decision::ambiguous);
  EXPECT_EQ(decide(c, policy, close).label, "x");
  const SubjectMatch apart[] = {{"x", "", 0.9f}, {"y", "", 0.68f}};
  EXPECT_EQ(decide(c, policy, apart).decision, Decision::accept);
  // A second below the threshold does not count.
  const SubjectMatch below[] = {{"x", "", 0.61f}, {"y", "", 0.59f}};
  EXPECT_EQ(decide(c, policy, below).decision, Decision::accept);
  // A tie at the threshold.
  policy.threshold = 0.75;
  const SubjectMatch tie[] = {{"x", "", 0.75f}, {"y", "", 0.75f}};
  EXPECT_EQ(decide(c, policy, tie).decision, Decision::ambiguous);
  EXPECT_LT(decide(c, policy, tie).probability, 0.5);

  const SubjectMatch low[] = {{"x", "", 0.4f}, {"y", "", 0.3f}};
  v = decide(c, policy, low);
  EXPECT_EQ(v.decision, Decision::unknown);
  EXPECT_EQ(v.label, "");
  EXPECT_NEAR(v.probability, 0.5 / (0.5 + 0.25 * std::exp(-1.0) + 0.25 * std::exp(-2.0)), 1e-6);
}

TEST(Decide, UnlistedSubjectsShareWhatGenuineScoresLeaveBelow) {
  const Calibration c = simple_calibration();
  OperatingPolicy policy;
  policy.threshold = 0.9;
  policy.subjects = 100;
  const SubjectMatch one[] = {{"x", "", 0.3f}};
  // FNMR(0.3) is 0 of 99, counted as 0.5 of 100; LR(0.3) = e^-2.
  const double listed = 0.005 * std::exp(-2.0), rest = 0.5 * 0.99 * 0.005;
  EXPECT_NEAR(decide(c, policy, one).probability, 0.5 / (0.5 + listed + rest), 1e-6);
  // A short list of high scores says nothing against its first: the ratio of the unlisted is
  // bounded by 1.
  policy.threshold = 0.6;
  policy.subjects = 1'000'000;
  const SubjectMatch high[] = {{"x", "", 3.0f}};
  EXPECT_GT(decide(c, policy, high).probability, 0.99);
}

TEST(Decide, EmptyLists) {
  OperatingPolicy policy;
  policy.subjects = 0;
  const Verdict v = decide(simple_calibration(), policy, {});
  EXPECT_EQ(v.decision, Decision::unknown);
  EXPECT_EQ(v.label, "");
  EXPECT_DOUBLE_EQ(v.probability, 1);
}

TEST(Decide, ExtremeScoresStayFinite) {
  Calibration c = simple_calibration();
  c.a = -4000;
  c.b = 2000;
  OperatingPolicy policy;
  policy.subjects = 5;
  for (float score : {-1.0f, 0.0f, 1.0f}) {
    policy.threshold = 0.5;
    const SubjectMatch list[] = {{"x", "", score}, {"y", "", -1.0f}};
    const Verdict v = decide(c, policy, list);
    EXPECT_GE(v.probability, 0);
    EXPECT_LE(v.probability, 1);
    EXPECT_GT(v.probability, 0.98) << score;
  }
}

}  // namespace
}  // namespace sosia::gallery

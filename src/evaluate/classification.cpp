#include "sosia/evaluate/classification.hpp"

#include "evaluate/checks.hpp"

#include <cmath>

namespace sosia::evaluate {
namespace {

double ratio(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

Confusion confusion_of(const Roc& roc, std::uint64_t false_accepts, std::uint64_t true_accepts) {
  return {true_accepts, false_accepts, roc.impostor_count() - false_accepts,
          roc.genuine_count() - true_accepts};
}

PrecisionRecallPoint point_of(const Roc& roc, const RocPoint& point) {
  const Confusion c = confusion_of(roc, point.false_accepts, point.true_accepts);
  return {point.threshold, c.precision(), c.recall(), c.f1()};
}

}  // namespace

double Confusion::precision() const {
  return ratio(true_positives, true_positives + false_positives);
}

double Confusion::recall() const {
  return ratio(true_positives, true_positives + false_negatives);
}

double Confusion::f1() const {
  return ratio(2 * true_positives, 2 * true_positives + false_positives + false_negatives);
}

double Confusion::accuracy() const {
  const std::uint64_t right = true_positives + true_negatives;
  return ratio(right, right + false_positives + false_negatives);
}

Confusion confusion_at(const Roc& roc, double threshold) {
  const OperatingPoint point = roc.at_threshold(threshold);
  // Rates are quotients of counts below 2^31: rounding gives the counts back.
  const auto count = [](double rate, std::size_t total) {
    return static_cast<std::uint64_t>(std::llround(rate * static_cast<double>(total)));
  };
  return confusion_of(roc, count(point.far, roc.impostor_count()),
                      count(point.tar, roc.genuine_count()));
}

std::vector<PrecisionRecallPoint> precision_recall_curve(const Roc& roc) {
  return precision_recall_curve(roc, roc.points());
}

std::vector<PrecisionRecallPoint> precision_recall_curve(const Roc& roc,
                                                         std::span<const RocPoint> points) {
  std::vector<PrecisionRecallPoint> curve;
  curve.reserve(points.size());
  for (const RocPoint& point : points) {
    if (point.true_accepts + point.false_accepts > 0) curve.push_back(point_of(roc, point));
  }
  return curve;
}

double average_precision(const Roc& roc) {
  double sum = 0.0;
  std::uint32_t before = 0;
  for (const RocPoint& point : roc.points()) {
    if (point.true_accepts == before) continue;
    const double accepted = double{1} * point.true_accepts + point.false_accepts;
    sum += (point.true_accepts - before) * (point.true_accepts / accepted);
    before = point.true_accepts;
  }
  return sum / static_cast<double>(roc.genuine_count());
}

PrecisionRecallPoint best_f1(const Roc& roc) {
  PrecisionRecallPoint best = point_of(roc, roc.points()[1]);
  for (const RocPoint& point : roc.points().subspan(2)) {
    const PrecisionRecallPoint here = point_of(roc, point);
    if (here.f1 > best.f1) best = here;
  }
  return best;
}

}  // namespace sosia::evaluate

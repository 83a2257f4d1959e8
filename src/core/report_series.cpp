// Thinning of long series; see thin_series in report_parts.hpp.

#include "core/report_parts.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <queue>

namespace sosia::report {

namespace {

constexpr double kGap = std::numeric_limits<double>::quiet_NaN();

/// One coordinate as it will be drawn: on [0, 1], after the logarithm of a logarithmic axis; NaN
/// where nothing can be drawn.
std::vector<double> drawn_coordinate(const std::vector<double>& values, bool log) {
  std::vector<double> drawn(values.size());
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (std::size_t i = 0; i < values.size(); ++i) {
    drawn[i] = log ? (values[i] > 0 ? std::log10(values[i]) : kGap) : values[i];
    if (!std::isfinite(drawn[i])) {
      drawn[i] = kGap;
      continue;
    }
    low = std::min(low, drawn[i]);
    high = std::max(high, drawn[i]);
  }
  // Halves first: the range of finite doubles can overflow.
  const double range = high / 2 - low / 2;
  for (double& v : drawn) v = range > 0 ? (v / 2 - low / 2) / range : v * 0;
  return drawn;
}

class Thinner {
 public:
  Thinner(std::vector<double> x, std::vector<double> y, std::size_t most)
      : x_(std::move(x)), y_(std::move(y)), most_(most), kept_(x_.size(), false) {}

  bool drawable(std::size_t i) const { return !std::isnan(x_[i]) && !std::isnan(y_[i]); }

  void keep(std::size_t i) {
    if (kept_[i] || count_ >= most_) return;
    kept_[i] = true;
    ++count_;
  }

  void keep_ends_and_extremes() {
    keep(0);
    keep(x_.size() - 1);
    std::size_t lowest_x = 0, highest_x = 0, lowest_y = 0, highest_y = 0;
    for (std::size_t i = 0; i < x_.size(); ++i) {
      if (!drawable(i)) continue;
      // A gap at the start compares false with everything, hence the second test.
      if (x_[i] < x_[lowest_x] || !drawable(lowest_x)) lowest_x = i;
      if (x_[i] > x_[highest_x] || !drawable(highest_x)) highest_x = i;
      if (y_[i] < y_[lowest_y] || !drawable(lowest_y)) lowest_y = i;
      if (y_[i] > y_[highest_y] || !drawable(highest_y)) highest_y = i;
    }
    for (const std::size_t i : {lowest_x, highest_x, lowest_y, highest_y}) keep(i);
  }

  void keep_gap_borders() {
    for (std::size_t i = 1; i < x_.size() && count_ + 2 <= most_ / 2; ++i) {
      if (drawable(i) == drawable(i - 1)) continue;
      keep(i - 1);
      keep(i);
    }
  }

  void keep_shape() {
    std::size_t before = 0;
    for (std::size_t i = 1; i < x_.size(); ++i) {
      if (!kept_[i]) continue;
      offer(before, i);
      before = i;
    }
    while (count_ < most_ && !queue_.empty()) {
      const Split split = queue_.top();
      queue_.pop();
      keep(split.middle);
      offer(split.first, split.middle);
      offer(split.middle, split.last);
    }
  }

  void keep_evenly() {
    const std::size_t room = most_ - count_;
    for (std::size_t k = 1; k <= room; ++k) {
      keep(static_cast<std::size_t>(static_cast<double>(x_.size() - 1) * static_cast<double>(k) /
                                    static_cast<double>(room + 1)));
    }
  }

  const std::vector<bool>& kept() const { return kept_; }

 private:
  struct Split {
    double distance = 0;
    std::size_t middle = 0, first = 0, last = 0;
    bool operator<(const Split& other) const {
      return distance != other.distance ? distance < other.distance : middle > other.middle;
    }
  };

  /// Finds the point between two kept ones that lies farthest from their chord.
  void offer(std::size_t first, std::size_t last) {
    if (!drawable(first) || !drawable(last)) return;
    const double dx = x_[last] - x_[first], dy = y_[last] - y_[first];
    const double length = std::hypot(dx, dy);
    Split best{0, first, first, last};
    for (std::size_t i = first + 1; i < last; ++i) {
      if (!drawable(i)) continue;
      const double px = x_[i] - x_[first], py = y_[i] - y_[first];
      const double distance =
          length > 0 ? std::abs(dx * py - dy * px) / length : std::hypot(px, py);
      if (distance > best.distance) best = {distance, i, first, last};
    }
    if (best.distance > 0) queue_.push(best);
  }

  std::vector<double> x_, y_;
  std::size_t most_;
  std::vector<bool> kept_;
  std::size_t count_ = 0;
  std::priority_queue<Split> queue_;
};

}  // namespace

ThinnedSeries thin_series(const Series& series, bool x_log, bool y_log, std::size_t most) {
  if (series.x.size() <= most) return {series.x, series.y, false};
  Thinner thinner(drawn_coordinate(series.x, x_log), drawn_coordinate(series.y, y_log), most);
  thinner.keep_ends_and_extremes();
  if (series.style == SeriesStyle::line || series.style == SeriesStyle::dashed) {
    thinner.keep_gap_borders();
    thinner.keep_shape();
  } else {
    thinner.keep_evenly();
  }
  ThinnedSeries thinned;
  thinned.decimated = true;
  for (std::size_t i = 0; i < series.x.size(); ++i) {
    if (!thinner.kept()[i]) continue;
    thinned.x.push_back(series.x[i]);
    thinned.y.push_back(series.y[i]);
  }
  return thinned;
}

}  // namespace sosia::report

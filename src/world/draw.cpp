#include "world/draw.hpp"

#include "world/exact_math.hpp"

namespace sosia::world {

double Draw::normal(double mean, double deviation) {
  const double u = 1.0 - stream_.uniform();  // in (0, 1]
  const double v = stream_.uniform();
  const double radius = exact::square_root(-2.0 * exact::log(u));
  return mean + deviation * radius * exact::cos(2.0 * exact::kPi * v);
}

double Draw::normal_within(double mean, double deviation, double low, double high) {
  double value = mean;
  for (int attempt = 0; attempt < 64; ++attempt) {
    value = normal(mean, deviation);
    if (value >= low && value <= high) return value;
  }
  return exact::clamp(value, low, high);
}

std::size_t Draw::pick(std::initializer_list<double> weights) {
  double sum = 0;
  for (const double w : weights) sum += w;
  double rest = stream_.uniform() * sum;
  std::size_t index = 0;
  for (const double w : weights) {
    if (rest < w || index + 1 == weights.size()) return index;
    rest -= w;
    ++index;
  }
  return 0;
}

}  // namespace sosia::world

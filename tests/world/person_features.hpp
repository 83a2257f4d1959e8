#pragma once
// What the sanity gates of the person world measure with: plain features of pixels, the two
// label-free corrections, and Market-1501's evaluation.

#include "sosia/core/rng.hpp"
#include "sosia/evaluate/ranking.hpp"
#include "sosia/image/image.hpp"
#include "sosia/world/person.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

namespace sosia::world {

using Feature = std::vector<float>;
using Features = std::vector<Feature>;

constexpr image::Extent kCropSize{32, 64};
constexpr int kStripes = 6;

/// HSV histogram (16 bins a channel) of six horizontal stripes, square-rooted: the usual colour
/// baseline. With `parts`, of the body's pixels alone.
inline Feature stripe_histogram(image::ImageView picture, image::ImageView parts = {}) {
  constexpr int kBins = 16;
  Feature f(static_cast<std::size_t>(kStripes) * 3 * kBins);
  float total = 1e-6f;
  const auto bin = [](float share) { return std::min(kBins - 1, static_cast<int>(share * kBins)); };
  for (int y = 0; y < picture.height_px; ++y) {
    float* stripe =
        f.data() + static_cast<std::ptrdiff_t>(y * kStripes / picture.height_px) * 3 * kBins;
    for (int x = 0; x < picture.width_px; ++x) {
      if (!parts.empty()) {
        const auto part = static_cast<PersonPart>(*parts.pixel(x, y));
        if (part == PersonPart::background || part == PersonPart::occluder) continue;
      }
      const std::uint8_t* p = picture.pixel(x, y);
      const float r = static_cast<float>(p[0]), g = static_cast<float>(p[1]),
                  b = static_cast<float>(p[2]);
      const float high = std::max({r, g, b}), range = high - std::min({r, g, b});
      float hue = 0;
      if (range > 0) {
        hue = high == r ? (g - b) / range : (high == g ? (b - r) / range + 2 : (r - g) / range + 4);
        if (hue < 0) hue += 6;
      }
      ++stripe[bin(hue / 6)];
      ++stripe[kBins + bin(high > 0 ? range / high : 0)];
      ++stripe[2 * kBins + bin(high / 255)];
      total += 3;
    }
  }
  for (float& v : f) v = std::sqrt(v / total);
  return f;
}

/// An untrained network: 16 random 5 x 5 filters, stride 2, rectified, mean and maximum of each of
/// six stripes.
inline Feature untrained_features(image::ImageView picture) {
  constexpr int kFilters = 16, kSize = 5, kWeights = kSize * kSize * 3;
  static const std::vector<float> weights = [] {
    RandomStream stream(5, "untrained");
    std::vector<float> w(static_cast<std::size_t>(kFilters) * kWeights);
    for (float& v : w) v = static_cast<float>(stream.normal());
    return w;
  }();
  Feature f(static_cast<std::size_t>(kFilters) * kStripes * 2);
  const int last = picture.height_px - kSize;
  for (int y = 0; y <= last; y += 2) {
    for (int x = 0; x + kSize <= picture.width_px; x += 2) {
      float window[kWeights];
      for (int j = 0; j < kSize; ++j) {
        for (int i = 0; i < kSize * 3; ++i) {
          window[j * kSize * 3 + i] =
              static_cast<float>(picture.pixel(x, y + j)[i]) / 127.5f - 1.0f;
        }
      }
      for (int k = 0; k < kFilters; ++k) {
        const float* w = weights.data() + static_cast<std::ptrdiff_t>(k) * kWeights;
        float sum = 0;
        for (int i = 0; i < kWeights; ++i) sum += w[i] * window[i];
        float* out = f.data() + (k * kStripes + y * kStripes / (last + 1)) * 2;
        out[0] += std::max(sum, 0.0f) / 60.0f;
        out[1] = std::max(out[1], sum);
      }
    }
  }
  return f;
}

inline void normalise(Features& all) {
  for (Feature& f : all) {
    double square = 1e-12;
    for (const float v : f) square += static_cast<double>(v) * v;
    const auto over = static_cast<float>(1.0 / std::sqrt(square));
    for (float& v : f) v *= over;
  }
}

/// Takes each camera's mean away (no labels, but camera numbers).
inline void subtract_camera_means(Features& all, std::span<const PersonCrop> crops) {
  std::map<int, std::pair<std::vector<double>, double>> cameras;
  for (std::size_t i = 0; i < all.size(); ++i) {
    auto& [sum, count] = cameras[crops[i].camera];
    sum.resize(all[i].size());
    for (std::size_t k = 0; k < sum.size(); ++k) sum[k] += all[i][k];
    count += 1;
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto& [sum, count] = cameras[crops[i].camera];
    for (std::size_t k = 0; k < sum.size(); ++k) all[i][k] -= static_cast<float>(sum[k] / count);
  }
}

/// Label-free total whitening: x -> L^-1 (x - mean) with the covariance L L^T, `ridge` of its mean
/// diagonal added.
inline void whiten(Features& all, double ridge) {
  const std::size_t d = all[0].size();
  const double n = static_cast<double>(all.size());
  std::vector<double> mean(d), c(d * d);
  for (const Feature& f : all) {
    for (std::size_t k = 0; k < d; ++k) mean[k] += f[k] / n;
  }
  for (const Feature& f : all) {
    for (std::size_t a = 0; a < d; ++a) {
      const double x = (f[a] - mean[a]) / n;
      double* row = c.data() + a * d;
      for (std::size_t b = 0; b <= a; ++b) row[b] += x * (f[b] - mean[b]);
    }
  }
  double trace = 0;
  for (std::size_t a = 0; a < d; ++a) trace += c[a * d + a];
  for (std::size_t a = 0; a < d; ++a) c[a * d + a] += ridge * trace / static_cast<double>(d);
  for (std::size_t j = 0; j < d; ++j) {  // Cholesky, in place
    const double* rj = c.data() + j * d;
    for (std::size_t i = j; i < d; ++i) {
      double* ri = c.data() + i * d;
      double sum = ri[j];
      for (std::size_t k = 0; k < j; ++k) sum -= ri[k] * rj[k];
      ri[j] = i == j ? std::sqrt(sum) : sum / rj[j];
    }
  }
  std::vector<double> y(d);
  for (Feature& f : all) {
    for (std::size_t i = 0; i < d; ++i) {
      const double* ri = c.data() + i * d;
      double sum = f[i] - mean[i];
      for (std::size_t k = 0; k < i; ++k) sum -= ri[k] * y[k];
      y[i] = sum / ri[i];
    }
    for (std::size_t i = 0; i < d; ++i) f[i] = static_cast<float>(y[i]);
  }
}

/// All stills of the test subjects and who they are.
struct TestSet {
  const PersonWorld* world;
  std::vector<PersonCrop> crops;
  std::vector<std::int64_t> labels;  ///< subjects; a control shuffles them
  std::vector<std::size_t> queries, gallery;

  explicit TestSet(const PersonWorld& w) : world(&w) {
    for (const std::int64_t subject : w.subjects(PersonSplit::test)) {
      for (const PersonCrop& crop : w.stills(subject)) {
        (w.is_query(crop) ? queries : gallery).push_back(crops.size());
        crops.push_back(crop);
        labels.push_back(subject);
      }
    }
  }

  evaluate::Sighting sighting(std::size_t i) const {
    const PersonCrop& c = crops[i];
    return {labels[i], c.camera, c.subject * 16 + c.outfit + 1};
  }

  template <class Distance>
  evaluate::RankingScore score(Distance distance,
                               evaluate::JunkRule junk = evaluate::JunkRule::market) const {
    std::vector<evaluate::Sighting> q, g;
    for (const std::size_t i : queries) q.push_back(sighting(i));
    for (const std::size_t i : gallery) g.push_back(sighting(i));
    std::vector<float> d;
    d.reserve(q.size() * g.size());
    for (const std::size_t a : queries) {
      for (const std::size_t b : gallery) d.push_back(static_cast<float>(distance(a, b)));
    }
    evaluate::RankingRule rule;
    rule.junk = junk;
    return evaluate::evaluate_ranking(d, q, g, rule);
  }

  evaluate::RankingScore score(const Features& f,
                               evaluate::JunkRule junk = evaluate::JunkRule::market) const {
    return score(
        [&](std::size_t a, std::size_t b) {
          const float* x = f[a].data();
          const float* y = f[b].data();
          float sum = 0;
          const std::size_t d = f[a].size();
          for (std::size_t k = 0; k < d; ++k) {
            const float gap = x[k] - y[k];
            sum += gap * gap;
          }
          return sum;
        },
        junk);
  }
};

}  // namespace sosia::world

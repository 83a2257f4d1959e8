#include "data/colour.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace sosia::data {

namespace {

// PIL's L: (19595 R + 38470 G + 7471 B + 0x8000) >> 16.
int luma(const std::uint8_t* p) {
  return static_cast<int>((19595u * p[0] + 38470u * p[1] + 7471u * p[2] + 0x8000u) >> 16);
}

// PIL's Image.blend: degenerate + factor (value - degenerate), cut to 0..255, not rounded.
std::uint8_t blend(double degenerate, int value, double factor) {
  const double out = degenerate + factor * (value - degenerate);
  return static_cast<std::uint8_t>(std::clamp(out, 0.0, 255.0));
}

template <class F>
void each_pixel(image::MutableImageView picture, F&& change) {
  for (int y = 0; y < picture.height_px; ++y) {
    std::uint8_t* p = picture.row(y);
    for (int x = 0; x < picture.width_px; ++x, p += 3) change(p);
  }
}

}  // namespace

void adjust_brightness(image::MutableImageView picture, double factor) {
  std::uint8_t table[256];
  for (int i = 0; i < 256; ++i) table[i] = blend(0, i, factor);
  each_pixel(picture, [&](std::uint8_t* p) {
    for (int c = 0; c < 3; ++c) p[c] = table[p[c]];
  });
}

void adjust_contrast(image::MutableImageView picture, double factor) {
  double sum = 0;
  each_pixel(picture, [&](std::uint8_t* p) { sum += luma(p); });
  const double mean =
      std::floor(sum / (static_cast<double>(picture.width_px) * picture.height_px) + 0.5);
  std::uint8_t table[256];
  for (int i = 0; i < 256; ++i) table[i] = blend(mean, i, factor);
  each_pixel(picture, [&](std::uint8_t* p) {
    for (int c = 0; c < 3; ++c) p[c] = table[p[c]];
  });
}

void adjust_saturation(image::MutableImageView picture, double factor) {
  each_pixel(picture, [&](std::uint8_t* p) {
    const int grey = luma(p);
    for (int c = 0; c < 3; ++c) p[c] = blend(grey, p[c], factor);
  });
}

void adjust_hue(image::MutableImageView picture, double turns) {
  each_pixel(picture, [&](std::uint8_t* p) {
    const int most = std::max({p[0], p[1], p[2]}), least = std::min({p[0], p[1], p[2]});
    if (most == least) return;
    const double span = most - least;
    double hue = most == p[0]   ? (p[1] - p[2]) / span
                 : most == p[1] ? 2 + (p[2] - p[0]) / span
                                : 4 + (p[0] - p[1]) / span;
    hue = hue / 6 + turns;
    hue -= std::floor(hue);
    const double sector = hue * 6, place = std::floor(sector), f = sector - place;
    const double v = most, s = span / most;
    const auto byte = [](double value) {
      return static_cast<std::uint8_t>(std::clamp(std::lround(value), 0L, 255L));
    };
    const std::uint8_t top = byte(v), low = byte(v * (1 - s)), down = byte(v * (1 - s * f)),
                       up = byte(v * (1 - s * (1 - f)));
    switch (static_cast<int>(place) % 6) {
      case 0:
        p[0] = top, p[1] = up, p[2] = low;
        break;
      case 1:
        p[0] = down, p[1] = top, p[2] = low;
        break;
      case 2:
        p[0] = low, p[1] = top, p[2] = up;
        break;
      case 3:
        p[0] = low, p[1] = down, p[2] = top;
        break;
      case 4:
        p[0] = up, p[1] = low, p[2] = top;
        break;
      default:
        p[0] = top, p[1] = low, p[2] = down;
        break;
    }
  });
}

void make_grey(image::MutableImageView picture) {
  each_pixel(picture,
             [](std::uint8_t* p) { p[0] = p[1] = p[2] = static_cast<std::uint8_t>(luma(p)); });
}

void solarise(image::MutableImageView picture, int threshold) {
  each_pixel(picture, [&](std::uint8_t* p) {
    for (int c = 0; c < 3; ++c) {
      if (p[c] >= threshold) p[c] = static_cast<std::uint8_t>(255 - p[c]);
    }
  });
}

}  // namespace sosia::data

#include "world/canvas.hpp"

#include "world/draw.hpp"
#include "world/exact_math.hpp"

#include <algorithm>

namespace sosia::world {
namespace {

std::uint8_t to_byte(float value) {
  return static_cast<std::uint8_t>(
      static_cast<int>(exact::clamp(value, 0.0f, 1.0f) * 255.0f + 0.5f));
}

}  // namespace

Rgb Canvas::sample(float x, float y) const noexcept {
  const float cx = exact::clamp(x, 0.0f, static_cast<float>(width_ - 1));
  const float cy = exact::clamp(y, 0.0f, static_cast<float>(height_ - 1));
  const int x0 = static_cast<int>(cx), y0 = static_cast<int>(cy);
  const int x1 = std::min(x0 + 1, width_ - 1), y1 = std::min(y0 + 1, height_ - 1);
  const float fx = cx - static_cast<float>(x0), fy = cy - static_cast<float>(y0);
  return mix(mix(at(x0, y0), at(x1, y0), fx), mix(at(x0, y1), at(x1, y1), fx), fy);
}

void quantise(const Canvas& canvas, image::MutableImageView out) {
  for (int y = 0; y < canvas.height(); ++y) {
    const Rgb* in = canvas.row(y);
    std::uint8_t* to = out.row(y);
    for (int x = 0; x < canvas.width(); ++x, to += 3) {
      to[0] = to_byte(in[x].r);
      to[1] = to_byte(in[x].g);
      to[2] = to_byte(in[x].b);
    }
  }
}

image::Image to_image(const Canvas& canvas) {
  image::Image out = image::Image::for_overwrite(canvas.width(), canvas.height(), 3);
  quantise(canvas, out.mutable_view());
  return out;
}

void load(Canvas& canvas, image::ImageView picture) {
  canvas.reset(picture.width_px, picture.height_px);
  constexpr float kStep = 1.0f / 255.0f;
  for (int y = 0; y < picture.height_px; ++y) {
    const std::uint8_t* in = picture.row(y);
    Rgb* out = canvas.row(y);
    for (int x = 0; x < picture.width_px; ++x, in += 3) {
      out[x] =
          Rgb{static_cast<float>(in[0]), static_cast<float>(in[1]), static_cast<float>(in[2])} *
          kStep;
    }
  }
}

void blur(Canvas& canvas, float sigma_px, std::vector<Rgb>& scratch) {
  if (sigma_px < 0.15f || canvas.width() == 0 || canvas.height() == 0) return;
  const int radius = std::min(64, static_cast<int>(3.0f * sigma_px) + 1);
  std::array<float, 65> kernel{};
  float sum = 0;
  for (int i = 0; i <= radius; ++i) {
    kernel[static_cast<std::size_t>(i)] =
        exact::bell(static_cast<float>(i), sigma_px * 1.41421356f);
    sum += kernel[static_cast<std::size_t>(i)] * (i == 0 ? 1.0f : 2.0f);
  }
  for (float& k : kernel) k /= sum;
  const int w = canvas.width(), h = canvas.height();
  const int padded = std::max(w, h) + 2 * radius;
  scratch.resize(static_cast<std::size_t>(padded) +
                 static_cast<std::size_t>(w) * static_cast<std::size_t>(h));
  Rgb* line = scratch.data() + radius;
  // Rows in place, then columns row by row from a copy, so that memory is read in order.
  for (int y = 0; y < h; ++y) {
    Rgb* row = canvas.row(y);
    for (int x = -radius; x < w + radius; ++x) line[x] = row[exact::clamp(x, 0, w - 1)];
    for (int x = 0; x < w; ++x) {
      Rgb acc = line[x] * kernel[0];
      for (int i = 1; i <= radius; ++i) {
        acc = acc + (line[x - i] + line[x + i]) * kernel[static_cast<std::size_t>(i)];
      }
      row[x] = acc;
    }
  }
  Rgb* copy = scratch.data() + padded;
  std::copy(canvas.pixels().begin(), canvas.pixels().end(), copy);
  const auto copied_row = [&](int y) {
    return copy + static_cast<std::size_t>(exact::clamp(y, 0, h - 1)) * static_cast<std::size_t>(w);
  };
  for (int y = 0; y < h; ++y) {
    Rgb* row = canvas.row(y);
    const Rgb* centre = copied_row(y);
    for (int x = 0; x < w; ++x) row[x] = centre[x] * kernel[0];
    for (int i = 1; i <= radius; ++i) {
      const Rgb *above = copied_row(y - i), *below = copied_row(y + i);
      const float k = kernel[static_cast<std::size_t>(i)];
      for (int x = 0; x < w; ++x) row[x] = row[x] + (above[x] + below[x]) * k;
    }
  }
}

void expose(const Canvas& canvas, float deviation, std::uint64_t seed,
            image::MutableImageView out) {
  // Two uniform 10-bit numbers of one hash for each channel.
  constexpr float kPairDeviation = 418.04f;  // sqrt(2 (1024^2 - 1) / 12)
  const float scale = deviation * (255.0f / kPairDeviation);
  const auto byte = [scale](float value, std::uint64_t bits) {
    const auto pair = static_cast<std::int32_t>((bits & 1023) + ((bits >> 10) & 1023));
    const float noisy = value * 255.0f + static_cast<float>(pair - 1023) * scale;
    return static_cast<std::uint8_t>(static_cast<int>(exact::clamp(noisy, 0.0f, 255.0f) + 0.5f));
  };
  std::uint64_t place = seed;
  for (int y = 0; y < canvas.height(); ++y) {
    const Rgb* in = canvas.row(y);
    std::uint8_t* to = out.row(y);
    for (int x = 0; x < canvas.width(); ++x, to += 3) {
      const std::uint64_t bits = scramble(place);
      place += 0x2545f4914f6cdd1dull;
      to[0] = byte(in[x].r, bits);
      to[1] = byte(in[x].g, bits >> 20);
      to[2] = byte(in[x].b, bits >> 40);
    }
  }
}

void apply_gamma(Canvas& canvas, double gamma) {
  constexpr int kSteps = 1024;
  std::array<float, kSteps + 2> table{};
  for (int i = 0; i <= kSteps; ++i) {
    table[static_cast<std::size_t>(i)] =
        static_cast<float>(exact::pow(static_cast<double>(i) / kSteps, gamma));
  }
  table[kSteps + 1] = 1.0f;
  const auto map = [&table](float v) {
    const float scaled = exact::clamp(v, 0.0f, 1.0f) * kSteps;
    const auto i = static_cast<std::size_t>(scaled);
    return exact::mix(table[i], table[i + 1], scaled - static_cast<float>(i));
  };
  for (Rgb& p : canvas.pixels()) p = {map(p.r), map(p.g), map(p.b)};
}

void apply_matrix(Canvas& canvas, const std::array<float, 9>& m, Rgb offset) {
  for (Rgb& p : canvas.pixels()) {
    p = {m[0] * p.r + m[1] * p.g + m[2] * p.b + offset.r,
         m[3] * p.r + m[4] * p.g + m[5] * p.b + offset.g,
         m[6] * p.r + m[7] * p.g + m[8] * p.b + offset.b};
  }
}

void vignette(Canvas& canvas, float strength) {
  const float cx = static_cast<float>(canvas.width() - 1) * 0.5f;
  const float cy = static_cast<float>(canvas.height() - 1) * 0.5f;
  const float scale = 1.0f / std::max(1.0f, cx * cx + cy * cy);
  for (int y = 0; y < canvas.height(); ++y) {
    const float dy = static_cast<float>(y) - cy;
    Rgb* row = canvas.row(y);
    for (int x = 0; x < canvas.width(); ++x) {
      const float dx = static_cast<float>(x) - cx;
      row[x] = row[x] * (1.0f - strength * (dx * dx + dy * dy) * scale);
    }
  }
}

}  // namespace sosia::world

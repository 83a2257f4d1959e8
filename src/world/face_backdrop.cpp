// What is behind a person, out of focus as portraits have it.

#include "world/face_shade.hpp"

namespace sosia::world {
namespace {

using exact::clamp;
using exact::ramp;

void fill_gradient(Canvas& out, Rgb top, Rgb bottom, Rgb tilt) {
  const float inverse = 1.0f / static_cast<float>(out.height());
  for (int y = 0; y < out.height(); ++y) {
    const Rgb row = mix(top, bottom, static_cast<float>(y) * inverse);
    for (int x = 0; x < out.width(); ++x) {
      out.at(x, y) = row + tilt * (static_cast<float>(x) * inverse - 0.5f);
    }
  }
}

void wall(Canvas& out, Rgb base, std::uint32_t seed) {
  // Lit unevenly, from one side.
  const float side = unit_float(scramble(seed)) - 0.5f;
  fill_gradient(out, base * 1.08f, base * 0.72f, base * (0.4f * side));
}

void bricks(Canvas& out, Rgb base, std::uint32_t seed) {
  const float size = static_cast<float>(out.width());
  const float height = size / 11.0f, width = size / 4.6f;
  const Rgb mortar = mix(base, Rgb{0.5f, 0.48f, 0.45f}, 0.6f) * 0.9f;
  for (int y = 0; y < out.height(); ++y) {
    const float v = static_cast<float>(y) / height;
    const int row = exact::floor_to_int(v);
    const float fy = v - static_cast<float>(row);
    for (int x = 0; x < out.width(); ++x) {
      const float u = static_cast<float>(x) / width + ((row & 1) != 0 ? 0.5f : 0.0f);
      const int column = exact::floor_to_int(u);
      const float fx = u - static_cast<float>(column);
      const std::uint64_t bits = scramble(seed + static_cast<std::uint32_t>(row * 131 + column));
      const Rgb brick = base * (0.78f + 0.4f * unit_float(bits));
      const float edge =
          std::min(std::min(fx, 1.0f - fx) * width, std::min(fy, 1.0f - fy) * height);
      out.at(x, y) = mix(mortar, brick, ramp(0.2f, 0.012f * size + 0.6f, edge));
    }
  }
}

void shelves(Canvas& out, Rgb base, std::uint32_t seed) {
  const float size = static_cast<float>(out.width());
  const Rgb wood = mix(linear(96, 64, 40), base, 0.25f);
  out.fill(wood * 0.35f);
  const int boards = 4;
  for (int shelf = 0; shelf < boards; ++shelf) {
    const int top = static_cast<int>(size * static_cast<float>(shelf) / boards);
    const int bottom = static_cast<int>(size * static_cast<float>(shelf + 1) / boards);
    const int board = std::max(1, static_cast<int>(size * 0.028f));
    float x = 0;
    for (std::uint32_t book = 0; x < size; ++book) {
      const std::uint64_t bits =
          scramble(seed * 977u + static_cast<std::uint32_t>(shelf) * 61u + book);
      const float width = size * (0.035f + 0.045f * unit_float(bits));
      const auto height = static_cast<int>((0.60f + 0.33f * unit_float(scramble(bits))) *
                                           static_cast<float>(bottom - top - board));
      const std::uint64_t more = scramble(bits + 1);
      const Rgb colour = mix(
          linear(static_cast<int>(60 + (more & 127)), static_cast<int>(50 + ((more >> 8) & 127)),
                 static_cast<int>(50 + ((more >> 16) & 127))),
          base, 0.3f);
      for (int y = bottom - board - height; y < bottom - board; ++y) {
        for (int i = static_cast<int>(x); i < static_cast<int>(x + width); ++i) {
          const float across = (static_cast<float>(i) - x) / width;
          out.blend(i, y, colour * (1.05f - 0.5f * across), 1.0f);
        }
      }
      x += width + 0.4f;
    }
    for (int y = bottom - board; y < bottom; ++y) {
      for (int i = 0; i < out.width(); ++i) out.blend(i, y, wood, 1.0f);
    }
  }
}

void disc(Canvas& out, float cx, float cy, float radius, Rgb colour, float alpha) {
  const int x0 = exact::floor_to_int(cx - radius), x1 = exact::floor_to_int(cx + radius) + 1;
  const int y0 = exact::floor_to_int(cy - radius), y1 = exact::floor_to_int(cy + radius) + 1;
  for (int y = std::max(0, y0); y <= std::min(out.height() - 1, y1); ++y) {
    for (int x = std::max(0, x0); x <= std::min(out.width() - 1, x1); ++x) {
      const float dx = static_cast<float>(x) - cx, dy = static_cast<float>(y) - cy;
      const float d = exact::square_root(dx * dx + dy * dy);
      const float cover = clamp(radius - d + 0.5f, 0.0f, 1.0f);
      if (cover > 0) out.blend(x, y, colour, alpha * cover);
    }
  }
}

void park(Canvas& out, std::uint32_t seed, std::vector<Rgb>& scratch) {
  const float size = static_cast<float>(out.width());
  fill_gradient(out, linear(168, 200, 214), linear(70, 104, 52), {});
  Draw draw(seed, "park");
  for (int i = 0; i < 26; ++i) {
    const auto x = static_cast<float>(draw.unit()) * size,
               y = static_cast<float>(draw.unit()) * size;
    const auto radius = static_cast<float>(draw.range(0.05, 0.15)) * size;
    const auto green = static_cast<float>(draw.unit());
    const Rgb leaf = mix(linear(38, 74, 34), linear(150, 178, 84), green);
    const auto alpha = static_cast<float>(draw.range(0.3, 0.75));
    disc(out, x, y, radius, leaf, y < 0.25f * size ? 0.5f * alpha : alpha);
  }
  blur(out, 0.018f * size, scratch);
  for (int i = 0; i < 7; ++i) {
    const auto x = static_cast<float>(draw.unit()) * size,
               y = static_cast<float>(draw.unit()) * size * 0.6f;
    disc(out, x, y, static_cast<float>(draw.range(0.02, 0.05)) * size, linear(240, 236, 200),
         0.35f);
  }
}

void window(Canvas& out, Rgb base, std::uint32_t seed) {
  wall(out, base * 0.6f, seed);
  Draw draw(seed, "window");
  const float size = static_cast<float>(out.width());
  const auto left = static_cast<float>(draw.range(-0.15, 0.45)) * size;
  const float width = 0.62f * size, top = 0.04f * size, height = 0.80f * size;
  for (int y = 0; y < out.height(); ++y) {
    for (int x = 0; x < out.width(); ++x) {
      const float u = (static_cast<float>(x) - left) / width,
                  v = (static_cast<float>(y) - top) / height;
      if (u < 0 || u > 1 || v < 0 || v > 1) continue;
      const float bar = std::min({u, 1 - u, std::abs(u - 0.5f), v, 1 - v, std::abs(v - 0.45f)});
      const Rgb sky = mix(linear(206, 226, 240), linear(150, 176, 170), ramp(0.4f, 0.9f, v));
      out.at(x, y) = bar < 0.022f ? linear(214, 208, 198) * 0.7f : sky * 1.1f;
    }
  }
}

}  // namespace

void paint_backdrop(const FaceAttributes& a, Canvas& out, std::vector<Rgb>& scratch) {
  const Rgb colour = colour_of(a.backdrop_colour);
  const std::uint32_t seed = a.texture_seed ^ 0x5bd1e995u;
  const float soft = 0.012f * static_cast<float>(out.width());
  switch (a.backdrop) {
    case FaceBackdrop::plain:
      wall(out, colour * 0.9f, seed);
      return;
    case FaceBackdrop::gradient:
      fill_gradient(out, mix(colour, {0.75f, 0.78f, 0.8f}, 0.4f), colour * 0.30f, colour * 0.3f);
      return;
    case FaceBackdrop::bricks:
      bricks(out, mix(colour, linear(150, 84, 62), 0.45f) * 0.8f, seed);
      break;
    case FaceBackdrop::shelves:
      shelves(out, colour, seed);
      break;
    case FaceBackdrop::park:
      park(out, seed, scratch);
      return;
    case FaceBackdrop::window:
      window(out, colour, seed);
      break;
  }
  blur(out, soft, scratch);
}

}  // namespace sosia::world

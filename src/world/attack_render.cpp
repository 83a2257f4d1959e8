#include "sosia/core/error.hpp"
#include "world/attack_parts.hpp"
#include "world/draw.hpp"
#include "world/exact_math.hpp"
#include "world/face_check.hpp"
#include "world/face_shade.hpp"

#include <algorithm>
#include <cmath>

namespace sosia::world {
namespace {

using exact::bell;
using exact::clamp;
using exact::ramp;

std::array<double, 9> inverse_of(const std::array<double, 9>& m) {
  // The adjugate: scale does not matter for a projective map.
  return {m[4] * m[8] - m[5] * m[7], m[2] * m[7] - m[1] * m[8], m[1] * m[5] - m[2] * m[4],
          m[5] * m[6] - m[3] * m[8], m[0] * m[8] - m[2] * m[6], m[2] * m[3] - m[0] * m[5],
          m[3] * m[7] - m[4] * m[6], m[1] * m[6] - m[0] * m[7], m[0] * m[4] - m[1] * m[3]};
}

image::Point map(const std::array<double, 9>& m, double x, double y) {
  const double w = m[6] * x + m[7] * y + m[8];
  return {(m[0] * x + m[1] * y + m[2]) / w, (m[3] * x + m[4] * y + m[5]) / w};
}

std::array<image::Point, 4> medium_corners(const AttackParameters& a, int size_px) {
  const double side = size_px;
  const double half = 0.5 * a.size * side;
  const double cosine = exact::cos(exact::radians(a.turn_deg));
  const double sine = exact::sin(exact::radians(a.turn_deg));
  constexpr double kX[] = {-1, 1, 1, -1}, kY[] = {-1, -1, 1, 1};
  std::array<image::Point, 4> corners{};
  for (std::size_t i = 0; i < 4; ++i) {
    // A screen is a little wider than high, a print square.
    const double wide = a.kind == AttackKind::replay ? 1.12 : 1.0;
    const double nearer = 1 + 0.5 * (a.tilt_x * kX[i] + a.tilt_y * kY[i]);
    const double x = kX[i] * half * wide * nearer, y = kY[i] * half * nearer;
    corners[i] = {0.5 * side - 0.5 + a.shift_x * side + cosine * x - sine * y,
                  0.5 * side - 0.5 + a.shift_y * side + sine * x + cosine * y};
  }
  return corners;
}

float wave(double turns) {
  return static_cast<float>(exact::sin(2 * exact::kPi * turns));
}

// Paper: white is dull, black is grey, colours fade, dots of four inks show.
Rgb printed(Rgb c, const AttackParameters& a, double u, double v) {
  const auto fading = static_cast<float>(a.fading);
  const float grey = luma(c);
  c = mix(c, {grey, grey, grey}, 0.45f * fading);
  c = c * (0.90f - 0.14f * fading) + Rgb{0.05f, 0.05f, 0.05f} * (1.0f + fading);
  const auto dots = static_cast<float>(a.halftone) * 0.055f;
  if (dots > 0) {
    constexpr double kPitch = 62;
    const auto screen = [&](double cosine, double sine) {
      return wave(kPitch * (cosine * u - sine * v)) * wave(kPitch * (sine * u + cosine * v));
    };
    c = c + Rgb{screen(0.966, 0.259), screen(0.259, 0.966), screen(1, 0)} * dots;
  }
  const float bend = wave(0.35 + 0.55 * u + 0.12 * v);
  return c * (1.0f + 0.16f * static_cast<float>(a.curl) * bend);
}

// A screen: glowing, bluish blacks, interference of its grid with the sensor's, bars.
Rgb replayed(Rgb c, const AttackParameters& a, double u, double v) {
  const auto fading = static_cast<float>(a.fading);
  c = mix(c, c * c * (Rgb{3, 3, 3} - c * 2.0f), 0.4f) * (1.06f - 0.10f * fading) +
      Rgb{0.025f, 0.03f, 0.05f};
  const auto moire = static_cast<float>(a.moire) * 0.11f;
  if (moire > 0) {
    // The beat bends with perspective and lens; the colours' grids are shifted by thirds.
    const double bent = 0.35 * (u - 0.5) * (v - 0.5) + 0.25 * (u - 0.5) * (u - 0.5);
    const double phase = a.moire_x * (u + bent) + a.moire_y * (v - bent);
    const double cross = a.moire_y * 1.7 * (u - v + bent);
    const float envelope = 0.65f + 0.35f * wave(cross * 0.5);
    c = c + Rgb{wave(phase), wave(phase + 0.33), wave(phase + 0.67)} * (moire * envelope);
  }
  const float bars = wave(1.6 * v + 0.2 * a.glare_y);
  return c * (1.0f - 0.20f * static_cast<float>(a.banding) * ramp(0.1f, 0.9f, bars));
}

Rgb with_glare(Rgb c, const AttackParameters& a, double u, double v) {
  const auto du = static_cast<float>(u - a.glare_x), dv = static_cast<float>(v - a.glare_y);
  const float core = bell(du + 0.4f * dv, 0.11f, dv - 0.2f * du, 0.17f);
  const float halo = bell(du, 0.42f, dv, 0.42f);
  const float glare = static_cast<float>(a.glare) * (0.95f * core + 0.22f * halo);
  return mix(c, {1.0f, 0.99f, 0.96f}, clamp(glare, 0.0f, 1.0f));
}

}  // namespace

SquareToQuad::SquareToQuad(const std::array<image::Point, 4>& p) {
  const double dx1 = p[1].x_px - p[2].x_px, dx2 = p[3].x_px - p[2].x_px;
  const double dy1 = p[1].y_px - p[2].y_px, dy2 = p[3].y_px - p[2].y_px;
  const double sx = p[0].x_px - p[1].x_px + p[2].x_px - p[3].x_px;
  const double sy = p[0].y_px - p[1].y_px + p[2].y_px - p[3].y_px;
  const double det = dx1 * dy2 - dx2 * dy1;
  const double g = (sx * dy2 - dx2 * sy) / det, h = (dx1 * sy - sx * dy1) / det;
  to_ = {p[1].x_px - p[0].x_px + g * p[1].x_px,
         p[3].x_px - p[0].x_px + h * p[3].x_px,
         p[0].x_px,
         p[1].y_px - p[0].y_px + g * p[1].y_px,
         p[3].y_px - p[0].y_px + h * p[3].y_px,
         p[0].y_px,
         g,
         h,
         1};
  from_ = inverse_of(to_);
}

image::Point SquareToQuad::forward(double u, double v) const {
  return map(to_, u, v);
}
image::Point SquareToQuad::backward(double x, double y) const {
  return map(from_, x, y);
}

PlainSimilarity fit_similarity(const std::array<image::Point, 5>& from,
                               const std::array<image::Point, 5>& to) {
  image::Point f, t;
  for (std::size_t i = 0; i < 5; ++i) {
    f = {f.x_px + from[i].x_px / 5, f.y_px + from[i].y_px / 5};
    t = {t.x_px + to[i].x_px / 5, t.y_px + to[i].y_px / 5};
  }
  double dot = 0, cross = 0, norm = 0;
  for (std::size_t i = 0; i < 5; ++i) {
    const double fx = from[i].x_px - f.x_px, fy = from[i].y_px - f.y_px;
    const double tx = to[i].x_px - t.x_px, ty = to[i].y_px - t.y_px;
    dot += fx * tx + fy * ty;
    cross += fx * ty - fy * tx;
    norm += fx * fx + fy * fy;
  }
  PlainSimilarity s;
  s.a = dot / norm;
  s.b = cross / norm;
  s.c = t.x_px - s.a * f.x_px + s.b * f.y_px;
  s.d = t.y_px - s.b * f.x_px - s.a * f.y_px;
  return s;
}

struct AttackRenderer::Impl {
  FaceRenderer faces;
  FaceImage victim, wearer;
  Canvas picture, source, cover;
  std::vector<Rgb> scratch;

  void flat_medium(const AttackScene& scene, const AttackParameters& a, int size_px,
                   AttackImage& out);
  void cut_out(const AttackScene& scene, const AttackParameters& a, int size_px, AttackImage& out);
  void cut_mask();
};

void AttackRenderer::Impl::flat_medium(const AttackScene& scene, const AttackParameters& a,
                                       int size_px, AttackImage& out) {
  const int source_px = std::min(kMaxFacePx, 2 * size_px);
  faces.render(scene.victim, scene.victim_attributes, source_px, victim);
  load(source, victim.picture);
  picture.reset(size_px, size_px);
  paint_backdrop(scene.wearer_attributes, picture, scratch);
  const SrgbEncoder encode;
  for (Rgb& p : picture.pixels()) p = encode(p);

  out.corners = medium_corners(a, size_px);
  const SquareToQuad quad(out.corners);
  const double inner = 1 - 2 * a.border;
  const float pixels = static_cast<float>(source_px - 1);
  const bool screen = a.kind == AttackKind::replay;
  for (int y = 0; y < size_px; ++y) {
    for (int x = 0; x < size_px; ++x) {
      Rgb sum;
      int covered = 0;
      for (int s = 0; s < 4; ++s) {
        const image::Point at =
            quad.backward(x + ((s & 1) != 0 ? 0.25 : -0.25), y + (s > 1 ? 0.25 : -0.25));
        const double u = at.x_px, v = at.y_px;
        if (!(u >= 0 && u <= 1 && v >= 0 && v <= 1)) continue;
        ++covered;
        const double iu = (u - a.border) / inner, iv = (v - a.border) / inner;
        Rgb c;
        if (iu >= 0 && iu <= 1 && iv >= 0 && iv <= 1) {
          c = source.sample(static_cast<float>(iu) * pixels, static_cast<float>(iv) * pixels);
          c = screen ? replayed(c, a, iu, iv) : printed(c, a, iu, iv);
        } else if (screen) {
          c = {0.035f, 0.035f, 0.04f};
        } else {
          c = printed({0.96f, 0.96f, 0.94f}, a, u, v);
        }
        sum = sum + with_glare(c, a, u, v);
      }
      Rgb& pixel = picture.at(x, y);
      const float share = static_cast<float>(covered) * 0.25f;
      pixel = pixel * (1.0f - share) + sum * 0.25f;
      out.medium.row(y)[x] = covered >= 2 ? 255 : 0;
    }
  }
  for (std::size_t i = 0; i < 5; ++i) {
    const image::Point p = victim.landmarks5[i];
    out.landmarks5[i] =
        quad.forward(a.border + inner * p.x_px / static_cast<double>(source_px - 1),
                     a.border + inner * p.y_px / static_cast<double>(source_px - 1));
  }
}

// 1 on the printed face, 0 outside and in the holes for the eyes; blurred, so that its level lines
// are smooth cuts.
void AttackRenderer::Impl::cut_mask() {
  const int side = victim.parts.width_px();
  cover.reset(side, side);
  const image::Point left = victim.landmarks5[0], right = victim.landmarks5[1];
  const double reach = 0.21 * (right.x_px - left.x_px);
  for (int y = 0; y < side; ++y) {
    const std::uint8_t* row = victim.parts.row(y);
    for (int x = 0; x < side; ++x) {
      const auto part = static_cast<FacePart>(row[x]);
      const bool face = (part >= FacePart::skin && part <= FacePart::right_eye) ||
                        (part >= FacePart::nose && part <= FacePart::lower_lip);
      bool hole = false;
      for (const image::Point eye : {left, right}) {
        const double dx = (x - eye.x_px) / reach, dy = (y - eye.y_px) / (0.55 * reach);
        hole = hole || dx * dx + dy * dy < 1;
      }
      const float inside = face && !hole ? 1.0f : 0.0f;
      cover.at(x, y) = {inside, inside, inside};
    }
  }
  blur(cover, 0.011f * static_cast<float>(side), scratch);
}

void AttackRenderer::Impl::cut_out(const AttackScene& scene, const AttackParameters& a, int size_px,
                                   AttackImage& out) {
  const int source_px = std::min(kMaxFacePx, 2 * size_px);
  faces.render(scene.victim, scene.victim_attributes, source_px, victim);
  faces.render(scene.wearer, scene.wearer_attributes, size_px, wearer);
  load(source, victim.picture);
  load(picture, wearer.picture);
  cut_mask();
  PlainSimilarity fit = fit_similarity(wearer.landmarks5, victim.landmarks5);
  // Masks are cut a little larger than the face behind them.
  constexpr double kLarger = 1.06;
  const image::Point centre = wearer.landmarks5[2];
  const image::Point fixed = fit.apply(centre);
  fit.a /= kLarger;
  fit.b /= kLarger;
  fit.c = fixed.x_px - fit.a * centre.x_px + fit.b * centre.y_px;
  fit.d = fixed.y_px - fit.b * centre.x_px - fit.a * centre.y_px;
  const double pixels = source_px - 1;
  const auto level = [&](double x, double y) {
    const image::Point p = fit.apply({x, y});
    if (p.x_px < 0 || p.y_px < 0 || p.x_px > pixels || p.y_px > pixels) return 0.0f;
    return cover.sample(static_cast<float>(p.x_px), static_cast<float>(p.y_px)).r;
  };
  const double drop = 0.018 * size_px;
  for (int y = 0; y < size_px; ++y) {
    for (int x = 0; x < size_px; ++x) {
      Rgb sum;
      int covered = 0;
      for (int s = 0; s < 4; ++s) {
        const double px = x + ((s & 1) != 0 ? 0.25 : -0.25), py = y + (s > 1 ? 0.25 : -0.25);
        const float inside = level(px, py);
        const image::Point p = fit.apply({px, py});
        if (inside > 0.58f) {
          ++covered;
          const Rgb c = source.sample(static_cast<float>(p.x_px), static_cast<float>(p.y_px));
          const double u = p.x_px / pixels, v = p.y_px / pixels;
          sum = sum + with_glare(printed(c, a, u, v), a, u, v);
        } else if (inside > 0.40f) {
          ++covered;  // the cut edge of the paper
          sum = sum + printed({0.93f, 0.93f, 0.91f}, a, 0, 0);
        } else {
          // The paper's shadow on the face and the neck behind it.
          const float shade = ramp(0.2f, 0.6f, level(px - 0.4 * drop, py - drop));
          sum = sum + picture.at(x, y) * (1.0f - 0.45f * shade);
        }
      }
      picture.at(x, y) = sum * 0.25f;
      out.medium.row(y)[x] = covered >= 2 ? 255 : 0;
    }
  }
  // The inverse of the fit.
  const double norm = fit.a * fit.a + fit.b * fit.b;
  for (std::size_t i = 0; i < 5; ++i) {
    const double dx = victim.landmarks5[i].x_px - fit.c, dy = victim.landmarks5[i].y_px - fit.d;
    out.landmarks5[i] = {(fit.a * dx + fit.b * dy) / norm, (-fit.b * dx + fit.a * dy) / norm};
  }
  out.corners = {};
}

AttackRenderer::AttackRenderer() : impl_(std::make_unique<Impl>()) {}
AttackRenderer::~AttackRenderer() = default;
AttackRenderer::AttackRenderer(AttackRenderer&&) noexcept = default;
AttackRenderer& AttackRenderer::operator=(AttackRenderer&&) noexcept = default;

void AttackRenderer::render(const AttackScene& scene, const AttackParameters& attack, int size_px,
                            AttackImage& out) {
  check_attack(attack);
  check_face(scene.victim, scene.victim_attributes, size_px);
  check_face(scene.wearer, scene.wearer_attributes, size_px);
  if (out.picture.width_px() != size_px || out.picture.channels() != 3) {
    out.picture = image::Image::for_overwrite(size_px, size_px, 3);
  }
  if (out.medium.width_px() != size_px || out.medium.channels() != 1) {
    out.medium = image::Image::for_overwrite(size_px, size_px, 1);
  }
  Impl& work = *impl_;
  if (attack.kind == AttackKind::mask) {
    work.cut_out(scene, attack, size_px, out);
  } else {
    work.flat_medium(scene, attack, size_px, out);
  }
  const auto cast = static_cast<float>(attack.cast);
  for (Rgb& p : work.picture.pixels()) {
    p = p * Rgb{1.0f + 0.07f * cast, 1.0f, 1.0f - 0.10f * cast};
  }
  vignette(work.picture, 0.12f);
  blur(work.picture, static_cast<float>(attack.blur * size_px), work.scratch);
  expose(work.picture, static_cast<float>(attack.noise), attack.texture_seed,
         out.picture.mutable_view());
}

}  // namespace sosia::world

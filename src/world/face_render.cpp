// From parameters to a picture: checks, the scene, shading, resolving samples, the camera.

#include "sosia/core/error.hpp"
#include "sosia/world/face.hpp"
#include "world/face_check.hpp"
#include "world/face_shade.hpp"

#include <algorithm>
#include <cmath>

namespace sosia::world {
namespace {

// Two samples a pixel in each direction.
constexpr int kOver = 2;
// From this size on the finer grids are drawn.
constexpr int kFineSize = 112;

image::Point to_pixel(const FaceView& view, Vec3 head_point) {
  const Vec3 p = view.project(view.from_head(head_point));
  // Samples count from the upper left corner, pixels from the centre of the first.
  return {static_cast<double>(p.x) / kOver - 0.5, static_cast<double>(p.y) / kOver - 0.5};
}

void place_landmarks(const FaceScene& scene, FaceImage& out) {
  const FaceShape& s = scene.shape;
  const auto points = face_points(s);
  for (std::size_t i = 0; i < points.size(); ++i) {
    out.landmarks68[i] = to_pixel(scene.view, points[i]);
  }
  const auto at = [&](float x, float y) { return to_pixel(scene.view, s.front_point(x, y)); };
  out.landmarks5 = {at(-s.eye_x, s.eye_y), at(s.eye_x, s.eye_y), at(0, s.nose_tip_y),
                    out.landmarks68[48], out.landmarks68[54]};
  double left = 1e9, right = -1e9, top = 1e9, bottom = -1e9;
  const auto include = [&](image::Point p) {
    left = std::min(left, p.x_px);
    right = std::max(right, p.x_px);
    top = std::min(top, p.y_px);
    bottom = std::max(bottom, p.y_px);
  };
  for (const image::Point& p : out.landmarks68) include(p);
  for (const float x : {-0.3f, 0.0f, 0.3f}) include(at(x, s.hairline_y));
  out.box = {left, top, right - left, bottom - top};
}

}  // namespace

struct FaceRenderer::Impl {
  FaceScene scene;
  SampleBuffer lenses;
  Canvas canvas;
  std::vector<Rgb> scratch;
  SrgbEncoder encode;

  void draw_lenses();
  void resolve(const FaceShader& shader, bool lens, image::MutableImageView parts);
  Shaded at_sample(const FaceShader& shader, bool lens, int x, int y, Rgb behind,
                   const Skin* ground) const;
  bool lens_in_pixel(int x, int y) const {
    const Sample *upper = lenses.row(y * kOver) + x * kOver,
                 *lower = lenses.row(y * kOver + 1) + x * kOver;
    return (upper[0].material | upper[1].material | lower[0].material | lower[1].material) != 0;
  }
};

void FaceRenderer::Impl::draw_lenses() {
  lenses.reset(scene.samples.side());
  for (const Rim& rim : scene.rims) {
    const auto vertex = [&](Vec3 p, Vec3 value) {
      const Vec3 s = scene.view.project(scene.view.from_head(p));
      return Vertex{s.x, s.y, s.z, {0, 0, 1}, value};
    };
    const auto spoke = [&](int i) {
      const CutAngle o = rim.outline[static_cast<std::size_t>(i)];
      return vertex(rim.at(i, 0), {o.across, o.along, 0});
    };
    const Vertex centre = vertex(rim.centre, {});
    for (int i = 0; i < Rim::kSpokes; ++i) {
      raster_triangle(lenses, centre, spoke(i), spoke(i + 1), kFrame, Faces::both,
                      [](Vec3) { return true; });
    }
  }
}

Shaded FaceRenderer::Impl::at_sample(const FaceShader& shader, bool lens, int x, int y, Rgb behind,
                                     const Skin* ground) const {
  const Sample& sample = scene.samples.row(y)[x];
  Shaded shaded{behind, FacePart::background};
  if (sample.material != kNothing) shaded = shader.shade(sample, ground);
  if (lens) {
    const Sample& glass = lenses.row(y)[x];
    if (glass.material != kNothing && glass.near > sample.near) {
      shaded.colour = shader.through_lens(shaded.colour, glass.value);
      if (shader.dark_lenses()) shaded.part = FacePart::glasses;
    }
  }
  return shaded;
}

void FaceRenderer::Impl::resolve(const FaceShader& shader, bool lens,
                                 image::MutableImageView parts) {
  for (int y = 0; y < canvas.height(); ++y) {
    Rgb* row = canvas.row(y);
    std::uint8_t* part_row = parts.row(y);
    for (int x = 0; x < canvas.width(); ++x) {
      const Sample* upper = scene.samples.row(y * kOver) + x * kOver;
      const Sample* lower = scene.samples.row(y * kOver + 1) + x * kOver;
      if ((upper[0].material | upper[1].material | lower[0].material | lower[1].material) == 0 &&
          !lens) {
        part_row[x] = static_cast<std::uint8_t>(FacePart::background);
        continue;
      }
      const bool glass = lens && lens_in_pixel(x, y);
      const bool smooth = !glass && shader.smooth(upper, lower);
      if (smooth && upper->material == kNothing) {
        part_row[x] = static_cast<std::uint8_t>(FacePart::background);
        continue;
      }
      if (smooth && shader.detailed(upper, lower)) {
        // Shapes drawn on the skin have soft borders of their own: the diagonal is enough.
        const Skin skin = shader.ground(*upper);
        const Shaded s = shader.shade(*upper, &skin), t = shader.shade(lower[1], &skin);
        row[x] = (s.colour + t.colour) * 0.5f;
        part_row[x] = static_cast<std::uint8_t>(s.part);
        continue;
      }
      if (smooth) {
        Sample middle = *upper;
        middle.normal = upper[0].normal + upper[1].normal + lower[0].normal + lower[1].normal;
        middle.value = (upper[0].value + upper[1].value + lower[0].value + lower[1].value) * 0.25f;
        const Shaded shaded = shader.shade(middle);
        row[x] = shaded.colour;
        part_row[x] = static_cast<std::uint8_t>(shaded.part);
        continue;
      }
      // Skin is painted once for all samples of the pixel; what is drawn on it, for each.
      Skin skin;
      const Skin* ground = nullptr;
      for (const Sample* sample : {upper, upper + 1, lower, lower + 1}) {
        if (ground == nullptr && sample->material == kHead) {
          skin = shader.ground(*sample);
          ground = &skin;
        }
      }
      const int sx = x * kOver, sy = y * kOver;
      const Shaded s[4] = {at_sample(shader, glass, sx, sy, row[x], ground),
                           at_sample(shader, glass, sx + 1, sy, row[x], ground),
                           at_sample(shader, glass, sx, sy + 1, row[x], ground),
                           at_sample(shader, glass, sx + 1, sy + 1, row[x], ground)};
      row[x] = (s[0].colour + s[1].colour + s[2].colour + s[3].colour) * 0.25f;
      // The part that most samples see; the first of equals. Three equal or two pairs: a part that
      // two share wins, unless another two agree earlier.
      FacePart part = s[0].part;
      if (s[0].part != s[1].part && s[0].part != s[2].part && s[0].part != s[3].part) {
        if (s[1].part == s[2].part || s[1].part == s[3].part)
          part = s[1].part;
        else if (s[2].part == s[3].part)
          part = s[2].part;
      }
      part_row[x] = static_cast<std::uint8_t>(part);
    }
  }
}

FaceRenderer::FaceRenderer() : impl_(std::make_unique<Impl>()) {}
FaceRenderer::~FaceRenderer() = default;
FaceRenderer::FaceRenderer(FaceRenderer&&) noexcept = default;
FaceRenderer& FaceRenderer::operator=(FaceRenderer&&) noexcept = default;

void FaceRenderer::render(const FaceIdentity& identity, const FaceAttributes& attributes,
                          int size_px, FaceImage& out) {
  check_face(identity, attributes, size_px);
  Impl& work = *impl_;
  if (out.picture.width_px() != size_px || out.picture.height_px() != size_px ||
      out.picture.channels() != 3) {
    out.picture = image::Image::for_overwrite(size_px, size_px, 3);
  }
  if (out.parts.width_px() != size_px || out.parts.height_px() != size_px ||
      out.parts.channels() != 1) {
    out.parts = image::Image::for_overwrite(size_px, size_px, 1);
  }
  work.canvas.reset(size_px, size_px);
  paint_backdrop(attributes, work.canvas, work.scratch);
  work.scene.build(identity, attributes, size_px * kOver, size_px >= kFineSize);
  const bool lens = attributes.glasses != FaceGlasses::none;
  if (lens) work.draw_lenses();
  const FaceShader shader(identity, attributes, work.scene);
  work.resolve(shader, lens, out.parts.mutable_view());
  for (Rgb& p : work.canvas.pixels()) p = work.encode(p);
  blur(work.canvas, static_cast<float>(attributes.blur * size_px), work.scratch);
  expose(work.canvas, static_cast<float>(attributes.noise), attributes.texture_seed,
         out.picture.mutable_view());
  place_landmarks(work.scene, out);
}

FaceImage render_face(const FaceIdentity& identity, const FaceAttributes& attributes, int size_px) {
  FaceImage out;
  FaceRenderer().render(identity, attributes, size_px, out);
  return out;
}

FaceImage swap_face(const FaceIdentity& source, const FaceAttributes& target, int size_px) {
  return render_face(source, target, size_px);
}

}  // namespace sosia::world

#pragma once
// From samples to colours: what every material looks like under the light.

#include "world/face_paint.hpp"

namespace sosia::world {

/// The colour of a sample in linear light, and its part.
struct Shaded {
  Rgb colour;
  FacePart part = FacePart::background;
};

class FaceShader {
 public:
  FaceShader(const FaceIdentity& identity, const FaceAttributes& attributes,
             const FaceScene& scene);

  /// `ground` is the skin around the sample where it is known already, else null.
  Shaded shade(const Sample& sample, const Skin* ground = nullptr) const;
  Skin ground(const Sample& head) const { return paint_.ground(head.value); }
  /// Whether the 2 x 2 samples of a pixel, from `upper` and `lower`, see one smooth surface.
  bool smooth(const Sample* upper, const Sample* lower) const;
  /// Whether the colours of that surface vary within the pixel.
  bool detailed(const Sample* upper, const Sample* lower) const {
    return upper->material == kHead &&
           (paint_.detailed(upper[0].value) || paint_.detailed(lower[1].value));
  }
  /// Covers `colour` with the lens of glasses; `value` is the place in the lens, about [-1, 1].
  Rgb through_lens(Rgb colour, Vec3 value) const;
  bool dark_lenses() const { return attributes_.glasses == FaceGlasses::sunglasses; }

 private:
  Rgb lit(Rgb albedo, Vec3 normal, float gloss, float occlusion, float shadow) const;
  Rgb lit_skin(const Skin& skin, Vec3 normal) const;
  Rgb hair(const Sample& sample, Vec3 normal) const;
  Rgb hat(const Sample& sample, Vec3 normal) const;
  Rgb torso(const Sample& sample, Vec3 normal) const;
  Rgb ear(const Sample& sample, Vec3 normal) const;
  Rgb neck(const Sample& sample, Vec3 normal) const;
  Rgb mask(const Sample& sample, Vec3 normal) const;

  const FaceAttributes& attributes_;
  const FaceScene& scene_;
  FaceLight light_;
  FacePaint paint_;
  Vec3 up_;  ///< the head's upward direction in the camera's frame
  Rgb hair_, hat_, clothes_, frame_, cup_, lens_glow_;
  bool striped_ = false, buttoned_ = false;
};

/// Paints what is behind the person, in linear light; `out` has the picture's extent.
void paint_backdrop(const FaceAttributes& attributes, Canvas& out, std::vector<Rgb>& scratch);

}  // namespace sosia::world

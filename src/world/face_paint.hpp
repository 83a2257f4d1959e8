#pragma once
// The colours of a face: skin, eyes, brows, lips, beard as functions of the place on the head, and
// the light that falls on them. Linear light throughout; the renderer encodes to sRGB at the end.

#include "world/canvas.hpp"
#include "world/face_scene.hpp"

#include <cstdint>

namespace sosia::world {

/// sRGB 0 to 255 to linear light.
Rgb linear(int red, int green, int blue);
/// Linear light to sRGB, through a table; clamps to [0, 1].
class SrgbEncoder {
 public:
  SrgbEncoder();
  float operator()(float value) const {
    const float scaled = exact::clamp(value, 0.0f, 1.0f) * kSteps;
    const auto i = static_cast<std::size_t>(static_cast<int>(scaled));
    return exact::mix(table_[i], table_[i + 1], scaled - static_cast<float>(static_cast<int>(i)));
  }
  Rgb operator()(Rgb c) const { return {(*this)(c.r), (*this)(c.g), (*this)(c.b)}; }

 private:
  static constexpr int kSteps = 4096;
  std::array<float, kSteps + 2> table_{};
};

Rgb colour_of(FaceHairColour colour);
Rgb colour_of(FaceColour colour);

/// Direction and colour of the light in the camera's frame.
struct FaceLight {
  Vec3 key, half;  ///< towards the light; half way to the camera
  Vec3 key_in_head;
  Rgb colour, ambient;
};
FaceLight make_light(const FaceAttributes& attributes, const FaceView& view);

/// What a place on the skin is.
struct Skin {
  Rgb albedo;
  float gloss = 0.18f;
  float occlusion = 1;  ///< share of the ambient light that arrives
  float shadow = 1;     ///< share of the key light that arrives
  float eye = 0;        ///< 1 on the eyeball: wet, hardly shaded
  Rgb glow;             ///< reflections that do not depend on the albedo
  FacePart part = FacePart::skin;
};

class FacePaint {
 public:
  FacePaint(const FaceIdentity& identity, const FaceAttributes& attributes, const FaceShape& shape,
            const FaceView& view, const HairLine& hair, const FaceLight& light);

  /// The skin at `p` on the head's surface without what is drawn on it: it hardly changes within a
  /// pixel.
  Skin ground(Vec3 p) const;
  /// Eyes, brows, nostrils, lips, beard and mole at `p`, drawn on `ground`.
  Skin features(Vec3 p, Skin ground) const;
  /// Whether the colours around `p` vary within a pixel of a small picture.
  bool detailed(Vec3 p) const;
  Rgb skin_colour() const { return skin_; }

 private:
  void texture(Vec3 p, Skin& skin) const;
  void mole(Vec3 p, Skin& skin) const;
  void shadows(Vec3 p, Skin& skin) const;
  void scalp(Vec3 p, Skin& skin) const;
  void eye(Vec3 p, Skin& skin) const;
  void eyeball(float dx, float dy, float u, float top, Skin& skin) const;
  void brow(Vec3 p, Skin& skin) const;
  void nose(Vec3 p, Skin& skin) const;
  void mouth(Vec3 p, Skin& skin) const;
  void teeth(Vec3 p, float above, float share, Skin& skin) const;
  void beard(Vec3 p, Skin& skin) const;
  /// Coverage of a shape whose border is `inside` away; one sample wide.
  float cover(float inside) const { return exact::clamp(0.5f + inside * sharp_, 0.0f, 1.0f); }

  const FaceShape& shape_;
  const HairLine& hair_;
  const FaceLight& light_;
  float sharp_;  ///< samples per unit
  Rgb skin_, lip_, brow_, iris_, hair_colour_;
  FaceBeard beard_kind_;
  bool brim_;
  std::uint32_t seed_;
};

}  // namespace sosia::world

#pragma once
// Presentation attacks on rendered faces: a print, a replay on a screen and a cut-out mask, held
// before a camera that takes the picture again. A pure function of its parameters, like the faces.

#include "sosia/core/value.hpp"
#include "sosia/world/face.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>

namespace sosia::world {

enum class AttackKind : std::uint8_t { print, replay, mask };
inline constexpr int kAttackKinds = 3;
/// "print", "replay", "mask"
std::string_view name_of(AttackKind kind);

/// What the recapture does. Strengths are 0 (absent) to 1 unless stated.
struct AttackParameters {
  AttackKind kind = AttackKind::print;
  // The medium before the camera; the mask ignores these.
  double size = 0.9;   ///< its height as a share of the picture's side, 0.5 to 1.6
  double shift_x = 0;  ///< of its centre, shares of the side, -0.2 to 0.2
  double shift_y = 0;
  double turn_deg = 0;   ///< in the plane, -25 to 25
  double tilt_x = 0;     ///< perspective: -0.3 to 0.3, the right side nearer or farther
  double tilt_y = 0;     ///< the same for the lower side
  double border = 0.06;  ///< white paper or dark bezel, share of the medium's width, 0 to 0.2
  // Traces.
  double moire = 0.5;    ///< of the screen's and the sensor's grids; replay
  double moire_x = 7.3;  ///< its waves across the medium, 1 to 40
  double moire_y = 2.1;
  double glare = 0.3;    ///< a reflected lamp
  double glare_x = 0.7;  ///< its place on the medium, 0 to 1
  double glare_y = 0.25;
  double banding = 0.3;   ///< dark bars of a screen that is out of step with the shutter; replay
  double halftone = 0.5;  ///< dots of the print
  double curl = 0.3;      ///< shading of bent paper
  double fading = 0.5;    ///< lost contrast and saturation
  double cast = 0;        ///< colour cast, -1 (blue) to 1 (yellow)
  // The second camera.
  double blur = 0.004;  ///< share of the picture's side, 0 to 0.02
  double noise = 0.01;  ///< standard deviation, 0 to 0.1 of white
  std::uint32_t texture_seed = 0;
};

/// Attack `number` of this kind on `subject`.
AttackParameters random_attack(std::uint64_t seed, std::uint64_t subject, std::uint64_t number,
                               AttackKind kind);

/// Who is shown, and, for masks, who wears it (print and replay use the wearer's backdrop only).
struct AttackScene {
  FaceIdentity victim;
  FaceAttributes victim_attributes;  ///< of the picture that was printed, replayed or cut out
  FaceIdentity wearer;
  FaceAttributes wearer_attributes;
};

struct AttackImage {
  image::Image picture;  ///< RGB
  /// Where the medium covers the picture: 255, else 0; one channel.
  image::Image medium;
  /// Corners of the medium (print, replay): upper left, upper right, lower right, lower left.
  std::array<image::Point, 4> corners{};
  /// Of the victim's face as it is seen.
  std::array<image::Point, 5> landmarks5{};
};

/// Renders attacks, keeping its memory. Thread-safety: one renderer per thread.
class AttackRenderer {
 public:
  AttackRenderer();
  ~AttackRenderer();
  AttackRenderer(AttackRenderer&&) noexcept;
  AttackRenderer& operator=(AttackRenderer&&) noexcept;

  /// A square picture of `size_px` (32 to 256). Throws invalid_argument naming a parameter that is
  /// out of range.
  void render(const AttackScene& scene, const AttackParameters& attack, int size_px,
              AttackImage& out);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

Value to_value(const AttackParameters& attack);

}  // namespace sosia::world

#pragma once
// What happens to a picture before a network sees it. Steps work on 8-bit RGB as torchvision's do
// on PIL pictures, in the given order; each draws from the stream of its picture, so that the
// result depends on nothing else.

#include "sosia/core/rng.hpp"
#include "sosia/image/image.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sosia::data {

/// Steps in words, one each: a name and numbers as `key=value`.
///
///   resize height= width= bicubic=0     antialiased bilinear or bicubic, as PIL's
///   random_resized_crop height= width= scale=0.08 scale_to=1 ratio=0.75 ratio_to=1.3333 bicubic=0
///   centre_crop height= width=
///   pad_crop pad=10                     zeros around, then a crop of the old size
///   flip p=0.5
///   affine degrees=10 translate=0.1 scale=0.9 scale_to=1.1 p=1
///   colour_jitter brightness=0.4 contrast=0.4 saturation=0.4 hue=0.1 p=1   in random order
///   grey p=1
///   blur sigma=0.1 sigma_to=2 p=1
///   solarise threshold=128 p=1
///   cut_out side=0.3 p=0.5              a grey square of that share of the shorter side
///   erase p=0.5 area=0.02 area_to=0.4 ratio=0.3 ratio_to=3.3333 noise=1 red= green= blue=
///                                       filled with noise, or (noise=0) a colour: ImageNet's mean
///
/// Reference: torchvision.transforms of 0.15 for the first ones, random erasing: Zhong et al., AAAI
/// 2020.
class Pipeline {
 public:
  /// Throws usage, with the nearest name, for a step or key that does not exist or a value out of
  /// range.
  explicit Pipeline(const std::vector<std::string>& steps);

  /// The picture behind all steps. `full` is the extent that it has in its set when it was shrunk
  /// while it was decoded: areas are drawn in those pixels. Thread-safe.
  image::Image operator()(image::ImageView picture, RandomStream& stream,
                          image::Extent full = {}) const;
  /// By how much (1, 2, 4 or 8) a picture of extent `full` may be shrunk while it is decoded before
  /// these steps are drawn from `stream`, so that no pixel of the result is enlarged by it. More
  /// than 1 only where the first step resizes. Thread-safe.
  int shrink(image::Extent full, RandomStream stream) const;
  /// The size that every picture has behind the last step that sets one; {0, 0} when none does.
  image::Extent extent() const noexcept;

 private:
  struct Impl;
  std::shared_ptr<const Impl> impl_;
};

/// The two views of Barlow Twins, for pictures of `side_px`: see the published code.
std::vector<std::string> barlow_view(int view, int side_px);

}  // namespace sosia::data

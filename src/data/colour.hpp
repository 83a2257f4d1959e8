#pragma once
// Colour steps on 8-bit RGB, with the arithmetic of PIL that torchvision uses.

#include "sosia/image/image.hpp"

namespace sosia::data {

/// `factor` * picture, cut at 255. PIL: ImageEnhance.Brightness.
void adjust_brightness(image::MutableImageView picture, double factor);
/// Away from (above 1) or towards the mean of the luma, rounded. PIL: ImageEnhance.Contrast.
void adjust_contrast(image::MutableImageView picture, double factor);
/// Away from or towards the luma of each pixel. PIL: ImageEnhance.Color.
void adjust_saturation(image::MutableImageView picture, double factor);
/// Turns the hue by `turns` in [-0.5, 0.5] of a circle.
void adjust_hue(image::MutableImageView picture, double turns);
/// Every channel becomes the luma.
void make_grey(image::MutableImageView picture);
/// Inverts what is at least `threshold`. PIL: ImageOps.solarize.
void solarise(image::MutableImageView picture, int threshold);

}  // namespace sosia::data

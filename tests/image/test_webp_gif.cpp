// WebP and GIF: first frames, transparency, placement.

#include "image/samples.hpp"
#include "sosia/core/error.hpp"
#include "sosia/image/decode.hpp"
#include "sosia/image/transform.hpp"

#include <gtest/gtest.h>

namespace sosia::image {
namespace {

using namespace testing;

Image stored(const ByteVector& file) {
  DecodeOptions options;
  options.channels = Channels::as_stored;
  return decode(file, options).image;
}

Image indices_of(int width_px, int height_px) {
  Image indices = noise(width_px, height_px, 1);
  for (int y = 0; y < height_px; ++y) {
    for (int x = 0; x < width_px; ++x) {
      indices.row(y)[x] &= 63;
    }
  }
  return indices;
}

bool shows(const Image& image, int x, int y, unsigned index) {
  const Colour c = gif_colour(index);
  const std::uint8_t* p = image.pixel(x, y);
  return p[0] == c.red && p[1] == c.green && p[2] == c.blue &&
         (image.channels() == 3 || p[3] == 255);
}

TEST(WebP, LosslessComesBackAndLossyNearly) {
  EncodeOptions lossless;
  lossless.lossless = true;
  const Image rgb = noise(33, 21, 3);
  EXPECT_TRUE(same_pixels(stored(encode(rgb, Format::webp, lossless).bytes), rgb));
  Image rgba = noise(33, 21, 4);
  for (int y = 0; y < 21; ++y) {
    for (int x = 0; x < 33; ++x) {
      rgba.pixel(x, y)[3] |= 1;  // the encoder blackens what is fully transparent
    }
  }
  EXPECT_TRUE(same_pixels(stored(encode(rgba, Format::webp, lossless).bytes), rgba));
  EncodeOptions fine;
  fine.quality = 98;
  const Image smooth = gradient(64, 48, 3);
  // Observed 16, where colours change fast: chroma is halved.
  EXPECT_LE(largest_difference(stored(encode(smooth, Format::webp, fine).bytes), smooth), 24);
}

TEST(WebP, FirstFrameStandsOnItsCanvas) {
  const Image frame = noise(20, 16, 4);
  Image opaque = frame;
  for (int y = 0; y < 16; ++y) {
    for (int x = 0; x < 20; ++x) {
      opaque.pixel(x, y)[3] = 255;
    }
  }
  const ByteVector file = animated_webp_of(opaque, {30, 24});
  const ImageInfo info = probe(file);
  EXPECT_EQ(info.extent, (Extent{30, 24}));
  EXPECT_EQ(info.frames, 1);
  const Image image = stored(file);
  ASSERT_EQ(image.channels(), 4);
  EXPECT_TRUE(same_pixels(image.view().crop(2, 4, 20, 16), opaque));
  EXPECT_EQ(image.pixel(1, 4)[3], 0);
  EXPECT_EQ(image.pixel(22, 20)[3], 0);
}

TEST(WebP, ExifOrientation) {
  const Image picture = noise(20, 16, 3);
  for (const bool prefix : {true, false}) {
    ByteVector exif = exif_block(6, true);
    if (!prefix) {
      exif.erase(exif.begin(), exif.begin() + 6);
    }
    const Decoded decoded = decode(webp_with_exif(picture, exif));
    EXPECT_EQ(decoded.applied_orientation, Orientation::rotate_90);
    EXPECT_TRUE(same_pixels(decoded.image, rotate_90(picture, 1)));
  }
}

TEST(WebP, CutOffContainerIsAnError) {
  ByteVector file = webp_with_exif(noise(20, 16, 3), exif_block(1, true));
  file.pop_back();  // within the EXIF chunk, behind the whole picture
  try {
    decode(file);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::corrupt_data);
    EXPECT_NE(e.message().find("cut off"), std::string::npos) << e.message();
  }
}

TEST(Gif, ColoursInterlacingAndFrames) {
  const Image indices = indices_of(29, 19);
  for (const bool interlaced : {false, true}) {
    GifRecipe recipe{29, 19};
    recipe.interlaced = interlaced;
    recipe.frames = 4;
    const ByteVector file = gif_of(recipe, indices);
    const ImageInfo info = probe(file);
    EXPECT_EQ(info.frames, 4);
    EXPECT_EQ(info.progressive, interlaced);
    EXPECT_FALSE(info.has_alpha);
    const Image image = stored(file);
    ASSERT_EQ(image.channels(), 3);
    for (int y = 0; y < 19; ++y) {
      for (int x = 0; x < 29; ++x) {
        ASSERT_TRUE(shows(image, x, y, indices.row(y)[x])) << x << " " << y;
      }
    }
  }
}

TEST(Gif, TransparencyAndPlacement) {
  const Image indices = indices_of(10, 8);
  GifRecipe recipe{16, 14, 3, 2};
  recipe.transparent_index = indices.row(4)[5];
  const Image image = stored(gif_of(recipe, indices));
  ASSERT_EQ(image.extent(), (Extent{16, 14}));
  ASSERT_EQ(image.channels(), 4);
  EXPECT_EQ(image.pixel(3 + 5, 2 + 4)[3], 0);
  EXPECT_EQ(image.pixel(0, 0)[3], 0);
  for (int x = 0; x < 10; ++x) {
    const unsigned index = indices.row(3)[x];
    if (static_cast<int>(index) != recipe.transparent_index) {
      EXPECT_TRUE(shows(image, 3 + x, 5, index)) << x;
    }
  }
}

TEST(Gif, FrameMayStickOutOfTheScreen) {
  const Image indices = indices_of(10, 8);
  const ByteVector file = gif_of({4, 20, 2, 0}, indices);
  EXPECT_EQ(probe(file).extent, (Extent{12, 20}));
  EXPECT_TRUE(shows(stored(file), 11, 7, indices.row(7)[9]));
}

TEST(Gif, TrailerIsNeeded) {
  ByteVector file = gif_of({10, 8}, indices_of(10, 8));
  file.pop_back();
  EXPECT_NO_THROW(probe(file));
  try {
    decode(file);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::corrupt_data);
    EXPECT_NE(e.message().find("trailer"), std::string::npos) << e.message();
  }
}

}  // namespace
}  // namespace sosia::image

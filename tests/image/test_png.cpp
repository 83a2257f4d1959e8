// PNG: every depth and colour type, transparency, interlacing.

#include "image/samples.hpp"
#include "sosia/core/error.hpp"
#include "sosia/image/decode.hpp"

#include <cmath>

#include <gtest/gtest.h>
#include <png.h>

namespace sosia::image {
namespace {

using namespace testing;

Image stored(const ByteVector& png) {
  DecodeOptions options;
  options.channels = Channels::as_stored;
  return decode(png, options).image;
}

TEST(Png, SixteenBitsAreRoundedNotCut) {
  // All values of the form k * 37: a grey row of 1772 pixels.
  ByteVector samples;
  std::vector<unsigned> values;
  for (unsigned v = 0; v <= 65535; v += 37) {
    values.push_back(v);
    append_u8(samples, {v >> 8, v & 255});
  }
  const int width = static_cast<int>(values.size());
  for (const bool interlaced : {false, true}) {
    const ByteVector png = png_of({width, 1, 16, PNG_COLOR_TYPE_GRAY, interlaced, {}, {}}, samples);
    EXPECT_EQ(probe(png).bit_depth, 16);
    EXPECT_EQ(probe(png).progressive, interlaced);
    const Image image = stored(png);
    ASSERT_EQ(image.channels(), 1);
    for (int x = 0; x < width; ++x) {
      EXPECT_EQ(image.row(0)[x], std::lround(values[static_cast<std::size_t>(x)] / 257.0)) << x;
    }
  }
}

TEST(Png, SixteenBitsRgba) {
  ByteVector samples;
  for (unsigned i = 0; i < 6; ++i) {
    for (unsigned c = 0; c < 4; ++c) {
      const unsigned value = (i * 4 + c) * 257 * 10;
      append_u8(samples, {value >> 8, value & 255});
    }
  }
  const Image image = stored(png_of({3, 2, 16, PNG_COLOR_TYPE_RGB_ALPHA, false, {}, {}}, samples));
  ASSERT_EQ(image.channels(), 4);
  for (int i = 0; i < 24; ++i) {
    EXPECT_EQ(image.row(i / 12)[i % 12], i * 10);
  }
}

TEST(Png, SmallGreyDepthsAreSpread) {
  for (const int bits : {1, 2, 4}) {
    const int per_byte = 8 / bits;
    ByteVector samples;
    append_u8(samples, {0b00011011, 0xc5});
    const Image image =
        stored(png_of({2 * per_byte, 1, bits, PNG_COLOR_TYPE_GRAY, false, {}, {}}, samples));
    ASSERT_EQ(image.channels(), 1);
    const unsigned packed[2] = {0b00011011, 0xc5};
    for (int x = 0; x < 2 * per_byte; ++x) {
      const unsigned value =
          packed[x / per_byte] >> (8 - bits * (x % per_byte + 1)) & ((1U << bits) - 1);
      EXPECT_EQ(image.row(0)[x], value * 255 / ((1U << bits) - 1)) << bits << " " << x;
    }
  }
}

TEST(Png, PaletteWithTransparency) {
  PngRecipe recipe{4, 1, 2, PNG_COLOR_TYPE_PALETTE, false, {}, {}};
  recipe.palette = {{9, 8, 7, 255}, {255, 0, 0, 128}, {0, 255, 0, 0}, {1, 2, 3, 255}};
  ByteVector samples;
  append_u8(samples, {0b00011011});
  const ByteVector png = png_of(recipe, samples);
  const ImageInfo info = probe(png);
  EXPECT_TRUE(info.has_alpha);
  EXPECT_EQ(info.colour_model, ColourModel::palette);
  EXPECT_EQ(info.bit_depth, 2);
  const Image image = stored(png);
  ASSERT_EQ(image.channels(), 4);
  for (int x = 0; x < 4; ++x) {
    const Colour& c = recipe.palette[static_cast<std::size_t>(x)];
    const Colour found{image.pixel(x, 0)[0], image.pixel(x, 0)[1], image.pixel(x, 0)[2],
                       image.pixel(x, 0)[3]};
    EXPECT_EQ(found, c) << x;
  }
  recipe.palette[1].alpha = recipe.palette[2].alpha = 255;
  EXPECT_EQ(stored(png_of(recipe, samples)).channels(), 3);
}

TEST(Png, TransparentColour) {
  ByteVector grey;
  append_u8(grey, {10, 20, 30});
  const Image keyed = stored(png_of({3, 1, 8, PNG_COLOR_TYPE_GRAY, false, {}, {20}}, grey));
  ASSERT_EQ(keyed.channels(), 4);
  EXPECT_EQ(keyed.pixel(0, 0)[3], 255);
  EXPECT_EQ(keyed.pixel(1, 0)[3], 0);
  EXPECT_EQ(keyed.pixel(2, 0)[1], 30);
  // In 16 bits the comparison is made before rounding: 0x0100 and 0x0101 both round to 1.
  ByteVector deep;
  append_u8(deep, {1, 0, 1, 1});
  const Image rounded = stored(png_of({2, 1, 16, PNG_COLOR_TYPE_GRAY, false, {}, {0x0101}}, deep));
  ASSERT_EQ(rounded.channels(), 4);
  EXPECT_EQ(rounded.pixel(0, 0)[0], 1);
  EXPECT_EQ(rounded.pixel(0, 0)[3], 255);
  EXPECT_EQ(rounded.pixel(1, 0)[3], 0);
  ByteVector rgb;
  append_u8(rgb, {1, 2, 3, 1, 2, 4});
  const Image colour = stored(png_of({2, 1, 8, PNG_COLOR_TYPE_RGB, false, {}, {1, 2, 3}}, rgb));
  EXPECT_EQ(colour.pixel(0, 0)[3], 0);
  EXPECT_EQ(colour.pixel(1, 0)[3], 255);
}

TEST(Png, GreyWithAlphaBecomesRgba) {
  ByteVector samples;
  append_u8(samples, {100, 255, 50, 0});
  const ByteVector png = png_of({2, 1, 8, PNG_COLOR_TYPE_GRAY_ALPHA, false, {}, {}}, samples);
  EXPECT_EQ(probe(png).colour_model, ColourModel::grey);
  const Image image = stored(png);
  ASSERT_EQ(image.channels(), 4);
  EXPECT_EQ(image.pixel(0, 0)[2], 100);
  EXPECT_EQ(image.pixel(1, 0)[3], 0);
  // Grey over white: what is transparent is white.
  DecodeOptions options;
  options.channels = Channels::grey;
  const Image over_white = decode(png, options).image;
  EXPECT_EQ(over_white.row(0)[0], 100);
  EXPECT_EQ(over_white.row(0)[1], 255);
}

TEST(Png, InterlacedEqualsPlain) {
  const Image picture = noise(37, 23, 3);
  ByteVector samples;
  for (int y = 0; y < 23; ++y) {
    for (int i = 0; i < 37 * 3; ++i) {
      append_u8(samples, {picture.row(y)[i]});
    }
  }
  EXPECT_TRUE(
      same_pixels(stored(png_of({37, 23, 8, PNG_COLOR_TYPE_RGB, true, {}, {}}, samples)), picture));
}

TEST(Png, ExifOrientationAndFrames) {
  const Image picture = noise(12, 7, 3);
  const ByteVector plain = encode(picture, Format::png).bytes;
  const ByteVector exif = exif_block(3, false);
  const ByteVector turned = with_png_chunk(plain, "eXIf", ByteVector(exif.begin() + 6, exif.end()));
  const Decoded decoded = decode(turned);
  EXPECT_EQ(decoded.applied_orientation, Orientation::rotate_180);
  EXPECT_EQ(decoded.image.pixel(0, 0)[1], picture.pixel(11, 6)[1]);
  ByteVector animation;
  append_be32(animation, 5);
  append_be32(animation, 0);
  EXPECT_EQ(probe(with_png_chunk(plain, "acTL", animation)).frames, 5);
  EXPECT_TRUE(same_pixels(stored(with_png_chunk(plain, "acTL", animation)), picture));
}

TEST(Png, DamageIsToldInTheCodecsWords) {
  ByteVector png = encode(noise(40, 40, 3), Format::png).bytes;
  png[png.size() / 2] ^= std::byte{0x10};
  try {
    decode(png);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::corrupt_data);
    // zlib's own check sum or the chunk's, whichever libpng comes to first.
    EXPECT_NE(e.message().find("IDAT: "), std::string::npos) << e.message();
  }
}

}  // namespace
}  // namespace sosia::image

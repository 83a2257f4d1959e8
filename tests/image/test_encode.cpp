// Encoding and saving. That decoding brings pictures back is tested beside each format.

#include "errors.hpp"
#include "image/samples.hpp"
#include "sosia/core/error.hpp"
#include "sosia/image/encode.hpp"
#include "sosia/image/transform.hpp"

#include <gtest/gtest.h>

namespace sosia::image {
namespace {

using namespace testing;

Image stored(const ByteVector& bytes) {
  DecodeOptions options;
  options.channels = Channels::as_stored;
  return decode(bytes, options).image;
}

TEST(Encode, LosslessFormatsRoundTrip) {
  for (const int channels : {1, 3, 4}) {
    const Image picture = noise(31, 22, channels);
    const ImageView crop = picture.view().crop(3, 2, 25, 17);
    for (const int level : {0, 6, 9}) {
      EncodeOptions options;
      options.compression = level;
      EXPECT_TRUE(same_pixels(stored(encode(crop, Format::png, options).bytes), crop));
    }
    const Image opaque = flatten(crop, kWhite);
    EXPECT_TRUE(same_pixels(stored(encode(crop, Format::pnm).bytes), opaque));
  }
}

TEST(Encode, IsDeterministic) {
  const Image picture = noise(40, 30, 3);
  for (const Format format : {Format::jpeg, Format::png, Format::webp, Format::pnm}) {
    EXPECT_EQ(encode(picture, format).bytes, encode(Image(picture), format).bytes);
  }
}

TEST(Encode, PnmIsSpelledOut) {
  const ByteVector bytes = encode(Image(2, 1, 3, Colour{65, 66, 67}), Format::pnm).bytes;
  EXPECT_EQ(bytes, to_bytes("P6\n2 1\n255\nABCABC"));
  EXPECT_EQ(encode(Image(1, 1, 1, Colour{65, 65, 65}), Format::pnm).bytes,
            to_bytes("P5\n1 1\n255\nA"));
}

TEST(Encode, QualityAndSubsamplingShrinkJpeg) {
  const Image picture = noise(64, 64, 3);
  EncodeOptions options;
  const std::size_t normal = encode(picture, Format::jpeg, options).bytes.size();
  options.quality = 30;
  const std::size_t coarse = encode(picture, Format::jpeg, options).bytes.size();
  options.quality = 90;
  options.subsampling = Subsampling::none_444;
  const std::size_t full = encode(picture, Format::jpeg, options).bytes.size();
  options.subsampling = Subsampling::half_422;
  const std::size_t half = encode(picture, Format::jpeg, options).bytes.size();
  EXPECT_LT(coarse, normal);
  EXPECT_LT(normal, half);
  EXPECT_LT(half, full);
}

TEST(Encode, AlphaIsCompositedWhereTheFormatHasNone) {
  const Image glass(8, 8, 4, Colour{255, 0, 0, 0});
  EncodeOptions options;
  options.background = {0, 0, 255};
  for (const Format format : {Format::jpeg, Format::pnm}) {
    const Image back = stored(encode(glass, format, options).bytes);
    ASSERT_EQ(back.channels(), 3);
    EXPECT_LE(back.pixel(4, 4)[0], 2);
    EXPECT_GE(back.pixel(4, 4)[2], 253);
  }
}

TEST(Encode, MediaTypes) {
  const Image picture(3, 3, 1);
  EXPECT_EQ(encode(picture, Format::jpeg).media_type, "image/jpeg");
  EXPECT_EQ(encode(picture, Format::png).media_type, "image/png");
  EXPECT_EQ(encode(picture, Format::webp).media_type, "image/webp");
}

TEST(Encode, RefusesBadArguments) {
  const Image picture(3, 3, 3);
  EncodeOptions options;
  options.quality = 0;
  EXPECT_EQ(code_of([&] { encode(picture, Format::jpeg, options); }), ErrorCode::invalid_argument);
  EXPECT_EQ(code_of([&] { encode(picture, Format::webp, options); }), ErrorCode::invalid_argument);
  options.compression = 10;
  EXPECT_EQ(code_of([&] { encode(picture, Format::png, options); }), ErrorCode::invalid_argument);
  EXPECT_EQ(code_of([&] { encode(picture, Format::gif); }), ErrorCode::unsupported);
  EXPECT_EQ(code_of([&] { encode(ImageView(), Format::png); }), ErrorCode::invalid_argument);
  EXPECT_EQ(code_of([] { encode(Image(20'000, 1, 1), Format::webp); }), ErrorCode::unsupported);
  EXPECT_EQ(code_of([] { encode(Image(1, 70'000, 1), Format::jpeg); }), ErrorCode::unsupported);
}

TEST(Save, WritesWhatTheExtensionSays) {
  const TemporaryFolder folder;
  const Image picture = noise(12, 9, 3);
  for (const char* name : {"a.png", "b.PNG", "c.ppm", "d.jpg", "e.JPEG", "f.webp"}) {
    const auto path = folder.path() / name;
    save(path, picture);
    EXPECT_EQ(probe_file(path).format, format_for_extension(path)) << name;
  }
  const auto taken = folder.path() / "a.png";
  EXPECT_EQ(code_of([&] { save(taken, picture); }), ErrorCode::conflict);
  const Image other = noise(5, 5, 1);
  save(taken, other, {}, Overwrite::replace);
  EXPECT_EQ(probe_file(taken).extent, (Extent{5, 5}));
  EXPECT_EQ(code_of([&] { save(folder.path() / "x.tif", picture); }), ErrorCode::invalid_argument);
  EXPECT_EQ(code_of([&] { save(folder.path() / "x", picture); }), ErrorCode::invalid_argument);
}

}  // namespace
}  // namespace sosia::image
